"""Channels alone, all without one, and the smallest set: what is planted is what is said."""

import numpy as np
import pytest

from napari_channelmix.classify.channel_features import NAMES, CropNumbers
from napari_channelmix.classify.linear_head import LinearHead
from napari_channelmix.dcmix.single_channels import alone_job
from napari_channelmix.jobs import drain

CLASSES = ("n", "p")


def planted(shifts, seed=0, cells=1200, groups=60, labels=None):
    """Numbers of channels whose means follow ``shifts(labels)`` (N, C), in many small groups."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, cells) if labels is None else labels
    moved = shifts(labels, rng)
    values = rng.normal(size=(cells, len(NAMES), moved.shape[1]))
    # Grey values of a channel move together.
    for name in ("low", "mean", "high"):
        values[:, NAMES.index(name)] += moved
    group = np.arange(cells) % groups
    pairs = np.zeros((cells, moved.shape[1], moved.shape[1]))
    return CropNumbers(values, pairs), labels, group, group % 4


def asked(sample, classes=CLASSES, network=None):
    numbers, labels, groups, folds = sample
    names = tuple("abcdefgh"[: numbers.values.shape[2]])
    return drain(
        alone_job(numbers, labels, groups, folds, channels=names, classes=classes, network=network)
    )


def test_one_channel_that_says_it_all():
    found = asked(planted(lambda y, rng: np.stack([6 * y, 0 * y, 0 * y], axis=1)))
    assert found.alone[0].accuracy.balanced > 0.97
    assert abs(found.alone[1].accuracy.balanced - 0.5) < 0.06
    assert found.smallest.channels == ("a",)
    assert found.necessary == ("a",)
    assert found.sentences[0].startswith("a alone is as good as all (")
    assert found.sentences[1].startswith("accuracy lost without: a .")


def test_twins_that_repeat_each_other_are_not_necessary():
    found = asked(planted(lambda y, rng: np.stack([6 * y, 6 * y, 0 * y], axis=1)))
    assert found.none_is_necessary and not found.necessary
    assert found.sentences[0].startswith("a or b alone is as good as all (")
    assert found.sentences[1].startswith("no channel is necessary")


@pytest.mark.parametrize("extra", [1, 6], ids=["every set", "grown sets"])
def test_channels_that_are_needed_together(extra):
    # Four classes: whether a and whether b is bright.
    labels = np.random.default_rng(5).integers(0, 4, 1200)
    sample = planted(
        lambda y, rng: np.stack([6 * (y % 2), 6 * (y // 2), *([0 * y] * extra)], axis=1),
        labels=labels,
    )
    found = asked(sample, classes=("none", "a", "b", "both"))
    assert found.smallest.channels == found.needs == ("a", "b")
    assert found.sentences[0].startswith("needs a and b together (")
    assert found.necessary == ("a", "b")


def test_nothing_is_said_of_channels_at_chance():
    found = asked(planted(lambda y, rng: np.zeros((len(y), 2))))
    assert found.sentences == (
        "All channels together are not known to be above chance: nothing is said of each",
    )


def test_few_groups_justify_nothing():
    sample = planted(lambda y, rng: np.stack([1.2 * y, 0.6 * y], axis=1), cells=120, groups=4)
    found = asked(sample)
    assert not found.none_is_necessary
    assert not any("no channel is necessary" in line for line in found.sentences)


def test_a_head_that_falls_short_of_the_network_says_so():
    sample = planted(lambda y, rng: np.stack([1.5 * y, 0 * y], axis=1))
    found = asked(sample, network=sample[1])
    assert found.network.balanced == 1 and found.behind_network.low > 0.05
    assert not found.speaks_for_the_network
    assert "where the network reaches 1.00" in found.sentences[-1]
    equal = LinearHead(sample[0], sample[1], sample[3]).predict((0, 1))
    assert asked(sample, network=equal).speaks_for_the_network


def test_held_out_cells_teach_nothing():
    numbers, labels, _, folds = planted(lambda y, rng: np.stack([6 * y, 0 * y], axis=1))
    called = LinearHead(numbers, labels, folds).predict((0,))
    # Labels of fold 0 turned round: the calls for its cells stay the same, those of others change.
    turned = np.where(folds == 0, 1 - labels, labels)
    again = LinearHead(numbers, turned, folds).predict((0,))
    np.testing.assert_array_equal(again[folds == 0], called[folds == 0])


def test_cells_that_are_never_held_out_teach_only():
    numbers, labels, groups, folds = planted(lambda y, rng: np.stack([6 * y, 0 * y], axis=1))
    once = np.where(folds == 0, 0, -1)
    called = LinearHead(numbers, labels, once).predict((0, 1))
    assert (called[once < 0] == -1).all() and (called[once == 0] >= 0).all()
    found = asked((numbers, labels, groups, once))
    assert found.whole.n_cells == (once == 0).sum()
    assert found.whole.n_groups == 15


def test_the_gap_to_all_is_that_of_the_accuracies():
    found = asked(planted(lambda y, rng: np.stack([2 * y, 1 * y, 0 * y], axis=1)))
    for one in (*found.alone, *found.without):
        assert one.behind.difference == pytest.approx(found.whole.balanced - one.accuracy.balanced)
    content = found.as_dict()
    assert content["alone"][1]["channels"] == ("b",)
    assert content["sentences"] == list(found.sentences)


def test_a_single_channel_is_all_there_is() -> None:
    found = asked(planted(lambda y, rng: 6 * y[:, None]))
    assert found.alone[0].accuracy == found.whole
    # Without it nothing is left but a guess.
    assert found.without[0].channels == () and found.without[0].accuracy.balanced == 0.5
    assert found.necessary == ("a",) and found.smallest is None
    assert found.sentences == ("a is the only channel: there is no other to compare it with",)
