"""A few numbers of each channel of a crop, from which plain classifiers are learnt in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_profile import FEATURES, crop_features
from napari_channelmix.data.scaling import group_levels
from napari_channelmix.jobs import Job, Progress

__all__ = ["BANDS", "NAMES", "RINGS", "CropNumbers", "crop_numbers", "numbers_job"]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Widths of the blurs between which structures are told apart by size, in pixels.
BANDS = (1.0, 2.0, 4.0)
#: Rings from the middle of the crop to its rim.
RINGS = 4

_LEVELS = ("low", "middle", "high", "mean", "top")
#: Numbers of a channel: first those that move and grow with its brightness, then those that only
#: grow with it, then the one that does neither.
NAMES = (
    *_LEVELS,
    *(f"ring {at + 1}" for at in range(RINGS)),
    "sd",
    *(f"sd of structures of {width:g} px" for width in BANDS),
    *(f"top of structures of {width:g} px" for width in BANDS),
    "smoothness",
)
_MOVING = len(_LEVELS) + RINGS
_GROWING = len(NAMES) - 1

# Pairs of more channels than these would be more numbers than cells can teach.
MOST_PAIRED = 12


@dataclass(frozen=True, eq=False)
class CropNumbers:
    """Numbers of N crops of C channels.

    Attributes
    ----------
    values : (N, F, C) float64 array
        See `NAMES`.
    pairs : (N, C, C) float64 array
        Correlation of the pixels of two channels within the crop; 0 where one is constant. Empty
        (N, 0, 0) for more than 12 channels.
    """

    values: Doubles
    pairs: Doubles

    def __len__(self) -> int:
        return len(self.values)

    def of(self, name: str) -> Doubles:
        """One of the numbers (N, C)."""
        return self.values[:, NAMES.index(name)]

    def columns(self, channels: tuple[int, ...]) -> Doubles:
        """What is known with these channels alone, a row per cell: (N, D)."""
        own = self.values[:, :, list(channels)].reshape(len(self), -1)
        if not self.pairs.size:
            return own
        first, other = np.triu_indices(len(channels), 1)
        indices = np.asarray(channels)
        return np.concatenate([own, self.pairs[:, indices[first], indices[other]]], axis=1)

    def subset(self, indices: IntArray) -> CropNumbers:
        """Those of some of the crops."""
        return CropNumbers(self.values[indices], self.pairs[indices])

    @classmethod
    def together(cls, parts: Sequence[CropNumbers]) -> CropNumbers:
        """Several sets of crops as one."""
        return cls(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.pairs for part in parts]),
        )

    def scaled_by_group(self, groups: npt.NDArray[np.str_]) -> CropNumbers:
        """The numbers of the same crops after `Cells.normalised_by_group`, without reading them.

        Scaling pixels moves and scales the numbers alike. A channel that is constant in a group
        is left as it is there.
        """
        names, level, spread = group_levels(self.of("mean"), self.of("sd"), groups)
        of = np.searchsorted(names, groups)
        spread = np.where(spread > 0, spread, 1.0)
        values = self.values.copy()
        values[:, :_MOVING] -= level[of][:, None]
        values[:, :_GROWING] /= spread[of][:, None]
        return replace(self, values=values)


def crop_numbers(crops: FloatArray) -> CropNumbers:
    """Numbers of crops (n, C, H, W); our choice, measured in `benchmarks/alone.py`.

    Percentiles (5, 50, 95), mean, highest value; means of rings from the middle to the rim;
    standard deviation, of all and of structures between two Gaussian blurs, and the highest value
    of these; correlation of neighbouring pixels. None changes when the crop is turned by a right
    angle or flipped.
    """
    from scipy.ndimage import gaussian_filter

    features, _, _, products = crop_features(crops)
    known = {name: features[:, index].astype(np.float64) for index, name in enumerate(FEATURES)}
    bands, finer = [], crops
    for width in BANDS:
        coarser = gaussian_filter(crops, (0, 0, width, width), mode="nearest", truncate=3.0)
        bands.append(finer - coarser)
        finer = coarser
    values = np.stack(
        [
            *(known[name] for name in _LEVELS),
            *_rings(crops),
            known["sd"],
            *(band.std(axis=(2, 3), dtype=np.float64) for band in bands),
            *(band.max(axis=(2, 3)).astype(np.float64) for band in bands),
            known["smoothness"],
        ],
        axis=1,
    )
    return CropNumbers(values, _correlation(products))


def _rings(crops: FloatArray) -> list[Doubles]:
    """Mean (n, C) in rings of equal width, from the middle to the nearest edge and beyond."""
    height, width = crops.shape[2:]
    y, x = np.ogrid[:height, :width]
    far = np.hypot(y - (height - 1) / 2, x - (width - 1) / 2) / (min(height, width) / 2)
    ring = np.minimum((far * RINGS).astype(np.int64), RINGS - 1)
    # Crops of a few pixels may lack the inner rings.
    present = [ring == index if (ring == index).any() else ring >= 0 for index in range(RINGS)]
    return [crops[:, :, inside].mean(axis=2, dtype=np.float64) for inside in present]


def _correlation(products: Doubles) -> Doubles:
    count, channels, _ = products.shape
    if channels > MOST_PAIRED:
        return np.zeros((count, 0, 0))
    spread = np.sqrt(np.maximum(np.einsum("ncc->nc", products), 0))
    both = spread[:, :, None] * spread[:, None]
    correlation: Doubles = np.divide(products, both, out=np.zeros_like(products), where=both > 0)
    return correlation


def numbers_job(batches: Iterable[FloatArray], count: int) -> Job[CropNumbers]:
    """Numbers of ``count`` crops that come in batches (n, C, H, W), a step for each batch."""
    parts, done = [], 0
    for crops in batches:
        parts.append(crop_numbers(np.ascontiguousarray(crops)))
        done += len(crops)
        yield Progress(done, count, "measuring the channels")
    return CropNumbers.together(parts)
