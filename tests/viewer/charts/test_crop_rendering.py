"""Crops in the colours of the viewer's layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.data.display_limits import DisplayLimits
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.charts.crop_rendering import (
    Look,
    composed,
    plain_looks,
    settled,
)
from napari_channelmix.viewer.session.session import Shown

from ..phenotype_cases import cells


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


def test_looks_are_those_of_the_layers(viewer: Any) -> None:
    of = cells()
    pixels = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    dna = viewer.add_image(pixels, name="DNA", colormap="blue", contrast_limits=(0.2, 0.6))
    gfp = viewer.add_image(pixels, name="GFP", colormap="green", gamma=0.5, opacity=0.4)
    shown = Shown(0, {"DNA": dna, "GFP": gfp})
    first, second = layers.looks_of(viewer, of, shown)
    assert first is not None and second is not None
    assert (first.low, first.high) == pytest.approx((0.2, 0.6))
    assert first.table[-3:] == bytes([0, 0, 255])
    assert (second.gamma, second.opacity) == pytest.approx((0.5, 0.4))
    gfp.visible = False
    assert layers.looks_of(viewer, of, shown)[1] is None
    viewer.layers.remove(dna)
    assert layers.looks_of(viewer, of, shown)[0] is not None
    assert all(layers.looks_of(viewer, of, None))
    stack = viewer.add_image(np.stack([pixels, pixels]), name="both")
    assert all(layers.looks_of(viewer, of, Shown(0, {"DNA": stack, "GFP": stack})))
