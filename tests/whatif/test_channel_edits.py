"""Edits of one channel, by values that were worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.whatif import channel_edits
from napari_channelmix.whatif.axes import named
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.crops import CellCrops


def one_cell(
    light: list[list[float]],
    cell: list[list[int]],
    *,
    background: float = 10.0,
    nuclei: list[list[int]] | None = None,
    others: list[list[int]] | None = None,
    scope: str = "cell",
) -> CellCrops:
    """A crop of one channel, ``DNA``: ``light`` above a background."""
    pixels = np.asarray(light, np.float32)[None, None] + np.float32(background)
    mask = np.asarray(cell, bool)[None]
    return CellCrops(
        pixels,
        ("DNA",),
        mask,
        np.zeros_like(mask) if others is None else np.asarray(others, bool)[None],
        np.array(["label"]),
        None if nuclei is None else np.asarray(nuclei, bool)[None],
        np.full((1, 1), background, np.float32),
        np.zeros(1, np.int64),
    ).scoped(scope)  # type: ignore[arg-type]


SQUARE = [[0] * 5, [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0, 1, 1, 1, 0], [0] * 5]
MIDDLE = [[0] * 5, [0] * 5, [0, 0, 1, 0, 0], [0] * 5, [0] * 5]
FLAT = [[1.0] * 5] * 5


def test_brightness_doubles_what_lies_above_the_background() -> None:
    edited = channel_edits.brightness(one_cell(FLAT, SQUARE), np.array([1.0], np.float32), 0)
    # In the cell 10 + 1 * 2, half of the change one pixel beside it, nothing in the corners.
    expected = [
        [11, 11.5, 11.5, 11.5, 11],
        [11.5, 12, 12, 12, 11.5],
        [11.5, 12, 12, 12, 11.5],
        [11.5, 12, 12, 12, 11.5],
        [11, 11.5, 11.5, 11.5, 11],
    ]
    np.testing.assert_allclose(edited.pixels[0, 0], expected)


def test_level_lights_a_dark_cell_evenly() -> None:
    dark = one_cell([[0.0] * 5] * 5, SQUARE)
    edited = channel_edits.level(dark, np.array([6.0], np.float32), 0)
    assert edited.pixels[0, 0][np.asarray(SQUARE, bool)].tolist() == [16.0] * 9


def test_the_level_of_a_cell_is_its_own_whatever_lies_around_it() -> None:
    level = named(axes_of(["DNA"]), "DNA level")
    for background in (10.0, 14.0):
        cell = one_cell(FLAT, SQUARE, background=background)
        assert level.measure is not None and level.to_level is not None
        assert level.measure(cell).tolist() == [background + 1]
        amount = level.to_level(level.measure(cell), 20.0)
        assert level.measure(level(cell, amount)).tolist() == [20.0]


def test_level_keeps_the_pattern_and_adds_the_rest_evenly() -> None:
    light = np.zeros((5, 5))
    light[2, 2] = 9  # mean of the cell: 1
    cell = one_cell(light.tolist(), SQUARE)
    twice = channel_edits.level(cell, np.array([1.0], np.float32), 0).pixels[0, 0] - 10
    assert twice[2, 2] == pytest.approx(18)
    assert twice[1, 1] == pytest.approx(0)
    # Up to 4 times the pattern; the mean of 10 asks for 6 more, evenly.
    more = channel_edits.level(cell, np.array([9.0], np.float32), 0).pixels[0, 0] - 10
    assert more[2, 2] == pytest.approx(36 + 6)
    assert more[1, 1] == pytest.approx(6)
    assert more[np.asarray(SQUARE, bool)].mean() == pytest.approx(10)


def test_level_of_a_channel_with_dark_parts_is_added_evenly() -> None:
    light = np.zeros((5, 5))
    light[2, 2], light[1, 1] = 9, -8.9  # mean of the cell: nearly 0, which no gain changes
    cell = replace(one_cell(light.tolist(), SQUARE), two_sided=np.array([True]))
    edited = channel_edits.level(cell, np.array([0.5], np.float32), 0)
    change = (edited.pixels - cell.pixels)[0, 0]
    assert change[np.asarray(SQUARE, bool)] == pytest.approx(np.full(9, 0.5), abs=1e-5)


def test_rim_moves_light_outwards_and_keeps_its_total() -> None:
    edited = channel_edits.rim(one_cell(FLAT, SQUARE), np.array([0.5], np.float32), 0)
    light = edited.pixels[0, 0] - 10
    # Depth is 1/2 in the 8 outer pixels, 1 in the middle: mean 5/9.
    outer, middle = 1 - (1 / 2 - 5 / 9), 1 - (1 - 5 / 9)
    assert light[1, 1] == pytest.approx(outer)
    assert light[2, 2] == pytest.approx(middle)
    assert light[np.asarray(SQUARE, bool)].sum() == pytest.approx(9)


def test_light_moves_into_the_nucleus_and_its_total_stays() -> None:
    square = np.zeros((9, 9), int)
    square[1:8, 1:8] = 1
    nucleus = np.zeros((9, 9), int)
    nucleus[3:6, 3:6] = 1
    cell = one_cell(np.ones((9, 9)).tolist(), square.tolist(), nuclei=nucleus.tolist())
    axis = named(axes_of(cell), "DNA nucleus against cytoplasm")
    edited = axis(cell, 1.0)
    light = edited.pixels[0, 0] - 10
    assert light[square.astype(bool)].sum() == pytest.approx(49, rel=1e-5)
    assert light[4, 4] / light[1, 1] == pytest.approx(2, rel=0.01)
    assert axis.measure is not None
    assert axis.measure(edited)[0] == pytest.approx(1, abs=0.3)


def test_detail_leaves_a_flat_cell_and_the_mean_as_they_are() -> None:
    flat = channel_edits.detail(one_cell(FLAT, SQUARE), np.array([2.0], np.float32), 0)
    np.testing.assert_allclose(flat.pixels[0, 0], np.full((5, 5), 11), atol=1e-5)
    spotted = one_cell(np.random.default_rng(0).random((5, 5)).tolist(), SQUARE)
    edited = channel_edits.detail(spotted, np.array([1.0], np.float32), 0)
    inside = np.asarray(SQUARE, bool)
    assert edited.pixels[0, 0][inside].mean() == pytest.approx(spotted.pixels[0, 0][inside].mean())
    assert edited.pixels[0, 0][inside].std() > 1.2 * spotted.pixels[0, 0][inside].std()


def test_other_cells_are_not_touched_unless_the_scope_names_them() -> None:
    other = [[1, 0, 0, 0, 0], *[[0] * 5] * 4]
    amount = np.array([1.0], np.float32)
    for scope, corner, middle in (("cell", 11, 12), ("neighbours", 12, 11), ("crop", 12, 12)):
        cell = one_cell(FLAT, MIDDLE, others=other, scope=scope)
        edited = channel_edits.brightness(cell, amount, 0).pixels[0, 0]
        assert (edited[0, 0], edited[2, 2]) == (corner, middle), scope


def test_the_ring_around_a_nucleus_belongs_to_the_cell() -> None:
    nucleus = np.zeros((33, 33), int)
    nucleus[14:19, 14:19] = 1
    flat = np.ones((33, 33)).tolist()
    amount = np.array([1.0], np.float32)
    cell = one_cell(flat, nucleus.tolist(), nuclei=nucleus.tolist())
    edited = channel_edits.brightness(cell, amount, 0).pixels[0, 0]
    # Its radius is 2.8 pixels, its ring 7 wide.
    assert edited[16, 7] == 12
    assert edited[16, 5] == 11
    without = channel_edits.brightness(one_cell(flat, nucleus.tolist()), amount, 0).pixels[0, 0]
    assert without[16, 7] == 11
