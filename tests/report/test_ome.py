"""Planes go to disk with their place in the world, and come back the same."""

import numpy as np
import pytest
import tifffile
import zarr

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.errors import SaveError
from napari_channelmix.report.ome import PlaneImage, write_ome_tiff, write_ome_zarr

IMAGE = PlaneImage(
    "predicted",
    np.arange(12, dtype=np.uint8).reshape(3, 4),
    (0.5, 0.25),
    (10.0, -20.0),
    "micrometer",
    {1: "a<b>", 2: "c"},
    {1: (230, 159, 0, 255)},
)


def test_ome_tiff_has_pixels_scale_place_and_classes(tmp_path):
    path = write_ome_tiff(IMAGE, tmp_path / "predicted.ome.tif")
    np.testing.assert_array_equal(tifffile.imread(path), IMAGE.data)
    found = open_image(path)
    assert found.pixel_size == (0.5, 0.25)
    with tifffile.TiffFile(path) as file:
        said = tifffile.xml2dict(file.ome_metadata)["OME"]["Image"]
    assert said["Pixels"]["PhysicalSizeXUnit"] == "µm"
    assert (said["Pixels"]["Plane"]["PositionY"], said["Pixels"]["Plane"]["PositionX"]) == (10, -20)
    assert "a<b>" in said["Description"]


def test_ome_zarr_is_as_the_specification_has_it(tmp_path):
    group = zarr.open_group(write_ome_zarr(IMAGE, tmp_path / "predicted.ome.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][:], IMAGE.data)
    assert group["0"].metadata.dimension_names == ("y", "x")
    said = group.attrs["ome"]
    assert said["version"] == "0.5"
    (scales,) = said["multiscales"]
    assert scales["axes"] == [
        {"name": name, "type": "space", "unit": "micrometer"} for name in "yx"
    ]
    assert scales["datasets"] == [
        {
            "path": "0",
            "coordinateTransformations": [
                {"type": "scale", "scale": [0.5, 0.25]},
                {"type": "translation", "translation": [10.0, -20.0]},
            ],
        }
    ]
    assert said["image-label"]["properties"][0] == {"label-value": 1, "class": "a<b>"}


def test_pixels_without_a_unit_have_none(tmp_path):
    plain = PlaneImage("map", np.zeros((2, 2)), unit="pixel")
    group = zarr.open_group(write_ome_zarr(plain, tmp_path / "map.ome.zarr"), mode="r")
    assert group.attrs["ome"]["multiscales"][0]["axes"][0] == {"name": "y", "type": "space"}
    assert "image-label" not in group.attrs["ome"]


@pytest.mark.parametrize("dtype", [bool, np.int64, np.float16, np.float64, np.uint32])
def test_every_type_of_layer_can_be_written(tmp_path, dtype):
    data = np.eye(3, dtype=dtype)
    image = PlaneImage("x", data)
    np.testing.assert_array_equal(tifffile.imread(write_ome_tiff(image, tmp_path / "x.tif")), data)
    group = zarr.open_group(write_ome_zarr(image, tmp_path / "x.zarr"), mode="r")
    np.testing.assert_array_equal(group["0"][:], data)


@pytest.mark.parametrize("value", [-7, 2**31 - 1, 2**31 + 5, 2**40])
def test_large_label_values_keep_their_value(tmp_path, value):
    image = PlaneImage("x", np.array([[0, value]], dtype=np.int64))
    found = tifffile.imread(write_ome_tiff(image, tmp_path / "x.tif"))
    assert found.ravel().tolist() == [0, value]
    group = zarr.open_group(write_ome_zarr(image, tmp_path / "x.zarr"), mode="r")
    assert group["0"][:].ravel().tolist() == [0, value]


def test_an_export_that_fails_leaves_the_one_before(tmp_path, monkeypatch):
    path = write_ome_zarr(PlaneImage("x", np.ones((2, 2))), tmp_path / "x.ome.zarr")
    whole = type(path).replace

    def refuse(self, target):
        if self.suffix == ".part":
            raise OSError(28, "No space left on device")
        return whole(self, target)

    monkeypatch.setattr(type(path), "replace", refuse)
    with pytest.raises(SaveError, match="No space left"):
        write_ome_zarr(PlaneImage("x", np.zeros((9, 9))), path)
    assert zarr.open_group(path, mode="r")["0"].shape == (2, 2)
    assert [one.name for one in tmp_path.iterdir()] == ["x.ome.zarr"]


def test_a_second_export_takes_the_place_of_the_first(tmp_path):
    path = tmp_path / "x.ome.zarr"
    write_ome_zarr(PlaneImage("x", np.zeros((9, 9))), path)
    write_ome_zarr(PlaneImage("x", np.ones((2, 2))), path)
    assert zarr.open_group(path, mode="r")["0"].shape == (2, 2)
    assert [one.name for one in tmp_path.iterdir()] == ["x.ome.zarr"]


def test_a_folder_of_the_user_is_never_replaced(tmp_path):
    folder = tmp_path / "x.ome.zarr"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(SaveError, match="is no OME-Zarr"):
        write_ome_zarr(IMAGE, folder)
    assert (folder / "mine.txt").read_text() == "mine"


def test_large_ids_are_kept_exactly_or_refused(tmp_path):
    ids = np.array([[0, 2**40], [2**53, 2**53 + 1]])
    image = PlaneImage("cells", ids)
    group = zarr.open_group(write_ome_zarr(image, tmp_path / "cells.ome.zarr"), mode="r")
    assert group["0"][:].tolist() == ids.tolist()
    with pytest.raises(SaveError, match="OME-TIFF holds no whole numbers as large as 90071992547"):
        write_ome_tiff(image, tmp_path / "cells.ome.tif")
    few = PlaneImage("cells", np.minimum(ids, 2**40))
    back = tifffile.imread(write_ome_tiff(few, tmp_path / "few.ome.tif"))
    assert back.tolist() == few.data.tolist()
