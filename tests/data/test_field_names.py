"""Short names of fields of view: readable, distinct, and the same for the same files."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.field_names import distinct_names, names_of_files, short_field_names


def rows(count: int, **columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns, index=range(count))


@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["plate1_A01_w1.tif", "plate1_A02_w1.tif"], ["A01", "A02"]),
        # 'A0' begins both, but is no whole word.
        (["A01.tif", "A02.tif"], ["A01", "A02"]),
        (["day 1/a.tif", "day 1/b.tif", "day 2/a.tif"], ["1_a", "1_b", "2_a"]),
        # Nothing would be left of the first.
        (["scan.tif", "scan_2.tif"], ["scan", "scan_2"]),
        (["img_a.tif", "img_a.tif"], ["img_a", "img_a"]),
        (["x\\Zelle ä 1.png", "x\\Zelle ä 2.png"], ["1", "2"]),
    ],
)
def test_words_that_all_files_share_are_left_out(files: list[str], names: list[str]) -> None:
    assert names_of_files(files) == names


def test_plate_well_and_site_come_before_the_file() -> None:
    table = rows(3, Well=["B03", "B03", "B04"], Site=["1", "2", "1"], plate=["p"] * 3)
    files = ["a.tif", "b.tif", "c.tif"]
    assert short_field_names(table, files) == ("B03_1", "B03_2", "B04_1")
    table["plate"] = ["p", "p", "q"]
    assert short_field_names(table, files) == ("p_B03_1", "p_B03_2", "q_B04_1")
    # A well with two fields and no column that tells them apart.
    assert short_field_names(table[["Well"]], files) == ("a", "b", "c")
    table["Well"] = ["B03", "", "B04"]
    assert short_field_names(table, files) == ("a", "b", "c")


def test_planes_of_a_stack_stand_behind_its_name() -> None:
    table = rows(3, well=["B03"] * 3)
    assert short_field_names(table, ["s.tif"] * 3, ["z0", "z1", "z2"]) == (
        "B03_z0",
        "B03_z1",
        "B03_z2",
    )


def test_a_second_field_of_a_name_has_another_one() -> None:
    assert distinct_names(["a", "a", "a-2", "a"]) == ("a", "a-3", "a-2", "a-4")


def test_data_sets_put_together_keep_distinct_names() -> None:
    planes, points = [np.zeros((20, 20))], [(10, 10)]
    first = Cells.from_points(planes, ["DNA"], points, crop=8, name="monday")
    other = Cells.from_points(planes, ["DNA"], points, crop=8, name="friday")
    both = Cells.together([first, other])
    assert both.field_names == ("monday", "friday")
    again = Cells.together([both, Cells.together([first, other], "july")], "all")
    assert again.field_names == ("monday_monday", "monday_friday", "july_monday", "july_friday")
    assert again.to_frame()["field_name"].tolist() == list(again.field_names)
