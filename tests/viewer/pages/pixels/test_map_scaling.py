from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.viewer.pages.pixels.map_scaling import inside, pasted, scaled


def test_a_map_is_scaled_to_its_strongest_values_for_and_against_alike() -> None:
    one = np.linspace(-1, 4, 100, dtype=np.float32).reshape(10, 10)
    one[0, 0] = 1000
    found = scaled(one)
    # Of 100 pixels, one is far above the rest: 98 % of the absolute values lie below about 4.
    assert found.max() == 1 and found[0, 1] == pytest.approx(one[0, 1] / 4, rel=0.03)
    assert (np.sign(found) == np.sign(one)).all()
    # One pixel that stands out leaves the others as strong as they are.
    assert found[9, 5] > 0.9


def test_a_map_without_evidence_stays_empty() -> None:
    for one in (np.zeros((4, 4)), np.full((4, 4), np.nan)):
        assert not scaled(one.astype(np.float32)).any()


def test_a_map_of_few_pixels_is_seen() -> None:
    one = np.zeros((20, 20), np.float32)
    one[3, 4] = 5
    assert scaled(one)[3, 4] == 1
    assert scaled(-one)[3, 4] == -1


def test_where_boxes_overlap_the_stronger_value_stays() -> None:
    image = np.zeros((10, 10), np.float32)
    left, right = np.ones((4, 4), np.float32), np.tile(np.linspace(0.2, 1, 4), (4, 1))
    pasted(image, left, (2, 0, 6, 4))
    pasted(image, right.astype(np.float32), (2, 2, 6, 6))
    np.testing.assert_allclose(image[3, :6], [1, 1, 1, 1, right[0, 2], 1], atol=1e-6)
    assert not image[:2].any() and not image[6:].any() and not image[:, 6:].any()
    pasted(image, -np.ones((2, 2), np.float32), (4, 4, 6, 6))
    # Against the class and stronger than 0.73, but not than 1.
    np.testing.assert_allclose(image[4, 4:6], [-1, 1], atol=1e-6)


def test_a_map_is_cut_at_the_border_and_resized_to_its_box() -> None:
    image = np.zeros((8, 8), np.float32)
    one = np.zeros((4, 4), np.float32)
    one[2:, 2:] = 1
    pasted(image, one, (-4, -4, 4, 4))
    assert image[:4, :4].mean() > 0.8 and not image[4:].any()
    before = image.copy()
    pasted(image, one, (20, 20, 24, 24))
    np.testing.assert_array_equal(image, before)


def test_pixels_inside_are_those_whose_middle_is() -> None:
    found = inside((-2, 6, 2, 10), (4, 4), (8, 8))
    assert found.tolist() == [[False] * 4] * 2 + [[True, True, False, False]] * 2
    assert inside((0, 0, 8, 8), (3, 5), (8, 8)).all()
