"""Maps over their cells, for print."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib.colors import LinearSegmentedColormap

from napari_channelmix.charts import ShownFigure
from napari_channelmix.crop_pictures import stretched

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

__all__ = ["EVIDENCE", "maps_figure", "mean_maps_figure", "stretched"]

FloatArray = npt.NDArray[np.float32]

COLUMNS = 3
# From Okabe and Ito's colour-blind-safe vermilion to yellow, clear where there is no evidence.
EVIDENCE = LinearSegmentedColormap.from_list(
    "evidence", [(0.835, 0.369, 0.0, 0.0), (0.835, 0.369, 0.0, 0.75), (0.941, 0.894, 0.259, 0.9)]
)


def maps_figure(crops: FloatArray, maps: FloatArray, titles: Sequence[str], heading: str) -> Figure:
    """A contact sheet: each cell alone, and beside it with its map.

    Parameters
    ----------
    crops : (N, C, H, W) float32 array
        Any units; each channel is stretched by itself, and the channels are averaged to grey.
    maps : (N, H, W) float32 array
        Evidence for the class is shown, up to the highest 1 % of each map; evidence against it
        is not.
    titles : sequence of str
        One for each cell.
    heading : str

    Returns
    -------
    matplotlib.figure.Figure
    """
    rows = -(-len(crops) // COLUMNS)
    figure = ShownFigure(figsize=(2 * 1.6 * COLUMNS, 0.5 + 1.85 * rows), layout="constrained")
    figure.suptitle(heading, fontsize="small")
    panels = figure.subplots(rows, 2 * COLUMNS, squeeze=False).reshape(-1, 2)
    for panel in panels.flat:
        panel.set_axis_off()
    for (alone, over), crop, heatmap, title in zip(panels, crops, maps, titles, strict=False):
        grey = stretched(crop).mean(axis=0)
        top = float(np.quantile(heatmap, 0.99))
        for panel in (alone, over):
            panel.imshow(grey, cmap="gray", vmin=0, vmax=1)
        over.imshow(heatmap, cmap=EVIDENCE, vmin=0, vmax=top if top > 0 else 1)
        alone.set_title(title, fontsize="x-small", loc="left")
    return figure


def mean_maps_figure(
    crops: FloatArray, maps: FloatArray, rows: Sequence[str], columns: Sequence[str]
) -> Figure:
    """Mean cells in grey with their mean maps over them: a row per class, a column per channel.

    Parameters
    ----------
    crops : (K, C, H, W) float32 array
        Any units; each channel is stretched by itself.
    maps : (K, P, H, W) float32 array
        All have one scale, up to the highest 1 % of all; evidence against a class is not shown.
    rows, columns : sequence of str
        What is written beside the K rows, and over the P columns.

    Returns
    -------
    matplotlib.figure.Figure
    """
    count, planes = maps.shape[:2]
    figure = ShownFigure(figsize=(0.8 + 1.7 * planes, 0.6 + 1.9 * count), layout="constrained")
    figure.suptitle("Mean maps", fontsize="small")
    panels = figure.subplots(count, planes, squeeze=False)
    top = float(np.quantile(maps, 0.99))
    of_all = planes != crops.shape[1]
    for row, name in enumerate(rows):
        grey = stretched(crops[row])
        for column, panel in enumerate(panels[row]):
            panel.set_xticks([])
            panel.set_yticks([])
            below = grey.mean(axis=0) if of_all else grey[column]
            panel.imshow(below, cmap="gray", vmin=0, vmax=1)
            heatmap = maps[row, column]
            panel.imshow(heatmap, cmap=EVIDENCE, vmin=0, vmax=top if top > 0 else 1)
            if row == 0:
                panel.set_title(columns[column], fontsize="x-small")
        panels[row][0].set_ylabel(name, fontsize="x-small")
    return figure
