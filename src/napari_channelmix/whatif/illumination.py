"""Crops as another exposure, illumination or stain would have given them.

Light is scaled from the level without light. Of a channel with a dark background that level is the
lowest background among the cells; of one with a bright background, as in bright field, it is 0:
there the background is light itself. Our definition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["dark_levels", "with_gain", "with_shading"]

FloatArray = npt.NDArray[np.float32]

# A background in this part of the range of a channel is dark, and above it bright.
DARK_PART = 0.25
# Percentiles that stand for the darkest and the brightest pixel, and for the lowest background.
ENDS, LOWEST = (0.2, 99.8), 1.0


def dark_levels(crops: CellCrops) -> FloatArray:
    """Level of each channel without light (C,), raw units.

    Parameters
    ----------
    crops : CellCrops
        Some cells, from all over the data set.
    """
    ends = np.percentile(crops.pixels, ENDS, axis=(0, 2, 3))
    middle = np.median(crops.background, axis=0)
    lowest = np.percentile(crops.background, LOWEST, axis=0)
    dark = middle - ends[0] <= DARK_PART * (ends[1] - ends[0])
    return np.where(dark, lowest, 0.0).astype(np.float32)


def with_gain(
    pixels: FloatArray, dark: FloatArray, gain: float, channel: int | None = None
) -> FloatArray:
    """Crops (n, C, H, W) whose light above the dark level (C,) is ``gain`` times as much.

    Of one channel, or of all of them as by another exposure.

    Examples
    --------
    >>> import numpy as np
    >>> crops = np.full((1, 2, 1, 1), 30, np.float32)
    >>> with_gain(crops, np.array([10, 0], np.float32), 1.5).ravel().tolist()
    [40.0, 45.0]
    >>> with_gain(crops, np.array([10, 0], np.float32), 1.5, channel=1).ravel().tolist()
    [30.0, 45.0]
    """
    level = dark[:, None, None]
    if channel is None:
        return np.asarray(level + (pixels - level) * np.float32(gain), np.float32)
    result = pixels.copy()
    own = level[channel]
    result[:, channel] = own + (pixels[:, channel] - own) * np.float32(gain)
    return result


def with_shading(pixels: FloatArray, dark: FloatArray, reach: float) -> FloatArray:
    """Crops whose light falls from left to right, from ``1 + reach`` to ``1 - reach`` times."""
    ramp = np.linspace(1 + reach, 1 - reach, pixels.shape[3], dtype=np.float32)
    level = dark[:, None, None]
    return np.asarray(level + (pixels - level) * ramp, np.float32)
