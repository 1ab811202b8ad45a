"""Figures of the benchmarks of 'What if': shares of cells with intervals, and their aims."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify.intervals import accuracy_interval, few_groups_text
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.whatif.asking import Asker, asker_job
from napari_channelmix.whatif.crops import CellCrops, cell_crops

if TYPE_CHECKING:
    from whatif_sets import Case

    from napari_channelmix import Cells
    from napari_channelmix.whatif.axes import Axis

__all__ = [
    "Aim",
    "Figure",
    "Measured",
    "Questioned",
    "at_least",
    "at_most",
    "median_of",
    "moved_to",
    "share_of",
]


@dataclass(frozen=True)
class Aim:
    """What a figure should be: at least, or at most, so much."""

    bound: float
    most: bool = False

    def __str__(self) -> str:
        return f"{'<=' if self.most else '>='} {self.bound:g}"

    def reached(self, value: float) -> bool:
        return value <= self.bound if self.most else value >= self.bound


def at_least(bound: float) -> Aim:
    return Aim(bound)


def at_most(bound: float) -> Aim:
    return Aim(bound, most=True)


@dataclass(frozen=True)
class Measured:
    """A share of cells, or another number, with its interval over groups where it has one."""

    value: float
    n: int
    low: float | None = None
    high: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Figure:
    """A question, what came of it, and whether that is what was aimed at."""

    set: str
    question: str
    measured: Measured
    aim: Aim | None

    @property
    def reached(self) -> bool | None:
        """None where there is no aim, or no cell."""
        if self.aim is None or not self.measured.n:
            return None
        return self.aim.reached(self.measured.value)

    @property
    def line(self) -> str:
        of, word = self.measured, {True: "reached", False: "MISSED", None: ""}[self.reached]
        interval = "" if of.low is None or of.high is None else f" ({of.low:.2f} to {of.high:.2f})"
        aim = "" if self.aim is None else f"; aim {self.aim}"
        note = f"; {of.note}" if of.note else ""
        return f"{word:8s}{self.question}: {of.value:.3g}{interval}, n {of.n:,}{aim}{note}"

    def as_dict(self) -> dict[str, Any]:
        return {
            "set": self.set,
            "question": self.question,
            **asdict(self.measured),
            "aim": "" if self.aim is None else str(self.aim),
            "reached": self.reached,
        }


def share_of(yes: np.ndarray, groups: np.ndarray, note: str = "") -> Measured:
    """Share of cells (n,) for which something holds, with its 95 % interval over groups (n,)."""
    if not len(yes):
        return Measured(float("nan"), 0, note=note or "no cell")
    low, high = accuracy_interval(np.ones(len(yes), int), yes.astype(int), groups, 2)
    doubt = few_groups_text(len(np.unique(groups)), len(yes))
    few = f"only {len(yes)} cells" if len(yes) < 10 else ""
    said = ", ".join(part for part in (note, doubt, few) if part)
    return Measured(float(yes.mean()), len(yes), low, high, said)


def moved_to(axis: Axis, crops: CellCrops, target: float) -> CellCrops:
    """Cells whose measured feature is brought to a target, as far as the axis goes.

    Raises
    ------
    ModelError
        An axis whose feature has no amount that brings it there.
    """
    if axis.measure is None or axis.to_level is None:
        raise ModelError(f"{axis.name}: no amount brings a feature to a level")
    values = axis.measure(crops)
    amounts = np.asarray(axis.to_level(values, target), np.float32)
    amounts = np.where(np.isfinite(amounts), amounts, axis.neutral)
    return axis(crops, np.clip(amounts, axis.low, axis.high))


def median_of(axis: Axis, crops: CellCrops) -> float:
    """Median of an axis' feature."""
    if axis.measure is None:
        raise ModelError(f"{axis.name} has no feature")
    return float(np.nanmedian(axis.measure(crops)))


@dataclass(frozen=True, eq=False)
class Questioned:
    """Held-out cells, what they are called as they are, and whom to ask again.

    Attributes
    ----------
    crops : CellCrops
    groups, calls : (n,) arrays
    asker : tuple of Asker
        One, or one for each fold.
    fold : (n,) int array
        Which of them was not trained on the cell.
    """

    crops: CellCrops
    groups: np.ndarray
    calls: np.ndarray
    askers: tuple[Asker, ...]
    fold: np.ndarray

    @classmethod
    def of(cls, cases: Sequence[Case], limit: int) -> Questioned:
        """At most so many cells of each class, of all folds together."""
        parts, groups, folds = [], [], []
        askers = []
        for number, made in enumerate(cases):
            chosen = some_of_each_class(made.held_out, limit)
            asker, fitting = drain(asker_job(made.model, made.held_out.subset(chosen)))
            askers.append(asker)
            parts.append(cell_crops(fitting))
            groups.append(np.asarray(fitting.groups))
            folds.append(np.full(len(fitting), number))
        crops, fold = together(parts), np.concatenate(folds)
        calls = _calls(tuple(askers), fold, crops)
        return cls(crops, np.concatenate(groups), calls, tuple(askers), fold)

    @property
    def asker(self) -> Asker:
        return self.askers[0]

    @property
    def classes(self) -> tuple[str, ...]:
        return self.asker.classes

    def called(self, *names: str) -> Questioned:
        """Those that are called one of some classes."""
        return self[np.isin(self.calls, [self.classes.index(name) for name in names])]

    def __getitem__(self, some: np.ndarray) -> Questioned:
        return Questioned(
            self.crops[some], self.groups[some], self.calls[some], self.askers, self.fold[some]
        )

    def becomes(self, edited: CellCrops, *names: str, note: str = "") -> Measured:
        """Share that is now called one of some classes; of any other than before, without."""
        now = _calls(self.askers, self.fold, edited)
        if not names:
            return share_of(now != self.calls, self.groups, note)
        codes = [self.classes.index(name) for name in names]
        return share_of(np.isin(now, codes), self.groups, note)


def _calls(askers: tuple[Asker, ...], fold: np.ndarray, crops: CellCrops) -> np.ndarray:
    calls = np.zeros(len(crops), np.int64)
    for number, asker in enumerate(askers):
        own = fold == number
        if own.any():
            calls[own] = asker.calls(crops.pixels[own])
    return calls


def some_of_each_class(cells: Cells, limit: int) -> np.ndarray:
    """Positions of at most so many cells of each class, drawn at random."""
    rng = np.random.default_rng(0)
    parts = [
        rng.permutation(np.flatnonzero(cells.labels == code))[:limit]
        for code in range(len(cells.classes))
    ]
    return np.sort(np.concatenate(parts))


def together(parts: Sequence[CellCrops]) -> CellCrops:
    """Crops of several sets as one."""
    first = parts[0]
    if len(parts) == 1:
        return first
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("pixels", "cell", "others", "origin", "background", "positions", "seeds")
    }
    nuclei = None if first.nuclei is None else np.concatenate([np.asarray(p.nuclei) for p in parts])
    return replace(first, **joined, nuclei=nuclei)
