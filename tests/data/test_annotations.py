"""Classes given by hand find their cells again, and nobody else's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.data import Cells, open_dataset, save_dataset
from napari_channelmix.data.annotation_files import read_given, write_given_job
from napari_channelmix.data.annotation_import import import_job
from napari_channelmix.data.annotations import (
    COLUMNS,
    annotated,
    changed_cells,
    field_names,
    matched_cells,
)
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.data.values import class_name
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def plate() -> Cells:
    return synthetic_plate(0, wells=4, cells_per_well=8, side=128, crop=24).cells


def test_two_images_with_equal_values_are_told_apart(plate: Cells, tmp_path: Path) -> None:
    given = annotated(plate)
    # Every image has a cell of value 1.
    assert (given.rows["object"] == 1).sum() == 4
    assert matched_cells(plate, given.rows).tolist() == list(range(32))
    twins = replace(plate, fields=tuple(replace(one, name="Image") for one in plate.fields))
    assert len(set(field_names(twins))) == 4
    assert matched_cells(twins, annotated(twins).rows).tolist() == list(range(32))


def test_a_value_of_another_object_does_not_fit(plate: Cells) -> None:
    rows = annotated(plate).rows
    moved = rows.assign(
        y=rows["y"] + 30 * (rows.index == 3), object=rows["object"] + 500 * (rows.index == 5)
    )
    found = matched_cells(plate, moved)
    assert found[[3, 5]].tolist() == [-1, -1] and (found >= 0).sum() == 30


def test_cells_without_values_are_known_by_their_place() -> None:
    picture = np.zeros((40, 40), np.uint8)
    points = [(10, 10), (20.5, 30), (10, 10)]
    cells = Cells.from_points([picture], ["one"], points, crop=8).with_labels([0, 1, 1], "ab")
    rows = annotated(cells).rows
    assert matched_cells(cells, rows).tolist() == [0, 1, 2]
    assert matched_cells(cells.subset([1]), rows).tolist() == [-1, 0, -1]


def test_changed_are_those_whose_class_has_another_name(plate: Cells) -> None:
    codes = plate.labels.copy()
    codes[[2, 5]] = (-1, 1)
    assert changed_cells(plate, plate.with_labels(codes, plate.classes)).tolist() == [2, 5]
    swapped = plate.with_labels(1 - plate.labels, plate.classes[::-1])
    assert not len(changed_cells(plate, swapped))
    renamed = plate.with_labels(plate.labels, ("untreated", "drug"))
    np.testing.assert_array_equal(changed_cells(plate, renamed), np.flatnonzero(plate.labels == 1))


def test_a_file_of_annotations_comes_back_whole(plate: Cells, tmp_path: Path) -> None:
    codes = np.where(np.arange(32) % 3 == 0, -1, plate.labels)
    cells = plate.with_labels(codes, ('µ, "quoted"', "treated", "no cell yet"))
    given = annotated(cells, np.arange(32))
    more = given.rows.iloc[:2].assign(field="another image")
    path = drain(write_given_job(tmp_path / "a.csv", given, more))
    back = read_given(path)
    assert back.palette == cells.classes
    written = pd.concat([given.rows, more], ignore_index=True)
    assert list(back.rows.columns) == list(written.columns)
    pd.testing.assert_frame_equal(back.rows[list(COLUMNS)], written[list(COLUMNS)])
    # Excel takes a text for UTF-8 where it begins so.
    assert path.read_bytes().startswith(b"\xef\xbb\xbffield,object,y,x,class,field_name\r\n")
    (tmp_path / "a.json").write_text("{ broken")
    assert set(read_given(path).palette) == {'µ, "quoted"', "treated"}


@pytest.mark.parametrize(
    "name",
    [
        "nan",
        "",
        "007",
        "1.0",
        "a\nb",
        "a\rb",
        "a\r\nb",
        "+",
        "-",
        "'=live",
        "@x",
        '"',
        ",;\t",
        " spaced ",
        "=1+1",
        "漢字",
    ],
)
def test_classes_and_images_of_any_name_come_back(plate: Cells, tmp_path: Path, name: str) -> None:
    cells = plate.with_labels(plate.labels, (name or "NA", "treated"))
    names = tuple(f"{name} {at}" for at in range(len(plate.fields)))
    path = drain(write_given_job(tmp_path / "a.csv", annotated(cells, names=names)))
    back = read_given(path)
    assert back.palette == cells.classes
    assert back.rows["class"].tolist() == [cells.classes[code] for code in cells.labels]
    assert matched_cells(cells, back.rows, names).tolist() == list(range(32))
    again = open_dataset(save_dataset(cells, tmp_path / "set"))
    # Blanks around a name are none, and 1.0 is 1: the same class, as any table has it.
    assert again.classes == (class_name(name) or name or "NA", "treated")
    assert again.labels.tolist() == cells.labels.tolist()


def test_a_broken_file_is_named_with_line_and_column(tmp_path: Path) -> None:
    for text, said in (
        ("field,object,y,x\n", "no column 'class'"),
        ("field,object,y,x,class\na,1,2,3,b\na,one,2,3,b\n", "line 3, column 'object': 'one'"),
        ("field,object,y,x,class\na,1.5,2,3,b\n", "line 2, column 'object': '1.5' is not a whole"),
        ("", "cannot be read as a table"),
        ("a\n\x00\n1,2,3\n", "no column|cannot be read"),
        ("field,object,y,x,class, class\n", "two columns are called 'class'"),
    ):
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(DataError, match=said):
            read_given(tmp_path / "a.csv")
    (tmp_path / "b.csv").write_bytes(b"field;object;y;x;class\na;1;2,5;3;\xc3\xa9\n")
    assert read_given(tmp_path / "b.csv").rows.loc[0, ["y", "class"]].tolist() == [2.5, "é"]


def test_names_travel_with_the_files(
    plate: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save_dataset(plate, tmp_path / "here" / "set")
    cells = open_dataset(path)
    names = field_names(cells, path.parent)
    assert names == tuple(f"images/{well}.ome.tif" for well in ("A01", "A02", "B01", "B02"))
    rows = annotated(cells, names=names).rows
    (tmp_path / "here").rename(tmp_path / "there")
    moved = open_dataset(tmp_path / "there" / "set" / "dataset.toml")
    assert matched_cells(moved, rows, field_names(moved, tmp_path / "there" / "set")).min() == 0
    # A file name alone is enough where no other image has it.
    assert matched_cells(moved, rows.assign(field=rows["field"].str[7:])).tolist() == [*range(32)]
    # Images on other drives have no folder in common.
    with monkeypatch.context() as other:
        other.setattr("os.path.commonpath", Mock(side_effect=ValueError))
        assert len(set(field_names(cells))) == 4
    nobody = matched_cells(moved, rows.assign(field="C09.ome.tif"))
    assert set(nobody) == {-1}


def test_a_deleted_point_does_not_move_classes_to_its_neighbours() -> None:
    # Cells around points are named by the numbers of their points, and lie close together.
    image = np.ones((120, 120), np.uint16)
    points = np.array([[30.0, 30], [38, 30], [46, 30.25], [54, 30]])

    def around(centres: np.ndarray) -> Cells:
        cells = Cells.from_points([image], ("a",), centres, crop=32, name="x")
        return replace(cells, table=cells.table.assign(object=np.arange(len(centres))))

    given = annotated(around(points).with_labels(np.array([0, 1, 0, 1]), ("p", "q")))
    assert matched_cells(around(points), given.rows).tolist() == [0, 1, 2, 3]
    assert matched_cells(around(np.delete(points, 1, 0)), given.rows).tolist() == [0, -1, 1, 2]
    assert matched_cells(around(points[1:]), given.rows).tolist() == [-1, 0, 1, 2]


def test_columns_to_join_on_are_written_and_do_not_disturb(plate: Cells, tmp_path: Path) -> None:
    # 'cell_id' counts otherwise than the ids of the label images.
    keys = pd.DataFrame({"plate": "=P1", "cell_id": range(100, 132), "class": "theirs"})
    cells = plate.with_keys(keys)
    path = drain(write_given_job(tmp_path / "a.csv", annotated(cells), annotated(plate, [0]).rows))
    table = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(table.columns) == [
        *("field", "object", "y", "x", "class", "field_name", "plate", "cell_id", "class (table)")
    ]
    assert table["cell_id"].tolist() == [*map(str, range(100, 132)), ""]
    assert table["plate"][0] == "'=P1" and table["field_name"][0] == cells.field_names[0]
    given = read_given(path)
    # They stay where the rows are written again, as those that fit no cell are.
    drain(write_given_job(tmp_path / "c.csv", annotated(plate, []), given.rows.iloc[:2]))
    assert pd.read_csv(tmp_path / "c.csv", dtype=str)["cell_id"].tolist() == ["100", "101"]
    assert matched_cells(cells, given.rows).tolist()[:32] == list(range(32))
    # The table may be imported as one of classes, and its fields may have their short names.
    for text in (path.read_text("utf-8-sig"), table.drop(columns="field").to_csv(index=False)):
        (tmp_path / "b.csv").write_text(text, "utf-8")
        found = drain(import_job(tmp_path / "b.csv", cells, "object", id_column="object"))
        assert len(found.cell_indices) == 32
    assert len(drain(import_job(path, cells, "object")).cell_indices) == 32
