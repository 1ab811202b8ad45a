"""The class read from one number: found where planted, not claimed where the network sees more."""

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.classify.accuracy import AccuracyDifference, estimate_accuracy
from napari_channelmix.classify.channel_features import NAMES, CropNumbers
from napari_channelmix.dcmix.separability import NUMBERS, group_share, separability

CHANNELS, CLASSES = ("DNA", "actin"), ("untreated", "treated")
WELLS, CELLS = 12, 20


def screen(seed=0, *, effect=0.0, well=0.0, number="mean", channel=0):
    """Numbers of the cells of 12 wells, half of them treated, and what goes with them."""
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(WELLS), CELLS)
    labels = (groups >= WELLS // 2).astype(np.int64)
    values = rng.normal(size=(len(groups), len(NAMES), 2))
    values[:, NAMES.index("mean")] += 20
    values[:, NAMES.index("sd")] += 20
    at = NAMES.index(number)
    values[:, at, channel] += effect * labels + well * rng.normal(size=WELLS)[groups]
    numbers = CropNumbers(values, np.zeros((len(groups), 2, 2)))
    return numbers, labels, np.array([f"w{one}" for one in groups]), groups % 4


def network_of(labels, groups, accuracy, seed=0):
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(labels)) < accuracy, labels, 1 - labels)


def read(planted, accuracy=0.98):
    numbers, labels, groups, folds = planted
    return separability(
        numbers,
        labels,
        groups,
        folds,
        channels=CHANNELS,
        classes=CLASSES,
        network=network_of(labels, groups, accuracy),
    )


@pytest.mark.parametrize(("word", "name"), NUMBERS.items())
def test_the_number_that_tells_the_classes_apart_is_named(word, name):
    found = read(screen(effect=5.0, number=name, channel=1))
    assert (found.best.number, found.best.channel) == (word, "actin")
    assert found.readable
    assert found.sentence.startswith(f"Readable from the {word} of actin alone (")
    assert found.sentence.endswith("): stain or batch?")


def test_nothing_is_asked_where_the_network_sees_more():
    found = read(screen(effect=1.0), accuracy=0.98)
    assert found.best.name == "brightness of DNA"
    assert 0.6 < found.best.accuracy.balanced < 0.8
    assert not found.readable
    assert found.sentence == found.remedy == ""


def test_the_best_of_many_numbers_of_noise_is_at_chance():
    accuracies = [read(screen(seed)).best.accuracy.balanced for seed in range(6)]
    assert abs(np.mean(accuracies) - 0.5) < 0.06


def test_a_class_between_the_others_is_read_too():
    numbers, _, groups, folds = screen()
    order = np.arange(len(folds)) % 3
    numbers.values[:, NAMES.index("mean"), 0] += np.array([0.0, 8.0, 4.0])[order]
    found = separability(numbers, order, groups, folds, channels=CHANNELS, classes=("a", "b", "c"))
    assert found.best.accuracy.balanced > 0.9
    assert found.network is None and not found.readable


def test_scaling_per_group_takes_away_a_stain_that_differs_between_wells():
    numbers, labels, groups, folds = screen()
    # A stain moves all grey values of its channel.
    for name in ("low", "mean", "high"):
        numbers.values[:, NAMES.index(name), 0] += 5.0 * labels
    found = read((numbers, labels, groups, folds))
    assert found.best.accuracy.balanced > 0.95
    assert abs(found.scaled.accuracy.balanced - 0.5) < 0.15
    assert "scaled per group, the best number" in found.remedy
    assert "true differences in brightness" in found.remedy


def test_an_effect_of_the_class_is_no_difference_between_groups():
    found = read(screen(effect=5.0))
    assert found.groups_sentence == ""
    brightness = found.numbers[0]
    assert brightness.between_groups < 0.1 and not brightness.knows_the_group


def test_wells_that_differ_more_than_their_cells_are_named():
    found = read(screen(well=3.0))
    assert "brightness of DNA (" in found.groups_sentence
    assert "actin" not in found.groups_sentence
    share = next(one for one in found.numbers if one.name == "brightness of DNA").between_groups
    assert 0.75 < share < 0.97  # planted: 9 / (9 + 1)


def test_share_between_groups_by_hand():
    # Two classes of two groups of two cells. Between: 2 (4 + 4) + 2 (12.25 + 12.25) = 65 on 2
    # degrees of freedom; within: 2 + 2 + 0 + 2 = 6 on 4. Component (32.5 - 1.5) / 2.
    values = np.array([1.0, 3, 5, 7, 2, 2, 8, 10])
    share, p = group_share(values, np.repeat([0, 1], 4), np.repeat([0, 1, 2, 3], 2))
    assert share == pytest.approx(15.5 / 17)
    assert p == pytest.approx(1 / (1 + 2 * (32.5 / 1.5) / 4) ** 2)  # F(2, 4) beyond 32.5 / 1.5


def test_share_between_groups_that_hold_several_classes():
    # Least squares with a column per class and per group, and Henderson's trace, as a reference.
    rng = np.random.default_rng(0)
    labels, groups = rng.integers(0, 3, 200), rng.integers(0, 20, 200)
    values = labels + rng.normal(size=200) + 0.7 * rng.normal(size=20)[groups]
    classes, wells = np.eye(3)[labels], np.eye(20)[groups]

    def unexplained(design):
        fit = design @ np.linalg.lstsq(design, values, rcond=None)[0]
        return ((values - fit) ** 2).sum(), np.linalg.matrix_rank(design)

    (alone, rank), (both, ranks) = unexplained(classes), unexplained(np.hstack([classes, wells]))
    rest = np.eye(200) - classes @ np.linalg.pinv(classes)
    within, between = both / (200 - ranks), (alone - both) / (ranks - rank)
    component = (between - within) * (ranks - rank) / np.trace(wells.T @ rest @ wells)
    share, _ = group_share(values, labels, groups)
    assert share == pytest.approx(component / (component + within))


def test_cells_that_are_a_group_each_say_nothing_of_groups():
    values = np.random.default_rng(0).normal(size=50)
    assert group_share(values, np.arange(50) % 2, np.arange(50)) == (None, None)


def test_a_number_nearly_as_good_is_asked_about_and_one_clearly_behind_is_not():
    found = read(screen(effect=5.0))
    nearly = AccuracyDifference(0.04, 0.02, 0.06, 240, 12)
    behind = AccuracyDifference(0.08, -0.05, 0.2, 240, 12)
    assert replace(found, behind=nearly).readable
    assert not replace(found, behind=behind).readable


def test_as_json():
    found = read(screen(effect=5.0))
    content = found.as_dict()
    assert content["readable"] is True
    assert content["best"]["channel"] == "DNA"
    assert len(content["numbers"]) == 2 * len(NUMBERS)
    assert content["sentences"][0] == found.sentence
    _, labels, groups, _ = screen(effect=5.0)
    called = network_of(labels, groups, 0.98)
    assert found.network == estimate_accuracy(labels, called, groups, CLASSES)
