"""Cells taken out of their crops: what is filled, what stays, and the sham beside it."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.cells import Cells
from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.crops import CellCrops, cell_crops
from napari_channelmix.whatif.removal import (
    at_background_level,
    filled,
    outlines_are_nuclei,
    removal_margin,
    removed_area,
    sham_area,
    territories,
    with_area_of_another,
    without,
)

SIDE = 20


def two_cells(nuclei: float | None = None) -> CellCrops:
    """A cell of 6 x 6 pixels at the left and another at the right, on a background of 10."""
    cell, others = np.zeros((2, 1, SIDE, SIDE), bool)
    cell[0, 7:13, 2:8] = True
    others[0, 7:13, 12:18] = True
    pixels = np.where(cell | others, 90, 10).astype(np.float32)[:, None]
    stained = None
    if nuclei is not None:
        stained = np.zeros_like(cell)
        stained[0, 7 : 7 + round(6 * nuclei), 2:8] = True
    return CellCrops(
        pixels,
        ("DNA",),
        cell,
        others,
        np.array(["label"]),
        stained,
        np.full((1, 1), 10, np.float32),
        np.array([0]),
    )


def test_what_lies_between_two_cells_belongs_to_the_nearer_one() -> None:
    own, others = territories(two_cells(), margin=3)
    # The cell ends at column 7 and the other begins at 12: columns 8 and 9 are nearer to it.
    assert own[0, 10].nonzero()[0].tolist() == list(range(0, 10))
    assert others[0, 10].nonzero()[0].tolist() == list(range(10, 20))


def test_a_removal_leaves_nothing_of_what_it_takes_and_all_of_the_rest() -> None:
    crops = two_cells()
    gone = without(crops, "cell", margin=1).pixels[0, 0]
    assert (gone[:, :9] == 10).all()
    assert (gone[7:13, 12:18] == 90).all()
    others_gone = without(crops, "neighbours", margin=1).pixels[0, 0]
    assert (others_gone[7:13, 2:8] == 90).all()
    assert (others_gone[:, 12:] == 10).all()
    assert (without(crops, "crop", margin=1).pixels == 10).all()
    assert (without(crops, "surroundings", margin=1).pixels[0, 0, 7:13, 12:18] == 10).all()


def test_pixels_far_from_what_is_filled_stay_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    crops = two_cells().with_pixels(rng.normal(size=(1, 1, SIDE, SIDE)).astype(np.float32))
    area = np.zeros((1, SIDE, SIDE), bool)
    assert np.array_equal(filled(crops, area).pixels, crops.pixels)
    area[0, :3, :3] = True
    changed = filled(crops, area).pixels != crops.pixels
    assert changed[0, 0, :3, :3].all()
    assert not changed[0, 0, 6:].any()


def test_the_sham_fills_as_large_an_area_where_no_cell_is() -> None:
    crops = two_cells()
    own, others = territories(crops, margin=1)
    sham, room = sham_area(own, others, "cell")
    assert room.tolist() == [True]
    assert sham.sum() == own.sum()
    assert not (sham & (own | others)).any()
    # Two cells and their margins leave less background than they cover.
    own, others = territories(crops, margin=6)
    assert sham_area(own, others, "crop")[1].tolist() == [False]


def test_the_shape_of_another_class_is_filled_too() -> None:
    area = np.zeros((3, 4, 4), bool)
    area[0, 0], area[1, 1], area[2, 2] = True, True, True
    joined = with_area_of_another(area, np.array([0, 1, 1]), seed=0)
    assert joined[1].any(axis=1).tolist() == [True, True, False, False]
    assert joined[2].any(axis=1).tolist() == [True, False, True, False]
    assert joined[0, 0].all()
    assert joined[0, 1:3].any(axis=1).sum() == 1
    alone = with_area_of_another(area, np.zeros(3, int), seed=0)
    assert np.array_equal(alone, area)


def test_an_outline_that_is_mostly_nucleus_has_its_cytoplasm_around_it() -> None:
    cell, nucleus = two_cells(nuclei=1 / 3), two_cells(nuclei=1.0)
    assert not outlines_are_nuclei(two_cells())
    assert not outlines_are_nuclei(cell)
    assert outlines_are_nuclei(nucleus)
    radius = np.sqrt(36 / np.pi)
    assert removal_margin(cell) == 2
    assert removal_margin(nucleus) == pytest.approx(2.5 * radius)


def test_crops_of_their_background_level_show_nothing_else() -> None:
    assert (at_background_level(two_cells()).pixels == 10).all()


def test_an_unknown_removal_is_refused_in_one_line() -> None:
    own = np.zeros((1, 4, 4), bool)
    with pytest.raises(ModelError, match="removal 'all' is unknown; use cell, crop"):
        removed_area(own, own, "all")  # type: ignore[arg-type]


def test_a_cell_outside_the_crop_whose_margin_reaches_in_is_another_cell() -> None:
    labels = np.zeros((40, 60), int)
    labels[17:23, 17:23], labels[17:23, 33:39] = 1, 2
    cells = Cells.from_labels([np.zeros(labels.shape)], ["DNA"], labels, crop=20)
    crops = cell_crops(cells, [0])
    # The crop ends at column 29, four before the other cell.
    assert not crops.others.any()
    own, others = territories(crops, 6, cells)
    assert others[0, 10].nonzero()[0].tolist() == [18, 19]
    assert not (own & others).any()
    assert not territories(crops, 6)[1].any()
