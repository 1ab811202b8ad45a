"""Tables of somebody else: which rows name which cells, and what is wrong with a table."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.annotation_import import cells_at, import_job
from napari_channelmix.data.annotations import cell_centres
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
    found = read(tmp_path, plate, text, default_field=1)
    assert dict(zip(found.cell_indices.tolist(), found.classes, strict=True)) == {
        0: "a",
        24: "b",
        9: "c",
    }
    assert found.in_words() == (
        "6 rows: 3 match cells, 2 match none (first: line 5, object 1, field 'C07' is unknown); "
        "1 have no class and are passed over."
    )


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_columns_may_be_divided_by_commas_semicolons_or_tabs(
    plate: Cells, tmp_path: Path, separator: str
) -> None:
    text = "object,area,class\n1,9,a\n2,9,b\n".replace(",", separator)
    assert read(tmp_path, plate, text, default_field=0).classes == ("a", "b")


def test_rows_of_one_cell_must_agree(plate: Cells, tmp_path: Path) -> None:
    found = read(tmp_path, plate, "object,class\n1,a\n2,b\n1, a\n", default_field=0)
    assert dict(zip(found.cell_indices.tolist(), found.classes, strict=True)) == {0: "a", 1: "b"}
    assert "1 say the same of a cell again" in found.in_words()
    with pytest.raises(DataError, match=r"line 4, column 'class': .* 'c' here and 'a' in line 2"):
        read(tmp_path, plate, "object,class\n1,a\n2,b\n1,c\n", default_field=0)
    y, x = np.argwhere(plate.fields[0].labels == 1).mean(axis=0)
    with pytest.raises(DataError, match=r"line 3, column 'class': .* 'c' here and 'a' in line 2"):
        read(tmp_path, plate, f"y,x,class\n{y},{x},a\n{y + 1},{x},c\n", "position", default_field=0)


@pytest.mark.parametrize(
    "column", ["index", "Label", "ObjectNumber", "object_id", "LABEL_ID", "OBJECTID", "Cell ID"]
)
def test_ids_are_read_from_a_column_of_a_known_name(
    plate: Cells, tmp_path: Path, column: str
) -> None:
    # No row is about the cell of its place in the table; the second has no id.
    text = f"{column},class\n3,a\nNaN,b\n1,c\n"
    found = read(tmp_path, plate, text, default_field=0)
    assert dict(zip(found.cell_indices.tolist(), found.classes, strict=True)) == {2: "a", 0: "c"}
    assert found.no_id == 1 and "1 have no id and are passed over" in found.in_words()
    assert f"ids are read from column '{column}'" in found.in_words()


def test_a_column_of_ids_is_not_guessed(plate: Cells, tmp_path: Path) -> None:
    # pandas writes its row numbers, from 0, under 'index': no cell has the id 0.
    with pytest.raises(DataError, match="line 2, column 'index': no cell has the id 0"):
        read(tmp_path, plate, "index,class\n0,a\n1,b\n", default_field=0)
    both = "index,label,class\n0,2,a\n1,3,b\n"
    with pytest.raises(DataError, match="'index', 'label' may all hold the ids, and differ"):
        read(tmp_path, plate, both, default_field=0)
    found = read(tmp_path, plate, both, default_field=0, id_column="label")
    assert found.cell_indices.tolist() == [1, 2]
    # Columns that agree leave nothing to choose, and a column of texts holds no ids.
    for text in ("Cell ID,label,class\n2,2.0,a\n3,3,b\n", "object,label,class\n2,x,a\n3,y,b\n"):
        assert read(tmp_path, plate, text, default_field=0).cell_indices.tolist() == [1, 2]
    with pytest.raises(DataError, match="no column 'nobody'"):
        read(tmp_path, plate, both, default_field=0, id_column="nobody")


@pytest.mark.parametrize("value", ['"1,000"', "1.5", "1_0", "one", "1e3", str(2**63)])
def test_an_id_is_never_rounded_nor_cut(plate: Cells, tmp_path: Path, value: str) -> None:
    with pytest.raises(DataError, match=r"line 2, column 'object': .* (whole number|too large)"):
        read(tmp_path, plate, f"object,class\n{value},a\n", default_field=0)


def test_large_ids_are_told_apart(plate: Cells, tmp_path: Path) -> None:
    # As floats the two are one.
    cells = replace(plate, table=plate.table.assign(object=2**53 + np.arange(len(plate))))
    found = read(tmp_path, cells, f"object,class\n{2**53 + 1},a\n{2**53},b\n", default_field=0)
    assert dict(zip(found.cell_indices.tolist(), found.classes, strict=True)) == {1: "a", 0: "b"}


def test_a_place_between_two_cells_is_of_none() -> None:
    picture = np.zeros((60, 60), np.uint8)
    cells = Cells.from_points([picture], ["one"], [(20, 20), (20, 28)], crop=16)
    y, x = cell_centres(cells).mean(axis=0)
    assert cells_at(cells, 0, np.array([(y, x), (y, x - 1)])).tolist() == [-1, 0]


def test_what_was_near_or_between_is_said(plate: Cells, tmp_path: Path) -> None:
    cells = Cells.from_points([np.zeros((60, 60))], ["one"], [(20, 20), (20, 20)], crop=16)
    found = read(tmp_path, cells, "y,x,class\n20,20,a\n", "position")
    assert len(found.cell_indices) == 0 and found.between == 1 and found.unmatched == 0
    assert "1 row: 0 match cells; 1 lie between two cells" in found.in_words()
    labels = plate.fields[0].labels
    y0, x0, y1, x1 = plate.table[["y0", "x0", "y1", "x1"]].to_numpy()[0]
    outside = np.argwhere(labels[y0:y1, x0:x1] == 0) + np.array([y0, x0])
    y, x = outside[np.hypot(*(outside - cell_centres(plate)[0]).T).argmin()]
    found = read(tmp_path, plate, f"y,x,class\n{y},{x},a\n", "position", default_field=0)
    assert found.near == 1 and "1 lie in no outline and go to the nearest cell" in found.in_words()


def test_classes_are_names_as_in_any_table(plate: Cells, tmp_path: Path) -> None:
    text = "object,class\n1, pos \n2,NA\n3,nan\n4,1.0\n5,1\n6,Pos\n"
    found = read(tmp_path, plate, text, default_field=0)
    assert found.classes == ("pos", "1", "1", "Pos") and found.blank == 2
    assert "classes 'pos' (1 row) and 'Pos' (1 row) differ only in case" in found.in_words()
    (tmp_path / "table.csv").write_bytes("object;class\n1;fünf\n".encode("cp1252"))
    found = drain(import_job(tmp_path / "table.csv", plate, "object"))
    assert found.classes == ("fünf",) and "Windows code page 1252" in found.in_words()


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
    assert found.cell_indices.tolist() == [0, 24] and asked == [0, 3]


@pytest.mark.parametrize(
    ("text", "how", "said"),
    [
        ("object,kind\n1,a\n", "object", "no column 'class'; it has object, kind"),
        ("y,class\n1,a\n", "position", "no column 'x'"),
        ("object,class\n1,a,b\n", "object", "line 2 has 3 columns, more than the 2 of its first"),
        ("object,class\n1,a\none,b\n", "object", "line 3, column 'object': 'one' is not a whole"),
        ("y,x,class\n1,2,a\n\n1,inf,b\n", "position", "line 4, column 'x': 'inf' is not a number"),
        (
            "object,class\n" + "".join(f"{i},{i / 7}\n" for i in range(200)),
            "object",
            "200 different values; these look like measurements",
        ),
    ],
)
def test_a_wrong_table_is_refused_in_a_line(
    plate: Cells, tmp_path: Path, text: str, how: str, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        read(tmp_path, plate, text, how)


def test_values_that_no_cell_has_say_nothing(tmp_path: Path) -> None:
    cells = Cells.from_points([np.zeros((40, 40))], ["one"], [(9, 9), (30, 30)], crop=8)
    assert read(tmp_path, cells, "object,class\n0,a\n", "object").unmatched == 1
