"""Tables of somebody else: which rows name which cells, and what is wrong with a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.annotation_import import cells_at, import_job
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def plate() -> Cells:
    return synthetic_plate(0, wells=4, cells_per_well=8, side=128, crop=24).cells


def read(path: Path, cells: Cells, text: str, how: Any = "object", **more: Any) -> Any:
    (path / "table.csv").write_text(text)
    return drain(import_job(path / "table.csv", cells, how, **more))


def test_rows_are_told_apart_by_their_field(plate: Cells, tmp_path: Path) -> None:
    text = (
        "Field,area,object,class\nA01,9,1,a\nB02,9,1,b\n,9,2,c\nC07,9,1,d\nA01,9,99,e\nA01,9,3,\n"
    )
    found = read(tmp_path, plate, text, here=1)
    assert dict(zip(found.at.tolist(), found.classes, strict=True)) == {0: "a", 24: "b", 9: "c"}
    assert found.in_words() == (
        "6 rows: 3 match cells, 2 match none (first: line 5, object 1, field 'C07' is unknown); "
        "1 have no class and are passed over."
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_may_be_divided_by_commas_semicolons_or_tabs(
    plate: Cells, tmp_path: Path, separator: str
) -> None:
    text = "object,area,class\n1,9,a\n2,9,b\n".replace(",", separator)
    assert read(tmp_path, plate, text, here=0).classes == ("a", "b")


def test_the_last_row_of_a_cell_counts(plate: Cells, tmp_path: Path) -> None:
    found = read(tmp_path, plate, "object,class\n1,a\n2,b\n1,c\n", here=0)
    assert dict(zip(found.at.tolist(), found.classes, strict=True)) == {0: "c", 1: "b"}
    assert "1 name a cell again; the last row counts" in found.in_words()


def test_a_point_is_of_the_outline_around_it_else_of_the_nearest_box(plate: Cells) -> None:
    labels = plate.fields[2].labels
    for cell in np.flatnonzero(plate.table["field"] == 2)[:4]:
        inside = np.argwhere(labels == plate.table["object"][cell])
        points = inside[[0, -1]] + np.array([[0.4, -0.4]])
        assert cells_at(plate, 2, points.astype(float)).tolist() == [cell, cell]
    far = np.array([[-500.0, 3.0], [3.0, 5000.0]])
    assert cells_at(plate, 2, far).tolist() == [-1, -1]


def test_overlapping_boxes_without_outlines() -> None:
    picture = np.zeros((60, 60), np.uint8)
    cells = Cells.from_points([picture], ["one"], [(20, 20), (20, 28)], crop=16)
    points = [(20.0, 23.0), (20.0, 25.0), (20.0, 12.4), (20.0, 11.4), (27.4, 35.4), (28.6, 30.0)]
    assert cells_at(cells, 0, np.array(points)).tolist() == [0, 1, 0, -1, 1, -1]


def test_positions_may_be_in_another_unit(plate: Cells, tmp_path: Path) -> None:
    middles = [np.argwhere(plate.fields[f].labels == 1).mean(axis=0) * 0.65 for f in (0, 3)]
    text = "field;y;x;class\n" + "".join(
        f"{name};{y:.3f};{x:.3f};a\n".replace(".", ",")
        for name, (y, x) in zip(("A01", "B02"), middles, strict=True)
    )
    asked: list[int] = []

    def pixels(field: int, points: Any) -> Any:
        asked.append(field)
        return points / 0.65

    found = read(tmp_path, plate, text, "position", pixels=pixels)
    assert found.at.tolist() == [0, 24] and asked == [0, 3]


@pytest.mark.parametrize(
    ("text", "how", "said"),
    [
        ("object,kind\n1,a\n", "object", "no column 'class'; it has object, kind"),
        ("y,class\n1,a\n", "position", "no column 'x'"),
        ("object,class\n1,a,b\n", "object", "lines have more columns than its first line"),
        ("object,class\n1,a\none,b\n", "object", "line 3, column 'object': 'one' is not a number"),
        ("y,x,class\n1,2,a\n\n1,inf,b\n", "position", "line 4, column 'x': 'inf' is not a number"),
        ("object,class\n" + "".join(f"{i},{i / 7}\n" for i in range(200)), "object",
         "200 different values; these look like measurements"),
    ],
)  # fmt: skip
def test_a_wrong_table_is_refused_in_a_line(
    plate: Cells, tmp_path: Path, text: str, how: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, plate, text, how)


def test_values_that_no_cell_has_say_nothing(tmp_path: Path) -> None:
    cells = Cells.from_points([np.zeros((40, 40))], ["one"], [(9, 9), (30, 30)], crop=8)
    assert read(tmp_path, cells, "object,class\n0,a\n", "object").unmatched == 1
