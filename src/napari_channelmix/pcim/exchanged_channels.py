"""Whether the evidence that maps show in a channel is evidence that decides: channels exchanged.

A map says where the classifier's answer is sensitive, channel by channel. A channel may hold half
of that evidence and yet never decide: other channels make up for it. So a whole channel is taken
from another cell, and what the classifier calls the cell is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch

from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.pcim.cell_source import Source

__all__ = ["ChannelEvidence", "channel_evidence_job"]

FloatArray = npt.NDArray[np.float32]

# Other cells whose channel is put into each cell, and cells that are looked at.
DONORS, MOST_CELLS = 8, 64
# A channel has much of the evidence above this share of an even division, and decides nothing
# below this share of flipped calls.
MUCH, NOTHING = 1.0, 0.02
# Fewer exchanges say little.
ENOUGH = 16


@dataclass(frozen=True)
class ChannelEvidence:
    """What maps show in each channel, and what an exchange of it does.

    Attributes
    ----------
    channels : tuple of str
        C names.
    share : tuple of float
        (C,) share of the absolute evidence of the maps, mean over the cells; sums to 1.
    flipped : tuple of float
        (C,) share of exchanges of this channel alone after which the classifier calls the cell
        something else.
    exchanges : int
        Of each channel.
    """

    channels: tuple[str, ...]
    share: tuple[float, ...]
    flipped: tuple[float, ...]
    exchanges: int

    @property
    def sentences(self) -> tuple[str, ...]:
        """A line for each channel that has much of the evidence and decides nothing."""
        if self.exchanges < ENOUGH:
            return ()
        lines = []
        for name, share, flipped in zip(self.channels, self.share, self.flipped, strict=True):
            if share >= MUCH / len(self.channels) and flipped < NOTHING:
                changed = "none" if flipped == 0 else f"{100 * flipped:.0f} %"
                lines.append(
                    f"the maps have {100 * share:.0f} % of their evidence in {name}, but {changed} "
                    f"of {self.exchanges} exchanges of {name} for that of a cell of another "
                    f"predicted class changed the prediction: other channels decide"
                )
        return tuple(lines)


def channel_evidence_job(
    source: Source, channel_maps: FloatArray, called: npt.NDArray[np.int64], *, seed: int = 0
) -> Job[ChannelEvidence]:
    """Exchange each channel of some cells for that of cells that are called otherwise.

    Parameters
    ----------
    source : Source
        The N cells that were explained.
    channel_maps : (N, C, H, W) float32 array
    called : (N,) int array
        Class that the classifier calls each of them.
    seed : int
        Of the cells and donors.

    Returns
    -------
    ChannelEvidence
        Without exchanges where all cells are called the same.
    """
    rng = np.random.default_rng(seed)
    size = np.abs(channel_maps).sum(axis=(2, 3), dtype=np.float64)
    total = size.sum(axis=1, keepdims=True)
    share = np.divide(size, total, out=np.zeros_like(size), where=total > 0).mean(axis=0)
    count = len(source.channels)
    flips, exchanges = np.zeros(count), 0
    some = rng.permutation(len(called))[:MOST_CELLS]
    for done, cell in enumerate(some):
        others = np.flatnonzero(called != called[cell])
        if len(others):
            donors = rng.choice(others, min(DONORS, len(others)), replace=False)
            own, donated = source.tensor(np.array([cell])), source.tensor(donors)
            for channel in range(count):
                mixed = own.repeat(len(donors), 1, 1, 1)
                mixed[:, channel] = donated[:, channel]
                with torch.no_grad():
                    scores = source.subject.checked_scores(mixed)
                calls = source.subject.reading.probabilities(scores).argmax(dim=1).cpu().numpy()
                flips[channel] += (calls != called[cell]).sum()
            exchanges += len(donors)
        yield Progress(done + 1, len(some), "exchanging channels")
    return ChannelEvidence(
        source.channels,
        tuple(share.tolist()),
        tuple((flips / max(exchanges, 1)).tolist()),
        exchanges,
    )
