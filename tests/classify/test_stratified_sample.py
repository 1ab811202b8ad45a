"""Some of many cells: no class and no group vanishes."""

import numpy as np

from napari_channelmix.classify.stratified_sample import drawn_equally


def test_rare_kinds_keep_their_cells_and_the_others_share_the_rest():
    labels = np.array([0] * 50 + [1] * 3 + [2] * 40)
    chosen = drawn_equally(labels, 23, np.random.default_rng(0))
    assert np.bincount(labels[chosen]).tolist() == [10, 3, 10]
    assert (np.diff(chosen) > 0).all()
    assert drawn_equally(labels, 93, np.random.default_rng(0)).tolist() == list(range(93))


def test_no_more_than_the_limit_where_every_cell_is_a_group():
    names = np.array([f"cell {at}" for at in range(50)])
    chosen = drawn_equally(names, 20, np.random.default_rng(0))
    assert len(set(chosen.tolist())) == 20
    # Not the first ones.
    assert chosen.max() > 30
