"""`latents` from the command line: what is written, what is kept, what is never mixed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from importlib import import_module

import numpy as np
import pandas as pd
import pytest

from napari_channelmix import load_disentangler, open_dataset
from napari_channelmix.data import Cells
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.drl import latents, save_disentangler
from napari_channelmix.drl.finetune import Finetuned
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Progress, drain
from napari_channelmix.provenance import package_version
from napari_channelmix.run import encode_dataset as room
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.cli import main
from napari_channelmix.run.encode_dataset import LatentsSettings, encode_cells_job, latents_text

# What users of latents.json may count on.
FIELDS = {"schema", "provenance", "names", "trust", "accuracy", "active", "metrics", "warnings"}
FILES = {"latents.csv", "latents.json", "traversals.png"}


@pytest.fixture(scope="module", autouse=True)
def few_pairs(sprites_once):
    """Few sprites to measure names with, whose outlines are drawn once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("napari_channelmix.drl.encode"), "DRIFT_PAIRS", 40)
        for user in ("quality", "sprite_learner"):
            patch.setattr(f"napari_channelmix.drl.{user}.Sprites", sprites_once)
        yield


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("plate")
    return synthetic_plate(wells=4, cells_per_well=6, side=128).save(folder)


@pytest.fixture(scope="module")
def cells(dataset):
    return open_dataset(dataset)


@pytest.fixture
def unparted(monkeypatch):
    """Leave out what separates the classes, which takes most of the time."""
    job = room.latents_job
    monkeypatch.setattr(room, "latents_job", lambda *a, **s: job(*a, **s, separate=False))


def run(dataset, out, *more):
    return main(["latents", str(dataset), "--out", str(out), "--device", "cpu", "--quiet", *more])


def said_in(out):
    return json.loads((out / "latents.json").read_text("utf-8"))


# ---------------------------------------------------------------- what is written


@pytest.mark.usefixtures("quick_learners")
def test_the_files_are_those_of_the_python_function(dataset, cells, tmp_path, capsys):
    out = tmp_path / "new" / "folder"
    assert main(["latents", str(dataset), "--out", str(out), "--device", "cpu"]) == 0
    shown = capsys.readouterr()
    found = latents(cells)
    assert {path.name for path in out.iterdir()} == FILES
    table = pd.read_csv(out / "latents.csv")
    np.testing.assert_allclose(table[list(found.names)], found.values, rtol=1e-4, atol=1e-5)
    said = said_in(out)
    assert set(said) >= FIELDS
    assert said["schema"] == "napari-channelmix/latents/1"
    assert said["n"] == len(cells)
    assert said["names"] == list(found.names)
    np.testing.assert_allclose(said["trust"], [one.value for one in found.trust], atol=1e-6)
    assert said["active"] == found.active.tolist()
    assert set(said["accuracy"]) == {"latents", "pixels_or_features", "features", "pixels"}
    about = said["provenance"]
    assert (about["name"], about["seed"]) == (cells.name, 0)
    assert (len(about["data"]), len(about["model"])) == (64, 64)
    assert about["settings"]["limit"] is about["settings"]["channel"] is None
    # The summary has every named latent with its badge, and accuracies beside those of features.
    assert "2 more latents have no name" in shown.out
    for one in (entry for entry in found.trust if entry.badge != "spare"):
        line = next(line for line in shown.out.splitlines() if line.startswith(f"{one.name}  "))
        assert line.endswith(f"{one.badge:<12}  {one.words}")
    assert "balanced accuracy on held-out cells (95 % interval); chance 0.500" in shown.out
    assert "\nlatents " in shown.out
    assert "\nhand-crafted " in shown.out
    assert f"saved latents.csv, traversals.png, latents.json in {out}" in shown.out


def test_quiet_says_nothing(dataset, tmp_path, unparted, capfd):
    assert run(dataset, tmp_path) == 0
    assert capfd.readouterr() == ("", "")


def test_a_limit_takes_cells_spread_over_the_set(dataset, cells, tmp_path, unparted):
    assert run(dataset, tmp_path, "--limit", "6", "--seed", "5") == 0
    wanted = cells.subset(chosen_cells(len(cells), 6, 5))
    table = pd.read_csv(tmp_path / "latents.csv")
    assert table["object"].tolist() == wanted.table["object"].tolist()
    assert table["group"].tolist() == wanted.groups.tolist()
    said = said_in(tmp_path)
    assert said["n"] == 6
    assert said["provenance"]["settings"]["limit"] == 6


def test_one_channel_alone_is_looked_at(dataset, tmp_path, unparted):
    assert run(dataset, tmp_path, "--channel", "DNA") == 0
    said = said_in(tmp_path)
    assert said["preparation"]["view"]["channels"] == ["DNA"]
    assert said["provenance"]["settings"]["channel"] == "DNA"
    assert "feature: DNA mean" in pd.read_csv(tmp_path / "latents.csv")


def test_a_model_may_be_a_file(dataset, tmp_path, unparted):
    of = load_disentangler("texture-sprites")
    file = save_disentangler(of, tmp_path / "mine.safetensors")
    assert run(dataset, tmp_path / "out", "--model", str(file)) == 0
    assert said_in(tmp_path / "out")["metrics"] == of.about.get("card", {})


# ---------------------------------------------------------------- fine-tuned weights


@pytest.fixture(scope="module")
def tuned(dataset, tmp_path_factory):
    """A folder with weights that were fine-tuned for two epochs on eight cells."""
    out = tmp_path_factory.mktemp("tuned")
    assert run(dataset, out, "--finetune", "2", "--limit", "8") == 0
    return out


@pytest.fixture
def again(tuned, tmp_path):
    return shutil.copytree(tuned, tmp_path / "again")


@pytest.fixture
def no_tuning(monkeypatch):
    def refused(*_, **__):
        raise AssertionError("fine-tuned once more")

    monkeypatch.setattr(room, "finetune_job", refused)


def test_fine_tuned_weights_are_kept_and_taken_up_by_a_second_run(
    dataset, tuned, again, no_tuning, capsys
):
    kept = load_disentangler(again / "finetuned.safetensors")
    assert kept.about["finetuned"]["epochs"] == 2
    arguments = [
        "latents",
        str(dataset),
        "--out",
        str(again),
        "--device",
        "cpu",
        "--finetune",
        "2",
        "--limit",
        "8",
    ]
    assert main(arguments) == 0
    shown = capsys.readouterr().out
    assert f"fine-tuned weights were taken from {again / 'finetuned.safetensors'}" in shown
    assert "encoded with texture-sprites, fine-tuned for 2 epochs" in shown
    assert f"latents.json, finetuned.safetensors in {again}" in shown
    for name in ("latents.csv", "finetuned.safetensors"):
        assert (again / name).read_bytes() == (tuned / name).read_bytes()
    one, other = said_in(tuned), said_in(again)
    for said in (one, other):
        del said["provenance"]["made"]
    assert one == other


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--finetune", "3", "--limit", "8"], "made with --finetune 2 instead of 3"),
        (["--limit", "8"], "made with --finetune 2 instead of 0"),
        (["--finetune", "2", "--limit", "8", "--seed", "1"], "made with --seed 0 instead of 1"),
        (["--finetune", "2", "--limit", "9"], "made with --limit 8 instead of 9"),
        (
            ["--finetune", "2", "--limit", "8", "--channel", "DNA"],
            "made with --channel None instead of DNA",
        ),
    ],
)
def test_weights_of_another_fine_tuning_are_never_mixed(
    dataset, again, no_tuning, more, says, capsys
):
    before = {path: path.read_bytes() for path in again.iterdir()}
    assert run(dataset, again, *more) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.endswith("choose another folder, or delete this file\n")
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in again.iterdir()} == before


def test_weights_of_other_cells_without_their_result_are_never_mixed(
    dataset, again, no_tuning, capsys
):
    (again / "latents.json").unlink()
    assert run(dataset, again, "--finetune", "2", "--limit", "9") == 2
    assert "made with other cells, or another view of them" in capsys.readouterr().err


@pytest.fixture(scope="module")
def plain(dataset, tmp_path_factory):
    """A folder with a result of eight cells."""
    out = tmp_path_factory.mktemp("plain")
    job = room.latents_job
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "latents_job", lambda *a, **s: job(*a, **s, separate=False))
        assert run(dataset, out, "--limit", "8") == 0
    return out


def test_drawings_of_other_steps_are_never_mixed(dataset, plain, tmp_path, capsys):
    content = said_in(plain)
    content["provenance"]["settings"] |= {"drawing": "residual", "drawing_steps": 200}
    (tmp_path / "latents.json").write_text(json.dumps(content), "utf-8")
    residual = ["--limit", "8", "--drawing", "residual"]
    assert run(dataset, tmp_path, *residual, "--drawing-steps", "300") == 2
    assert "made with --drawing-steps 200 instead of 300;" in capsys.readouterr().err
    assert run(dataset, tmp_path, "--limit", "8") == 2
    assert "made with --drawing residual instead of named" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--limit", "9"], "made with --limit 8 instead of 9;"),
        (["--limit", "8", "--channel", "DNA"], "made with --channel None instead of DNA;"),
        (["--limit", "8", "--seed", "1"], "made with --seed 0 instead of 1"),
        (["--limit", "8", "--finetune", "1"], "made with --finetune 0 instead of 1;"),
        (["--limit", "8", "--pixels"], "made with --pixels False instead of True;"),
        (["--limit", "8", "--channel", "DNA", "--model", "cell-sprites"], "with another model"),
    ],
)
def test_another_result_is_never_written_over(dataset, plain, more, says, capsys):
    before = {path: path.read_bytes() for path in plain.iterdir()}
    assert run(dataset, plain, *more) == 2
    said = capsys.readouterr().err
    assert said.startswith("napari-channelmix: ")
    assert f"{plain / 'latents.json'} was made with" in said
    assert says in said
    assert said.endswith("choose another folder, or delete this file\n")
    assert said.count("\n") == 1
    assert {path: path.read_bytes() for path in plain.iterdir()} == before


def test_a_result_of_other_cells_is_never_written_over(plain, tmp_path, capsys):
    other = synthetic_plate(wells=4, cells_per_well=6, side=128, seed=3).save(tmp_path / "plate")
    assert run(other, plain, "--limit", "8") == 2
    assert "latents.json was made with other cells; choose" in capsys.readouterr().err


def test_the_same_run_may_write_over_its_result(dataset, plain, unparted):
    before = (plain / "latents.csv").read_bytes()
    (plain / "latents.csv").unlink()
    assert run(dataset, plain, "--limit", "8") == 0
    assert (plain / "latents.csv").read_bytes() == before


@pytest.mark.parametrize("content", ["mine", "{}", "[]", '{"provenance": {"settings": 3}}'])
def test_a_file_of_that_name_from_elsewhere_is_refused(dataset, tmp_path, content, capsys):
    (tmp_path / "latents.json").write_text(content, "utf-8")
    assert run(dataset, tmp_path) == 2
    assert "latents.json was not made by this command" in capsys.readouterr().err
    assert (tmp_path / "latents.json").read_text("utf-8") == content


def test_weights_of_another_model_are_never_mixed(dataset, again, tmp_path, capsys):
    of = load_disentangler(again / "finetuned.safetensors")
    other = save_disentangler(of, tmp_path / "other.safetensors")
    assert run(dataset, again, "--finetune", "2", "--limit", "8", "--model", str(other)) == 2
    assert "made with another model; choose another folder" in capsys.readouterr().err


def test_weights_that_are_damaged_or_from_elsewhere_are_refused(dataset, again, capsys):
    kept = again / "finetuned.safetensors"
    arguments = ("--finetune", "2", "--limit", "8")
    content = bytearray(kept.read_bytes())
    content[-1] ^= 1
    kept.write_bytes(content)
    assert run(dataset, again, *arguments) == 2
    assert "altered after it was saved (its hash differs); choose" in capsys.readouterr().err
    save_disentangler(load_disentangler(), kept)
    assert run(dataset, again, *arguments) == 2
    assert "was not made by this command" in capsys.readouterr().err


def failed_job(source, pictures, **_):
    yield Progress(1, 1, "tuning")
    return Finetuned(source, "fine-tuning diverged; the source weights are kept")


def test_fine_tuning_that_fails_keeps_no_weights_and_says_so_even_quietly(
    dataset, tmp_path, unparted, monkeypatch, capsys
):
    monkeypatch.setattr(room, "finetune_job", failed_job)
    assert run(dataset, tmp_path, "--finetune", "2", "--limit", "6") == 0
    assert "fine-tuning diverged; the source weights are kept" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} == FILES
    said = said_in(tmp_path)
    assert said["finetuned"] is None
    assert "fine-tuning diverged; the source weights are kept" in said["warnings"]


# ---------------------------------------------------------------- bad input, Ctrl-C


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.toml", "--out", "o"], "nowhere.toml: no such file"),
        (["nowhere.toml"], "required: --out"),
        (["nowhere.toml", "--out", "o", "--model", "dogs"], "there is no encoder 'dogs'"),
        (["nowhere.toml", "--out", "o", "--model", "m.safetensors"], "no such file"),
        (
            ["x.toml", "--out", "o", "--finetune", "many"],
            "epochs of fine-tuning must be a whole number, not 'many'",
        ),
    ],
)
def test_bad_arguments_are_one_line_and_status_2(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    try:
        status = main(["latents", *arguments])
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr().err
    assert status == 2
    assert says in said
    assert said.count("\n") == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--finetune", "-1"], "epochs of fine-tuning must be 0 or more, not -1"),
        (["--limit", "0"], "limit must be 1 or more, not 0"),
        (["--channel", "RNA"], "has no channel 'RNA'; it has DNA, reporter"),
        (["--device", "cuda"], "device 'cuda' cannot be used"),
    ],
)
def test_settings_that_do_not_fit_are_one_line_and_write_nothing(
    dataset, tmp_path, more, says, capsys, monkeypatch
):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    arguments = ["latents", str(dataset), "--out", str(tmp_path / "o"), "--quiet", *more]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "o").exists()


def test_an_out_that_is_a_file_is_refused_at_once(dataset, tmp_path, capsys):
    (tmp_path / "o").write_text("mine")
    assert run(dataset, tmp_path / "o") == 2
    assert "is a file; name a folder" in capsys.readouterr().err
    assert (tmp_path / "o").read_text() == "mine"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_ctrl_c_stops_with_130_and_keeps_what_was_fine_tuned(dataset, tmp_path):
    command = [
        sys.executable,
        "-m",
        "napari_channelmix.run.cli",
        "latents",
        str(dataset),
        "--out",
        str(tmp_path),
        "--finetune",
        "1",
        "--limit",
        "8",
    ]
    child = subprocess.Popen(
        command, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    until = time.monotonic() + 120
    kept = tmp_path / "finetuned.safetensors"
    while not kept.exists() and child.poll() is None and time.monotonic() < until:
        time.sleep(0.02)
    # While safetensors reads the file back, it makes an error of its own of Ctrl-C.
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 130, said.decode()
    last = said.decode().replace("\r", "\n").strip().splitlines()[-1]
    assert last == "napari-channelmix: stopped; the same command goes on from what was finished"
    assert {path.name for path in tmp_path.iterdir()} == {"finetuned.safetensors", room.PARTS}


def test_fine_tuning_that_was_stopped_is_gone_on_from(cells, tmp_path, unparted):
    asked, stages = LatentsSettings(finetune=3), []
    job = encode_cells_job(load_disentangler(), cells, tmp_path, asked, device="cpu")
    for step in job:
        if step.metrics.get("epoch") == 2:
            break
    job.close()
    assert {path.name for path in tmp_path.iterdir()} == {"finetuned.partial", room.PARTS}
    again = encode_cells_job(load_disentangler(), cells, tmp_path, asked, device="cpu")
    drain(again, lambda step: stages.append(step.stage))
    assert "picking up where it stopped" in stages
    assert {path.name for path in tmp_path.iterdir()} == FILES | {"finetuned.safetensors"}


# ---------------------------------------------------------------- the job


def test_progress_never_goes_back_and_the_job_can_be_closed(cells, tmp_path, unparted):
    source = load_disentangler()
    settings = LatentsSettings(finetune=2, limit=8)
    done = []
    found = drain(
        encode_cells_job(source, cells, tmp_path / "a", settings, device="cpu"),
        lambda step: done.append(step.fraction),
    )
    assert done == sorted(done)
    assert 0.9 < done[-1] <= 1
    assert [path.name for path in found.files] == [
        "latents.csv",
        "traversals.png",
        "latents.json",
        "finetuned.safetensors",
    ]
    assert all(path.exists() for path in found.files)
    assert not found.reused
    job = encode_cells_job(source, cells, tmp_path / "b", settings, device="cpu")
    for _ in range(10):
        next(job)
    job.close()
    assert not (tmp_path / "b").exists()


def test_the_summary_says_how_the_cells_were_encoded_and_what_to_beware_of(cells, tmp_path):
    some = cells.subset(range(8))
    found = latents(some, separate=False)
    text = latents_text(found).splitlines()
    assert text[0] == (
        "8 cells (DNA, reporter, look-alike, stress) encoded with texture-sprites, "
        "as trained on sprites"
    )
    assert [line for line in text if line.startswith("note: ")] == [
        f"note: {line}" for line in found.warnings
    ]
    assert not any("balanced accuracy" in line for line in text)


PANEL = ("DAPI", "CD3", "CD4", "CD8", "CD20", "CD45", "FOXP3", "SMA")


@pytest.fixture(scope="module")
def panel(cells, tmp_path_factory):
    """Cells with eight channels."""
    crops = np.repeat(cells.read(), 4, axis=1)[:, : len(PANEL)]
    many = Cells.from_array(crops, PANEL, groups=cells.groups, name="panel")
    return many.save(tmp_path_factory.mktemp("panel"))


def test_too_many_colours_are_one_line_before_anything_is_learnt(
    panel, tmp_path, capsys, monkeypatch
):
    def learning(*args, **more):
        raise AssertionError("it was learnt first")

    monkeypatch.setattr("napari_channelmix.drl.source_encoder.feature_disentangler_job", learning)
    for more in ([], ["--features", "efficientnet-lite0"]):
        assert run(panel, tmp_path / "out", *more) == 2
        text = capsys.readouterr().err
        assert "colours can be told apart" in text and "--sum membrane" in text
        assert text.count("\n") == 1


def test_another_seed_is_refused_before_an_encoder_of_features_is_learnt(
    cells, tmp_path, monkeypatch
):
    def learning(*args, **more):
        raise AssertionError("it was learnt first")

    monkeypatch.setattr("napari_channelmix.drl.source_encoder.feature_disentangler_job", learning)
    out = tmp_path / "out"
    out.mkdir()
    made = {"finetune": 0, "features": "efficientnet-lite0", "channel": None, "limit": None}
    facts = {"versions": {"napari-channelmix": package_version("napari-channelmix")}}
    facts |= {"model": "m", "seed": 0, "data": "d", "settings": made}
    (out / "latents.json").write_text(json.dumps({"provenance": facts}), "utf-8")
    settings = LatentsSettings(features="efficientnet-lite0", seed=1)
    with pytest.raises(DataError, match="was made with --seed 0 instead of 1"):
        drain(encode_cells_job(None, cells, out, settings))


@pytest.mark.usefixtures("unparted")
def test_a_sum_of_channels_is_looked_at_and_kept_with_the_result(panel, tmp_path, capsys):
    out = tmp_path / "out"
    asked = ("--model", "cell-sprites", "--limit", "6", "--sum")
    assert run(panel, out, *asked, "CD*") == 0
    record = json.loads((out / "latents.json").read_text("utf-8"))
    assert record["provenance"]["settings"]["sum"] == "CD*"
    assert record["provenance"]["settings"]["view"]["channels"] == list(PANEL[1:6])
    assert run(panel, out, *asked, "CD3,CD4") == 2
    assert "--sum CD* instead of CD3,CD4" in capsys.readouterr().err
    assert run(panel, out, *asked, "CD3", "--channel", "CD4") == 2
    assert "leave one of them out" in capsys.readouterr().err
