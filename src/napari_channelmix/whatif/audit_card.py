"""The checks of a shortcut audit, from what was measured of the cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.accuracy import (
    AccuracyEstimate,
    accuracy_difference,
    estimate_accuracy,
)
from napari_channelmix.errors import DataError
from napari_channelmix.whatif.audit_answers import (
    KEPT_RED,
    accuracy_check,
    accuracy_figure,
    changed_check,
    kept_of,
    kept_word,
    not_tested,
    share_figure,
)
from napari_channelmix.whatif.audit_measures import RESAMPLED
from napari_channelmix.whatif.audit_result import Answer, AuditCheck
from napari_channelmix.whatif.group_intervals import GroupedShare, share_of
from napari_channelmix.whatif.outside_cues import calls_of_numbers, fold_of_each
from napari_channelmix.whatif.stain_levels import (
    donors_of,
    givable,
    share_of_mixed_groups,
    stain_check,
)
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.audit_measures import Measured

__all__ = ["WITHOUT_OUTLINE", "Card"]

IntArray = npt.NDArray[np.int64]

# Cells without an outline, and crops without background, that are tolerated.
WITHOUT_OUTLINE = 0.1
# Part of the advantage over a guess that neighbours must add to what the background leaves.
NEIGHBOURS_ADD = 0.1


class Card:
    """The checks, from what was measured of the cells."""

    def __init__(
        self,
        cells: Cells,
        labels: IntArray,
        classes: tuple[str, ...],
        measured: Measured,
        seed: int,
    ) -> None:
        self._cells, self._labels, self._classes = cells, labels, classes
        self._measured, self._seed, self._groups = measured, seed, cells.groups
        self._base = measured.calls["as it is"]
        self.whole = self._accuracy("as it is")
        self._folds, self._no_folds = self._divided()

    def _divided(self) -> tuple[IntArray | None, str]:
        coded = self._cells.with_labels(self._labels, self._classes)
        try:
            return fold_of_each(coded, self._seed), ""
        except DataError as error:
            return None, str(error)

    @property
    def lines(self) -> tuple[str, ...]:
        """What must be known to read the card."""
        measured, lines = self._measured, []
        if measured.disc.any():
            lines.append(
                f"{counted(int(measured.disc.sum()), 'cell', 'have')} no outline: a disc in the "
                "middle of the crop stands for it"
            )
        by_light = int((~measured.labelled & ~measured.disc).sum())
        if by_light:
            lines.append(
                f"{counted(by_light, 'outline', 'are')} found by light, not of a label image: "
                "their neighbours are not known"
            )
        lines.append(
            f"what lies within {measured.margin:.1f} pixels of an outline counts as its cell"
        )
        if self.whole.warning:
            lines.append(self.whole.warning)
        return tuple(lines)

    # ---------------------------------------------------------------- figures

    def _accuracy(
        self, change: str, where: npt.NDArray[np.bool_] | None = None
    ) -> AccuracyEstimate:
        return self._accuracy_of(self._measured.calls[change], where)

    def _accuracy_of(
        self, calls: IntArray, where: npt.NDArray[np.bool_] | None = None
    ) -> AccuracyEstimate:
        some = np.ones(len(calls), bool) if where is None else where
        return estimate_accuracy(self._labels[some], calls[some], self._groups[some], self._classes)

    def _changed(self, change: str) -> npt.NDArray[np.bool_]:
        return np.asarray(self._measured.calls[change] != self._base)

    def _share(self, change: str, where: npt.NDArray[np.bool_] | None = None) -> GroupedShare:
        some = np.ones(len(self._base), bool) if where is None else where
        return share_of(self._changed(change)[some], self._groups[some])

    def _learnt(self, numbers: npt.NDArray[np.float64]) -> AccuracyEstimate:
        assert self._folds is not None
        return self._accuracy_of(calls_of_numbers(numbers, self._labels, self._folds, self._seed))

    @property
    def why_not(self) -> str:
        """Why accuracies without the cell would say nothing; empty where they do."""
        if self.whole.low <= self.whole.chance:
            return (
                f"the classifier itself is not clearly better than a guess on these cells "
                f"({self.whole.short_text})"
            )
        return ""

    @property
    def _why_no_outline(self) -> str:
        measured = self._measured
        if self.why_not:
            return self.why_not
        if measured.disc.mean() > WITHOUT_OUTLINE:
            return (
                f"{int(measured.disc.sum()):,} of {len(measured.disc):,} cells have no outline; "
                "use a label image"
            )
        return ""

    @property
    def _why_no_removal(self) -> str:
        free = self._measured.free
        if not self._why_no_outline and free.mean() < 1 - WITHOUT_OUTLINE:
            return (
                f"{int((~free).sum()):,} of {len(free):,} crops show no background that is "
                f"{self._measured.margin:.1f} pixels or more from any cell"
            )
        return self._why_no_outline

    # ---------------------------------------------------------------- checks

    def of_background(self) -> list[AuditCheck]:
        """What is left without any cell."""
        return [self._background_alone(), self._background_level(), self._background_learnt()]

    def _background_alone(self) -> AuditCheck:
        key = "background alone"
        if self._why_no_removal:
            return not_tested(key, self._why_no_removal)
        empty, mixed = self._accuracy(key), self._accuracy(f"{key}, shapes mixed")
        room = self._measured.room
        sham = "as much background filled (sham)"
        figures = [
            accuracy_figure("as it is", self.whole),
            accuracy_figure("all cells away", empty),
            accuracy_figure("all cells away, and the outline of another class", mixed),
            share_figure(sham, self._share(sham, room)),
        ]
        lines = {
            "green": "with all cells taken away no prediction is left: {figure}",
            "amber": "with all cells taken away some of the predictions are still right: {figure} "
            "(as it is {whole})",
            "red": "the prediction does not need the cell: with all cells taken away {figure} are "
            "still right (as it is {whole})",
        }
        # What is kept with the shapes mixed cannot be owed to the outlines of what was filled.
        return accuracy_check(
            key, min(empty, mixed, key=lambda one: one.balanced), self.whole, lines, figures
        )

    def _background_level(self) -> AuditCheck:
        key = "background level"
        if self._why_no_removal:
            return not_tested(key, self._why_no_removal)
        flat = self._accuracy(key)
        figures = [accuracy_figure("crops of the background level", flat)]
        if self._folds is not None:
            learnt = self._learnt(self._measured.numbers["background"])
            figures.append(accuracy_figure("learnt from the background levels alone", learnt))
        lines = {
            "green": "the level of the background alone leaves no prediction: {figure}",
            "amber": "the level of the background alone leaves some predictions right: {figure} "
            "(as it is {whole})",
            "red": "the level of the background is enough: {figure} are right where crops show "
            "nothing else (as it is {whole})",
        }
        return accuracy_check(key, flat, self.whole, lines, figures)

    def _background_learnt(self) -> AuditCheck:
        key = "background learnt"
        why = self._why_no_removal or self._no_folds
        if why:
            return not_tested(key, why)
        numbers = self._measured.numbers
        outside = self._learnt(numbers["untrained background"])
        crops = self._learnt(numbers["untrained"])
        dealt = np.random.default_rng(self._seed).permutation(self._labels)
        assert self._folds is not None
        shuffled = estimate_accuracy(
            dealt,
            calls_of_numbers(numbers["untrained"], dealt, self._folds, self._seed),
            self._groups,
            self._classes,
        )
        figures = [
            accuracy_figure("untrained network, all cells away", outside),
            accuracy_figure("untrained network, crops as they are", crops),
            accuracy_figure("untrained network, classes shuffled", shuffled),
        ]
        also = f"; of whole crops {crops.short_text}, the classifier {{whole}}"
        lines = {
            "green": "features of an untrained network see no class in the background: {figure}"
            + also,
            "amber": "features of an untrained network see the class in the background: {figure}"
            + also,
        }
        word: Answer = "green" if kept_word(outside, self.whole) == "green" else "amber"
        return accuracy_check(key, outside, self.whole, lines, figures, answer=word)

    def of_neighbours(self) -> AuditCheck:
        """What the other cells in the crop say."""
        key, measured = "neighbours", self._measured
        if self._cells.neighbours != "keep":
            check = not_tested(key, "")
            line = "the crops show no other cell: they were prepared so"
            return AuditCheck(key, check.question, "green", line, n=len(self._base))
        if self._why_no_outline:
            return not_tested(key, self._why_no_outline)
        if measured.labelled.mean() < 1 - WITHOUT_OUTLINE:
            return not_tested(key, "without a label image other cells are not known")
        seen = measured.has_others
        if not seen.any():
            line = "no crop shows another cell"
            return AuditCheck(key, not_tested(key, "").question, "green", line, n=len(seen))
        if len(np.unique(self._labels[seen])) < 2:
            return not_tested(key, "crops of one class only show other cells")
        whole, only, empty, without = (
            self._accuracy(change, seen)
            for change in ("as it is", "cell away", "background alone", "neighbours away")
        )
        calls = self._measured.calls
        added = accuracy_difference(
            self._labels[seen],
            calls["cell away"][seen],
            calls["background alone"][seen],
            self._groups[seen],
            len(self._classes),
        )
        figures = [
            accuracy_figure("as it is", whole),
            accuracy_figure("the cell away, its neighbours left", only),
            accuracy_figure("all cells away", empty),
            accuracy_figure("neighbours away", without),
            share_figure("neighbours away", self._share("neighbours away", seen)),
        ]
        gain = kept_of(only, whole) - kept_of(empty, whole)
        word: Answer = "green"
        if gain >= NEIGHBOURS_ADD and kept_word(only, whole) != "green":
            clear = added.low > 0 and only.low > only.chance
            word = "red" if clear and kept_of(only, whole) >= KEPT_RED else "amber"
        of = f"{{figure}} of {counted(int(seen.sum()), 'crop')} with neighbours are right"
        end = f"; with the neighbours away {without.short_text}"
        lines: dict[str, str] = {
            "green": f"neighbours do not decide: with the cell taken away {of}, without any cell "
            f"{empty.short_text}{end}",
            "amber": f"the neighbours may carry it too: with the cell itself taken away {of} (as "
            f"it is {{whole}}), without any cell {empty.short_text}{end}",
            "red": f"the neighbours carry it too: with the cell itself taken away {of} (as it is "
            f"{{whole}}), without any cell {empty.short_text}{end}",
        }
        return accuracy_check(key, only, whole, lines, figures, answer=word)

    def of_illumination(self) -> list[AuditCheck]:
        """What another exposure, uneven illumination and other gains change."""
        within, names = self._measured.within, list(self._measured.calls)
        exposure = [name for name in names if name.startswith("exposure x ")]
        shading = ["brighter on the left", "brighter on the right"]
        gains = [
            name
            for name in names
            if any(name.startswith(f"{channel} x ") for channel in self._cells.channels)
        ]

        def check(
            key: str, changes: list[str], what: str, within: Collection[str] = within
        ) -> AuditCheck:
            shares, sham = self._shares(changes), self._share(RESAMPLED)
            return changed_check(key, shares, what, within, self._by_class, sham)

        checks = [
            check("exposure", exposure, "another exposure"),
            check("shading", shading, "uneven illumination", shading),
        ]
        if len(self._cells.channels) < 2:
            line = "with one channel its gain is the exposure"
            alone = not_tested("channel gain", "")
            answer = checks[0].answer
            return [*checks, AuditCheck("channel gain", alone.question, answer, line)]
        return [*checks, check("channel gain", gains, "another gain of one channel")]

    def _shares(self, changes: list[str]) -> dict[str, GroupedShare]:
        return {change: self._share(change) for change in changes}

    def _by_class(self, change: str) -> dict[str, GroupedShare]:
        codes = np.unique(self._labels).tolist()
        return {self._classes[code]: self._share(change, self._labels == code) for code in codes}

    def of_stain(self) -> AuditCheck:
        """Whether the mere level of a channel decides."""
        key, channels = "stain level", self._cells.channels
        why = self.why_not or self._no_folds
        if why:
            return not_tested(key, why)
        levels = self._measured.levels
        groups = self._groups
        if len(np.unique(groups)) == len(groups):
            groups = self._cells.table["field"].to_numpy().astype(str)
        return stain_check(
            channels,
            [self._learnt(levels[:, [place]]) for place in range(len(channels))],
            self.whole,
            [self._changed(f"{name}: level of other") for name in channels],
            [self._changed(f"{name}: level of same") for name in channels],
            self._groups,
            share_of_mixed_groups(self._labels, groups),
            givable(levels, donors_of(levels, self._labels, self._seed)[0]),
        )
