"""What each channel says alone, what is lost without it, and the smallest set that says it all.

Importance of a channel *within* a set says little where channels repeat each other: either of two
twins can be spared, and both together cannot. So a plain classifier is learnt anew for each set of
channels, on the folds on which the network was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

# Needed at run time too: the schema of importance.json is made from the annotations.
from napari_channelmix.classify.accuracy import (  # noqa: TC001
    AccuracyDifference,
    AccuracyEstimate,
)
from napari_channelmix.classify.held_out_accuracy import HeldOutAnswers
from napari_channelmix.classify.linear_head import LinearHead
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import fraction

if TYPE_CHECKING:
    from napari_channelmix.classify.channel_features import CropNumbers

__all__ = ["ALL_SETS", "ChannelSet", "ChannelsAlone", "alone_job"]

IntArray = npt.NDArray[np.int64]
Set = tuple[int, ...]

#: Up to here every set of channels may be the smallest; beyond, sets are grown channel by channel.
ALL_SETS = 7
# A set is as good as all channels where no more than this is lost on the held-out cells, and where
# the interval says no more than the margin for others.
LITTLE, MARGIN = 0.02, 0.05
# Cells beyond these teach a linear head nothing.
MOST_CELLS = 6000


@dataclass(frozen=True)
class ChannelSet:
    """A set of channels, and what a head that sees no others reaches.

    Attributes
    ----------
    channels : tuple of str
    accuracy : AccuracyEstimate
        On held-out groups.
    behind : AccuracyDifference
        By how much all channels together are ahead of it.
    """

    channels: tuple[str, ...]
    accuracy: AccuracyEstimate
    behind: AccuracyDifference

    @property
    def as_good_here(self) -> bool:
        """Whether it loses no more than .02 on held-out cells, and perhaps nothing on others."""
        return self.behind.difference <= LITTLE and (self.behind.low <= 0 or self.as_good_as_all)

    @property
    def as_good_as_all(self) -> bool:
        """Whether it loses no more than .02, and by the interval no more than .05 on others."""
        return self.behind.difference <= LITTLE and self.behind.high <= MARGIN

    @property
    def worse_than_all(self) -> bool:
        """Whether the whole interval says that something is lost, and it is more than a little."""
        return _lost(self.behind)


@dataclass(frozen=True)
class ChannelsAlone:
    """Accuracy of each channel alone and of all without it, from heads learnt for each set.

    Attributes
    ----------
    channels : tuple of str
        C names.
    whole : AccuracyEstimate
        Of the head that sees all channels.
    alone, without : tuple of ChannelSet
        (C,) each channel by itself, and all the others; of a single channel the others are none,
        and what is left is a guess.
    smallest : ChannelSet or None
        The smallest set that is as good as all on the held-out cells; of several the most accurate.
        None where there is none but all.
    needs : tuple of str
        Channels of ``smallest`` without which it is worse, interval included.
    network : AccuracyEstimate or None
        Of the network, on the same cells.
    behind_network : AccuracyDifference or None
        By how much the network is ahead of the head.
    """

    channels: tuple[str, ...]
    whole: AccuracyEstimate
    alone: tuple[ChannelSet, ...]
    without: tuple[ChannelSet, ...]
    smallest: ChannelSet | None
    needs: tuple[str, ...]
    network: AccuracyEstimate | None = None
    behind_network: AccuracyDifference | None = None

    @property
    def measured_on(self) -> str:
        """What all of it was measured on, with the warning where an interval says little."""
        text = (
            "balanced accuracy of linear classifiers on grey-value numbers, with "
            f"{100 * self.whole.level:g} % intervals; {self.whole.measured_on()}"
        )
        return f"{text}: {self.whole.warning}" if self.whole.warning else text

    @property
    def speaks_for_the_network(self) -> bool:
        """Whether the head with all channels reaches what the network does, but for .05."""
        return self.behind_network is None or self.behind_network.difference <= MARGIN

    @property
    def necessary(self) -> tuple[str, ...]:
        """Channels without which all the others are worse."""
        pairs = zip(self.channels, self.without, strict=True)
        return tuple(name for name, rest in pairs if rest.worse_than_all)

    @property
    def none_is_necessary(self) -> bool:
        """Whether all the others are as good, whichever channel is left out."""
        return all(rest.as_good_as_all for rest in self.without)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the intervals justify, a line each; and where they justify nothing, that."""
        return tuple(line for line in (self._together(), self._necessity(), self._doubt()) if line)

    def _together(self) -> str:
        if len(self.channels) == 1:
            return f"{self.channels[0]} is the only channel: there is no other to compare it with"
        if self.whole.low <= self.whole.chance:
            return "All channels together are not known to be above chance: nothing is said of each"
        single = [channel_set for channel_set in self.alone if channel_set.as_good_as_all]
        if len(single) > 1:
            best = max(single, key=lambda channel_set: channel_set.accuracy.balanced)
            named = _either([channel_set.channels[0] for channel_set in single])
            return f"{named} alone is as good as all ({self._figures(best)})"
        if self.smallest is None:
            best = max(self.alone, key=lambda channel_set: channel_set.accuracy.balanced)
            return (
                f"no set of fewer channels is as good as all; {best.channels[0]} alone reaches "
                f"{fraction(best.accuracy.balanced)} (all: {fraction(self.whole.balanced)})"
            )
        named = _and(self.smallest.channels)
        if len(self.smallest.channels) == 1:
            sentence = f"{named} alone is as good as all"
        elif len(self.needs) == len(self.smallest.channels):
            sentence = f"needs {named} together"
        else:
            sentence = f"{named} together are as good as all"
        sentence = f"{sentence} ({self._figures(self.smallest)})"
        if self.smallest.as_good_as_all:
            return sentence
        behind = self.smallest.behind
        return (
            f"{sentence} on these cells; on others the difference may be "
            f"{fraction(behind.low)} to {fraction(behind.high)}"
        )

    def _figures(self, channel_set: ChannelSet) -> str:
        return f"{fraction(channel_set.accuracy.balanced)}; all: {fraction(self.whole.balanced)}"

    def _necessity(self) -> str:
        if len(self.channels) == 1 or self.whole.low <= self.whole.chance:
            return ""
        if self.none_is_necessary:
            return "no channel is necessary: without any one of them, the others are as good"
        lost = [
            (name, rest)
            for name, rest in zip(self.channels, self.without, strict=True)
            if rest.worse_than_all
        ]
        if lost:
            lost.sort(key=lambda pair: -pair[1].behind.difference)
            named = ", ".join(f"{name} {_interval(rest.behind)}" for name, rest in lost)
            return f"accuracy lost without: {named}"
        what = "cells" if self.whole.n_groups == self.whole.n_cells else "groups"
        return (
            "whether a single channel can be spared cannot be told from "
            f"{self.whole.n_groups} held-out {what}"
        )

    def _doubt(self) -> str:
        if self.speaks_for_the_network or self.network is None:
            return ""
        return (
            f"these are of a linear head on grey-value numbers, which reaches "
            f"{fraction(self.whole.balanced)} where the network reaches "
            f"{fraction(self.network.balanced)}: the network may need other channels"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            **asdict(self),
            "necessary": list(self.necessary),
            "speaks_for_the_network": self.speaks_for_the_network,
            "measured_on": self.measured_on,
            "sentences": list(self.sentences),
        }


def _lost(behind: AccuracyDifference) -> bool:
    return behind.low > 0 and behind.difference > LITTLE


def _interval(behind: AccuracyDifference) -> str:
    return f"{fraction(behind.difference)} ({fraction(behind.low)} to {fraction(behind.high)})"


def _and(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _either(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def alone_job(
    numbers: CropNumbers,
    labels: IntArray,
    groups: npt.NDArray[Any],
    folds: IntArray,
    *,
    channels: Sequence[str],
    classes: Sequence[str],
    network: IntArray | None = None,
    seed: int = 0,
) -> Job[ChannelsAlone]:
    """Learn a linear head for sets of channels, on the same folds, as a job.

    Each channel alone; all without it; then sets of two, three and more until one is as good as
    all: every such set for up to 7 channels, else the best one so far with one more channel.

    Parameters
    ----------
    numbers : CropNumbers
        Of N cells.
    labels : (N,) int array
        Positions in ``classes``.
    groups : (N,) array
    folds : (N,) int array
        In which fold each cell is held out; all cells of a group in the same; negative for cells
        that are only ever trained on.
    channels, classes : sequences of str
    network : (N,) int array, optional
        Classes that the network called when the cell was held out (any value where it never was).
    seed : int
        Of the cells that are left out where they are more than 6000.
    """
    chosen = drawn_equally(labels, MOST_CELLS, np.random.default_rng(seed))
    numbers, labels, groups, folds = (
        numbers.subset(chosen),
        labels[chosen],
        groups[chosen],
        folds[chosen],
    )
    network = None if network is None else network[chosen]
    count = len(channels)
    answers = HeldOutAnswers(labels, groups, folds >= 0, tuple(classes))
    head = LinearHead(numbers, labels, folds)
    everything = tuple(range(count))
    singles = [(index,) for index in everything]
    rests = [tuple(index for index in everything if index != left) for left in everything]
    called: dict[Set, IntArray] = {}
    total = 1 + 2 * count + count * (count - 1) // 2

    def learn(sets: Iterable[Set]) -> Job[None]:
        for subset in sets:
            if subset not in called:
                called[subset] = head.predict(subset)
                yield Progress(min(len(called), total), total, "sets of channels")

    def described(subset: Set) -> ChannelSet:
        names = tuple(channels[index] for index in subset)
        return ChannelSet(
            names,
            answers.accuracy(called[subset]),
            answers.ahead(called[everything], called[subset]),
        )

    def score(subset: Set) -> float:
        return answers.balanced(called[subset])

    yield from learn([everything, *singles, *rests])
    smallest: ChannelSet | None = None
    needs: tuple[str, ...] = ()
    best: Set = ()
    for size in range(1, count):
        tried = (
            list(combinations(everything, size))
            if count <= ALL_SETS
            else [tuple(sorted((*best, index))) for index in everything if index not in best]
        )
        yield from learn(tried)
        best = max(tried, key=score)
        smallest = described(best)
        if smallest.as_good_here:
            break
        smallest = None
    if smallest is not None and len(best) > 1:
        fewer = {left: tuple(index for index in best if index != left) for left in best}
        yield from learn(fewer.values())
        needs = tuple(
            channels[left]
            for left, rest in fewer.items()
            if _lost(answers.ahead(called[best], called[rest]))
        )
    return ChannelsAlone(
        tuple(channels),
        answers.accuracy(called[everything]),
        tuple(described(subset) for subset in singles),
        tuple(described(subset) for subset in rests),
        smallest,
        needs,
        None if network is None else answers.accuracy(network),
        None if network is None else answers.ahead(network, called[everything]),
    )
