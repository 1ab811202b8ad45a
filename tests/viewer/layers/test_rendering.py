"""Crops are drawn as the layers draw their channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.session.session import Shown

from ..phenotype_cases import cells


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
