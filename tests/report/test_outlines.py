import numpy as np
import pytest
from skimage.draw import polygon2mask

from napari_channelmix.report.outlines import polygons_of


def mask_of(text):
    return np.array([[sign == "#" for sign in row] for row in text.split()])


def area(ring):
    corners = np.array(ring[:-1])
    x, y = corners.T
    return (x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2


def test_a_bent_object_is_one_ring_of_its_corners():
    assert polygons_of(mask_of("#. ##"), y=10, x=100) == [
        [[(100, 10), (101, 10), (101, 11), (102, 11), (102, 12), (100, 12), (100, 10)]]
    ]


def test_a_hole_is_a_ring_of_its_own():
    ((outer, hole),) = polygons_of(mask_of("### #.# ###"))
    assert sorted(hole[:-1]) == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert (area(outer), area(hole)) == (9, -1)


def test_parts_that_meet_at_a_corner_are_polygons_of_their_own():
    polygons = polygons_of(mask_of("#. .#"))
    assert [area(rings[0]) for rings in polygons] == [1, 1]
    assert all(len(set(rings[0][:-1])) == 4 for rings in polygons)


def test_an_island_in_a_hole_is_a_polygon_beside_it():
    polygons = polygons_of(mask_of("##### #...# #.#.# #...# #####"))
    by_area = sorted(polygons, key=lambda rings: area(rings[0]))
    assert [area(rings[0]) for rings in by_area] == [1, 25]
    assert [len(rings) for rings in by_area] == [1, 2]


@pytest.mark.parametrize("seed", range(6))
def test_any_mask_comes_back_from_its_polygons(seed):
    mask = np.random.default_rng(seed).random((12, 15)) < 0.6
    again = np.zeros(mask.shape, int)
    total = 0.0
    for rings in polygons_of(mask):
        for ring in rings:
            # No corner twice: the ring does not touch itself.
            assert len(set(ring[:-1])) == len(ring) - 1
            # Middles of pixels lie half a pixel from the corners.
            inside = polygon2mask(mask.shape, np.array(ring)[:, ::-1] - 0.5)
            again += np.where(inside, 1 if area(ring) > 0 else -1, 0)
            total += area(ring)
    np.testing.assert_array_equal(again, mask)
    assert total == mask.sum()
