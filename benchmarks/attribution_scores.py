"""Fidelity on each family of references, and what a difference is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import stats

from napari_channelmix.jobs import drain
from napari_channelmix.pcim import measure_job
from napari_channelmix.pcim.references import APART, REPORTED
from napari_channelmix.pcim.scores import Fidelity, auroc, rank_accuracy

if TYPE_CHECKING:
    from attribution_sets import Case, Chosen

__all__ = [
    "FAMILIES",
    "PILOT_FAMILIES",
    "PILOT_SHARES",
    "fidelity",
    "group_means",
    "localised",
    "paired",
]

# Families of references; the last is of a kind that methods work with, and is not in the mean.
FAMILIES = (*REPORTED, APART)
SHARES = (0, 0.01, 0.04, 0.1, 0.2, 0.35, 0.6, 1)
# Fewer for the choice of the opponents' variants: one of each sort that is quick to make.
PILOT_FAMILIES = ("background", "shuffled", APART)
PILOT_SHARES = (0, 0.03, 0.12, 0.35, 1)


def fidelity(
    case: Case,
    chosen: Chosen,
    maps: np.ndarray,
    shares: tuple[float, ...] = SHARES,
    families: tuple[str, ...] = FAMILIES,
) -> Fidelity:
    """Insertion and deletion curves of maps (N, H, W)."""
    return drain(
        measure_job(
            case.classifier,
            chosen.source,
            maps,
            chosen.labels.tolist(),
            shares=shares,
            references=families,
        )
    )


def localised(maps: np.ndarray, masks: np.ndarray | None) -> dict[str, float]:
    """Mean rank accuracy and AUROC, where the pixels that matter are known."""
    if masks is None:
        return {}
    return {
        "rank_accuracy": float(np.nanmean(rank_accuracy(maps, masks))),
        "auroc": float(np.nanmean(auroc(maps, masks))),
    }


def group_means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """The mean of each group (G,): one number for all cells of a well."""
    _, index = np.unique(groups, return_inverse=True)
    return np.asarray(np.bincount(index, values) / np.bincount(index))


def paired(ours: np.ndarray, theirs: np.ndarray, groups: np.ndarray) -> dict[str, Any]:
    """Mean difference (over the cells), its 95 % interval and p: a t test over the groups.

    Cells without groups count as groups of their own.
    """
    difference = np.asarray(ours) - np.asarray(theirs)
    means = group_means(difference, groups)
    result: dict[str, Any] = {"gain": float(difference.mean()), "groups": len(means)}
    if len(means) > 1 and np.ptp(means) > 0:
        test = stats.ttest_1samp(means, 0)
        interval = test.confidence_interval()
        low, high, p = float(interval.low), float(interval.high), float(test.pvalue)
    else:
        low = high = p = float("nan")
    return {**result, "low": low, "high": high, "p": p}
