"""Donors are laid on cells: eight views, the best overlap, outlines warped onto each other."""

import doctest

import numpy as np
import pytest

from napari_channelmix.whatif import alignment
from napari_channelmix.whatif.alignment import VIEWS, aligned, best_alignment, warp_sources


def blob(angle=0.0, long=7.0, short=3.0, side=24, off=0.0):
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    y = y - off
    u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    return (u / long) ** 2 + (v / short) ** 2 <= 1


def test_examples_are_true():
    result = doctest.testmod(alignment)
    assert result.attempted and not result.failed


def test_the_eight_views_of_a_crop_are_all_different():
    crop = np.arange(9).reshape(1, 3, 3)
    views = aligned(np.repeat(crop, VIEWS, axis=0), np.arange(VIEWS))
    assert len({view.tobytes() for view in views}) == VIEWS
    channels = aligned(np.stack([crop, crop + 9], axis=1), np.array([5]))
    assert channels[0, 1].tolist() == (views[5] + 9).tolist()


def test_a_cell_that_lies_across_is_turned_and_the_nearest_shape_is_taken():
    cell = blob(np.pi / 2)[None]
    donors = np.stack([blob(0, 5, 5), blob(0), blob(0.5)])
    made = best_alignment(cell, donors, np.array([[0, 1, 2]]))
    assert made.donor.tolist() == [1]
    assert made.overlap[0] == pytest.approx(1.0)
    assert (aligned(donors[made.donor], made.view) == cell).all()


def test_only_candidates_are_taken_and_none_is_said():
    cell, donors = blob()[None], np.stack([blob(), blob(0, 4, 4)])
    assert best_alignment(cell, donors, np.array([[1, -1]])).donor.tolist() == [1]
    none = best_alignment(cell, donors, np.array([[-1, -1]]))
    assert none.donor.tolist() == [-1] and none.overlap.tolist() == [0.0]


def test_surroundings_decide_among_donors_that_fit_alike():
    cell = blob(0, 4, 4)[None]
    near, far = blob(0, 4, 4) | blob(0, 3, 2, off=9), blob(0, 4, 4)
    surroundings = near[None], np.stack([far, near])
    made = best_alignment(cell, np.repeat(cell, 2, axis=0), np.array([[0, 1]]), surroundings)
    assert made.donor.tolist() == [1] and made.overlap[0] == 1.0


def test_a_warp_brings_one_outline_to_the_other():
    cell, donor = blob(0, 9, 5)[None], blob(0.4, 6, 4)[None]
    before = (cell & donor).sum() / (cell | donor).sum()
    x, y = np.rint(warp_sources(cell, donor)).astype(int).transpose(3, 0, 1, 2).clip(0, 23)
    moved = donor[0][y[0], x[0]]
    after = (cell[0] & moved).sum() / (cell[0] | moved).sum()
    assert before < 0.6
    assert after > 0.75


def test_a_warp_onto_itself_changes_nothing():
    cell = blob(0.3)[None]
    x, y = np.meshgrid(np.arange(24), np.arange(24))
    np.testing.assert_allclose(warp_sources(cell, cell)[0], np.stack([x, y], -1), atol=1e-3)
