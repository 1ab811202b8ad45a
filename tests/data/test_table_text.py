"""Encodings of tables, and files that are none."""

from __future__ import annotations

import gzip
import io
import sqlite3
import zipfile
from pathlib import Path

import pytest

from napari_channelmix.data.table_text import text_of_table
from napari_channelmix.errors import DataError

TEXT = "p,l\na.tif,fünf µm\n"


def read(folder: Path, content: bytes, name: str = "t.csv") -> tuple[str, tuple[str, ...]]:
    (folder / name).write_bytes(content)
    return text_of_table(folder / name, 10_000)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32"])
def test_unicode_is_read_without_a_word(tmp_path: Path, encoding: str) -> None:
    content = TEXT.encode(encoding)
    mark = b"\xfe\xff" if encoding == "utf-16-be" else b""
    assert read(tmp_path, mark + content) == (TEXT, ())


def test_the_code_page_of_windows_is_read_and_said(tmp_path: Path) -> None:
    text, (warning,) = read(tmp_path, "p,l\na,b\nc,€ fünf“\n".encode("cp1252"))
    assert text == "p,l\na,b\nc,€ fünf“\n"
    assert "Windows code page 1252 (line 3 then has '€')" in warning
    assert "if letters are wrong, save the table as CSV (UTF-8)" in warning


def test_what_is_in_neither_encoding_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"line 2 is neither UTF-8 nor Windows code page 1252"):
        read(tmp_path, b"p,l\na,\x81\x8d\n")
    with pytest.raises(DataError, match=r"begins as UTF-16-LE text, but byte .* is none"):
        read(tmp_path, TEXT.encode("utf-16")[:-1])
    with pytest.raises(DataError, match=r"line 1 holds NUL .*save the table as CSV \(UTF-8\)"):
        read(tmp_path, TEXT.encode("utf-16-le"))


def test_gzip_is_unpacked_as_far_as_a_file_may_be(tmp_path: Path) -> None:
    assert read(tmp_path, gzip.compress(TEXT.encode()), "t.csv.gz") == (TEXT, ())
    for content, says in (
        (gzip.compress(TEXT.encode())[:-4], "truncated"),
        (b"\x1f\x8bnothing", "truncated"),
        (gzip.compress(b"a,b\n" * 9999), "more than 10,000 bytes when it is unpacked"),
        (gzip.compress(TEXT.encode()) * 2, "several packed files"),
    ):
        with pytest.raises(DataError, match=says):
            read(tmp_path, content)


def workbook() -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return packed.getvalue()


def database(folder: Path) -> bytes:
    connection = sqlite3.connect(folder / "t.db")
    connection.execute("create table t (a)")
    connection.commit()
    connection.close()
    return (folder / "t.db").read_bytes()


def test_other_formats_are_named_with_the_remedy(tmp_path: Path) -> None:
    for content, kind in (
        (workbook(), "an Excel or OpenDocument workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "an old Excel workbook"),
        (b"PAR1" + bytes(9), "a Parquet file"),
        (b"ARROW1\0\0", "a Feather"),
        (b"FEA1", "a Feather"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (database(tmp_path), "an SQLite database"),
        (b'{"a": [1]}', "JSON"),
        (b'[\n {"a": 1}]', "JSON"),
        (b"<html><table>", "HTML or XML"),
        (b"\x89PNG\r\n", "an image"),
    ):
        with pytest.raises(DataError, match=rf"is {kind}.*save the table as CSV \(UTF-8\)"):
            read(tmp_path, content, "t.csv")


def test_text_is_a_table_whatever_it_is_called(tmp_path: Path) -> None:
    # Instruments write tabs and call the file .xls.
    assert read(tmp_path, b"a\tb\n", "t.xls")[0] == "a\tb\n"


@pytest.mark.parametrize("content", [b"", b"\xef\xbb\xbf", b" \r\n\t\n"])
def test_an_empty_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(DataError, match="is empty"):
        read(tmp_path, content)


def test_a_file_beyond_the_bound_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="10,001 bytes are too many"):
        read(tmp_path, b"a" * 10_001)
