"""How large the pixels of crops are, which may have been resized."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.data.pixel_size import in_micrometres

if TYPE_CHECKING:
    from napari_channelmix.data.cell_boxes import CellBoxes

__all__ = ["differing_line", "pixel_sizes", "without_differing_line"]

# By this a warning of ours is known again.
DIFFER = "crops differ in pixel size"

# Crops of boxes that differ by more than this have no one pixel size.
ALIKE = 1.02


def pixel_sizes(cells: CellBoxes) -> dict[float, int]:
    """Sizes of a crop's pixels in micrometres, and how many cells have each; empty if not known.

    A crop that is made smaller has larger pixels. Where every cell has a box of its own size, as
    with ``from = "box"``, the pixels of the file count.
    """
    table = cells.table
    sides = (cells.boxes[:, 2] - cells.boxes[:, 0]) / cells.crop
    fields = table["field"].to_numpy(np.int64)
    own = {}
    for index in np.unique(fields).tolist():
        known = in_micrometres(cells.fields[index].pixel_size, cells.fields[index].unit)
        if known is not None:
            own[index] = float(f"{np.mean(known):.6g}")
    size_of_fields = np.full(len(cells.fields), np.nan)
    size_of_fields[list(own)] = list(own.values())
    size_of = size_of_fields[fields]
    sizes: dict[float, int] = {}
    for size in sorted(set(own.values())):
        matching_sides = sides[size_of == size]
        scale = (
            float(matching_sides[0])
            if matching_sides.max() <= ALIKE * matching_sides.min()
            else 1.0
        )
        crop = float(f"{size * scale:.6g}")
        sizes[crop] = sizes.get(crop, 0) + len(matching_sides)
    return sizes


def differing_line(cells: CellBoxes) -> tuple[str, ...]:
    """What is said of cells whose crops have pixels of several sizes; nothing of one size.

    It proposes the largest: smaller pixels can be made larger without inventing any. Sizes that
    differ by up to 2 % are one. Our definition.
    """
    sizes = pixel_sizes(cells)
    if len(sizes) < 2 or max(sizes) <= ALIKE * min(sizes):
        return ()
    shown = ", ".join(f"{count:,} of {size:.4g} µm" for size, count in list(sizes.items())[:5])
    return (
        f"{DIFFER}: {shown}; cells differ in size accordingly "
        f"(cells.at_pixel_size({max(sizes):.4g}), or pixel_size = {max(sizes):.4g} under [cells] "
        "of a data-set file, brings them to one size)",
    )


def without_differing_line(warnings: Iterable[str]) -> list[str]:
    """Warnings without that of pixel sizes."""
    return [line for line in warnings if DIFFER not in line]
