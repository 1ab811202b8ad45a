"""What speaks against reading the answers."""

import numpy as np

from napari_channelmix.whatif.doubts import doubts_of
from napari_channelmix.whatif.responses import Responses

CLASSES = ("low", "high")


def doubts(base, labels, groups=None, kind="group"):
    base = np.asarray(base, np.float32)
    groups = np.arange(len(base)) % 8 if groups is None else np.asarray(groups)
    return doubts_of(
        Responses(np.arange(len(base)), base, ()), np.asarray(labels), groups, CLASSES, kind
    )


def sure(codes):
    return np.where(np.asarray(codes)[:, None] == np.arange(2), 0.9, 0.1)


def test_a_classifier_that_knows_the_classes_is_not_doubted():
    codes = np.arange(40) % 2
    groups = np.arange(40) // 5
    assert doubts(sure(codes), codes, groups).lines == ()


def test_one_at_chance_cannot_be_read():
    rng = np.random.default_rng(0)
    made = doubts(sure(rng.integers(0, 2, 60)), rng.integers(0, 2, 60))
    assert "not better than chance" in made.unreadable
    assert made.lines[0].endswith("what moves it says nothing about the classes")


def test_one_that_has_not_decided_cannot_be_read():
    base = np.tile([0.505, 0.495], (30, 1))
    assert "has not decided" in doubts(base, np.full(30, -1)).unreadable


def test_few_groups_no_groups_and_single_cells_are_said():
    codes = np.array([0] * 19 + [1])
    (few, single) = doubts(sure(codes), np.full(20, -1), np.arange(20) % 3).lines
    assert few == "3 groups: the intervals cannot be trusted"
    assert single.startswith("one cell only is predicted as high")
    (one, _) = doubts(sure(codes), np.full(20, -1), np.zeros(20)).lines
    assert one.startswith("one group only")
    (none, _) = doubts(sure(codes), np.full(20, -1), np.arange(20), "cell").lines
    assert none.startswith("the cells have no groups")
    (never,) = doubts(sure(np.zeros(8, int)), np.full(8, -1)).lines
    assert never.startswith("no cell is predicted as high")
