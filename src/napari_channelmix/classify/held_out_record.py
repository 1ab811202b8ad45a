"""How well a classifier does on cells that it never saw, as its record has it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.phenotypes.adjusted import HeldOutCalls
from napari_channelmix.phenotypes.confusion import confusion_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["held_out_record"]


def held_out_record(
    probabilities: npt.NDArray[np.floating[Any]],
    labels: npt.NDArray[np.int64],
    groups: npt.NDArray[Any],
    classes: Sequence[str],
    n_train: int,
    *,
    doubt: str = "",
) -> dict[str, Any]:
    """Figures of the predictions with the balanced prior, by class and by held-out group.

    Parameters
    ----------
    probabilities : (N, K) array
        With the balanced prior.
    labels : (N,) int array
    groups : (N,) array
    classes : sequence of K str
    n_train : int
        Cells that it was trained on.
    doubt : str
        Why the cells may not be held out; it joins the warning of ``estimate``.

    Returns
    -------
    dict
        ``balanced_accuracy``, ``chance``, ``recall`` by class (None for one that does not occur),
        ``estimate`` (both with their intervals over groups; see `AccuracyEstimate.as_dict`),
        ``confusion`` (rows are the labels), ``confidence`` (mean probability of the called
        class), ``n_train``, ``n_test`` and ``calls`` (labels against calls in each held-out
        group, see `phenotypes.adjusted.HeldOutCalls`).
    """
    codes = probabilities.argmax(axis=1)
    names = tuple(classes)
    estimate = estimate_accuracy(labels, codes, groups, names)
    warning = "; ".join(line for line in (estimate.warning, doubt) if line)
    estimate = replace(estimate, warning=warning)
    return {
        "balanced_accuracy": estimate.balanced,
        "chance": estimate.chance,
        "recall": estimate.recall,
        "estimate": estimate.as_dict(),
        "confusion": confusion_of(labels, names, codes, names).counts.tolist(),
        "confidence": float(probabilities.max(axis=1).mean()),
        "n_train": n_train,
        "n_test": len(labels),
        "calls": HeldOutCalls.of(labels, codes, groups, names).as_rows(),
    }
