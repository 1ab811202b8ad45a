"""The shortcut audit: whether a classifier learnt the cell, or what else tells the classes.

One card of checks (`audit_answers.QUESTIONS`): the cell taken away, its neighbours, all but the
level of the background; how many cells there are, and where the wells lie; another exposure, uneven
illumination, the gain of one channel; the mere level of each stain; where attribution lies. Each
has a figure on held-out cells with its interval over groups. Our definition.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.accuracy import (
    AccuracyEstimate,
    accuracy_difference,
    estimate_accuracy,
)
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.phenotypes.confusion import matching
from napari_channelmix.provenance import provenance
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.settings.fields import as_dict, merged, takes_settings
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.attribution_shares import attribution_check, attribution_shares
from napari_channelmix.whatif.audit_answers import (
    KEPT_RED,
    accuracy_check,
    accuracy_figure,
    by_design,
    changed_check,
    kept_of,
    kept_word,
    not_tested,
    share_figure,
)
from napari_channelmix.whatif.audit_measures import Measured, measured_job
from napari_channelmix.whatif.audit_result import Answer, Audit, AuditCheck
from napari_channelmix.whatif.audited_cells import audited_cells_job, spread_over_groups
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.grouped_shares import GroupedShare, share_of
from napari_channelmix.whatif.outside_cues import (
    calls_of_numbers,
    counts_of_fields,
    fold_of_each,
    well_places,
)
from napari_channelmix.whatif.stain_levels import share_of_mixed_groups, stain_check
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells

__all__ = ["audit", "audit_job"]

IntArray = npt.NDArray[np.int64]

# Cells without an outline, and crops without background, that are tolerated.
WITHOUT_OUTLINE = 0.1
# Part of the advantage over a guess that neighbours must add to what the background leaves.
NEIGHBOURS_ADD = 0.1
# Cells of each class from which what needs no pixel is learnt.
MOST_OF_DESIGN = 2000


@takes_settings(AuditSettings)
def audit(
    model: Predictor,
    cells: Cells,
    *,
    maps: npt.ArrayLike | None = None,
    mapped: npt.ArrayLike | None = None,
    settings: AuditSettings | None = None,
    **options: Any,
) -> Audit:
    """Whether a classifier decides by the cell, or by a shortcut: one card, a word for each check.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
        Only its answers are asked for.
    cells : Cells
        With classes; those that it was trained on are left out where that is known.
    maps : (m, H, W) or (m, C, H, W) array, optional
        Attribution maps of some cells, such as ``explain(model, some).maps``; without them the
        check of the attribution is not made.
    mapped : (m,) int array, optional
        Positions of those cells in ``cells``; default: all of them.
    settings : AuditSettings, optional
    **options
        Single settings; see `AuditSettings`.

    Returns
    -------
    Audit

    Raises
    ------
    DataError
        No cells of two classes that the classifier knows; a file that cannot be read.
    ModelError
        Channels that are missing, crops of another size, a model whose answers change from call
        to call, maps of another shape than the crops.

    Examples
    --------
    >>> from napari_channelmix import audit, train_classifier
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> train, test = (
    ...     synthetic_plate(s, wells=4, cells_per_well=5, side=160).cells for s in (0, 1)
    ... )
    >>> card = audit(train_classifier(train, network="tiny", epochs=1), test, only="all")
    >>> card.answer in ("green", "amber", "red", "not tested")
    True
    """
    return drain(audit_job(model, cells, maps=maps, mapped=mapped, settings=settings, **options))


def audit_job(
    model: Predictor,
    cells: Cells,
    *,
    maps: npt.ArrayLike | None = None,
    mapped: npt.ArrayLike | None = None,
    settings: AuditSettings | None = None,
    **options: Any,
) -> Job[Audit]:
    """`audit` as a job: choose cells, ask about them as they are and changed, read the figures."""
    chosen = merged(AuditSettings, settings, options)
    _refuse_maps(maps, mapped, cells)
    asker, fitting = yield from part(asker_job(model, cells, "balanced"), 0, 1, 100)
    choosing = audited_cells_job(model, fitting, chosen.only, chosen.limit, chosen.seed)
    picked = yield from part(choosing, 1, 9, 100)
    some = fitting.subset(picked.positions)
    measuring = measured_job(asker, some, picked.labels, chosen.margin, chosen.seed)
    measured = yield from part(measuring, 10, 80, 100)
    yield Progress(90, 100, "reading the figures")
    card = _Card(some, picked.labels, model.classes, measured, chosen.seed)
    design = _Design(fitting, model.classes, card.whole, chosen.seed)
    checks = [
        *card.of_background(),
        card.of_neighbours(),
        *card.of_illumination(),
        card.of_stain(),
        _of_attribution(maps, mapped, fitting, measured.margin, chosen.seed),
    ]
    checks += design.checks(checks, card.why_not)
    order = list(card.order)
    checks.sort(key=lambda check: order.index(check.key))
    facts = {
        "settings": as_dict(chosen),
        "margin": measured.margin,
        "cells": fitting.fingerprint,
        "audited": len(some),
    }
    yield Progress(100, 100, "audit: done")
    return Audit(
        tuple(checks),
        card.whole,
        tuple(model.channels),
        tuple(model.classes),
        (picked.line, *card.lines),
        provenance(**facts),
    )


class _Card:
    """The checks, from what was measured of the cells."""

    def __init__(
        self,
        cells: Cells,
        labels: IntArray,
        classes: tuple[str, ...],
        measured: Measured,
        seed: int,
    ) -> None:
        from napari_channelmix.whatif.audit_answers import QUESTIONS

        self.order = tuple(QUESTIONS)
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
            "green": "with all cells taken away no call is left: {figure}",
            "amber": "with all cells taken away some of the calls are still right: {figure} "
            "(as it is {whole})",
            "red": "the call does not need the cell: with all cells taken away {figure} are "
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
            "green": "the level of the background alone leaves no call: {figure}",
            "amber": "the level of the background alone leaves some calls right: {figure} "
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
        of = f"of {counted(int(seen.sum()), 'crop')} with neighbours {{figure}} are right"
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
        checks = [
            changed_check("exposure", self._shares(exposure), "another exposure", within),
            changed_check("shading", self._shares(shading), "uneven illumination", shading),
        ]
        if len(self._cells.channels) < 2:
            line = "with one channel its gain is the exposure"
            alone = not_tested("channel gain", "")
            answer = checks[0].answer
            return [*checks, AuditCheck("channel gain", alone.question, answer, line)]
        return [
            *checks,
            changed_check(
                "channel gain", self._shares(gains), "another gain of one channel", within
            ),
        ]

    def _shares(self, changes: list[str]) -> dict[str, GroupedShare]:
        return {change: self._share(change) for change in changes}

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
        )


class _Design:
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


def _of_attribution(
    maps: npt.ArrayLike | None,
    mapped: npt.ArrayLike | None,
    cells: Cells,
    margin: float,
    seed: int,
) -> AuditCheck:
    """Where the attribution of some cells lies."""
    if maps is None:
        return not_tested("attribution", "no maps were given")
    positions = np.arange(len(cells)) if mapped is None else np.asarray(mapped, np.int64)
    if not len(positions):
        return not_tested("attribution", "no maps were given")
    crops = cell_crops(cells, positions)
    if crops.disc.mean() > WITHOUT_OUTLINE:
        why = f"{int(crops.disc.sum()):,} of {len(crops):,} cells have no outline"
        return not_tested("attribution", why)
    shares, areas = attribution_shares(np.asarray(maps, np.float32), crops, margin)
    return attribution_check(shares, areas, cells.groups[positions], seed)


def _refuse_maps(maps: npt.ArrayLike | None, mapped: npt.ArrayLike | None, cells: Cells) -> None:
    if maps is None:
        return
    shape = np.shape(maps)
    count = len(cells) if mapped is None else len(np.asarray(mapped))
    side = (cells.crop, cells.crop)
    if len(shape) not in (3, 4) or shape[0] != count or shape[-2:] != side:
        raise ModelError(
            f"attribution maps {shape} do not fit {counted(count, 'cell')} with crops of "
            f"{cells.crop} pixels; give one map (H, W) or (C, H, W) for each of 'mapped'"
        )
