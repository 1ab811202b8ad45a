"""What cells and segmented objects show of themselves."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_channelmix.crop_pictures import grey, labels_picture, png_of_row
from napari_channelmix.data.display_channels import MOST_TOGETHER, display_channels_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.result_display import Picture, Summary
from napari_channelmix.wording import counted

__all__ = ["cells_summary", "example_cells", "examples_of", "segmentation_summary"]

# Cells in the picture of a card.
SHOWN = 8


def cells_summary(cells: Any, *, pictures: bool = True) -> Summary:
    """Of `Cells`: how many, of what, a row per class, and a few of them.

    Parameters
    ----------
    cells : Cells
    pictures : bool
        Whether some crops are read and shown.
    """
    import pandas as pd

    labels, groups = cells.labels, cells.groups
    codes = [*range(len(cells.classes)), -1]
    rows = [
        {
            "class": "no class" if code < 0 else cells.classes[code],
            "cells": int((labels == code).sum()),
            "groups": len(np.unique(groups[labels == code])),
        }
        for code in codes
        if code >= 0 or (labels < 0).any()
    ]
    facts = (
        cells.name,
        counted(len(cells), "cell"),
        f"channels: {', '.join(cells.channels)}",
        f"crops of {cells.crop} pixels",
        counted(len(np.unique(groups)), "group"),
        counted(len(cells.fields), "image"),
    )
    shown: tuple[Picture, ...] = ()
    warnings = list(cells.warnings)
    if pictures and len(cells):
        chosen = example_cells(cells, SHOWN)
        try:
            drawn, words = pictures_of(cells, chosen)
        except DataError as error:
            warnings.insert(0, str(error))
        else:
            names = ", ".join(title_of(cells, cell) for cell in chosen.tolist())
            shown = (Picture(png_of_row(drawn), f"cells {names}; {words}"),)
    return Summary("Cells", facts, warnings, (), None, pd.DataFrame(rows), shown)


def pictures_of(cells: Any, chosen: Any) -> tuple[list[Any], str]:
    """Cells as pictures, (H, W) or (H, W, 3) on 0..1, and what they show, in words.

    Six channels or fewer are averaged to grey, each stretched by itself; of more, the display
    channels are shown in colours, with one contrast for the whole data set.
    """
    if len(cells.channels) <= MOST_TOGETHER:
        return [grey(crop) for crop in cells.read(chosen)], "channels averaged"
    display = drain(display_channels_job(cells))
    drawn = [picture / 255 for picture in display.pictures(cells, chosen)]
    return drawn, f"of {len(cells.channels)} channels: {', '.join(display.channels)}"


def example_cells(cells: Any, count: int) -> Any:
    """Some cells (n,) int64, as many of each class as of the others, the first of each."""
    order = np.argsort(cells.labels, kind="stable")
    _, starts, sizes = np.unique(cells.labels[order], return_index=True, return_counts=True)
    each = max(1, count // max(len(starts), 1))
    parts = [
        order[start : start + min(each, size)] for start, size in zip(starts, sizes, strict=True)
    ]
    # No class is left out.
    count = max(count, len(parts))
    return np.concatenate(parts)[:count] if parts else np.zeros(0, np.int64)


def examples_of(cells: Any, chosen: Any = None, count: int = 18) -> tuple[Any, list[str]]:
    """Positions of cells to be shown (n,) and a title for each; default: see `example_cells`."""
    rows = example_cells(cells, count) if chosen is None else np.asarray(chosen, np.int64)
    return rows, [title_of(cells, cell) for cell in rows.tolist()]


def title_of(cells: Any, cell: int) -> str:
    """What a cell is called, with its class."""
    code = int(cells.labels[cell])
    return cells.name_of(cell) if code < 0 else f"{cells.name_of(cell)} ({cells.classes[code]})"


def segmentation_summary(result: Any) -> Summary:
    """Of a `Segmentation`: how many objects, and a picture of them."""
    facts = (
        counted(result.count, "object"),
        f"median diameter {result.median_diameter:.1f} pixels",
        f"threshold {result.threshold:.4g}",
        f"image of {result.labels.shape[0]} x {result.labels.shape[1]} pixels",
    )
    png = png_of_row([labels_picture(result.labels)], side=1)
    caption = "objects, each in a colour of its own"
    return Summary("Segmentation", facts, result.warnings, (), None, None, (Picture(png, caption),))
