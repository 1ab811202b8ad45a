from __future__ import annotations

import dataclasses

import numpy as np

from napari_channelmix.viewer.pages.pixels.cache import ExplanationCache
from napari_channelmix.viewer.session.explanation import Explanation, Question


def explanation(cell: int) -> Explanation:
    crops = np.zeros((2, 16, 16), np.float32)
    return Explanation(Question(), cell, 0, (0, 0, 16, 16), ("a", "b"), ("x", "y"), crops)


def test_those_not_asked_for_longest_make_room() -> None:
    cache = ExplanationCache(limit=3 * explanation(0).nbytes)
    for cell in range(3):
        cache.put(cell, explanation(cell))
    assert cache.get(0) is not None
    cache.put(3, explanation(3))
    assert [cache.get(cell) is not None for cell in range(4)] == [True, False, True, True]
    assert cache.nbytes <= 3 * explanation(0).nbytes
    cache.clear()
    assert len(cache) == 0


def test_an_explanation_that_is_too_large_is_kept_alone() -> None:
    cache = ExplanationCache(limit=10)
    cache.put(0, explanation(0))
    cache.put(1, explanation(1))
    assert len(cache) == 1 and cache.get(1) is not None


def test_another_question_is_another_explanation() -> None:
    one = Question(target="x")
    assert hash(one) == hash(Question(target="x"))
    for other in (
        {"versus": "y"},
        {"method": "blackbox"},
        {"channels": "separate"},
        {"target": None},
    ):
        assert dataclasses.replace(one, **other) != one
