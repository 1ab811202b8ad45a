"""Amounts over what the cells themselves show."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.axes import Axis, named
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.ranges import DECLARED, amounts_of

from .crop_cases import discs


def brighter(count: int, low: float, high: float):
    """Cells whose reporter is from ``low`` to ``high`` above the background, in even doublings."""
    crops = discs(count)
    factor = np.geomspace(low, high, count) / 100
    pixels = crops.pixels.copy()
    pixels[:, 1] = 10 + (pixels[:, 1] - 10) * factor[:, None, None]
    return crops.with_pixels(pixels.astype(np.float32))


def test_brightness_runs_from_what_dim_to_what_bright_cells_show() -> None:
    crops = brighter(101, 50, 200)
    axis = named(axes_of(crops), "reporter brightness")
    amounts = amounts_of(axis, crops)
    # The 5th percentile is 0.1 doublings above 50, the 95th as far below 200.
    assert amounts.low == pytest.approx(50 * 2**0.1, rel=1e-3)
    assert amounts.high == pytest.approx(200 * 2**-0.1, rel=1e-3)
    assert 0 in amounts.values.tolist()
    assert len(amounts.values) == 9
    # The cell in the middle (100) may be changed by 0.9 doublings either way.
    inside = amounts.values[amounts.inside[50]]
    assert (np.abs(inside) <= 0.9).all()
    assert amounts.inside[50].sum() >= 5
    # The brightest cell lies outside itself: only as it is, or dimmer.
    assert amounts.values[amounts.inside[-1]].max() == 0
    assert "reporter brightness of the cells lies between 53.6 and 187" in amounts.line


def test_the_range_of_a_cell_is_that_of_its_plate() -> None:
    crops = brighter(100, 50, 200)
    plates = np.where(np.arange(100) < 50, "A", "B")
    axis = named(axes_of(crops), "reporter brightness")
    together = amounts_of(axis, crops)
    apart = amounts_of(axis, crops, groups=plates)
    bright = together.values > 0.95
    assert together.inside[20, bright].any()
    assert not apart.inside[20, bright].any()
    few = amounts_of(axis, crops, groups=np.arange(100))
    assert np.array_equal(few.inside, together.inside)


def test_an_axis_without_a_formula_is_tried_on_the_cells() -> None:
    crops = discs(30)
    random = np.random.default_rng(0)
    rim = named(axes_of(crops), "reporter rim")
    varied = rim(crops, random.uniform(-0.4, 0.4, 30))
    amounts = amounts_of(rim, varied)
    assert -0.6 < amounts.values[0] < -0.2
    assert 0.2 < amounts.values[-1] < 0.6
    assert amounts.inside[:, amounts.values == 0].all()


def test_acquisition_and_shams_have_declared_ranges() -> None:
    crops = discs(4)
    for axis in axes_of(crops, families=["acquisition", "sham"]):
        amounts = amounts_of(axis, crops, 5)
        low, high = DECLARED[axis.kind]
        assert (amounts.values[0], amounts.values[-1]) == (np.float32(low), np.float32(high))
        assert axis.neutral in amounts.values
        assert amounts.inside.all()
        assert "a declared range" in amounts.line


def test_an_axis_of_a_user_without_a_feature_has_its_own_range() -> None:
    axis = Axis("haze", "channel", "raw units", lambda c, a: c, 0, 20)
    values = amounts_of(axis, discs(2), 3).values
    assert values[0] == 0
    assert len(values) >= 1
    with pytest.raises(ModelError, match="haze: 1 amounts make no range"):
        amounts_of(axis, discs(2), 1)
