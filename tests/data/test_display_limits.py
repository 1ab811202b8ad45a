"""One scale per channel over a data set, in which noise does not look like signal."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.data.display_limits import (
    DisplayLimits,
    channel_sample_job,
    display_limits_job,
    limits_of_planes,
    noise_of,
)
from napari_channelmix.jobs import drain


def plane_of_cells(seed: int, bright: float) -> np.ndarray:
    """Sixteen discs of this brightness on a ground of 100, noise of 4."""
    y, x = np.mgrid[0:128, 0:128]
    inside = ((y % 32 - 16) ** 2 + (x % 32 - 16) ** 2) < 100
    noise = np.random.default_rng(seed).normal(0, 4, inside.shape)
    return (100 + bright * inside + noise).astype(np.float32)


def cells_of(*planes: np.ndarray, name: str = "one") -> Cells:
    centres = [(16 + 32 * row, 16 + 32 * column) for row in range(4) for column in range(4)]
    names = [f"channel {place}" for place in range(len(planes))]
    return Cells.from_points(list(planes), names, centres, crop=24, name=name)


def test_noise_stays_dark_beside_signal() -> None:
    noise = np.random.default_rng(5).normal(300, 20, (128, 128)).astype(np.float32)
    empty = np.full((128, 128), 12.0, np.float32)
    cells = cells_of(plane_of_cells(0, 900), noise, empty)
    limits = drain(display_limits_job(cells))
    levels = limits.levels(cells.read())
    # Signal reaches from black to white; noise of one sd is a sixteenth of the greys.
    assert levels[:, 0].max() == 1 and levels[:, 0].std() > 0.3
    assert levels[:, 1].mean() < 0.2 and levels[:, 1].std() < 0.08 and levels[:, 1].max() < 0.5
    assert not levels[:, 2].any()
    # Stretched over its own range it would look like signal.
    own = (noise - np.percentile(noise, 1)) / np.ptp(np.percentile(noise, (1, 99.8)))
    assert own.std() > 0.17


def test_signal_with_little_noise_has_the_whole_range() -> None:
    low, high = limits_of_planes([plane_of_cells(3, 900)])
    assert 85 < low < 95 and 1000 < high < 1015


def test_noise_is_measured_in_spite_of_edges_and_slopes() -> None:
    rng = np.random.default_rng(0)
    slope = np.mgrid[0:96, 0:96].sum(axis=0) * 3.0
    assert noise_of(slope + rng.normal(0, 7, slope.shape)) == pytest.approx(7, rel=0.05)
    assert noise_of(plane_of_cells(1, 900)) == pytest.approx(4, rel=0.15)
    assert noise_of(np.zeros((2, 5))) == 0


def test_the_scale_is_that_of_the_data_set_and_measured_once() -> None:
    dim, bright = cells_of(plane_of_cells(0, 50)), cells_of(plane_of_cells(1, 900), name="two")
    both = Cells.together([dim, bright], "both")
    limits = drain(display_limits_job(both))
    assert limits.of("channel 0")[1] > 900
    assert limits.levels(dim.read()).max() < 0.3
    # Other classes, the same pixels: nothing is read again.
    named = both.with_labels(np.zeros(len(both), int), ["a"])
    with pytest.raises(StopIteration):
        next(display_limits_job(named))
    assert drain(display_limits_job(named.subset([3]))).of("channel 0") == limits.of("channel 0")


def test_limits_of_single_channels_are_those_of_all() -> None:
    cells = cells_of(plane_of_cells(0, 50), plane_of_cells(1, 900))
    alone = drain(display_limits_job(cells.with_channels(["channel 1"])))
    assert drain(display_limits_job(cells)).of("channel 1") == alone.of("channel 1")


def test_what_cannot_be_read_is_no_part_of_it() -> None:
    broken = plane_of_cells(0, 900)
    broken[16, 16] = np.nan
    both = Cells.together([cells_of(broken), cells_of(plane_of_cells(1, 50), name="two")], "both")
    assert drain(display_limits_job(both)).of("channel 0")[1] < 200
    # Nothing readable: no scale, and no error.
    assert drain(display_limits_job(cells_of(np.full((128, 128), np.nan)))).of("channel 0") == (
        0,
        1,
    )
    assert limits_of_planes([np.array([[np.nan, 3.0, 5.0]])]) == pytest.approx((3.02, 4.996))


def test_single_cells_of_many_images_are_sampled_from_more_of_them() -> None:
    crops = np.zeros((100, 1, 8, 8), np.float32)
    # One cell in ten is bright: of eight images, none might be.
    crops[::10, 0, 2:6, 2:6] = 500
    limits = drain(display_limits_job(Cells.from_array(crops, ["A"])))
    assert limits.of("A") == (0, 500)


def test_limits_in_words() -> None:
    limits = DisplayLimits(("a", "b"), np.array([120.2, 0.0123]), np.array([4080.0, 1.5]))
    assert limits.text("a") == "120 to 4,080, same for all cells"
    assert limits.text("b") == "0.0123 to 1.5, same for all cells"


def test_scaled_pixels_have_limits_of_their_own() -> None:
    cells = cells_of(plane_of_cells(0, 900), plane_of_cells(1, 500), name="scaled")
    raw = drain(display_limits_job(cells))
    scaled = cells.scaled(arcsinh=50, channels=["channel 0"])
    limits = drain(display_limits_job(scaled))
    # arcsinh(1000 / 50) is 3.7; the other channel is not scaled.
    assert limits.of("channel 0")[1] < 5 < 800 < raw.of("channel 0")[1]
    assert limits.of("channel 1") == raw.of("channel 1")


def test_a_sample_has_the_names_of_its_cells() -> None:
    cells = cells_of(plane_of_cells(0, 900), plane_of_cells(1, 500), name="renamed")
    drain(channel_sample_job(cells))
    names = ("CD4", "CD8")
    assert drain(channel_sample_job(replace(cells, channels=names))).limits.channels == names
