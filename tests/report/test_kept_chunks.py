"""Chunks that are kept: taken up by the same run, never by another one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.report.kept_chunks import FACTS, KeptChunks


class Sums(KeptChunks[float]):
    def _arrays(self, chunk: float) -> dict[str, Any]:
        return {"total": np.array(chunk)}

    def _chunk(self, arrays: dict[str, Any], positions: npt.NDArray[np.int64]) -> float | None:
        return float(arrays["total"])


CHUNKS = [np.arange(3), np.arange(3, 5)]


def kept(folder: Path, files: tuple[str, str] = ("a", "b"), **facts: Any) -> Sums:
    return Sums(folder, {"model": "m", "n": 5, **facts}, CHUNKS, files)


def test_a_second_run_takes_up_what_is_there(tmp_path: Path) -> None:
    first = kept(tmp_path / "parts")
    assert first.missing() == [0, 1] and not (tmp_path / "parts").exists()
    first.put(1, 7.0)
    again = kept(tmp_path / "parts")
    assert again.missing() == [0] and again.read(1) == 7.0
    again.remove()
    assert not (tmp_path / "parts").exists()


def test_a_chunk_of_changed_images_or_a_damaged_one_is_missing(tmp_path: Path) -> None:
    parts = kept(tmp_path)
    parts.put(0, 1.0)
    parts.put(1, 2.0)
    assert kept(tmp_path, files=("a", "changed")).missing() == [1]
    file = tmp_path / "000000.npz"
    file.write_bytes(file.read_bytes()[:50])
    assert kept(tmp_path).missing() == [0]


@pytest.mark.parametrize(
    ("facts", "says"),
    [({"model": "other"}, "another model"), ({"n": 6}, "5 cells instead of 6")],
)
def test_another_run_is_refused_in_one_line(
    facts: dict[str, Any], says: str, tmp_path: Path
) -> None:
    kept(tmp_path).put(0, 1.0)
    with pytest.raises(DataError, match=says) as error:
        kept(tmp_path, **facts)
    assert "\n" not in str(error.value)
    (tmp_path / FACTS).write_text("{}")
    with pytest.raises(DataError, match="was not made by this command"):
        kept(tmp_path)
