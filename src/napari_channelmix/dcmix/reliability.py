"""The reliability verdict: what may be read from the bars, decided from a few numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from napari_channelmix.classify.intervals import FEW_GROUPS, TOO_FEW_GROUPS
from napari_channelmix.wording import chance_shown, counted

__all__ = ["LEVEL", "Evidence", "Gate", "Standing", "judge", "without_control"]

# Chance is ruled out where the permutation test gives a smaller p and the interval leaves it out.
# Either errs too often over folds, whose predictions depend on each other; both together do not
# (benchmarks/grouped_null.py).
LEVEL = 0.05
# Accuracies less than this part of chance above it are at chance, however many the cells.
LEAST_GAIN = 0.1
# How verdicts begin that leave the shares readable, and the one that gives the Shapley values.
RELIABLE = "Reliable"
USE_SHAPLEY = "Use the Shapley values"
COSTS = f"{USE_SHAPLEY}: blending costs accuracy"
# Blending costs accuracy where it costs this much, or this little with certainty.
COST, CERTAIN_COST = 0.05, 0.02
_UNEVEN = "a few groups hold most of the cells, or groups differ much"


@dataclass(frozen=True)
class Standing:
    """How the accuracy of a network stands to chance.

    Attributes
    ----------
    accuracy, low, high, chance : float
        Balanced accuracy for held-out cells, its interval over groups, and that of a guess.
    p_above, p_below : float
        One-sided p-values of the permutation test; see `classify.permutation`.
    """

    accuracy: float
    low: float
    high: float
    chance: float
    p_above: float
    p_below: float

    @property
    def above(self) -> bool:
        """Whether it is above chance: by the test, by the interval, and by enough to matter."""
        enough = self.accuracy >= (1 + LEAST_GAIN) * self.chance
        return enough and self.p_above < LEVEL and self.low > self.chance

    @property
    def reaches_chance(self) -> bool:
        """Whether only the interval speaks against it: few groups hold most of what is known."""
        enough = self.accuracy >= (1 + LEAST_GAIN) * self.chance
        return enough and self.p_above < LEVEL and self.low <= self.chance

    @property
    def below(self) -> bool:
        """Whether it is below chance, likewise."""
        enough = self.accuracy <= (1 - LEAST_GAIN) * self.chance
        return enough and self.p_below < LEVEL and self.high < self.chance


@dataclass(frozen=True)
class Evidence:
    """What the gate is decided from.

    Attributes
    ----------
    plain, mixed : Standing
        Of the network that sees all channels apart, and of that which sees one blended image.
    least_p : float
        The smallest p that so many groups can give.
    groups : int
        That were held out.
    cost, cost_low : float
        Accuracy of the all-channel network minus that of the channel-mixing one, and the lower end
        of its interval over groups.
    losses : dict of str to float
        Recall that a class loses through mixing.
    lone : dict of str to str
        Classes that were held out in one group only, and that group.
    not_learnt : tuple of str
        Classes whose recall is not above chance.
    """

    plain: Standing
    mixed: Standing
    least_p: float
    groups: int
    cost: float
    cost_low: float
    losses: Mapping[str, float] = field(default_factory=dict)
    lone: Mapping[str, str] = field(default_factory=dict)
    not_learnt: tuple[str, ...] = ()


@dataclass(frozen=True)
class Gate:
    """What may be read.

    Attributes
    ----------
    verdict : str
        In a few plain words.
    reason : str
        Why; ``"ok"`` where the bars may be read.
    """

    verdict: str
    reason: str

    @property
    def opens(self) -> bool:
        """Whether the shares mean something: all was learnt, or all but some classes."""
        return self.verdict.startswith(RELIABLE)

    @property
    def blending_costs(self) -> bool:
        """Whether the Shapley values are to be read instead."""
        if self.verdict:
            return self.verdict.startswith(USE_SHAPLEY)
        # Files of earlier versions have no verdict.
        return self.reason != "ok" and "nothing can be read" not in self.reason


def judge(evidence: Evidence) -> Gate:
    """What may be read from the bars; our definition.

    In this order: neither network above chance, or the plain one alone at chance, or its interval
    reaches chance: nothing. Classes that are one group: nothing. Fewer than three groups:
    nothing, as they say nothing of others. A channel-mixing network at chance, one whose interval
    reaches chance, or one that is less accurate than the plain one by 0.05, or by 0.02 with
    certainty: the Shapley values instead. Classes that were not learnt: reliable but for them.
    Fewer than five groups: reliable, but for these groups alone, which is said beside classes that
    were not learnt too. Else reliable.
    """
    plain, mixed = evidence.plain, evidence.mixed
    figures = (
        f"channel-mixing {mixed.accuracy:.2f}, all-channel {plain.accuracy:.2f}, chance "
        f"{chance_shown(plain.chance)}; p = {_p(mixed.p_above)} and {_p(plain.p_above)} over "
        f"{evidence.groups} groups"
    )
    if not plain.above:
        return _nothing(evidence, figures)
    if evidence.lone:
        which = ", ".join(f"{name} ({group})" for name, group in evidence.lone.items())
        return Gate(
            "Nothing can be read: a class and its group cannot be told apart",
            f"held out in one group only: {which}; what tells such a class apart may be its group, "
            "so nothing can be read; give each class cells of several groups",
        )
    if evidence.groups < TOO_FEW_GROUPS:
        few = counted(evidence.groups, "held-out group", "are")
        return Gate(
            "Nothing can be read: too few groups",
            f"{few} too few to say anything about other groups, whatever the accuracy "
            f"({figures}), so "
            "nothing can be read; hold out more groups, each class in several",
        )
    if mixed.reaches_chance:
        return Gate(
            f"{USE_SHAPLEY}: the interval of the blended image reaches chance",
            f"the interval of the channel-mixing network's accuracy, {mixed.low:.2f} to "
            f"{mixed.high:.2f}, reaches chance ({figures}): {_UNEVEN}; read the Shapley values, "
            f"not the shares",
        )
    if not mixed.above:
        return Gate(
            COSTS,
            f"the channel-mixing network is at chance ({figures}): one blended image does not "
            "hold what the all-channel network uses, so blending costs accuracy; read the "
            "Shapley values, not the shares",
        )
    if evidence.cost > COST or (evidence.cost_low > 0 and evidence.cost > CERTAIN_COST):
        worst = sorted(evidence.losses.items(), key=lambda item: -item[1])
        which = ", ".join(f"{name} -{loss:.2f}" for name, loss in worst if loss > CERTAIN_COST)
        return Gate(
            COSTS,
            f"blending to one image costs accuracy (channel-mixing {mixed.accuracy:.2f}, "
            f"all-channel {plain.accuracy:.2f}{'; recall lost: ' + which if which else ''}): "
            "read the shares beside the Shapley values, not alone",
        )
    are_few = evidence.groups < FEW_GROUPS
    these = (
        f"{evidence.groups} held-out groups say little about other groups ({figures}): what the "
        "bars show is of these alone; hold out more groups"
    )
    if evidence.not_learnt:
        names = ", ".join(evidence.not_learnt)
        not_learnt = (
            f"not learnt, as their recall is at chance: {names}; the bars say nothing of "
            "what these classes need"
        )
        return Gate(
            f"{RELIABLE} but for what was not learnt: {names}",
            f"{not_learnt}. {these}" if are_few else not_learnt,
        )
    if are_few:
        return Gate(
            f"{RELIABLE} for these {evidence.groups} groups, which say little about others", these
        )
    return Gate(RELIABLE, "ok")


def _nothing(evidence: Evidence, figures: str) -> Gate:
    """Why nothing can be read where the all-channel network is not above chance."""
    plain, mixed = evidence.plain, evidence.mixed
    if plain.reaches_chance:
        return Gate(
            "Nothing can be read: the interval of the accuracy reaches chance",
            f"accuracy is above chance on these cells ({figures}), but its interval, "
            f"{plain.low:.2f} to {plain.high:.2f}, reaches chance: {_UNEVEN}, so nothing can be "
            "read; hold out more groups, or more cells of the small ones",
        )
    if mixed.above:
        return Gate(
            "Nothing can be read: the network that sees all channels is at chance",
            f"only the channel-mixing network is above chance ({figures}), which may be chance, "
            f"or the all-channel network needs more epochs: nothing can be read",
        )
    if plain.below or mixed.below:
        return Gate(
            "Nothing can be read: accuracy is far below chance",
            f"accuracy is far below chance ({figures}): groups are told apart, but their labels "
            "contradict what was learnt from the others, so nothing can be read; look for labels "
            "that are swapped, or for something else that differs between the groups",
        )
    if evidence.least_p >= LEVEL:
        return Gate(
            "Nothing can be read: too few groups",
            f"{evidence.groups} held-out groups can give no p below {evidence.least_p:.2g}, so "
            f"accuracy cannot be told from chance ({figures}) and nothing can be read; hold out "
            "more groups of each class",
        )
    return Gate(
        "Nothing can be read: accuracy is at chance",
        f"accuracy is at chance ({figures}): these channels do not tell the classes apart, so "
        "nothing can be read from the shares",
    )


def _p(value: float) -> str:
    return f"{value:.2g}" if value >= 0.001 else "< 0.001"


def without_control(gate: Gate, above: Sequence[bool] | None) -> Gate:
    """The gate where no share stands above its negative control: the Shapley values instead.

    ``above`` (C,): whether each share does; None where that is not known.
    """
    if above is None or not gate.opens or any(above):
        return gate
    return Gate(
        f"{USE_SHAPLEY}: no share stands above its negative control",
        "no channel gets more of the blended image than one that carries nothing, by more than "
        "chance: read the Shapley values, not the shares; more repeats may tell them apart",
    )
