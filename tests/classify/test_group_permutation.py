"""Labels dealt anew between groups: every way once, and classes kept together as they came."""

import numpy as np
import pytest

from napari_channelmix.classify.group_permutation import label_deals, ways_to_deal


def all_deals(labels, groups, classes, **settings):
    deals = label_deals(
        np.array(labels), np.array(groups), classes, np.random.default_rng(0), **settings
    )
    return deals, np.concatenate(list(deals.blocks))


def test_wells_of_one_class_are_dealt_whole_in_every_way_once():
    deals, rows = all_deals([0, 0, 1, 1, 1, 2], [0, 0, 1, 1, 2, 3], 3)
    assert deals.exact and deals.ways == 12
    np.testing.assert_array_equal(deals.labels, [0, 1, 1, 2])
    np.testing.assert_array_equal(deals.unit, [0, 0, 1, 1, 2, 3])
    assert len({tuple(row) for row in rows.tolist()}) == len(rows) == 12
    assert all(sorted(row) == [0, 1, 1, 2] for row in rows.tolist())


def test_more_ways_than_are_wanted_are_drawn():
    deals, rows = all_deals([0, 0, 1, 1], [0, 1, 2, 3], 2, exact_up_to=5, draws=7)
    assert (deals.exact, deals.ways, rows.shape) == (False, 6, (7, 4))
    assert (rows.sum(axis=1) == 2).all()


def test_groups_of_several_classes_hand_on_their_shares():
    # One group all of class 0, one half of class 1: whichever gives which, two of eight cells.
    deals, rows = all_deals([0, 0, 0, 0, 0, 0, 1, 1], [0] * 4 + [1] * 4, 2, draws=40)
    assert len(deals.labels) == 8 and not deals.exact
    halves = {tuple(sorted((row[:4].sum(), row[4:].sum()))) for row in rows}
    assert halves == {(0, 2)}


@pytest.mark.parametrize(
    ("counts", "ways"),
    [((3, 3), 20), ((6, 6), 924), ((2, 2, 2), 90), ((60, 60), float("inf")), ((120, 0), 1)],
)
def test_ways_to_deal(counts, ways):
    assert ways_to_deal(counts) == ways
