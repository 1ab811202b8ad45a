"""How faithful maps are to what a classifier does, as a job."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.pcim.batch_size import too_large
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.scores import SHARES, Fidelity, fidelity_job, joined

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["measure_job"]

FloatArray = npt.NDArray[np.float32]


def measure_job(
    model: Any,
    cells: Cells | npt.ArrayLike | Source,
    maps: FloatArray,
    target: Any = None,
    versus: Any = None,
    *,
    device: str = "auto",
    seed: int = 0,
    batch: int = 64,
    references: tuple[str, ...] | None = None,
    shares: Sequence[float] = SHARES,
) -> Job[Fidelity]:
    """Insertion and deletion curves of maps, made by whatever method, as a job.

    Parameters
    ----------
    model, cells, target, versus, device
        As for `explain`; a source keeps its model and its device.
    maps : (N, H, W) or (N, C, H, W) float32 array
    seed : int
        Of the references.
    references, shares
        As for `scores.fidelity_job`.
    """
    source = Source.of(model, cells, device)
    if len(maps) != len(source):
        raise DataError(f"{len(maps)} maps for {len(source)} cells")
    parts, start, count = [], 0, len(source)
    with source.subject.at_rest():
        while start < count:
            some = np.arange(start, min(start + batch, count))
            try:
                problem, _ = source.problem(some, target, versus)
                job = fidelity_job(
                    problem.subject,
                    problem.x,
                    problem.mean,
                    problem.target,
                    maps[some],
                    references=references,
                    shares=shares,
                    seed=seed,
                    sd=problem.sd,
                    other_cells=problem.other_cells,
                )
                parts.append((yield from part(job, start, len(some), count)))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if batch == 1:
                    raise too_large(source.shape[2:]) from error
                batch = max(1, batch // 2)
                yield Progress(start, count, f"memory ran out: now {batch} cells at once")
                continue
            start += len(some)
    return joined(parts)
