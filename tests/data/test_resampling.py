"""Crops at one pixel size: the same part of the sample, whatever the pixels of the file."""

from __future__ import annotations

import numpy as np
import pytest
import tifffile

from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.crop_pixels import pixel_sizes
from napari_channelmix.data.resampling import at_pixel_size
from napari_channelmix.errors import DataError


def written(folder, sizes, key="", origin="point", unit="µm"):
    """Discs of radius 6 µm, each around the middle of an image with pixels of a size."""
    rows = []
    for i, size in enumerate(sizes):
        count = round(64 / size)
        y, x = np.mgrid[:count, :count]
        middle = count // 2
        disc = np.hypot(y - middle, x - middle) * size < 6
        tifffile.imwrite(
            folder / f"{i}.ome.tif",
            (disc * 200).astype(np.uint8),
            metadata={
                "axes": "YX",
                "PhysicalSizeX": size,
                "PhysicalSizeXUnit": unit,
                "PhysicalSizeY": size,
                "PhysicalSizeYUnit": unit,
            },
        )
        rows.append(f"{i}.ome.tif,{middle},{middle}")
    (folder / "t.csv").write_text("p,y,x\n" + "\n".join(rows) + "\n", "utf-8")
    (folder / "d.toml").write_text(
        f'name = "x"\ntable = "t.csv"\n[channels]\nDNA = "p"\n[cells]\nfrom = "{origin}"\n'
        f'columns = ["y", "x"]\ncrop = 24\n{key}\n',
        "utf-8",
    )
    return folder / "d.toml"


def area(crop):
    return float((crop[0] > 100).sum())


def test_a_cell_has_one_size_in_images_of_other_pixel_sizes(tmp_path):
    path = written(tmp_path, [1.0, 0.5])
    plain = open_dataset(path).read()
    assert area(plain[1]) > 3 * area(plain[0])
    cells = open_dataset(path, pixel_size=1.0)
    crops = cells.read()
    assert crops.shape == plain.shape
    assert area(crops[1]) == pytest.approx(area(crops[0]), rel=0.1)
    np.testing.assert_array_equal(crops[0], plain[0])
    assert pixel_sizes(cells) == {1.0: 2}


def test_the_key_of_the_data_set_file_does_the_same(tmp_path):
    crops = open_dataset(written(tmp_path, [1.0, 0.5], "pixel_size = 1.0")).read()
    given = open_dataset(written(tmp_path, [1.0, 0.5]), pixel_size=1.0)
    np.testing.assert_array_equal(crops, given.read())


@pytest.mark.parametrize("crop", [8, 9])
@pytest.mark.parametrize("factor", [2, 3])
def test_the_middle_of_a_box_stays(cells_of, crop, factor):
    cells = cells_of([0.5], crop=crop, side=crop)
    row = at_pixel_size(cells, 0.5 * factor).table.iloc[0]
    assert row["y1"] - row["y0"] == row["x1"] - row["x0"] == factor * crop
    middle = (row["y0"] + row["y1"]) / 2, (row["x0"] + row["x1"]) / 2
    before = 3 + crop / 2, 5 + crop / 2
    assert np.abs(np.subtract(middle, before)).max() <= 0.5


def test_files_without_a_size_are_refused(cells_of):
    with pytest.raises(DataError, match="does not state the size of its pixels"):
        at_pixel_size(cells_of([None]), 0.5)
    with pytest.raises(DataError, match="in a unit of length"):
        at_pixel_size(cells_of([1.0], unit="pixel"), 0.5)


def test_a_wrong_unit_and_a_crop_larger_than_the_image_are_refused(cells_of):
    with pytest.raises(DataError, match="is it in micrometres"):
        at_pixel_size(cells_of([0.5]), 500)
    with pytest.raises(DataError, match="choose a smaller crop"):
        at_pixel_size(cells_of([0.5], crop=32, side=32), 2.0)


def test_boxes_with_sizes_of_their_own_are_refused(cells_of, tmp_path):
    with pytest.raises(DataError, match="fixed side"):
        at_pixel_size(cells_of([0.5], crop=8, side=16), 1.0)
    with pytest.raises(DataError, match="pixel_size is for cells cut out with a fixed side"):
        open_dataset(written(tmp_path, [1.0], "pixel_size = 1.0\nsize = 8", origin="tile"))


@pytest.mark.parametrize("value", ["0", "-1", '"a"', "nan"])
def test_a_size_that_is_none_is_refused(tmp_path, value):
    with pytest.raises(DataError, match=r"pixel_size"):
        open_dataset(written(tmp_path, [1.0], f"pixel_size = {value}"))


def test_sets_of_other_pixel_sizes_are_said_and_can_be_brought_to_one(tmp_path):
    parts = []
    for name, size in (("coarse", 1.0), ("fine", 0.5)):
        (tmp_path / name).mkdir()
        parts.append(open_dataset(written(tmp_path / name, [size, size])))
    both = Cells.together(parts)
    (line,) = [line for line in both.warnings if "pixel size" in line]
    assert line.startswith("crops differ in pixel size: 2 of 0.5 µm, 2 of 1 µm;")
    assert "cells.at_pixel_size(1)" in line
    same = both.at_pixel_size(1.0)
    assert not any("pixel size" in line for line in same.warnings)
    assert pixel_sizes(same) == {1.0: 4}
    crops = same.read()
    assert area(crops[3]) == pytest.approx(area(crops[0]), rel=0.1)
    # Of sets that were resampled nothing is said.
    again = Cells.together([part.at_pixel_size(1.0) for part in parts])
    assert not any("pixel size" in line for line in again.warnings)
