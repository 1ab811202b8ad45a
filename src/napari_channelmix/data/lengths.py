"""How large a pixel of a crop is: units by their many names, and crops that are resized."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_channelmix.data.cells import Cells

__all__ = ["in_micrometres", "pixel_sizes"]

_MICROMETRES = {
    "µm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "micrometer": 1.0, "micrometre": 1.0,
    "micrometers": 1.0, "micrometres": 1.0, "nm": 1e-3, "nanometer": 1e-3, "nanometre": 1e-3,
    "mm": 1e3, "millimeter": 1e3, "millimetre": 1e3, "cm": 1e4, "centimeter": 1e4,
    "centimetre": 1e4, "inch": 25400.0, "m": 1e6, "meter": 1e6, "metre": 1e6,
}  # fmt: skip

# Crops of boxes that differ by more than this have no one pixel size.
ALIKE = 1.02


def in_micrometres(size: float, unit: str | None) -> float | None:
    """A length in micrometres; None where the unit is not one of length, or not known."""
    # The micro sign and the Greek letter look alike.
    name = (unit or "").strip().lower().replace("\u03bc", "\u00b5")
    factor = _MICROMETRES.get(name)
    return None if factor is None or not size > 0 else size * factor


def pixel_sizes(cells: Cells) -> dict[float, int]:
    """Sizes of a crop's pixels in micrometres, and how many cells have each; empty if not known.

    A crop that is made smaller has larger pixels. Where every cell has a box of its own size, as
    with ``from = "box"``, the pixels of the file count.
    """
    table = cells.table
    sides = (table["y1"] - table["y0"]).to_numpy(np.float64) / cells.crop
    fields = table["field"].to_numpy(np.int64)
    sizes: dict[float, int] = {}
    for at in np.unique(fields):
        one = cells.fields[at]
        if one.pixel_size is None:
            continue
        own = in_micrometres(float(np.mean(one.pixel_size)), one.unit)
        if own is None:
            continue
        here = sides[fields == at]
        scale = float(here[0]) if here.max() <= ALIKE * here.min() else 1.0
        size = float(f"{own * scale:.6g}")
        sizes[size] = sizes.get(size, 0) + len(here)
    return sizes
