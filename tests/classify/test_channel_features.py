"""Numbers of a crop: by hand where they can be, the same for turned crops, scaled like pixels."""

import numpy as np

from napari_channelmix import Cells
from napari_channelmix.classify.channel_features import NAMES, RINGS, crop_numbers, numbers_job
from napari_channelmix.jobs import drain

RNG = np.random.default_rng(0)


def of(crop):
    return dict(
        zip(NAMES, crop_numbers(crop[None, None].astype(np.float32)).values[0, :, 0], strict=True)
    )


def test_mean_spread_and_rings_by_hand():
    crop = np.zeros((8, 8))
    crop[3:5, 3:5] = 16  # the four pixels within the innermost ring
    values = of(crop)
    assert values["mean"] == 1
    assert values["top"] == 16
    np.testing.assert_allclose(values["sd"], np.sqrt(16 - 1))
    assert [values[f"ring {at + 1}"] for at in range(RINGS)] == [16, 0, 0, 0]


def test_structures_are_told_apart_by_size():
    y, x = np.mgrid[:32, :32]
    fine, coarse = np.where((x + y) % 2, 1.0, -1.0), np.cos(2 * np.pi * y / 16)
    assert of(fine)["sd of structures of 1 px"] > 5 * of(fine)["sd of structures of 4 px"]
    assert of(coarse)["sd of structures of 4 px"] > 3 * of(coarse)["sd of structures of 1 px"]


def test_turned_and_flipped_crops_have_the_same_numbers():
    crops = RNG.normal(size=(5, 2, 16, 16)).astype(np.float32)
    turned = np.ascontiguousarray(np.rot90(crops, axes=(2, 3))[..., ::-1])
    one, other = crop_numbers(crops), crop_numbers(turned)
    # Percentiles are of a grid of the pixels, here of all.
    np.testing.assert_allclose(one.values, other.values, atol=1e-5)
    np.testing.assert_allclose(one.pairs, other.pairs, atol=1e-5)


def test_pairs_are_correlations_of_pixels():
    crops = RNG.normal(size=(4, 3, 12, 12)).astype(np.float32)
    crops[:, 2] = 5 * crops[:, 0] + 3
    pairs = crop_numbers(crops).pairs
    np.testing.assert_allclose(pairs[:, 0, 2], 1, atol=1e-5)
    expected = [np.corrcoef(one[0].ravel(), one[1].ravel())[0, 1] for one in crops]
    np.testing.assert_allclose(pairs[:, 0, 1], expected, atol=1e-5)


def test_columns_of_a_set_hold_its_channels_and_pairs_only():
    numbers = crop_numbers(RNG.normal(size=(4, 3, 12, 12)).astype(np.float32))
    columns = numbers.columns((0, 2))
    assert columns.shape == (4, 2 * len(NAMES) + 1)
    np.testing.assert_array_equal(columns[:, -1], numbers.pairs[:, 0, 2])
    assert numbers.columns((1,)).shape == (4, len(NAMES))


def test_scaling_the_numbers_is_scaling_the_pixels():
    crops = RNG.gamma(2.0, 20.0, size=(24, 2, 16, 16)).astype(np.float32)
    groups = np.repeat(["a", "b", "c"], 8)
    crops *= np.repeat([1.0, 2.5, 0.5], 8)[:, None, None, None]
    cells = Cells.from_array(crops, ("x", "y"), np.arange(24) % 2, ("n", "p"), list(groups))
    by_numbers = crop_numbers(crops).scaled_by_group(groups).values
    by_pixels = crop_numbers(cells.normalised_by_group().read()).values
    # On pixels the units of the files come back: one shift and one gain for all cells.
    for channel in range(2):
        for number in range(len(NAMES)):
            one, other = by_numbers[:, number, channel], by_pixels[:, number, channel]
            fit = np.polyfit(one, other, 1)
            np.testing.assert_allclose(np.polyval(fit, one), other, rtol=1e-3, atol=1e-3)


def test_numbers_of_batches_are_those_of_all_crops():
    crops = RNG.normal(9, 3, (10, 2, 12, 12)).astype(np.float32)
    found = drain(numbers_job([crops[:6], crops[6:]], 10))
    np.testing.assert_allclose(found.values, crop_numbers(crops).values)
    np.testing.assert_array_equal(found.subset(np.array([7, 2])).pairs, found.pairs[[7, 2]])


def test_more_than_twelve_channels_have_no_pairs():
    numbers = crop_numbers(RNG.normal(size=(3, 13, 8, 8)).astype(np.float32))
    assert numbers.pairs.shape == (3, 0, 0)
    assert numbers.columns((0, 5)).shape == (3, 2 * len(NAMES))
