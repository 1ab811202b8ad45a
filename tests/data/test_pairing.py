"""Rows of a table and cells are paired by ids."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data.pairing import id_columns, pair_rows
from napari_channelmix.errors import DataError

IDS = np.array([1, 2, 3, 4])


def table(**columns: object) -> pd.DataFrame:
    return pd.DataFrame(columns)


@pytest.mark.parametrize(
    "name",
    ["index", "label", "Label", "object", "ObjectNumber", "Object Number", "object_id", "LABEL_ID"],
)
def test_rows_in_any_order_are_found_by_a_column_of_ids(name: str) -> None:
    paired = pair_rows(table(**{"area": list("cadb"), name: [3, 1, 4, 2]}), IDS)
    assert paired.rows.tolist() == [1, 3, 0, 2] and paired.column == name


def test_a_table_without_a_background_row_and_without_ids_is_refused() -> None:
    with pytest.raises(DataError, match=r"4 rows is about.*up to 4 \(5 rows\).*column 'index'"):
        pair_rows(table(kind=list("abcd")), IDS)


def test_background_and_all_ids_in_order_need_no_column() -> None:
    paired = pair_rows(table(kind=["", *"abcd"]), IDS)
    assert paired.rows.tolist() == [1, 2, 3, 4] and paired.column is None
    # Some cells only, of a layer that has more.
    assert pair_rows(table(kind=["", *"abcd"]), [2], largest=4).rows.tolist() == [2]
    with pytest.raises(DataError, match="add a column 'index'"):
        pair_rows(table(kind=["", *"abcd"]), [2])


def test_rows_without_an_id_are_left_out_and_counted() -> None:
    paired = pair_rows(table(index=[np.nan, 1, 2, 3], kind=list("abcd")), IDS)
    assert paired.rows.tolist() == [1, 2, 3, -1] and paired.without_id == 1
    (line,) = paired.warnings("layer 'mask'")
    assert line == "layer 'mask', column 'index': 1 of 4 rows have no id; left out"
    texts = table(label=["1", "", "NA", "4.0"], kind=list("abcd"))
    paired = pair_rows(texts, IDS)
    assert paired.rows.tolist() == [0, -1, -1, 3] and paired.without_id == 2


def test_rows_of_no_cell_are_counted() -> None:
    paired = pair_rows(table(index=[0, 1, 7, 9], kind=list("abcd")), IDS)
    assert paired.unknown == 2 and paired.first_unknown == 7
    assert "2 of 4 rows are of no cell that is used (first: id 7)" in paired.warnings("x")[0]


def test_two_columns_that_disagree_are_refused_until_one_is_chosen() -> None:
    both = table(index=[0, 1, 2, 3], label=[1, 2, 3, 4], kind=list("abcd"))
    with pytest.raises(DataError, match=r"'index' and 'label'.*4 of 4 rows \(row 0: 0 and 1\)"):
        pair_rows(both, IDS)
    assert pair_rows(both, IDS, column="label").rows.tolist() == [0, 1, 2, 3]
    same = table(index=[1, 2, 3, 4], label=[1.0, 2.0, 3.0, 4.0])
    assert pair_rows(same, IDS).column == "index"


def test_a_column_that_is_called_like_an_id_may_hold_classes() -> None:
    texts = table(label=list("abab"), index=[4, 3, 2, 1])
    assert id_columns(texts) == ("index",)
    assert pair_rows(texts, IDS, values=["label"]).rows.tolist() == [3, 2, 1, 0]
    codes = table(label=[0, 1, 0, 1], index=[4, 3, 2, 1])
    with pytest.raises(DataError, match="choose the one"):
        pair_rows(codes, IDS)
    # While classes are read from it, it holds no ids.
    assert pair_rows(codes, IDS, values=["label"]).column == "index"


def test_row_numbers_from_zero_are_no_ids() -> None:
    with pytest.raises(DataError, match="counts rows from 0 to 3, while the ids are 1 to 4"):
        pair_rows(table(index=[0, 1, 2, 3], kind=list("abcd")), IDS)
    # A row of the background says nothing, and the last cell may have none.
    paired = pair_rows(table(index=[0, 1, 2, 3], kind=["", *"bcd"]), IDS)
    assert paired.rows.tolist() == [1, 2, 3, -1]


def test_rows_of_one_id_must_agree() -> None:
    twice = table(index=[1, 2, 2, 3, 4], kind=list("abbcd"))
    paired = pair_rows(twice, IDS)
    assert paired.rows.tolist() == [0, 1, 3, 4] and paired.repeated == 1
    with pytest.raises(DataError, match=r"rows 1 and 2 are both of id 2.*'kind' says 'b' and 'x'"):
        pair_rows(table(index=[1, 2, 2, 3, 4], kind=list("abxcd")), IDS)
    # What is not read may differ, and a row without a class contradicts nothing.
    sizes = table(index=[1, 2, 2, 3], kind=["a", "", "b", "c"], area=[1.0, 2.0, 3.0, 4.0])
    assert pair_rows(sizes, IDS, values=["kind"]).rows.tolist() == [0, 2, 3, -1]
    with pytest.raises(DataError, match="'area' says '2' and '3'"):
        pair_rows(sizes, IDS)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["1", "2", "x"], "row 2: 'x' is not a whole number"),
        (["1,000", "2", "3"], "row 0: '1,000' is not a whole number"),
        ([1.0, 2.0, float(2**53)], "row 2: 9007199254740992 is a decimal number"),
        (np.array([1, 2, 2**64 - 1], np.uint64), "is too large"),
    ],
)
def test_ids_that_are_none_are_refused_not_replaced_by_positions(
    values: object, message: str
) -> None:
    with pytest.raises(DataError, match=message):
        pair_rows(table(index=values, kind=["", "a", "b"]), [1, 2])


def test_a_chosen_column_must_hold_ids() -> None:
    with pytest.raises(DataError, match=r"column 'area', row 0: '1.5' is not a whole number"):
        pair_rows(table(area=[1.5, 2.0]), [1, 2], column="area")
    with pytest.raises(DataError, match="has no column 'id'; it has area"):
        pair_rows(table(area=[1.5, 2.0]), [1, 2], column="id")


def test_large_ids_are_exact() -> None:
    top = 2**62 + 1
    paired = pair_rows(table(label=[top, top - 1], kind=["a", "b"]), [top - 1, top])
    assert paired.rows.tolist() == [1, 0]
    nullable = pd.DataFrame({"index": pd.array([top, None], dtype="Int64"), "kind": ["a", "b"]})
    paired = pair_rows(nullable, [top])
    assert paired.rows.tolist() == [0] and paired.without_id == 1


def test_a_hundred_thousand_rows_take_no_time() -> None:
    import time

    many = np.arange(1, 100_001)
    start = time.perf_counter()
    pair_rows(table(label=many[::-1].astype(float), area=many * 0.5), many)
    assert time.perf_counter() - start < 3
