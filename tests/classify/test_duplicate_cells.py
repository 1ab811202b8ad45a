"""Held-out cells that are copies of training cells are refused; blank crops are no copies."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.classify.duplicate_cells import refuse_copies
from napari_channelmix.classify.pixels import Pixels, Selection
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain

GROUPS = [f"w{i}" for i in range(8)]


def two_sides(
    crops: npt.NDArray[np.float64], groups: Sequence[str], held: Sequence[int]
) -> tuple[Selection, Selection]:
    cells = Cells.from_array(crops.astype(np.float32), ["x"], [0, 1] * 4, ("a", "b"), list(groups))
    pixels = Pixels(cells)
    drain(pixels.load())
    away = np.isin(np.arange(len(crops)), held)
    return Selection(pixels, np.flatnonzero(~away)), Selection(pixels, np.flatnonzero(away))


def noise() -> npt.NDArray[np.float64]:
    return np.random.default_rng(0).random((8, 1, 4, 4))


def test_a_copy_of_a_training_cell_is_named_with_its_original() -> None:
    crops = noise()
    refuse_copies(*two_sides(crops, GROUPS, [5, 6]))
    crops[6] = crops[2]
    with pytest.raises(
        DataError,
        match=r"array: 1 held-out cell has the same pixels as training "
        r"cells, such as cell 1 of .* \(group 'w6'\) and cell 2 of .* \(group 'w2'\)",
    ):
        refuse_copies(*two_sides(crops, GROUPS, [5, 6]))
    crops[5] = crops[1]
    with pytest.raises(DataError, match="2 held-out cells have the same pixels"):
        refuse_copies(*two_sides(crops, GROUPS, [5, 6]))


def test_copies_on_one_side_are_no_fault() -> None:
    crops = noise()
    crops[6] = crops[2]
    refuse_copies(*two_sides(crops, GROUPS, [2, 6]))


def test_one_pixel_makes_another_cell_and_blank_crops_are_no_copies() -> None:
    crops = noise()
    crops[6] = crops[2]
    crops[6, 0, 1, 1] += 0.5
    refuse_copies(*two_sides(crops, GROUPS, [5, 6]))
    crops[[2, 6]] = 3.0
    refuse_copies(*two_sides(crops, GROUPS, [5, 6]))
