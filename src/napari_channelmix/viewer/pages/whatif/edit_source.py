"""A classifier and its cells, made ready for edits; jobs that open cells. It knows no Qt.

What holds for all cells (axes, their ranges in the data, the scale of the light) is found once,
from a sample; a click then reads one cell.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.display_limits import DisplayLimits, display_limits_job
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.viewer.pages.whatif.opened_cell import OpenedCell, axis_range

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.data.crop_outlines import LightScale
    from napari_channelmix.viewer.session.cell_sources import Sources
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.whatif.asking import Asker
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops, Scope
    from napari_channelmix.whatif.responses import AxisGrid
    from napari_channelmix.whatif.smallest_change import CellChanges

__all__ = ["EditSource", "edit_source_job", "open_cell_job", "smallest_change_job"]

FloatArray = npt.NDArray[np.float32]

# Cells whose features say what the data show.
SAMPLE = 200
# Amounts that are tried on each axis in the search for the smallest change.
STEPS = 9
# Amounts of each sham that are tried.
SHAM_AMOUNTS = 5
# How often one question is timed.
TIMED = 3


@dataclass(frozen=True, eq=False)
class EditSource:
    """A classifier with the cells that it is asked about.

    Attributes
    ----------
    trained : Trained
    cells : Cells
        With the channels of the classifier, in its order.
    asker : Asker
    scale : LightScale
    axes : tuple of Axis
    grids : tuple of AxisGrid
        For each axis amounts over the data's own range, and that range.
    limits : DisplayLimits
        Grey values that become black and white in pictures.
    prior : str, mapping, Prior or None
        The choice that the asker was made with.
    """

    trained: Trained
    cells: Cells = field(repr=False)
    asker: Asker = field(repr=False)
    scale: LightScale = field(repr=False)
    axes: tuple[Axis, ...] = field(repr=False)
    grids: tuple[AxisGrid, ...] = field(repr=False)
    limits: DisplayLimits = field(repr=False)
    prior: PriorChoice = None

    def span_of(self, name: str) -> tuple[float, float] | None:
        """The feature of an axis on the data's own range; None where it is not measured."""
        limits = next(grid.limits for grid in self.grids if grid.axis.name == name)
        return (limits.low, limits.high) if limits.known else None


def edit_source_job(trained: Trained, cells: Cells, prior: PriorChoice = None) -> Job[EditSource]:
    """Find what holds for all cells; a job.

    Raises
    ------
    ModelError, DataError
        As `whatif.asking.asker_job` and `whatif.crops.cell_crops`; a classifier that changes its
        answer from call to call.
    """
    yield Progress(0, 4, "getting ready")
    from napari_channelmix.data.crop_outlines import LightScale
    from napari_channelmix.whatif.asking import asker_job
    from napari_channelmix.whatif.axis_table import axes_of
    from napari_channelmix.whatif.crops import cell_crops
    from napari_channelmix.whatif.grids import grids_job

    asker, fitting = yield from part(asker_job(trained.classifier, cells, prior), 0, 1, 4)
    yield Progress(1, 4, "measuring the range of the channels")
    scale = LightScale.of_cells(fitting)
    count = min(len(fitting), SAMPLE)
    chosen = np.unique(np.linspace(0, len(fitting) - 1, count).astype(np.int64))
    yield Progress(2, 4, "finding outlines")
    crops = cell_crops(fitting, chosen, scale=scale)
    asker.refuse_unsteady(crops.pixels[:1])
    axes = axes_of(crops)
    yield Progress(3, 4, "measuring the cells")
    calls = asker.calls(crops.pixels)
    grids = yield from part(grids_job(axes, crops, calls, steps=STEPS), 3, 1, 4)
    limits = yield from part(display_limits_job(fitting), 4, 0, 4)
    return EditSource(trained, fitting, asker, scale, axes, grids, limits, prior)


def open_cell_job(source: EditSource, sources: Sources, cells: Cells, cell: int) -> Job[OpenedCell]:
    """Open one cell for edits; a job.

    Parameters
    ----------
    source : EditSource
    sources : Sources
        Of the page; they know which cells the classifier was trained on.
    cells : Cells
        Those of the session.
    cell : int
        Position of the cell.

    Raises
    ------
    ModelError, DataError
        A cell that cannot be read; an edit that fails.
    """
    yield Progress(0, 3, "reading the cell")
    from napari_channelmix.whatif.crops import cell_crops

    crops = cell_crops(source.cells, np.array([cell]), scale=source.scale)
    yield Progress(1, 3, "asking the classifier")
    before = source.asker(crops.pixels)[0]
    # The first call may prepare the network.
    seconds = min(_timed(source.asker, crops.pixels) for _ in range(TIMED))
    ranges = []
    for axis in source.axes:
        if axis.family != "sham":
            own = np.nan if axis.measure is None else float(axis.measure(crops)[0])
            ranges.append(axis_range(axis, own, source.span_of(axis.name)))
    sham = _sham(source, crops, before)
    yield Progress(2, 3, "reading cells of its group, to see whether they were trained on")
    training = sources.training_mark(source.trained, cells, cell)
    y0, x0, y1, x1 = cells.boxes[cell].tolist()
    return OpenedCell(
        cell,
        cell_name(cells, cell),
        int(cells.table["field"].iloc[cell]),
        (y0, x0, y1, x1),
        source.asker,
        crops,
        tuple(ranges),
        before,
        sham,
        seconds,
        training,
        _lines(crops),
    )


def smallest_change_job(source: EditSource, opened: OpenedCell, scope: Scope) -> Job[CellChanges]:
    """What flips one cell, the smallest change first; a job."""
    yield Progress(0, 1, "finding the smallest change")
    from napari_channelmix.whatif.smallest_change import smallest_changes_job

    grids = [replace(grid, scope=scope) for grid in source.grids]
    changes = yield from smallest_changes_job(source.asker, opened.crops, grids)
    return changes[0]


def _timed(asker: Asker, pixels: FloatArray) -> float:
    start = time.perf_counter()
    asker(pixels)
    return time.perf_counter() - start


def _sham(source: EditSource, crops: CellCrops, before: FloatArray) -> float:
    """Largest change of a probability by edits that must not matter."""
    pixels = []
    for axis in source.axes:
        if axis.family == "sham":
            amounts = np.linspace(axis.low, axis.high, SHAM_AMOUNTS)
            pixels += [axis(crops, amount).pixels for amount in amounts if amount != axis.neutral]
    if not pixels:
        return 0.0
    return float(np.abs(source.asker(np.concatenate(pixels)) - before).max())


def _lines(crops: CellCrops) -> tuple[str, ...]:
    if not crops.disc[0]:
        return ()
    from napari_channelmix.data.crop_outlines import DISC_SHARE

    side = crops.pixels.shape[2]
    return (
        f"The outline of this cell is not known: a disc of {2 * DISC_SHARE * side:.0f} pixels "
        "stands for it.",
    )
