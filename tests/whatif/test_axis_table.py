"""The table of axes, and axes of a user."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.axes import named
from napari_channelmix.whatif.axis_table import axes_of, check_axis, register, unregister
from napari_channelmix.whatif.crops import SCOPES

from .crop_cases import discs


@pytest.fixture
def haze() -> Iterator[str]:
    """Name of an axis that is taken out of the table afterwards."""
    yield "haze"
    unregister("haze")


def test_every_axis_gives_back_the_same_pixels_at_its_neutral_amount() -> None:
    for count, side, channels in ((0, 32, ("DNA",)), (1, 17, ("DNA",)), (2, 24, ("a", "b", "c"))):
        for scope in SCOPES:
            crops = discs(count, side, channels, radius=5).scoped(scope)
            for axis in axes_of(crops):
                edited = axis(crops, axis.neutral)
                assert np.array_equal(edited.pixels, crops.pixels), (axis.name, scope)


def test_every_axis_edits_odd_crops_in_every_scope_and_mixes_amounts() -> None:
    for scope in SCOPES:
        crops = discs(3, 17, ("DNA",), radius=5).scoped(scope)
        for axis in axes_of(crops):
            largest = min(axis.high, 1.0)
            amounts = np.array([axis.neutral, largest, axis.neutral], np.float32)
            edited = axis(crops, amounts)
            assert np.isfinite(edited.pixels).all(), axis.name
            assert np.array_equal(edited.pixels[[0, 2]], crops.pixels[[0, 2]]), axis.name
            assert edited.pixels.dtype == np.float32


def test_a_shape_edit_of_a_cell_without_an_outline_changes_nothing_else() -> None:
    crops = discs(1)
    empty = crops.with_pixels(crops.pixels)
    from dataclasses import replace

    empty = replace(empty, cell=np.zeros_like(crops.cell))
    for axis in axes_of(empty, families=["shape", "channel"]):
        assert np.allclose(axis(empty, 0.5).pixels, crops.pixels), axis.name


def test_a_missing_channel_is_named() -> None:
    with pytest.raises(ModelError, match=r"no such channel; they have DNA, reporter"):
        axes_of(discs(), channels=["GFP"])
    with pytest.raises(ModelError, match=r"there is no axis 'GFP brightness'; there are DNA"):
        named(axes_of(discs()), "GFP brightness")


def test_nuclei_that_are_not_known_have_no_axis() -> None:
    crops = discs()
    assert "DNA nucleus against cytoplasm" in [axis.name for axis in axes_of(crops)]
    from dataclasses import replace

    without = replace(crops, nuclei=None)
    assert "DNA nucleus against cytoplasm" not in [axis.name for axis in axes_of(without)]


def test_an_amount_beyond_what_is_possible_is_refused() -> None:
    crops = discs()
    with pytest.raises(ModelError, match=r"size: 5 to 5 .* is not possible; use -2 to 2"):
        named(axes_of(crops), "size")(crops, 5.0)
    with pytest.raises(ModelError, match="nan"):
        named(axes_of(crops), "size")(crops, np.nan)


def test_a_function_with_a_name_and_a_range_is_one_more_axis(haze: str) -> None:
    crops = discs()
    axis = register(lambda x, a: x + a[:, None, None, None], haze, unit="raw units", high=50)
    check_axis(axis, crops)
    edited = named(axes_of(crops), haze)(crops, 5.0)
    assert np.array_equal(edited.pixels, crops.pixels + 5)
    with pytest.raises(ModelError, match="there is an axis 'haze' already"):
        register(lambda x, a: x, haze)
    with pytest.raises(ModelError, match="there is an axis 'size' already"):
        register(lambda x, a: x, "size")


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x, a: x * np.nan, "haze: the edit gives NaN or infinite pixels"),
        (lambda x, a: x[:, :, 1:], "haze: crops .* became .*; an edit must keep their shape"),
        (lambda x, a: 1 / 0, "haze: the edit failed: ZeroDivisionError: division by zero"),
        (lambda x, a: x + 1, "haze: the amount 0 changes pixels"),
        (lambda x, a: "no pixels", "haze: the edit failed: ValueError"),
    ],
)
def test_what_is_wrong_with_a_function_is_one_line_with_its_name(
    haze: str, function: object, message: str
) -> None:
    axis = register(function, haze)  # type: ignore[arg-type]
    with pytest.raises(ModelError, match=message) as error:
        check_axis(axis, discs())
    assert "\n" not in str(error.value)


def test_a_range_that_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match="haze: its range 1 to 1 is none"):
        register(lambda x, a: x, "haze", low=1, high=1)
    with pytest.raises(ModelError, match="lies outside its range 1 to 2"):
        register(lambda x, a: x, "haze", low=1, high=2)
    with pytest.raises(ModelError, match="give it a name"):
        register(lambda x, a: x)
