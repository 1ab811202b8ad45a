"""What the values of a data set's table mean: classes, groups, numbers, ids, files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_channelmix.data import Cells, open_dataset
from napari_channelmix.errors import DataError

Open = Callable[..., Cells]

POINT = '[channels]\nA = "p"\n[cells]\nfrom = "point"\ncolumns = ["y", "x"]\ncrop = 16\n'


@pytest.fixture
def opened(tmp_path: Path) -> Open:
    """Open a table of points, or of what else the data-set file says, on one image of 60 x 70."""
    tifffile.imwrite(tmp_path / "i.tif", np.arange(4200, dtype=np.uint16).reshape(60, 70))

    def open_table(text: str | bytes, head: str = 'label = "l"\n', rest: str = POINT) -> Cells:
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / "t.csv").write_bytes(content)
        path = tmp_path / "d.toml"
        path.write_text(f'name = "x"\ntable = "t.csv"\n{head}{rest}', "utf-8")
        return open_dataset(path)

    return open_table


def places(cells: Cells) -> list[list[float]]:
    return cells.centres.tolist()


# ------------------------------------------------------------------ classes


def test_blanks_around_values_are_none(opened: Open) -> None:
    table = (
        " p , y,x ,l \n i.tif , 30 ,20 ,pos\ni.tif,20,40,pos \ni.tif,40,20, pos\ni.tif,20,20,neg\n"
    )
    cells = opened(table)
    assert cells.classes == ("neg", "pos") and cells.labels.tolist() == [1, 1, 1, 0]
    assert places(cells) == [[30, 20], [20, 40], [40, 20], [20, 20]]


def test_a_whole_number_is_one_class_however_it_is_written(opened: Open) -> None:
    table = "p,y,x,l\ni.tif,30,20,1\ni.tif,20,40,1.0\ni.tif,40,20,10\ni.tif,40,40,2.\n"
    cells = opened(table)
    assert cells.classes == ("1", "2", "10") and cells.labels.tolist() == [0, 0, 2, 1]
    for said in ("keep = {l = [1]}", 'keep = {l = ["1.0"]}', "keep = {l = [1.0]}"):
        assert opened(table, f'label = "l"\n{said}\n').class_counts == {"1": 2}
    for said in ("[10, 1.0, 2]", '["10", "1.0", " 2 "]'):
        cells = opened(table, f'label = "l"\nclasses = {said}\n')
        assert cells.classes == ("10", "1", "2") and cells.labels.tolist() == [1, 1, 0, 2]


@pytest.mark.parametrize("text", ["NA", "nan", "None", "NULL", "#N/A", "n/a", "<NA>", "NaT"])
def test_texts_that_mean_nothing_are_no_class(opened: Open, text: str) -> None:
    table = f"p,y,x,l\ni.tif,30,20,pos\ni.tif,20,40,{text}\ni.tif,40,20,\ni.tif,20,20,neg\n"
    with pytest.raises(DataError, match=rf"line 3, column 'l': the label '{text}' is read as no"):
        opened(table)
    cells = opened(table, 'label = "l"\nunlabelled = true\n')
    assert cells.classes == ("neg", "pos") and cells.labels.tolist() == [1, -1, -1, 0]
    assert f"2 of 4 rows have no class (1 '{text}', 1 empty)" in cells.warnings
    # The remedies of the error hold.
    assert opened(table, 'label = "l"\nkeep = {l = ["pos", "neg"]}\n').labels.tolist() == [0, 1]
    listed = f'label = "l"\nunlabelled = true\nclasses = ["{text}", "pos", "neg"]\n'
    assert opened(table, listed).labels.tolist() == [1, 0, -1, 2]


def test_names_that_differ_in_case_or_blanks_are_warned_of(opened: Open) -> None:
    table = "p,y,x,l,g\ni.tif,30,20,Live,a1\ni.tif,20,40,live,A1\ni.tif,40,20,live,b\n"
    cells = opened(table, 'label = "l"\ngroup = "g"\n')
    assert cells.classes == ("Live", "live")
    both = "differ only in case, blanks or form and are kept apart"
    assert any(f"classes 'Live' (1 row) and 'live' (2 rows) {both}" in w for w in cells.warnings)
    assert any(f"groups 'a1' (1 row) and 'A1' (1 row) {both}" in w for w in cells.warnings)


def test_keep_asks_by_name_by_number_and_by_truth(opened: Open) -> None:
    table = (
        "p;y;x;l;dose;ok\ni.tif;30;20;a;0,10;TRUE\ni.tif;20;40;b;0.5;false\ni.tif;40;20;c;;True\n"
    )
    for said, kept in (
        ("{dose = [0.1]}", ["a"]),
        ("{dose = [0.1, 0.5]}", ["a", "b"]),
        ('{dose = [""]}', ["c"]),
        ("{ok = [true]}", ["a", "c"]),
        ('{l = ["c", "a"]}', ["c", "a"]),
    ):
        assert list(opened(table, f'label = "l"\nkeep = {said}\n').classes) == kept
    with pytest.raises(DataError, match="no rows are left by 'keep'"):
        opened(table, "keep = {l = []}\n")


@pytest.mark.parametrize(
    ("classes", "says"),
    [
        ('["a", "a "]', "'a' twice"),
        ('[1, "1.0"]', "'1' twice"),
        ('["a", ""]', "an empty name"),
        ("[[1]]", "classes"),
        ('"ab"', "classes"),
    ],
)
def test_listed_classes_must_differ_and_have_names(opened: Open, classes: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        opened("p,y,x,l\ni.tif,30,20,a\n", f'label = "l"\nclasses = {classes}\n')


# ------------------------------------------------------------------ groups and splits


def test_groups_and_parts_are_names_too(opened: Open) -> None:
    table = "p,y,x,g,s\ni.tif,30,20,1, train\ni.tif,20,40,1.0,train \ni.tif,40,20,2,test\n"
    cells = opened(table, 'group = "g"\nsplit = "s"\n')
    assert cells.groups.tolist() == ["1", "1", "2"]
    assert cells.table["split"].tolist() == ["train", "train", "test"]
    assert cells.conditions is None


def test_a_group_that_means_nothing_is_refused(opened: Open) -> None:
    with pytest.raises(DataError, match="line 3, column 'g': the group 'nan' means none; fill it"):
        opened("p,y,x,g\ni.tif,30,20,a\ni.tif,20,40,nan\n", 'group = "g"\n')


# ------------------------------------------------------------------ numbers


def test_decimal_commas_between_semicolons_and_points_elsewhere(opened: Open) -> None:
    points = [[30.25, 20], [20, 40.75]]
    assert places(opened("p;y;x\ni.tif;30,25;20\ni.tif;20;40,75\n", "")) == points
    assert places(opened("p\ty\tx\ni.tif\t30,25\t20\ni.tif\t20\t40,75\n", "")) == points
    assert places(opened("p,y,x\ni.tif,30.25,20\ni.tif,2e1,40.75\n", "")) == points
    assert places(opened('p,y,x\ni.tif,"30.25",20\ni.tif,+20.,40.75\n', "")) == points


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('p,y,x\ni.tif,"1,000",20\n', "line 2, column 'y': '1,000' is not a number; write it"),
        ('p,y,x\ni.tif,"30,5",20\n', "line 2, column 'y': '30,5' is not a number; write it"),
        ("p;y;x\ni.tif;1.234,5;20\n", "line 2, column 'y': '1.234,5' is not a number"),
        ("p;y;x\ni.tif;1,234.5;20\n", "line 2, column 'y': '1,234.5' is not a number"),
        ("p;y;x\ni.tif;30,5;20\ni.tif;3.5;20\n", "column 'y': has decimal commas .* and decimal"),
        ("p\ty\tx\ni.tif\t1,234\t20\n", "column 'y': '1,234' may be a decimal number or one of th"),
        ("p,y,x\ni.tif,1_0,20\n", "'1_0' is not a number"),
        ("p,y,x\ni.tif,0x10,20\n", "'0x10' is not a number"),
        ("p,y,x\ni.tif,\uff11\uff12,20\n", "is not a number"),
        ("p,y,x\ni.tif,inf,20\n", "'inf' is not a number"),
        ("p,y,x\ni.tif,1e300,20\n", r"line 2, column 'y': '1e300' is beyond the bound of 1e\+09"),
        ("p,y,x\ni.tif,-2e9,20\n", r"'-2e9' is beyond the bound"),
        ("p,y,x\ni.tif," + "9" * 5000 + ",20\n", r"line 2, column 'y': '9+\.\.\.' is not a number"),
    ],
)
def test_a_number_is_never_guessed(opened: Open, table: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        opened(table, "")
    assert len(str(error.value)) < 400


def test_three_decimals_between_semicolons_are_read_and_said(opened: Open) -> None:
    cells = opened("p;y;x\ni.tif;30,125;20\n", "")
    assert places(cells) == [[30.125, 20]]
    assert "column 'y': '30,125' is read as 30.125, with a decimal comma" in cells.warnings[0]


BOX = '[channels]\nA = "p"\n[cells]\nfrom = "box"\ncolumns = ["a", "b", "c", "d"]\ncrop = 16\n'


@pytest.mark.parametrize(
    ("box", "says"),
    [
        ("-1e18,-1e18,1e18,1e18", "line 2, column 'a': '-1e18' is beyond the bound"),
        ("-1e300,0,1e300,1", "line 2, column 'a': '-1e300' is beyond the bound"),
        ("-1e8,-1e8,1e8,1e8", "line 2: a box of 2e.08 x 2e.08 pixels is more than 4 times"),
        ("0,0,281,10", "line 2: a box of 281 x 10 pixels is more than 4 times .* of 60 x 70"),
    ],
)
def test_boxes_are_bounded(opened: Open, box: str, says: str) -> None:
    with pytest.raises(DataError, match=says):
        opened(f"p,a,b,c,d\ni.tif,{box}\n", "", BOX)


def test_a_strip_is_no_whole_image(opened: Open, tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "strip.tif", np.zeros((4, 20_000), np.uint16))
    with pytest.raises(DataError, match="line 2: the whole image of 4 x 20000 pixels"):
        opened("p\nstrip.tif\n", "", '[channels]\nA = "p"\n[cells]\nfrom = "image"\ncrop = 32\n')


# ------------------------------------------------------------------ files


@pytest.mark.parametrize("text", ["sub\\j.tif", ".\\sub\\j.tif", "sub/../sub/j.tif"])
def test_paths_of_windows_are_read(opened: Open, tmp_path: Path, text: str) -> None:
    (tmp_path / "sub").mkdir()
    tifffile.imwrite(tmp_path / "sub" / "j.tif", np.ones((60, 70), np.uint16))
    cells = opened(f"p,y,x\n{text},30,20\nsub/j.tif,20,40\n", "")
    # Two ways to write one file are one image.
    assert len(cells.fields) == 1 and len(cells) == 2


def test_what_is_no_image_is_named_with_line_and_column(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for text, says in (
        ("sub", "sub is a folder, not an image"),
        ("I.TIF", "does not exist; there is 'i.tif'"),
        ("D:\\x\\i.tif", "is on a drive of Windows.*'i.tif' lies beside this file"),
        ("a" * 300 + ".tif", "a file name of 304 bytes is too long; at most 255"),
        ("  ", "no file is named"),
    ):
        with pytest.raises(DataError, match=rf"t\.csv, line 2, column 'p': .*{says}"):
            opened(f"p,y,x\n{text},30,20\n", "")
    for said, says in (
        ("t.csv/x", "table .*does not exist"),
        ("sub", "table .*is a folder"),
        ("", "table no file is named"),
        ("a" * 300, "table .*too long"),
        ("T.CSV", "does not exist; there is 't.csv'"),
    ):
        path = tmp_path / "other.toml"
        path.write_text(f'name = "x"\ntable = "{said}"\n{POINT}')
        with pytest.raises(DataError, match=says):
            open_dataset(path)


# ------------------------------------------------------------------ the table as a file


def test_other_encodings_and_separators_give_the_same_cells(opened: Open) -> None:
    text = "p,y,x,l\ni.tif,30,20,fünf\ni.tif,20,40,b\n"
    plain = opened(text)
    assert plain.classes == ("b", "fünf")
    for content in (
        text.encode("utf-8-sig"),
        text.encode("utf-16"),
        text.replace(",", ";").encode(),
        text.replace(",", "\t").encode("utf-16"),
        text.replace("\n", "\r").encode(),
        text.encode("cp1252"),
    ):
        cells = opened(content)
        assert cells.classes == plain.classes and places(cells) == places(plain)
    assert any("Windows code page 1252" in line for line in cells.warnings)


def test_a_name_that_a_spreadsheet_would_run_comes_back(opened: Open) -> None:
    cells = opened("p,y,x,l\ni.tif,30,20,'=live\ni.tif,20,40,''=x\ni.tif,40,20,-\n")
    assert set(cells.classes) == {"=live", "'=x", "-"}


def rows_of(ids: Any, classes: Any) -> str:
    return "p,m,o,l\n" + "".join(
        f"i.tif,m.tif,{o},{c}\n" for o, c in zip(ids, classes, strict=True)
    )


MASK = '[channels]\nA = "p"\n[cells]\nfrom = "mask"\ncolumn = "m"\nobject = "o"\ncrop = 16\n'


@pytest.fixture
def mask(tmp_path: Path) -> None:
    labels = np.zeros((60, 70), np.uint16)
    labels[10:14, 10:14], labels[30:34, 30:34] = 2, 7
    tifffile.imwrite(tmp_path / "m.tif", labels)


def test_ids_are_read_as_they_stand(opened: Open, mask: None) -> None:
    cells = opened(rows_of([" 7", "2.0", "", "nan"], "abab"), rest=MASK)
    assert cells.table["object"].tolist() == [7, 2]
    assert any("2 rows have no id of an object, left out" in w for w in cells.warnings)
    for value in ('"1,000"', "2.5", "2_", "1e0", "x"):
        with pytest.raises(DataError, match=r"line 2, column 'o': .*is not a whole number"):
            opened(rows_of([value], "a"), rest=MASK)
    with pytest.raises(DataError, match=r"line 2, column 'o': the mask has no object of .*3"):
        opened(rows_of(["3"], "a"), rest=MASK)
