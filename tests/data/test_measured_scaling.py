"""What is measured to scale channels: percentiles of pixels, worked out by hand."""

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data.measured_scaling import rescaled_job, scaled_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.settings.scaling import ScalingSettings


def cells_of(values, channels=("a", "b")):
    """One cell of 10 x 10 pixels; the second channel is the first, ten times as bright."""
    first = np.asarray(values, np.float32).reshape(10, 10)
    crops = np.stack([first, 10 * first])[None, : len(channels)]
    return cm.Cells.from_array(crops, channels, [0], ("only",))


# 0 to 99 in steps of 1: percentile p lies at .99 p.
RAMP = np.arange(100)


def test_each_channel_is_clipped_at_its_own_percentile():
    scaled = drain(scaled_job(cells_of(RAMP), ScalingSettings(clip=90)))
    steps = scaled.scaling.channels
    assert steps["a"].clip == pytest.approx(89.1) and steps["b"].clip == pytest.approx(891)
    # 90 to 99 lie above 89.1.
    assert steps["a"].clipped == pytest.approx(0.1)
    assert scaled.read([0])[0, 0].max() == pytest.approx(89.1)
    assert scaled.scaling.lines[0] in scaled.warnings


def test_percentiles_are_those_of_what_was_clipped_and_put_through_arcsinh():
    settings = ScalingSettings(clip=90, arcsinh=5, low=10, high=100)
    step = drain(scaled_job(cells_of(RAMP), settings)).scaling.channels["a"]
    # Percentile 10 lies .9 of the way from the pixel 9 to the pixel 10.
    assert step.zero == pytest.approx(0.1 * np.arcsinh(9 / 5) + 0.9 * np.arcsinh(10 / 5), rel=1e-5)
    assert step.unit == pytest.approx(np.arcsinh(89.1 / 5), rel=1e-5)


def test_only_the_channels_that_are_named_are_scaled():
    scaled = drain(scaled_job(cells_of(RAMP), ScalingSettings(low=0, high=100), ["b"]))
    assert tuple(scaled.scaling.channels) == ("b",)
    crop = scaled.read([0])[0]
    assert (crop[0].max(), crop[1].max()) == pytest.approx((99, 1))


def test_nothing_to_do_gives_the_cells_themselves():
    cells = cells_of(RAMP)
    assert drain(scaled_job(cells, ScalingSettings())) is cells


def test_channels_without_a_range_are_all_named_at_once():
    with pytest.raises(DataError, match=r"channels 'a' \(7\), 'b' \(70\) are each the same"):
        drain(scaled_job(cells_of(np.full(100, 7)), ScalingSettings(low=1, high=99)))


def test_pixels_are_not_scaled_twice():
    scaled = drain(scaled_job(cells_of(RAMP), ScalingSettings(clip=90)))
    with pytest.raises(DataError, match="scaled already"):
        drain(scaled_job(scaled, ScalingSettings(clip=80)))


def test_a_scaling_that_is_chosen_takes_the_place_of_the_one_before():
    before = drain(scaled_job(cells_of(RAMP), ScalingSettings(clip=90)))
    after = drain(rescaled_job(before, ScalingSettings(arcsinh=5)))
    assert after.scaling.channels["a"].steps == (None, 5, None, None)
    assert after.scaling.chosen == "arcsinh=5" and not before.scaling.chosen
    # What was said of the one before no longer holds.
    assert after.warnings == after.scaling.lines
    direct = drain(scaled_job(cells_of(RAMP), ScalingSettings(arcsinh=5)))
    assert np.array_equal(after.read(), direct.read())
    raw = drain(rescaled_job(before, ScalingSettings()))
    assert not raw.scaling and raw.scaling.chosen == "none" and raw.warnings == ()
    assert np.array_equal(raw.read(), cells_of(RAMP).read())
    assert raw.fingerprint == cells_of(RAMP).fingerprint
