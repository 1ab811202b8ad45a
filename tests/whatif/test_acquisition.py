"""Edits of how the picture was taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_channelmix.whatif import acquisition
from napari_channelmix.whatif.crops import cell_crops

from .crop_cases import discs
from .disc_cases import disc_cells


def test_exposure_and_offset_take_the_background_along() -> None:
    crops = replace(discs(), spread=np.array([300, 100], np.float32))
    twice = acquisition.exposure(crops, np.ones(3, np.float32))
    assert np.array_equal(twice.pixels, 2 * crops.pixels)
    assert twice.background.tolist() == [[20, 20]] * 3
    raised = acquisition.offset(crops, np.full(3, 10, np.float32))
    assert raised.background.tolist() == [[40, 20]] * 3
    np.testing.assert_allclose(raised.pixels[:, 1], crops.pixels[:, 1] + 10)


def test_blur_is_a_gaussian() -> None:
    crops = discs()
    edited = acquisition.blur(crops, np.array([0, 1.5, 2], np.float32))
    assert np.array_equal(edited.pixels[0], crops.pixels[0])
    for place, sigma in ((1, 1.5), (2, 2.0)):
        expected = gaussian_filter(crops.pixels[place], sigma, mode="reflect", axes=(1, 2))
        np.testing.assert_allclose(edited.pixels[place], expected, rtol=1e-4)


def test_a_cell_has_the_same_noise_whichever_cells_it_is_edited_with() -> None:
    crops = replace(discs(), spread=np.array([300, 100], np.float32))
    crops.pixels[:] += np.arange(3, dtype=np.float32)[:, None, None, None]
    together = acquisition.noise(crops, np.full(3, 5, np.float32))
    # Another place in another data set: the pixels are the cell.
    other = replace(crops[np.array([2])], positions=np.array([0]))
    alone = acquisition.noise(other, np.full(1, 5, np.float32))
    assert np.array_equal(together.pixels[2], alone.pixels[0])
    added = together.pixels - crops.pixels
    assert added[:, 0].std() == pytest.approx(15, rel=0.05)
    assert added[:, 1].std() == pytest.approx(5, rel=0.05)
    assert not np.array_equal(added[0], added[1])


def test_the_noise_of_a_subset_and_of_an_edited_cell_is_that_of_the_cell() -> None:
    cells = disc_cells(12)
    whole, part = cell_crops(cells), cell_crops(cells.subset(np.array([7, 3])))
    amounts = np.full(12, 5, np.float32)
    spread = np.array([100, 20], np.float32)
    whole, part = replace(whole, spread=spread), replace(part, spread=spread)
    noisy = acquisition.noise(whole, amounts).pixels
    assert np.array_equal(acquisition.noise(part, amounts[:2]).pixels, noisy[[7, 3]])
    brighter = acquisition.exposure(whole, np.ones(12, np.float32))
    np.testing.assert_allclose(
        acquisition.noise(brighter, amounts).pixels - brighter.pixels,
        noisy - whole.pixels,
        atol=1e-3,
    )


def test_shading_tilts_and_keeps_the_mean() -> None:
    crops = discs(neighbour=False)
    edited = acquisition.shading(crops, np.full(3, 40, np.float32))
    assert edited.pixels[0, 1, 0, -1] == pytest.approx(12)
    assert edited.pixels[0, 1, 0, 0] == pytest.approx(8)
    np.testing.assert_allclose(
        edited.pixels.mean(axis=(2, 3)), crops.pixels.mean(axis=(2, 3)), rtol=1e-4
    )
