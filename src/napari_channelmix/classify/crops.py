"""Normalised crops as tensors, in any order."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.classify.held_crops import HeldCrops

if TYPE_CHECKING:
    from napari_channelmix.classify.training_cells import Digests
    from napari_channelmix.data import Cells, ChannelStatistics
    from napari_channelmix.jobs import Job

__all__ = ["NormalisedCrops", "balanced_order", "epoch_length", "normalised", "random_flip_rotate"]

# Crops that are normalised at a time.
BLOCK = 1024

IntArray = npt.NDArray[np.int64]
Stats = npt.NDArray[np.float64]


def normalised(crops: npt.NDArray[np.float32], mean: Stats, std: Stats) -> Tensor:
    """Crops (N, C, H, W) in raw units to zero mean and unit spread per channel, channels last.

    The tensor has the shape (N, C, H, W); its memory order is the one CPU convolutions like best.
    """
    count, channels, height, width = crops.shape
    # A row of the image at once: with few channels, loops over them alone are slow.
    rows = np.ascontiguousarray(crops.transpose(0, 2, 3, 1)).reshape(count * height, -1)
    scaled = rows - np.tile(np.asarray(mean, dtype=np.float32), width)
    scaled /= np.tile(np.asarray(std, dtype=np.float32), width)
    return torch.from_numpy(scaled).view(count, height, width, channels).permute(0, 3, 1, 2)


class NormalisedCrops:
    """Crops of a data set, normalised; `load` once, then ask for any of them as often as needed.

    Parameters
    ----------
    cells : Cells
    statistics : ChannelStatistics
    held : HeldCrops, optional
        Raw crops of the same cells; they cannot be read by others afterwards.
    """

    def __init__(
        self, cells: Cells, statistics: ChannelStatistics, held: HeldCrops | None = None
    ) -> None:
        self.cells, self.statistics = cells, statistics
        self.labels = torch.from_numpy(cells.labels.copy())
        # Of each crop's pixels; None until they have been read.
        self.digests: Digests | None = None
        self._held = HeldCrops(cells) if held is None else held
        # (N, H, W, C), normalised, where float32 crops fit into memory.
        self._cached: Tensor | None = None
        # Rows of what is held: a subset shares the pixels.
        self._rows: IntArray = np.arange(len(cells))

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def signature(self) -> str:
        """What the crops are, for provenance and for the reuse of earlier work."""
        return self.cells.signature

    def load(self) -> Job[None]:
        """Read all crops, into memory where they fit; see `HeldCrops`."""
        if self.digests is not None:
            return
        yield from self._held.load()
        pixels = self._held.given_away()
        if pixels is not None:
            mean, std = (
                np.asarray(of, dtype=np.float32)
                for of in (self.statistics.mean, self.statistics.std)
            )
            for start in range(0, len(pixels), BLOCK):
                some = pixels[start : start + BLOCK]
                some -= mean
                some /= std
            self._cached = torch.from_numpy(pixels)
        self.digests = self._held.digests

    def take(self, indices: IntArray) -> Tensor:
        """The crops at these positions, (n, C, H, W), channels last."""
        rows = self._rows[indices]
        if self._cached is None:
            return normalised(self._held.read(rows), self.statistics.mean, self.statistics.std)
        return self._cached[torch.from_numpy(rows)].permute(0, 3, 1, 2)

    def batches(self, size: int = 256) -> Iterator[tuple[IntArray, Tensor]]:
        """Positions and crops of all cells, in order."""
        for start in range(0, len(self), size):
            indices = np.arange(start, min(start + size, len(self)))
            yield indices, self.take(indices)

    def subset(self, indices: IntArray) -> NormalisedCrops:
        """Some of the crops, sharing statistics and pixels."""
        chosen = NormalisedCrops(self.cells.subset(indices), self.statistics, self._held)
        chosen._cached, chosen._rows = self._cached, self._rows[indices]
        chosen.digests = None if self.digests is None else self.digests[indices]
        return chosen


def epoch_length(labels: IntArray, least: int = 0) -> int:
    """Cells in an epoch in which every class comes equally often; ``least`` or a few more."""
    classes = len(np.unique(labels))
    return classes * -(-max(len(labels), least) // classes)


def balanced_order(labels: IntArray, rng: np.random.Generator, least: int = 0) -> IntArray:
    """Positions for one epoch: each class as often as the others, in random order.

    Rare cells come several times, common ones in turn; every class is dealt from a shuffled pack.
    """
    classes = np.unique(labels)
    quota = epoch_length(labels, least) // len(classes)
    dealt = []
    for code in classes:
        members = np.flatnonzero(labels == code)
        packs = [rng.permutation(members) for _ in range(-(-quota // len(members)))]
        dealt.append(np.concatenate(packs)[:quota])
    return rng.permutation(np.concatenate(dealt))


@lru_cache(maxsize=4)
def _views(side: int) -> Tensor:
    """For each of the eight views of a square, which pixel each of its pixels is, (8, side^2)."""
    pixels = torch.arange(side * side).view(side, side)
    turned = [torch.rot90(pixels, turn) for turn in range(4)]
    return torch.stack([*turned, *(view.flip(1) for view in turned)]).flatten(1)


def random_flip_rotate(crops: Tensor, rng: np.random.Generator) -> Tensor:
    """Each crop of a batch (N, C, S, S) flipped and turned by right angles at random."""
    count, channels, side, _ = crops.shape
    how = torch.from_numpy(rng.integers(0, 8, size=count))
    first = (torch.arange(count) * side**2)[:, None]
    pixels = crops.permute(0, 2, 3, 1).reshape(count * side**2, channels)
    chosen = pixels.index_select(0, (first + _views(side)[how]).flatten())
    return chosen.view(count, side, side, channels).permute(0, 3, 1, 2)
