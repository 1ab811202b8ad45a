"""The record of held-out cells by values worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.classify.held_out_record import held_out_record


def test_figures_are_of_the_calls_by_class_and_group() -> None:
    # Class a: 3 of 4 right. Class b: 1 of 2 right. Class c never occurs.
    labels = np.array([0, 0, 0, 0, 1, 1])
    called = np.array([0, 0, 0, 1, 1, 2])
    probabilities = np.full((6, 3), 0.1)
    probabilities[np.arange(6), called] = 0.8
    groups = np.array(["w1", "w1", "w2", "w2", "w3", "w4"])
    record = held_out_record(
        probabilities, labels, groups, ("a", "b", "c"), 10, doubt="may be known"
    )
    assert record["balanced_accuracy"] == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert record["chance"] == pytest.approx(1 / 2)
    assert record["recall"] == {"a": 0.75, "b": 0.5, "c": None}
    assert record["confusion"] == [[3, 1, 0], [0, 1, 1], [0, 0, 0]]
    assert record["confidence"] == pytest.approx(0.8)
    assert (record["n_train"], record["n_test"]) == (10, 6)
    assert record["estimate"]["warning"].endswith("may be known")
    # Group, label, call, cells.
    calls = [[0, 0, 0, 2], [1, 0, 0, 1], [1, 0, 1, 1], [2, 1, 1, 1], [3, 1, 2, 1]]
    assert record["calls"] == {"grouped": True, "rows": calls}
