"""DataFrames as tables of texts: missing values, numbers, names of rows and columns."""

from __future__ import annotations

from pathlib import PureWindowsPath

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data.frame_table import table_of_frame
from napari_channelmix.errors import DataError


def test_values_are_the_texts_that_a_csv_file_would_hold() -> None:
    frame = pd.DataFrame(
        {
            "ImageNumber": [1.0, np.nan, 12.0],
            "area": [1.5, 2.0, np.nan],
            "ObjectNumber": pd.array([1, None, 3], dtype="Int64"),
            "class": pd.Categorical(["live", None, "dead"]),
            "path": [PureWindowsPath("a\\b.tif"), "c.tif", None],
            "keep": [True, False, True],
        }
    )
    rows = table_of_frame(frame, "cells").rows
    assert rows["ImageNumber"].tolist() == ["1", "", "12"]
    assert rows["area"].tolist() == ["1.5", "2.0", ""]
    assert rows["ObjectNumber"].tolist() == ["1", "", "3"]
    assert rows["class"].tolist() == ["live", "", "dead"]
    assert rows["path"].tolist() == ["a/b.tif", "c.tif", ""]
    assert rows["keep"].tolist() == ["True", "False", "True"]


def test_rows_are_called_by_an_index_that_tells_them_apart() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.Index(["B03", "C11"], name="well"))
    assert table_of_frame(frame, "t").rows.index.tolist() == ["B03", "C11"]
    frame.index = pd.Index(["B03", "B03"], name="well")
    rows = table_of_frame(frame, "t").rows
    assert rows.index.tolist() == [0, 1] and rows.index.name is None


def test_columns_of_one_name_are_refused_only_where_they_are_asked_for() -> None:
    frame = pd.DataFrame([[1, 2, 3]], columns=["x", "x ", 7])
    table = table_of_frame(frame, "cells")
    assert table.rows.columns.tolist() == ["x", "x.1", "7"]
    assert table.column("7") == "7"
    with pytest.raises(DataError, match="cells: two columns are called 'x'"):
        table.column("x")


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ([1, 2], "cells: must be a pandas DataFrame, not list"),
        (
            pd.DataFrame([[1]], columns=pd.MultiIndex.from_tuples([("a", "b")])),
            "cells: its columns have 2 levels; give each one name",
        ),
    ],
)
def test_what_is_no_plain_table_is_refused(frame: object, says: str) -> None:
    with pytest.raises(DataError) as error:
        table_of_frame(frame, "cells")  # type: ignore[arg-type]
    assert str(error.value) == says
