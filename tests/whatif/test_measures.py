"""Features of cells, by values worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.whatif import measures

from .crop_cases import discs


def test_light_of_nucleus_and_cytoplasm() -> None:
    crops = discs(1)
    # DNA: 300 in the nucleus, 100 around it; reporter: 100 everywhere.
    assert measures.nucleus_against_cytoplasm(crops, 0)[0] == pytest.approx(np.log2(3))
    assert measures.nucleus_against_cytoplasm(crops, 1)[0] == pytest.approx(0)
    assert measures.brightness(crops, 1)[0] == pytest.approx(100)
    assert measures.level(crops, 1)[0] == pytest.approx(110)
    assert measures.background(crops, 1)[0] == 10
    assert measures.rim(crops, 1)[0] == pytest.approx(0, abs=1e-6)


def test_shape_is_that_of_the_light() -> None:
    crops = discs(1, neighbour=False)
    assert measures.size(crops)[0] == pytest.approx(np.log2(16), abs=0.05)
    assert measures.elongation(crops)[0] == pytest.approx(0, abs=0.02)
    assert measures.roundness(crops)[0] == pytest.approx(1, abs=0.02)
    # An outline that is drawn too large is seen through.
    y, x = np.mgrid[:41, :41] - 20
    drawn = replace(crops, cell=(np.hypot(y, x) <= 11)[None])
    assert measures.size(drawn)[0] == pytest.approx(np.log2(16), abs=0.05)


def test_a_channel_with_dark_parts_counts_them() -> None:
    crops = discs(1, channels=("brightfield",), neighbour=False)
    dark = crops.with_pixels(20 - crops.pixels)
    both = replace(dark, two_sided=np.array([True]), nuclei=None)
    assert measures.brightness(both, 0)[0] == pytest.approx(-measures.brightness(dark, 0)[0])
    assert np.isfinite(measures.rim(both, 0)).all()


def test_what_a_cell_does_not_have_is_nan() -> None:
    crops = replace(discs(2), cell=np.zeros((2, 41, 41), bool))
    for measure in (measures.brightness, measures.rim, measures.detail):
        assert np.isnan(measure(crops, 0)).all(), measure
    for measure in (measures.size, measures.elongation, measures.roundness):
        assert np.isnan(measure(crops)).all(), measure
    full = replace(discs(2), cell=np.ones((2, 41, 41), bool))
    for measure in (measures.darkest, measures.graininess, measures.gradient):
        assert np.isnan(measure(full)).all(), measure


def test_noise_sharpness_and_shading() -> None:
    crops = replace(discs(1, 65, neighbour=False), spread=np.array([100, 100], np.float32))
    noise = np.random.default_rng(0).normal(0, 4, crops.pixels.shape).astype(np.float32)
    noisy = crops.with_pixels(crops.pixels + noise)
    # A standard deviation of 4 % is 2 doublings of a %.
    assert measures.graininess(noisy)[0] == pytest.approx(2, abs=0.1)
    tilted = crops.with_pixels(crops.pixels * np.linspace(0.9, 1.1, 65, dtype=np.float32))
    assert measures.gradient(tilted)[0] == pytest.approx(20, abs=0.5)
    assert measures.contrast(crops.with_pixels(2 * crops.pixels)) == pytest.approx(
        measures.contrast(crops) + 1
    )
