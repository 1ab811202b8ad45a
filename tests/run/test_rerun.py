"""A config does again what was done: the same numbers, resumable, and never on other data."""

import html
import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.config import (
    AuditPart,
    ClassifierPart,
    Config,
    DataPart,
    ExplanationPart,
    ImportancePart,
    LatentsPart,
    ModelChannelsPart,
    PredictionsPart,
    TrainingPart,
    TransplantsPart,
    WhatIfPart,
    script_of,
    write_config,
)
from napari_channelmix.config.from_results import classifier_part, data_part, what_if_part
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import BundleError, ConfigError, DataError
from napari_channelmix.jobs import drain
from napari_channelmix.report import Findings
from napari_channelmix.run.cli import main
from napari_channelmix.run.rerun import Rerun, _findings_job, run_config
from napari_channelmix.settings import WhatIfSettings, settings_of
from napari_channelmix.whatif.channel_shapley_result import ChannelShapley

VIEW = {
    "channels": ["DNA", "reporter"],
    "weights": [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]],
    "natural": False,
}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plate")
    return synthetic_plate(wells=6, cells_per_well=8, side=128, crop=24).save(folder)


@pytest.fixture(scope="module")
def config(dataset):
    training = TrainingPart(network="tiny", epochs=2, held_out=0.4, seed=3, device="cpu", threads=1)
    return Config(
        device="cpu",
        data=data_part(cm.open_dataset(dataset), dataset),
        classifier=ClassifierPart(training=training),
        importance=ImportancePart(
            network="tiny",
            epochs=2,
            seeds=1,
            shapley=False,
            decoys=False,
            held_out=0.3,
            seed=5,
            device="cpu",
            threads=1,
        ),
        explanations=(
            ExplanationPart(cells=(7, 2)),
            ExplanationPart(cells=(4,), target="treated", channels="separate"),
        ),
        latents=LatentsPart(view=VIEW),
    )


@pytest.fixture(scope="module")
def done(config, dataset, tmp_path_factory, quick_learners_of_module):
    path = write_config(config, dataset.parent / "config.json")
    return run_config(path, tmp_path_factory.mktemp("out"))


def test_every_part_has_its_folder_and_the_report_says_all(done, dataset):
    for name in (
        "classifier/model.cmx",
        "classifier/model.json",
        "importance/importance.json",
        "explanations/1/explain.json",
        "explanations/2/maps.zarr",
        "latents/latents.json",
        "config.json",
        "report.html",
    ):
        assert (done.out / name).exists(), name
    page = done.report.read_text("utf-8")
    for name in ("importance", "classifier", "explanations", "latents", "groups"):
        assert f'<section id="{name}">' in page
    # By its label, as the window calls it, not by its position.
    assert f"Cell {cell_name(cm.open_dataset(dataset), 7)}: " in page
    assert "Cell 7: " not in page
    assert done.explained[0].content["cells"]["index"] == [7, 2]


def test_a_second_run_does_nothing_again(done, config, monkeypatch, dataset, capsys):
    monkeypatch.setattr(
        "napari_channelmix.run.config_classifier.train_into_job",
        lambda *_: pytest.fail("the classifier is there"),
    )
    path = dataset.parent / "config.json"
    assert main(["run", str(path), "--out", str(done.out)]) == 0
    said = capsys.readouterr().out
    assert done.classifier.accuracy.text() in said
    assert "explained with pcim" in said


def test_the_script_gives_the_same_numbers_without_a_display(done, config, tmp_path):
    script = tmp_path / "again.py"
    script.write_text(
        script_of(config) + "import json, sys\n"
        "json.dump({'recall': np.mean(recall), 'share': importance.share}, open('n.json', 'w'))\n"
        "np.savez('n.npz', maps=attribution_1.maps, channels=attribution_2.channel_maps, "
        "z=latents.values)\n",
        "utf-8",
    )
    bare = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY", "OMP_NUM_THREADS")
    }
    subprocess.run([sys.executable, str(script)], cwd=tmp_path, env=bare, check=True)
    numbers = json.loads((tmp_path / "n.json").read_text())
    arrays = np.load(tmp_path / "n.npz")
    assert numbers["recall"] == pytest.approx(
        done.classifier.record["held_out"]["balanced_accuracy"], abs=1e-9
    )
    assert numbers["share"] == pytest.approx(done.importance.share, abs=1e-6)
    import zarr

    maps = zarr.open_array(done.out / "explanations/1/maps.zarr", mode="r")[:]
    channels = zarr.open_array(done.out / "explanations/2/channel_maps.zarr", mode="r")[:]
    np.testing.assert_allclose(arrays["maps"], maps, atol=1e-5)
    np.testing.assert_allclose(arrays["channels"], channels, atol=1e-5)
    np.testing.assert_allclose(arrays["z"], done.latents.latents.values, atol=1e-5)


def test_the_report_shows_probabilities_with_the_prior_of_the_predictions(
    config, dataset, monkeypatch
):
    """The usual prior of a plate, whatever was chosen for the controls of its classifier."""
    asked = []

    def findings_job(cells, sources, **_):
        asked.append(sources.prior)
        yield
        return Findings(cells, "")

    monkeypatch.setattr("napari_channelmix.run.rerun.findings_job", findings_job)
    chosen = config.classifier.model_copy(update={"prior": "estimated"})
    for predictions in (PredictionsPart(), PredictionsPart(prior="balanced"), None):
        one = config.model_copy(update={"classifier": chosen, "predictions": predictions})
        again = Rerun(one, cm.open_dataset(dataset), None, None, (), None, dataset.parent)
        drain(_findings_job(one, 0, again, [None]))
    assert asked == [None, "balanced", "estimated"]


def test_data_that_changed_is_not_run(config, dataset, tmp_path, capsys):
    data = config.data.model_copy(update={"fingerprint": "0" * 64})
    path = write_config(config.model_copy(update={"data": data}), tmp_path / "c.json")
    assert main(["run", str(path), "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr().err
    assert "has changed since the config was made" in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()
    with pytest.raises(ConfigError, match="48 cells instead of 49"):
        fewer = data.model_copy(update={"n": 49})
        run_config(write_config(config.model_copy(update={"data": fewer}), path))
    with pytest.raises(ConfigError, match="it has no CD8"):
        renamed = data.model_copy(update={"channels": ("DNA", "CD8")})
        run_config(write_config(config.model_copy(update={"data": renamed}), path))


def test_a_scaling_that_was_chosen_is_chosen_again(dataset, tmp_path, capsys):
    channels = ["reporter", "DNA"]
    cells = cm.open_dataset(dataset, channels=channels, scaling="clip=99,arcsinh=50")
    training = TrainingPart(network="tiny", epochs=1, held_out=0.4, device="cpu", threads=1)
    config = Config(
        device="cpu",
        data=data_part(cells, dataset),
        classifier=ClassifierPart(training=training),
    )
    path = write_config(config, tmp_path / "config.json")
    result = run_config(path, tmp_path / "out")
    assert result.cells.channels == cells.channels
    assert result.cells.scaling == cells.scaling
    assert result.classifier.scaling.same(cells.scaling, cells.channels)
    # The report of a command that scaled says so as well.
    report = ["report", str(dataset), "--out", str(tmp_path / "r.html"), "--quiet"]
    model = ["--model", str(tmp_path / "out" / "classifier" / "model.cmx")]
    assert main([*report, *model, "--use-channels", *channels, "--scaling", "arcsinh=5"]) == 2
    assert "scaled with other values" in capsys.readouterr().err
    scaling = ["--scaling", "clip=99,arcsinh=50"]
    assert main([*report, *model, "--use-channels", *channels, *scaling]) == 0
    assert "scaled_as&#34;: &#34;clip=99,arcsinh=50&#34;" in (tmp_path / "r.html").read_text(
        "utf-8"
    )


def test_another_model_in_the_file_is_not_run(config, done, dataset, tmp_path):
    own = tmp_path / "m.cmx"
    own.write_bytes((done.out / "classifier" / "model.cmx").read_bytes())
    said = classifier_part(done.classifier, own)
    assert said is not None
    assert said.training is None
    alone = Config(data=config.data, classifier=said)
    path = write_config(alone, tmp_path / "c.json")
    assert run_config(path).classifier.channels == done.classifier.channels
    cm.train_classifier(done.cells, network="tiny", epochs=1, device="cpu").save(own)
    with pytest.raises(ConfigError, match="is not the model the config was made with"):
        run_config(path)
    altered = bytearray(own.read_bytes())
    altered[-1] ^= 1
    own.write_bytes(bytes(altered))
    with pytest.raises(BundleError, match="was altered"):
        run_config(path)


def test_what_cannot_be_done_is_known_before_anything_is_trained(config, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "napari_channelmix.run.config_classifier.train_into_job", lambda *_: pytest.fail("too late")
    )
    for part in (
        {"latents": LatentsPart(model="no-sprites")},
        {"data": DataPart(dataset=str(tmp_path / "gone.toml"))},
    ):
        path = write_config(config.model_copy(update=part), tmp_path / "c.json")
        with pytest.raises((DataError, ValueError), match=r"no encoder|no such file"):
            run_config(path, tmp_path / "out")


def test_cells_that_are_not_there_are_refused(config, tmp_path, done):
    one = config.model_copy(
        update={
            "explanations": (ExplanationPart(cells=(99,)),),
            "importance": None,
            "latents": None,
        }
    )
    with pytest.raises(DataError, match="has the cells 0 to 47, not 99"):
        run_config(write_config(one, tmp_path / "c.json"), done.out)


def test_a_config_asks_for_transplants_channels_and_audit_alone(dataset, tmp_path):
    cells = cm.open_dataset(dataset)
    model = cm.train_classifier(cells, network="tiny", epochs=3, device="cpu")
    bundle = model.save(tmp_path / "m.cmx") or tmp_path / "m.cmx"
    config = Config(
        device="cpu",
        data=data_part(cells, dataset),
        classifier=ClassifierPart(file=str(bundle)),
        transplants=TransplantsPart(limit=6, only="all", overlap=0.2, prior="balanced"),
        model_channels=ModelChannelsPart(forwards=200, only="all"),
        audit=AuditPart(limit=4, only="all", mapped=(0, 5)),
    )
    done = run_config(write_config(config, tmp_path / "config.json"), tmp_path / "out")
    assert done.left_out == () and done.what_if is None
    folder = tmp_path / "out" / "whatif"
    names = {path.name for path in folder.iterdir()}
    assert {"transplants.json", "channels.csv", "audit.json"} <= names
    page = done.report.read_text("utf-8")
    for section in ("transplants", "model-channels", "shortcuts"):
        assert f'<section id="{section}">' in page
    # The prior of training was asked for, not the usual one of these values.
    channels = ChannelShapley.from_dict(json.loads((folder / "channels.json").read_text("utf-8")))
    assert channels.provenance["prior"]["kind"] == "training"
    space = {}
    exec(compile(script_of(config), "script.py", "exec"), space)
    assert space["channels"].table["value"].tolist() == channels.table["value"].tolist()
    card = json.loads((folder / "audit.json").read_text("utf-8"))
    assert [check.line for check in space["card"].checks] == [row["line"] for row in card["checks"]]
    # What cannot be asked of these cells is a note, and the rest is there.
    alone = ModelChannelsPart(only="all", prior=dict.fromkeys(("x", "y"), 0.5))
    odd = config.model_copy(update={"model_channels": alone, "transplants": None, "audit": None})
    left = run_config(write_config(odd, tmp_path / "odd.json"), tmp_path / "odd")
    assert len(left.left_out) == 1 and left.left_out[0] in html.unescape(
        left.report.read_text("utf-8")
    )


def test_a_config_asks_what_if_again_and_the_report_says_it(dataset, tmp_path):
    cells = cm.open_dataset(dataset)
    model = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu")
    bundle = model.save(tmp_path / "m.cmx") or tmp_path / "m.cmx"
    asked = WhatIfPart(
        axes=("DNA brightness",),
        only="all",
        limit=4,
        steps=3,
        smallest=False,
        compare_scopes=False,
        channels=True,
        players={"stain": ["DNA"]},
    )
    config = Config(
        device="cpu",
        data=data_part(cells, dataset),
        classifier=ClassifierPart(file=str(bundle)),
        what_if=asked,
    )
    path = write_config(config, tmp_path / "config.json")
    done = run_config(path, tmp_path / "out")
    answers = done.what_if.result
    known = json.loads((tmp_path / "out" / "whatif" / "channels.json").read_text("utf-8"))
    assert "stain" in known["channels"] and "DNA" not in known["channels"]
    page = done.report.read_text("utf-8")
    assert '<section id="what-if">' in page and '<section id="model-channels">' in page
    assert "DNA brightness" in page and '<section id="shortcuts">' not in page
    # The answers say how they were made, and Python gives the same.
    again = what_if_part(answers.provenance, channels=True, players=dict(asked.players))
    assert replace(again, classifier=None) == asked
    direct = cm.what_if(model, cells, settings=settings_of(WhatIfSettings, again))
    assert direct.flips["share"].tolist() == answers.flips["share"].tolist()
    source = script_of(config)
    assert "cm.what_if(" in source and "cm.channel_shapley(" in source
    space = {}
    exec(compile(source, "script.py", "exec"), space)
    assert space["answers"].flips["share"].tolist() == answers.flips["share"].tolist()
