"""What crops look like, in a few figures per crop and channel; measured while they are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

__all__ = [
    "FEATURES",
    "PERCENTILES",
    "CropProfile",
    "MeasuredCrops",
    "Profiler",
    "crop_features",
]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

#: Figures of a crop: 5th, 50th and 95th percentile, mean, standard deviation, highest value,
#: correlation of neighbouring pixels.
FEATURES = ("low", "middle", "high", "mean", "sd", "top", "smoothness")
#: Percentiles of the pixels of all crops.
PERCENTILES = (1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0, 99.9)

# Pixels of a crop, on an even grid, from which its percentiles are taken.
GRID = 16
# Pixels of a channel that are kept for the percentiles over all crops.
MOST_PIXELS = 400_000
# Crops whose means are taken at once, as numbers of double precision.
BLOCK = 65_536


@dataclass(frozen=True, eq=False)
class CropProfile:
    """Figures of N crops of C channels.

    Attributes
    ----------
    features : (N, F, C) float32 array
        See `FEATURES`.
    top_share : (N, C) float32 array
        Share of a crop's pixels that have its highest value.
    constant : (N, C) bool array
        Where a crop has one value all over a channel.
    minimum : (C,) float32 array
        Lowest value of all crops.
    pixels : (M, C) float32 array
        A sample of the pixels: the same number of each crop, at places drawn once; of very many
        crops only every second, third ... gives any.
    products : (C, C) float64 array
        Mean product of the deviations of two channels from their own means, over all pixels.
    """

    features: FloatArray
    top_share: FloatArray
    constant: Bools
    minimum: FloatArray
    pixels: FloatArray
    products: Doubles

    def __len__(self) -> int:
        return len(self.features)

    def of(self, name: str) -> FloatArray:
        """One of the figures (N, C)."""
        return self.features[:, FEATURES.index(name)]

    @cached_property
    def mean(self) -> Doubles:
        """Mean of all pixels (C,)."""
        return np.asarray(self.of("mean").mean(axis=0, dtype=np.float64))

    @cached_property
    def sd(self) -> Doubles:
        """Standard deviation of all pixels (C,)."""
        return np.sqrt(np.maximum(np.diag(self.products), 0.0))

    @cached_property
    def percentiles(self) -> Doubles:
        """Percentiles of the pixels (8, C); see `PERCENTILES`."""
        return np.asarray(np.percentile(self.pixels, PERCENTILES, axis=0), dtype=np.float64)

    @cached_property
    def saturated(self) -> Doubles:
        """Share of the pixels of each channel that have its highest value of all (C,)."""
        top = self.of("top")
        return np.asarray(
            np.where(top >= top.max(axis=0), self.top_share, 0).mean(axis=0), dtype=np.float64
        )

    @cached_property
    def correlation(self) -> Doubles:
        """Correlation (C, C) of the channels' pixels; 0 where a channel is constant."""
        spread = np.outer(self.sd, self.sd)
        return np.divide(self.products, spread, out=np.zeros_like(spread), where=spread > 0)


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


@dataclass(frozen=True, eq=False)
class MeasuredCrops:
    """What a `Profiler` measured of some crops: plain arrays, to be sent or kept in a file.

    Attributes
    ----------
    positions : (n,) int64 array
        Of the crops among all that are measured.
    features : (n, F, C) float32 array
        See `FEATURES`.
    top_share : (n, C) float32 array
    constant : (n, C) bool array
    minimum : (C,) float32 array
        Lowest value of these crops.
    pixels : (m, C) float32 array
        Their part of the sample of pixels.
    products : (C, C) float64 array
        Sum over the crops of the mean products of the channels' deviations.
    """

    positions: IntArray
    features: FloatArray
    top_share: FloatArray
    constant: Bools
    minimum: FloatArray
    pixels: FloatArray
    products: Doubles

    @classmethod
    def together(cls, parts: Sequence[MeasuredCrops]) -> MeasuredCrops:
        """Several parts, at least one, as one."""
        rows = ("positions", "features", "top_share", "constant", "pixels")
        joined = {name: np.concatenate([getattr(part, name) for part in parts]) for name in rows}
        return cls(
            **joined,
            minimum=np.min([part.minimum for part in parts], axis=0),
            products=np.sum([part.products for part in parts], axis=0),
        )


class Profiler:
    """Measures crops batch by batch, in any order.

    The figures of each crop are kept (33 bytes for each channel), all else is summed up. A batch
    of which a crop was measured before takes the place of the batches that held such crops.
    Batches may be measured by copies of a profiler in other processes (`measured`) and put
    together in one (`take`): the same batches give the same profile to the bit, in whichever
    order they come.

    Parameters
    ----------
    count : int
        Crops that will come, about: so many pixels of each are kept that memory stays bounded.
    seed : int
        Of the places whose pixels are kept.
    """

    def __init__(self, count: int, seed: int = 0) -> None:
        self._count = count
        self._each = max(1, min(GRID * GRID, MOST_PIXELS // max(count, 1)))
        # Of more crops than pixels are kept, every so many-th gives one.
        self._every = max(1, -(-count // MOST_PIXELS))
        self._seed = seed
        # Of each crop, by its position.
        self._features = np.zeros((0, len(FEATURES), 0), np.float32)
        self._top_share = np.zeros((0, 0), np.float32)
        self._constant = np.zeros((0, 0), np.bool_)
        # The batch that each crop came in, named by its lowest position; -1: not seen.
        self._batch = np.zeros(0, np.int32)
        self._lowest: dict[int, FloatArray] = {}
        self._pixels: dict[int, FloatArray] = {}
        self._products: dict[int, Doubles] = {}

    def add(self, crops: FloatArray, positions: npt.ArrayLike | None = None) -> None:
        """Measure crops (n, C, H, W).

        Parameters
        ----------
        crops : (n, C, H, W) float32 array
        positions : (n,) int array or int, optional
            Of the crops among all, or of the first, behind which the others lie; default: behind
            those that were measured.
        """
        if not len(crops):
            return
        first = int((self._batch >= 0).sum()) if positions is None else positions
        which = np.asarray(first, dtype=np.int64)
        if which.ndim == 0:
            which = which + np.arange(len(crops))
        self.take(self.measured(crops, which))

    def measured(self, crops: FloatArray, positions: IntArray) -> MeasuredCrops:
        """What crops (n, C, H, W), n > 0, at positions (n,) look like; `take` keeps it."""
        places = crops.shape[2] * crops.shape[3]
        rng = np.random.default_rng(self._seed)
        chosen = rng.choice(places, min(self._each, places), replace=False)
        giving = crops if self._every == 1 else crops[positions % self._every == 0]
        pixels = giving.reshape(len(giving), crops.shape[1], -1)[:, :, chosen]
        features, share, low, products = crop_features(crops)
        return MeasuredCrops(
            np.asarray(positions, dtype=np.int64),
            features,
            share,
            np.asarray(features[:, FEATURES.index("top")] <= low),
            low.min(axis=0),
            pixels.transpose(0, 2, 1).reshape(-1, crops.shape[1]),
            products.sum(axis=0),
        )

    def take(self, part: MeasuredCrops) -> None:
        """Keep what was measured."""
        if not len(part.positions):
            return
        where, batch = part.positions, int(part.positions.min())
        self._make_room(int(where.max()) + 1, part.features.shape[2])
        for earlier in np.unique(self._batch[where]).tolist():
            if earlier >= 0:
                self._batch[self._batch == earlier] = -1
                for kept in (self._lowest, self._pixels, self._products):
                    del kept[earlier]
        self._features[where] = part.features
        self._top_share[where] = part.top_share
        self._constant[where] = part.constant
        self._batch[where] = batch
        self._lowest[batch] = part.minimum
        self._pixels[batch] = part.pixels
        self._products[batch] = part.products

    def _make_room(self, size: int, channels: int) -> None:
        """Have room for crops up to a position; memory is taken up as they come."""
        have = len(self._batch)
        if size <= have:
            return
        size = max(size, self._count, have + have // 2)
        shapes: dict[str, tuple[int, ...]] = {
            "_features": (len(FEATURES), channels),
            "_top_share": (channels,),
            "_constant": (channels,),
        }
        for name, shape in shapes.items():
            old = getattr(self, name)
            room = np.empty((size, *shape), dtype=old.dtype)
            if have:
                room[:have] = old
            setattr(self, name, room)
        self._batch = np.concatenate([self._batch, np.full(size - have, -1, np.int32)])

    def profile(self) -> CropProfile | None:
        """What was measured; None where nothing was."""
        seen = self._batch >= 0
        count = int(seen.sum())
        if not count:
            return None
        features, share, flat = self._features, self._top_share, self._constant
        if count < len(seen):
            features, share, flat = features[seen], share[seen], flat[seen]
        batches = sorted(self._products)
        means = features[:, FEATURES.index("mean")]
        middle = means.mean(axis=0, dtype=np.float64)
        between = np.zeros((len(middle), len(middle)))
        for start in range(0, count, BLOCK):
            apart = means[start : start + BLOCK] - middle
            between += apart.T @ apart
        within = np.sum([self._products[batch] for batch in batches], axis=0)
        return CropProfile(
            features,
            share,
            flat,
            np.min([self._lowest[batch] for batch in batches], axis=0),
            np.concatenate([self._pixels[batch] for batch in batches]),
            # Of the pixels of all crops: within the crops, and between their means.
            within / count + between / count,
        )
