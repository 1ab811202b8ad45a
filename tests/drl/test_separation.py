"""What separates the classes: groups stay whole, chance looks like chance, few cells are enough."""

import json

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

from napari_channelmix.classify.intervals import accuracy_interval, difference_interval
from napari_channelmix.drl import separation
from napari_channelmix.drl.separation import _ahead, _splits, separation_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain


def data(count=80, classes=2, seed=0, groups=None, noise=0.5):
    """Columns of which the first says the class; a group holds four cells of one class."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) // 4 % classes
    names = np.arange(count) // 4 if groups is None else groups
    latents = rng.normal(size=(count, 3))
    latents[:, 0] = labels + noise * rng.normal(size=count)
    columns = {"latents": latents, "hand-crafted": rng.normal(size=(count, 2))}
    return columns, labels, np.asarray(names).astype(str)


def separated(columns, labels, groups, classes=("a", "b", "c"), **settings):
    axes = {"Scale": [0], "Orientation": [1, 2]}
    return drain(separation_job(columns, labels, groups, classes, axes, **settings))


def nearest(x, y, seed):
    """A learner that takes no time, where only folds and cells are looked at."""
    yield separation.Progress(0, 1, "")
    return KNeighborsClassifier(1).fit(x, y)


BRIEF = {"learners": {"nearest": nearest, "the same": nearest}}


@pytest.fixture
def seen_folds(monkeypatch):
    """The folds that were tested on."""
    folds = []

    def watched(labels, group, wanted, seed):
        splits = _splits(labels, group, wanted, seed)
        # Those by which a classifier is chosen are of some cells only.
        if wanted != separation.INNER:
            folds.append(splits)
        return splits

    monkeypatch.setattr(separation, "_splits", watched)
    return folds


# ---------------------------------------------------------------- the figures


def test_what_says_the_class_is_found_and_what_does_not_is_at_chance():
    found = separated(*data())
    assert found.classes == ("a", "b")
    for kind in ("trees", "network"):
        good, noise = found.tested["latents"][kind], found.tested["hand-crafted"][kind]
        assert good.low > 0.6
        assert noise.low < 0.5 < noise.high
        assert 0 <= noise.low <= noise.accuracy <= noise.high <= 1
    assert found.importance["Scale"][0] > 0.15
    assert abs(found.importance["Orientation"][0]) < 0.1
    assert sum(found.chosen["latents"].values()) == 5
    assert (found.folds, found.groups, found.cells, found.warnings) == (5, 20, 80, ())


def test_accuracy_is_that_of_predictions_for_cells_held_out():
    # Every cell has a number of its own: learnt by heart, it says nothing of others.
    columns, labels, groups = data()
    columns["latents"] = np.arange(80.0)[:, None] * np.ones(3)
    rng = np.random.default_rng(3)
    labels = rng.permutation(labels)
    trees = {"trees": separation._trees}
    found = separated(columns, labels, groups, learners=trees)
    assert found.tested["latents"]["trees"].accuracy < 0.75


def test_groups_stay_whole_and_every_class_is_learnt_in_every_fold(seen_folds):
    rng = np.random.default_rng(0)
    columns, labels, _ = data(120, classes=3)
    separated(columns, labels, rng.integers(0, 15, 120).astype(str), **BRIEF)
    ((splits, folds),) = seen_folds
    assert len(splits) == folds == 5


@pytest.mark.parametrize("seed", range(30))
def test_folds_are_whole_groups_that_cover_all_cells_once(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, rng.integers(3, 12), 30)
    labels = rng.integers(0, 3, 30)
    for code in range(3):
        # Each class in two groups at least.
        labels[np.flatnonzero(groups == groups[code])[0]] = code
        labels[np.flatnonzero(groups != groups[code])[0]] = code
    if min(len(np.unique(groups[labels == code])) for code in range(3)) < 2:
        pytest.skip("drawn with a class in one group")
    group = np.unique(groups, return_inverse=True)[1]
    splits, folds = _splits(labels, group, 5, seed)
    assert len(splits) == folds
    tested = np.concatenate([test for _, test in splits])
    assert sorted(tested) == list(range(30))
    for train, test in splits:
        assert len(test)
        assert not set(group[train]) & set(group[test])
        assert set(labels[train]) == {0, 1, 2}


def test_classes_that_two_folds_would_tear_apart_are_tested_with_more():
    # Each class in two of three groups: in two folds, one class is always held out as a whole.
    group = np.repeat([0, 1, 2], 8)
    labels = np.concatenate([np.repeat([0, 2], 4), np.repeat([0, 1], 4), np.repeat([1, 2], 4)])
    splits, folds = _splits(labels, group, 5, 0)
    assert folds == 3
    assert all(set(labels[train]) == {0, 1, 2} for train, _ in splits)


def test_intervals_are_those_of_accuracies_everywhere():
    columns, labels, groups = data()

    def learner(name):
        def learn(x, y, seed):
            yield separation.Progress(0, 1, "")
            return Fixed(name)

        return learn

    class Fixed:
        def __init__(self, name):
            self.name = name

        def predict(self, x):
            said = (x[:, 0] > 0.5).astype(int) if self.name == "cut" else np.zeros(len(x), int)
            return said

    found = separated(
        columns, labels, groups, learners={"cut": learner("cut"), "none": learner("none")}
    )
    answers = (columns["latents"][:, 0] > 0.5).astype(int)
    low, high = accuracy_interval(labels, answers, groups, 3)
    cut = found.tested["latents"]["cut"]
    assert (cut.low, cut.high) == (pytest.approx(low), pytest.approx(high))
    # The better one is chosen in every fold, by cells that are learnt from.
    assert found.chosen["latents"] == {"cut": 5, "none": 0}
    assert found.best["latents"] == cut
    assert found.tested["latents"]["none"].accuracy == 0.5


def test_the_choice_never_looks_at_held_out_cells():
    # The last column is the cell's number, by which a model tells which cells it knows.
    columns, labels, groups = data(80)
    looked = []

    class Told:
        def __init__(self, known):
            self.known = known

        def predict(self, x):
            looked.append((self.known, set(x[:, -1].tolist())))
            return np.zeros(len(x), int)

    def learn(x, y, seed):
        yield separation.Progress(0, 1, "")
        return Told(set(x[:, -1].tolist()))

    columns["latents"] = np.column_stack([columns["latents"], np.arange(80.0)])
    columns["hand-crafted"] = np.column_stack([columns["hand-crafted"], np.arange(80.0)])
    separated(columns, labels, groups, learners={"one": learn, "two": learn})
    assert looked
    assert all(not known & asked for known, asked in looked)
    # In all, 5 folds of 16 cells; a choice predicts the 64 others, 32 of them at a time.
    inner = [(known, asked) for known, asked in looked if len(known) == 32]
    assert len(inner) == 5 * 2 * 2 * 2
    assert all(len(known | asked) == 64 for known, asked in inner)


def test_a_class_in_one_group_of_those_learnt_from_leaves_no_choice():
    columns, labels, groups = data(16)
    # Two groups of each class: with one held out, one is left.
    found = separated(columns, labels, groups)
    assert found.folds == 2
    assert found.chosen == {
        "latents": {"trees": 2, "network": 0},
        "hand-crafted": {"trees": 2, "network": 0},
    }


def test_the_interval_of_the_lead_allows_for_folds_that_learn_the_same_cells():
    rng = np.random.default_rng(0)
    labels, group = np.arange(96) % 2, np.arange(96) // 8
    first = np.where(rng.random(96) < 0.7, labels, 1 - labels)
    other = np.where(rng.random(96) < 0.6, labels, 1 - labels)
    difference, low, high = difference_interval(labels, first, other, group, 2)
    lead = _ahead(labels, first, other, group, 2, 5)
    # Variance of the mean of 5 scores: 1/5 + 1/4 instead of 1/5.
    wider = np.sqrt((1 / 5 + 1 / 4) / (1 / 5))
    assert lead.accuracy == pytest.approx(difference)
    assert lead.low == pytest.approx(difference - wider * (difference - low))
    assert lead.high == pytest.approx(difference + wider * (high - difference))


def test_two_perfect_sets_are_not_known_to_be_equal():
    labels, group = np.arange(96) % 2, np.arange(96) // 8
    lead = _ahead(labels, labels, labels, group, 2, 5)
    assert lead.accuracy == 0
    assert lead.low < -0.02 < 0.02 < lead.high


def test_rare_classes_weigh_as_much_as_common_ones():
    labels = np.array([0] * 90 + [1] * 10)
    assert separation._tested(labels, np.zeros(100, int), np.arange(100), 2).accuracy == 0.5


# ---------------------------------------------------------------- who takes part


def test_a_class_in_one_group_is_left_out_with_a_warning():
    columns, labels, groups = data(80, classes=2)
    labels = labels.copy()
    labels[:4] = 2
    found = separated(columns, labels, groups, **BRIEF)
    assert found.classes == ("a", "b")
    assert found.warnings == ("class 'c' has cells of one group only and is left out",)
    assert found.groups == 19


def test_cells_without_a_class_are_left_out():
    columns, labels, groups = data()
    labels = labels.copy()
    labels[:8] = -1
    columns["latents"][:8] = np.nan
    assert separated(columns, labels, groups, **BRIEF).groups == 18


@pytest.mark.parametrize("classes", [1, 0])
def test_fewer_than_two_classes_are_refused(classes):
    columns, _, groups = data()
    with pytest.raises(DataError, match="needs two classes with cells in two groups each"):
        separated(columns, np.full(80, classes - 1), groups)


def test_two_classes_of_one_group_each_are_refused():
    columns, labels, _ = data()
    with pytest.raises(DataError, match="two classes with cells in two groups each"):
        separated(columns, labels, labels.astype(str))


@pytest.mark.parametrize("count", [4, 9, 14])
def test_a_handful_of_cells_is_tested_too(count):
    labels = np.arange(count) % 2
    rng = np.random.default_rng(0)
    columns = {
        "latents": labels[:, None] + 0.01 * rng.normal(size=(count, 3)),
        "hand-crafted": rng.normal(size=(count, 1)),
    }
    found = separated(columns, labels, np.arange(count).astype(str))
    assert found.folds == min(5, count // 2)
    for tested in found.tested.values():
        for one in tested.values():
            assert 0 <= one.low <= one.accuracy <= one.high <= 1
    if count >= 14:
        assert found.best["latents"].accuracy == 1
        assert found.tested["latents"]["trees"].accuracy == 1


def test_a_class_of_two_cells_among_many_is_tested():
    columns, labels, _ = data(420)
    labels = labels.copy()
    labels[[0, 200]] = 2
    found = separated(columns, labels, np.arange(420).astype(str))
    assert found.classes == ("a", "b", "c")
    assert found.folds == 2


def test_folds_whose_cells_have_one_class_alone_are_tested():
    # Groups of one class: a fold may hold no cell of the other.
    columns, labels, _ = data(24)
    separated(columns, labels, np.arange(24) // 4)


def test_constant_columns_do_no_harm():
    columns, labels, groups = data(40)
    columns["hand-crafted"] = np.ones((40, 2))
    found = separated(columns, labels, groups, folds=2)
    assert found.tested["hand-crafted"]["trees"].accuracy == pytest.approx(0.5, abs=0.1)


# ---------------------------------------------------------------- the job


def test_the_result_repeats_from_its_seed_and_is_ready_for_json():
    given = data(24)
    one, again = (separated(*given, folds=2) for _ in range(2))
    assert one == again
    said = json.loads(json.dumps(one.as_dict(), allow_nan=False))
    assert said["tested"]["latents"]["trees"] == vars(one.tested["latents"]["trees"])
    assert set(said["importance"]) == {"Scale", "Orientation"}


def test_progress_never_goes_back_and_the_job_can_be_closed():
    axes = {"Scale": [0], "Orientation": [1, 2]}
    job = separation_job(*data(48), ("a", "b"), axes, folds=2)
    done = [next(job).fraction for _ in range(6)]
    assert done == sorted(done)
    job.close()
    with pytest.raises(StopIteration):
        next(job)


def test_cancel_is_looked_for_between_trees_and_between_passes():
    axes = {"Scale": [0], "Orientation": [1, 2]}
    job = separation_job(*data(), ("a", "b"), axes, folds=2)
    stages = [step.stage for step in job]
    for kind, looks in (("trees", 2), ("network", 10)):
        assert stages.count(f"latents, {kind}, fold 1 of 2") >= looks


def test_trees_that_grow_in_bouts_are_those_that_grow_at_once(monkeypatch):
    columns, labels, _ = data(count=80)
    said = []
    for rounds in (10, 50, 100):
        monkeypatch.setattr(separation, "ROUNDS", rounds)
        trees = drain(separation._trees(columns["latents"], labels, 0))
        said.append(trees.predict_proba(columns["latents"]))
    np.testing.assert_array_equal(said[0], said[1])
    np.testing.assert_array_equal(said[0], said[2])


def test_the_network_keeps_the_pass_that_read_held_out_cells_best(monkeypatch):
    columns, labels, _ = data(count=800, noise=0.3)
    score, told, held_out = MLPClassifier.score, [], []

    def watched(self, x, y):
        held_out[:] = [(x, y)]
        told.append(score(self, x, y))
        return told[-1]

    monkeypatch.setattr(MLPClassifier, "score", watched)
    network = drain(separation._network(columns["latents"], labels, 0))[-1]
    assert len(held_out[0][1]) == 80
    assert separation.PATIENCE < len(told) < 300
    assert score(network, *held_out[0]) == max(told)
