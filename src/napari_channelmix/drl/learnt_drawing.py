"""Drawings of a data set from named and residual latents, and what they are worth.

1. Hold out a fifth of the cells, whole groups: they are never learnt from, and measure the drawing.
2. Learn to draw the others.
3. Hold cells against their drawings, one by one.
4. Move each slider, and see on the drawings what it moves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.preparation import some_pictures_job, some_positions
from napari_channelmix.drl.reconstruction import Reconstruction, measured, squares
from napari_channelmix.drl.residual_training import held_out_cells, learn_drawing_job
from napari_channelmix.drl.slider_check import CELLS, SliderEffect, slider_check_job
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl.cell_drawing import DrawnPictures
    from napari_channelmix.drl.disentangler import Disentangler
    from napari_channelmix.drl.preparation import Prepared
    from napari_channelmix.drl.residual_drawing import ResidualDrawing
    from napari_channelmix.settings import EncodingSettings

__all__ = ["LearntDrawing", "learnt_drawing_job", "measure_drawing_job", "worst_text"]

FloatArray = npt.NDArray[np.float32]

# Cells that are held against their drawings at most, one by one; spread evenly.
MOST = 20_000
BATCH = 64
# How many of the cells that are drawn worst are named.
WORST = 5


@dataclass(frozen=True, eq=False)
class LearntDrawing:
    """Drawings of the cells of a data set from named and residual latents, and their worth.

    Attributes
    ----------
    drawing : ResidualDrawing
    held_out : (N,) bool array
        Cells that were not learnt from.
    explained : (N,) float64 array
        Share of the variance inside each cell that its drawing explains; NaN where it was not
        measured or where the cell is even.
    reconstruction : Reconstruction or None
        The same over all held-out cells, with an interval; over all cells where none are held out.
    sliders : tuple of SliderEffect
        What each slider moves in drawings of held-out cells.
    """

    drawing: ResidualDrawing
    held_out: npt.NDArray[np.bool_] = field(repr=False)
    explained: npt.NDArray[np.float64] = field(repr=False)
    reconstruction: Reconstruction | None
    sliders: tuple[SliderEffect, ...] = ()

    @property
    def compared(self) -> npt.NDArray[np.float64]:
        """`explained` of the cells (N,) whose drawings count: held-out ones where there are any."""
        share = np.where(self.held_out, self.explained, np.nan)
        return share if np.isfinite(share).any() else self.explained

    @property
    def worst(self) -> tuple[int, ...]:
        """The cells that are drawn worst, worst first; held-out ones where there are any."""
        share = self.compared
        order = np.argsort(np.where(np.isfinite(share), share, np.inf))
        return tuple(int(row) for row in order[:WORST] if np.isfinite(share[row]))

    @property
    def doubts(self) -> tuple[str, ...]:
        """What sliders do beside what their names say, or fail to do; one for each such slider."""
        return tuple(effect.doubt for effect in self.sliders if effect.doubt)

    @property
    def lines(self) -> tuple[str, ...]:
        """What people read of it, a line each."""
        lines = []
        if self.reconstruction is not None:
            cells = "cells it did not learn from" if self.held_out.any() else "cells it learnt from"
            lines.append(self.reconstruction.drawing_text(cells))
            if not self.held_out.any():
                lines.append("No cells were held out: of other cells it may explain less.")
        lines += [f"{effect.text}." for effect in self.sliders]
        return tuple(lines)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "about": {key: value for key, value in self.drawing.about.items() if key != "curves"},
            "held_out": int(self.held_out.sum()),
            "reconstruction": None
            if self.reconstruction is None
            else self.reconstruction.as_dict(),
            "sliders": [effect.as_dict() for effect in self.sliders],
            "worst": [
                {"position": row, "explained": round(float(self.explained[row]), 4)}
                for row in self.worst
            ],
            "text": " ".join(self.lines),
        }


def learnt_drawing_job(
    of: Disentangler,
    cells: Cells,
    prepared: Prepared,
    values: FloatArray,
    active: npt.NDArray[np.bool_],
    chosen: EncodingSettings,
    device: str,
    checkpoint: Path | None = None,
) -> Job[LearntDrawing]:
    """Learn to draw cells, as many as fit into memory, and measure it, as a job.

    Parameters
    ----------
    of : Disentangler
    cells : Cells
    prepared : Prepared
    values : (N, Z) float32 array
        Their named latents.
    active : (Z,) bool array
        Latents that vary among them.
    chosen : EncodingSettings
        ``drawing_steps`` and ``seed`` count.
    device : {"auto", "cpu", "cuda", "mps"}
    checkpoint : path, optional
        See `learn_drawing_job`.

    Raises
    ------
    DataError, ModelError
        As `learn_drawing_job`.
    """
    groups = np.asarray(cells.groups)
    held = held_out_cells(groups, chosen.seed)
    pictures = yield from part(some_pictures_job(prepared), 0, 5, 100)
    used = some_positions(prepared)
    learning = learn_drawing_job(
        of,
        pictures,
        held[used],
        steps=chosen.drawing_steps,
        seed=chosen.seed,
        device=device,
        checkpoint=checkpoint,
    )
    drawing = yield from part(learning, 5, 85, 100)
    axes = tuple(axis for axis in of.axes() if active[list(of.columns(axis))].any())
    measuring = measure_drawing_job(drawing, prepared.pictures, values, groups, held, axes)
    return (yield from part(measuring, 90, 10, 100))


def measure_drawing_job(
    drawing: ResidualDrawing,
    pictures: npt.NDArray[np.uint8] | DrawnPictures,
    values: npt.NDArray[np.float32],
    groups: npt.NDArray[Any],
    held_out: npt.NDArray[np.bool_],
    axes: tuple[str, ...],
) -> Job[LearntDrawing]:
    """Hold cells against their drawings, and see what sliders move, as a job.

    Parameters
    ----------
    drawing : ResidualDrawing
    pictures : (N, C, H, W) uint8 array, or DrawnPictures
    values : (N, Z) float32 array
        Named latents.
    groups : (N,) array
    held_out : (N,) bool array
        Cells that were not learnt from.
    axes : tuple of str
        Sliders.
    """
    count = len(pictures)
    measured_rows = np.unique(np.linspace(0, count - 1, min(count, MOST)).astype(np.int64))
    # The sliders take about a quarter of the time of the comparison.
    total = len(measured_rows) + len(measured_rows) // 4
    sums = np.full((3, count), np.nan)
    judged = np.flatnonzero(held_out) if held_out.any() else np.arange(count)
    others = dict(zip(judged.tolist(), np.roll(judged, len(judged) // 2).tolist(), strict=True))
    for start in range(0, len(measured_rows), BATCH):
        yield Progress(start, total, "comparing drawings with cells")
        rows = measured_rows[start : start + BATCH]
        seen = pictures[rows]
        own = drawing.decode(values[rows], drawing.encode(seen, values[rows]))
        other = np.array([others.get(int(row), int(row)) for row in rows])
        theirs = own
        if (other != rows).any():
            theirs = drawing.decode(values[other], drawing.encode(pictures[other], values[other]))
        sums[:, rows] = squares(seen.astype(np.float64) / 255, own, theirs)
    with np.errstate(invalid="ignore", divide="ignore"):
        explained = np.where(sums[0] > 0, 1 - sums[1] / sums[0], np.nan)
    known = judged[np.isfinite(sums[0, judged])]
    result = measured(sums[:, known], np.asarray(groups)[known]) if len(known) > 1 else None
    chosen = known[np.unique(np.linspace(0, len(known) - 1, min(len(known), CELLS)).astype(int))]
    checking = slider_check_job(drawing, pictures[chosen], values[chosen], axes)
    sliders = yield from part(checking, len(measured_rows), len(measured_rows) // 4, total)
    return LearntDrawing(drawing, held_out, explained, result, sliders)


def worst_text(learnt: LearntDrawing, names: list[str]) -> str:
    """A line that names the cells that are drawn worst; ``names`` are those of `worst`."""
    figures = [
        f"{name} ({100 * learnt.explained[row]:.0f} %)"
        for name, row in zip(names, learnt.worst, strict=True)
    ]
    count = int(np.isfinite(learnt.compared).sum())
    kind = "held-out cell" if learnt.held_out.any() else "cell"
    return f"drawn worst of {counted(count, kind)}: {', '.join(figures)}"
