"""Cells scaled as those of training were; others are refused, with what to do."""

from dataclasses import replace

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.classify.scaled_pixels import scaled_alike
from napari_channelmix.data.pixel_scaling import RAW, ChannelScaling, PixelScaling
from napari_channelmix.errors import ModelError

HALVED = PixelScaling({"a": ChannelScaling(zero=0.0, unit=2.0)}, "percentiles 1 and 99", 30)
OTHER = PixelScaling({"a": ChannelScaling(zero=0.0, unit=4.0)}, "percentiles 1 and 90", 30)


@pytest.fixture
def cells():
    crops = np.full((4, 2, 6, 6), 3.0, np.float32)
    return cm.Cells.from_array(crops, ["a", "b"], [0, 1, 0, 1], ("low", "high"))


def test_raw_cells_are_scaled_with_the_values_of_training(cells):
    scaled = scaled_alike(cells, HALVED, "the classifier")
    assert scaled.read([0])[0, :, 0, 0].tolist() == [1.5, 3.0]
    assert cells.read([0])[0, 0, 0, 0] == 3.0


def test_cells_stay_as_they_are_where_nothing_differs_or_nothing_is_known(cells):
    scaled = replace(cells, scaling=HALVED)
    assert scaled_alike(scaled, HALVED, "it") is scaled
    assert scaled_alike(scaled, None, "it") is scaled and scaled_alike(cells, RAW, "it") is cells
    # The words and the number of cells that were measured decide no pixel.
    assert scaled_alike(scaled, replace(HALVED, text="by hand", n=7), "it") is scaled


def test_scaled_cells_do_not_go_to_a_classifier_of_raw_ones(cells):
    with pytest.raises(ModelError, match="trained on pixels as they are in the files") as error:
        scaled_alike(replace(cells, scaling=HALVED), RAW, "model.cmx")
    assert "\n" not in str(error.value) and "without [scaling]" in str(error.value)


def test_other_values_are_named(cells):
    with pytest.raises(ModelError, match=r"percentiles 1 and 90.*percentiles 1 and 99"):
        scaled_alike(replace(cells, scaling=HALVED), OTHER, "model.cmx")


def test_scaling_of_a_channel_that_the_classifier_does_not_have_is_of_no_account(cells):
    scaled = replace(cells, scaling=HALVED)
    only_b = scaled.with_channels(["b"])
    assert scaled_alike(only_b, RAW, "it") is only_b
