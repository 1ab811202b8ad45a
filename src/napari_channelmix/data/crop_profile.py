"""What crops look like, in a few figures per crop and channel; measured while they are read."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["FEATURES", "PERCENTILES", "CropProfile", "Profiler", "crop_features"]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

#: Figures of a crop: 5th, 50th and 95th percentile, mean, standard deviation, highest value,
#: correlation of neighbouring pixels.
FEATURES = ("low", "middle", "high", "mean", "sd", "top", "smoothness")
#: Percentiles of the pixels of all crops.
PERCENTILES = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9)

# Pixels of a crop, on an even grid, from which its percentiles are taken.
GRID = 16
# Pixels of a channel that are kept for the percentiles over all crops.
MOST_PIXELS = 400_000


@dataclass(frozen=True, eq=False)
class CropProfile:
    """Figures of N crops of C channels.

    Attributes
    ----------
    features : (N, F, C) float32 array
        See `FEATURES`.
    top_share : (N, C) float32 array
        Share of a crop's pixels that have its highest value.
    minimum : (N, C) float32 array
        Lowest value.
    pixels : (M, C) float32 array
        A sample of the pixels: the same number of each crop, at places drawn once.
    products : (C, C) float64 array
        Mean product of the deviations of two channels from their own means, over all pixels.
    """

    features: FloatArray
    top_share: FloatArray
    minimum: FloatArray
    pixels: FloatArray
    products: Doubles

    def __len__(self) -> int:
        return len(self.features)

    def of(self, name: str) -> FloatArray:
        """One of the figures (N, C)."""
        return self.features[:, FEATURES.index(name)]

    @property
    def mean(self) -> Doubles:
        """Mean of all pixels (C,)."""
        return np.asarray(self.of("mean").mean(axis=0, dtype=np.float64))

    @property
    def sd(self) -> Doubles:
        """Standard deviation of all pixels (C,)."""
        return np.sqrt(np.maximum(np.diag(self.products), 0.0))

    @property
    def percentiles(self) -> Doubles:
        """Percentiles of the pixels (8, C); see `PERCENTILES`."""
        return np.asarray(np.percentile(self.pixels, PERCENTILES, axis=0), dtype=np.float64)

    @property
    def saturated(self) -> Doubles:
        """Share of the pixels of each channel that have its highest value of all (C,)."""
        top = self.of("top")
        return np.asarray(
            np.where(top >= top.max(axis=0), self.top_share, 0).mean(axis=0), dtype=np.float64
        )

    @property
    def correlation(self) -> Doubles:
        """Correlation (C, C) of the channels' pixels; 0 where a channel is constant."""
        spread = np.outer(self.sd, self.sd)
        return np.divide(self.products, spread, out=np.zeros_like(spread), where=spread > 0)

    @property
    def constant(self) -> npt.NDArray[np.bool_]:
        """Where a crop has one value all over a channel (N, C)."""
        return np.asarray(self.of("top") <= self.minimum)


def crop_features(crops: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, Doubles]:
    """Figures of crops (n, C, H, W).

    Returns
    -------
    features (n, F, C), top_share (n, C), minimum (n, C), and products (n, C, C), the mean products
    of the channels' deviations from the mean of their crop.
    """
    count, channels, height, width = crops.shape
    flat = crops.reshape(count, channels, -1)
    low, top = flat.min(axis=2), flat.max(axis=2)
    mean = flat.mean(axis=2, dtype=np.float64)
    # Deviations, so that a large offset costs no precision.
    apart = crops - mean.astype(np.float32)[:, :, None, None]
    line = apart.reshape(count, channels, -1)
    products = np.matmul(line, line.transpose(0, 2, 1)).astype(np.float64) / line.shape[2]
    variance = np.einsum("ncc->nc", products)
    steps, places = np.zeros((count, channels)), 0
    for shifted, other in ((apart[:, :, 1:], apart[:, :, :-1]), (apart[..., 1:], apart[..., :-1])):
        if shifted.shape[2] and shifted.shape[3]:
            steps += np.einsum("ncyx,ncyx->nc", shifted - other, shifted - other, dtype=np.float64)
            places += shifted.shape[2] * shifted.shape[3]
    # Half the mean square of a step is the variance that neighbours do not share.
    rough = np.divide(
        steps, 2 * max(places, 1) * variance, out=np.zeros_like(steps), where=variance > 0
    )
    smooth = np.where(top > low, 1 - rough, 1.0)
    stride = max(1, height // GRID), max(1, width // GRID)
    some = crops[:, :, :: stride[0], :: stride[1]].reshape(count, channels, -1)
    quantiles = np.quantile(some, (0.05, 0.5, 0.95), axis=2)
    sd = np.where(top > low, np.sqrt(np.maximum(variance, 0)), 0.0)
    features = np.stack([*quantiles, mean, sd, top, smooth], axis=1).astype(np.float32)
    share = (flat >= top[:, :, None]).mean(axis=2, dtype=np.float32)
    return features, share, low, products


class Profiler:
    """Measures crops batch by batch; a batch that is given again replaces the earlier one.

    Parameters
    ----------
    count : int
        Crops that will come, about: so many pixels of each are kept that memory stays bounded.
    seed : int
        Of the places whose pixels are kept.
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        self._each = max(1, min(GRID * GRID, MOST_PIXELS // max(count, 1)))
        self._seed = seed
        self._parts: dict[int, tuple[FloatArray, FloatArray, FloatArray, Doubles, FloatArray]] = {}

    def add(self, crops: FloatArray, start: int | None = None) -> None:
        """Measure crops (n, C, H, W), the first of which is number ``start``; default: the next."""
        if not len(crops):
            return
        if start is None:
            start = sum(len(part[0]) for part in self._parts.values())
        places = crops.shape[2] * crops.shape[3]
        rng = np.random.default_rng(self._seed)
        chosen = rng.choice(places, min(self._each, places), replace=False)
        pixels = crops.reshape(*crops.shape[:2], -1)[:, :, chosen]
        features, share, low, products = crop_features(crops)
        self._parts[start] = (features, share, low, products, pixels.transpose(0, 2, 1))

    def profile(self) -> CropProfile | None:
        """What was measured; None where nothing was."""
        if not self._parts:
            return None
        columns = zip(*(self._parts[start] for start in sorted(self._parts)), strict=True)
        features, share, low, products, pixels = (np.concatenate(column) for column in columns)
        means = features[:, FEATURES.index("mean")].astype(np.float64)
        apart = means - means.mean(axis=0)
        # Of the pixels of all crops: within the crops, and between their means.
        whole = products.mean(axis=0) + apart.T @ apart / len(apart)
        return CropProfile(features, share, low, pixels.reshape(-1, pixels.shape[2]), whole)
