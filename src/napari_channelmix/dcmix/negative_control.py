"""The test against decoys: does a channel get more of the mix than one that carries nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats
from torch import Tensor

from napari_channelmix.classify.crops import NormalisedCrops

__all__ = ["WithDecoys", "dealt", "decoy_p_values", "holm", "paired_p_values"]

FloatArray = npt.NDArray[np.float64]

# A share may be 0 to machine precision, as of a channel wholly behind another.
LEAST = 1e-6


def dealt(groups: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """Donor of each cell (N,): a cell of the group that a permutation of the groups gives its own.

    Cells of a well are alike, so decoys must be as well: their chance link to the labels is that
    of whole wells. Groups may be of any class and size; the cells of one that is too small donate
    several times. Without groups, a permutation of the cells.
    """
    _, group = np.unique(groups, return_inverse=True)
    count = int(group.max()) + 1
    if count == len(group):
        return rng.permutation(len(group))
    members = [np.flatnonzero(group == code) for code in range(count)]
    donors = np.empty(len(group), dtype=np.int64)
    for own, giver in zip(members, rng.permutation(count), strict=True):
        donors[own] = np.resize(rng.permutation(members[giver]), len(own))
    return donors


class WithDecoys(NormalisedCrops):
    """The same crops with a decoy behind each channel: that channel of another cell.

    A decoy looks like its channel and has no link to the label but by chance, so its weight shows
    what a channel gets that carries nothing.
    """

    def __init__(
        self, crops: NormalisedCrops, donors: npt.NDArray[np.int64], own: npt.NDArray[np.int64]
    ) -> None:
        names = [*crops.cells.channels, *(f"decoy of {name}" for name in crops.cells.channels)]
        table = crops.cells.table.iloc[own].reset_index(drop=True)
        cells = replace(
            crops.cells, channels=tuple(names), planes=crops.cells.planes * 2, table=table
        )
        super().__init__(cells, crops.statistics)
        self._crops, self._donors, self._own = crops, donors, own

    @property
    def signature(self) -> str:
        """That of the crops: the decoys follow from them and the seed."""
        return f"{self._crops.signature} with decoys"

    @classmethod
    def behind(cls, crops: NormalisedCrops, seed: int) -> WithDecoys:
        """Decoys for all crops, dealt group by group; see `dealt`."""
        donors = dealt(crops.cells.groups, np.random.default_rng([seed, 1]))
        return cls(crops, donors, np.arange(len(crops)))

    def take(self, indices: npt.NDArray[np.int64]) -> Tensor:
        """Crops (n, 2 C, H, W): the channels, then their decoys."""
        own = self._crops.take(self._own[indices])
        decoys = self._crops.take(self._donors[indices])
        return torch.cat([own, decoys], dim=1).contiguous(memory_format=torch.channels_last)

    def subset(self, indices: npt.NDArray[np.int64]) -> WithDecoys:
        """Some of the crops with their decoys."""
        return WithDecoys(self._crops, self._donors[indices], self._own[indices])


def decoy_p_values(shares: FloatArray, decoys: FloatArray) -> FloatArray:
    """One-sided p-value of each channel, before correction.

    The decoy of a channel is the same channel with its cells dealt anew in each seed, so its shares
    are draws of what that channel gets by chance, chance links of a finite data set included.
    With logarithms of shares, ``T_c = mean over seeds (log share_c - log decoy_c)`` is held against
    ``s sqrt(1 + 1 / S)``, where s is the spread of a decoy over the seeds, pooled over the C
    channels, with ``C (S - 1)`` degrees of freedom. Our definition.

    It speaks of shares, not of labels: a channel that only shows where the cell is helps a blend,
    while its decoy shows another place, and so it passes. See `p_values.both_tests`.

    Parameters
    ----------
    shares, decoys : (S, C) arrays
        Shares of the channels and of their decoys in the mixes of S seeds.

    Returns
    -------
    (C,) array
    """
    shares, decoys = np.log(np.maximum(shares, LEAST)), np.log(np.maximum(decoys, LEAST))
    seeds, channels = decoys.shape
    freedom = channels * (seeds - 1)
    spread = np.sqrt(((decoys - decoys.mean(axis=0)) ** 2).sum() / freedom)
    gain = (shares - decoys).mean(axis=0)
    # Decoys that never vary say nothing of chance: a spread of 0 makes no channel significant.
    t = gain / (spread * np.sqrt(1 + 1 / seeds)) if spread > 0 else np.zeros_like(gain)
    return np.asarray(stats.t.sf(t, freedom), dtype=np.float64)


def paired_p_values(shares: FloatArray, decoys: FloatArray) -> FloatArray:
    """The obvious test, which is wrong: a paired t test of share minus mean decoy over the seeds.

    All seeds see the same cells, so a chance link between a channel and the labels comes back in
    every seed and looks certain. It is kept for `benchmarks/null_calibration.py`, which shows how
    often it errs.
    """
    against = decoys.mean(axis=1, keepdims=True)
    result = stats.ttest_1samp(shares - against, 0.0, alternative="greater")
    return np.asarray(result.pvalue, dtype=np.float64)


def holm(p_values: FloatArray) -> FloatArray:
    """Holm's step-down correction for testing all channels at once, (C,)."""
    order = np.argsort(p_values)
    steps = np.arange(len(p_values), 0, -1)
    corrected = np.empty_like(p_values)
    corrected[order] = np.minimum(np.maximum.accumulate(p_values[order] * steps), 1.0)
    return corrected
