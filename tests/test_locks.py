"""A folder has one run at a time, and one that was killed stands in nobody's way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from napari_channelmix.errors import InUseError, SaveError
from napari_channelmix.locks import NAME, in_use

HOLD = """
import sys, time
from napari_channelmix.locks import in_use
with in_use(sys.argv[1], is_file=len(sys.argv) > 2):
    print("there", flush=True)
    time.sleep(60)
"""


def holder(*arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, *arguments], text=True, stdout=subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    return process


def test_a_second_run_is_told_who_is_there(tmp_path: Path) -> None:
    process = holder(str(tmp_path / "out"))
    try:
        with pytest.raises(InUseError) as caught, in_use(tmp_path / "out"):
            pass
        said = str(caught.value)
        assert f"out is in use by another run (process {process.pid}, since 20" in said
        assert said.endswith("wait until it ends, or choose another --out")
    finally:
        process.kill()
        process.communicate()


def test_a_run_that_was_killed_is_taken_over_with_a_word(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    process = holder(str(tmp_path))
    process.send_signal(signal.SIGKILL)
    process.communicate()
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / ".a.json-0123abcd.part").write_text("half")
    (tmp_path / "parts" / "a.part").write_text("not ours")
    assert (tmp_path / NAME).exists()
    with in_use(tmp_path):
        assert json.loads((tmp_path / NAME).read_text())["process"] == os.getpid()
    assert f"going on after a run that did not end (process {process.pid}" in caplog.text
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.part", "parts"]


def test_what_another_run_writes_in_a_folder_within_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"process": 1, "host": "h", "since": "s"}')
    half = tmp_path / "sub" / ".a.json-0123abcd.part"
    half.parent.mkdir()
    half.write_text("half")
    with in_use(tmp_path / "sub"), in_use(tmp_path):
        assert half.exists()


def test_a_mark_that_cannot_be_read_is_no_obstacle(tmp_path: Path) -> None:
    for content in (b"", b"\xff", b"[]", b"[" * 5000, b'{"process": "x"}'):
        (tmp_path / NAME).write_bytes(content)
        with in_use(tmp_path):
            pass
        assert not (tmp_path / NAME).exists()


def test_one_process_does_not_have_a_folder_twice(tmp_path: Path) -> None:
    with in_use(tmp_path):
        with pytest.raises(InUseError, match=f"process {os.getpid()}"), in_use(tmp_path):
            pass
        # The one that was refused took nothing away.
        with pytest.raises(InUseError), in_use(tmp_path):
            pass
    with in_use(tmp_path):
        pass


def test_a_file_has_its_mark_beside_it(tmp_path: Path) -> None:
    process = holder(str(tmp_path / "M.cmx"), "file")
    try:
        with (
            pytest.raises(InUseError, match=r"M\.cmx is in use"),
            in_use(tmp_path / "M.cmx", is_file=True),
        ):
            pass
        with in_use(tmp_path / "N.cmx", is_file=True), in_use(tmp_path):
            pass
    finally:
        process.kill()
        process.communicate()
    (tmp_path / ".M.cmx-0123abcd.part").write_text("half")
    (tmp_path / ".N.cmx-0123abcd.part").write_text("of another")
    with in_use(tmp_path / "M.cmx", is_file=True):
        pass
    assert [path.name for path in tmp_path.iterdir()] == [".N.cmx-0123abcd.part"]


def test_folders_that_stay_empty_are_taken_away(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError), in_use(tmp_path / "a" / "b"):
        raise RuntimeError
    assert not list(tmp_path.iterdir())
    with in_use(tmp_path / "a" / "b"):
        (tmp_path / "a" / "b" / "c").write_text("")
    assert (tmp_path / "a" / "b" / "c").exists()


@pytest.mark.parametrize("name", ["file", "file/within", "a" * 300, "a\0b", "/proc/none"])
def test_a_folder_that_cannot_be_is_one_line(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SaveError, match="could not save in") as caught, in_use(tmp_path / name):
        pass
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
