"""Removed pixels are filled in smoothly from those that are kept."""

import numpy as np
import pytest
import torch

from napari_channelmix.pcim.inpainting import filled_in

MEAN = torch.full((1, 2, 1, 1), 7.0)


def images(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (16, 16), (17, 13)])
def test_kept_pixels_stay_and_what_nothing_is_kept_of_is_the_mean(size):
    x, kept = images(2, 2, *size), torch.zeros(2, 1, *size, dtype=torch.bool)
    torch.testing.assert_close(filled_in(x, kept, MEAN), MEAN.expand_as(x))
    assert torch.equal(filled_in(x, ~kept, MEAN), x)


def test_a_single_kept_pixel_is_all_there_is_to_go_by():
    x, kept = images(1, 2, 12, 9), torch.zeros(1, 1, 12, 9, dtype=torch.bool)
    kept[0, 0, 5, 2] = True
    torch.testing.assert_close(filled_in(x, kept, MEAN), x[:, :, 5:6, 2:3].expand_as(x))


def test_channels_may_keep_pixels_of_their_own():
    x, kept = images(1, 2, 9, 9), torch.zeros(1, 2, 9, 9, dtype=torch.bool)
    kept[0, 0, 1, 1] = kept[0, 1, 7, 7] = True
    result = filled_in(x, kept, MEAN)[0]
    torch.testing.assert_close(result[0], x[0, 0, 1, 1].expand(9, 9))
    torch.testing.assert_close(result[1], x[0, 1, 7, 7].expand(9, 9))


def test_a_plane_is_continued_across_a_hole():
    rows = torch.arange(20.0)[None, None, :, None].expand(1, 2, 20, 20)
    kept = torch.ones(1, 1, 20, 20, dtype=torch.bool)
    kept[:, :, 8:12, 8:12] = False
    torch.testing.assert_close(filled_in(rows, kept, MEAN), rows, atol=0.05, rtol=0)


def test_filling_keeps_to_the_range_of_what_is_kept_and_is_smooth():
    x = images(2, 2, 24, 24)
    kept = images(2, 1, 24, 24, seed=1) > 1.5
    result = filled_in(x, kept, MEAN)
    for n in range(2):
        for c in range(2):
            values = x[n, c][kept[n, 0]]
            assert values.min() - 1e-5 <= result[n, c].min()
            assert result[n, c].max() <= values.max() + 1e-5
    # Removed pixels are near the mean of their neighbours, as in a membrane.
    inner = result[:, :, 1:-1, 1:-1]
    around = result[:, :, :-2, 1:-1] + result[:, :, 2:, 1:-1]
    around = (around + result[:, :, 1:-1, :-2] + result[:, :, 1:-1, 2:]) / 4
    away = (inner - around)[~kept[:, :, 1:-1, 1:-1].expand_as(inner)].abs()
    assert away.max() < 0.05
