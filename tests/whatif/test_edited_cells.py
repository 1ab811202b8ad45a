"""Which cells are edited: some of each class, from as many groups as there are."""

import doctest

import numpy as np

from napari_channelmix.data import Cells
from napari_channelmix.jobs import drain
from napari_channelmix.whatif import edited_cells as module
from napari_channelmix.whatif.edited_cells import edited_cells_job, spread

from .disc_cases import CHANNELS, by_light, disc_cells, disc_crops


def test_examples_are_true():
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_each_class_has_its_share_and_each_group_its_turn():
    classes = np.repeat([0, 1], (90, 10))
    groups = np.concatenate([np.repeat([0, 1, 2], (70, 15, 5)), np.zeros(10, int)])
    some = spread(classes, groups, 9)
    assert np.bincount(classes[some]).tolist() == [9, 9]
    assert np.bincount(groups[some[classes[some] == 0]]).tolist() == [3, 3, 3]
    assert len(np.unique(some)) == 18
    assert np.array_equal(some, spread(classes, groups, 9))
    assert not np.array_equal(some, spread(classes, groups, 9, seed=1))
    assert sorted(spread(classes, groups, None)) == list(range(100))


def test_groups_are_those_of_the_cells():
    chosen = drain(edited_cells_job(by_light(), disc_cells(40), limit=5))
    assert len(chosen) == 10 and chosen.group_kind == "group"
    assert np.bincount(chosen.labels).tolist() == [5, 5]
    names = disc_cells(40).groups[chosen.positions]
    assert [chosen.group_names[code] for code in chosen.groups] == names.tolist()


def test_cells_without_classes_or_groups_are_taken_as_they_are():
    cells = Cells.from_array(disc_crops(np.linspace(20, 100, 30)), CHANNELS)
    chosen = drain(edited_cells_job(by_light(), cells, limit=5))
    # As many as for two classes.
    assert len(chosen) == 10 and (chosen.labels == -1).all()
    assert chosen.group_kind == "cell" and len(np.unique(chosen.groups)) == 10
