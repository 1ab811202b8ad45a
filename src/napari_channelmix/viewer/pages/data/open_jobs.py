"""Jobs that give a data set with the pixels of the field of view that is to be shown."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer import layers

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.data_sets import DataSetState
    from napari_channelmix.viewer.session.session import Session

__all__ = ["Opened", "of_source", "open_cells_job", "opened_job", "sample_job"]


@dataclass(frozen=True, eq=False)
class Opened:
    """A data set with the pixels of a field of view; or the key of the same one, open already."""

    cells: Cells
    pixels: layers.FieldPixels
    open_already: int | None = None


def opened_job(job: Job[Cells], same_source: tuple[DataSetState, ...]) -> Job[Opened]:
    """A data set together with the pixels of the field of view that is to be shown."""
    cells = yield from job
    for state in same_source:
        if state.original is cells or state.original.fingerprint == cells.fingerprint:
            pixels = yield from layers.field_job(state.cells, state.shown.field)
            return Opened(state.cells, pixels, state.key)
    pixels = yield from layers.field_job(cells, 0)
    return Opened(cells, pixels)


def of_source(session: Session, source: str) -> tuple[DataSetState, ...]:
    """Open data sets that came from the same place, however its path is spelt."""
    return tuple(
        state for state in session.data_sets if _resolved(state.source) == _resolved(source)
    )


def _resolved(source: str) -> str:
    """A file by its whole path; other sources stay as they are."""
    path = Path(source)
    return str(path.resolve()) if path.suffix.lower() == ".toml" else source


def sample_job(name: str) -> Job[Cells]:
    """A sample by the name of its function in `data.samples` or `data.multiplex_sample`."""
    yield Progress(0, 1, "making the sample")
    from napari_channelmix.data import multiplex_sample, samples

    module = samples if hasattr(samples, name) else multiplex_sample
    # A sample that takes its time has a job, which can be stopped.
    job = getattr(module, f"{name}_job", None)
    sample = (yield from job()) if job is not None else getattr(module, name)()
    cells = cast("Cells", sample.cells)
    if module is multiplex_sample:
        # Constant: no classifier can be trained with it, and no file is there to leave it out in.
        cells = cells.without_channels([multiplex_sample.BLANK])
    return cells


def open_cells_job(cells: Cells) -> Job[Cells]:
    """Cells that are there already, as a job."""
    yield Progress(0, 1, f"reading {cells.name}")
    return cells
