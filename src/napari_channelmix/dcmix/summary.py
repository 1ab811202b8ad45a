"""The repeats put together: means, spreads, accuracy, gate, p-values, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.dcmix.controls import above_decoy, above_zero
from napari_channelmix.dcmix.decoys import decoy_p_values, holm
from napari_channelmix.dcmix.pooled import pooled_of
from napari_channelmix.dcmix.result import ChannelImportance

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.dcmix.divisions import Division
    from napari_channelmix.dcmix.repeats import RepeatResult

__all__ = ["ENOUGH_SEEDS", "summarised"]

Floats = npt.NDArray[np.float64]

# Fewer give no spread worth the name, and the p-values were calibrated with this many.
ENOUGH_SEEDS = 4


def summarised(
    repeats: Sequence[RepeatResult],
    division: Division,
    warnings: Sequence[str],
    provenance: dict[str, Any],
    *,
    calibrated: bool,
) -> ChannelImportance:
    """Put the repeats together.

    ``calibrated`` says whether p-values may be shown for this kind of data and settings.
    """
    train = division.sides[0].train.cells
    pooled = pooled_of(repeats, division)
    estimates = {kind: pooled.estimate(kind) for kind in ("mixed", "plain")}
    share = _stacked(repeats, "share")
    assert share is not None
    shapley, decoys = _stacked(repeats, "shapley"), _stacked(repeats, "decoys")
    gate = _gate(repeats, estimates)
    p_value, above = None, None
    beside = _stacked(repeats, "decoy_share")
    if decoys is not None and beside is not None:
        above = tuple(above_decoy(beside, decoys).tolist())
        # Shares that must not be read have no p-value.
        if calibrated and len(repeats) >= ENOUGH_SEEDS and gate == "ok":
            p_value = _floats(holm(decoy_p_values(beside, decoys)))
    return ChannelImportance(
        channels=train.channels,
        share=_floats(share.mean(axis=0)),
        share_sd=_floats(_sd(share)),
        shapley=None if shapley is None else _floats(shapley.mean(axis=0)),
        shapley_sd=None if shapley is None else _floats(_sd(shapley)),
        per_class=_per_class(repeats, train.classes),
        decoy=None if decoys is None else _floats(decoys.mean(axis=0)),
        p_value=p_value,
        accuracy={kind: one.balanced for kind, one in estimates.items()},
        recall={kind: _recalls(one) for kind, one in estimates.items()},
        gate=gate,
        seeds=tuple(one.seed for one in repeats),
        share_of_seed=tuple(_floats(one) for one in share),
        n_train=round(float(np.mean([len(one.train.rows) for one in division.sides]))),
        n_test=estimates["plain"].n_cells,
        warnings=tuple(dict.fromkeys([*warnings, *_doubts(repeats, estimates)])),
        provenance=provenance,
        estimates=estimates,
        whole=_mean([one.whole for one in repeats]),
        nothing=_mean([one.nothing for one in repeats]),
        division=division.words,
        above_decoy=above,
        above_zero=None if shapley is None else tuple(above_zero(shapley).tolist()),
    )


def _gate(repeats: Sequence[RepeatResult], estimates: dict[str, AccuracyEstimate]) -> str:
    """``ok``, or why the shares must not be read.

    Our definition. Both networks at chance: there was nothing to learn. The mixed one at chance, or
    more than 0.05 below the plain one: a blended image does not hold what the classifier uses. At
    chance is less than two standard errors, or less than 0.05, above it.
    """
    accuracy = {kind: one.balanced for kind, one in estimates.items()}
    recall = {kind: _recalls(one) for kind, one in estimates.items()}
    chance = estimates["plain"].chance
    at_chance = {}
    for kind, value in accuracy.items():
        error = float(np.mean([getattr(one, kind)["error"] for one in repeats]))
        at_chance[kind] = value - chance < max(0.05, 2 * error)
    figures = f"mixed {accuracy['mixed']:.2f}, plain {accuracy['plain']:.2f}, chance {chance:.2f}"
    if all(at_chance.values()):
        return (
            f"accuracy is at chance ({figures}): these channels do not tell the classes apart, "
            "so nothing can be read from the shares"
        )
    if at_chance["mixed"]:
        return (
            f"the mixed network is at chance ({figures}): one blended image does not hold what "
            "the plain network uses; read the Shapley values, not the shares"
        )
    if accuracy["mixed"] < accuracy["plain"] - 0.05:
        losses = {
            name: (recall["plain"][name] or 0.0) - (mixed or 0.0)
            for name, mixed in recall["mixed"].items()
        }
        worst = sorted((n for n in losses if losses[n] > 0.05), key=lambda n: -losses[n])
        which = ", ".join(f"{name} -{losses[name]:.2f}" for name in worst)
        return (
            f"mixing to one image costs accuracy (mixed {accuracy['mixed']:.2f}, plain "
            f"{accuracy['plain']:.2f}{'; recall lost: ' + which if which else ''}): "
            "read the shares beside the Shapley values, not alone"
        )
    return "ok"


def _recalls(estimate: AccuracyEstimate) -> dict[str, float | None]:
    """Recall of each class; None for one without held-out cells."""
    return {one.name: None if one.recall is None or np.isnan(one.recall) else one.recall
            for one in estimate.per_class}  # fmt: skip


def _per_class(
    repeats: Sequence[RepeatResult], classes: Sequence[str]
) -> dict[str, tuple[float, ...]]:
    """Shapley values for the recall of each class, mean over the repeats that held it out."""
    if any(one.shapley_per_class is None for one in repeats):
        return {}
    values: Floats = np.array([one.shapley_per_class for one in repeats], dtype=np.float64)
    there: npt.NDArray[np.bool_] = np.isfinite(values[:, :, 0])
    return {name: _floats(values[there[:, code], code].mean(axis=0))
            for code, name in enumerate(classes) if there[:, code].any()}  # fmt: skip


def _doubts(repeats: Sequence[RepeatResult], estimates: dict[str, AccuracyEstimate]) -> list[str]:
    lines = [line for one in repeats for line in one.warnings]
    lines += [one.warning for one in estimates.values() if one.warning]
    if len(repeats) < ENOUGH_SEEDS:
        lines.append(
            f"{len(repeats)} {'seed is' if len(repeats) == 1 else 'seeds are'} too few for an "
            f"error bar; use {ENOUGH_SEEDS} or more"
        )
    return lines


def _stacked(repeats: Sequence[RepeatResult], name: str) -> Floats | None:
    """One list of every repeat as rows (S, C); None where one lacks it."""
    rows = [getattr(one, name) for one in repeats]
    return None if any(row is None for row in rows) else np.array(rows, dtype=np.float64)


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if len(there) == len(values) else None


def _sd(values: Floats) -> Floats:
    if len(values) < 2:
        return np.zeros(values.shape[1])
    deviations: Floats = values.std(axis=0, ddof=1)
    return deviations


def _floats(values: npt.ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.asarray(values))
