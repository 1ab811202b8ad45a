"""Fractions of classes in each group of cells, such as a well, and how certain they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.phenotypes.adjusted import Adjusted, HeldOutCalls, adjusted_fractions
from napari_channelmix.phenotypes.held_out import UNKNOWN, YES, only_named
from napari_channelmix.phenotypes.wilson import wilson

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data import Cells

__all__ = ["Fractions", "Grouping", "fraction_title", "fractions_of", "grouping_of", "wilson"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Grouping:
    """Which cells belong together.

    Attributes
    ----------
    kind : str
        ``"group"``; or ``"field of view"`` or ``"data set"`` for cells that have no groups.
    names : tuple of str
    codes : (N,) int array
        Position of each cell's group in ``names``.
    """

    kind: str
    names: tuple[str, ...]
    codes: IntArray = field(repr=False)


def grouping_of(cells: Cells) -> Grouping:
    """The groups of cells; their fields of view where every cell is a group of its own."""
    import pandas as pd

    codes, uniques = pd.factorize(cells.table["group"].astype(str), sort=False)
    kind, names = "group", [str(name) for name in uniques]
    if len(names) == len(cells) > 1:
        codes, uniques = pd.factorize(cells.table["field"], sort=True)
        kind, names = "field of view", [cells.fields[int(index)].name for index in uniques]
        if len(names) == len(cells):
            kind, names, codes = "data set", [cells.name], np.zeros(len(cells), np.int64)
    return Grouping(kind, tuple(names), np.asarray(codes, np.int64))


@dataclass(frozen=True, eq=False)
class Fractions:
    """Cells of each class in each group.

    Attributes
    ----------
    grouping : Grouping
    classes : tuple of str
    counts : (G, K) int array
        Cells of each class.
    cells : (G,) int array
        All cells, those without a class included.
    adjusted : Adjusted or None
        The fractions behind the calls, where these are a classifier's whose confusion is known.
    trained_on : (G,) int array or None
        Cells that the classifier of the calls was trained on; None where nothing is known of it.
    """

    grouping: Grouping
    classes: tuple[str, ...]
    counts: IntArray = field(repr=False)
    cells: IntArray = field(repr=False)
    adjusted: Adjusted | None = None
    trained_on: IntArray | None = field(default=None, repr=False)

    @property
    def groups(self) -> tuple[str, ...]:
        """Names of the groups."""
        return self.grouping.names

    @property
    def classed(self) -> IntArray:
        """Cells that have a class (G,): what the fractions are of."""
        return np.asarray(self.counts.sum(axis=1))

    @property
    def fractions(self) -> FloatArray:
        """Fractions (G, K) of the cells that have a class; NaN in groups without any."""
        totals = self.classed[:, None].astype(np.float64)
        with np.errstate(invalid="ignore"):
            return np.asarray(self.counts / np.where(totals > 0, totals, np.nan))

    @property
    def has_adjusted(self) -> bool:
        """Whether adjusted fractions are known of some groups."""
        return self.adjusted is not None and not self.adjusted.why_not

    @property
    def not_adjusted(self) -> int:
        """Groups that have cells with a class, and no adjusted fraction."""
        if self.adjusted is None:
            return int((self.classed > 0).sum())
        known = np.isfinite(self.adjusted.fractions).all(axis=1)
        return int(((self.classed > 0) & ~known).sum())

    @property
    def is_adjusted(self) -> bool:
        """Whether adjusted fractions are known of every group that has cells with a class.

        Of some groups only, they would leave the others out of curves and plates.
        """
        return self.has_adjusted and not self.not_adjusted

    @property
    def best(self) -> FloatArray:
        """Fractions (G, K): the adjusted ones where `is_adjusted`, else those of the calls."""
        if self.adjusted is None or not self.is_adjusted:
            return self.fractions
        return self.adjusted.fractions

    def of_held_out(self, codes: npt.ArrayLike, training: npt.ArrayLike) -> Fractions:
        """The same without the cells that the classifier was trained on.

        ``cells`` stay all cells; adjusted fractions stay in groups that hold no such cell.

        Parameters
        ----------
        codes, training : (N,) arrays
            As of `fractions_of`.
        """
        marks = np.asarray(training)
        held_out = np.where(marks == YES, -1, np.asarray(codes, np.int64))
        counts = _counted(self.grouping, held_out, len(self.classes))
        adjusted = self.adjusted
        if adjusted is not None and self.has_adjusted:
            adjusted = adjusted.only_of(_trained_on(self.grouping, marks) == 0)
        return replace(self, counts=counts, adjusted=adjusted)

    def interval(self, group: int, code: int) -> tuple[float, float]:
        """95 % Wilson interval of a fraction, if the cells were independent."""
        return wilson(int(self.counts[group, code]), int(self.classed[group]))

    def to_frame(self) -> pd.DataFrame:
        """A row per group: cells, cells with a class, and count, fraction and interval of each.

        With ``adjusted fraction``, ``adjusted low`` and ``adjusted high`` of each, and ``trained
        on`` (cells that the classifier was trained on), where known.
        """
        import pandas as pd

        columns: dict[str, object] = {
            self.grouping.kind: list(self.groups),
            "cells": self.cells,
            "classed": self.classed,
        }
        fractions, totals = self.fractions, self.classed.tolist()
        for code, name in enumerate(self.classes):
            counts = self.counts[:, code].tolist()
            limits = np.array([wilson(*pair) for pair in zip(counts, totals, strict=True)])
            columns[f"n {name}"] = self.counts[:, code]
            columns[f"fraction {name}"] = fractions[:, code]
            columns[f"low {name}"], columns[f"high {name}"] = limits.reshape(-1, 2).T
        if self.adjusted is not None and self.has_adjusted:
            for code, name in enumerate(self.classes):
                columns[f"adjusted fraction {name}"] = self.adjusted.fractions[:, code]
                columns[f"adjusted low {name}"] = self.adjusted.low[:, code]
                columns[f"adjusted high {name}"] = self.adjusted.high[:, code]
        if self.trained_on is not None:
            columns["trained on"] = self.trained_on
        return pd.DataFrame(columns)


def fractions_of(
    grouping: Grouping,
    codes: npt.ArrayLike,
    classes: Sequence[str],
    *,
    balanced: npt.ArrayLike | None = None,
    held_out: HeldOutCalls | None = None,
    seed: int = 0,
    training: npt.ArrayLike | None = None,
    only: str = "all",
) -> Fractions:
    """Count the classes in each group.

    Parameters
    ----------
    grouping : Grouping
    codes : (N,) int array
        Positions in the classes, -1 for none.
    classes : sequence of str
    balanced : (N,) int array, optional
        A classifier's calls with the balanced prior; the adjusted fractions are of these.
    held_out : HeldOutCalls, optional
        The same classifier's on held-out cells; without both nothing is adjusted.
    seed : int
        Of the adjusted intervals.
    training : (N,) array, optional
        Whether the classifier was trained on each cell; see `phenotypes.held_out`.
    only : {"all", "held-out"}
        ``held-out`` leaves out the cells that it was trained on; see `Fractions.of_held_out`.

    Raises
    ------
    ModelError
        Another word for ``only``.
    """
    counts = _counted(grouping, codes, len(classes))
    totals = np.bincount(grouping.codes, minlength=len(grouping.names)).astype(np.int64)
    adjusted = None
    if balanced is not None and held_out is not None:
        calls = _counted(grouping, balanced, len(classes))
        adjusted = adjusted_fractions(calls, held_out, seed=seed)
    known = training is not None and not (np.asarray(training) == UNKNOWN).any()
    trained_on = _trained_on(grouping, training) if training is not None and known else None
    fractions = Fractions(grouping, tuple(classes), counts, totals, adjusted, trained_on)
    if only_named(only) == "all" or training is None:
        return fractions
    return fractions.of_held_out(codes, training)


def _trained_on(grouping: Grouping, training: npt.ArrayLike) -> IntArray:
    """Cells (G,) of each group that a classifier was trained on."""
    seen = np.asarray(training) == YES
    count = np.bincount(grouping.codes[seen], minlength=len(grouping.names))
    return np.asarray(count, dtype=np.int64)


def _counted(grouping: Grouping, codes: npt.ArrayLike, classes: int) -> IntArray:
    """Cells (G, K) of each class in each group."""
    values, groups = np.asarray(codes, np.int64), len(grouping.names)
    known = values >= 0
    flat = np.bincount(grouping.codes[known] * classes + values[known], minlength=groups * classes)
    return np.asarray(flat.reshape(groups, classes), dtype=np.int64)


def fraction_title(name: str, *, adjusted: bool) -> str:
    """What fractions of a class are called along an axis: ``adjusted fraction positive``."""
    return f"adjusted fraction {name}" if adjusted else f"fraction {name}"
