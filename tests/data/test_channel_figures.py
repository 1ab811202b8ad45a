"""Figures of channels, worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.channel_figures import (
    COMPARED,
    channel_figures,
    likeness,
    pixels_of,
)


def blob(crops: np.ndarray, place: tuple[int, int, int], light: float, width: float) -> None:
    """Add light that falls off as optics make it."""
    y, x = np.mgrid[: crops.shape[1], : crops.shape[2]]
    crops[place[0]] += light * np.exp(-((y - place[1]) ** 2 + (x - place[2]) ** 2) / 2 / width**2)


def test_a_checkerboard_has_the_noise_of_its_squares() -> None:
    crops = np.full((2, 12, 12), 10.0, np.float32)
    crops[:, ::2, ::2] = crops[:, 1::2, 1::2] = 14.0
    figures = channel_figures(crops)
    # Each pixel is 4 from its four neighbours: 4 / .6745 / sqrt(1.25).
    assert figures.noise == pytest.approx(5.304, abs=1e-3)
    # A mean of 3 x 3 has four or five pixels of 14: 11.78 and 12.22.
    assert figures.signal == pytest.approx(4 / 9, abs=0.01) or figures.signal < 0.45
    assert (figures.minimum, figures.maximum, figures.hot) == (10, 14, 0)
    assert figures.pixels == 2 * 10 * 10


def test_a_constant_channel_has_no_signal() -> None:
    figures = channel_figures(np.full((3, 8, 8), 7, np.float32))
    assert figures.constant and np.isnan(figures.signal_to_noise) and figures.hot == 0


def test_single_pixels_are_hot_and_small_objects_are_not() -> None:
    rng = np.random.default_rng(0)
    crops = rng.normal(100, 5, (30, 20, 20)).astype(np.float32)
    for index in range(30):
        blob(crops, (index, 10, 10), 2000, 0.9)
    assert channel_figures(crops).hot == 0
    for index in range(4):
        crops[index, 4, 15] = 6000
    assert channel_figures(crops).hot == 4
    # Sparse counts, as of imaging mass cytometry, are no defects.
    counts = rng.poisson(0.02, (30, 20, 20)).astype(np.float32)
    assert channel_figures(counts).hot == 0


def test_hot_pixels_are_no_signal() -> None:
    rng = np.random.default_rng(1)
    crops = rng.normal(100, 5, (40, 20, 20)).astype(np.float32)
    plain = channel_figures(crops)
    assert plain.noise == pytest.approx(5, rel=0.05)
    assert 0.8 < plain.signal_to_noise < 1.5
    crops[::4, 3, 3] = 9000
    assert channel_figures(crops).signal_to_noise < 2


def test_a_copy_is_alike_whatever_its_gain() -> None:
    rng = np.random.default_rng(2)
    first = rng.normal(100, 20, (20, 11, 11)).astype(np.float32)
    channels = [first, 3 * first + 40, -first, rng.normal(0, 1, first.shape).astype(np.float32)]
    channels.append(np.full_like(first, 5))
    compared = [pixels_of(each, channel_figures(each).high) for each in channels]
    assert len(compared[0]) == 20 * 5 * 5
    alike = likeness(np.stack(compared))
    assert alike[0, 1] == pytest.approx(1, abs=1e-6)
    assert alike[0, 2] < -0.95 and abs(alike[0, 3]) < 0.2 and (alike[4] == 0).all()


def test_pixels_that_are_compared_are_bounded() -> None:
    crops = np.zeros((2000, 16, 16), np.float32)
    crops[:, 0] = 1
    assert len(pixels_of(crops, channel_figures(crops).high)) <= COMPARED


def test_crops_of_single_pixels_have_figures_too() -> None:
    crops = np.arange(4, dtype=np.float32).reshape(4, 1, 1)
    figures = channel_figures(crops)
    assert (figures.minimum, figures.maximum, figures.hot) == (0, 3, 0)
    assert pixels_of(crops, figures.high).shape == (4,)
