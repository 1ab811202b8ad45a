"""Outlines: true distances, centred, of equal area where asked, periodic under rotation."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt

from napari_channelmix.drl.shapes import BEAN, ELLIPSE, HEART, LOBED, OVAL, ROUNDISH, SQUARE

ALL = (SQUARE, ELLIPSE, HEART, ROUNDISH, OVAL, BEAN, LOBED)
SIDE, SIZE = 96, 40.0

every_outline = pytest.mark.parametrize("outline", ALL, ids=lambda one: one.name)


def field(outline, size=SIZE, angle=0.0):
    return outline.field(SIDE, size, angle).numpy()


@every_outline
def test_the_field_is_the_distance_to_the_outline(outline):
    distance = field(outline)
    inside = distance > 0
    measured = distance_transform_edt(inside) - distance_transform_edt(~inside)
    # Deeper inside it only has to grow: a union of discs knows its notches from outside alone.
    near = (measured > -4) & (measured < 2)
    # From the middle of a pixel to the outline, not to the next pixel's middle.
    assert np.abs(distance - (measured - 0.5 * np.sign(measured)))[near].max() < 1.0


@every_outline
def test_the_centroid_is_in_the_middle(outline):
    y, x = np.nonzero(field(outline) > 0)
    assert (y.mean(), x.mean()) == pytest.approx(((SIDE - 1) / 2,) * 2, abs=0.4)


@every_outline
def test_a_turn_over_the_period_gives_the_same_picture_and_half_of_it_another(outline):
    turn = 2 * math.pi / outline.period
    np.testing.assert_allclose(
        field(outline, angle=0.3 + turn), field(outline, angle=0.3), atol=1e-3
    )
    assert np.abs(field(outline, angle=0.3 + turn / 2) - field(outline, angle=0.3)).max() > 1


@every_outline
def test_area_grows_with_the_square_of_the_size(outline):
    small, large = ((field(outline, size) > 0).sum() for size in (20, 60))
    assert large / small == pytest.approx(9, rel=0.04)


@every_outline
def test_at_its_own_diameter_an_outline_has_the_area_of_a_disc(outline):
    area = (field(outline, 50 * outline.diameter_for_area(), angle=0.4) > 0).sum()
    assert area == pytest.approx(math.pi * 25**2, rel=0.01)


def test_square_and_ellipse_have_the_areas_of_their_formulas():
    assert (field(SQUARE) > 0).sum() == SIZE**2
    assert (field(ELLIPSE) > 0).sum() == pytest.approx(math.pi * 0.35 * 0.65 * SIZE**2, rel=0.01)


def test_an_ellipse_is_longest_across_and_turns_with_the_angle():
    def extents(angle):
        y, x = np.nonzero(field(ELLIPSE, angle=angle) > 0)
        return np.ptp(y) + 1, np.ptp(x) + 1

    assert extents(0.0) == (28, 52)
    assert extents(math.pi / 2) == (52, 28)


# ---------------------------------------------------------------- the formulas, by hand


def distance_at(outline, y, x):
    """Signed distance at a point, in units of the size."""
    return float(outline.distance(torch.tensor([[y, x]], dtype=torch.float64))[0])


@pytest.mark.parametrize(
    ("outline", "y", "x"),
    [
        (SQUARE, 0.5, 0.2),
        (SQUARE, -0.1, -0.5),
        (ELLIPSE, 0.35, 0),
        (ELLIPSE, 0, 0.65),
        (ROUNDISH, 0.45, 0),
        (ROUNDISH, 0, -0.56),
        (OVAL, -0.38, 0),
        (OVAL, 0, 0.66),
        # A disc of .25 around a point .27 away, three times round.
        (LOBED, 0.52, 0),
        (LOBED, 0.27, 0.25),
        (LOBED, -0.135, -0.27 * math.sqrt(3) / 2 - 0.25),
    ],
)
def test_these_points_lie_on_the_outline(outline, y, x):
    assert distance_at(outline, y, x) == pytest.approx(0, abs=1e-9)


def test_distances_of_a_square_and_of_a_disc_are_exact():
    assert distance_at(SQUARE, 0.1, 0.3) == pytest.approx(0.2)
    assert distance_at(SQUARE, 0.8, 0.9) == pytest.approx(-0.5)
    assert distance_at(LOBED, 0.3, 0.0) == pytest.approx(0.22)


def test_a_bean_is_what_lies_within_23_hundredths_of_an_arc():
    # The arc has the radius .36 and reaches one radian to both sides of upwards.
    shift = 0.2667
    assert distance_at(BEAN, shift - 0.36, 0) == pytest.approx(0.23)
    assert distance_at(BEAN, shift - 0.36 - 0.23, 0) == pytest.approx(0, abs=1e-9)
    end = shift - 0.36 * math.cos(1.0), 0.36 * math.sin(1.0)
    assert distance_at(BEAN, *end) == pytest.approx(0.23)
    # Beyond its end the nearest point of the arc is that end.
    assert distance_at(BEAN, end[0] + 0.1, end[1]) == pytest.approx(0.13)


def test_a_heart_is_a_square_on_its_corner_and_two_discs_on_its_upper_sides():
    half, s = 0.30, math.sqrt(0.5)

    def at(a, b):
        """A point of the turned square as (y, x)."""
        a, b = a + 0.313 * half, b + 0.313 * half
        return s * (a + b), s * (a - b)

    # The lower corner, the middles of the square and of a disc, the far end of that disc.
    assert distance_at(HEART, *at(half, half)) == pytest.approx(0, abs=1e-9)
    assert distance_at(HEART, *at(0, 0)) == pytest.approx(half)
    assert distance_at(HEART, *at(-half, 0)) == pytest.approx(half)
    assert distance_at(HEART, *at(-2 * half, 0)) == pytest.approx(0, abs=1e-9)
    assert distance_at(HEART, *at(0, -2 * half)) == pytest.approx(0, abs=1e-9)
