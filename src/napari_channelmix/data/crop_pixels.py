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
    for at in np.unique(fields).tolist():
        known = in_micrometres(cells.fields[at].pixel_size, cells.fields[at].unit)
        if known is not None:
            own[at] = float(f"{np.mean(known):.6g}")
    size_of = np.array([own.get(at, np.nan) for at in fields.tolist()], dtype=np.float64)
    sizes: dict[float, int] = {}
    for size in sorted(set(own.values())):
        here = sides[size_of == size]
        scale = float(here[0]) if here.max() <= ALIKE * here.min() else 1.0
        crop = float(f"{size * scale:.6g}")
        sizes[crop] = sizes.get(crop, 0) + len(here)
    return sizes
