from __future__ import annotations

import numpy as np

from napari_channelmix.viewer.pages.pixels.map_scaling import inside, pasted, scaled


def test_a_map_is_scaled_to_its_highest_values_and_nothing_lies_below_zero() -> None:
    one = np.linspace(-1, 4, 100, dtype=np.float32).reshape(10, 10)
    one[0, 0] = 1000
    found = scaled(one)
    assert found.min() == 0 and found.max() == 1
    assert (found[one < 0] == 0).all()
    # One pixel that stands out leaves the others as strong as they are.
    assert found[9, 5] > 0.9


def test_a_map_without_evidence_stays_empty() -> None:
    for one in (np.zeros((4, 4)), -np.ones((4, 4)), np.full((4, 4), np.nan)):
        assert not scaled(one.astype(np.float32)).any()


def test_a_map_of_few_pixels_is_seen() -> None:
    one = np.zeros((20, 20), np.float32)
    one[3, 4] = 5
    assert scaled(one)[3, 4] == 1


def test_where_boxes_overlap_the_larger_value_stays() -> None:
    image = np.zeros((10, 10), np.float32)
    left, right = np.ones((4, 4), np.float32), np.tile(np.linspace(0.2, 1, 4), (4, 1))
    pasted(image, left, (2, 0, 6, 4))
    pasted(image, right.astype(np.float32), (2, 2, 6, 6))
    np.testing.assert_allclose(image[3, :6], [1, 1, 1, 1, right[0, 2], 1], atol=1e-6)
    assert not image[:2].any() and not image[6:].any() and not image[:, 6:].any()


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
