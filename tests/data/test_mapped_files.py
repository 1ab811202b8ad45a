"""What was read of mapped files is given back before it takes much memory."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.data.mapped_files import MappedMemory, mapping
from napari_channelmix.data.open_files import FileStamp, open_files

MIB = 2**20


def written(path: Path) -> FileStamp:
    path.write_bytes(bytes(4 * MIB))
    return FileStamp.of(path)


def resident(path: Path) -> int:
    """Bytes of a file that are mapped now."""
    inside, total = False, 0
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            inside = line.endswith(str(path))
        elif inside and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


@pytest.mark.skipif(sys.platform != "linux", reason="asks /proc")
def test_memory_is_given_back_once_it_is_more_than_may_stay(tmp_path: Path) -> None:
    memory = MappedMemory(6 * MIB)
    stamps = [written(tmp_path / name) for name in "ab"]
    for number, stamp in enumerate(stamps):
        with mapping(stamp) as mapped:
            assert np.frombuffer(mapped, np.uint8).sum() == 0
        assert resident(stamp.path) == 4 * MIB
        memory.read([stamp], 4 * MIB)
        assert memory.nbytes == (4 * MIB if number == 0 else 0)
    assert [resident(stamp.path) for stamp in stamps] == [0, 0]


def test_a_file_that_was_closed_is_not_opened_again_to_give_it_back(tmp_path: Path) -> None:
    memory = MappedMemory(6 * MIB)
    stamp = written(tmp_path / "a")
    with mapping(stamp):
        pass
    memory.read([stamp], 4 * MIB)
    open_files().close_all()
    stamp.path.unlink()
    memory.read([stamp], 4 * MIB)
    assert memory.nbytes == 0
    assert len(open_files()) == 0
