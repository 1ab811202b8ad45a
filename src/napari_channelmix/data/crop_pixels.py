"""How large the pixels of crops are, which may have been resized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.data.pixel_size import in_micrometres

if TYPE_CHECKING:
    from napari_channelmix.data.cells import Cells

__all__ = ["pixel_sizes"]

# Crops of boxes that differ by more than this have no one pixel size.
ALIKE = 1.02


def pixel_sizes(cells: Cells) -> dict[float, int]:
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
    size_of = np.array([own.get(index, np.nan) for index in fields.tolist()], dtype=np.float64)
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
