"""What all blocks of cells share when they are edited, and what is answered about a block."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.data.crop_outlines import LightScale
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.settings import OF_THE_CLUSTER, WhatIfSettings, as_dict
from napari_channelmix.whatif.asking import Asker, asker_job
from napari_channelmix.whatif.axis_table import axes_of, check_axis, registered
from napari_channelmix.whatif.crops import CellCrops, Scope, cell_crops
from napari_channelmix.whatif.doubts import feature_doubts, outline_doubts
from napari_channelmix.whatif.edited_cells import EditedCells, edited_cells_job
from napari_channelmix.whatif.grids import chosen_axes, grids_job
from napari_channelmix.whatif.purity import purity_job
from napari_channelmix.whatif.responses import AxisGrid, Responses, respond_job
from napari_channelmix.whatif.smallest_change import CellChanges, smallest_changes_job

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.axes import Axis

    IntArray = npt.NDArray[np.int64]

__all__ = [
    "ChunkOfAnswers",
    "WhatIfTask",
    "answer_chunk_job",
    "what_if_chunks",
    "what_if_task_job",
]

# Cells of a block, and bytes of their crops.
BLOCK, BLOCK_BYTES = 128, 32 * 2**20
# Reference cells that are kept in memory: their bytes, and at least so many cells.
REFERENCE_BYTES, LEAST_REFERENCE = 256 * 2**20, 64
# Cells by which a user's axis is tried, and the model is asked twice.
TRIED = 16


@dataclass(frozen=True, eq=False)
class WhatIfTask:
    """What all blocks of cells share.

    Attributes
    ----------
    asker : Asker
    cells : Cells
        With the channels of the model, in its order.
    chosen : EditedCells
    settings : WhatIfSettings
    scale : LightScale
        Of the data set, for outlines.
    axes : tuple of Axis
    grids : tuple of AxisGrid
    reference : CellCrops
        Cells whose features are the data's own range; the first of ``chosen``.
    facts : dict
        What the answers were made of, for their provenance.
    purity : data frame
        Whether each edit does what its name says; see `result.WhatIf.purity`.
    warnings : tuple of str
        What speaks against the outlines, or the model.
    """

    asker: Asker
    cells: Cells = field(repr=False)
    chosen: EditedCells = field(repr=False)
    settings: WhatIfSettings
    scale: LightScale = field(repr=False)
    axes: tuple[Axis, ...] = field(repr=False)
    grids: tuple[AxisGrid, ...] = field(repr=False)
    reference: CellCrops = field(repr=False)
    facts: dict[str, Any] = field(repr=False)
    purity: pd.DataFrame = field(repr=False)
    warnings: tuple[str, ...] = ()

    @property
    def own_grids(self) -> tuple[AxisGrid, ...]:
        """Grids of the scope that was asked for."""
        return tuple(grid for grid in self.grids if grid.scope == self.settings.scope)

    def crops(self, positions: IntArray) -> CellCrops:
        """Crops of some of the cells; those that are in memory are not read again."""
        known = {int(cell): place for place, cell in enumerate(self.reference.positions.tolist())}
        places = [known.get(int(cell), -1) for cell in positions.tolist()]
        if all(place >= 0 for place in places):
            return self.reference[np.array(places, np.int64)]
        return cell_crops(self.cells, positions, scale=self.scale)

    def __getstate__(self) -> dict[str, Any]:
        """For workers: without the pixels of the reference cells, which they read as needed."""
        return {**vars(self), "reference": self.reference[:0]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


@dataclass(frozen=True, eq=False)
class ChunkOfAnswers:
    """Answers about a block of cells.

    Attributes
    ----------
    responses : Responses
    changes : tuple of CellChanges
        The smallest changes; none where they were not asked for.
    """

    responses: Responses
    changes: tuple[CellChanges, ...] = ()

    @classmethod
    def together(cls, parts: list[ChunkOfAnswers]) -> ChunkOfAnswers:
        """Several blocks as one."""
        return cls(
            Responses.together([each.responses for each in parts]),
            tuple(row for each in parts for row in each.changes),
        )


def what_if_task_job(model: Predictor, cells: Cells, settings: WhatIfSettings) -> Job[WhatIfTask]:
    """Choose cells and amounts, and refuse what cannot be asked; a job.

    Raises
    ------
    ModelError, DataError
        As `what_if`.
    """
    asker, fitting = yield from part(asker_job(model, cells, settings.prior), 0, 3, 10)
    choice = edited_cells_job(
        model, fitting, only=settings.only, limit=settings.limit, seed=settings.seed
    )
    chosen = yield from part(choice, 3, 4, 10)
    yield Progress(7, 10, "reading the cells")
    scale = LightScale.of_cells(fitting)
    nbytes = len(fitting.channels) * fitting.crop**2 * 4
    most = max(LEAST_REFERENCE, REFERENCE_BYTES // nbytes)
    reference = cell_crops(fitting, chosen.positions[:most], scale=scale)
    yield Progress(8, 10, "asking twice about the same cells")
    asker.refuse_unsteady(reference.pixels[:TRIED])
    axes = chosen_axes(axes_of(reference), settings.axes)
    for own in set(registered()) & set(axes):
        check_axis(own, reference[:TRIED])
    yield Progress(9, 10, "finding the range of each axis")
    codes = asker.calls(reference.pixels)
    ranges = grids_job(axes, reference, codes, steps=settings.steps, scopes=_scopes(settings))
    grids = yield from part(ranges, 9, 0.5, 10)
    facts = {
        "settings": as_dict(settings, leave_out=(*OF_THE_CLUSTER, "prior")),
        "seed": settings.seed,
        "prior": asker.prior.as_dict(),
        "model": model_hash(model),  # type: ignore[arg-type]
        # Not their signature: that reads every pixel of the data set, in one step.
        "data": fitting.fingerprint,
        "pixels": hashlib.sha256(np.ascontiguousarray(reference.pixels).tobytes()).hexdigest(),
    }
    purity = yield from part(purity_job(axes, reference), 9.5, 0.5, 10)
    return WhatIfTask(
        asker,
        fitting,
        chosen,
        settings,
        scale,
        axes,
        grids,
        reference,
        facts,
        purity,
        (*fitting.warnings, *model.warnings, *outline_doubts(reference), *feature_doubts(grids)),
    )


def _scopes(settings: WhatIfSettings) -> tuple[Scope, ...]:
    if settings.compare_scopes and settings.scope == "cell":
        return "cell", "crop"
    return (settings.scope,)


def what_if_chunks(task: WhatIfTask) -> list[IntArray]:
    """Blocks of cells: positions in the data set. They depend on the cells alone."""
    size = max(1, min(BLOCK, BLOCK_BYTES // (len(task.cells.channels) * task.cells.crop**2 * 4)))
    positions = task.chosen.positions
    return [positions[start : start + size] for start in range(0, len(positions), size)]


def answer_chunk_job(task: WhatIfTask, positions: IntArray) -> Job[ChunkOfAnswers]:
    """Edit a block of cells along all axes and ask about them; a job."""
    yield Progress(0, 100, "reading the cells")
    crops = task.crops(positions)
    share = 75 if task.settings.smallest else 100
    responses = yield from part(respond_job(task.asker, crops, task.grids), 0, share, 100)
    changes: tuple[CellChanges, ...] = ()
    if task.settings.smallest:
        search = smallest_changes_job(task.asker, crops, task.own_grids, responses)
        changes = yield from part(search, share, 100 - share, 100)
    return ChunkOfAnswers(responses, changes)
