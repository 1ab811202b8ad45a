"""The shortcut audit of a data set, with attribution maps of some of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify.predictor import matched
from napari_channelmix.jobs import Job, part
from napari_channelmix.pcim.explain import explain_job
from napari_channelmix.settings import merged
from napari_channelmix.settings.audit import AuditSettings
from napari_channelmix.whatif.audit import audit_job
from napari_channelmix.whatif.audited_cells import audited_cells_job

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.audit_result import Audit

__all__ = ["MAPS", "audit_dataset_job"]

#: Cells that are explained where nothing else is said.
MAPS = 24


def audit_dataset_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    *,
    maps: int = MAPS,
    settings: AuditSettings | None = None,
    **options: Any,
) -> Job[Audit]:
    """`whatif.audit.audit` with maps of some of the cells that are audited, as a job.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
    maps : int
        Cells that are explained, by PCIM with its usual settings; 0: none, and where attribution
        lies is not tested.
    settings : AuditSettings, optional
    **options
        Single settings.

    Raises
    ------
    DataError, ModelError
        As `whatif.audit.audit` and `pcim.explain`.
    """
    chosen = merged(AuditSettings, settings, options)
    if maps < 1:
        return (yield from audit_job(model, cells, settings=chosen))
    fitting = matched(cells, model.channels, model.who, model.neighbours, model.scaling)
    each = max(1, maps // len(model.classes))
    choosing = audited_cells_job(model, fitting, chosen.only, each, chosen.seed)
    picked = yield from part(choosing, 0, 5, 100)
    positions = np.sort(picked.positions)
    explaining = explain_job(model, fitting.subset(positions), seed=chosen.seed, compare=False)
    attribution = yield from part(explaining, 5, 35, 100)
    auditing = audit_job(model, cells, maps=attribution.maps, mapped=positions, settings=chosen)
    return (yield from part(auditing, 40, 60, 100))
