"""Maps over their cells, for print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.colors import ListedColormap
from matplotlib.patches import Patch

from napari_channelmix.charts import ShownFigure, literal
from napari_channelmix.crop_pictures import stretched
from napari_channelmix.evidence_colors import color_table, evidence_legend, map_limit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.evidence_colors import EvidenceView

__all__ = ["channel_maps_figure", "maps_figure", "mean_maps_figure", "stretched"]

FloatArray = npt.NDArray[np.float32]

# Cells in a row: alone and with the map, or with the magnitude as well.
COLUMNS = {2: 3, 3: 2}


def maps_figure(
    crops: FloatArray,
    maps: FloatArray,
    titles: Sequence[str],
    heading: str,
    magnitude: FloatArray | None = None,
    greys: FloatArray | None = None,
) -> Figure:
    """A contact sheet: each cell alone, with its map, and with its magnitude where it is given.

    Parameters
    ----------
    crops : (N, C, H, W) float32 array
        Any units; each channel is stretched by itself, and the channels are averaged to grey.
    maps : (N, H, W) float32 array
        Evidence for the class and against it, in two colours on one scale for each map: up to
        the strongest 2 % of its pixels.
    titles : sequence of str
        One for each cell.
    heading : str
    magnitude : (N, H, W) float32 array, optional
        Where there is evidence at all, in a third picture.
    greys : (N, H, W) float32 array, optional
        The cells themselves, 0 to 1, where all channels averaged would show nothing; see
        `data.grey_cells`.

    Returns
    -------
    matplotlib.figure.Figure
    """
    views: tuple[EvidenceView, ...] = ("signed",) if magnitude is None else ("signed", "magnitude")
    every = [maps] if magnitude is None else [maps, magnitude]
    beside = 1 + len(views)
    columns = COLUMNS[beside]
    rows = -(-len(crops) // columns)
    figure = ShownFigure(figsize=(beside * 1.6 * columns, 0.7 + 1.85 * rows), layout="constrained")
    figure.suptitle(literal(heading), fontsize="small")
    panels = figure.subplots(rows, beside * columns, squeeze=False).reshape(-1, beside)
    for panel in panels.flat:
        panel.set_axis_off()
    for index, (crop, title) in enumerate(zip(crops, titles, strict=False)):
        grey = stretched(crop).mean(axis=0) if greys is None else greys[index]
        for panel in panels[index]:
            panel.imshow(grey, cmap="gray", vmin=0, vmax=1)
        for panel, values, view in zip(panels[index][1:], every, views, strict=True):
            _draw(panel, values[index], view)
        panels[index][0].set_title(literal(title), fontsize="x-small", loc="left")
    _add_legend(figure, views)
    return figure


def channel_maps_figure(
    greys: Sequence[FloatArray],
    maps: Sequence[FloatArray],
    titles: Sequence[Sequence[str]],
    names: Sequence[str],
    heading: str,
) -> Figure:
    """Cells in some of their channels with the map of each over it: a row per cell.

    Parameters
    ----------
    greys, maps : sequence of (T, H, W) float32 arrays
        Of each cell, the channels that are shown of it, 0 to 1 on one scale for all cells: a cell
        without a marker is dark in it. The maps of a cell are on one scale: a channel that says
        little has a pale map.
    titles : sequence of sequence of str
        Over each picture.
    names : sequence of str
        Beside each row.
    heading : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    columns = max(map(len, titles))
    size = (0.6 + 1.3 * columns, 0.9 + 1.5 * len(greys))
    figure = ShownFigure(figsize=size, layout="constrained")
    figure.suptitle(literal(heading), fontsize="small", wrap=True)
    panels = figure.subplots(len(greys), columns, squeeze=False)
    for panel in panels.flat:
        panel.set_xticks([])
        panel.set_yticks([])
        panel.set_frame_on(False)
    for row, grey, own, words, name in zip(panels, greys, maps, titles, names, strict=True):
        limit = map_limit(own)
        for index, text in enumerate(words):
            row[index].imshow(grey[index], cmap="gray", vmin=0, vmax=1)
            _draw(row[index], own[index], "signed", limit)
            row[index].set_title(literal(text), fontsize="x-small")
        row[0].set_ylabel(literal(name), fontsize="x-small")
    _add_legend(figure, ("signed",))
    return figure


def _draw(panel: Axes, values: FloatArray, view: EvidenceView, limit: float | None = None) -> None:
    """A map over what is drawn already; ``limit``: the scale of several, else its own."""
    most = map_limit(values) if limit is None else limit
    most = most if most > 0 else 1.0
    panel.imshow(values, cmap=ListedColormap(color_table(view)), vmin=-most, vmax=most)


def _add_legend(figure: Figure, views: Sequence[EvidenceView]) -> None:
    """What the colours mean, in words, below all."""
    entries = [entry for view in views for entry in evidence_legend(view)]
    handles = [Patch(facecolor=color, edgecolor="0.5", label=words) for color, words in entries]
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=len(handles),
        fontsize="x-small",
        frameon=False,
    )


def mean_maps_figure(
    crops: FloatArray,
    maps: FloatArray,
    rows: Sequence[str],
    columns: Sequence[str],
    greys: FloatArray | None = None,
) -> Figure:
    """Mean cells in grey with their mean maps over them: a row per class, a column per channel.

    Parameters
    ----------
    crops : (K, C, H, W) float32 array
        Any units; each channel is stretched by itself.
    maps : (K, P, H, W) float32 array
        Evidence for and against the class, on one scale: up to the strongest 2 % of all pixels.
    rows, columns : sequence of str
        What is written beside the K rows, and over the P columns.
    greys : (K, H, W) float32 array, optional
        The mean cells, 0 to 1, below maps of all channels together; default: these averaged.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count, planes = maps.shape[:2]
    figure = ShownFigure(figsize=(0.8 + 1.7 * planes, 0.6 + 1.9 * count), layout="constrained")
    figure.suptitle("Mean maps", fontsize="small")
    panels = figure.subplots(count, planes, squeeze=False)
    limit = map_limit(maps)
    of_all = planes != crops.shape[1]
    for row, name in enumerate(rows):
        grey = stretched(crops[row])
        for column, panel in enumerate(panels[row]):
            panel.set_xticks([])
            panel.set_yticks([])
            below = grey[column] if not of_all else grey.mean(axis=0)
            if of_all and greys is not None:
                below = greys[row]
            panel.imshow(below, cmap="gray", vmin=0, vmax=1)
            _draw(panel, maps[row, column], "signed", limit)
            if row == 0:
                panel.set_title(literal(columns[column]), fontsize="x-small")
        panels[row][0].set_ylabel(literal(name), fontsize="x-small")
    _add_legend(figure, ("signed",))
    return figure
