"""The one object in the middle of a crop: whole, smooth, without what hangs on it."""

from __future__ import annotations

import numpy as np

from napari_channelmix.drl.middle_object import middle_object

Y, X = np.mgrid[:80, :80] - 39.5


def disc(radius, y=0.0, x=0.0):
    return np.hypot(Y - y, X - x) < radius


def alike(one, other):
    """Overlap over union."""
    return (one & other).sum() / (one | other).sum()


def test_a_sound_outline_stays_as_it_is_wherever_it_lies():
    ellipse = (Y / 25) ** 2 + (X / 12) ** 2 < 1
    for outline in (disc(25), disc(8), disc(12, -20, 10), ellipse):
        mask, sure = middle_object(outline)
        assert sure
        np.testing.assert_array_equal(mask, outline)


def test_a_ring_with_a_gap_is_filled():
    ring = disc(28) & ~disc(20)
    broken = ring & ~((X > 0) & (np.abs(Y) < 2))
    for one in (ring, broken):
        mask, sure = middle_object(one)
        assert sure
        assert alike(mask, disc(28)) > 0.93


def test_a_half_ring_is_filled_to_its_hull():
    crescent = disc(28) & ~disc(22) & (X < 8)
    mask, sure = middle_object(crescent)
    assert sure
    assert mask[40, 40]
    assert alike(mask, disc(28) & (X < 8)) > 0.9


def test_a_thread_is_cut_off():
    thread = disc(22, 0, -4) | ((np.abs(Y) < 3) & (X > 0) & (X < 36))
    cell, sure = middle_object(thread)
    assert sure
    assert alike(cell, disc(22, 0, -4)) > 0.9


def test_a_cross_of_threads_is_no_cell_and_an_empty_mask_is_none():
    cross = ((np.abs(Y) < 5) | (np.abs(X) < 5)) & disc(38)
    for mask in (cross, np.zeros((80, 80), bool)):
        cell, sure = middle_object(mask)
        assert not sure
        assert cell[40, 40]
