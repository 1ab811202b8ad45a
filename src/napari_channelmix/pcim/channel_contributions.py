"""What each channel contributes to the decision about one cell: taken from other real cells.

The evidence of a map says where the classifier looks, channel by channel. What a channel adds to
*this* decision is seen when it is taken from another cell, and the probability falls.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.classify.intervals import FEW_GROUPS
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.pcim.grouped_mean import GroupedMean
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.pcim.cell_source import Source

__all__ = ["ChannelContributions", "Donors", "channel_contributions", "donors_job"]

FloatArray = npt.NDArray[np.float32]

# Cells that channels are taken from, and how many of them for one cell.
POOL, EACH = 96, 16
# Cells read and asked about at once.
BATCH = 32
LEVEL = 0.95
# A channel has much of the evidence of a map above this share of an even division.
MUCH = 1.0


@dataclass(frozen=True, eq=False)
class Donors:
    """Real cells that channels are taken from.

    Attributes
    ----------
    x : (n, C, H, W) tensor
        On the scale of the classifier.
    called : (n,) int64 array
        Class that the classifier calls each of them.
    groups : (n,) array
        Of cells that are not independent, such as wells.
    numbers : (n,) int64 array
        Of the cells in their source.
    """

    x: Tensor = field(repr=False)
    called: npt.NDArray[np.int64]
    groups: npt.NDArray[np.str_]
    numbers: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.called)


@dataclass(frozen=True, eq=False)
class ChannelContributions:
    """How far the probability of the target falls when a channel is taken from other cells.

    Attributes
    ----------
    channels : tuple of str
        C names.
    probability : float
        Of the target, of the cell as it is.
    fall : (C,) float64 array
        Mean fall of that probability with the channel of cells that are called otherwise; below 0
        where it rises.
    low, high : (C,) float64 arrays
        95 % interval of ``fall`` over the groups of the donors; over the donors, as if these were
        independent, with fewer than five groups: `sentence` says so.
    sham : (C,) float64 array
        The same with the channel of cells that are called as the target: what the exchange itself
        does, since no two cells lie alike. NaN where there is none.
    above : (C,) bool array
        Whether ``fall`` is above ``sham``: the interval of their difference, at 95 % for all
        channels together, is above 0. False without a sham.
    donors, groups, sham_donors : int
    evidence : (C,) float64 array or None
        Share of the map's absolute evidence in each channel; sums to 1.
    """

    channels: tuple[str, ...]
    probability: float
    fall: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    sham: npt.NDArray[np.float64]
    above: npt.NDArray[np.bool_]
    donors: int
    groups: int
    sham_donors: int
    evidence: npt.NDArray[np.float64] | None = None

    def with_evidence(self, channel_maps: FloatArray) -> ChannelContributions:
        """The same, beside the evidence of the cell's maps (C, H, W)."""
        size = np.abs(channel_maps).sum(axis=(1, 2), dtype=np.float64)
        total = size.sum()
        return replace(self, evidence=size / total if total > 0 else np.zeros_like(size))

    @property
    def sentence(self) -> str:
        """Which channels decide, in words."""
        # Each cell is a group of its own where no groups are known: then none is spoken of.
        groups = f" of {counted(self.groups, 'group')}" if self.groups < self.donors else ""
        of = f"({counted(self.donors, 'other cell')}{groups}"
        of += ", which say little about other groups)" if self.groups < FEW_GROUPS else ")"
        if not self.sham_donors:
            return (
                "Which channel decides is not known: no other cell has the same prediction, so "
                f"that what an exchange itself does cannot be told {of}."
            )
        names = [
            self.channels[index]
            for index in np.argsort(-self.fall, kind="stable")
            if self.above[index]
        ]
        if not names:
            return f"No single channel decides: none does more than its sham {of}."
        return f"Decided by {', '.join(names)} {of}."

    @property
    def cautions(self) -> tuple[str, ...]:
        """Channels with much of the map's evidence that decide nothing, a sentence each."""
        if self.evidence is None or not self.sham_donors:
            return ()
        return tuple(
            f"{name} has {100 * share:.0f} % of the evidence of the maps, but its exchange does no "
            "more than its sham: the classifier looks there, other channels decide"
            for name, share, above in zip(self.channels, self.evidence, self.above, strict=True)
            if share >= MUCH / len(self.channels) and not above
        )


def donors_job(source: Source, count: int = POOL, seed: int = 0) -> Job[Donors]:
    """Read some cells, from as many groups as there are, and ask what they are called.

    Raises
    ------
    DataError, ModelError
        As `pcim.explain`.
    """
    rng = np.random.default_rng(seed)
    known = source.known
    groups = (
        np.arange(len(source)).astype(str)
        if known is None
        else np.asarray(known.groups, str)[source.numbers]
    )
    some = np.sort(_over_groups(rng.permutation(len(source)), groups, count))
    tensors, called = [], []
    with source.subject.at_rest():
        for start in range(0, len(some), BATCH):
            yield Progress(start, len(some), "reading cells to take channels from")
            x = source.tensor(some[start : start + BATCH])
            with torch.no_grad():
                called.append(source.shown(source.subject.checked_scores(x)).argmax(axis=1))
            tensors.append(x)
    return Donors(
        torch.cat(tensors),
        np.concatenate(called).astype(np.int64),
        groups[some],
        source.numbers[some],
    )


def channel_contributions(
    source: Source, donors: Donors, target: int, versus: int | None = None, row: int = 0
) -> ChannelContributions | None:
    """Exchange each channel of a cell for that of cells called otherwise, and look at the answer.

    Each channel is taken from the 16 donors, out of 8 flips and quarter turns each, whose *other*
    channels are most like the cell's: cells do not lie alike, and an exchange that puts a nucleus
    beside its cell would change any answer. The same is done with cells that are called as the
    target: the sham. Our definition.

    Parameters
    ----------
    source : Source
    donors : Donors
        Of the same classifier; the cell itself is left out.
    target : int
        Class that is explained.
    versus : int, optional
        Take channels from cells that are called this class alone.
    row : int
        Which cell of the source.

    Returns
    -------
    ChannelContributions or None
        None with one channel, whose exchange is an exchange of the cell, and where no cell is
        called otherwise.
    """
    own = source.tensor(np.array([row]))
    count = own.shape[1]
    usable = donors.numbers != source.numbers[row]
    others = usable & (donors.called != target if versus is None else donors.called == versus)
    alike = usable & (donors.called == target)
    if count < 2 or not others.any():
        return None
    own_groups = {str(source.known.groups[source.numbers[row]])} if source.known is not None else ()
    # A well has a stain of its own: cells of the same class from elsewhere are the fairer sham.
    elsewhere = alike & ~np.isin(donors.groups, list(own_groups))
    alike = elsewhere if elsewhere.any() else alike
    with source.subject.at_rest(), torch.no_grad():
        before = float(source.shown(source.subject.checked_scores(own))[0, target])
        posed = _posed(donors.x)
        likeness = (_unit(posed) * _unit(own)).sum(dim=(3, 4))

        def falls(rows: npt.NDArray[np.int64], channel: int) -> GroupedMean:
            """With one channel of the donors whose other channels are most like the cell's."""
            others_like = likeness[:, rows].sum(dim=2) - likeness[:, rows, channel]
            best, pose = others_like.max(dim=0)
            order = torch.argsort(best, descending=True, stable=True)[:EACH].cpu()
            chosen = rows[order.numpy()]
            mixed = own.repeat(len(chosen), 1, 1, 1)
            mixed[:, channel] = posed[pose.cpu()[order], chosen, channel]
            after = source.shown(source.subject.checked_scores(mixed))[:, target]
            return GroupedMean(before - after.astype(np.float64), donors.groups[chosen])

        changed, same = (
            [falls(np.flatnonzero(kind), channel) for channel in range(count)]
            if kind.any()
            else [GroupedMean(np.zeros(0), np.zeros(0, str))] * count
            for kind in (others, alike)
        )
    intervals = np.array([each.interval(LEVEL) for each in changed])
    # Each channel is tested: the level is divided by their number (Bonferroni).
    level = 1 - (1 - LEVEL) / count
    return ChannelContributions(
        source.channels,
        before,
        np.array([each.mean for each in changed]),
        intervals[:, 0],
        intervals[:, 1],
        np.array([each.mean for each in same]),
        np.array([one.is_above(other, level) for one, other in zip(changed, same, strict=True)]),
        len(changed[0].values),
        min(each.group_count for each in changed),
        len(same[0].values),
    )


def _posed(x: Tensor) -> Tensor:
    """Crops (n, C, H, W) in 8 poses (8, n, C, H, W); in 4 where they are not square."""
    turns = (0, 1, 2, 3) if x.shape[2] == x.shape[3] else (0, 2)
    poses = [torch.rot90(x, turn, (2, 3)) for turn in turns]
    return torch.stack([*poses, *(pose.flip(3) for pose in poses)])


def _unit(x: Tensor) -> Tensor:
    """Pictures (..., H, W) with mean 0 and length 1, so that products are correlations."""
    less = x - x.mean(dim=(-2, -1), keepdim=True)
    return less / less.pow(2).sum(dim=(-2, -1), keepdim=True).sqrt().clamp_min(1e-12)


def _over_groups(
    order: npt.NDArray[np.int64], groups: npt.NDArray[np.str_], count: int
) -> npt.NDArray[np.int64]:
    """The first ``count`` of a random order, but the groups take turns."""
    _, group = np.unique(groups[order], return_inverse=True)
    turn = np.zeros(len(order), np.int64)
    seen: dict[int, int] = {}
    for place, of in enumerate(group.tolist()):
        turn[place] = seen[of] = seen.get(of, -1) + 1
    return order[np.argsort(turn, kind="stable")[:count]]
