"""Crops in colour: channels between their limits, added up."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data.crop_rendering import (
    Look,
    composed,
    plain_looks,
    settled,
)
from napari_channelmix.data.display_limits import DisplayLimits


def test_channels_are_added_up_between_their_limits() -> None:
    crops = np.zeros((1, 2, 2, 2), np.float32)
    crops[0, 0], crops[0, 1] = [[0, 5], [10, 20]], 10
    red = Look(Look.of_color("#FF0000").table, 0.0, 10.0)
    blue = Look(Look.of_color("#0000FF").table, 0.0, 20.0)
    picture = composed(crops, (red, blue))[0]
    assert picture[..., 0].tolist() == [[0, pytest.approx(128, abs=1)], [255, 255]]
    assert (np.abs(picture[..., 2].astype(int) - 128) <= 1).all()
    assert composed(crops, (red, None))[0][..., 2].max() == 0
    assert composed(crops, (None, None)).max() == 0


def test_channels_without_a_layer_take_the_limits_of_the_data_set() -> None:
    limits = DisplayLimits(("DNA",), np.array([100.0]), np.array([200.0]))
    (look,) = settled(limits, plain_looks(("#FFFFFF",), 4))
    assert look is not None and (look.low, look.high) == (100, 200)
    given = Look(look.table, 0.0, 1.0)
    assert settled(limits, (given,)) == (given,)
