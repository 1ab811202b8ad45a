"""Maps of many cells in one image of their field of view, as a job.

PyTorch is imported where the job begins, never with a page.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.evidence_colors import map_limit
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.phenotypes.held_out import held_out_of
from napari_channelmix.viewer.layers import Patches
from napari_channelmix.viewer.pages.pixels.map_scaling import fitted, pasted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.evidence_colors import EvidenceView
    from napari_channelmix.pcim import Attribution, MapUpdate
    from napari_channelmix.settings import ExplainSettings
    from napari_channelmix.viewer.session.cell_sources import Sources
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["FieldMaps", "field_maps_job"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class FieldMaps:
    """Maps of many cells in one field of view.

    Attributes
    ----------
    image : (Y, X) float32 array, or Patches
        Each cell's map scaled to its own strongest values; the stronger one where boxes
        overlap. The job goes on to paint into it. `Patches` of a large field of view.
    magnitude : (Y, X) float32 array, or Patches
        The same of the magnitudes.
    done, total : int
        Cells.
    """

    image: FloatArray | Patches = dataclasses.field(repr=False)
    magnitude: FloatArray | Patches = dataclasses.field(repr=False)
    done: int
    total: int
    warnings: tuple[str, ...] = ()

    def of_view(self, view: EvidenceView) -> FloatArray | Patches:
        """The picture that shows this evidence."""
        return self.magnitude if view == "magnitude" else self.image


def field_maps_job(
    sources: Sources,
    trained: Trained,
    cells: Cells,
    chosen: Sequence[int],
    settings: ExplainSettings,
    images: tuple[FloatArray | Patches, FloatArray | Patches],
    following: Callable[[IntArray], IntArray] | None = None,
    by_channel: Sequence[Patches] = (),
) -> Job[FieldMaps]:
    """Explain many cells of one field of view; a cell is painted when its map is finished.

    ``images``: what is painted into, empty: maps, and magnitudes. ``following`` gets the cells that
    are left, before each batch, and gives them in the order they are to be explained: those first
    that are in sight. ``by_channel``: one for each channel, painted after all else with the maps of
    each channel, on one scale for each cell.

    Of the ``chosen`` those that the classifier was trained on are left out where the settings say
    so and any other is left; see `phenotypes.held_out`.
    """
    yield Progress(0, len(chosen), "reading the cells")
    from napari_channelmix.classify.predictor import training_marks_job
    from napari_channelmix.pcim import explain_job

    whole, indices = sources.of(trained, cells), np.asarray(chosen, dtype=np.int64)
    line = ""
    if settings.only == "held-out":
        marks = yield from part(
            training_marks_job(trained.classifier, cells.subset(indices)), 0, 0, 1
        )
        meant = held_out_of(marks, "the maps are")
        indices, line = indices[meant.chosen], meant.line
    # Their pixels are read batch by batch, by the job.
    some = replace(whole, numbers=whole.numbers[indices])
    boxes = cells.boxes[indices]
    maps, last = FieldMaps(*images, 0, len(indices)), None

    def painted(update: MapUpdate) -> FieldMaps:
        for image, values in zip(images, (update.maps, update.magnitude), strict=True):
            for cell, cell_map in zip(update.cells, values, strict=True):
                if isinstance(image, Patches):
                    image.add(fitted(cell_map, boxes[cell]), boxes[cell])
                else:
                    pasted(image, cell_map, boxes[cell])
        return replace(maps, done=maps.done + len(update.cells))

    def next_cells(left: IntArray) -> IntArray:
        assert following is not None
        rows = {cell: row for row, cell in zip(left.tolist(), indices[left].tolist(), strict=True)}
        wanted = following(indices[left]).tolist()
        return np.array([rows[cell] for cell in wanted], dtype=np.int64)

    job = explain_job(
        trained.classifier,
        some,
        settings.target,
        versus=settings.versus,
        # One image of the field of view holds one map of each cell.
        settings=replace(settings.maps, channels="shared"),
        following=None if following is None else next_cells,
    )
    try:
        while True:
            step = next(job)
            # The maps of a batch are finished when those of the next one come.
            if last is not None and last.cells[0] != step.partial.cells[0]:
                maps = painted(last)
            last = step.partial
            yield replace(step, partial=maps, metrics={})
    except StopIteration as end:
        if last is not None:
            maps = painted(last)
        lines = (line, *end.value.warnings) if line else end.value.warnings
        maps = replace(maps, warnings=lines)
    finally:
        job.close()
    if by_channel:
        job = explain_job(
            trained.classifier,
            some,
            settings.target,
            versus=settings.versus,
            settings=replace(settings.maps, channels="separate"),
            # Said with the maps of all channels.
            compare=False,
        )
        yield from _by_channel_job(job, maps, by_channel, boxes)
    return maps


def _by_channel_job(
    job: Job[Attribution], maps: FieldMaps, by_channel: Sequence[Patches], boxes: IntArray
) -> Job[None]:
    """Paint the maps of each channel, of a cell when they are finished."""

    def paint(update: MapUpdate) -> None:
        assert update.channel_maps is not None
        for cell, channel_maps in zip(update.cells, update.channel_maps, strict=True):
            limit = map_limit(channel_maps)
            for patches, values in zip(by_channel, channel_maps, strict=True):
                patches.add(fitted(values, boxes[cell], limit), boxes[cell])

    last = None
    try:
        while True:
            step = next(job)
            # Once the maps are made their channels are exchanged, which gives no more maps.
            if step.partial is not None:
                if last is not None and last.cells[0] != step.partial.cells[0]:
                    paint(last)
                last = step.partial
            yield replace(step, stage="explaining each channel", partial=maps, metrics={})
    except StopIteration:
        if last is not None:
            paint(last)
    finally:
        job.close()
