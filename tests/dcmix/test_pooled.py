"""Predictions of all repeats together: how far intervals are widened over folds."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_channelmix.dcmix.pooled import pooled_of


def pooled(held_out: list[list[int]], cells: int, folds: int) -> Any:
    """Predictions of repeats that hold out these cells each; two groups of a class in each."""
    labels = np.arange(cells) % 2
    about = SimpleNamespace(classes=("a", "b"))
    sides, repeats = [], []
    for rows in held_out:
        here = np.array(rows)
        test = SimpleNamespace(
            rows=here,
            cells=SimpleNamespace(
                **vars(about), labels=labels[here], groups=(here // 4).astype(str)
            ),
        )
        train = SimpleNamespace(rows=np.setdiff1d(np.arange(cells), here))
        sides.append(SimpleNamespace(test=test, train=train))
        called = labels[here] ^ (here % 8 == 0)
        repeats.append(SimpleNamespace(mixed_predicted=called, plain_predicted=called))
    division = SimpleNamespace(sides=sides, folds=folds, rounded=lambda count: count)
    return pooled_of(repeats, division)  # type: ignore[arg-type]


def widened(found: Any) -> float:
    """How much wider the interval is than the one of the same answers without folds."""
    plain = pooled([list(range(len(found.labels)))], 10**6, 1)
    one, other = found.estimate("plain"), plain.estimate("plain")
    return float((one.balanced - one.low) / (other.balanced - other.low))


def test_folds_of_equal_size_widen_by_their_number() -> None:
    found = pooled([list(range(at, at + 20)) for at in range(0, 80, 20)], 80, 4)
    assert found.odds == pytest.approx(1 / 3)
    assert widened(found) == pytest.approx(np.sqrt(1 + 2 / 3))


def test_a_large_fold_widens_by_what_was_left_to_learn_from() -> None:
    # Sixty cells are predicted from 20, and 20 from 60: (60 x 3 + 20 / 3) / 80 = 7/3.
    found = pooled([list(range(60)), list(range(60, 80))], 80, 2)
    assert found.odds == pytest.approx(7 / 3)
    assert widened(found) == pytest.approx(np.sqrt(1 + 14 / 3))


def test_one_split_is_not_widened() -> None:
    found = pooled([list(range(40))], 80, 1)
    assert widened(found) == pytest.approx(1)
