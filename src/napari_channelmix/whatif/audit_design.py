"""What tells the classes apart without a pixel: how many cells there are, where wells lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.accuracy import AccuracyEstimate, estimate_accuracy
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.whatif.audit_answers import (
    accuracy_check,
    accuracy_figure,
    by_design,
    kept_word,
    not_tested,
)
from napari_channelmix.whatif.audited_cells import spread_over_groups
from napari_channelmix.whatif.outside_cues import (
    calls_of_numbers,
    counts_of_fields,
    fold_of_each,
    well_places,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.audit_result import AuditCheck

__all__ = ["Design"]

# Cells of each class from which what needs no pixel is learnt.
MOST_OF_DESIGN = 2000


class Design:
    """What tells the classes apart without a pixel, learnt from all cells: no model is asked."""

    def __init__(
        self, cells: Cells, classes: tuple[str, ...], whole: AccuracyEstimate, seed: int
    ) -> None:
        labels = matching(cells.labels, cells.classes, classes)
        rng = np.random.default_rng(seed)
        some = [
            own[spread_over_groups(cells.groups[own], MOST_OF_DESIGN, rng)]
            for own in (np.flatnonzero(labels == code) for code in range(len(classes)))
        ]
        chosen = np.sort(np.concatenate(some))
        self._cells = cells.subset(chosen).with_labels(labels[chosen], classes)
        self._classes, self._whole, self._seed = classes, whole, seed

    def checks(self, known: list[AuditCheck], why_not: str) -> list[AuditCheck]:
        """Numbers of cells, and places of wells, read by whether they reach the classifier."""
        by_key = {check.key: check for check in known}
        background = [by_key["background alone"], by_key["background learnt"]]
        count, place = "cell count", "well position"
        if why_not:
            return [not_tested(key, why_not) for key in (count, place)]
        paths = [by_key["neighbours"], *background]
        return [
            self._check(count, "the number of cells in the image", counts_of_fields, paths),
            self._check(place, "the place of the well", well_places, background),
        ]

    def _check(
        self,
        key: str,
        what: str,
        numbers: Callable[[Cells], npt.NDArray[np.float64]],
        paths: list[AuditCheck],
    ) -> AuditCheck:
        cells, labels = self._cells, self._cells.labels
        try:
            folds = fold_of_each(cells, self._seed)
            calls = calls_of_numbers(numbers(cells), labels, folds, self._seed)
        except DataError as error:
            return not_tested(key, str(error))
        learnt = estimate_accuracy(labels, calls, cells.groups, self._classes)
        word, end = by_design(kept_word(learnt, self._whole), paths)
        told = f"{what} alone tells the classes apart: {{figure}}{end}"
        lines = {"green": told if end else f"{what} alone says nothing: {{figure}}", "amber": told}
        figure = accuracy_figure(f"learnt from {what}, all cells", learnt)
        return accuracy_check(key, learnt, self._whole, lines, [figure], answer=word)
