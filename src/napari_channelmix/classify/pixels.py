"""Pixels of a data set, read once and shared by every division of it into folds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.crops import MEMORY_BYTES, NormalisedCrops, normalised
from napari_channelmix.classify.training_cells import blank_crops
from napari_channelmix.computing import within_cap
from napari_channelmix.data.statistics import ChannelStatistics, statistics_job
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from napari_channelmix.data import Cells

__all__ = ["Pixels", "SelectedCrops", "Selection"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

BATCH = 256


class Pixels:
    """Crops of a data set in raw units: in memory where they fit, else read batch by batch.

    Attributes
    ----------
    cells : Cells
    digests : list of bytes
        A hash of the pixels of each crop, after `load`; empty for a crop that is one value all
        over in every channel, which is like any other such crop.
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.digests: list[bytes] = []
        self._cached: FloatArray | None = None

    def load(self) -> Job[None]:
        """Read all crops and hash each; a job with a step for each batch."""
        if self.digests:
            return
        count, channels, height, width = self.cells.shape
        fits = 4 * count * channels * height * width <= within_cap(MEMORY_BYTES)
        # (N, H, W, C) in memory: picking along the first axis then keeps channels last.
        stored = np.empty((count if fits else 0, height, width, channels), dtype=np.float32)
        signature, done = self.cells.signing(), 0
        for crops in self.cells.batches(BATCH):
            signature.update(crops.tobytes())
            blank = blank_crops(crops)
            self.digests += [
                b"" if empty else _digest(crop) for crop, empty in zip(crops, blank, strict=True)
            ]
            if fits:
                stored[done : done + len(crops)] = crops.transpose(0, 2, 3, 1)
            done += len(crops)
            yield Progress(done, count, "reading the cells")
        # Every pixel has been seen, so the cells need not be read again to be signed.
        vars(self.cells)["signature"] = signature.hexdigest()
        self._cached = stored if fits else None

    def read(self, rows: IntArray) -> FloatArray:
        """The crops at these positions, (n, C, H, W), in raw units."""
        if self._cached is None:
            return self.cells.read(rows)
        return self._cached[rows].transpose(0, 3, 1, 2)


def _digest(crop: FloatArray) -> bytes:
    return hashlib.blake2b(np.ascontiguousarray(crop).tobytes(), digest_size=16).digest()


@dataclass(frozen=True, eq=False)
class Selection:
    """Some cells of a data set whose pixels are shared.

    Attributes
    ----------
    pixels : Pixels
    rows : (n,) int array
        Positions in the data set.
    """

    pixels: Pixels
    rows: IntArray

    @classmethod
    def whole(cls, pixels: Pixels) -> Selection:
        """All cells of a data set."""
        return cls(pixels, np.arange(len(pixels.cells)))

    @cached_property
    def cells(self) -> Cells:
        """The chosen cells."""
        everything = len(self.rows) == len(self.pixels.cells)
        return self.pixels.cells if everything else self.pixels.cells.subset(self.rows)

    @property
    def digests(self) -> list[bytes]:
        """Hashes of the crops, as those of `Pixels`."""
        return [self.pixels.digests[row] for row in self.rows]

    def sign(self) -> Job[None]:
        """Sign the cells (`Cells.signature`) from the pixels that were read."""
        if "signature" in vars(self.cells):
            return
        signature, done = self.cells.signing(), 0
        for crops in self._batches():
            signature.update(np.ascontiguousarray(crops).tobytes())
            done += len(crops)
            yield Progress(done, len(self.rows), "reading the cells")
        vars(self.cells)["signature"] = signature.hexdigest()

    def statistics_job(self) -> Job[ChannelStatistics]:
        """Mean, spread and range of each channel of the chosen cells; see `statistics_job`."""
        return statistics_job(self._batches(), len(self.rows), self.cells.channels)

    def _batches(self) -> Iterator[FloatArray]:
        for start in range(0, len(self.rows), BATCH):
            yield self.pixels.read(self.rows[start : start + BATCH])


class SelectedCrops(NormalisedCrops):
    """Crops of a selection, normalised when they are taken: every fold has its own statistics."""

    def __init__(self, selection: Selection, statistics: ChannelStatistics) -> None:
        super().__init__(selection.cells, statistics)
        self._selection = selection

    def load(self) -> Job[None]:
        """Read the pixels, where that has not been done."""
        return self._selection.pixels.load()

    def take(self, indices: IntArray) -> Tensor:
        """The crops at these positions, (n, C, H, W), channels last."""
        crops = self._selection.pixels.read(self._selection.rows[indices])
        return normalised(crops, self.statistics.mean, self.statistics.std)

    def subset(self, indices: IntArray) -> SelectedCrops:
        """Some of the crops, sharing statistics and pixels."""
        chosen = Selection(self._selection.pixels, self._selection.rows[indices])
        return SelectedCrops(chosen, self.statistics)
