"""A temperature for held-out cells, and figures of it that were not fitted on their own cells.

1. `fit_temperature`: one number on the scores of all held-out cells.
2. `held_out_calibration`: fitted on some held-out groups, measured on the others, in turn.
3. `calibrated_record`: what a classifier remembers of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.calibration_metrics import calibration_of
from napari_channelmix.classify.held_out_record import held_out_record
from napari_channelmix.classify.priors import Prior, corrected
from napari_channelmix.classify.temperature import fit_temperature, scaled, scores_of
from napari_channelmix.phenotypes.held_out import SAME_GROUP, UNKNOWN, YES
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.classify.calibration import Calibration
    from napari_channelmix.phenotypes.held_out import Marks

__all__ = ["calibrated_record", "held_out_calibration", "not_held_out"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Parts in which held-out groups are left out by turns.
FOLDS = 10


def held_out_calibration(
    scores: npt.ArrayLike,
    labels: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: tuple[str, ...],
    shares: npt.ArrayLike,
    *,
    prior: str = "",
    seed: int = 0,
) -> Calibration:
    """The temperature of all held-out cells, and figures that were not fitted on their own cells.

    Groups are dealt into up to ten parts; each part's figures have the temperature of the others.
    Where a class is in fewer than two groups that cannot be done, which ``cross_fitted`` says.

    Parameters
    ----------
    scores : (N, K) array
        Of held-out cells, before the softmax; see `scores_of`.
    labels : (N,) int array
    groups : (N,) array
    classes : tuple of K str
    shares : (K,) array
        Of the prior that probabilities are shown with.
    prior : str
        The same in words.
    """
    z, truth = np.asarray(scores, np.float64), np.asarray(labels, np.int64)
    temperature = fit_temperature(z, truth)
    part = _parts(truth, np.asarray(groups), np.random.default_rng(seed))
    each = np.full(len(truth), temperature)
    if part is not None:
        for fold in np.unique(part):
            each[part == fold] = fit_temperature(z[part != fold], truth[part != fold])
    shown = corrected(scaled(z, each), shares)
    calibration = calibration_of(shown, truth, groups, classes, seed=seed)
    return replace(calibration, temperature=temperature, prior=prior, cross_fitted=part is not None)


def calibrated_record(
    record: Mapping[str, Any],
    probabilities: FloatArray,
    labels: IntArray,
    groups: npt.NDArray[Any],
    classes: tuple[str, ...],
    prior: Prior,
    n_train: int,
    *,
    doubt: str = "",
    seed: int = 0,
) -> dict[str, Any]:
    """The record of a classifier with its calibration on held-out cells.

    Parameters
    ----------
    record : mapping
        Of a classifier without a calibration; figures of its accuracy on held-out cells stay, and
        are added where it has none.
    probabilities : (N, K) array
        Of held-out cells, with the balanced prior.
    labels : (N,) int array
    groups : (N,) array
    classes : tuple of K str
    prior : Prior
        With which probabilities are shown.
    n_train : int
        Cells that it was trained on.
    doubt : str
        Why the cells may not be held out; see `not_held_out`.
    seed : int
    """
    scores = scores_of(probabilities)
    measured = held_out_calibration(
        scores, labels, groups, classes, prior.shares, prior=prior.text(), seed=seed
    )
    calibration = replace(measured, doubt=doubt)
    calibrated = {**record, "calibration": calibration.as_dict()}
    if not record.get("held_out"):
        # One whose training measured it keeps those figures.
        guesses = scaled(scores, calibration.temperature)
        calibrated["held_out"] = held_out_record(
            guesses, labels, groups, classes, n_train, doubt=doubt
        )
    return calibrated


def not_held_out(marks: Marks) -> str:
    """Why the cells that are left may not be held out, and which were left out; or empty."""
    if (marks == UNKNOWN).any():
        return (
            "which cells the classifier was trained on is not known: if these are among them, the "
            "figures are too good"
        )
    trained_on, related = (int((marks == kind).sum()) for kind in (YES, SAME_GROUP))
    lines = []
    if trained_on:
        lines.append(f"{counted(trained_on, 'cell')} that it was trained on left out")
    if related:
        share = counted(related, "cell", "share")
        lines.append(f"{share} a group with training cells, so figures may be too good")
    return "; ".join(lines)


def _parts(labels: IntArray, groups: npt.NDArray[Any], rng: np.random.Generator) -> IntArray | None:
    """Deal groups into parts (N,) so that every class has groups in several; None if it has not."""
    names, group = np.unique(groups, return_inverse=True)
    table = np.zeros((len(names), int(labels.max()) + 1))
    np.add.at(table, (group, labels), 1)
    holding = (table > 0).sum(axis=0)
    fewest = int(holding[holding > 0].min())
    if fewest < 2 or (holding > 0).sum() < 2:
        return None
    # Groups of one class follow each other, so that dealing them in turns spreads each class.
    order = np.lexsort((rng.random(len(names)), table.argmax(axis=1)))
    part = np.empty(len(names), np.int64)
    part[order] = np.arange(len(names)) % min(FOLDS, len(names))
    return np.asarray(part[group], dtype=np.int64)
