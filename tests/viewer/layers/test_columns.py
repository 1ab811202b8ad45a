"""Columns of ours beside those of the user's, who finds all of them unchanged."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from napari.layers import Labels, Points

from napari_channelmix.viewer.layers import own_columns, write_features

CELLS = np.array([1, 2, 3, 4])
CLASSES = list("abcd")


def mask(**columns: object) -> Labels:
    return Labels(np.arange(5).reshape(1, 5), features=pd.DataFrame(columns), name="mask")


@pytest.mark.parametrize("name", ["index", "label", "ObjectNumber"])
def test_rows_in_the_users_order_get_the_class_of_their_cell(name: str) -> None:
    theirs = pd.DataFrame(
        {
            "area": np.array([3, 1, 4, 2], np.int16),
            name: [3, 1, 4, 2],
            "site": pd.Categorical(list("qrqr")),
        }
    )
    layer = mask(**dict(theirs.items()))
    assert write_features(layer, CELLS, {"class": CLASSES}) == ""
    pd.testing.assert_frame_equal(layer.features[list(theirs.columns)], theirs)
    assert layer.features["class"].tolist() == ["c", "a", "d", "b"]


@pytest.mark.parametrize("name", ["index", "label", "ObjectNumber"])
def test_the_status_bar_shows_the_class_of_the_label_under_the_mouse(name: str) -> None:
    layer = mask(**{name: [3, 1, 4, 2]})
    write_features(layer, CELLS, {"class": CLASSES})
    for label, expected in zip(CELLS, CLASSES, strict=True):
        assert f"class: {expected}" in layer._get_properties((0, label))


def test_nothing_of_the_users_is_overwritten() -> None:
    layer = mask(index=[1, 2, 3, 4], **{"class": list("wxyz"), "class (channelmix)": [1, 2, 3, 4]})
    for _ in range(2):
        write_features(layer, CELLS, {"class": CLASSES})
        assert layer.features["class"].tolist() == list("wxyz")
        assert layer.features["class (channelmix)"].tolist() == [1, 2, 3, 4]
        assert layer.features["class (channelmix 2)"].tolist() == CLASSES
    assert own_columns(layer) == {"class (channelmix 2)"}


def test_a_table_that_the_user_puts_in_its_place_is_the_users() -> None:
    layer = mask()
    write_features(layer, CELLS, {"class": CLASSES})
    assert layer.features["class"].tolist()[1:] == CLASSES
    layer.features = pd.DataFrame({"index": CELLS, "class": list("wxyz")})
    write_features(layer, CELLS, {"class": CLASSES})
    assert layer.features["class"].tolist() == list("wxyz")
    assert layer.features["class (channelmix)"].tolist() == CLASSES
    # One that he only added a column to still holds ours.
    layer.features = layer.features.assign(mine=1)
    write_features(layer, CELLS, {"class": CLASSES[::-1]})
    assert layer.features["class (channelmix)"].tolist() == CLASSES[::-1]
    assert list(layer.features) == ["index", "class", "class (channelmix)", "mine"]


def test_cells_without_a_row_and_rows_without_a_cell_stay_so() -> None:
    layer = mask(index=[9, 2, np.nan], area=[1, 2, 3])
    write_features(layer, CELLS, {"class": CLASSES, "much": [1, 2, 3, 4]})
    assert layer.features["area"].tolist() == [1, 2, 3]
    assert layer.features["class"].isna().tolist() == [True, False, True]
    assert layer.features["class"][1] == "b" and layer.features["much"][1] == 2


def test_where_no_column_says_whose_rows_they_are_nothing_is_written() -> None:
    layer = mask(area=[1, 2, 3, 4])
    refused = write_features(layer, CELLS, {"class": CLASSES})
    assert "no column says which cell each of its 4 rows is about" in refused
    assert list(layer.features) == ["area"]
    both = mask(index=[0, 1, 2, 3], label=[1, 2, 3, 4])
    assert "choose the one" in write_features(both, CELLS, {"class": CLASSES})
    assert write_features(both, CELLS, {"class": CLASSES}, id_column="label") == ""
    assert both.features["class"].tolist() == CLASSES


def test_an_empty_table_gets_a_row_for_each_label() -> None:
    layer = mask()
    write_features(layer, CELLS[1:3], {"class": ["b", "c"]})
    assert layer.features["index"].tolist() == [0, 1, 2, 3]
    write_features(layer, CELLS, {"class": CLASSES})
    assert layer.features["class"].tolist()[1:] == CLASSES
    far = mask()
    write_features(far, np.array([5, 2**50]), {"class": ["a", "b"]})
    assert far.features["index"].tolist() == [5, 2**50]
    # Rows of ours stay known when the user adds a column.
    far.features = far.features.assign(mine=[1, 2])
    write_features(far, np.array([2**50]), {"class": ["z"]})
    assert far.features["class"].tolist()[1] == "z"


def test_parts_of_the_plugin_share_a_table() -> None:
    layer = mask()
    write_features(layer, CELLS, {"class": CLASSES}, part="classes")
    write_features(layer, CELLS, {"class": [1, 2, 3, 4], "Size": [1.5] * 4}, part="latents")
    assert layer.features["class"].tolist()[1:] == CLASSES
    assert layer.features["class (channelmix)"].tolist()[1:] == [1, 2, 3, 4]
    write_features(layer, CELLS, {"Rim": [0.5] * 4}, part="latents", whole=True)
    assert set(layer.features) == {"index", "class", "Rim"}


def points(**features: Any) -> Points:
    return Points(np.zeros((3, 2)), features=features, name="seeds")


def test_points_are_known_by_their_row_or_by_their_ids() -> None:
    layer = points(kind=list("uvw"))
    write_features(layer, np.array([0, 2]), {"class": ["a", "c"]})
    assert layer.features["class"].tolist()[::2] == ["a", "c"]
    assert layer.features["kind"].tolist() == list("uvw")
    layer = points(object=[30, 10, 20])
    write_features(layer, np.array([10, 20, 30]), {"class": list("abc")}, id_column="object")
    assert layer.features["class"].tolist() == ["c", "a", "b"]
    assert "index" not in layer.features


def test_a_table_of_labels_in_single_slices_is_left_alone() -> None:
    labels = np.zeros((2, 20, 20), np.int32)
    labels[:, 2:8, 2:8], labels[1, 12:18, 12:18] = 5, 9
    features = pd.DataFrame({"label": [5, 5, 9], "frame": [0, 1, 1], "area": [36, 36, 36]})
    layer = Labels(labels, features=features, name="mask")
    # What is true of label 5 in one slice need not be of it in the other.
    why = write_features(layer, np.array([5, 9]), {"class": ["a", "b"]})
    assert "rows are of labels in single slices (column 'frame')" in why
    assert list(layer.features.columns) == ["label", "frame", "area"]
    # A row for each label is of all its slices.
    layer.features = features.iloc[1:].reset_index(drop=True)
    assert write_features(layer, np.array([5, 9]), {"class": ["a", "b"]}) == ""
    assert layer.features["class"].tolist() == ["a", "b"]
