"""Where attribution lies: in the cell, in its neighbours, in the background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import few_groups_text
from napari_channelmix.whatif.audit_answers import QUESTIONS, not_tested
from napari_channelmix.whatif.audit_result import Answer, AuditCheck, AuditFigure
from napari_channelmix.whatif.group_intervals import class_means
from napari_channelmix.whatif.removal import territories
from napari_channelmix.wording import fraction

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["PARTS", "attribution_check", "attribution_shares"]

Doubles = npt.NDArray[np.float64]

#: Of what in the crop.
PARTS = ("cell", "neighbours", "background")
OWN_GREEN = 0.5


def attribution_shares(
    maps: npt.NDArray[np.float32], crops: CellCrops, margin: float
) -> tuple[Doubles, Doubles]:
    """Share of the magnitude of each map in the cell, its neighbours and the background.

    Parameters
    ----------
    maps : (n, H, W) or (n, C, H, W) array
        Attribution of each pixel; of several channels the magnitudes are added.
    crops : CellCrops
        Of the same n cells.
    margin : float
        Pixels around an outline that belong to the cell.

    Returns
    -------
    shares, areas : (n, 3) float64 arrays
        Rows sum to 1; NaN where a map is 0 all over. ``areas``: shares of the pixels.
    """
    size = np.abs(np.asarray(maps, np.float64))
    size = size.sum(axis=1) if size.ndim == 4 else size
    own, others = territories(crops, margin)
    parts = np.stack([own, others, ~(own | others)], axis=1)
    total = size.sum(axis=(1, 2))
    inside = np.einsum("nphw,nhw->np", parts.astype(np.float64), size)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = inside / np.where(total > 0, total, np.nan)[:, None]
    return shares, parts.mean(axis=(2, 3))


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
