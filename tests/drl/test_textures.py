"""Textures: brightness does not tell them apart, they close at the edges, each has its own seed."""

import numpy as np
import pytest
import torch

from napari_channelmix.drl.textures import CELL_TEXTURES, SIDE, TEXTURES, tiles

LOW, HIGH = 0.15, 1.0


@pytest.fixture(scope="module")
def made():
    return tiles(TEXTURES, 2, 7, LOW, HIGH)


@pytest.fixture(scope="module")
def grains():
    return tiles(CELL_TEXTURES, 2, 7, 0.3, 1.7)


def test_all_tiles_hold_exactly_the_same_grey_values(made):
    values = made.flatten(2).sort(dim=2).values
    assert values.shape == (5, 2, SIDE * SIDE)
    assert (values == values[0, 0]).all()


def test_grey_values_are_uniform_over_the_range(made):
    values = np.sort(made[3, 1].numpy().ravel())
    wanted = np.linspace(LOW, HIGH, len(values) + 1)
    assert (values >= wanted[:-1]).all()
    assert (values <= wanted[1:]).all()


def test_the_flat_texture_has_the_mean_of_the_others_everywhere(grains):
    assert (grains[0] == 1.0).all()
    torch.testing.assert_close(grains[1:].mean(dim=(2, 3)), torch.ones(3, 2))


@pytest.mark.parametrize("at", range(5), ids=list(TEXTURES))
def test_opposite_edges_fit_together(made, at):
    tile = made[at, 0].double()
    for axis in (0, 1):
        steps = (tile - tile.roll(1, dims=axis)).abs().mean(dim=1 - axis)
        # The first step is that across the edge.
        assert steps[0] < 1.5 * steps[1:].max()
        assert steps[0] < 2 * steps[1:].mean()


def mean_frequency(tile):
    power = np.abs(np.fft.fft2(tile - tile.mean())) ** 2
    at = np.fft.fftfreq(SIDE)
    return (power * np.hypot(at[:, None], at)).sum() / power.sum()


@pytest.mark.parametrize("variant", [0, 1])
def test_textures_stand_in_the_order_from_fine_to_coarse(made, grains, variant):
    for bank in (made, grains[1:]):
        frequencies = [mean_frequency(tile.numpy()) for tile in bank[:, variant]]
        assert frequencies == sorted(frequencies, reverse=True)


def test_a_tile_depends_on_seed_texture_and_variant_alone(made):
    more = tiles(TEXTURES, 3, 7, LOW, HIGH)
    assert torch.equal(more[:, :2], made)
    other = tiles(TEXTURES, 2, 8, LOW, HIGH)
    assert not any(torch.equal(other[k, v], made[k, v]) for k in range(5) for v in range(2))


def test_variants_differ(made):
    assert not any(torch.equal(one[0], one[1]) for one in made)
