"""What each channel contributes to the decision about one cell: taken from other real cells.

The evidence of a map says where the classifier looks, channel by channel. What a channel adds to
*this* decision is seen when it is taken from another cell, and the probability falls.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

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

# Cells that channels are taken from, of a classifier of few classes and of many; of each class.
POOL, LARGEST_POOL, POOL_OF_A_CLASS = 96, 256, 32
# How many of them for one cell; of each class that they are called, where these are more.
EACH, OF_A_CLASS = 16, 8
# Cells read and asked about at once.
BATCH = 32
LEVEL = 0.95
# Crops the classifier is asked about at once, and numbers in them; numbers in all donors.
ASKED, ASKED_NUMBERS, POOL_NUMBERS = 256, 2**24, 2**26
# Spread of the curve that light is weighed with, as a share of the side of a crop.
MIDDLE = 0.25
# How a missing light is written.
MINUS = "\N{MINUS SIGN}"
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
    direction : (C,) float64 array or None
        Whether the probability falls with cells that have less light of the channel than this one
        (1: the decision needs the light) or more of it (-1: it needs its absence); near 0: neither,
        as where a channel tells by its shape. The sum of the falls, each with the sign of the
        difference in light, divided by the sum of their sizes. Light is the mean over the crop,
        the middle counting most (a normal curve, sd a quarter of the side). Our definition.
    direction_low, direction_high : (C,) float64 array or None
        95 % interval of ``direction``, over the same groups or cells as that of ``fall``.
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
    direction: npt.NDArray[np.float64] | None = None
    direction_low: npt.NDArray[np.float64] | None = None
    direction_high: npt.NDArray[np.float64] | None = None

    @property
    def order(self) -> npt.NDArray[np.int64]:
        """Channels (C,), those first that decide, the farthest fall first; then by size."""
        return np.lexsort((-np.abs(self.fall), -np.where(self.above, self.fall, 0), ~self.above))

    @property
    def signs(self) -> npt.NDArray[np.int64]:
        """What the decision needs of each channel (C,): 1 its light, -1 its absence, 0 not known.

        Not known where the channel does no more than its sham, and where the interval of the
        direction holds 0.
        """
        if self.direction is None or self.direction_low is None or self.direction_high is None:
            return np.zeros(len(self.fall), np.int64)
        known = self.above & ((self.direction_low > 0) | (self.direction_high < 0))
        return np.where(known, np.sign(self.direction), 0).astype(np.int64)

    def signed_name(self, channel: int) -> str:
        """As ``CD8 -``: the channel, and what is needed of it where that is known."""
        mark = {1: " +", -1: f" {MINUS}", 0: ""}[int(self.signs[channel])]
        return f"{self.channels[channel]}{mark}"

    def figure(self, channel: int) -> str:
        """How the probability moves in percentage points; in brackets where it must not be read."""
        fall = float(self.fall[channel])
        text = f"{-100 * fall:+.0f}".replace("-", MINUS) if abs(fall) > 0.005 else "0"
        return f"{text} pts" if self.above[channel] else f"({text} pts)"

    def line(self, channel: int) -> str:
        """What is known of a channel, in words."""
        low, high = 100 * self.low[channel], 100 * self.high[channel]
        between = f" ({low:.0f} to {high:.0f})" if np.isfinite([low, high]).all() else ""
        line = (
            f"the probability falls by {100 * self.fall[channel]:.0f} points{between} with the "
            f"channel of {self.donors} cells predicted otherwise"
        )
        if not self.above[channel]:
            return f"{line}, no more than its sham: this says nothing"
        needs = {1: ": its light is needed", -1: ": its absence is needed", 0: ""}
        return f"{line}{needs[int(self.signs[channel])]}"

    @property
    def words(self) -> str:
        """The channels that decide, with what is needed of them; empty where there is none."""
        return ", ".join(self.signed_name(index) for index in self.order if self.above[index])

    def as_dict(self) -> dict[str, Any]:
        """All figures, for JSON: lists of C; None where one is not known."""
        directions = ("direction", "direction_low", "direction_high")
        arrays = ("fall", "low", "high", "sham", "above", *directions, "evidence")
        content: dict[str, Any] = {
            "probability": round(self.probability, 6),
            "donors": self.donors,
            "groups": self.groups,
            "sham_donors": self.sham_donors,
            "words": self.words,
            "sign": self.signs.tolist(),
        }
        return content | {name: _listed(getattr(self, name)) for name in arrays}

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
        if not self.words:
            return f"No single channel decides: none does more than its sham {of}."
        return f"Decided by {self.words} {of}."

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


def donors_job(source: Source, count: int | None = None, seed: int = 0) -> Job[Donors]:
    """Read some cells, from as many groups as there are, and ask what they are called.

    ``count``: how many; default: 96, and 32 for each class up to 256, so that there are some of
    most classes; fewer of large crops, which take 256 MiB at most (32 cells are read in any case).

    Raises
    ------
    DataError, ModelError
        As `pcim.explain`.
    """
    rng = np.random.default_rng(seed)
    if count is None:
        count = min(max(POOL, POOL_OF_A_CLASS * len(source.subject.classes)), LARGEST_POOL)
        fitting = POOL_NUMBERS // max(1, source.tensor(np.arange(1)).numel())
        count = min(count, max(POOL_OF_A_CLASS, fitting))
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
    beside its cell would change any answer. Of donors of more than two classes there are 8 of each,
    since most classes may be like the cell in a channel. The same is done with 16 cells that are
    called as the target: the sham. Our definition.

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
        likeness = _likeness(own, donors.x)
        weights = _middle(own)
        own_light, light = (_light(x, weights) for x in (own, donors.x))

        def chosen(rows: npt.NDArray[np.int64], channel: int) -> tuple[Any, Tensor]:
            """The donors whose other channels are most like the cell's, and their channel."""
            others_like = likeness[:, rows].sum(dim=2) - likeness[:, rows, channel]
            best, pose = others_like.max(dim=0)
            order = torch.argsort(best, descending=True, stable=True).cpu().numpy()
            order = order[_taken(donors.called[rows[order]])]
            some, poses = rows[order], np.array(_poses(own))[pose.cpu().numpy()[order]]
            planes = donors.x[some, channel]
            return some, torch.stack(
                [_posed(plane, int(pose)) for plane, pose in zip(planes, poses, strict=True)]
            )

        def falls(rows: npt.NDArray[np.int64]) -> list[tuple[GroupedMean, GroupedMean]]:
            """With each channel of donors: the falls, and the same with the sign of the light."""
            each = [chosen(rows, channel) for channel in range(count)]
            after = _answers(source, own, target, [planes for _, planes in each])
            result = []
            for channel, (some, _) in enumerate(each):
                fall = before - after[channel]
                signs = np.sign(own_light[0, channel] - light[some, channel])
                groups = donors.groups[some]
                result.append((GroupedMean(fall, groups), GroupedMean(signs * fall, groups)))
            return result

        nothing = GroupedMean(np.zeros(0), np.zeros(0, str))
        with_others, with_alike = (
            falls(np.flatnonzero(kind)) if kind.any() else [(nothing, nothing)] * count
            for kind in (others, alike)
        )
    directions = np.array([_direction(*pair) for pair in with_others])
    changed = [fall for fall, _ in with_others]
    same = [fall for fall, _ in with_alike]
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
        direction=directions[:, 0],
        direction_low=directions[:, 1],
        direction_high=directions[:, 2],
    )


def _answers(
    source: Source, own: Tensor, target: int, planes: list[Tensor]
) -> list[npt.NDArray[np.float64]]:
    """Probability of the target with each channel exchanged, for each of the planes (m, H, W)."""
    owners = [(channel, row) for channel, some in enumerate(planes) for row in range(len(some))]
    answers: list[list[float]] = [[] for _ in planes]
    size = max(1, min(ASKED, ASKED_NUMBERS // own.numel()))
    for start in range(0, len(owners), size):
        batch = owners[start : start + size]
        mixed = own.repeat(len(batch), 1, 1, 1)
        for place, (channel, row) in enumerate(batch):
            mixed[place, channel] = planes[channel][row]
        probabilities = source.shown(source.subject.checked_scores(mixed))[:, target]
        for (channel, _), value in zip(batch, probabilities.tolist(), strict=True):
            answers[channel].append(value)
    return [np.asarray(values, np.float64) for values in answers]


def _direction(fall: GroupedMean, signed: GroupedMean) -> tuple[float, float, float]:
    """The direction of a channel and its interval, -1 to 1; NaN where nothing falls or rises."""
    size = float(np.abs(fall.values).mean()) if len(fall.values) else 0.0
    if size == 0:
        return float("nan"), float("nan"), float("nan")
    low, high = signed.interval(LEVEL)
    value, low, high = np.clip(np.array([signed.mean, low, high]) / size, -1, 1).tolist()
    return value, low, high


def _middle(x: Tensor) -> Tensor:
    """Weights of the pixels (H, W), which sum to 1: a normal curve around the middle."""
    curves = []
    for side in x.shape[2:]:
        steps = torch.arange(side, dtype=x.dtype, device=x.device) - (side - 1) / 2
        curves.append(torch.exp(-0.5 * (steps / (side * MIDDLE)) ** 2))
    weights = curves[0][:, None] * curves[1]
    return weights / weights.sum()


def _light(x: Tensor, weights: Tensor) -> npt.NDArray[np.float64]:
    """Mean light of each channel (n, C)."""
    light: npt.NDArray[np.float64] = (x * weights).sum(dim=(2, 3)).cpu().numpy().astype(np.float64)
    return light


def _listed(values: Any) -> list[Any] | None:
    """Numbers for JSON, rounded; None for those that are not known."""
    if values is None:
        return None
    if values.dtype == bool:
        listed: list[Any] = values.tolist()
        return listed
    return [None if np.isnan(value) else round(float(value), 6) for value in values]


def _taken(called: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which donors, in the order of their likeness, are taken: 16, or 8 of each class they are."""
    turn = _turns(called)
    each = max(EACH, OF_A_CLASS * len(np.unique(called)))
    return np.sort(np.argsort(turn, kind="stable")[:each])


def _turns(kinds: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """How many of the same kind came before each entry."""
    _, kind = np.unique(kinds, return_inverse=True)
    turn = np.zeros(len(kinds), np.int64)
    seen: dict[int, int] = {}
    for place, code in enumerate(kind.tolist()):
        turn[place] = seen[code] = seen.get(code, -1) + 1
    return turn


def _posed(x: Tensor, pose: int) -> Tensor:
    """Pictures (..., H, W) flipped or turned; see `_poses`."""
    turned = torch.rot90(x, pose // 2, (-2, -1))
    return turned.flip(-1) if pose % 2 else turned


def _poses(x: Tensor) -> tuple[int, ...]:
    """The 8 flips and quarter turns of square pictures; the 4 that others allow."""
    return tuple(range(8)) if x.shape[-2] == x.shape[-1] else (0, 1, 4, 5)


def _likeness(own: Tensor, x: Tensor) -> Tensor:
    """Correlation of each channel of a cell with that of others, in each pose (poses, n, C).

    A pose at a time: all of them at once would be eight times the cells.
    """
    unit = _unit(own)
    return torch.stack([(_unit(_posed(x, pose)) * unit).sum(dim=(2, 3)) for pose in _poses(x)])


def _unit(x: Tensor) -> Tensor:
    """Pictures (..., H, W) with mean 0 and length 1, so that products are correlations."""
    less = x - x.mean(dim=(-2, -1), keepdim=True)
    return less / less.pow(2).sum(dim=(-2, -1), keepdim=True).sqrt().clamp_min(1e-12)


def _over_groups(
    order: npt.NDArray[np.int64], groups: npt.NDArray[np.str_], count: int
) -> npt.NDArray[np.int64]:
    """The first ``count`` of a random order, but the groups take turns."""
    turn = _turns(groups[order])
    return order[np.argsort(turn, kind="stable")[:count]]
