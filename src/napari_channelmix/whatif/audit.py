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

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.errors import ModelError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.provenance import provenance
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.settings.fields import as_dict, merged, takes_settings
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.attribution_shares import attribution_check
from napari_channelmix.whatif.audit_answers import QUESTIONS, not_tested
from napari_channelmix.whatif.audit_card import WITHOUT_OUTLINE, Card
from napari_channelmix.whatif.audit_design import Design
from napari_channelmix.whatif.audit_measures import measured_job
from napari_channelmix.whatif.audit_result import Audit, AuditCheck
from napari_channelmix.whatif.audited_cells import audited_cells_job
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.evidence_shares import part_shares
from napari_channelmix.wording import brief, counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from napari_channelmix.classify.predictor import Predictor
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["audit", "audit_job"]


@takes_settings(AuditSettings)
def audit(
    model: Predictor,
    cells: Cells,
    *,
    maps: npt.ArrayLike | None = None,
    mapped: npt.ArrayLike | None = None,
    settings: AuditSettings | None = None,
    progress: ShowProgress = None,
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
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
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
    return drain(
        audit_job(model, cells, maps=maps, mapped=mapped, settings=settings, **options), progress
    )


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
    card = Card(some, picked.labels, model.classes, measured, chosen.seed)
    design = Design(fitting, model.classes, card.whole, chosen.seed)
    checks: list[AuditCheck] = []
    parts: tuple[Callable[[], Iterable[AuditCheck]], ...] = (
        card.of_background,
        lambda: [card.of_neighbours()],
        card.of_illumination,
        lambda: [card.of_stain()],
        lambda: [_of_attribution(maps, mapped, fitting, measured.margin)],
    )
    for place, checks_of in enumerate(parts, start=1):
        checks += checks_of()
        yield Progress(90 + place, 100, "reading the figures")
    checks += design.checks(checks, card.why_not)
    order = list(QUESTIONS)
    checks.sort(key=lambda check: order.index(check.key))
    facts = {
        "settings": as_dict(chosen),
        "margin": measured.margin,
        "model": model_hash(model) if isinstance(model, Classifier | ForeignClassifier) else "",
        "cells": fitting.fingerprint,
        "audited": len(some),
        # Cells whose maps were looked at.
        "mapped": [] if maps is None else _mapped(mapped, fitting).tolist(),
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


def _of_attribution(
    maps: npt.ArrayLike | None,
    mapped: npt.ArrayLike | None,
    cells: Cells,
    margin: float,
) -> AuditCheck:
    """Where the attribution of some cells lies."""
    if maps is None:
        return not_tested("attribution", "no maps were given")
    positions = _mapped(mapped, cells)
    if not len(positions):
        return not_tested("attribution", "no maps were given")
    crops = cell_crops(cells, positions)
    if crops.disc.mean() > WITHOUT_OUTLINE:
        why = f"{int(crops.disc.sum()):,} of {len(crops):,} cells have no outline"
        return not_tested("attribution", why)
    shares, areas = part_shares(np.asarray(maps, np.float32), crops, margin)
    return attribution_check(shares, areas, cells.groups[positions])


def _mapped(mapped: npt.ArrayLike | None, cells: Cells) -> npt.NDArray[np.int64]:
    """Positions of the cells that the maps are of."""
    return np.arange(len(cells)) if mapped is None else np.asarray(mapped, np.int64)


def _refuse_maps(maps: npt.ArrayLike | None, mapped: npt.ArrayLike | None, cells: Cells) -> None:
    if maps is None:
        return
    shape = np.shape(maps)
    positions = np.arange(len(cells)) if mapped is None else np.asarray(mapped)
    are_whole = positions.dtype.kind in "iu" or not positions.size
    if not are_whole or ((positions < 0) | (positions >= len(cells))).any():
        raise ModelError(
            f"'mapped' must be positions of cells, 0 to {len(cells) - 1}, not {brief(mapped)}"
        )
    count = len(positions)
    side = (cells.crop, cells.crop)
    if len(shape) not in (3, 4) or shape[0] != count or shape[-2:] != side:
        raise ModelError(
            f"attribution maps {shape} do not fit {counted(count, 'cell')} with crops of "
            f"{cells.crop} pixels; give one map (H, W) or (C, H, W) for each of 'mapped'"
        )
