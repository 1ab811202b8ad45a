"""Classes that cells were given against those that were predicted for them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.values import class_name, similar_names
from napari_channelmix.errors import DataError

__all__ = ["Confusion", "class_places", "confusion_of", "matching"]

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Confusion:
    """Counts of labels against predictions.

    Attributes
    ----------
    rows : tuple of str
        Classes that were given.
    columns : tuple of str
        Classes that can be predicted; they may be others than those of the rows.
    counts : (R, C) int array
        Cells of the row's class that are predicted as the column's.
    unlabelled : int
        Cells without a class, which are in no row.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: IntArray = field(repr=False)
    unlabelled: int = 0

    @property
    def shares(self) -> npt.NDArray[np.float64]:
        """Counts as shares of their row (R, C); 0 in a row without cells."""
        totals = self.counts.sum(axis=1, keepdims=True)
        return np.asarray(self.counts / np.maximum(totals, 1))

    @property
    def total(self) -> int:
        """Cells that are counted."""
        return int(self.counts.sum())

    @property
    def recall(self) -> npt.NDArray[np.float64]:
        """Share of each row's cells that are predicted as what they are (R,).

        NaN for a class without cells, and for one that can never be predicted.
        """
        recalls = np.full(len(self.rows), np.nan)
        for row, place in enumerate(class_places(self.rows, self.columns)):
            if place >= 0 and self.counts[row].sum():
                recalls[row] = self.shares[row, place]
        return recalls

    @property
    def unknown(self) -> tuple[str, ...]:
        """Classes that cells have and the classifier does not know."""
        places = class_places(self.rows, self.columns)
        return tuple(
            name for row, name in enumerate(self.rows) if places[row] < 0 and self.counts[row].sum()
        )

    @property
    def balanced(self) -> float | None:
        """Mean recall over the classes that occur and are known; None where there is none."""
        known = self.recall[np.isfinite(self.recall)]
        return float(known.mean()) if len(known) else None


def confusion_of(
    labels: npt.ArrayLike, rows: Sequence[str], predicted: npt.ArrayLike, columns: Sequence[str]
) -> Confusion:
    """Count labels (N,) against predictions (N,), each a position in its classes.

    Parameters
    ----------
    labels : (N,) int array
        -1 for a cell without a class.
    rows : sequence of str
    predicted : (N,) int array
    columns : sequence of str

    Raises
    ------
    DataError
        Other numbers of labels than of predictions.
    """
    truth, guesses = np.asarray(labels, np.int64), np.asarray(predicted, np.int64)
    if truth.shape != guesses.shape:
        raise DataError(f"{guesses.size} predictions for {truth.size} cells; classify them again")
    known = truth >= 0
    width = max(len(columns), 1)
    flat = np.bincount(truth[known] * width + guesses[known], minlength=len(rows) * width)
    counts = flat.reshape(len(rows), width)[:, : len(columns)].astype(np.int64)
    return Confusion(tuple(rows), tuple(columns), counts, int((~known).sum()))


def class_places(names: Sequence[str], classes: Sequence[str]) -> tuple[int, ...]:
    """Position in ``classes`` of each class in ``names``; -1 for one that is not there.

    The one rule by which classes of cells are those of a classifier: names are compared as
    `class_name` reads them. A name that is not there is taken for one that differs only in case,
    blanks or form, where that is the only one and no other name is it. Our definition.

    Examples
    --------
    >>> class_places(["1.0", "Live", "dead"], ["live", "1"])
    (1, 0, -1)
    """
    own, known = ([class_name(name) or name for name in some] for some in (names, classes))
    places = [known.index(name) if name in known else -1 for name in own]
    free = [name for index, name in enumerate(known) if index not in places]
    left = [name for name, place in zip(own, places, strict=True) if place < 0]
    for group in similar_names([*left, *free]):
        theirs, mine = ([name for name in group if name in some] for some in (free, left))
        if len(theirs) == len(mine) == 1:
            places[own.index(mine[0])] = known.index(theirs[0])
    return tuple(places)


def matching(codes: npt.ArrayLike, names: Sequence[str], classes: Sequence[str]) -> IntArray:
    """Positions (N,) in ``names`` as positions in ``classes`` by `class_places`; -1 stays."""
    lookup = np.array([*class_places(names, classes), -1], np.int64)
    return lookup[np.asarray(codes, np.int64)]
