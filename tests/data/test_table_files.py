"""What divides the columns of a table, and what a line must be."""

from __future__ import annotations

from pathlib import Path

import pytest

from napari_channelmix.data import table_records
from napari_channelmix.data.table_files import TextTable, decimal_comma_of, read_table
from napari_channelmix.errors import DataError


def read(folder: Path, text: str, *expected: str, name: str = "t.csv") -> TextTable:
    (folder / name).write_bytes(text.encode())
    return read_table(folder / name, expected)


@pytest.mark.parametrize(
    ("text", "separator"),
    [
        ("a,b\n1,2\n", ","),
        ("a;b\n1;2\n", ";"),
        ("a\tb\n1\t2\n", "\t"),
        ("sep=;\r\na;b\r\n1;2\r\n", ";"),
        ("SEP=,\na,b\n1,2\n", ","),
        # Within quotes nothing is divided.
        ('"a;;",b\n1,2\n', ","),
        ('a;"b,,"\n1;2\n', ";"),
        ("a,b\r1,2\r", ","),
        ("\n \na,b\n\n1,2\n\n", ","),
        ("a,b,c;d\n1,2,\n", ","),
    ],
)
def test_the_separator_is_told_by_the_first_line(tmp_path: Path, text: str, separator: str) -> None:
    table = read(tmp_path, text)
    assert table.separator == separator
    assert table.rows.iloc[0, :2].tolist() == ["1", "2"]


def test_a_first_line_that_fits_two_separators_is_refused_or_told_by_its_names(
    tmp_path: Path,
) -> None:
    text = "area, mean;label\n1;2\n"
    with pytest.raises(DataError, match="commas or semicolons may divide its columns, both make 2"):
        read(tmp_path, text)
    assert read(tmp_path, text, "label").separator == ";"


def test_a_suffix_tells_too(tmp_path: Path) -> None:
    assert read(tmp_path, "a,b\tc,d\n1\t2\n", name="t.tsv").separator == "\t"
    assert read(tmp_path, "a,b\n1,2\n", name="t.tsv").separator == ","


def test_rows_keep_the_line_in_which_they_begin(tmp_path: Path) -> None:
    table = read(tmp_path, 'a,b\n\n"two\r\nlines",1\r\n , \nx,2\n')
    assert table.rows.index.tolist() == [3, 6]
    assert table.rows["a"].tolist() == ["two\r\nlines", "x"]


def test_lines_that_end_early_are_said_and_longer_ones_refused(tmp_path: Path) -> None:
    table = read(tmp_path, "a,b,c\n1\n1,2,3,,\n1,2,\n")
    assert table.rows.to_numpy().tolist() == [["1", "", ""], ["1", "2", "3"], ["1", "2", ""]]
    (warning,) = table.warnings
    assert "1 row ends early (first: line 2); what is missing is read as empty" in warning
    with pytest.raises(DataError, match="line 3 has 3 columns, more than the 2"):
        read(tmp_path, "a,b\n1,2\n1,2,3\n")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('a,b\n1,2\n"3,4\n5,6\n', r"line 3 cannot be read as a table \(unexpected end of data\)"),
        ('a,b\n"1"x,2\n', "line 2 cannot be read as a table"),
        ("a,b\n" + "x" * 100_001 + ",2\n", "a cell of line 2 has more than 100,000 characters"),
        ('a,b\n1,2\n"' + "x\n" * 70_000 + '",2\n', "a cell of line 3 has more than 100,000"),
        ("x" * 200_000, "more than 100,000 characters|first line: field larger"),
        (",".join("abc" for _ in range(20_001)), "20,001 columns are too many"),
    ],
)
def test_a_broken_table_is_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(DataError, match=says) as error:
        read(tmp_path, text)
    assert "\n" not in str(error.value) and len(str(error.value)) < 400


def test_a_table_beyond_the_bounds_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_records, "MOST_CELLS", 6)
    assert len(read(tmp_path, "a,b\n" + "1,2\n" * 3).rows) == 3
    with pytest.raises(DataError, match="is too large, at most 3,000,000 rows and 6 cells"):
        read(tmp_path, "a,b\n" + "1,2\n" * 4)
    monkeypatch.setattr(table_records, "MOST_ROWS", 2)
    with pytest.raises(DataError, match="at most 2 rows"):
        read(tmp_path, "a,b\n" + "1,2\n" * 3)


def test_names_of_columns_are_trimmed_and_must_differ_where_they_are_asked_for(
    tmp_path: Path,
) -> None:
    table = read(tmp_path, ' a ,"b\n c",x, x,,\n1,2,3,4,,\n')
    assert list(table.rows.columns) == ["a", "b c", "x", "x.1"]
    assert table.column("a") == "a"
    with pytest.raises(DataError, match="two columns are called 'x'; rename one"):
        table.column("x")
    with pytest.raises(
        DataError, match=r"no column 'A', which d\.toml names; it has a, b c.*is 'a'"
    ):
        table.column("A", ", which d.toml names")


def test_many_columns_are_not_all_listed(tmp_path: Path) -> None:
    table = read(tmp_path, ",".join(f"c{i}" for i in range(500)) + "\n")
    with pytest.raises(DataError, match="c11 and 488 more"):
        table.column("y")


def test_a_comma_is_a_decimal_sign_only_where_it_is_no_separator() -> None:
    assert decimal_comma_of(["1,5", "2"], ",") == (False, "")
    assert decimal_comma_of(["1,5", "2"], ";") == (True, "")
    assert decimal_comma_of(["60,125", "0,5"], "\t") == (True, "")
    assert decimal_comma_of(["60,125", "7"], ";") == (True, "60,125")
    with pytest.raises(DataError, match="'60,125' may be a decimal number or one of thousands"):
        decimal_comma_of(["60,125", "7"], "\t")
    with pytest.raises(DataError, match=r"decimal commas .'1,5'. and decimal points .'2.5'."):
        decimal_comma_of(["1,5", "2.5"], ";")


def test_lines_and_texts_are_the_same_with_and_without_quotation_marks(tmp_path: Path) -> None:
    # More than one piece of a file, with lines that are blank or end early.
    lines = [f"{n},it's {n % 7},{n * 1.5}" for n in range(60_000)]
    lines[3], lines[30_000], lines[59_000] = "", ",,", "59000,short"
    plain = read(tmp_path, "a,b,c\n" + "\n".join(lines) + "\n")
    quoted = read(tmp_path, '"a",b,c\n' + "\n".join(lines) + "\n")
    windows = read(tmp_path, "a,b,c\r\n" + "\r\n".join(lines))
    assert len(plain.rows) == 59_998
    assert plain.rows.index[2:5].tolist() == [4, 6, 7] and plain.rows.index[-1] == 60_001
    assert "1 row ends early (first: line 59002)" in plain.warnings[0]
    for other in (quoted, windows):
        assert other.rows.equals(plain.rows)
        assert other.warnings == plain.warnings
    assert plain.rows["b"].iloc[-1] == f"it's {59_999 % 7}"


def test_what_is_wrong_first_is_said_first(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="line 3 has 3 columns, more than the 2"):
        read(tmp_path, 'a,b\n1,2\n1,2,3\n"1,2\n')


def test_a_text_that_comes_again_is_kept_once(tmp_path: Path) -> None:
    rows = read(tmp_path, "file,y\n" + "".join(f"plate one.tif,{n}\n" for n in range(1000))).rows
    assert len({id(text) for text in rows["file"]}) == 1
