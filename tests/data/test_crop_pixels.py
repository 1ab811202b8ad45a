"""Sizes of the pixels of crops, resized or not, in micrometres."""

from __future__ import annotations

from napari_channelmix.data import Cells
from napari_channelmix.data.crop_pixels import pixel_sizes


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


def test_whole_images_of_many_sizes_have_the_pixels_of_their_files(cells_of):
    cells = cells_of([0.5, 0.5, 0.5])
    table = cells.table.copy()
    table["y1"] = table["y0"] + [8, 20, 33]
    table["x1"] = table["x0"] + [8, 20, 33]
    assert pixel_sizes(Cells("set", ("DNA",), (), 8, cells.fields, table)) == {0.5: 3}
