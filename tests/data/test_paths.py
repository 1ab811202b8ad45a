"""Texts that name files: as Windows writes them, as people write them, and what no file can be."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path

import pytest

from napari_channelmix.data.paths import path_of_text, read_bounded
from napari_channelmix.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "A01.tif").write_bytes(b"x")
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "images/A01.tif",
        " images/A01.tif\t",
        "images\\A01.tif",
        ".\\images\\A01.tif",
        "images//A01.tif",
        "images/../images/A01.tif",
    ],
)
def test_a_path_is_read_as_it_was_meant(folder: Path, text: str) -> None:
    assert path_of_text(text, folder).samefile(folder / "images" / "A01.tif")


def test_a_path_as_it_stands_comes_first(folder: Path) -> None:
    for name in ("images\\A01.tif", " b.tif", "b.tif"):
        (folder / name).write_bytes(b"y")
        assert path_of_text(name, folder) == folder / name
    assert path_of_text(str(folder / "b.tif"), Path("elsewhere")) == folder / "b.tif"


@pytest.mark.parametrize(("written", "stored"), [("NFC", "NFD"), ("NFD", "NFC")])
def test_accents_may_be_one_character_or_two(folder: Path, written: str, stored: str) -> None:
    (folder / unicodedata.normalize(stored, "é.tif")).write_bytes(b"x")
    assert path_of_text(unicodedata.normalize(written, "é.tif"), folder).is_file()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no file is named"),
        (" \t", "no file is named"),
        ("images/a01.TIF", "does not exist; there is 'A01.tif'"),
        ("images/B01.tif", "B01.tif does not exist$"),
        ("C:\\data\\B01.tif", "is on a drive of Windows.*; write the path relative"),
        ("C:/data/here.tif", "'here.tif' lies beside this file: write that name"),
        ("a\0b.tif", "'a.x00b.tif' holds a NUL"),
        ("\ud800.tif", "'.udcff.tif'|holds characters that no file name can"),
        ("a" * 300, "a file name of 300 bytes is too long; at most 255"),
        ("é" * 150, "a file name of 300 bytes"),
        ("abc/" * 2000, "a path of 8,0.. bytes is too long"),
        ("images", "images is a folder, not a file"),
        (".", "is a folder"),
        ("images/A01.tif/x", "does not exist"),
        ("https://host/a.tif", "is an address, not a file of this computer"),
        ("pipe", "is a pipe or a device"),
        ("loop", "loop is a link that leads to no file"),
    ],
)
def test_what_is_no_file_is_one_line(folder: Path, text: str, says: str) -> None:
    (folder / "here.tif").write_bytes(b"x")
    os.mkfifo(folder / "pipe")
    (folder / "loop").symlink_to("loop")
    with pytest.raises(DataError, match=says) as error:
        path_of_text(text, folder)
    assert "\n" not in str(error.value) and len(str(error.value)) < 450


def test_a_folder_will_do_where_it_is_wanted(folder: Path) -> None:
    assert path_of_text("images", folder, may_be_folder=True) == folder / "images"


def test_files_are_bounded_and_pipes_are_not_waited_for(folder: Path) -> None:
    (folder / "f").write_bytes(b"12345")
    os.mkfifo(folder / "pipe")
    assert read_bounded(folder / "f", 5) == b"12345"
    for path, says in (
        (folder / "f", "5 bytes are too many; at most 4"),
        (folder / "pipe", "is a pipe or a device"),
        (Path("/dev/zero"), "is a pipe or a device"),
        (folder, "is a folder"),
        (folder / "gone", "no such file"),
        (folder / ("a" * 300), "too long"),
        (Path("a\0b"), "NUL"),
        (folder / "f" / "x", "cannot be read"),
    ):
        with pytest.raises(DataError, match=says):
            read_bounded(path, 4)


def test_a_link_to_nothing_is_called_so(tmp_path: Path) -> None:
    for name, goal in (("round.tif", "round.tif"), ("lost.tif", "gone.tif")):
        (tmp_path / name).symlink_to(goal)
        with pytest.raises(DataError, match=f"{name} is a link that leads to no file"):
            path_of_text(name, tmp_path)
