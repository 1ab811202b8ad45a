"""The cells of a session as the solvers see them, brought together once with the classifier."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.pcim.channel_contributions import Donors
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.whatif.evidence_shares import CellParts

__all__ = ["Sources", "same_pixels"]

# Cells of the same group that are read to see whether the classifier was trained on them.
MOST_OF_GROUP = 63


class Sources:
    """Remembers the last one: for a model that only answers, it takes the mean of many cells.

    Asked by jobs, one at a time.
    """

    def __init__(self) -> None:
        self._trained: Trained | None = None
        self._cells: Cells | None = None
        self._source: Source | None = None
        self._donors: Donors | None = None
        self._parts: CellParts | None = None
        self._doubts: tuple[Trained, Cells, tuple[str, ...]] | None = None

    def of(self, trained: Trained, cells: Cells) -> Source:
        """The source for a classifier and cells, whatever classes these were given.

        Raises
        ------
        ModelError, DataError
            Channels that are missing, pixels that cannot be read.
        """
        from napari_channelmix.pcim.cell_source import Source

        source = self._source
        if source is None or trained is not self._trained or not same_pixels(cells, self._cells):
            source = Source.of(trained.classifier, cells)
            self._source, self._trained, self._cells = source, trained, cells
            self._donors = self._parts = None
        return source

    def donors_job(self, trained: Trained, cells: Cells) -> Job[Donors]:
        """Cells to take channels from, read once; a job.

        Raises
        ------
        ModelError, DataError
            As `of`.
        """
        from napari_channelmix.pcim.channel_contributions import donors_job

        source = self.of(trained, cells)
        if self._donors is None:
            donors = yield from donors_job(source)
            if self._source is source:
                self._donors = donors
            return donors
        return self._donors

    def parts_job(self, trained: Trained, cells: Cells) -> Job[CellParts]:
        """What tells a cell from its surroundings, made once of some cells; a job.

        Raises
        ------
        ModelError, DataError
            As `of`.
        """
        from napari_channelmix.whatif.evidence_shares import cell_parts_job

        source = self.of(trained, cells)
        if self._parts is None:
            assert source.known is not None
            parts = yield from cell_parts_job(source.known)
            if self._source is source:
                self._parts = parts
            return parts
        return self._parts

    def training_mark(self, trained: Trained, cells: Cells, cell: int) -> str:
        """Whether the classifier was trained on a cell, or on others of its group.

        ``yes``, ``same group``, ``no`` or ``unknown``; pixels of its group are read for it.
        """
        groups = cells.groups
        others = np.flatnonzero((groups == groups[cell]) & (np.arange(len(cells)) != cell))
        # Those with a class first: the others were no training cells.
        others = others[np.argsort(cells.labels[others] < 0, kind="stable")][:MOST_OF_GROUP]
        some = replace(self.of(trained, cells), numbers=np.array([cell, *others]))
        return str(some.training_marks()[0])

    def doubts(self, trained: Trained, cells: Cells) -> tuple[str, ...] | None:
        """What the labels of these cells say against the classifier; None where it is not known."""
        if self._doubts is None:
            return None
        classifier, of, lines = self._doubts
        same = classifier is trained and same_pixels(cells, of) and cells.classes == of.classes
        return lines if same and np.array_equal(cells.labels, of.labels) else None

    def keep_doubts(self, trained: Trained, cells: Cells, lines: tuple[str, ...]) -> None:
        """Remember what the labels say."""
        self._doubts = trained, cells, lines

    def forget(self) -> None:
        """Let go of cells and classifier."""
        self._doubts = self._donors = self._parts = None
        self._source = self._trained = self._cells = None


def same_pixels(first: Cells | None, other: Cells | None) -> bool:
    """Whether two sets of cells differ in their classes at most; see `Cells.same_pixels`."""
    if first is None or other is None:
        return first is other
    return first.same_pixels(other)
