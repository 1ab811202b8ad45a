"""Edits of shape, on discs and pictures whose result is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from napari_channelmix.whatif import measures, shams, shape_edits

from .crop_cases import discs

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops


def amounts(crops: CellCrops, amount: float) -> np.ndarray:
    return np.full(len(crops), amount, np.float32)


def light(crops: CellCrops) -> np.ndarray:
    return (crops.pixels - 10).sum(axis=(2, 3))


def test_a_cell_of_twice_the_diameter_has_four_times_the_light_and_its_outline() -> None:
    crops = discs(neighbour=False)
    edited = shape_edits.size(crops, amounts(crops, 1.0))
    np.testing.assert_allclose(light(edited), 4 * light(crops), rtol=0.05)
    np.testing.assert_allclose(
        edited.cell.sum(axis=(1, 2)), 4 * crops.cell.sum(axis=(1, 2)), rtol=0.05
    )
    np.testing.assert_allclose(measures.size(edited) - measures.size(crops), 1, atol=0.06)
    # What is inside stays as bright as it was.
    assert edited.pixels[0, 0, 20, 20] == pytest.approx(310, rel=0.01)
    assert edited.pixels[0, 1, 20, 20] == pytest.approx(110, rel=0.01)


def test_a_smaller_cell_leaves_background_and_its_neighbour() -> None:
    crops = discs()
    edited = shape_edits.size(crops, amounts(crops, -1.0))
    assert edited.pixels[0, 1, 20, 26] == pytest.approx(10, abs=0.5)
    assert np.array_equal(edited.pixels[:, :, 38:, 38:], crops.pixels[:, :, 38:, 38:])
    assert np.array_equal(edited.others, crops.others)


def test_stretching_keeps_the_area() -> None:
    crops = discs(neighbour=False)
    edited = shape_edits.elongation(crops, amounts(crops, 1.0))
    np.testing.assert_allclose(measures.elongation(edited), 1, atol=0.1)
    np.testing.assert_allclose(light(edited), light(crops), rtol=0.03)


def test_a_square_becomes_a_disc_of_its_area() -> None:
    crops = discs(neighbour=False)
    square = np.zeros_like(crops.cell)
    square[:, 12:29, 12:29] = True
    from dataclasses import replace

    crops = replace(
        crops,
        cell=square,
        nuclei=None,
        pixels=np.where(square[:, None], np.float32(110), np.float32(10)).repeat(2, 1),
    )
    before, after = crops, shape_edits.roundness(crops, amounts(crops, 1.0))
    assert measures.roundness(before)[0] == pytest.approx(3 / np.pi, abs=0.01)
    assert measures.roundness(after)[0] > 0.985
    np.testing.assert_allclose(light(after), light(before), rtol=0.04)


def test_a_nucleus_becomes_round_whatever_the_shape_of_the_ring_around_it() -> None:
    from dataclasses import replace

    crops = discs()
    nucleus = np.zeros_like(crops.cell)
    nucleus[:, 17:24, 14:27] = True
    crops = replace(
        crops,
        cell=nucleus,
        nuclei=nucleus,
        pixels=np.where(nucleus[:, None], np.float32(110), np.float32(10)).repeat(2, 1),
    )
    assert crops.region.sum() > 3 * nucleus.sum()
    crops.pixels[:, :, 20, 2] = 60  # far from the nucleus
    edited = shape_edits.roundness(crops, amounts(crops, 1.0))
    assert measures.roundness(crops)[0] < 0.85
    assert measures.roundness(edited)[0] > 0.97
    np.testing.assert_allclose(light(edited), light(crops), rtol=0.04)
    np.testing.assert_allclose(edited.pixels[:, :, 20, 2], 60, atol=0.5)


def test_a_quarter_turn_is_exact() -> None:
    crops = discs(neighbour=False)
    crops.pixels[:, 1, 20, 16:20] += 50  # a mark to the left
    edited = shams.turn(crops, amounts(crops, 90.0))
    expected = np.rot90(crops.pixels, 1, axes=(2, 3))
    np.testing.assert_allclose(edited.pixels, expected, atol=0.01)


def test_a_shift_by_whole_pixels_is_exact_and_the_outline_moves_along() -> None:
    crops = discs(neighbour=False)
    edited = shams.shift(crops, amounts(crops, 2.0))
    np.testing.assert_allclose(edited.pixels, np.roll(crops.pixels, 2, axis=(2, 3)), atol=0.01)
    assert np.array_equal(edited.cell, np.roll(crops.cell, 2, axis=(1, 2)))
    assert edited.nuclei is not None and crops.nuclei is not None
    assert np.array_equal(edited.nuclei, np.roll(crops.nuclei, 2, axis=(1, 2)))


def test_resampling_moves_nothing_and_smooths_less_than_linear_interpolation() -> None:
    crops = discs(neighbour=False)
    noise = np.random.default_rng(0).normal(0, 10, crops.pixels.shape).astype(np.float32)
    crops = crops.with_pixels(crops.pixels + noise)
    edited = shams.resampling(crops, amounts(crops, 0.5))
    assert edited.cell is crops.cell
    for place in (1, 2):  # the middle of the light stays where it is
        weight = [(c.pixels[0, 0] - 10).sum(axis=2 - place) for c in (edited, crops)]
        middle = [w @ np.arange(41) / w.sum() for w in weight]
        assert middle[0] == pytest.approx(middle[1], abs=0.05)
    # Two linear interpolations at half a pixel would leave a share of 0.14 of the variance.
    kept = np.var(edited.pixels[:, 1][crops.nuclei]) / np.var(crops.pixels[:, 1][crops.nuclei])
    assert 0.3 < kept < 1


def test_cells_are_edited_each_by_its_own_amount() -> None:
    crops = discs(3, neighbour=False)
    edited = shape_edits.size(crops, np.array([-1, 0, 1], np.float32))
    assert np.all(np.diff(edited.cell.sum(axis=(1, 2))) > 0)
    np.testing.assert_allclose(edited.pixels[1], crops.pixels[1], atol=0.01)
