"""Tables with a row for each id in each plane: which column says it, and from which number."""

from __future__ import annotations

import pandas as pd
import pytest

from napari_channelmix.data.plane_rows import plane_column, rows_by_plane
from napari_channelmix.errors import DataError

# Id 5 in the planes 0 and 1, id 9 in plane 1.
IDS = {0: [5], 1: [5, 9], 2: []}


@pytest.mark.parametrize(
    ("columns", "axis", "expected"),
    [
        (["label", "frame"], "t", "frame"),
        (["label", "Time Point"], "axis 0", "Time Point"),
        (["label", "z", "t"], "z", "z"),
        # Which of two an axis without a name is cannot be known.
        (["label", "z", "t"], "axis 0", None),
        (["label", "z"], "t", None),
        (["label", "area"], "t", None),
    ],
)
def test_the_column_of_planes_is_known_by_its_name(
    columns: list[str], axis: str, expected: str | None
) -> None:
    assert plane_column(pd.DataFrame({name: [1, 2] for name in columns}), axis) == expected


def test_a_column_of_texts_or_decimals_names_no_planes() -> None:
    assert plane_column(pd.DataFrame({"time": ["early", "late"]}), "t") is None
    assert plane_column(pd.DataFrame({"time": [0.5, 1.0]}), "t") is None


@pytest.mark.parametrize("first", [0, 1])
def test_planes_count_from_where_more_rows_fit(first: int) -> None:
    table = pd.DataFrame({"label": [9, 5, 5], "frame": [1 + first, first, 1 + first]})
    result = rows_by_plane(table, "frame", "label", IDS, what="features")
    assert result.first == first and result.planes.tolist() == [1, 0, 1]
    assert result.rows(1).tolist() == [0, 2]
    expected = f"features: rows are of the plane in column 'frame', counted from {first}"
    assert result.text("features") == expected


def test_from_zero_where_both_fit() -> None:
    table = pd.DataFrame({"label": [5], "frame": [1]})
    assert rows_by_plane(table, "frame", "label", IDS, what="features").first == 0


def test_rows_that_fit_neither_numbering_are_refused() -> None:
    table = pd.DataFrame({"label": [5, 9, 9], "frame": [7, 0, 5]})
    with pytest.raises(DataError, match=r"from 0 \(0% of the rows\) nor from 1 \(0%\)"):
        rows_by_plane(table, "frame", "label", IDS, what="features")
    with pytest.raises(DataError, match="none names the id of each row"):
        rows_by_plane(table, "frame", None, IDS, what="features")
