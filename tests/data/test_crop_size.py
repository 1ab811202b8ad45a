"""Which crop is proposed for cells of known and of unknown size."""

from __future__ import annotations

import numpy as np

from napari_channelmix.data.crop_size import (
    crop_for_outlines,
    crop_for_points,
    diameter_around,
    nearest_distance,
)
from napari_channelmix.data.cut_cells import cut_off_warning


def test_99_percent_of_the_cells_fit_in_steps_of_eight() -> None:
    # 397 cells of 41 pixels and 3 of 300: 41 in steps of 8 is 48.
    extents = [41] * 397 + [300] * 3
    proposal = crop_for_outlines(extents, most=1024)
    assert proposal.side == 48 and not proposal.limited
    assert proposal.text(48) == "3 of 400 cells (0.8 %) do not fit"
    assert proposal.text(40) == "400 of 400 cells (100 %) do not fit"
    assert proposal.text(300) == "all 400 cells fit"
    # A third of 300 is more than 1 %, so that the crop must hold them.
    assert crop_for_outlines([41, 41, 300], most=1024).side == 304


def test_a_cell_of_exactly_a_step_fits() -> None:
    assert crop_for_outlines([64] * 10, most=1024).side == 64
    assert crop_for_outlines([65] * 10, most=1024).side == 72


def test_it_is_the_crop_that_the_warning_asks_for() -> None:
    extents = np.random.default_rng(0).integers(30, 90, 500)
    side = crop_for_outlines(extents, most=4096).side
    line = cut_off_warning(extents, np.full(500, 32), 32)[0]
    assert f"take a crop of {side} pixels" in line


def test_no_crop_is_larger_than_the_image() -> None:
    proposal = crop_for_outlines([200], most=100)
    assert proposal.side == 100 and proposal.limited
    assert proposal.text(100) == "1 of 1 cells (100 %) does not fit"
    assert crop_for_points([(0, 0), (0, 90)], most=50).side == 50


def test_points_are_guessed_from_those_that_touch() -> None:
    # Pairs 20 pixels apart: 1.5 x 20 = 30, in steps of 8 it is 32.
    points = [(y, x + shift) for y in range(0, 900, 300) for x in (0, 400) for shift in (0, 20)]
    proposal = crop_for_points(points, most=1024)
    assert proposal.side == 32 and proposal.guessed
    assert "guessed" in proposal.text(32)
    # Without a neighbour nothing is known, and points set twice are no neighbours.
    assert crop_for_points([(5, 5)], most=1024).side == 48
    assert crop_for_points([(5, 5), (5, 5)], most=1024).side == 48


def spots(radius: int, apart: int, sign: float = 1.0) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """Discs of a radius on a noisy ground, and their middles."""
    centres = [
        (y, x) for y in range(apart, 8 * apart, apart) for x in range(apart, 8 * apart, apart)
    ]
    y, x = np.mgrid[0 : 9 * apart, 0 : 9 * apart]
    plane = np.random.default_rng(0).normal(500, 10, y.shape)
    for row, column in centres:
        plane[(y - row) ** 2 + (x - column) ** 2 <= radius**2] += sign * 200
    return plane, centres


def test_cells_far_apart_are_measured_by_how_they_fade() -> None:
    # Discs of radius 10 that stand 50 apart: the distance alone would give 1.5 x 50, so 80.
    for sign in (1.0, -1.0):
        plane, centres = spots(10, 50, sign)
        diameter = diameter_around([plane], centres)
        assert diameter is not None and 19 <= diameter <= 25
        assert crop_for_points(centres, 1024).side == 80
        # 1.5 x 23 in steps of 8.
        assert crop_for_points(centres, 1024, diameter).side in (32, 40)


def test_the_widest_channel_counts_and_noise_none() -> None:
    small, centres = spots(6, 50)
    wide, _ = spots(14, 50)
    noise = np.random.default_rng(1).normal(0, 1, small.shape)
    measured = diameter_around([small, wide, noise], centres)
    assert measured is not None and 27 <= measured <= 33
    assert diameter_around([noise], centres) is None
    assert diameter_around([np.full(small.shape, np.nan)], centres) is None


def test_a_cell_is_no_wider_than_its_neighbours_are_far() -> None:
    centres = [(20, 20), (20, 32), (60, 60), (60, 72)]
    assert nearest_distance(centres) == 12
    # 1.5 x 12 in steps of 8, whatever the pixels show.
    assert crop_for_points(centres, 1024, diameter=40).side == 24
