"""What-if of a data set: resumed where it stopped, and never in the folder of another run."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import napari_channelmix as cm
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.data import Cells
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.report.what_if_figure import what_if_figure
from napari_channelmix.run.cli import main
from napari_channelmix.run.what_if_dataset import what_if_cells, what_if_cells_job, what_if_text
from napari_channelmix.settings import WhatIfSettings
from napari_channelmix.whatif import what_if_task
from napari_channelmix.whatif.result import WhatIf

SETTINGS = WhatIfSettings(axes=("DNA brightness",), limit=6, steps=3, compare_scopes=False)


@pytest.fixture(scope="module")
def plate():
    return synthetic_plate(wells=6, cells_per_well=4, side=96, crop=16)


@pytest.fixture(scope="module")
def model(plate):
    return cm.train_classifier(plate.cells, network="tiny", epochs=1, device="cpu")


@pytest.fixture
def blocks_of_four(monkeypatch):
    """Several blocks, though the cells are few."""
    monkeypatch.setattr(what_if_task, "BLOCK", 4)


def test_the_folder_holds_what_what_if_answers(plate, model, tmp_path):
    kept = what_if_cells(model, plate.cells, tmp_path / "out", settings=SETTINGS)
    assert kept.worked
    names = {path.name for path in kept.files}
    assert {"whatif.json", "curves.csv", "flips.csv", "smallest.csv", "whatif.png"} <= names
    assert all(path.stat().st_size for path in kept.files)
    assert not (tmp_path / "out" / "parts").exists()
    read = WhatIf.read(tmp_path / "out" / "whatif.json")
    direct = cm.what_if(model, plate.cells, settings=SETTINGS)
    pd.testing.assert_frame_equal(read.flips, direct.flips, check_dtype=False)
    pd.testing.assert_frame_equal(read.smallest, direct.smallest, check_dtype=False)
    assert what_if_text(read).startswith(f"{read.n} cells of ")
    again = what_if_cells(model, plate.cells, tmp_path / "out", settings=SETTINGS)
    assert not again.worked and again.result.n == read.n


def test_a_run_that_was_stopped_goes_on_with_the_blocks_that_are_missing(
    plate, model, tmp_path, blocks_of_four, monkeypatch
):
    out, parts = tmp_path / "out", tmp_path / "out" / "parts"
    job = what_if_cells_job(model, plate.cells, out, SETTINGS)
    for _ in job:
        if len(list(parts.glob("*.npz"))) == 2:
            break
    job.close()
    done = sorted(parts.glob("*.npz"))
    assert len(done) == 2 and not (out / "whatif.json").exists()
    # One of them is damaged meanwhile.
    done[0].write_bytes(b"nothing")
    asked = []
    own = what_if_task.answer_chunk_job

    def counted(task, positions):
        asked.append(len(positions))
        return own(task, positions)

    monkeypatch.setattr("napari_channelmix.run.what_if_dataset.answer_chunk_job", counted)
    kept = what_if_cells(model, plate.cells, out, settings=SETTINGS)
    whole = cm.what_if(model, plate.cells, settings=SETTINGS)
    assert sum(asked) == whole.n - 4
    pd.testing.assert_frame_equal(kept.result.flips, whole.flips)
    pd.testing.assert_frame_equal(kept.result.smallest, whole.smallest)
    pd.testing.assert_frame_equal(kept.result.curves, whole.curves)


def test_another_run_is_refused_in_a_folder_that_is_begun_or_done(
    plate, model, tmp_path, blocks_of_four
):
    begun, done = tmp_path / "begun", tmp_path / "done"
    job = what_if_cells_job(model, plate.cells, begun, SETTINGS)
    for _ in job:
        if list((begun / "parts").glob("*.npz")):
            break
    job.close()
    what_if_cells(model, plate.cells, done, settings=SETTINGS)
    other = replace(SETTINGS, steps=5)
    with pytest.raises(DataError, match="settings"):
        what_if_cells(model, plate.cells, begun, settings=other)
    with pytest.raises(DataError, match="was made with other settings; choose another folder"):
        what_if_cells(model, plate.cells, done, settings=other)
    untrained = cm.train_classifier(plate.cells, network="tiny", epochs=1, seed=5, device="cpu")
    for folder in (begun, done):
        with pytest.raises(DataError, match="another model"):
            what_if_cells(untrained, plate.cells, folder, settings=SETTINGS)
    # Where it is computed, and what is asked beside, is of no account.
    beside = what_if_cells(
        model, plate.cells, done, settings=replace(SETTINGS, retries=1), channels=True
    )
    assert beside.worked and (done / "channels.csv").exists()
    (done / "whatif.json").write_text("{}")
    with pytest.raises(DataError, match="was not made by this command"):
        what_if_cells(model, plate.cells, done, settings=SETTINGS)


def test_the_command_writes_the_folder_and_goes_on(plate, model, tmp_path, capsys):
    data = plate.save(tmp_path / "plate")
    model.save(tmp_path / "m.cmx")
    line = ["whatif", str(data), "--model", str(tmp_path / "m.cmx"), "--out", str(tmp_path / "o")]
    line += ["--axes", "DNA brightness", "size", "--limit", "4", "--steps", "3", "--transplants"]
    assert main(line) == 0
    told = capsys.readouterr().out
    assert "were edited" in told and "saved whatif.json" in told
    content = json.loads((tmp_path / "o" / "whatif.json").read_text(encoding="utf-8"))
    assert content["schema"] == "napari-channelmix/whatif/1" and content["provenance"]["model"]
    axes = set(pd.read_csv(tmp_path / "o" / "flips.csv")["axis"])
    assert {"DNA brightness", "size", "resampling"} <= axes
    transplants = pd.read_csv(tmp_path / "o" / "transplants.csv")
    assert {"part", "from_class", "to_class", "share", "sham"} <= set(transplants.columns)
    about = json.loads((tmp_path / "o" / "transplants.json").read_text(encoding="utf-8"))
    assert about["provenance"]["prior"]["kind"] == "balanced"
    assert main(line) == 0
    assert "nothing left to do" in capsys.readouterr().out
    assert main([*line[:5], str(tmp_path / "p"), "--axes", "nothing", "--quiet"]) == 2
    assert "there is no axis 'nothing'" in capsys.readouterr().err


def test_transplants_that_cannot_be_made_take_nothing_from_the_rest(plate, model, tmp_path, capsys):
    # All cells are predicted as one class: there is no donor.
    always = dict(zip(model.classes, (1 - 1e-6, 1e-6), strict=True))
    settings = replace(SETTINGS, prior=always, smallest=False)
    out = tmp_path / "o"
    kept = what_if_cells(
        model, plate.cells, out, settings=settings, transplants=True, channels=True
    )
    assert len(kept.left_out) == 1 and "no cell of another class" in kept.left_out[0]
    assert kept.left_out[0].startswith("transplants are left out: ")
    assert (out / "whatif.json").exists() and (out / "channels.json").exists()
    assert not (out / "transplants.json").exists()
    again = what_if_cells(model, plate.cells, out, settings=settings, transplants=True)
    assert not again.worked and again.left_out == kept.left_out
    data = plate.save(tmp_path / "plate")
    model.save(tmp_path / "m.cmx")
    line = ["whatif", str(data), "--model", str(tmp_path / "m.cmx"), "--out", str(tmp_path / "p")]
    line += ["--axes", "DNA brightness", "--limit", "4", "--steps", "3", "--transplants"]
    shares = [f"{name}={share}" for name, share in always.items()]
    assert main([*line, "--prior", *shares]) == 0
    assert "note: transplants are left out: " in capsys.readouterr().out


def test_transplants_and_channels_are_asked_with_the_prior_that_was_named(plate, model, tmp_path):
    # So near to equal that both classes are predicted.
    named = dict(zip(model.classes, (0.52, 0.48), strict=True))
    settings = replace(SETTINGS, prior=named, smallest=False)
    out = tmp_path / "o"
    what_if_cells(model, plate.cells, out, settings=settings, transplants=True, channels=True)
    for name in ("whatif", "transplants", "channels"):
        about = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))["provenance"]
        assert about["prior"]["shares"] == pytest.approx(named), name


def _from(crops, plate, names):
    return Cells.from_array(crops, plate.cells.channels, names, plate.cells.classes)


def test_pixels_that_changed_since_are_other_cells(plate, model, tmp_path):
    crops, labels = plate.cells.read(), plate.cells.labels
    names = [plate.cells.classes[code] for code in labels]
    what_if_cells(model, _from(crops, plate, names), tmp_path / "o", settings=SETTINGS)
    edited = WhatIf.read(tmp_path / "o" / "whatif.json").smallest["cell"]
    crops[edited.iloc[-1]] += 1
    with pytest.raises(DataError, match="other pixels"):
        what_if_cells(model, _from(crops, plate, names), tmp_path / "o", settings=SETTINGS)


def test_the_audit_is_written_as_a_card(plate, model, tmp_path, capsys):
    data = plate.save(tmp_path / "plate")
    model.save(tmp_path / "m.cmx")
    out = tmp_path / "audit.json"
    line = ["audit", str(data), "--model", str(tmp_path / "m.cmx"), "--out", str(out)]
    assert main([*line, "--limit", "8"]) == 0
    card = json.loads(out.read_text(encoding="utf-8"))
    assert card["schema"].startswith("napari-channelmix/audit/") and card["checks"]
    told = capsys.readouterr().out
    assert all(check["line"] in told for check in card["checks"])
    assert main([*line[:-1], str(tmp_path)]) == 2
    assert "name a file" in capsys.readouterr().err


def test_the_picture_has_a_matrix_and_a_curve_of_each_axis_that_moves_the_decision(plate):
    # Bright nuclei are of the second class: nothing but their brightness decides.
    cells = plate.cells
    place = cells.channels.index("DNA")
    level = float(np.median(cells.read(slice(0, 24))[:, place].mean((1, 2))))

    def predict(crops):
        odds = (crops[:, place].mean((1, 2)) - level) / (0.02 * level)
        second = 1 / (1 + np.exp(-np.clip(odds, -30, 30)))
        return np.stack([1 - second, second], axis=1)

    count = len(cells.channels)
    model = ForeignClassifier(
        predict,
        cells.channels,
        ("dim", "bright"),
        np.zeros(count),
        np.ones(count),
        "probabilities",
        "a rule",
    )
    settings = replace(SETTINGS, axes=("DNA brightness", "size"), steps=5, only="all", limit=12)
    result = cm.what_if(model, cells, settings=settings)
    figure = what_if_figure(result)
    titles = [axes.get_title() for part in figure.subfigs for axes in part.axes]
    moves = set(result.moves["axis"])
    assert {title.split("\n")[0] for title in titles if title} == moves
    matrix = figure.subfigs[0].axes[0]
    labels = [label.get_text() for label in matrix.get_xticklabels()]
    assert labels[:2] == ["DNA brightness", "size"] and "resampling" in labels
    share = result.matrix().loc["dim", "DNA brightness"]
    assert f"{100 * share:.0f}" in {text.get_text() for text in matrix.texts}


def test_a_job_over_cells_and_a_scheduler_at_once_is_refused(plate, model, tmp_path):
    settings = replace(SETTINGS, workers=2, scheduler="tcp://localhost:1")
    with pytest.raises(ModelError):
        drain(what_if_cells_job(model, plate.cells, tmp_path / "o", settings))


def test_groups_of_a_panel_table_are_players(plate, model, tmp_path, capsys):
    data = plate.save(tmp_path / "plate")
    model.save(tmp_path / "m.cmx")
    table = tmp_path / "panel.csv"
    names = model.channels
    line = ["whatif", str(data), "--model", str(tmp_path / "m.cmx"), "--out", str(tmp_path / "o")]
    line += ["--axes", "DNA brightness", "--limit", "4", "--steps", "3", "--players", str(table)]
    table.write_text(f"channel,group\n{names[0]},\n", "utf-8")
    assert main(line) == 2
    assert "no channel has a group" in capsys.readouterr().err
    table.write_text(f"channel,group\n{names[0]},x\nCD99,x\n", "utf-8")
    assert main(line) == 2
    assert "group 'x' names the channel 'CD99'" in capsys.readouterr().err
    rows = "\n".join(f"{name},rest" for name in names[1:])
    table.write_text(f"channel,group\n{names[0]},\n{rows}\n", "utf-8")
    assert main(line) == 0
    assert "this classifier owes to" in capsys.readouterr().out
    content = json.loads((tmp_path / "o" / "channels.json").read_text("utf-8"))
    assert content["channels"] == [names[0], "rest"]
    assert (tmp_path / "o" / "channel_effects.csv").exists()
