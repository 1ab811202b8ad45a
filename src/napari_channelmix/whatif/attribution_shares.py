"""Where attribution lies, read as a check of the shortcut audit; see `evidence_shares`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.whatif.audit_answers import QUESTIONS, not_tested
from napari_channelmix.whatif.audit_result import Answer, AuditCheck, AuditFigure
from napari_channelmix.whatif.evidence_shares import PARTS
from napari_channelmix.whatif.group_intervals import class_means
from napari_channelmix.wording import fraction

__all__ = ["attribution_check"]

Doubles = npt.NDArray[np.float64]

OWN_GREEN = 0.5


def attribution_check(shares: Doubles, areas: Doubles, groups: npt.NDArray[np.str_]) -> AuditCheck:
    """Read the shares of some cells: green where half or more of the magnitude lies in the cell."""
    key, known = "attribution", np.isfinite(shares).all(axis=1)
    if not known.any():
        return not_tested(key, "all maps are 0")
    shares, areas, names = shares[known], areas[known], groups[known]
    mean, area = shares.mean(axis=0), areas.mean(axis=0)
    means = class_means(shares, np.zeros(len(shares), np.int64), names, 1)
    ends = [_ends(low, high) for low, high in zip(means.low[0], means.high[0], strict=True)]
    count = len(np.unique(names))
    figures = [
        AuditFigure(
            f"{part} ({fraction(area[at])} of the area)",
            "share of attribution",
            float(mean[at]),
            *ends[at],
            len(shares),
            count,
        )
        for at, part in enumerate(PARTS)
    ]
    word: Answer = "green" if mean[0] >= OWN_GREEN else "amber"
    if mean[2] >= OWN_GREEN and (ends[2][0] or 0.0) > area[2]:
        word = "red"
    where = ", ".join(
        f"{fraction(mean[at])} in the {part}" for at, part in enumerate(PARTS)
    ).replace("the cell", "the cell's own outline")
    line = (
        f"attribution: {where} ({fraction(area[0])}, {fraction(area[1])} and {fraction(area[2])} "
        "of the area)"
    )
    return AuditCheck(
        key,
        QUESTIONS[key],
        word,
        line,
        "share of attribution in the cell",
        float(mean[0]),
        *ends[0],
        float(area[0]),
        len(shares),
        count,
        few_groups_text(count, len(shares)),
        figures=tuple(figures),
    )


def _ends(low: float, high: float) -> tuple[float | None, float | None]:
    """Ends of an interval of a share; None of a single group, which has none."""
    if not np.isfinite([low, high]).all():
        return None, None
    return max(0.0, float(low)), min(1.0, float(high))
