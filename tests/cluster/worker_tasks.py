"""Tasks for the tests of this folder; workers import this module by its name."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress

# Steps of a task.
STEPS = 5


def doubled(shared: dict[str, Any], chunk: int) -> Job[tuple[int, int]]:
    """Twice the chunk and the number of the process; what goes wrong on the way is in `shared`."""
    if chunk == shared.get("deadly"):
        os._exit(9)
    for step in range(STEPS):
        time.sleep(shared.get("seconds", 0.0) / STEPS)
        yield Progress(step + 1, STEPS, "")
    _leave_trace(shared, chunk)
    if chunk in shared.get("bad", ()):
        raise DataError(f"image {chunk}: corrupt chunk")
    return 2 * chunk, os.getpid()


def failing_once(shared: Path, chunk: int) -> Job[int]:
    """Fail the first time, as a share on the network does."""
    yield Progress(0, 1, "")
    mark = shared / f"{chunk}.tried"
    if not mark.exists():
        mark.touch()
        raise OSError(5, "Input/output error")
    return chunk


def unfit(shared: None, chunk: int) -> Job[int]:
    """A model that gives nonsense."""
    yield Progress(0, 1, "")
    raise ModelError(f"NaN at chunk {chunk}")


def _leave_trace(shared: dict[str, Any], chunk: int) -> None:
    folder = shared.get("traces")
    if folder is not None:
        (Path(folder) / str(chunk)).touch()
