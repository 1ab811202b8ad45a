"""A whole data set is explained chunk by chunk, goes on where it stopped, and never mixes maps."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
import zarr

from napari_channelmix import Cells, explain, load_model
from napari_channelmix.classify import Classifier, ForeignClassifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import ChannelMixError, DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.pcim import BASELINES, explain_job
from napari_channelmix.pcim.references import REPORTED
from napari_channelmix.run import explain_dataset as explaining
from napari_channelmix.run import explain_report, explain_run, explain_tasks
from napari_channelmix.run.cli import main
from napari_channelmix.run.explain_dataset import ExplainSettings, chosen_cells, explain_cells_job
from napari_channelmix.run.text import explanation_text

# What users of explain.json may count on.
FIELDS = {
    "schema",
    "provenance",
    "n",
    "method",
    "mode",
    "target",
    "classes",
    "seconds_per_cell",
    "warnings",
    "probabilities",
    "cells",
}
CHUNK = 4


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    for module in (explain_run, explaining):
        monkeypatch.setattr(module, "CHUNK", CHUNK)


def made_classifier(seed=0, channels=("DNA", "GFP")):
    spec = NetworkSpec("tiny", 2, 2)
    return Classifier(
        spec.build(seed).eval(), spec, channels, ("a", "b"), np.zeros(2), np.ones(2), 12
    )


@pytest.fixture
def classifier():
    return made_classifier()


@pytest.fixture
def cells():
    crops = np.random.default_rng(0).normal(size=(10, 2, 12, 12)).astype(np.float32)
    labels = [0, 1, -1, 0, 1, 0, 1, 0, 1, 0]
    return Cells.from_array(crops, ["DNA", "GFP"], labels, ["a", "b"], [f"w{i}" for i in range(10)])


def run(model, cells, out, **asked):
    job = explain_cells_job(model, cells, out, ExplainSettings(**asked), device="cpu")
    return drain(job)


def maps_in(out, name="maps"):
    return zarr.open_array(out / f"{name}.zarr", mode="r")[:]


def everything_in(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


class Watched:
    """`explain_job`, with the sizes of what it was asked, stopped by Ctrl-C where it is told."""

    def __init__(self, stop_at=None):
        self.asked, self.stop_at = [], stop_at

    def __call__(self, model, cells, target, method, *more, **options):
        if len(self.asked) == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append((method, len(cells)))
        return explain_job(model, cells, target, method, *more, **options)


@pytest.fixture
def watched(monkeypatch):
    def watch(stop_at=None):
        one = Watched(stop_at)
        monkeypatch.setattr(explain_tasks, "explain_job", one)
        return one

    return watch


# ---------------------------------------------------------------- what is written


def test_what_is_known_against_a_cell_stands_with_its_map(classifier, cells, tmp_path):
    found = run(classifier, cells, tmp_path, limit=4)
    content = found.content
    # These cells are noise, and the network was never trained: its calls are close.
    assert content["doubts"] == [["its pixels have no structure, like noise"]] * 4
    margins = np.abs(np.diff(content["probabilities"], axis=1))[:, 0]
    close = (margins < 0.2).tolist()
    assert any(close)
    assert [bool(lines) for lines in content["caveats"]] == close
    assert sum("no structure" in line for line in content["warnings"]) == 1
    assert sum("close to undecided" in line for line in content["warnings"]) == 1
    table = pd.read_csv(tmp_path / "cells.csv", keep_default_na=False)
    assert table["doubts"].tolist() == ["; ".join(lines) for lines in content["doubts"]]
    assert table["caveats"].str.contains("close to undecided").tolist() == close


def test_maps_are_those_of_explain_and_the_report_says_what_they_are(classifier, cells, tmp_path):
    found = run(classifier, cells, tmp_path)
    wanted = explain(classifier, cells, device="cpu")
    array = zarr.open_array(tmp_path / "maps.zarr", mode="r")
    assert array.shape == (10, 12, 12)
    assert array.chunks == (CHUNK, 12, 12)
    assert array.dtype == np.float32
    assert array.metadata.zarr_format == 3
    assert array.metadata.dimension_names == ("cell", "y", "x")
    np.testing.assert_allclose(array[:], wanted.maps, rtol=1e-3, atol=1e-3)
    kept = maps_in(tmp_path, "magnitude")
    np.testing.assert_allclose(kept, wanted.magnitude, rtol=1e-3, atol=1e-3)
    content = json.loads((tmp_path / "explain.json").read_text("utf-8"))
    assert content == found.content
    assert set(content) >= FIELDS
    assert content["schema"] == "napari-channelmix/explain/1"
    assert (content["n"], content["method"], content["mode"]) == (10, "pcim", "autograd")
    assert content["target"] == wanted.target.tolist() == content["predicted"]
    assert content["classes"] == ["a", "b"]
    np.testing.assert_allclose(content["probabilities"], wanted.probabilities, atol=1e-5)
    assert content["cells"]["index"] == list(range(10))
    assert content["cells"]["label"] == ["a", "b", None, "a", "b", "a", "b", "a", "b", "a"]
    assert content["cells"]["group"] == [f"w{i}" for i in range(10)]
    assert content["seconds_per_cell"] > 0
    assert "scores" not in content
    assert (tmp_path / "explain.png").read_bytes().startswith(b"\x89PNG")
    assert not (tmp_path / "channel_maps.zarr").exists()


def test_where_the_evidence_lies_is_counted_for_every_map_with_an_outline(tmp_path):
    # No channel is named as one of nuclei: the outlines are those of cells.
    classifier = made_classifier(channels=("RFP", "GFP"))
    rng = np.random.default_rng(0)
    labels = np.zeros((40, 120), np.int32)
    for number in range(6):
        labels[10:16, 8 + 20 * number : 14 + 20 * number] = number + 1
    planes = [rng.random((40, 120)).astype(np.float32) + (labels > 0) for _ in range(2)]
    cells = Cells.from_labels(planes, ["RFP", "GFP"], labels, crop=12)
    content = run(classifier, cells, tmp_path).content
    shares = content["evidence_shares"]
    assert shares["outline"] == ["label"] * 6 and shares["margin"] == 2.0
    # 6 x 6 pixels with a margin of 2 pixels, its corners round.
    assert shares["areas"][0][0] == pytest.approx((100 - 4 * 3) / 144, abs=0.03)
    own = np.zeros((12, 12), bool)
    y0, x0 = cells.boxes[2][:2]
    own[10 - y0 : 16 - y0, 48 - x0 : 54 - x0] = True
    from scipy.ndimage import distance_transform_edt

    size = np.abs(maps_in(tmp_path)[2])
    expected = size[distance_transform_edt(~own) <= 2].sum() / size.sum()
    assert shares["evidence"][2][0] == pytest.approx(expected, abs=1e-4)
    assert all(sum(row) == pytest.approx(1, abs=1e-3) for row in shares["magnitude"])
    table = pd.read_csv(tmp_path / "cells.csv")
    assert table["evidence in cell"].tolist() == [row[0] for row in shares["evidence"]]
    assert table["magnitude in background"].tolist() == [row[2] for row in shares["magnitude"]]
    assert table["cell area"].tolist() == [row[0] for row in shares["areas"]]
    assert shares["line"].startswith("evidence for or against the class: on average ")
    assert shares["line"] not in content["warnings"]
    # A run that goes on with chunks of an earlier version, which did not count, says what it knows.
    part = tmp_path / "parts" / "00000.json"
    kept = json.loads(part.read_text("utf-8"))
    del kept["shares"]
    part.write_text(json.dumps(kept), "utf-8")
    (tmp_path / "explain.json").unlink()
    again = run(classifier, cells, tmp_path).content["evidence_shares"]
    assert again["evidence"][:4] == [None] * 4 and again["evidence"][4:] == shares["evidence"][4:]
    assert pd.read_csv(tmp_path / "cells.csv")["evidence in cell"].isna().sum() == 4


def test_separate_channels_and_errors_have_arrays_of_their_own(classifier, cells, tmp_path):
    asked = {"method": "blackbox", "channels": "separate", "forwards": 40}
    found = run(classifier, cells, tmp_path, **asked)
    wanted = explain(classifier, cells, device="cpu", **asked)
    close = {"rtol": 1e-3, "atol": 1e-3}
    np.testing.assert_allclose(maps_in(tmp_path, "channel_maps"), wanted.channel_maps, **close)
    np.testing.assert_allclose(maps_in(tmp_path, "standard_error"), wanted.standard_error, **close)
    assert maps_in(tmp_path, "channel_maps").shape == (10, 2, 12, 12)
    assert {path.name for path in found.files} == {
        "maps.zarr",
        "magnitude.zarr",
        "channel_maps.zarr",
        "standard_error.zarr",
        "cells.csv",
        "explain.json",
        "explain.png",
    }


def test_scores_are_those_of_each_method_on_the_same_cells(classifier, cells, tmp_path):
    pytest.importorskip("captum")
    content = run(classifier, cells, tmp_path, score=True).content
    assert set(content["scores"]) == {"pcim", *BASELINES}
    for method in ("pcim", "saliency"):
        wanted = explain(classifier, cells, method=method, device="cpu").scores(per_cell=True)
        for name in ("srg", "insertion", "deletion"):
            each = content["scores_per_cell"][method][name]
            np.testing.assert_allclose(each, wanted[name], atol=2e-3)
            assert content["scores"][method][name] == pytest.approx(np.mean(each))
        # Ten cells have no pool, so there are no other cells.
        on_each = content["scores"][method]["by_reference"]
        assert tuple(on_each) == REPORTED
        for kind, entry in on_each.items():
            values = content["scores_per_cell"][method][f"srg on {kind}"]
            assert entry["srg"] == pytest.approx(np.mean(values))
            assert entry["low"] <= entry["srg"] <= entry["high"]
        mean = np.mean([entry["srg"] for entry in on_each.values()])
        assert mean == pytest.approx(content["scores"][method]["srg"], abs=1e-4)
    assert "SRG by what replaces removed pixels (10 cells" in explanation_text(content)


def test_scores_of_an_earlier_version_are_measured_anew(classifier, cells, tmp_path, watched):
    pytest.importorskip("captum")
    run(classifier, cells, tmp_path, score=True)
    (tmp_path / "explain.json").unlink()
    parts = sorted((tmp_path / "parts").glob("*saliency*.json"))
    assert parts
    for path in parts:
        content = json.loads(path.read_text("utf-8"))
        del content["by_reference"]
        path.write_text(json.dumps(content), "utf-8")
    again = watched()
    run(classifier, cells, tmp_path, score=True)
    assert [name for name, _ in again.asked] == ["saliency"] * len(parts)


def test_targets_and_other_classes_reach_the_maps_and_the_scores(classifier, cells, tmp_path):
    content = run(classifier, cells, tmp_path, target="b", versus="a", score=True).content
    assert content["target"] == [1] * 10
    assert content["versus"] == "a"
    wanted = explain(classifier, cells, "b", versus="a", device="cpu")
    np.testing.assert_allclose(maps_in(tmp_path), wanted.maps, rtol=1e-3, atol=1e-3)
    assert content["scores"]["pcim"]["srg"] == pytest.approx(wanted.scores()["srg"], abs=2e-3)


def test_a_limit_takes_cells_from_all_over_the_set(classifier, cells, tmp_path):
    content = run(classifier, cells, tmp_path, limit=5).content
    index = content["cells"]["index"]
    assert content["n"] == 5 == len(maps_in(tmp_path))
    wanted = explain(classifier, cells.subset(index), device="cpu")
    np.testing.assert_allclose(maps_in(tmp_path), wanted.maps, rtol=1e-3, atol=1e-3)
    assert content["cells"]["group"] == [f"w{i}" for i in index]


def test_warnings_name_cells_by_their_place_in_the_data_set(classifier, tmp_path):
    crops = np.random.default_rng(0).normal(size=(10, 2, 12, 12)).astype(np.float32)
    crops[7] = 1
    cells = Cells.from_array(crops, ["DNA", "GFP"])
    content = run(classifier, cells, tmp_path).content
    assert "cell 7 is constant: its map is empty" in content["warnings"]


def test_pixels_that_cannot_be_used_are_named_by_their_place_in_the_data_set(
    classifier, tmp_path, monkeypatch
):
    # Those that stand for the pixels of the data set are others.
    monkeypatch.setattr("napari_channelmix.data.cell_boxes.FINGERPRINTED", 2)
    crops = np.random.default_rng(0).normal(size=(10, 2, 12, 12)).astype(np.float32)
    at = 2
    cell = int(chosen_cells(10, 5)[at])
    assert cell not in (at, 0, 9)
    crops[cell, 0, 3, 3] = np.nan
    cells = Cells.from_array(crops, ["DNA", "GFP"])
    with pytest.raises(DataError, match=f"in cell {cell} "):
        run(classifier, cells, tmp_path / "out", limit=5)


def test_flat_maps_of_all_chunks_are_one_line_and_listed(classifier, tmp_path):
    cells = Cells.from_array(np.ones((CHUNK + 6, 2, 12, 12), np.float32), ["DNA", "GFP"])
    content = run(classifier, cells, tmp_path).content
    assert content["flat"] == {"constant": list(range(CHUNK + 6))}
    assert [line for line in content["warnings"] if "constant" in line] == [
        "10 of 10 cells (0, 1, 2, 3, 4, 5, 6, 7 and 2 more) are constant, and their maps are empty"
    ]


def test_warnings_that_go_on_and_on_are_counted():
    lists = [[f"cell {at}", "the same"] for at in range(40)]
    lines = explain_report._together(lists)
    assert lines[:3] == ["cell 0", "the same", "cell 1"]
    assert lines[-1] == "and 29 warnings more of this kind"


def test_labels_that_speak_against_a_model_are_said_first_unless_not_asked(tmp_path):
    crops = np.random.default_rng(0).normal(0, 1, (60, 2, 12, 12)).astype(np.float32)
    labels = np.arange(60) % 2
    crops[:, 0] += 3 * labels[:, None, None]
    cells = Cells.from_array(crops, ["DNA", "GFP"], labels, ["a", "b"])

    def predict(x):
        v = x[:, 1].mean(axis=(1, 2)) - 1.5
        return np.stack([-v, v], axis=1)

    model = ForeignClassifier(
        predict, ("DNA", "GFP"), ("a", "b"), np.zeros(2), np.ones(2), "logits", "mine"
    )
    asked = {"forwards": 20, "limit": 2}
    warnings = run(model, cells, tmp_path / "one", **asked).content["warnings"]
    assert "not clearly better than chance (0.50): a balanced accuracy of 0.50" in warnings[0]
    assert "on 60 labelled cells" in warnings[0]
    assert "with the channels in the order GFP, DNA, but 0.50" in warnings[1]
    quiet = run(model, cells, tmp_path / "two", check=False, **asked).content["warnings"]
    assert not any("chance" in line for line in quiet)


# ---------------------------------------------------------------- memory


def test_no_more_than_a_chunk_is_read_at_once(classifier, cells, tmp_path, monkeypatch):
    monkeypatch.setattr("napari_channelmix.pcim.cell_source.MEAN_OF", 2)
    monkeypatch.setattr("napari_channelmix.data.cell_boxes.FINGERPRINTED", 2)
    monkeypatch.setattr(explain_report, "SHOWN", 2)
    monkeypatch.setattr("napari_channelmix.whatif.evidence_shares.SAMPLE", 2)
    sizes, read = [], Cells.read

    def counting(self, indices=None):
        crops = read(self, indices)
        sizes.append(len(crops))
        return crops

    monkeypatch.setattr(Cells, "read", counting)
    run(classifier, cells, tmp_path, score=True)
    assert max(sizes) == CHUNK


def test_parts_of_a_foreign_model_share_the_mean_of_all_cells(cells, tmp_path):
    def predict(crops):
        middle = crops[:, 1].mean(axis=(1, 2))
        return np.stack([-middle, middle], axis=1)

    zeros = np.zeros(2)
    foreign = ForeignClassifier(
        predict, ("DNA", "GFP"), ("a", "b"), zeros, zeros + 1, "scores", "mine"
    )
    content = run(foreign, cells, tmp_path, forwards=40, score=True).content
    wanted = explain(foreign, cells, forwards=40, device="cpu")
    np.testing.assert_allclose(maps_in(tmp_path), wanted.maps, rtol=1e-3, atol=1e-4)
    assert (content["method"], content["mode"]) == ("blackbox", "blackbox")
    assert set(content["scores"]) == {"blackbox"}
    assert any("which this model does not give" in line for line in content["warnings"])
    assert not run(foreign, cells, tmp_path, forwards=40, score=True).worked


# ---------------------------------------------------------------- going on


def test_what_is_done_is_not_done_again(classifier, cells, tmp_path, watched):
    first = watched(stop_at=2)
    with pytest.raises(KeyboardInterrupt):
        run(classifier, cells, tmp_path)
    assert first.asked == [("pcim", 4), ("pcim", 4)]
    assert not (tmp_path / "explain.json").exists()
    half = maps_in(tmp_path)
    assert np.isfinite(half[:8]).all()
    assert np.isnan(half[8:]).all()
    second = watched()
    assert run(classifier, cells, tmp_path).worked
    assert second.asked == [("pcim", 2)]
    np.testing.assert_array_equal(maps_in(tmp_path)[:8], half[:8])
    wanted = explain(classifier, cells, device="cpu").maps
    np.testing.assert_allclose(maps_in(tmp_path), wanted, rtol=1e-3, atol=1e-3)


def test_a_finished_run_changes_nothing(classifier, cells, tmp_path, watched):
    first = run(classifier, cells, tmp_path)
    before, again = everything_in(tmp_path), watched()
    second = run(classifier, cells, tmp_path)
    assert (first.worked, second.worked) == (True, False)
    assert not again.asked
    assert second.content == first.content
    assert everything_in(tmp_path) == before


def test_scores_can_be_asked_for_later_and_go_on_too(classifier, cells, tmp_path, watched):
    pytest.importorskip("captum")
    run(classifier, cells, tmp_path)
    maps = maps_in(tmp_path)
    first = watched(stop_at=7)
    with pytest.raises(KeyboardInterrupt):
        run(classifier, cells, tmp_path, score=True)
    assert [name for name, _ in first.asked] == [*BASELINES, *BASELINES[:2]]
    second = watched()
    content = run(classifier, cells, tmp_path, score=True).content
    assert [name for name, _ in second.asked] == [*BASELINES[2:], *BASELINES]
    assert set(content["scores"]) == {"pcim", *BASELINES}
    np.testing.assert_array_equal(maps_in(tmp_path), maps)
    # Scores that were asked for once are not lost when they are not asked for again.
    assert not run(classifier, cells, tmp_path).worked
    assert "scores" in run(classifier, cells, tmp_path).content


def test_a_part_that_is_damaged_or_of_another_run_is_done_again(
    classifier, cells, tmp_path, watched
):
    run(classifier, cells, tmp_path)
    wanted = maps_in(tmp_path)
    (tmp_path / "parts" / "00000.json").write_text('{"run": ', "utf-8")
    other = tmp_path / "parts" / "00001.json"
    other.write_text(json.dumps({**json.loads(other.read_text()), "run": "old"}), "utf-8")
    again = watched()
    run(classifier, cells, tmp_path)
    assert again.asked == [("pcim", 4), ("pcim", 4)]
    np.testing.assert_allclose(maps_in(tmp_path), wanted, rtol=1e-4, atol=1e-4)


def test_without_its_maps_a_part_counts_for_nothing(classifier, cells, tmp_path, watched):
    run(classifier, cells, tmp_path)
    for name in ("maps", "magnitude"):
        shutil.rmtree(tmp_path / f"{name}.zarr")
    again = watched()
    run(classifier, cells, tmp_path)
    assert [size for _, size in again.asked] == [4, 4, 2]
    assert np.isfinite(maps_in(tmp_path)).all()


def test_a_report_that_is_gone_is_written_again(classifier, cells, tmp_path, watched):
    content = run(classifier, cells, tmp_path).content
    (tmp_path / "explain.json").unlink()
    again = watched()
    written = run(classifier, cells, tmp_path).content
    assert not again.asked
    assert {**written, "provenance": 0} == {**content, "provenance": 0}


# ---------------------------------------------------------------- never mixed


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"method": "saliency"}, "method pcim instead of saliency"),
        ({"target": "b"}, "target None instead of b"),
        ({"target": "b", "versus": "a"}, "versus None instead of a"),
        ({"channels": "separate"}, "channels shared instead of separate"),
        ({"seed": 1}, "seed 0 instead of 1"),
        ({"limit": 5}, "10 cells instead of 5"),
        ({"mode": "blackbox"}, "mode autograd instead of blackbox"),
    ],
)
def test_maps_of_other_settings_are_refused(asked, says, classifier, cells, tmp_path, watched):
    run(classifier, cells, tmp_path)
    before, again = everything_in(tmp_path), watched()
    with pytest.raises(DataError, match=says) as raised:
        run(classifier, cells, tmp_path, **asked)
    assert "choose another folder, or delete this one" in str(raised.value)
    assert str(tmp_path / "maps.zarr") in str(raised.value)
    assert not again.asked
    assert everything_in(tmp_path) == before


def test_maps_of_another_model_cells_or_version_are_refused(
    classifier, cells, tmp_path, monkeypatch
):
    run(classifier, cells, tmp_path)
    other = made_classifier(seed=1)
    with pytest.raises(DataError, match="was made with another model;"):
        run(other, cells, tmp_path)
    scaled = replace(classifier, std=classifier.std * 2)
    with pytest.raises(DataError, match="was made with another model;"):
        run(scaled, cells, tmp_path)
    crops = cells.read()
    crops[:, 0] += 1
    brighter = Cells.from_array(
        crops, cells.channels, cells.labels, cells.classes, list(cells.groups)
    )
    with pytest.raises(DataError, match="was made with other cells"):
        run(classifier, brighter, tmp_path)
    with pytest.raises(DataError, match=r"other cells .*, 10 cells instead of 4"):
        run(classifier, cells.subset(slice(0, 4)), tmp_path)
    monkeypatch.setattr(explain_run, "package_version", lambda name: "9.9")
    with pytest.raises(DataError, match=r"napari-channelmix .* instead of 9\.9"):
        run(classifier, cells, tmp_path)


def test_the_same_model_from_a_file_is_the_same(classifier, cells, tmp_path):
    run(classifier, cells, tmp_path / "maps")
    classifier.save(tmp_path / "M.cmx")
    assert not run(load_model(tmp_path / "M.cmx"), cells, tmp_path / "maps").worked


def old_layout(out):
    """What versions before the magnitude have left."""
    shutil.rmtree(out / "magnitude.zarr")


def test_a_finished_folder_of_the_old_layout_is_still_read_and_measured(
    classifier, cells, tmp_path, watched
):
    first = run(classifier, cells, tmp_path)
    old_layout(tmp_path)
    before, again = everything_in(tmp_path), watched()
    second = run(classifier, cells, tmp_path)
    assert (second.worked, second.content) == (False, first.content)
    assert "magnitude.zarr" not in {path.name for path in second.files}
    assert not again.asked
    assert everything_in(tmp_path) == before
    assert "pcim" in run(classifier, cells, tmp_path, score=True).content["scores"]


def test_an_unfinished_folder_of_the_old_layout_is_refused_before_any_work(
    classifier, cells, tmp_path, watched
):
    watched(stop_at=1)
    with pytest.raises(KeyboardInterrupt):
        run(classifier, cells, tmp_path)
    old_layout(tmp_path)
    before, again = everything_in(tmp_path), watched()
    with pytest.raises(DataError, match=r"has no magnitude\.zarr; choose another folder"):
        run(classifier, cells, tmp_path)
    assert not again.asked
    assert everything_in(tmp_path) == before


def test_devices_and_batches_may_change(classifier, cells, tmp_path):
    drain(explain_cells_job(classifier, cells, tmp_path, device="cpu", batch=1))
    job = explain_cells_job(classifier, cells, tmp_path, device="cpu", batch=3)
    assert not drain(job).worked


def test_what_this_command_did_not_make_is_left_alone(classifier, cells, tmp_path):
    zarr.create_array(tmp_path / "maps.zarr", shape=(2, 2), dtype="float32")
    before = everything_in(tmp_path)
    with pytest.raises(DataError, match=r"maps\.zarr was not made by this command"):
        run(classifier, cells, tmp_path)
    assert everything_in(tmp_path) == before


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"target": "z"}, "knows no class 'z'; it has a, b"),
        ({"versus": "a"}, "versus 'a' needs a target"),
        ({"target": "a", "versus": "a"}, "cannot be compared with itself"),
        ({"method": "magic"}, "method 'magic' is unknown"),
        ({"channels": "all"}, "channels 'all' is unknown"),
        ({"forwards": 0}, "forwards must be 2 or more"),
        ({"limit": 0}, "limit must be 1 or more"),
        ({"method": "deeplift", "mode": "blackbox"}, "needs the gradients"),
    ],
)
def test_bad_settings_leave_no_folder(asked, says, classifier, cells, tmp_path):
    with pytest.raises(ChannelMixError, match=says):
        run(classifier, cells, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_channels_that_are_missing_are_named(classifier, cells, tmp_path):
    with pytest.raises(ModelError, match="missing: GFP"):
        run(classifier, cells.with_channels(["DNA"]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_no_cells_are_nothing_to_explain(classifier, cells, tmp_path):
    with pytest.raises(DataError, match="no cells to explain"):
        run(classifier, cells.subset([]), tmp_path / "out")


def test_without_captum_the_own_maps_are_measured_and_that_is_said(
    classifier, cells, tmp_path, monkeypatch
):
    monkeypatch.setattr(explain_run, "find_spec", lambda name: None)
    content = run(classifier, cells, tmp_path, score=True).content
    assert set(content["scores"]) == {"pcim"}
    assert any("captum is not installed" in line for line in content["warnings"])


def test_a_baseline_that_cannot_look_into_the_network_is_left_out(
    classifier, cells, tmp_path, monkeypatch, watched
):
    pytest.importorskip("captum")
    from napari_channelmix.pcim import baselines

    evidence = baselines.evidence

    def without_gradcam(name, problem):
        if name == "gradcam":
            raise ModelError(
                "method 'gradcam' cannot look into this network: it has no convolution"
            )
        return evidence(name, problem)

    monkeypatch.setattr(baselines, "evidence", without_gradcam)
    content = run(classifier, cells, tmp_path, score=True).content
    assert set(content["scores"]) == {"pcim", *BASELINES} - {"gradcam"}
    assert any("it has no convolution" in line for line in content["warnings"])
    again = watched()
    assert not run(classifier, cells, tmp_path, score=True).worked
    assert not again.asked


def failing(monkeypatch, error, after=0):
    """GradCAM fails from this question on."""
    from napari_channelmix.pcim import baselines

    evidence, asked = baselines.evidence, []

    def without_gradcam(name, problem):
        if name == "gradcam":
            asked.append(len(problem.x))
            if len(asked) > after:
                raise error
        return evidence(name, problem)

    monkeypatch.setattr(baselines, "evidence", without_gradcam)
    return asked


def test_a_baseline_that_fails_later_on_is_left_out_and_that_is_said(
    classifier, cells, tmp_path, monkeypatch, watched
):
    pytest.importorskip("captum")
    asked = failing(monkeypatch, ModelError("a layer is odd"), after=1)
    content = run(classifier, cells, tmp_path, limit=9, score=True).content
    # The third chunk is not tried any more.
    assert asked == [4, 4]
    since = content["cells"]["index"][CHUNK]
    line = f"gradcam is left out of the scores from cell {since} on: a layer is odd"
    assert content["left_out"] == {"gradcam": line}
    assert line in content["warnings"]
    assert set(content["scores"]) == {"pcim", *BASELINES} - {"gradcam"}
    again = watched()
    assert not run(classifier, cells, tmp_path, limit=9, score=True).worked
    assert not again.asked


@pytest.mark.parametrize("after", [0, 1])
def test_a_baseline_without_memory_is_no_baseline_that_cannot(
    after, classifier, cells, tmp_path, monkeypatch
):
    pytest.importorskip("captum")
    out = torch.OutOfMemoryError("CUDA out of memory")
    with monkeypatch.context() as patched:
        asked = failing(patched, out, after)
        with pytest.raises(ModelError, match="gradcam: memory ran out even with one cell"):
            run(classifier, cells, tmp_path, score=True)
        # Fewer and fewer cells at once, as for our own methods.
        assert asked[-3:] == [4, 2, 1]
    # Once there is memory, it goes on, with nothing left out.
    content = run(classifier, cells, tmp_path, score=True).content
    assert "gradcam" in content["scores"]
    assert content["left_out"] == {}


# ---------------------------------------------------------------- command line


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    """A data set of four channels and an untrained bundle for it."""
    folder = tmp_path_factory.mktemp("plate")
    sample = synthetic_plate(wells=4, cells_per_well=6, side=120)
    dataset = sample.save(folder)
    spec = NetworkSpec("tiny", 4, 2)
    statistics = sample.cells.statistics()
    classifier = Classifier(
        spec.build().eval(),
        spec,
        sample.cells.channels,
        sample.cells.classes,
        statistics.mean,
        statistics.std,
        sample.cells.crop,
    )
    return dataset, classifier.save(folder / "M.cmx")


def command(plate, out, *more):
    dataset, model = plate
    return [
        "explain",
        str(dataset),
        "--model",
        str(model),
        "--out",
        str(out),
        "--device",
        "cpu",
        *more,
    ]


def test_the_command_explains_says_so_and_does_nothing_twice(plate, tmp_path, capsys):
    assert main(command(plate, tmp_path, "--limit", "7")) == 0
    said = capsys.readouterr().out
    assert "7 cells explained with pcim (autograd)" in said
    assert "saved maps.zarr, magnitude.zarr, cells.csv, explain.png, explain.json in" in said
    assert len(maps_in(tmp_path)) == 7
    assert main(command(plate, tmp_path, "--limit", "7")) == 0
    assert "nothing left to do: maps.zarr" in capsys.readouterr().out
    assert main(command(plate, tmp_path, "--limit", "7", "--score", "--quiet")) == 0
    assert capsys.readouterr().out == ""
    assert "pcim" in json.loads((tmp_path / "explain.json").read_text("utf-8"))["scores"]
    assert main(command(plate, tmp_path, "--limit", "7", "--score")) == 0
    assert "SRG" in capsys.readouterr().out


def test_a_baseline_that_is_left_out_is_said_on_standard_error_where_nothing_else_is(
    plate, tmp_path, monkeypatch, capsys
):
    pytest.importorskip("captum")
    failing(monkeypatch, ModelError("a layer is odd"), after=1)
    asked = command(plate, tmp_path, "--limit", "7", "--score")
    assert main([*asked, "--quiet"]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    # What is wrong with the numbers is said as well; nothing else is.
    lines = said.err.splitlines()
    assert all(line.startswith("napari-channelmix: ") for line in lines)
    own = [line for line in lines if "gradcam is left out of the scores from cell " in line]
    assert len(own) == 1
    assert main(asked) == 0
    assert "note: gradcam is left out of the scores from cell " in capsys.readouterr().out


def test_options_reach_the_job(plate, tmp_path):
    more = [
        "--mode",
        "blackbox",
        "--target",
        "treated",
        "--versus",
        "untreated",
        "--channels",
        "separate",
        "--forwards",
        "20",
        "--batch",
        "3",
        "--seed",
        "5",
        "--limit",
        "3",
        "--quiet",
    ]
    assert main(command(plate, tmp_path, *more)) == 0
    content = json.loads((tmp_path / "explain.json").read_text("utf-8"))
    assert (content["method"], content["mode"]) == ("blackbox", "blackbox")
    assert set(content["target"]) == {content["classes"].index("treated")}
    origin = content["provenance"]
    assert origin["seed"] == 5
    assert origin["settings"] == {
        "target": "treated",
        "versus": "untreated",
        "channels": "separate",
        "forwards": 20,
        "limit": 3,
        "only": "held-out",
    }
    assert maps_in(tmp_path, "channel_maps").shape[:2] == (3, 4)


def test_a_model_made_elsewhere_is_explained_as_a_black_box(plate, tmp_path, monkeypatch, capsys):
    (tmp_path / "elsewhere.py").write_text(
        "import numpy as np\n"
        "def scores(x):\n"
        "    middle = x[:, 1].mean(axis=(1, 2))\n"
        "    return np.stack([middle, -middle], axis=1)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    channels = load_model(plate[1]).channels
    names = ["--channel-names", *channels, "--class-names", "treated", "untreated"]
    asked = command(
        (plate[0], "elsewhere:scores"),
        tmp_path / "out",
        *names,
        "--limit",
        "2",
        "--forwards",
        "20",
        "--mean",
        "100",
        "--std",
        "50",
        "--quiet",
    )
    assert main(asked) == 2
    assert "runs code of its maker" in capsys.readouterr().err
    assert main([*asked, "--allow-code"]) == 0
    content = json.loads((tmp_path / "out" / "explain.json").read_text("utf-8"))
    assert content["mode"] == "blackbox"
    assert any("explained as a black box" in line for line in content["warnings"])


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--target", "purple"], "knows no class 'purple'"),
        (["--mode", "slow"], "invalid choice: 'slow'"),
        (["--limit", "0"], "limit must be 1 or more"),
        (["--model", "nowhere.cmx"], "nowhere.cmx: no such file"),
        (["--batch", "0"], "batch must be 1 or more"),
    ],
)
def test_bad_input_is_one_line_and_status_2(more, says, plate, tmp_path, capsys):
    try:
        status = main(command(plate, tmp_path / "out", *more))
    except SystemExit as stop:
        status = stop.code
    said = capsys.readouterr().err
    assert status == 2
    assert says in said
    assert said.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends no SIGINT to a child")
def test_ctrl_c_stops_with_130_and_a_second_run_goes_on(plate, tmp_path, monkeypatch):
    # Chunks of a few cells: a plate of this size would be one.
    script = (
        "import sys; from napari_channelmix.run import explain_dataset, explain_run\n"
        "explain_dataset.CHUNK = explain_run.CHUNK = 2\n"
        "from napari_channelmix.run.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    asked = [
        sys.executable,
        "-c",
        script,
        *command(plate, tmp_path, "--mode", "blackbox", "--forwards", "400"),
    ]
    child = subprocess.Popen(
        asked, stderr=subprocess.PIPE, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    until = time.monotonic() + 120
    while not list(tmp_path.glob("parts/0*.json")) and time.monotonic() < until:
        time.sleep(0.02)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=120)
    assert child.returncode == 130
    last = said.decode().replace("\r", "\n").strip().splitlines()[-1]
    assert last == "napari-channelmix: stopped; the same command goes on from what was finished"
    assert not (tmp_path / "explain.json").exists()
    kept = {path: path.read_bytes() for path in tmp_path.glob("parts/0*.json")}
    assert kept
    for module in (explain_run, explaining):
        monkeypatch.setattr(module, "CHUNK", 2)
    assert main([*asked[3:], "--quiet"]) == 0
    for path, content in kept.items():
        assert path.read_bytes() == content
    assert (tmp_path / "explain.json").exists()


def marked(classifier, cells, some):
    digests = crop_digests(cells.read(some))
    return replace(classifier, training_cells=TrainingCells.of(cells.subset(some), digests))


def test_cells_that_were_trained_on_are_left_out_and_said(classifier, cells, tmp_path):
    model = marked(classifier, cells, [0, 3, 4])
    content = run(model, cells, tmp_path / "held-out").content
    assert content["cells"]["index"] == [1, 2, 5, 6, 7, 8, 9]
    assert set(content["cells"]["training"]) == {"no"}
    assert content["warnings"][0] == "3 of 10 cells were trained on: maps are of the other 7"
    everything = run(model, cells, tmp_path / "all", only="all").content
    assert everything["n"] == 10
    assert everything["cells"]["training"][:5] == ["yes", "no", "no", "yes", "yes"]
    assert "and too good" in everything["warnings"][0]
    with pytest.raises(DataError, match=r"7 cells instead of 10|only"):
        run(model, cells, tmp_path / "held-out", only="all")
    assert run(model, cells, tmp_path / "some", limit=2).content["n"] == 2
    # Of a model that does not know which cells it saw, that is said.
    older = run(replace(model, training_cells=None), cells, tmp_path / "older").content
    assert older["n"] == 10 and set(older["cells"]["training"]) == {"unknown"}
    assert older["warnings"][0] == (
        "which cells were trained on is not known, so held-out ones cannot be told apart: maps are "
        "of all cells, and may be too good"
    )
    asked = ExplainSettings(cells=(0, 1))
    named = drain(explain_cells_job(model, cells, tmp_path / "named", asked)).content
    assert named["cells"]["training"] == ["yes", "no"]


def test_each_map_says_which_cell_it_is_of(classifier, cells, tmp_path):
    table = cells.table.assign(**{"key plate": ["P1"] * 10, "key object": list("abcdefghij")})
    model = marked(classifier, cells, [0])
    content = run(model, replace(cells, table=table), tmp_path, limit=4).content
    rows = pd.read_csv(tmp_path / "cells.csv")
    about = zarr.open_array(tmp_path / "maps.zarr", mode="r").attrs
    index = content["cells"]["index"]
    assert about["table"] == "cells.csv"
    for kept in (content["cells"], about["cells"]):
        assert kept["y"] == cells.centres[index, 0].tolist()
        assert kept["keys"] == {"plate": ["P1"] * 4, "object": ["abcdefghij"[i] for i in index]}
    assert rows["cell"].tolist() == index
    assert rows["x"].tolist() == cells.centres[index, 1].tolist()
    assert rows["plate"].tolist() == ["P1"] * 4
    assert rows["object (table)"].tolist() == ["abcdefghij"[i] for i in index]
    assert rows["training"].tolist() == ["no"] * 4
    assert rows["target"].tolist() == [content["classes"][of] for of in content["target"]]
