"""Classes and ids in the features of layers, whatever the order of their rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from napari.layers import Labels, Points

from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.layers import (
    FeatureTable,
    classes_in_column,
    columns_of,
    id_columns_of,
    label_ids,
    point_ids,
    point_rows,
)


def labelled(*ids: int, **columns: object) -> Labels:
    return Labels(np.array([[0, *ids]]), features=pd.DataFrame(columns), name="mask")


def test_classes_of_a_table_keyed_by_label_without_a_background_row() -> None:
    four = labelled(1, 2, 3, 4, label=[1, 2, 3, 4], cls=list("abcd"))
    assert classes_in_column(four, "cls") == {1: "a", 2: "b", 3: "c", 4: "d"}


def test_rows_without_an_id_are_left_out_with_a_warning() -> None:
    four = labelled(1, 2, 3, 4, index=[np.nan, 1, 2, 3], cls=list("abcd"))
    result = FeatureTable.of(four).classes("cls", label_ids(four))
    assert result.classes == {1: "b", 2: "c", 3: "d"}
    assert result.warnings == (
        "features of layer 'mask', column 'index': 1 of 4 rows have no id; left out",
        "1 cell has no class in column 'cls' of 'mask'",
    )


def test_rows_in_no_order_at_all_and_of_other_labels() -> None:
    sparse = labelled(7, 2**40, 5, object=[2**40, 3, 5, 7], cls=list("xyzz"))
    result = FeatureTable.of(sparse).classes("cls", label_ids(sparse))
    assert result.classes == {2**40: "x", 5: "z", 7: "z"}
    assert "1 of 4 rows are of no cell that is used (first: id 3)" in result.warnings[0]


def test_a_table_that_names_no_cell_is_refused() -> None:
    with pytest.raises(DataError, match=r"layer 'mask': no column says which cell.*'index'"):
        classes_in_column(labelled(1, 2, 3, 4, cls=list("abcd")), "cls")
    # The layer's largest label counts, also where it lies in another slice.
    stack = Labels(np.array([[[0, 1, 2]], [[0, 3, 9]]]), features={"cls": ["", *"abc"]})
    with pytest.raises(DataError, match=r"up to 9 \(10 rows\)"):
        classes_in_column(stack, "cls")
    with pytest.raises(DataError, match=r"none of its ids is a label.*labels are 1 to 2"):
        classes_in_column(labelled(1, 2, index=[101, 102], cls=["a", "b"]), "cls")


def test_background_and_all_labels_in_order_are_napari_s_own_way() -> None:
    assert classes_in_column(labelled(1, 3, cls=["", "a", "b", "c"]), "cls") == {1: "a", 3: "c"}


def test_classes_are_one_where_they_read_alike() -> None:
    texts = labelled(1, 2, 3, 4, index=[1, 2, 3, 4], cls=["pos", " pos ", "NA", "Pos"])
    result = FeatureTable.of(texts).classes("cls", label_ids(texts))
    assert result.classes == {4: "Pos", 1: "pos", 2: "pos"}
    assert any(
        "'Pos' (1 cell) and 'pos' (2 cells) differ only in case" in line for line in result.warnings
    )
    numbers = labelled(1, 2, 3, index=[1, 2, 3], cls=[1.0, 2.0, np.nan])
    assert classes_in_column(numbers, "cls") == {1: "1", 2: "2"}


def test_columns_with_classes_are_text_or_few_whole_numbers() -> None:
    features = {
        "index": [3, 5, 9],
        "kind": ["b", "a", ""],
        "dose": [1, 2, 2],
        "area": [1.5, 2.5, 3.1],
    }
    mask = labelled(3, 5, 9, **features)
    assert columns_of(mask) == ("kind", "dose")
    assert classes_in_column(mask, "kind") == {5: "a", 3: "b"}
    assert classes_in_column(mask, "dose") == {3: "1", 5: "2", 9: "2"}
    with pytest.raises(DataError, match="no features column 'type'"):
        classes_in_column(mask, "type")
    # Of two columns that may be ids one may hold classes; the user says which holds ids.
    both = labelled(1, 2, 3, index=[1, 2, 3], label=[0, 1, 1])
    assert columns_of(both) == ("label",) and id_columns_of(both) == ("index", "label")
    assert classes_in_column(both, "label") == {1: "0", 2: "1", 3: "1"}


def test_results_are_offered_as_no_classes_but_what_the_user_gave_is() -> None:
    mask = labelled(1, 2, label=[2, 1], kind=["a", "b"])
    columns = {"class": ["x", "y"], "predicted": ["x", "x"], "probability": [1, 1]}
    layers.write_features(mask, np.array([1, 2]), columns, part="classes")
    assert columns_of(mask) == ("kind", "class") and id_columns_of(mask) == ("label",)
    assert classes_in_column(mask, "class") == {1: "x", 2: "y"}


def test_the_row_of_a_point_is_the_point_whatever_its_ids_are() -> None:
    spots = Points(np.eye(2), features={"object": [7, 3], "kind": ["a", "b"]}, name="spots")
    assert classes_in_column(spots, "kind") == {0: "a", 1: "b"}
    ids, column = point_ids(spots)
    assert ids.tolist() == [7, 3] and column == "object"
    assert point_rows(spots, np.array([3, 7, 4]), column).tolist() == [1, 0, -1]


def test_points_without_ids_of_their_own_are_known_by_their_rows() -> None:
    twice = Points(np.eye(2), features={"label": [1, 1]}, name="spots")
    assert point_ids(twice)[0].tolist() == [0, 1] and point_ids(twice)[1] is None
    with pytest.raises(DataError, match="'label' does not give each point an id of its own"):
        point_ids(twice, "label")
    assert point_rows(twice, np.array([1, 5]), None).tolist() == [1, -1]


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"phenotype": ["a", "b", "a", "b"]}, "phenotype"),
        ({"CellType": [1, 2, 1, 2], "area": [1.5, 2.5, 3.5, 4.5]}, "CellType"),
        # Texts without a word for classes: where each is there twice.
        ({"drug": ["x", "y", "x", "y"]}, "drug"),
        ({"note": ["x", "y", "z", "w"]}, None),
        # Where a cell is from is no class.
        ({"well": ["A1", "A1", "B2", "B2"]}, None),
        ({"drug": ["x", "y", "x", "y"], "stain": ["x", "y", "x", "y"]}, None),
        ({"class": ["a", "a", "a", "a"]}, None),
        ({"class": ["a", "b", "a", "b"], "treatment": ["x", "y", "x", "y"]}, None),
        ({"count": [1, 2, 1, 2]}, None),
    ],
)
def test_a_column_of_classes_is_proposed_where_it_is_sure(
    columns: dict[str, list[object]], expected: str | None
) -> None:
    points = Points(np.zeros((4, 2)), features=pd.DataFrame(columns))
    assert layers.class_column_of(points) == expected
