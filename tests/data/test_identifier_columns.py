"""The user's own columns go with the cells, and into the tables that are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.data.identifier_columns import key_columns, named_keys
from napari_channelmix.data.write_dataset import save_dataset
from napari_channelmix.errors import DataError


def test_names_and_whole_numbers_are_keys_and_measurements_are_not() -> None:
    rows = pd.DataFrame(
        {
            "ImageNumber": ["1", "2"],
            "area": ["10.5", "11.25"],
            "well": ["A1", "A2"],
            "dose": ["0.5", "0.5"],
            "file": ["a.tif", "b.tif"],
            "ratio": ["1e-3", "nan"],
            "empty": ["", ""],
        }
    )
    assert key_columns(rows, {"file"}) == ["ImageNumber", "well"]
    assert key_columns(rows, {"file"}, ("dose",)) == ["ImageNumber", "well", "dose"]


def test_of_many_columns_twenty_are_kept_those_of_whole_groups_first() -> None:
    rows = pd.DataFrame({f"c{i}": [str(i)] for i in range(30)} | {"dose": ["0.5"]})
    chosen = key_columns(rows, (), ("dose",))
    assert len(chosen) == 20
    assert chosen[-1] == "dose"


def test_keys_follow_the_cells_through_subsets_sets_together_and_files(
    write_set: Any, tmp_path: Any
) -> None:
    rows = [
        {
            "well": f"W{i}",
            "label": "ab"[i % 2],
            "dna": f"dna{i}.tif",
            "gfp": f"gfp{i}.tif",
            "mask": f"mask{i}.tif",
            "ImageNumber": i + 7,
            "score": i + 0.5,
        }
        for i in range(4)
    ]
    file = write_set(
        "[channels]",
        'DNA = "dna"',
        'GFP = "gfp"',
        "[cells]",
        'from = "mask"',
        'column = "mask"',
        "crop = 16",
        rows=rows,
    )
    cells = open_dataset(file)
    assert list(cells.keys.columns) == ["well", "ImageNumber"]
    assert cells.keys["ImageNumber"].tolist() == [str(7 + i // 6) for i in range(24)]
    assert cells.subset([23, 0]).keys["well"].tolist() == ["W3", "W0"]
    bare = Cells.from_array(cells.read([0]), cells.channels, name="bare")
    both = Cells.together([cells, bare])
    assert both.keys["well"].tolist()[-2:] == ["W3", ""]
    again = open_dataset(save_dataset(cells, tmp_path / "copy"))
    assert again.keys["ImageNumber"].tolist() == cells.keys["ImageNumber"].tolist()
    assert cells.signature == cells.subset(slice(None)).signature


def test_a_column_called_like_one_of_ours_keeps_apart() -> None:
    keys = pd.DataFrame({"object": ["a"], "plate": ["p"]})
    assert list(named_keys(keys, {"object", "y"})) == ["object (table)", "plate"]
    both = pd.DataFrame({"object": ["a"], "object (table)": ["b"]})
    named = {name: texts.tolist() for name, texts in named_keys(both, {"object", "y"}).items()}
    assert named == {"object (table 2)": ["a"], "object (table)": ["b"]}
    assert Cells.from_array([[[[1.0, 2], [3, 4]]]], ["x"]).keys.shape == (1, 0)  # type: ignore[arg-type]


def test_columns_of_ids_and_groups_are_kept_among_hundreds_of_others() -> None:
    rows = pd.DataFrame({f"count {i}": [str(i)] for i in range(30)} | {"ObjectNumber": ["3"]})
    chosen = key_columns(rows, (), always={"ObjectNumber"})
    assert len(chosen) == 20 and "ObjectNumber" in chosen


def test_a_column_of_the_users_is_not_lost_where_ours_has_its_name(tmp_path: Any) -> None:
    planes = [np.arange(400.0).reshape(20, 20)]
    bare = Cells.from_points(planes, ["DNA"], [(9, 8), (5, 6)], crop=8)
    cells = bare.with_keys(pd.DataFrame({"group": ["a", "b"], "cell_id": [5.0, np.nan]}))
    assert cells.keys.to_dict("list") == {"group": ["a", "b"], "cell_id": ["5", ""]}
    again = open_dataset(save_dataset(cells, tmp_path / "copy"))
    assert again.keys["group (table)"].tolist() == ["a", "b"]
    assert again.keys["cell_id"].tolist() == ["5", ""]
    with pytest.raises(DataError, match="image: 1 rows of keys for 2 cells"):
        bare.with_keys(pd.DataFrame({"a": [1]}))
