"""Which cell to look at next: the least certain one, or one without a class. It knows no Qt."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.phenotypes.label_quality import margin

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.session import Predictions

__all__ = ["Round", "next_unlabelled"]


class Round:
    """Cells in the order of their margin, each once in a round.

    Those without a class come first: a class given to an uncertain cell teaches a classifier most
    (uncertainty sampling by margin; Scheffer, Decomain and Wrobel 2001).
    """

    def __init__(self) -> None:
        self.seen: set[int] = set()

    def begin(self) -> None:
        """Begin another round: every cell may come again."""
        self.seen.clear()

    def next(self, cells: Cells, predictions: Predictions) -> int | None:
        """The next cell, noted as seen; None where all of them were."""
        left = np.ones(len(cells), dtype=bool)
        left[[cell for cell in self.seen if cell < len(cells)]] = False
        if not left.any():
            return None
        margins = margin(predictions.probabilities)
        # A margin is 1 at most.
        cell = int(np.argmin(np.where(left, margins + 2 * (cells.labels >= 0), np.inf)))
        self.seen.add(cell)
        return cell


def next_unlabelled(cells: Cells, after: int) -> int | None:
    """The first cell without a class after a position, beginning anew at the end, or None."""
    free = np.flatnonzero(cells.labels < 0)
    if not len(free):
        return None
    later = free[free > after]
    return int(later[0] if len(later) else free[0])
