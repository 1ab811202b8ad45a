"""Training cells are known again by their pixels, whatever they are called, and after saving."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.classify import Classifier, evaluate, load_bundle, train_classifier
from napari_channelmix.classify.bundle_file import BundleAbout
from napari_channelmix.classify.predictor import training_marks_job
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import drain


def marks(model: Classifier, cells: Cells) -> list[str]:
    return drain(training_marks_job(model, cells)).tolist()


def test_a_digest_is_eight_bytes_of_blake2b_over_the_pixels() -> None:
    crops = np.arange(24, dtype=np.float32).reshape(2, 3, 2, 2)
    first = hashlib.blake2b(crops[0].tobytes(), digest_size=8).digest()
    assert crop_digests(crops)[0] == int.from_bytes(first, "little")
    assert crop_digests(crops).dtype == np.uint64
    assert len(set(crop_digests(crops).tolist())) == 2


def test_a_group_is_the_same_where_a_training_cell_is_in_it_or_its_name_was_known() -> None:
    known = TrainingCells(
        np.array([1, 2], np.uint64),
        TrainingCells.of(Named(["A1", "A2", "A2"]), np.zeros(3, np.uint64)).groups,  # type: ignore[arg-type,union-attr]
    )
    digests = np.array([1, 7, 8, 9, 7], np.uint64)
    groups = ["B1", "B1", "A2", "C1", "C1"]
    assert known.marks(digests, groups).tolist() == ["yes", "same group", "same group", "no", "no"]
    # On another plate, where no cell is known, the same names are other wells.
    other = known.marks(np.array([7, 8, 9, 7, 7], np.uint64), groups)
    assert other.tolist() == ["no"] * 5
    # Each cell a group of its own: there is none to share.
    assert known.marks(digests[:2], ["A1", "A2"]).tolist() == ["yes", "no"]


def test_blank_crops_are_equal_without_being_the_same_cell() -> None:
    crops = np.zeros((3, 2, 4, 4), np.float32)
    crops[1, 0], crops[2, 0, 0, 0] = 5, 1
    digests = crop_digests(crops)
    assert digests[:2].tolist() == [0, 0] and digests[2] != 0
    known = TrainingCells.of(Named(["A1", "A2", "A2"]), digests)  # type: ignore[arg-type]
    assert known is not None and len(known.cells) == 1
    assert known.marks(digests).tolist() == ["no", "no", "yes"]
    # Those that share a group with a training cell are still known by it.
    assert known.marks(digests, ["B1", "A2", "A2"]).tolist() == ["no", "same group", "yes"]
    # Bundles of earlier versions hold digests of blank crops.
    old = TrainingCells(np.array([0, 7], np.uint64), known.groups)
    assert old.marks(digests).tolist() == ["no"] * 3


class Named:
    """Groups of cells, as `TrainingCells.of` looks at them."""

    def __init__(self, groups: list[str]) -> None:
        self.groups = np.array(groups)

    def __len__(self) -> int:
        return len(self.groups)


def test_cells_are_known_under_another_name_in_another_order_with_more_channels(
    cells: Cells, trained: Classifier
) -> None:
    assert marks(trained, cells) == ["yes"] * len(cells)
    more = Cells.from_array(
        np.concatenate([cells.read()[:, ::-1], np.ones((48, 1, 12, 12), np.float32)], axis=1)[::-1],
        ["other", "signal", "noise", "new"],
        name="quite another",
    )
    assert marks(trained, more) == ["yes"] * len(cells)
    brighter = Cells.from_array(cells.read() + 1, cells.channels)
    assert marks(trained, brighter) == ["no"] * len(cells)


def test_a_bundle_keeps_them_and_an_older_one_says_that_it_does_not_know(
    cells: Cells, trained: Classifier, tmp_path: Path
) -> None:
    again = load_bundle(trained.save(tmp_path / "model.cmx"))
    assert marks(again, cells) == ["yes"] * len(cells)
    older = replace(trained, training_cells=None)
    again = load_bundle(older.save(tmp_path / "older.cmx"))
    assert again.training_cells is None
    assert marks(again, cells) == ["unknown"] * len(cells)
    called = drain(again.call_job(cells))
    assert called.training.tolist() == ["unknown"] * len(cells)
    # The data set is another, as far as such a model can tell.
    other = replace(again, provenance={})
    assert [line for line in evaluate(other, cells).warnings if "trained on" in line] == [
        "which cells were trained on is not known, so held-out ones cannot be told apart: accuracy "
        "is of all cells, and may be too good"
    ]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"cells": 3, "groups": ""}, {"cells": "AAA=", "groups": ""}, {"cells": "?", "groups": ""}],
)
def test_damaged_digests_are_refused(trained: Classifier, wrong: dict[str, Any]) -> None:
    content = {**json.loads(json.dumps(trained.as_dict())), "trained_on": wrong}
    with pytest.raises(ValueError, match=r"trained_on|bytes|base64|padding"):
        BundleAbout.model_validate(content)


def half_trained(cells: Cells) -> tuple[Classifier, Cells]:
    """A classifier that saw the cells of six wells, and these with three cells of other wells."""
    seen = np.flatnonzero(np.char.rpartition(cells.groups, " ")[:, 2].astype(int) < 6)
    model = train_classifier(cells.subset(seen), network="tiny", epochs=1, device="cpu")
    return model, cells


def test_predictions_say_which_cells_were_trained_on_and_accuracy_is_of_the_others(
    make_cells: Any, quick: Any
) -> None:
    model, cells = half_trained(make_cells(72))
    called = drain(model.call_job(cells))
    assert called.training.tolist() == ["yes"] * 36 + ["no"] * 36
    found = cm.evaluate(model, cells)
    assert (found.n, found.trained_on, found.groups) == (36, 36, 6)
    alone = evaluate(model, cells.subset(slice(36, 72)))
    assert found.accuracy == alone.accuracy
    assert found.confusion.counts.sum() == 36
    assert "36 of 72 cells were trained on: accuracy is of the other 36" in found.warnings
    assert found.as_dict()["trained_on"] == 36
    every = cm.evaluate(model, cells, only="all")
    assert every.n == 72
    assert any("accuracy is of all of them, and too good" in line for line in every.warnings)
    with pytest.raises(ModelError, match="only 'some' is unknown"):
        cm.evaluate(model, cells, only="some")
