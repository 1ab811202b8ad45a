"""How well classes are told apart, with an interval that knows of groups, and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Self

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from napari_channelmix.classify.intervals import (
    TOO_FEW_GROUPS,
    GroupedRecall,
    difference_interval,
    few_groups_text,
)
from napari_channelmix.errors import DataError
from napari_channelmix.stored_files import Stored, validated
from napari_channelmix.wording import chance_shown, counted, fraction, listed

__all__ = [
    "AccuracyDifference",
    "AccuracyEstimate",
    "ClassRecall",
    "StoredAccuracy",
    "accuracy_difference",
    "estimate_accuracy",
    "stored_estimate",
]

# Held-out cells whose counts are taken apart again.
MOST_CELLS = 100_000


@dataclass(frozen=True)
class ClassRecall:
    """Recall of a class.

    Attributes
    ----------
    name : str
    recall, low, high : float or None
        Share of its cells that are classified rightly, and interval; None where it has no cells.
    n_cells, n_groups : int
    """

    name: str
    recall: float | None
    low: float | None
    high: float | None
    n_cells: int
    n_groups: int

    def text(self) -> str:
        """As ``positive 0.90 (0.71 to 0.97; 3 groups, 48 cells)``."""
        if self.recall is None or self.low is None or self.high is None:
            return f"{self.name}: no cells"
        return (
            f"{self.name} {self.recall:.2f} ({self.low:.2f} to {self.high:.2f}; "
            f"{counted(self.n_groups, 'group')}, {counted(self.n_cells, 'cell')})"
        )


@dataclass(frozen=True)
class AccuracyEstimate:
    """Balanced accuracy on held-out cells, and what it says of other groups.

    Attributes
    ----------
    balanced : float
        Mean recall over the classes that occur, 0 to 1.
    low, high : float
        Interval over groups; see `classify.intervals`.
    chance : float
        Balanced accuracy of a guess.
    n_cells, n_groups : int
        Held-out cells, and their groups: as many as cells where no groups are known.
    per_class : tuple of ClassRecall
        In the order of the classes.
    warning : str
        Why the interval says little; empty where it does not.
    level : float
        Of the intervals.
    """

    balanced: float
    low: float
    high: float
    chance: float
    n_cells: int
    n_groups: int
    per_class: tuple[ClassRecall, ...]
    warning: str = ""
    level: float = 0.95

    @property
    def recall(self) -> dict[str, float | None]:
        """By class; None for one that does not occur."""
        return {row.name: row.recall for row in self.per_class}

    @property
    def at_chance(self) -> bool:
        """Whether the interval holds what a guess would reach; one class cannot be guessed."""
        return self.chance < 1 and self.low <= self.chance <= self.high

    def text(self, *, held_out: bool = True) -> str:
        """Accuracy, interval, what it was measured on, and the warning, as a line.

        ``held_out``: whether the cells are called so.
        """
        line = (
            f"balanced accuracy {self.balanced:.3f} ({self.interval_text}; "
            f"{self.measured_on(held_out=held_out)})"
        )
        return f"{line}: {self.warning}" if self.warning else line

    @property
    def interval_text(self) -> str:
        """As ``95 % interval 0.94 to 0.99``."""
        return f"{100 * self.level:g} % interval {self.low:.2f} to {self.high:.2f}"

    @property
    def short_text(self) -> str:
        """As ``.94 (.91 to .97)``."""
        return f"{fraction(self.balanced)} ({fraction(self.low)} to {fraction(self.high)})"

    def measured_on(self, *, held_out: bool = True) -> str:
        """As ``12 held-out groups, 441 cells``."""
        kind = "held-out " if held_out else ""
        if self.n_groups == self.n_cells > 1:
            return f"{counted(self.n_cells, f'{kind}cell')}, no groups"
        return f"{counted(self.n_groups, f'{kind}group')}, {counted(self.n_cells, 'cell')}"

    @property
    def chance_text(self) -> str:
        """That it is no better than a guess, or worse; empty where it is better."""
        if self.high < self.chance:
            return f"worse than chance ({chance_shown(self.chance)})"
        return (
            f"not clearly better than chance ({chance_shown(self.chance)})"
            if self.at_chance
            else ""
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {**asdict(self), "per_class": [asdict(row) for row in self.per_class]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Self:
        """Of what `as_dict` gave, checked.

        Raises
        ------
        DataError
        """
        stored = validated(dict(content), StoredAccuracy, where="accuracy")
        rows = tuple(ClassRecall(**row.model_dump()) for row in stored.per_class)
        return cls(**{**stored.model_dump(), "per_class": rows})


@dataclass(frozen=True)
class AccuracyDifference:
    """By how much one balanced accuracy is higher than another on the same cells.

    Attributes
    ----------
    difference, low, high : float
        -1 to 1, and interval over groups; see `classify.intervals.difference_interval`.
    n_cells, n_groups : int
    level : float
    """

    difference: float
    low: float
    high: float
    n_cells: int
    n_groups: int
    level: float = 0.95

    def text(self) -> str:
        """As ``+0.050 (95 % interval -0.010 to +0.110)``."""
        return (
            f"{self.difference:+.3f} ({100 * self.level:g} % interval {self.low:+.3f} to "
            f"{self.high:+.3f})"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


Part = Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)]
Count = Annotated[int, Field(strict=True, ge=0)]


class _StoredRecall(Stored):
    """As of `ClassRecall`."""

    name: str
    recall: Part | None
    low: Part | None
    high: Part | None
    n_cells: Count
    n_groups: Count

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if len({value is None for value in (self.recall, self.low, self.high)}) > 1:
            raise ValueError(f"class {self.name}: recall, low and high go together")
        return self


class StoredAccuracy(Stored):
    """As of `AccuracyEstimate.as_dict`, for the schemas of files that hold one."""

    balanced: Part
    low: Part
    high: Part
    chance: Part
    n_cells: Count
    n_groups: Count
    per_class: Annotated[tuple[_StoredRecall, ...], Field(min_length=1)]
    warning: str = ""
    level: Part = 0.95

    def refuse_others(self, classes: Sequence[str]) -> None:
        """Refuse figures of other classes.

        Raises
        ------
        ValueError
        """
        names = [row.name for row in self.per_class]
        if names != list(classes):
            raise ValueError(
                f"estimate: is of the classes {listed(names, 5)}, not of {listed(classes, 5)}"
            )


class _StoredHeldOut(Stored):
    """What `stored_estimate` reads of a classifier's record."""

    estimate: StoredAccuracy | None = None
    confusion: tuple[tuple[Count, ...], ...] | None = None


def estimate_accuracy(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    groups: npt.ArrayLike | None,
    classes: Sequence[str],
    *,
    cells: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> AccuracyEstimate:
    """Balanced accuracy and recalls with their intervals over groups.

    Parameters
    ----------
    labels : (N,) int array
        Positions in ``classes``.
    predicted : (N,) int array
        Likewise; any other number is a wrong answer.
    groups : (N,) array or None
        Wells, images or the like; None where none are known.
    classes : sequence of str
    cells : (N,) array, optional
        Which cell a row is of, where cells were predicted several times: each counts once all the
        same. Default: each row is a cell of its own.
    level : float

    Returns
    -------
    AccuracyEstimate

    Raises
    ------
    DataError
        No cell, arrays of different lengths, a label that is no position in the classes.
    """
    truth, guess, group = _checked(labels, predicted, groups, len(classes))
    parts = _parts(cells, len(truth))
    counts = GroupedRecall.of(truth, guess, group, len(classes), parts)
    below, above = counts.balanced_reach(level)
    size = np.rint(np.bincount(truth, parts, minlength=len(classes))).astype(np.int64)
    recall, low, high = np.full((3, len(classes)), np.nan)
    class_groups = np.zeros(len(classes), np.int64)
    occurs = size > 0
    under, over = counts.reach(level)
    recall[occurs] = counts.recall
    low[occurs], high[occurs] = counts.recall - under, counts.recall + over
    class_groups[occurs] = (counts.cells > 0).sum(axis=0)
    rows = tuple(
        ClassRecall(
            name=str(name),
            recall=_share(recall[code]),
            low=_share(low[code]),
            high=_share(high[code]),
            n_cells=int(size[code]),
            n_groups=int(class_groups[code]),
        )
        for code, name in enumerate(classes)
    )
    return AccuracyEstimate(
        balanced=counts.balanced,
        low=max(0.0, counts.balanced - below),
        high=min(1.0, counts.balanced + above),
        chance=1.0 / int(occurs.sum()),
        n_cells=int(size.sum()),
        n_groups=len(counts.cells),
        per_class=rows,
        warning=_warning(rows, int(size.sum()), len(counts.cells)),
        level=level,
    )


def stored_estimate(held_out: Mapping[str, Any], classes: Sequence[str]) -> AccuracyEstimate | None:
    """Accuracy on held-out cells, from what a classifier's record says of them.

    Records of earlier versions hold counts alone: their cells are taken as independent, which the
    warning says. None where not even those are known.

    Parameters
    ----------
    held_out : dict
        ``record["held_out"]`` of a classifier; see `classify.evaluated_training`.
    classes : sequence of str

    Raises
    ------
    DataError
        A damaged record.
    """
    record = {name: held_out.get(name) or None for name in ("estimate", "confusion")}
    stored = validated(record, _StoredHeldOut, where="held-out cells")
    if stored.estimate is not None:
        try:
            stored.estimate.refuse_others(classes)
        except ValueError as error:
            raise DataError(f"held-out cells: {error}") from None
        return AccuracyEstimate.from_dict(stored.estimate.model_dump())
    # A damaged file may name any number of cells.
    rows, count = stored.confusion or (), len(classes)
    if [len(row) for row in rows] != [count] * count or not 0 < sum(map(sum, rows)) <= MOST_CELLS:
        return None
    counts = np.asarray(rows, np.int64)
    labels, predicted = (
        np.repeat(place.ravel(), counts.ravel()) for place in np.indices(counts.shape)
    )
    return estimate_accuracy(labels, predicted, None, classes)


def accuracy_difference(
    labels: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: npt.ArrayLike | None,
    classes: int,
    *,
    cells: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> AccuracyDifference:
    """By how much the first of two balanced accuracies on the same cells is higher.

    Parameters
    ----------
    labels, first, second : (N,) int arrays
        Positions in the classes: the true ones, and those that each predicts.
    groups : (N,) array or None
    classes : int
    cells : (N,) array, optional
        As for `estimate_accuracy`.
    level : float

    Raises
    ------
    DataError
        As for `estimate_accuracy`.
    """
    truth, predicted, group = _checked(labels, first, groups, classes)
    _, other, _ = _checked(labels, second, groups, classes)
    parts = _parts(cells, len(truth))
    difference, low, high = difference_interval(
        truth, predicted, other, group, classes, weights=parts, level=level
    )
    count = round(float(parts.sum()))
    return AccuracyDifference(difference, low, high, count, len(np.unique(group)), level)


def _parts(cells: npt.ArrayLike | None, rows: int) -> npt.NDArray[np.float64]:
    """Part of a cell (N,) that each row is of."""
    if cells is None:
        return np.ones(rows)
    _, cell, often = np.unique(np.asarray(cells), return_inverse=True, return_counts=True)
    return np.asarray(1 / often[cell])


def _checked(
    labels: npt.ArrayLike, predicted: npt.ArrayLike, groups: npt.ArrayLike | None, classes: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[Any]]:
    truth, guess = np.asarray(labels, np.int64), np.asarray(predicted, np.int64)
    group = np.arange(len(truth)) if groups is None else np.asarray(groups)
    if not truth.size:
        raise DataError("accuracy needs at least one held-out cell with a class")
    if not truth.shape == guess.shape == group.shape:
        raise DataError(
            f"accuracy: {truth.size} labels, {guess.size} predictions and {group.size} groups; "
            "give one of each for every cell"
        )
    if truth.min() < 0 or truth.max() >= classes:
        raise DataError(
            f"accuracy: labels must be 0 to {classes - 1}; leave out cells without a class"
        )
    return truth, guess, group


def _share(value: float) -> float | None:
    """Within 0 and 1 but for rounding; None for NaN."""
    return None if np.isnan(value) else float(np.clip(value, 0, 1))


def _warning(rows: Sequence[ClassRecall], cells: int, groups: int) -> str:
    """Why an interval over these groups says little; nothing where it does not."""
    lines = []
    there = [row for row in rows if row.n_cells]
    if 1 < groups == cells:
        lines.append(
            "no groups are known, so the cells are taken as independent and the interval "
            "may be too narrow"
        )
    elif few_groups_text(groups, cells):
        lines.append(few_groups_text(groups, cells))
    lone = [row.name for row in there if row.n_groups == 1]
    if groups >= TOO_FEW_GROUPS and lone and groups < cells:
        few = "class" if len(lone) == 1 else "classes"
        lines.append(f"{few} {listed(lone, 5)} in one group only")
    absent = [row.name for row in rows if not row.n_cells]
    if absent:
        few = "class" if len(absent) == 1 else "classes"
        lines.append(f"no cell of {few} {listed(absent, 5)}")
    return "; ".join(lines)
