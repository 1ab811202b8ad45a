"""Pixels are read once; selections of them are what reading the cells would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_channelmix import Cells
from napari_channelmix.classify import pixels as module
from napari_channelmix.classify.copies import refuse_copies
from napari_channelmix.classify.pixels import Pixels, SelectedCrops, Selection
from napari_channelmix.classify.train import loaded
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from collections.abc import Sequence


def read(cells: Cells) -> Pixels:
    pixels = Pixels(cells)
    drain(pixels.load())
    return pixels


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_selection_is_like_the_cells_by_themselves(
    cells: Cells, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_memory:
        monkeypatch.setattr(module, "MEMORY_BYTES", 0)
    rows = np.arange(1, len(cells), 3)
    chosen = Selection(read(cells), rows)
    alone = cells.subset(rows)
    usual = drain(loaded(alone))
    drain(chosen.sign())
    crops = SelectedCrops(chosen, drain(chosen.statistics_job()))
    assert crops.signature == alone.signature
    np.testing.assert_array_equal(crops.statistics.mean, usual.statistics.mean)
    some = np.array([3, 0, 5])
    torch.testing.assert_close(crops.take(some), usual.take(some), rtol=0, atol=0)
    torch.testing.assert_close(
        crops.subset(some).take(np.array([1])), usual.take(np.array([0])), rtol=0, atol=0
    )
    assert crops.take(some).is_contiguous(memory_format=torch.channels_last)


def two_sides(crops: np.ndarray, groups: Sequence[str], held: Sequence[int]) -> list[Selection]:
    cells = Cells.from_array(crops, ["x"], [0, 1] * (len(crops) // 2), ["a", "b"], list(groups))
    pixels = read(cells)
    flags = np.isin(np.arange(len(crops)), held)
    return [Selection(pixels, np.flatnonzero(side)) for side in (~flags, flags)]


def test_copies_of_training_cells_are_refused_whatever_their_names() -> None:
    crops = np.random.default_rng(0).random((8, 1, 4, 4))
    groups = [f"w{i}" for i in range(8)]
    refuse_copies(*two_sides(crops, groups, [5, 6]))
    crops[6] = crops[2]
    with pytest.raises(DataError, match=r"array: 1 held-out cell has the same pixels as training "
                       r"cells, such as cell 1 of .* \(group 'w6'\) and cell 2 of .* \(group 'w2'\)"
                       ):  # fmt: skip
        refuse_copies(*two_sides(crops, groups, [5, 6]))
    # On one side, they are no secret kept from the training.
    refuse_copies(*two_sides(crops, groups, [2, 6]))


def test_empty_crops_are_no_copies() -> None:
    crops = np.random.default_rng(0).random((8, 1, 4, 4))
    crops[[2, 6]] = 3.0
    refuse_copies(*two_sides(crops, [str(i) for i in range(8)], [5, 6]))
