"""Classes of wells: tables of wells, tables shaped like a plate, wells chosen by hand."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix.errors import DataError
from napari_channelmix.scan import Role, Scan, ScanSettings
from napari_channelmix.scan.folder import scan_folder
from napari_channelmix.scan.plate_layout import (
    PlateLayout,
    is_layout,
    layout_columns,
    read_layout,
    well_at,
    well_place,
)
from napari_channelmix.scan.well_classes import layout_for, wells_of, with_layout, with_well_classes

from .made_images import made_folder

CHANNELS = ("DNA", "ER")


def plate(folder: Path, wells: tuple[str, ...] = ("A01", "A02", "B01", "B02"), **columns: object):
    """A scan of two channels of each well."""
    rows = [
        {"file": f"{well}_{channel}.tif", "well": well, "channel": channel, **columns}
        for well in wells
        for channel in CHANNELS
    ]
    roles = {"file": Role.IMAGE, "well": Role.WELL, "channel": Role.CHANNEL, "plate": Role.PLATE}
    roles = {name: roles.get(name, Role.KEY) for name in rows[0]}
    return Scan.of(folder, "test", pd.DataFrame(rows), folder, roles, ScanSettings())


def written(folder: Path, text: str, name: str = "layout.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_wells_have_places_and_names() -> None:
    for name, place in (("A01", (0, 0)), ("p24", (15, 23)), ("AF48", (31, 47)), ("AA 1", (26, 0))):
        assert well_place(name) == place
        assert well_place(well_at(*place)) == place
    assert well_place("DMSO") is None


def test_a_row_for_each_well_gives_its_class(tmp_path: Path) -> None:
    path = written(tmp_path, "Well;Treatment\na1;DMSO\nA-02; drug \nB01;\nb2;drug\n")
    layout = read_layout(path)
    assert layout.classes == {("", "A01"): "DMSO", ("", "A02"): "drug", ("", "B02"): "drug"}
    scan = with_layout(plate(tmp_path), layout)
    table = scan.table().set_index("well")
    assert table["class"].to_dict() == {"A01": "DMSO", "A02": "drug", "B01": "", "B02": "drug"}
    description = scan.description()
    assert description["label"] == "class" and description["unlabelled"] is True
    note = "classes of wells: 3 wells from column 'Treatment' of layout.csv; 1 well has none"
    assert scan.notes == (note,)
    # Another role of a column does not lose it.
    assert note in scan.with_role("channel", Role.CHANNEL).notes


def test_what_is_odd_about_a_table_is_a_note(tmp_path: Path) -> None:
    layout = read_layout(written(tmp_path, "well,class\nA1,drug\nA2,Drug\nB1,x\n"))
    assert layout.warnings
    scan = with_layout(plate(tmp_path), layout)
    assert [layout.warnings[0] in note for note in scan.notes] == [False, True]
    # Other classes take the notes away.
    assert with_layout(scan, PlateLayout({("", "A01"): "a"})).notes == ()


def test_a_table_shaped_like_the_plate_gives_classes(tmp_path: Path) -> None:
    path = written(tmp_path, ",1,02,3\nA,DMSO,drug,\nB,,drug,DMSO\n")
    assert layout_columns_of(path).shaped
    assert read_layout(path).classes == {
        ("", "A01"): "DMSO",
        ("", "A02"): "drug",
        ("", "B02"): "drug",
        ("", "B03"): "DMSO",
    }


def layout_columns_of(path: Path):
    from napari_channelmix.data.table_files import read_table

    return layout_columns(read_table(path))


def test_plates_may_differ(tmp_path: Path) -> None:
    path = written(tmp_path, "plate,well,class\nP1,A01,one\nP2,A01,two\n")
    layout = read_layout(path)
    for name, expected in (("P1", "one"), ("P2", "two"), ("P3", "")):
        assert layout.of(name, "A01") == expected
    scan = with_layout(plate(tmp_path, plate="P2"), layout)
    assert wells_of(scan).set_index("well")["class"].to_dict() == {
        "A01": "two",
        "A02": "",
        "B01": "",
        "B02": "",
    }


def test_the_column_of_plates_can_be_left_out(tmp_path: Path) -> None:
    path = written(tmp_path, "plate,well,class\nP1,A01,one\nP1,A02,two\n")
    assert read_layout(path, plate="").classes == {("", "A01"): "one", ("", "A02"): "two"}
    # The only plate of a table is that of images whose names tell of none.
    assert layout_for(["", ""], read_layout(path)).of("", "A02") == "two"
    assert layout_for(["P2"], read_layout(path)).of("P2", "A02") == ""


def test_which_column_holds_the_classes_is_never_guessed(tmp_path: Path) -> None:
    path = written(tmp_path, "well,compound,treatment\nA01,x,y\nA02,x,z\n")
    known = layout_columns_of(path)
    assert known.well == "well" and known.value == ""
    assert known.options == ("compound", "treatment")
    assert not is_layout(path)
    with pytest.raises(DataError, match="'compound', 'treatment'; choose the column"):
        read_layout(path)
    assert read_layout(path, value="treatment").classes["", "A02"] == "z"
    # 'class' says what it is, whatever stands beside it.
    named = written(tmp_path, "well,compound,class\nA01,x,y\n", "named.csv")
    assert read_layout(named).classes == {("", "A01"): "y"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("name,class\nDMSO,1\n", "no column holds wells"),
        ("well,class\nA01,one\nA1,two\n", "line 3: well A01 is 'two' here and 'one' in line 2"),
        ("well,class\nA01,\nA02,NA\n", "no well has a class"),
    ],
)
def test_tables_that_cannot_be_used_say_why(tmp_path: Path, text: str, why: str) -> None:
    path = written(tmp_path, text)
    assert not is_layout(path)
    with pytest.raises(DataError, match=why):
        read_layout(path)


def test_measurements_are_no_classes(tmp_path: Path) -> None:
    wells = [well_at(place // 24, place % 24) for place in range(120)]
    rows = "".join(f"{well},{0.37 * place}\n" for place, well in enumerate(wells))
    path = written(tmp_path, f"well,class\n{rows}")
    with pytest.raises(DataError, match="120 different values; these look like measurements"):
        read_layout(path)


def test_wells_that_are_elsewhere_are_refused(tmp_path: Path) -> None:
    layout = PlateLayout({("", "H12"): "drug"}, "layout.csv")
    with pytest.raises(DataError, match=r"layout.csv: none of its wells \(H12\) is among those"):
        with_layout(plate(tmp_path), layout)


def test_a_class_by_hand_takes_the_place_of_other_classes_and_may_go_again(tmp_path: Path) -> None:
    before = plate(tmp_path, batch="run 1").with_role("batch", Role.CLASS)
    scan = with_layout(before, PlateLayout({("", "A01"): "drug"}))
    assert scan.roles["batch"] is Role.KEY and scan.roles["class"] is Role.CLASS
    assert scan.table()["class"].tolist() == ["drug", "", "", ""]
    assert not scan.problems and not scan.notes
    without = with_layout(scan, PlateLayout())
    assert "class" not in without.entries and "class" not in without.roles


def test_the_users_own_column_called_class_is_kept(tmp_path: Path) -> None:
    scan = plate(tmp_path).with_role("channel", Role.CHANNEL)
    scan = Scan.of(
        tmp_path,
        "test",
        scan.entries.assign(**{"class": "mine"}),
        tmp_path,
        dict(scan.roles),
        ScanSettings(),
    )
    scan = with_layout(scan, PlateLayout({("", "A01"): "drug"}))
    assert set(scan.entries["class"]) == {"mine"}
    assert scan.description()["label"] == "class of the well"


def test_a_layout_beside_the_images_is_understood(tmp_path: Path) -> None:
    written(tmp_path, "well,class\nA01,one\nB02,two\n")
    written(tmp_path, "cell,area\n1,20\n", "cells.csv")
    scan = with_well_classes(plate(tmp_path), None, tmp_path)
    assert scan.table()["class"].tolist() == ["one", "", "", "two"]
    # Two that fit are the user's choice.
    written(tmp_path, "well,class\nA01,three\n", "other.csv")
    scan = with_well_classes(plate(tmp_path), None, tmp_path)
    assert "class" not in scan.entries
    assert scan.notes == ("classes of wells: layout.csv, other.csv fit; choose one of them",)


def test_a_table_of_wells_that_is_named_wins_over_the_one_beside(tmp_path: Path) -> None:
    written(tmp_path, "well,class\nA01,one\n")
    (tmp_path / "elsewhere").mkdir()
    other = written(tmp_path / "elsewhere", "well,class\nB02,two\n")
    scan = with_well_classes(plate(tmp_path), other, tmp_path)
    assert scan.table()["class"].tolist() == ["", "", "", "two"]
    with pytest.raises(DataError, match="none of its wells"):
        with_well_classes(plate(tmp_path), written(tmp_path, "well,class\nH12,no\n"), tmp_path)
    with pytest.raises(DataError, match=r"missing\.csv"):
        with_well_classes(plate(tmp_path), tmp_path / "missing.csv", tmp_path)


def test_a_layout_that_is_used_is_not_left_out(tmp_path: Path) -> None:
    written(tmp_path, "well,class\nA01,one\nB02,two\n")
    for well in ("A01", "B02"):
        for channel in CHANNELS:
            tifffile.imwrite(tmp_path / f"{well}_{channel}.tif", np.zeros((300, 300), np.uint8))
    scan = scan_folder(tmp_path)
    assert scan.table()["class"].tolist() == ["one", "two"]
    assert scan.left_out == () and "layout.csv" in scan.notes[0]
    assert scan.with_choice("cells", "each image").left_out == ()


def test_rows_and_columns_of_their_own_make_wells(tmp_path: Path) -> None:
    rows = [
        {"file": f"{row}-{column}.tif", "row": row, "column": column}
        for row in ("1", "2")
        for column in ("01", "12")
    ]
    roles = {"file": Role.IMAGE, "row": Role.WELL_ROW, "column": Role.WELL_COLUMN}
    scan = Scan.of(tmp_path, "test", pd.DataFrame(rows), tmp_path, roles, ScanSettings())
    assert wells_of(scan)["well"].tolist() == ["A01", "A12", "B01", "B12"]
    classes = with_layout(scan, PlateLayout({("", "B12"): "drug"})).entries["class"]
    assert classes.tolist() == ["", "", "", "drug"]


def scan_beside(folder: Path, text: str) -> Scan:
    """A scan of four wells beside a table of wells."""
    made_folder(folder, [f"{well}_w{c}.tif" for well in ("A01", "A02", "B01") for c in "12"])
    (folder / "plate.csv").write_text(text)
    return scan_folder(folder)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("well,class\nC1,x\n", r"none of its wells \(C01\) is among those of"),
        ("well,class\nA1,x\nA1,y\n", r"line 3: well A01 is 'y' here and 'x' in line 2"),
        ("plate,well,class\nP,A1,x\nQ,A1,y\n", r"none of its wells \(P A01, Q A01\)"),
    ],
)
def test_a_table_of_wells_that_cannot_be_used_is_said(tmp_path: Path, text: str, says: str):
    scan = scan_beside(tmp_path, text)
    assert Role.CLASS not in scan.roles.values()
    assert any(re.search(f"^classes of wells: plate.csv.*{says}", note) for note in scan.notes)


def test_the_only_plate_of_a_table_is_that_of_images_that_name_none(tmp_path: Path):
    scan = scan_beside(tmp_path, "plate,well,class\nP,A1,x\nP,A2,none\nP,B1,NA\n")
    assert scan.table()["class"].tolist() == ["x", "none", ""]
    assert scan.description()["classes"] == ["none", "x"]
