"""The gain of maps on each kind of reference by itself, as figures and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.intervals import FEW_GROUPS
from napari_channelmix.pcim.grouped_mean import GroupedMean
from napari_channelmix.pcim.references import APART
from napari_channelmix.wording import counted

__all__ = ["APART_TEXT", "reference_scores", "reference_scores_text"]

APART_TEXT = "a kind that methods work with; not in the mean"


def reference_scores(
    by_reference: Mapping[str, Sequence[float] | npt.NDArray[np.float64]],
    groups: npt.NDArray[np.str_],
) -> dict[str, dict[str, Any]]:
    """Mean SRG on each kind of reference, with its 95 % interval over groups; for JSON.

    Parameters
    ----------
    by_reference : dict of str to (N,) float
        SRG of each cell; see `Fidelity.srg_by_reference`.
    groups : (N,) str array
        Groups of the cells. With fewer than five groups the interval is over cells, as if these
        were independent.

    Returns
    -------
    dict
        For each kind ``srg``, ``low``, ``high`` (None for a single cell), ``n``, ``groups`` and
        ``in_mean``: whether it counts in the mean.
    """
    scores = {}
    for kind, values in by_reference.items():
        mean = GroupedMean(np.asarray(values, dtype=np.float64), np.asarray(groups, dtype=str))
        low, high = mean.interval()
        scores[kind] = {
            "srg": mean.mean,
            "low": None if math.isnan(low) else low,
            "high": None if math.isnan(high) else high,
            "n": len(mean.values),
            "groups": mean.group_count,
            "in_mean": kind != APART or len(by_reference) == 1,
        }
    return scores


def reference_scores_text(scores: Mapping[str, Mapping[str, Any]]) -> str:
    """`reference_scores` as a line; empty without scores."""
    if not scores:
        return ""
    parts = []
    for kind, entry in scores.items():
        part = f"{kind} {entry['srg']:.2f}"
        if entry["low"] is not None:
            part += f" ({entry['low']:.2f} to {entry['high']:.2f})"
        parts.append(part if entry["in_mean"] else f"{part}, {APART_TEXT}")
    first = next(iter(scores.values()))
    over = counted(first["n"], "cell")
    if first["low"] is not None:
        groups = first["groups"]
        over += (
            f", 95 % interval over {counted(groups, 'group')}"
            if groups >= FEW_GROUPS
            else f", 95 % interval over cells, as {counted(groups, 'group', 'are')} too few"
        )
    return f"SRG by what replaces removed pixels ({over}): {'; '.join(parts)}"
