"""Columns of positions and their unit, by their names; asked where two fit."""

from __future__ import annotations

import pytest

from napari_channelmix.data.point_columns import PointColumns, point_columns
from napari_channelmix.errors import DataError


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ("cell_id x y", "y x "),
        ("X Y class", "Y X "),
        ("Location_Center_X Location_Center_Y", "Location_Center_Y Location_Center_X "),
        ("index axis-0 axis-1", "axis-0 axis-1 "),
        ("label centroid-0 centroid-1", "centroid-0 centroid-1 "),
        ("pos_y_um pos_x_um", "pos_y_um pos_x_um um"),
        ("y(px) x(px)", "y(px) x(px) "),
        ("CentroidX(µm) CentroidY(µm) Class", "CentroidY(µm) CentroidX(µm) µm"),
        # Plain names before others; the middle of a cell before its corner.
        ("y x CentroidY CentroidX", "y x "),
        ("min_y min_x center_y center_x", "center_y center_x "),
    ],
)
def test_names_that_programs_write(names: str, expected: str) -> None:
    assert point_columns(names.split(" ")) == PointColumns(*expected.split(" "))


def test_several_pairs_are_asked() -> None:
    names = ["nucleus_y", "nucleus_x", "cell_y", "cell_x"]
    with pytest.raises(DataError, match="several pairs of positions"):
        point_columns(names, "t.csv")
    assert point_columns(names, chosen=("cell_y", "cell_x")).y == "cell_y"
    with pytest.raises(DataError, match=r"t.csv has no column 'z'"):
        point_columns(names, "t.csv", chosen=("z", "cell_x"))


def test_no_positions_are_said_with_what_there_is() -> None:
    with pytest.raises(DataError, match=r"no columns of positions.*area, well"):
        point_columns(["area", "well"])
