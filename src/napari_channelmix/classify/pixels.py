"""Pixels of a data set, read once and shared by every division of it into folds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.crops import NormalisedCrops, normalised
from napari_channelmix.classify.held_crops import HeldCrops
from napari_channelmix.data.statistics import ChannelStatistics, statistics_job

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from napari_channelmix.classify.training_cells import Digests
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job

__all__ = ["Pixels", "SelectedCrops", "Selection"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]


class Pixels(HeldCrops):
    """Crops of a data set in raw units, shared by selections of its cells; see `HeldCrops`."""


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
    def digests(self) -> Digests:
        """Digests of the crops (n,), as those of `Pixels`; they have been read."""
        every = self.pixels.digests
        return np.zeros(len(self.rows), np.uint64) if every is None else every[self.rows]

    def sign(self) -> Job[None]:
        """Sign the cells (`Cells.signature`) from the pixels that were read."""
        if "signature" not in vars(self.cells):
            yield from self.pixels.sign(self.cells, self.rows)

    def statistics_job(self) -> Job[ChannelStatistics]:
        """Mean, spread and range of each channel of the chosen cells; see `statistics_job`."""
        return statistics_job(self._batches(), len(self.rows), self.cells.channels)

    def _batches(self) -> Iterator[FloatArray]:
        yield from self.pixels.batches(self.rows)


class SelectedCrops(NormalisedCrops):
    """Crops of a selection, normalised when they are taken: every fold has its own statistics."""

    def __init__(self, selection: Selection, statistics: ChannelStatistics) -> None:
        super().__init__(selection.cells, statistics)
        self._selection = selection

    def load(self) -> Job[None]:
        """Read the pixels, where that has not been done."""
        yield from self._selection.pixels.load()

    def take(self, indices: IntArray) -> Tensor:
        """The crops at these positions, (n, C, H, W), channels last."""
        crops = self._selection.pixels.read(self._selection.rows[indices])
        return normalised(crops, self.statistics.mean, self.statistics.std)

    def subset(self, indices: IntArray) -> SelectedCrops:
        """Some of the crops, sharing statistics and pixels."""
        chosen = Selection(self._selection.pixels, self._selection.rows[indices])
        return SelectedCrops(chosen, self.statistics)
