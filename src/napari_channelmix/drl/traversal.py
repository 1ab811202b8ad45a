"""Traversals: what changes in a cell's picture along each axis, drawn side by side."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_whole
from napari_channelmix.drl.latent_code import title_of
from napari_channelmix.drl.network import REACH

if TYPE_CHECKING:
    from napari_channelmix.drl.disentangler import Disentangler

__all__ = ["FEW", "NEAREST", "Traversal", "ranges", "save_sheet", "traversal"]

FloatArray = npt.NDArray[np.float32]
Decode = Callable[[npt.NDArray[Any]], FloatArray]

#: What is shown where nothing can be drawn.
NEAREST = "Features have no picture: each row shows the nearest real cells along the axis."
# Fewer cells than this do not tell from where to where a latent goes.
FEW = 5


@dataclass(frozen=True, eq=False)
class Traversal:
    """All axes of one cell.

    Attributes
    ----------
    axes : tuple of str
        In the order of the rows: what changes the picture most comes first.
    pictures : (L, T, C, H, W) float32 array
        In [0, 1].
    values : (L, T) float array
        Value of the latent in each picture; angle in radians for a cyclic axis.
    change : (L,) float array
        Mean absolute difference of the pictures at both ends, or half a turn apart.
    """

    axes: tuple[str, ...]
    pictures: FloatArray = field(repr=False)
    values: npt.NDArray[np.float64]
    change: npt.NDArray[np.float64]
    #: (C, H, W) the cell drawn where it lies.
    own: FloatArray | None = field(default=None, repr=False)


def ranges(latents: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Where each latent lies among the cells (Z, 2): percentiles 1 and 99, at least .2 apart.

    A handful of cells says nothing of a range: there it is that of the sprites, about the cells.
    """
    low, high = np.percentile(latents, [1, 99], axis=0)
    least = REACH if len(latents) < FEW else 0.1
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, least)
    return np.stack([middle - half, middle + half], axis=1)


def traversal(
    of: Disentangler,
    z: npt.ArrayLike,
    spans: npt.NDArray[np.float64],
    axes: tuple[str, ...],
    steps: int = 9,
    decode: Decode | None = None,
) -> Traversal:
    """Draw a cell along axes.

    Parameters
    ----------
    of : Disentangler
    z : (Z,) array
        The cell.
    spans : (Z, 2) array
        From where to where; see `ranges`.
    axes : tuple of str
        Those worth looking at, such as the active ones.
    steps : int
        Pictures along each; a cyclic axis goes once around.
    decode : callable, optional
        Draws the cell at latents (n, Z); default: the decoder of the named latents.
    """
    decode = decode or of.decode
    drawn, values, change = [], [], []
    for axis in axes:
        columns = of.columns(axis)
        low, high = (float(v) for v in spans[columns[0]])
        latents = of.steps(z, axis, steps, (low, high))
        pictures = decode(latents)
        far = pictures[steps // 2 if len(columns) == 2 else -1]
        drawn.append(pictures)
        circle = np.arctan2(latents[:, columns[-1]], latents[:, columns[0]]) % (2 * np.pi)
        values.append(circle if len(columns) == 2 else latents[:, columns[0]])
        change.append(float(np.abs(far - pictures[0]).mean()))
    order = np.argsort(-np.array(change), kind="stable")
    empty = np.zeros((0, steps, *of.shape), np.float32)
    return Traversal(
        tuple(axes[index] for index in order),
        np.stack([drawn[index] for index in order]) if axes else empty,
        np.array([values[index] for index in order], dtype=np.float64).reshape(len(axes), steps),
        np.array(change, dtype=np.float64)[order],
        decode(np.asarray(z, np.float32)[None])[0],
    )


def save_sheet(
    path: str | Path,
    of: Disentangler | None,
    rows: list[tuple[str, npt.NDArray[Any], Traversal]],
    notes: dict[str, str],
    show: Callable[[FloatArray], FloatArray] | None = None,
) -> Path:
    """A picture of traversals: for each cell, itself, its reconstruction, and its axes.

    Parameters
    ----------
    path : path
        PNG.
    of : Disentangler or None
        What draws the reconstructions; None: the traversals are real cells, and said to be.
    rows : list of (title, (C, H, W) picture in [0, 1], traversal)
    notes : dict of str to str
        What is known of each axis, such as how far its name can be trusted.
    show : callable, optional
        Gives pictures (..., C, H, W) as people are to see them; see `Preparation.shown`.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    shown = [(title, picture, drawn) for title, picture, drawn in rows if len(drawn.axes)]
    lines = sum(len(drawn.axes) for _, _, drawn in shown)
    steps = shown[0][2].pictures.shape[1] if shown else 1
    # Room on the left for the cell and its reconstruction, and for the names of the axes.
    figure = Figure(figsize=(1.0 * (steps + 5.2), 1.02 * max(lines, 1) + 0.5 * len(shown)))
    FigureCanvasAgg(figure)
    outer = figure.add_gridspec(
        max(len(shown), 1),
        1,
        height_ratios=[len(d.axes) for *_, d in shown] or [1],
        hspace=0.12,
        left=0.01,
        right=0.995,
        top=1 - 0.35 / figure.get_figheight(),
        bottom=0.01,
    )
    if not shown:
        figure.text(
            0.5,
            0.5,
            "All latents are the same in all cells: there is nothing to draw.",
            ha="center",
            va="center",
        )
    show = show or (lambda pictures: pictures)
    shown = [
        (title, show(picture), replace(drawn, pictures=show(drawn.pictures), own=_own(drawn, show)))
        for title, picture, drawn in shown
    ]
    gain = _gain([drawn.pictures for *_, drawn in shown])
    if gain > 1:
        figure.text(
            0.995,
            0.998,
            f"brightness of all images x {gain:.1f}",
            ha="right",
            va="top",
            fontsize=7,
        )
    if of is None and shown:
        figure.text(0.5, 0.998, NEAREST, ha="center", va="top", fontsize=8)
    for index, (title, picture, drawn) in enumerate(shown):
        grid = outer[index].subgridspec(len(drawn.axes), steps + 5, wspace=0.04, hspace=0.04)
        first: list[tuple[str, npt.NDArray[Any] | None]] = [("cell", picture)]
        if of is not None:
            first.append(("reconstruction", drawn.own))
        for column, (name, image) in enumerate(first):
            axes = figure.add_subplot(grid[0, column])
            if image is not None:
                _show(axes, image, gain)
            # A long name would run into the one beside it.
            label = name if column else title if len(title) <= 12 else f"{title[:11]}…"
            axes.set_title(label, fontsize=8, loc="left")
        for row, axis in enumerate(drawn.axes):
            text = figure.add_subplot(grid[row, 2:5])
            text.axis("off")
            text.text(
                0.97, 0.62, title_of(axis), ha="right", va="center", fontsize=10, weight="bold"
            )
            # Folded: a longer line would run under the cell beside it.
            note = textwrap.fill(notes.get(axis, ""), 42)
            text.text(0.97, 0.46, note, ha="right", va="top", fontsize=7)
            for step in range(steps):
                _show(figure.add_subplot(grid[row, 5 + step]), drawn.pictures[row, step], gain)
    return write_whole(
        path, lambda file: figure.savefig(file, format="png", dpi=110, facecolor="white")
    )


def _own(drawn: Traversal, show: Callable[[FloatArray], FloatArray]) -> FloatArray | None:
    return None if drawn.own is None else show(drawn.own)


def _gain(drawn: list[FloatArray]) -> float:
    """What makes dim cells visible in print, the same for all pictures; bright ones stay so."""
    # Where the cells lie on each axis, not at its bright end.
    middle = [pictures[:, pictures.shape[1] // 2] for pictures in drawn if pictures.size]
    if not middle:
        return 1.0
    bright = float(np.percentile(np.concatenate(middle), 99))
    return min(max(0.6 / max(bright, 1e-3), 1.0), 4.0)


def _show(axes: Any, picture: npt.NDArray[Any], gain: float) -> None:
    picture = np.clip(gain * picture.transpose(1, 2, 0), 0, 1)
    if picture.shape[2] == 1:
        axes.imshow(picture[..., 0], cmap="gray", vmin=0, vmax=1)
    else:
        axes.imshow(picture)
    axes.set_axis_off()
