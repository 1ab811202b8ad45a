"""Figures of channels out of crops: range, signal, noise, hot pixels, likeness to others."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["COPY", "ChannelFigures", "channel_figures", "likeness", "pixels_of"]

Doubles = npt.NDArray[np.float64]
Crops = npt.NDArray[np.float32]

#: Correlation from which a channel counts as a copy of another.
COPY = 0.98
# A hot pixel lies above each of its neighbours by more than this share of its own light, by so many
# times the distance of the median from the 99th percentile, and by so many times the mean light of
# the pixels above the median.
ABOVE_NEIGHBOURS, ABOVE_RANGE, ABOVE_MEAN = 0.5, 2.0, 5.0
# Pixels of a channel that are held against those of another, at most.
COMPARED = 60_000
# Median absolute deviation of a normal distribution of standard deviation 1.
MAD = 0.6745


@dataclass(frozen=True)
class ChannelFigures:
    """What the pixels of a channel are like in some cells, in raw units.

    Attributes
    ----------
    minimum, median, high, maximum : float
        ``high`` is the percentile 99.9.
    signal : float
        Distance of the median from the percentile 99.9, of means of 3 x 3 pixels in which what lies
        above ``high`` counts as that.
    noise : float
        Standard deviation of the noise of single pixels: of the difference of each from the mean of
        its four neighbours, by its median absolute value, divided by the square root of 1.25.
    hot : int
        Hot pixels; see `channel_figures`.
    pixels : int
        Pixels that were looked at for them.
    """

    minimum: float
    median: float
    high: float
    maximum: float
    signal: float
    noise: float
    hot: int
    pixels: int

    @property
    def constant(self) -> bool:
        """Whether all pixels have one value."""
        return self.maximum <= self.minimum

    @property
    def signal_to_noise(self) -> float:
        """``signal / noise``; infinite without noise, NaN where the channel is constant."""
        if self.constant:
            return float("nan")
        return self.signal / self.noise if self.noise > 0 else float("inf")


def channel_figures(crops: Crops) -> ChannelFigures:
    """The figures of a channel, out of crops of it; our definition.

    A pixel is hot where it lies above all of its eight neighbours by more than half of its own
    light (what it has above the median of the channel), by more than twice the distance of the
    median from the 99th percentile, and by more than five times the mean light of the pixels that
    have any: optics spreads the light of an object over neighbouring pixels, a defect of the
    detector or a clump of label of one pixel is alone.

    Parameters
    ----------
    crops : (n, H, W) float32 array
        In raw units; with sides of less than 3 pixels nothing is known of noise and hot pixels.

    Examples
    --------
    >>> crops = np.full((4, 8, 8), 10, np.float32)
    >>> crops[:, ::2] += 1
    >>> crops[0, 3, 3] = 900
    >>> figures = channel_figures(crops)
    >>> figures.minimum, figures.maximum, figures.hot
    (10.0, 900.0, 1)
    """
    # Not with the module: a window is open before anything is measured.
    from scipy import ndimage

    minimum, maximum = float(crops.min()), float(crops.max())
    median, most, high = (float(value) for value in np.percentile(crops, [50, 99, 99.9]))
    inner = crops[:, 1:-1, 1:-1]
    if not inner.size:
        # Pixels without neighbours tell nothing of noise.
        return ChannelFigures(minimum, median, high, maximum, high - median, 0.0, 0, 0)
    if maximum <= minimum:
        return ChannelFigures(minimum, median, high, maximum, 0.0, 0.0, 0, inner.size)
    # A hot pixel is no signal.
    clipped = np.minimum(crops, np.float32(high)).astype(np.float64)
    means = ndimage.uniform_filter(clipped, (0, 3, 3))[:, 1:-1, 1:-1]
    middle, top = np.percentile(means, [50, 99.9])
    sides = (
        crops[:, :-2, 1:-1] + crops[:, 2:, 1:-1] + crops[:, 1:-1, :-2] + crops[:, 1:-1, 2:]
    ) / 4
    noise = float(np.median(np.abs(inner - sides))) / MAD / np.sqrt(1.25)
    around = np.ones((1, 3, 3), bool)
    around[0, 1, 1] = False
    neighbours = ndimage.maximum_filter(crops, footprint=around)[:, 1:-1, 1:-1]
    excess, light = inner - neighbours, inner - median
    lit = light[(light > 0) & (inner <= high)]
    bound = max(ABOVE_RANGE * (most - median), ABOVE_MEAN * float(lit.mean()) if lit.size else 0.0)
    hot = (excess > bound) & (excess > ABOVE_NEIGHBOURS * light)
    return ChannelFigures(
        minimum,
        median,
        high,
        maximum,
        float(top - middle),
        float(noise),
        int(hot.sum()),
        inner.size,
    )


def pixels_of(crops: Crops, high: float) -> npt.NDArray[np.float32]:
    """Pixels of a channel that are held against those of others: means of 2 x 2, some of them.

    What lies above the percentile 99.9 counts as that, so that a few hot pixels decide nothing.

    Parameters
    ----------
    crops : (n, H, W) float32 array
    high : float
        Percentile 99.9 of the same crops.

    Returns
    -------
    (m,) float32 array
        The same places for every channel.
    """
    height, width = (side - side % 2 for side in crops.shape[1:])
    clipped = np.minimum(crops, np.float32(high))
    if height and width:
        pairs = clipped[:, :height, :width].reshape(len(crops), height // 2, 2, width // 2, 2)
        clipped = pairs.mean(axis=(2, 4))
    means = clipped.reshape(-1)
    step = -(-len(means) // COMPARED)
    some: npt.NDArray[np.float32] = means[::step]
    return some


def likeness(pixels: npt.NDArray[np.float32]) -> Doubles:
    """Pearson correlation of each channel with each other (C, C); 0 where one is constant.

    Parameters
    ----------
    pixels : (C, m) array
        As of `pixels_of`.
    """
    values = pixels.astype(np.float64)
    values -= values.mean(axis=1, keepdims=True)
    norms = np.sqrt((values**2).sum(axis=1))
    values /= np.where(norms > 0, norms, 1)[:, None]
    return np.asarray(values @ values.T)
