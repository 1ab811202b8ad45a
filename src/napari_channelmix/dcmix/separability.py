"""Whether the class can be read from one number of one channel, and which numbers know the group.

A class that shows in the mean brightness of one channel may be a true effect (twice the DNA before
a cell divides) or a difference of stain, exposure or focus between wells or plates. A classifier
cannot tell these apart, and neither can this: it asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

# Needed at run time too: the schema of importance.json is made from the annotations.
from napari_channelmix.classify.accuracy import (  # noqa: TC001
    AccuracyDifference,
    AccuracyEstimate,
)
from napari_channelmix.classify.held_out_accuracy import HeldOutAnswers
from napari_channelmix.classify.metrics import accuracy_of
from napari_channelmix.data.scaling import follows_classes
from napari_channelmix.wording import fraction

if TYPE_CHECKING:
    from napari_channelmix.classify.channel_features import CropNumbers

__all__ = ["NUMBERS", "OneNumber", "Separability", "group_share", "separability"]

Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Words for the numbers that are tried, and their names among those of a crop.
NUMBERS = {
    "brightness": "mean",
    "brightest pixels": "high",
    "background": "low",
    "sharpness": "smoothness",
}
# A number this little below the network says as much as the network does.
NEARLY = 0.05
# Above, more of a number's variance lies between the groups than within them.
MORE_BETWEEN = 0.5
# Chance that groups without differences look so different.
SURE = 0.01


@dataclass(frozen=True)
class OneNumber:
    """What one number of one channel says.

    Attributes
    ----------
    channel, number : str
        ``number`` is a key of `NUMBERS`.
    accuracy : AccuracyEstimate
        Of a small decision tree that sees this number alone, on held-out groups.
    between_groups : float or None
        Share of the number's variance within a class that lies between its groups, 0 to 1; None
        where every cell is a group of its own.
    p_groups : float or None
        Chance of such differences between groups if there were none.
    """

    channel: str
    number: str
    accuracy: AccuracyEstimate
    between_groups: float | None
    p_groups: float | None

    @property
    def name(self) -> str:
        """Such as ``brightness of DNA``."""
        return f"{self.number} of {self.channel}"

    @property
    def knows_the_group(self) -> bool:
        """Whether it differs between groups of a class more than within them."""
        return (
            self.between_groups is not None
            and self.p_groups is not None
            and self.between_groups > MORE_BETWEEN
            and self.p_groups < SURE
        )


@dataclass(frozen=True)
class Separability:
    """How far the classes can be read from one number.

    Attributes
    ----------
    numbers : tuple of OneNumber
        All numbers of all channels, channel by channel.
    best : OneNumber
        The number that was chosen most often by the training cells of a fold; its accuracy is that
        of the chosen ones, so that the choice among many flatters nothing.
    scaled : OneNumber or None
        The same after each channel was scaled group by group; see `Cells.normalised_by_group`.
        None where every cell is a group of its own, and where groups are classes.
    network : AccuracyEstimate or None
        Of the network, on the same cells.
    behind : AccuracyDifference or None
        By how much the network is ahead of the best number.
    """

    numbers: tuple[OneNumber, ...]
    best: OneNumber
    scaled: OneNumber | None
    network: AccuracyEstimate | None = None
    behind: AccuracyDifference | None = None

    @property
    def readable(self) -> bool:
        """Whether one number says (nearly) all that the network does."""
        above = self.best.accuracy.low > self.best.accuracy.chance
        return above and self.behind is not None and self.behind.difference <= NEARLY

    @property
    def best_of_channels(self) -> dict[str, OneNumber]:
        """For each channel the number that says most."""
        best: dict[str, OneNumber] = {}
        for number in self.numbers:
            before = best.get(number.channel)
            if before is None or number.accuracy.balanced > before.accuracy.balanced:
                best[number.channel] = number
        return best

    @property
    def sentence(self) -> str:
        """The question that stands in for 'ok'; empty where no number reaches the network."""
        if not self.readable or self.network is None:
            return ""
        own, all_of_it = self.best.accuracy.balanced, self.network.balanced
        return (
            f"Readable from the {self.best.name} alone ({fraction(own)} of {fraction(all_of_it)}): "
            "stain or batch?"
        )

    @property
    def remedy(self) -> str:
        """What scaling each channel per group would do; empty where there is nothing to ask."""
        if not self.readable or self.scaled is None:
            return ""
        after = self.scaled.accuracy
        return (
            f"With each channel scaled per group, the best number ({self.scaled.name}) reaches "
            f"{fraction(after.balanced)} ({fraction(after.low)} to {fraction(after.high)}). "
            "Scaling also takes away true differences in brightness between groups."
        )

    @property
    def groups_sentence(self) -> str:
        """Which numbers know the group, whatever the class; empty where none does."""
        knowing = sorted(
            (number for number in self.numbers if number.knows_the_group),
            key=lambda number: -(number.between_groups or 0.0),
        )
        if not knowing:
            return ""
        seen: dict[str, OneNumber] = {}
        for number in knowing:
            seen.setdefault(number.channel, number)
        named = ", ".join(
            f"{number.name} ({100 * (number.between_groups or 0.0):.0f} % of its variance)"
            for number in seen.values()
        )
        return f"Groups of one class differ more than the cells within them in: {named}"

    @property
    def sentences(self) -> tuple[str, ...]:
        """All there is to say."""
        return tuple(line for line in (self.sentence, self.remedy, self.groups_sentence) if line)

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        content = asdict(self)
        return {**content, "readable": self.readable, "sentences": list(self.sentences)}


def separability(
    numbers: CropNumbers,
    labels: IntArray,
    groups: npt.NDArray[Any],
    folds: IntArray,
    *,
    channels: Sequence[str],
    classes: Sequence[str],
    network: IntArray | None = None,
) -> Separability:
    """Read the class from one number of one channel, on held-out groups.

    A decision tree with a few leaves cuts the number into intervals and gives each the class that
    is most frequent there, every class weighing the same. In each fold, the number that parts the
    training cells best is also noted: its predictions make the accuracy of the best number.

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
    """
    answers = HeldOutAnswers(labels, groups, folds >= 0, tuple(classes))
    tried = [(index, word) for index in range(len(channels)) for word in NUMBERS]
    predicted, chosen, wins = _read_one_by_one(numbers, tried, labels, folds, len(classes))

    def number(of: int, guess: IntArray, numbers: CropNumbers) -> OneNumber:
        index, word = tried[of]
        share, p = group_share(numbers.of(NUMBERS[word])[:, index], labels, groups)
        return OneNumber(channels[index], word, answers.accuracy(guess), share, p)

    every = tuple(number(of, predicted[of], numbers) for of in range(len(tried)))
    best = replace(every[wins.most_common(1)[0][0]], accuracy=answers.accuracy(chosen))
    scaled = None
    names = np.asarray(groups, dtype=str)
    if len(np.unique(names)) < len(names) and not follows_classes(labels, names, names):
        level = numbers.scaled_by_group(names)
        _, after, again = _read_one_by_one(level, tried, labels, folds, len(classes))
        scaled = number(again.most_common(1)[0][0], after, level)
    if network is None:
        return Separability(every, best, scaled)
    return Separability(
        every, best, scaled, answers.accuracy(network), answers.ahead(network, chosen)
    )


def _read_one_by_one(
    numbers: CropNumbers,
    tried: Sequence[tuple[int, str]],
    labels: IntArray,
    folds: IntArray,
    classes: int,
) -> tuple[IntArray, IntArray, Counter[int]]:
    """Predictions (T, N) from each number, those (N,) of the chosen ones, and how often chosen."""
    from sklearn.tree import DecisionTreeClassifier

    predicted = np.full((len(tried), len(labels)), -1, dtype=np.int64)
    chosen, wins = np.full(len(labels), -1, dtype=np.int64), Counter[int]()
    for fold in np.unique(folds[folds >= 0]):
        train, test = folds != fold, folds == fold
        scores = []
        for of, (index, word) in enumerate(tried):
            column = numbers.of(NUMBERS[word])[:, [index]]
            # Two intervals a class, none with less than a fiftieth of the weight.
            tree = DecisionTreeClassifier(
                max_leaf_nodes=2 * classes,
                min_weight_fraction_leaf=0.02 if classes < 10 else 0.0,
                class_weight="balanced",
                random_state=0,
            ).fit(column[train], labels[train])
            predicted[of, test] = tree.predict(column[test])
            scores.append(accuracy_of(labels[train], tree.predict(column[train]), classes).balanced)
        best = int(np.argmax(scores))
        wins[best] += 1
        chosen[test] = predicted[best, test]
    return predicted, chosen, wins


def group_share(
    values: Doubles, labels: IntArray, groups: npt.NDArray[Any]
) -> tuple[float | None, float | None]:
    """How much of a number's variance within the classes lies between groups, and its p-value.

    Intraclass correlation ``s_g / (s_g + s_w)`` with the variance components of groups within
    classes by Henderson's method 3 (Searle, Casella and McCulloch 1992, 'Variance Components',
    section 5.5), negative ones as 0, and the F test of their being 0. Class means are taken off
    first, so that an effect of the class is no difference between groups.

    Parameters
    ----------
    values : (N,) array
    labels : (N,) int array
    groups : (N,) array

    Returns
    -------
    share, p : float or None
        None where groups have one cell each, or classes one group each.
    """
    from scipy import stats

    code = np.unique(labels, return_inverse=True)[1]
    group = np.unique(groups, return_inverse=True)[1]
    counts = np.zeros((group.max() + 1, code.max() + 1))
    np.add.at(counts, (group, code), 1.0)
    per_group, per_class = counts.sum(axis=1), counts.sum(axis=0)
    # What groups and classes leave unexplained: groups are taken off, then the classes that are
    # left, a small system however many groups there are.
    apart = values - (np.bincount(group, values) / per_group)[group]
    left = np.diag(per_class) - (counts.T / per_group) @ counts
    of_class = np.bincount(code, apart)
    residual = (apart**2).sum() - of_class @ np.linalg.pinv(left, hermitian=True) @ of_class
    # Rank of classes and groups together.
    rank = len(per_group) + int(np.linalg.matrix_rank(left, hermitian=True))
    free, more = len(values) - rank, rank - len(per_class)
    if free < 1 or more < 1:
        return None, None
    rest = values - (np.bincount(code, values) / per_class)[code]
    between = max(float((rest**2).sum() - residual), 0.0) / more
    within = max(float(residual), 0.0) / free
    cells = float((per_group - (counts**2 / per_class).sum(axis=1)).sum()) / more
    component = max(between - within, 0.0) / cells
    if within <= 0:
        return (1.0, 0.0) if component > 0 else (None, None)
    return component / (component + within), float(stats.f.sf(between / within, more, free))
