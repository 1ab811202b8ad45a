"""Pixel sizes as files write them."""

from __future__ import annotations

from typing import Any

import pytest

from napari_channelmix.data.pixel_size import checked_size, in_micrometres


@pytest.mark.parametrize(
    ("unit", "micrometres"),
    [("nm", 0.0005), ("µm", 0.5), ("um", 0.5), ("micrometer", 0.5), ("mm", 500), ("Å", 0.00005)],
)
def test_units_are_brought_to_micrometres(unit: str, micrometres: float) -> None:
    size, kept, warning = checked_size("0.5", "0.5", unit)
    assert (size, kept, warning) == ((0.5, 0.5), unit, None)
    assert in_micrometres(size, unit) == pytest.approx((micrometres, micrometres))


@pytest.mark.parametrize(
    ("y", "says"),
    [
        ("0,5", "cannot be read"),
        (None, "cannot be read"),
        ([1], "cannot be read"),
        (0, "cannot be true"),
        (-1.0, "cannot be true"),
        (float("nan"), "cannot be true"),
        ("1e300", "cannot be true"),
        (1e-9, "cannot be true"),
    ],
)
def test_what_is_no_size_is_left_out_and_said(y: Any, says: str) -> None:
    size, unit, warning = checked_size(y, y, "µm")
    assert (size, unit) == (None, None)
    assert warning is not None
    assert says in warning
    assert len(warning) < 200


def test_a_unit_of_its_own_for_x_is_brought_to_that_of_y() -> None:
    assert checked_size(0.5, 250, "µm", "nm") == ((0.5, 0.25), "µm", None)
    assert checked_size(0.5, 250, "µm", "furlong")[0] is None


def test_a_size_without_a_known_unit_is_not_compared() -> None:
    assert in_micrometres((1.0, 1.0), None) is None
    assert in_micrometres(None, "µm") is None
