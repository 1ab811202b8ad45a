"""Test the maps of an explained data set, chunk by chunk: against chance, weights and noise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.cluster import ChunkReport, chunks_job
from napari_channelmix.jobs import Job, part
from napari_channelmix.pcim import reliability_job
from napari_channelmix.phenotypes.wilson import wilson
from napari_channelmix.run.stored_schemas import RELIABILITY

if TYPE_CHECKING:
    from napari_channelmix.run.explain_run import ExplainRun
    from napari_channelmix.run.explain_tasks import ExplainTask

__all__ = ["all_reliability_job", "reliability_content", "tested_chunk_job"]

FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class MapsToTest:
    """A chunk whose maps are tested.

    Attributes
    ----------
    rows : slice
    target : tuple of int
        What its maps are of.
    maps : (n, H, W) float32 array
    """

    rows: slice
    target: tuple[int, ...]
    maps: FloatArray


def tested_chunk_job(task: ExplainTask, tested: MapsToTest) -> Job[dict[str, Any]]:
    """Reliability of the maps of a chunk, a list of each figure, for JSON.

    The maps are made once more, for what is known of them beside the maps that are kept.
    """
    cells = task.cells_of(tested.rows)
    job = task.explained_job(cells, task.method, np.array(tested.target))
    made = yield from part(job, 0, 1, 6)
    made = replace(made, maps=tested.maps)
    result = yield from part(reliability_job(made, seed=task.settings.seed), 1, 5, 6)
    content = result.as_dict()
    del content["share_readable"]
    return content


def all_reliability_job(run: ExplainRun) -> Job[ChunkReport]:
    """Test the chunks that are not tested yet.

    Raises
    ------
    DataError
        Chunks that could not be tested, with the reason; the others are kept.
    """
    missing = [index for index in range(len(run.chunks)) if run.part(index, RELIABILITY) is None]
    if not missing:
        return ChunkReport(0, 0)
    rows = [run.chunks[index] for index in missing]

    def keep(position: int, content: dict[str, Any]) -> None:
        run.store.put_scores(missing[position], RELIABILITY, content)

    job = chunks_job(
        tested_chunk_job,
        run.task,
        [_tested(run, index) for index in missing],
        keep=keep,
        settings=run.cluster,
        stage="testing the maps",
        sizes=[some.stop - some.start for some in rows],
    )
    share = run.testing_steps * len(missing)
    report = yield from part(job, run.steps - share, share, run.steps)
    report.refuse_missing(lambda position: f"testing {run.words_of(rows[position])}", 0)
    return report


def _tested(run: ExplainRun, index: int) -> MapsToTest:
    stored, rows = run.part(index), run.chunks[index]
    assert stored is not None
    return MapsToTest(rows, tuple(stored["target"]), run.store.maps(rows))


def reliability_content(run: ExplainRun) -> dict[str, Any] | None:
    """What ``explain.json`` says of the reliability; None where a chunk was not tested."""
    parts = [run.part(index, RELIABILITY) for index in range(len(run.chunks))]
    known = [chunk for chunk in parts if chunk is not None]
    if len(known) < len(parts):
        return None
    names = [name for name in known[0] if name not in ("run", "n")]
    columns = {name: [value for chunk in known for value in chunk[name]] for name in names}
    readable = columns["readable"]
    low, high = wilson(sum(readable), len(readable))
    return {
        "n": len(readable),
        "readable_maps": sum(readable),
        "share_readable": sum(readable) / len(readable),
        "share_readable_low": low,
        "share_readable_high": high,
        **columns,
    }
