"""The repeats put together: means, spreads, accuracy, gate, p-values, warnings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.dcmix.above_control import above_decoy, above_zero
from napari_channelmix.dcmix.effects import directions_of, readable_effects, sampling_error_of
from napari_channelmix.dcmix.evidence import against_chance, evidence_of
from napari_channelmix.dcmix.p_values import ENOUGH_REPEATS
from napari_channelmix.dcmix.pooled import pooled_of
from napari_channelmix.dcmix.reliability import judge, without_control
from napari_channelmix.dcmix.result import ChannelImportance
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.dcmix.divisions import Division
    from napari_channelmix.dcmix.evidence import AgainstChance
    from napari_channelmix.dcmix.reliability import Evidence
    from napari_channelmix.dcmix.repeats import RepeatResult

__all__ = ["summarised"]

FloatArray = npt.NDArray[np.float64]

Values = TypeVar("Values")

# Of p-values, until every repeat is there.
NOT_YET = "they are computed at the end of the run"


def summarised(
    repeats: Sequence[RepeatResult],
    division: Division,
    warnings: Sequence[str],
    provenance: dict[str, Any],
) -> ChannelImportance:
    """Put the repeats together, all but what needs the numbers of the cells (`answered_job`)."""
    train = division.sides[0].train.cells
    pooled = pooled_of(repeats, division)
    estimates = {kind: pooled.estimate(kind) for kind in ("mixed", "plain")}
    tests = against_chance(pooled)
    evidence = evidence_of(pooled, estimates, tests)
    alone, beside = _stacked(repeats, "share"), _stacked(repeats, "decoy_share")
    # Bars and control are of one fit: with decoys, that which holds them.
    share = alone if beside is None else beside
    assert share is not None and alone is not None
    shapley, decoys = _stacked(repeats, "shapley"), _stacked(repeats, "decoys")
    not_learnt = _not_learnt(evidence, estimates["plain"], tests)
    above = None if decoys is None or beside is None else above_decoy(beside, decoys).tolist()
    gate = without_control(judge(evidence), above)

    def learnt(of_classes: dict[str, Values]) -> dict[str, Values]:
        return {name: values for name, values in of_classes.items() if name not in not_learnt}

    return ChannelImportance(
        channels=train.channels,
        share=_floats(share.mean(axis=0)),
        share_sd=_floats(_sd(share)),
        shapley=None if shapley is None else _floats(shapley.mean(axis=0)),
        shapley_sd=None if shapley is None else _floats(_sd(shapley)),
        per_class=learnt(_per_class(repeats, train.classes)),
        decoy=None if decoys is None else _floats(decoys.mean(axis=0)),
        p_value=None,
        accuracy={kind: item.balanced for kind, item in estimates.items()},
        recall={kind: item.recall for kind, item in estimates.items()},
        gate=gate.reason,
        seeds=tuple(item.seed for item in repeats),
        share_of_seed=tuple(_floats(item) for item in share),
        n_train=round(float(np.mean([len(item.train.rows) for item in division.sides]))),
        n_test=estimates["plain"].n_cells,
        warnings=tuple(dict.fromkeys([*warnings, *_doubts(repeats, estimates, not_learnt)])),
        provenance=provenance,
        estimates=estimates,
        whole=_mean([item.whole for item in repeats]),
        nothing=_mean([item.nothing for item in repeats]),
        share_alone=_floats(alone.mean(axis=0)),
        division=division.words,
        verdict=gate.verdict,
        p_value_reason=NOT_YET,
        not_learnt=not_learnt,
        accuracy_p={kind: getattr(tests, kind).p_above for kind in ("mixed", "plain")},
        above_decoy=None if above is None else tuple(above),
        above_zero=None if shapley is None else tuple(above_zero(shapley).tolist()),
        direction=learnt(directions_of(repeats, train.classes)),
        effects_readable=learnt(readable_effects(repeats, train.classes)),
        sampling_error=sampling_error_of(repeats),
    )


def _per_class(
    repeats: Sequence[RepeatResult], classes: Sequence[str]
) -> dict[str, tuple[float, ...]]:
    """Shapley values for the recall of each class, mean over the repeats that held it out."""
    if any(repeat.shapley_per_class is None for repeat in repeats):
        return {}
    values: FloatArray = np.array(
        [repeat.shapley_per_class for repeat in repeats], dtype=np.float64
    )
    there: npt.NDArray[np.bool_] = np.isfinite(values[:, :, 0])
    return {
        name: _floats(values[there[:, code], code].mean(axis=0))
        for code, name in enumerate(classes)
        if there[:, code].any()
    }


def _not_learnt(
    evidence: Evidence, plain: AccuracyEstimate, tests: AgainstChance
) -> dict[str, str]:
    """Why nothing is said of a class, for those that were not learnt."""
    p_of = dict(zip([row.name for row in plain.per_class], tests.plain.class_p, strict=True))
    return {
        row.name: (
            f"not learnt: recall {row.recall:.2f} of {counted(row.n_cells, 'held-out cell')} "
            f"is at chance (p = {p_of[row.name]:.2f} over groups)"
        )
        for row in plain.per_class
        if row.name in evidence.not_learnt
    }


def _doubts(
    repeats: Sequence[RepeatResult],
    estimates: dict[str, AccuracyEstimate],
    not_learnt: dict[str, str],
) -> list[str]:
    lines = [line for item in repeats for line in item.warnings]
    lines += [item.warning for item in estimates.values() if item.warning]
    lines += [f"class {name} was {why}" for name, why in not_learnt.items()]
    methods = [item.method for item in repeats]
    if min(methods) < max(methods):
        older = sum(method < max(methods) for method in methods)
        lines.append(
            f"{older} of {len(repeats)} repeats were kept from an earlier version, whose Shapley "
            f"values are noisier or know no signs; a run into a new folder computes all alike"
        )
    if len(repeats) < ENOUGH_REPEATS:
        lines.append(
            f"{counted(len(repeats), 'repeat', 'are')} too few for an error bar; use "
            f"{ENOUGH_REPEATS} or more"
        )
    return lines


def _stacked(repeats: Sequence[RepeatResult], name: str) -> FloatArray | None:
    """One list of every repeat as rows (S, C); None where one lacks it."""
    rows = [getattr(repeat, name) for repeat in repeats]
    return None if any(row is None for row in rows) else np.array(rows, dtype=np.float64)


def _mean(values: Sequence[float | None]) -> float | None:
    there = [value for value in values if value is not None]
    return float(np.mean(there)) if len(there) == len(values) else None


def _sd(values: FloatArray) -> FloatArray:
    if len(values) < 2:
        return np.zeros(values.shape[1])
    deviations: FloatArray = values.std(axis=0, ddof=1)
    return deviations


def _floats(values: npt.ArrayLike) -> tuple[float, ...]:
    return tuple(float(value) for value in np.asarray(values))
