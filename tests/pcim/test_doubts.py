"""What is known against a cell comes before any word in favour of its map."""

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix import explain
from napari_channelmix.classify.shift import DataShift
from napari_channelmix.data.crop_profile import FEATURES, crop_features
from napari_channelmix.jobs import drain
from napari_channelmix.pcim import reliability_job
from napari_channelmix.pcim.doubts import NOISE, SHIFTED, STRANGE, cell_doubts


@pytest.fixture
def crops():
    """Three smooth spots in two channels, of 16 x 16 pixels as the classifier takes them."""
    y, x = np.mgrid[:16, :16]
    spots = [np.exp(-((y - row) ** 2 + (x - 7) ** 2) / 12) for row in (6, 8, 9)]
    return np.stack([np.stack([spot, 2 * spot]) for spot in spots]).astype(np.float32)


@pytest.fixture
def attribution(classifier, crops):
    return explain(classifier, crops[:3], device="cpu")


def test_an_ordinary_cell_is_not_doubted(attribution, crops):
    clean = replace(attribution, shift=None, flat={})
    assert cell_doubts(clean, crops[:3]) == ((), (), ())


def test_cells_are_doubted_by_their_numbers(attribution, crops):
    source = replace(attribution.source, numbers=np.array([7, 4, 9]))
    shift = DataShift(3, ("cell 9 lies far outside",), strange=(9,))
    doubted = replace(attribution, source=source, shift=shift, flat={"saturated": (4,)})
    doubts = cell_doubts(doubted, crops[:3])
    assert doubts[0] == ()
    assert "exactly 0 or 1" in doubts[1][0]
    assert doubts[2] == (STRANGE,)


def test_a_difference_of_all_cells_is_a_doubt_about_each(attribution, crops):
    shift = DataShift(3, ("values are shifted",), strange=(1,), whole=True)
    doubts = cell_doubts(replace(attribution, shift=shift, flat={}), crops[:3])
    assert doubts == ((SHIFTED,), (STRANGE,), (SHIFTED,))


def test_noise_is_doubted_where_no_training_data_are_known(attribution, crops):
    scrambled = crops[:3].copy()
    rng = np.random.default_rng(0)
    order = rng.permutation(scrambled[0, 0].size)
    flat = scrambled[1].reshape(scrambled.shape[1], -1)[:, order]
    scrambled[1] = flat.reshape(scrambled[1].shape)
    clean = replace(attribution, shift=None, flat={})
    assert cell_doubts(clean, scrambled) == ((), (NOISE,), ())


def test_nothing_is_said_in_favour_of_a_map_of_a_doubted_cell(classifier, crops):
    noise = np.random.default_rng(1).normal(crops.mean(), crops.std(), crops[:2].shape)
    reliability = drain(
        reliability_job(explain(classifier, noise.astype(np.float32), device="cpu"))
    )
    for cell in range(2):
        words = reliability.words(cell)
        assert words[0].startswith("Do not read this map: ")
        assert not any("Faithful" in line for line in words)
        assert not reliability.readable(cell)


@pytest.mark.parametrize(("alike", "doubted"), [(0.14, True), (0.16, False)])
def test_neighbouring_pixels_of_noise_correlate_by_less_than_15_hundredths(
    attribution, crops, alike, doubted
):
    # The mean of a crop, so and so much of it, and noise.
    noise = np.random.default_rng(3).normal(size=crops[1].shape).astype(np.float32)
    best = None
    for share in np.linspace(0, 3, 600, dtype=np.float32):
        mixed = share * crops[1] / crops[1].std(axis=(1, 2), keepdims=True) + noise
        features, *_ = crop_features(mixed[None])
        smoothest = features[0, FEATURES.index("smoothness")].max()
        if best is None or abs(smoothest - alike) < best[0]:
            best = abs(smoothest - alike), mixed
    assert best[0] < 0.005
    held = np.stack([crops[0], best[1], crops[2]])
    clean = replace(attribution, shift=None, flat={})
    assert cell_doubts(clean, held) == ((), (NOISE,) if doubted else (), ())
