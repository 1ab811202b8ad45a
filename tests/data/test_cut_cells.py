"""Cells that are larger than their crops: which they are, their share, which crop would do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.cut_cells import cut_off_warning, reach_over_crop

WriteSet = Callable[..., Path]


def squares(*sides: int, frame: int = 120) -> npt.NDArray[np.int64]:
    """A label image of squares side by side, numbered from 1."""
    labels, x = np.zeros((frame, sum(sides) + 2 * len(sides)), np.int64), 1
    for number, side in enumerate(sides, start=1):
        labels[10 : 10 + side, x : x + side] = number
        x += side + 2
    return labels


def cells_of(labels: npt.NDArray[Any], crop: int) -> Cells:
    planes = [np.arange(labels.size, dtype=np.float32).reshape(labels.shape)]
    return Cells.from_labels(planes, ["DNA"], labels, crop=crop)


@pytest.mark.parametrize("side", [9, 10])
def test_a_cell_as_large_as_its_crop_is_whole(side: int) -> None:
    cells = cells_of(squares(side, side), crop=10)
    assert not cells.cut_off.any()
    assert "cut off" not in "\n".join(cells.warnings)
    # And so are its pixels: the square around its middle holds all of it.
    y0, x0, y1, x1 = cells.table.iloc[0][["y0", "x0", "y1", "x1"]].astype(int)
    assert (cells.fields[0].labels[y0:y1, x0:x1] == 1).sum() == side**2


def test_the_share_of_cells_that_are_cut_off_is_said_with_a_crop_that_holds_them() -> None:
    cells = cells_of(squares(9, 11, 30, 10), crop=10)
    assert cells.cut_off.tolist() == [False, True, True, False]
    (line,) = [line for line in cells.warnings if "cut off" in line]
    assert line.startswith("2 of 4 cells (50 %) are cut off by a crop of 10 pixels")
    assert line.endswith("take a crop of 32 pixels")
    larger = cells_of(squares(9, 11, 30, 10), crop=32)
    assert not larger.cut_off.any()


def test_one_clump_does_not_decide_the_crop() -> None:
    extents = np.array([20.0] * 98 + [15.0] * 100 + [100.0])
    (line,) = cut_off_warning(extents, np.full(199, 16), 16)
    # 99 of 199 are cut; of those left by a crop of 24, one: less than 1 %.
    assert line.startswith("99 of 199 cells (50 %)") and line.endswith("take a crop of 24 pixels")
    (line,) = cut_off_warning(extents, np.full(199, 24), 24)
    assert line.startswith("1 of 199 cells (0.5 %)")
    assert line.endswith("take a crop of 104 pixels")


def test_a_crop_that_no_image_allows_is_not_proposed() -> None:
    (line,) = cut_off_warning([50.0], [20], 20, most=40)
    assert line.endswith("whole cells need a crop of 56 pixels, the images allow 40")


def test_resampled_crops_are_held_against_outlines_in_pixels_of_the_image() -> None:
    # A box of 40 pixels is read as a crop of 20: a cell of 50 needs one of 25.
    assert reach_over_crop([39.0, 50.0], [40, 40]).tolist() == [False, True]
    (line,) = cut_off_warning([39.0, 50.0], [40, 40], 20)
    assert "by a crop of 20 pixels" in line and line.endswith("take a crop of 32 pixels")


def test_of_cells_without_outlines_nothing_is_said() -> None:
    planes = [np.random.default_rng(0).random((60, 60), np.float32)]
    cells = Cells.from_points(planes, ["DNA"], [[20, 20], [40, 40]], crop=8)
    assert not cells.cut_off.any() and "cut off" not in "\n".join(cells.warnings)
    whole = Cells.from_array(np.random.default_rng(0).random((3, 1, 8, 8)), ["DNA"])
    assert not whole.cut_off.any() and "cut off" not in "\n".join(whole.warnings)


def test_sets_together_have_one_line_with_the_figures_of_all() -> None:
    first, second = cells_of(squares(30, 9), crop=16), cells_of(squares(9, 9, 20), crop=16)
    both = Cells.together([first, second])
    lines = [line for line in both.warnings if "cut off" in line]
    assert len(lines) == 1 and lines[0].startswith("2 of 5 cells (40 %)")
    points = Cells.from_points([np.ones((90, 90), np.float32)], ["DNA"], [[30, 30]], crop=16)
    mixed = Cells.together([first, points])
    # Of the point nothing is known: it is not counted.
    assert any(line.startswith("1 of 2 cells (50 %)") for line in mixed.warnings)


def test_leaving_out_the_border_leaves_no_line_of_cells_that_are_gone() -> None:
    labels = np.zeros((80, 80), np.int64)
    labels[0:30, 0:30], labels[50:58, 50:58] = 1, 2
    cells = cells_of(labels, crop=31)
    assert not cells.cut_off.any()
    small = cells_of(labels, crop=29)
    assert small.cut_off.tolist() == [True, False] and any("cut off" in w for w in small.warnings)
    labels[:] = 0
    labels[0:40, 20:50], labels[60:68, 50:58] = 1, 2
    wide = cells_of(labels, crop=36)
    moved = wide.subset([1])
    assert not moved.with_cut_line().cut_off.any()
    assert not any("cut off" in line for line in moved.with_cut_line().warnings)


@pytest.mark.parametrize(
    "found", [('from = "mask"', 'column = "mask"'), ('from = "segment"', 'channel = "DNA"')]
)
def test_a_data_set_file_with_a_crop_that_is_too_small_says_so(
    write_set: WriteSet, found: tuple[str, ...]
) -> None:
    channels = ("[channels]", 'DNA = "dna"', 'GFP = "gfp"', "[cells]")
    path = write_set(*channels, *found, "crop = 6", "min_area = 20")
    cells = open_dataset(path)
    # Discs of radius 6 are 11 pixels wide.
    assert cells.cut_off.all()
    (line,) = [line for line in cells.warnings if "cut off" in line]
    assert line.startswith("24 of 24 cells (100 %) are cut off by a crop of 6 pixels")
    assert line.endswith("take a crop of 16 pixels")
