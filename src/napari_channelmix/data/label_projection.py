"""Labels of a plane, and labels projected along an axis: no cell is lost without a word.

Where several cells lie over each other, the pixel is of the one with the most pixels there along
the projected axes; of the smallest id where they have as many. Our definition.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.array_planes import PROJECT, ArrayPlane

__all__ = ["ProjectedLabels", "project_labels"]


@dataclass(frozen=True, eq=False)
class ProjectedLabels:
    """A label image, and what became of cells that lie over each other.

    Attributes
    ----------
    labels : (Y, X) int array
    overlap : int
        Pixels in which several cells lie over each other.
    cells : int
        Cells that lost some of their pixels to others.
    lost : (L,) int array
        Ids of cells that lost all of them.
    """

    labels: npt.NDArray[Any] = field(repr=False)
    overlap: int = 0
    cells: int = 0
    lost: npt.NDArray[Any] = field(default_factory=lambda: np.zeros(0, np.int64))

    def warnings(self, what: str, axes: str) -> tuple[str, ...]:
        """What to tell the user of ``what``, in a line or none; ``axes`` are those projected."""
        if not self.overlap:
            return ()
        lost = ""
        if len(self.lost):
            number = len(self.lost)
            lost = (
                f"; {number:,} cell{'s lie' if number > 1 else ' lies'} wholly behind others and "
                f"{'are' if number > 1 else 'is'} left out (first: {int(self.lost[0])})"
            )
        return (
            f"{what} projected along {axes}: in {self.overlap:,} pixels several cells lie "
            f"over each other, each goes to the cell with most pixels there; {self.cells:,} cells "
            f"lose pixels{lost}",
        )


def project_labels(plane: ArrayPlane) -> ProjectedLabels:
    """Read the labels of a plane, projecting them where its index says so; a slice at a time.

    Parameters
    ----------
    plane : ArrayPlane
        Of an array of labels.
    """
    whole = (slice(None), slice(None))
    axes = [axis for axis, index in enumerate(plane.index) if index == PROJECT]
    if not axes:
        return ProjectedLabels(np.array(plane[whole]))
    lengths = [plane.data.shape[axis] for axis in axes]
    slices = [
        replace(plane, index=plane.moved(dict(zip(axes, place, strict=True))).index)
        for place in np.ndindex(*lengths)
    ]
    low: npt.NDArray[Any] | None = None
    high: npt.NDArray[Any] | None = None
    ids: set[Any] = set()
    for section in slices:
        labels = np.asarray(section[whole])
        ids.update(np.unique(labels).tolist())
        if low is None or high is None:
            low, high = labels.copy(), labels.copy()
            continue
        np.maximum(high, labels, out=high)
        low = np.where((labels > 0) & ((low == 0) | (labels < low)), labels, low)
    assert low is not None and high is not None
    where = np.nonzero(low != high)
    if not len(where[0]):
        return ProjectedLabels(high)
    stack = np.stack([np.asarray(section[whole])[where] for section in slices])
    best, losers = _most(stack)
    high[where] = best
    ids.discard(0)
    lost = np.array(sorted(ids - set(np.unique(high).tolist())), dtype=high.dtype)
    return ProjectedLabels(high, len(best), len(losers), lost)


def _most(stack: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], set[Any]]:
    """The most frequent id of each column (n,) of a stack (S, n), and the ids that lost one."""
    columns = np.broadcast_to(np.arange(stack.shape[1]), stack.shape)[stack > 0]
    values = stack[stack > 0]
    order = np.lexsort((values, columns))
    columns, values = columns[order], values[order]
    starts = np.flatnonzero(
        np.r_[True, (columns[1:] != columns[:-1]) | (values[1:] != values[:-1])]
    )
    counts = np.diff(np.r_[starts, len(values)])
    columns, values = columns[starts], values[starts]
    # The last of each column: the highest count, and of equal ones the smallest id, which a
    # stable order by falling place keeps.
    order = np.lexsort((-np.arange(len(values)), counts, columns))
    last = np.flatnonzero(np.r_[columns[order][1:] != columns[order][:-1], True])
    chosen = order[last]
    losers = np.ones(len(values), np.bool_)
    losers[chosen] = False
    return values[chosen], set(np.unique(values[losers]).tolist())
