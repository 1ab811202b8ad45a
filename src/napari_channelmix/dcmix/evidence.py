"""What the gate is decided from: tests of the predictions for held-out cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.classify.accuracy import accuracy_difference
from napari_channelmix.classify.permutation import PermutationTest, permutation_test
from napari_channelmix.dcmix.reliability import LEVEL, Evidence, Standing

if TYPE_CHECKING:
    from napari_channelmix.classify.accuracy import AccuracyEstimate
    from napari_channelmix.dcmix.pooled import Pooled

__all__ = ["AgainstChance", "against_chance", "evidence_of"]


@dataclass(frozen=True)
class AgainstChance:
    """Permutation tests of both networks, channel-mixing and all-channel, on the same cells."""

    mixed: PermutationTest
    plain: PermutationTest


def against_chance(pooled: Pooled) -> AgainstChance:
    """Test both networks against permuted labels of groups."""
    mixed, plain = (
        permutation_test(
            pooled.labels, called, pooled.groups, len(pooled.classes), cells=pooled.cells
        )
        for called in (pooled.mixed, pooled.plain)
    )
    return AgainstChance(mixed, plain)


def evidence_of(
    pooled: Pooled, estimates: dict[str, AccuracyEstimate], tests: AgainstChance
) -> Evidence:
    """The numbers that the gate is decided from."""
    plain, mixed = estimates["plain"], estimates["mixed"]
    cost = accuracy_difference(
        pooled.labels,
        pooled.plain,
        pooled.mixed,
        pooled.groups,
        len(pooled.classes),
        cells=pooled.cells,
    )
    losses = {
        first.name: first.recall - other.recall
        for first, other in zip(plain.per_class, mixed.per_class, strict=True)
        if first.recall is not None and other.recall is not None
    }
    return Evidence(
        plain=_standing(plain, tests.plain),
        mixed=_standing(mixed, tests.mixed),
        least_p=tests.plain.least,
        groups=tests.plain.n_groups,
        cost=cost.difference,
        cost_low=cost.low,
        losses=losses,
        lone=_lone(pooled),
        not_learnt=tuple(_not_learnt(pooled.classes, tests.plain)),
    )


def _standing(estimate: AccuracyEstimate, test: PermutationTest) -> Standing:
    return Standing(
        estimate.balanced, estimate.low, estimate.high, estimate.chance, test.p_above, test.p_below
    )


def _not_learnt(classes: tuple[str, ...], test: PermutationTest) -> list[str]:
    """Classes whose cells are not called so more often than others are.

    A class in so few groups that no p could be small enough counts as learnt only where no other
    deal of the labels has so high a recall.
    """
    return [
        name
        for name, p, least in zip(classes, test.class_p, test.class_least, strict=True)
        if p is not None and least is not None and p >= LEVEL and p > least + 1e-9
    ]


def _lone(pooled: Pooled) -> dict[str, str]:
    """Classes that were held out in one group only, with that group, where groups are known."""
    count = len(np.unique(pooled.groups))
    lone = {}
    if 1 < count < len(np.unique(pooled.cells)):
        for code, name in enumerate(pooled.classes):
            groups = np.unique(pooled.groups[pooled.labels == code])
            if len(groups) == 1:
                lone[name] = str(groups[0])
    return lone
