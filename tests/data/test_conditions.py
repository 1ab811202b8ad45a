"""What the table says of groups is kept, and goes along with the cells."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.conditions import (
    conditions_for,
    conditions_of,
    conditions_together,
)
from napari_channelmix.errors import DataError

REAL = Path(__file__).resolve().parents[3] / "shared/data/bbbc013_wortmannin/dose-series.toml"
LINES = (
    'group = "well"',
    "[channels]",
    'GFP = "gfp"',
    'DNA = "dna"',
    "[cells]",
    'from = "segment"',
    'channel = "DNA"',
    "crop = 16",
)


def test_columns_that_differ_within_a_group_say_nothing_of_it() -> None:
    rows = pd.DataFrame(
        {
            "well": ["A", "A", "B"],
            "dose": ["1", "1", ""],
            "site": ["1", "2", "1"],
            "path": list("xyz"),
        }
    )
    found = conditions_of(rows, "well", {"path"})
    assert found is not None
    assert list(found.columns) == ["dose"]
    assert found.loc["A", "dose"] == "1" and found.loc["B", "dose"] == ""
    assert conditions_of(rows, None) is None
    assert conditions_of(rows[["well", "site"]], "well") is None


def test_a_data_set_keeps_the_doses_of_its_wells(write_set: Callable[..., Path]) -> None:
    path = write_set(*LINES)
    plain = open_dataset(path)
    signature = plain.signature
    table = pd.read_csv(path.parent / "table.csv", dtype=str)
    table["dose"] = [str(10**at) for at in range(len(table))]
    table.to_csv(path.parent / "table.csv", index=False)
    cells = open_dataset(path)
    assert cells.conditions is not None
    assert cells.conditions.loc["W2", "dose"] == "100"
    assert "gfp" not in cells.conditions and "well" not in cells.conditions
    assert cells.signature == signature
    for kept in (
        cells.subset([0, 1]),
        cells.with_labels(np.zeros(len(cells)), ("one",)),
        cells.with_channels(["DNA"]),
        Cells.together([cells, cells]),
    ):
        assert kept.conditions is not None
        assert kept.conditions.loc["W2", "dose"] == "100"


def test_sets_that_contradict_each_other_leave_a_gap() -> None:
    one = pd.DataFrame({"dose": ["1", "2"]}, index=["A", "B"])
    other = pd.DataFrame({"dose": ["3"], "drug": ["x"]}, index=["B"])
    found = conditions_together([one, None, other])
    assert found is not None
    assert found.loc["A"].tolist() == ["1", ""]
    assert found.loc["B"].tolist() == ["", "x"]
    assert conditions_together([None, None]) is None


@pytest.mark.skipif(not REAL.exists(), reason="needs the shared data set BBBC013")
def test_a_real_plate_has_its_doses() -> None:
    rows = pd.read_csv(REAL.parent / "labels.csv", dtype=str, keep_default_na=False)
    found = conditions_of(rows, "well", {"gfp_path", "dna_path"})
    assert found is not None
    assert found.loc["A03", "dose_index"] == "1"
    assert {"compound", "dose_index", "label"} <= set(found.columns)


def test_rows_for_groups_in_their_order_each_once() -> None:
    frame = pd.DataFrame({"dose": ["1", "1", "2"], "plate": ["p", "p", "q"]}, index=["b", "b", "a"])
    found = conditions_for(frame, ["a", "none", "b"])
    assert found.index.tolist() == ["a", "none", "b"]
    assert found["dose"].fillna("").tolist() == ["2", "", "1"]
    frame.iloc[1, 0] = "3"
    with pytest.raises(DataError, match="several rows say different things of group 'b'"):
        conditions_for(frame, ["a", "b"])
    # Of groups that are not meant they may say what they like.
    assert conditions_for(frame, ["a"])["dose"].tolist() == ["2"]
