"""The colours of maps: from nothing over violet and orange to bright yellow."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps import AVAILABLE_COLORMAPS, Colormap

__all__ = ["heat", "heat_colormap"]

# The darkest part of the scale cannot be told from a dark cell.
FROM = 0.34
# Opacity rises slowly at first, so that weak evidence is no veil, and never hides the cell.
POWER, MOST = 1.1, 0.9


@functools.cache
def heat() -> npt.NDArray[np.float32]:
    """Red, green, blue, alpha (256, 4) between 0 and 1; the first one is transparent.

    The upper part of 'inferno', whose lightness rises evenly and which colour-blind people read
    as well.
    """
    share = np.linspace(0, 1, 256)
    ramp = AVAILABLE_COLORMAPS["inferno"].colors
    positions = FROM + (1 - FROM) * share
    rgb = [np.interp(positions, np.linspace(0, 1, len(ramp)), ramp[:, i]) for i in range(3)]
    return np.stack([*rgb, MOST * share**POWER], axis=1).astype(np.float32)


def heat_colormap() -> Colormap:
    """The same for an image layer."""
    return Colormap(heat(), name="evidence", display_name="evidence")
