"""Sizes of pixels: units by their names, crops that are resized."""

from __future__ import annotations

import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.lengths import in_micrometres, pixel_sizes


@pytest.mark.parametrize(
    ("size", "unit", "micrometres"),
    [(0.5, "µm", 0.5), (0.5, "\u03bcm", 0.5), (500, "nm", 0.5), (0.0005, "mm", 0.5),
     (2, " Micron ", 2), (1, "pixel", None), (1, None, None), (0, "µm", None),
     (float("nan"), "µm", None)],
)  # fmt: skip
def test_units_by_their_many_names(size, unit, micrometres):
    assert in_micrometres(size, unit) == (
        None if micrometres is None else pytest.approx(micrometres)
    )


def test_each_size_with_its_cells(cells_of):
    assert pixel_sizes(cells_of([0.5, 0.25, 0.5, None])) == {0.5: 2, 0.25: 1}
    assert pixel_sizes(cells_of([1.0], unit="pixel")) == {}


def test_a_crop_made_smaller_has_larger_pixels(cells_of):
    assert pixel_sizes(cells_of([0.5], crop=8, side=16)) == {1.0: 1}


def test_boxes_of_many_sizes_have_the_pixels_of_the_file(cells_of):
    cells = cells_of([0.5, 0.5])
    table = cells.table.assign(field=0)
    table.loc[1, ["y1", "x1"]] = [3 + 24, 5 + 24]
    both = Cells("set", ("DNA",), (), 8, cells.fields[:1], table)
    assert pixel_sizes(both) == {0.5: 2}
