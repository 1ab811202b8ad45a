"""Tables of points and classes become points over an image layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.layers import Image

from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers.table_points import POSITIONS

ODD = {
    "scale": (3.0, 0.5, 0.25),
    "translate": (7.0, 10.0, -20.0),
    "affine": [[1, 0, 0, 2], [0, 1, 0.2, 4], [0, 0, 1, 0], [0, 0, 0, 1]],
    "units": ("um",) * 3,
    "axis_labels": ("c", "rows", "columns"),
}


def image(**options: Any) -> Any:
    return Image(np.zeros((3, 32, 36)), name="DNA", **(ODD | options))


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "cells.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_points_lie_on_their_pixels_with_all_other_columns(tmp_path: Path) -> None:
    path = table(tmp_path, "id,y,x,class,area\n7,3,5.5,live,10.5\n8,31,0,dead,\n")
    reference = image()
    points = layers.points_of_table(path, reference)
    np.testing.assert_array_equal(points.data, [[3, 5.5], [31, 0]])
    np.testing.assert_allclose(
        points.data_to_world((3, 5.5)), reference.data_to_world((0, 3, 5.5))[1:]
    )
    assert points.axis_labels == ("rows", "columns") and points.name == "cells"
    assert points.features["class"].tolist() == ["live", "dead"]
    assert points.features["id"].tolist() == [7, 8] and points.features["area"].isna().tolist() == [
        False,
        True,
    ]
    assert points.metadata[POSITIONS] == "y from 'y', x from 'x', in pixels"
    assert layers.class_column_of(points) == "class"


def test_rows_outside_the_image_are_left_out_and_counted(tmp_path: Path) -> None:
    points = layers.points_of_table(table(tmp_path, "y,x\n3,5\n40,5\n-9,2\n"), image())
    assert points.metadata[POSITIONS].endswith("; 2 rows outside the image left out")
    assert points.data.tolist() == [[3, 5]] and len(points.features) == 1


def test_micrometres_become_pixels_of_the_layer(tmp_path: Path) -> None:
    path = table(tmp_path, "Centroid X µm;Centroid Y µm;Class\n1,5;2,5;a\n0,25;0;b\n")
    points = layers.points_of_table(path, image())
    # Pixels of 0.5 x 0.25 micrometres.
    np.testing.assert_allclose(points.data, [[5, 6], [0, 1]])
    assert "in µm" in points.metadata[POSITIONS]
    with pytest.raises(DataError, match="pixel size of layer 'DNA' is not known"):
        layers.points_of_table(path, image(units=("pixel",) * 3))


def test_rows_of_other_images_are_left_out(viewer: Any, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "b.tif", np.zeros((32, 36), np.uint8))
    layer = viewer.open(tmp_path / "b.tif", plugin="napari")[0]
    path = table(tmp_path, "image,y,x\nimages\\a.tif,1,2\nimages\\b.tif,3,4\n")
    points = layers.points_of_table(path, layer)
    np.testing.assert_array_equal(points.data, [[3, 4]])
    assert "1 row of other images left out" in points.metadata[POSITIONS]
    path = table(tmp_path, "image,y,x\na.tif,1,2\nc.tif,3,4\n")
    with pytest.raises(DataError, match=r"names 2 images.*none of them"):
        layers.points_of_table(path, layer)


def test_what_cannot_be_positions_is_refused_in_a_line(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3, column 'x'"):
        layers.points_of_table(table(tmp_path, "y,x\n1,2\n3,left\n"), image())
    with pytest.raises(DataError, match="none of its 1 position lies in layer 'DNA'"):
        layers.points_of_table(table(tmp_path, "y,x\n1000,2000\n"), image())
    with pytest.raises(DataError, match="no columns of positions"):
        layers.points_of_table(table(tmp_path, "id,area\n1,2\n"), image())
