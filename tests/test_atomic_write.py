"""Files are written whole or not at all."""

from __future__ import annotations

import errno
import json
import os
import sys
from pathlib import Path

import pytest

from napari_channelmix.atomic_write import (
    write_bytes,
    write_json,
    write_text,
    write_whole,
)
from napari_channelmix.errors import SaveError


def half_then_full_disk(neighbour: Path) -> None:
    neighbour.write_bytes(b"half")
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_file_is_replaced_and_its_folder_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    write_text(path, "old")
    assert write_text(path, "µ") == path
    assert path.read_bytes() == "µ".encode()
    assert list(path.parent.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.cmx"
    write_bytes(path, b"old")
    with pytest.raises(SaveError, match=r"a\.cmx: No space left .*; the file .* is intact") as said:
        write_whole(path, half_then_full_disk)
    assert "\n" not in str(said.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_without_an_old_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(SaveError) as said:
        write_whole(tmp_path / "a.cmx", half_then_full_disk)
    assert "intact" not in str(said.value)
    assert not list(tmp_path.iterdir())


def test_a_full_disk_noticed_only_when_flushing_keeps_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "a.json"
    write_json(path, {"a": 1})
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="No space left"):
        write_json(path, {"a": 2})
    assert json.loads(path.read_text()) == {"a": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_cancelling_while_writing_keeps_the_old_file(tmp_path: Path) -> None:
    def interrupted(neighbour: Path) -> None:
        neighbour.write_bytes(b"half")
        raise KeyboardInterrupt

    path = write_bytes(tmp_path / "a.png", b"old")
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, interrupted)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("")
    with pytest.raises(SaveError, match="could not save"):
        write_text(tmp_path / "plain" / "a.txt", "")


@pytest.mark.skipif(sys.platform == "win32", reason="an open file cannot be replaced there")
def test_who_reads_the_old_file_reads_it_to_its_end(tmp_path: Path) -> None:
    path = write_bytes(tmp_path / "a.cmx", b"old content")
    with path.open("rb") as reader:
        write_bytes(path, b"new")
        assert reader.read() == b"old content"
    assert path.read_bytes() == b"new"


def test_a_file_that_is_being_written_is_not_taken_for_a_finished_one(tmp_path: Path) -> None:
    seen: list[list[Path]] = []

    def look(neighbour: Path) -> None:
        neighbour.write_bytes(b"half")
        seen.append(list(tmp_path.glob("*.json")))

    path = write_whole(tmp_path / "part.json", look)
    assert seen == [[]]
    assert list(tmp_path.iterdir()) == [path]


def test_json_is_utf8_and_refuses_nan(tmp_path: Path) -> None:
    path = write_json(tmp_path / "a.json", {"unit": "µm"})
    assert "µm" in path.read_text("utf-8")
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(path, {"share": float("nan")})
    assert json.loads(path.read_text("utf-8")) == {"unit": "µm"}


def test_a_device_a_pipe_and_a_folder_are_never_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "pipe", tmp_path / "folder", Path("/dev/null")):
        with pytest.raises(SaveError, match="there is something that is no file"):
            write_bytes(path, b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "pipe"]


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "a" * 250])
def test_a_name_that_cannot_be_is_one_line(tmp_path: Path, name: str) -> None:
    with pytest.raises(SaveError, match="could not save") as said:
        write_bytes(tmp_path / name, b"x")
    assert "\n" not in str(said.value)
    assert "\0" not in str(said.value)
    assert not list(tmp_path.iterdir())


def test_a_name_that_is_no_text_is_not_written_as_if_it_were(tmp_path: Path) -> None:
    with pytest.raises(SaveError, match=r"no Unicode text .*\\udcff.*rename"):
        write_json(tmp_path / "a.json", {"dataset": "/data/\udcff/dataset.toml"})
