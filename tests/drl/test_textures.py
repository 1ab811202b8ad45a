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


# ---------------------------------------------------------------- the formulas, by hand


def spectrum(texture, seed=0):
    """Power of a raw texture at (fy, fx), as shares, and the frequencies in cycles a pixel."""
    tile = texture(torch.Generator().manual_seed(seed)).numpy()
    power = np.abs(np.fft.fft2(tile - tile.mean())) ** 2
    at = np.fft.fftfreq(SIDE)
    fy, fx = np.meshgrid(at, at, indexing="ij")
    return power / power.sum(), fy, fx


@pytest.mark.parametrize(
    ("texture", "low", "high"),
    [
        (TEXTURES["fibres"], 0.08, 0.25),
        (CELL_TEXTURES["fine"], 0.15, 0.25),
        (CELL_TEXTURES["granular"], 0.085, 0.125),
        (CELL_TEXTURES["coarse"], 0.05, 0.07),
    ],
)
def test_a_band_has_all_its_frequencies_and_no_others(texture, low, high):
    power, fy, fx = spectrum(texture)
    radius = np.hypot(fy, fx)
    inside = (radius >= low - 1e-9) & (radius <= high + 1e-9)
    assert power[inside].sum() == pytest.approx(1)
    present = radius[power > 1e-6]
    # Frequencies come in steps of 1 / 64.
    assert present.min() < low + 1 / 64
    assert present.max() > high - 1 / 64


def test_bands_have_unit_variance():
    for name in ("fine", "granular", "coarse"):
        tile = CELL_TEXTURES[name](torch.Generator().manual_seed(1))
        assert float(tile.std()) == pytest.approx(1)


def test_fibres_lie_in_one_direction_give_or_take_a_quarter():
    power, fy, fx = spectrum(TEXTURES["fibres"])
    turn = (np.arctan2(fy, fx) - 0.7 + np.pi / 2) % np.pi - np.pi / 2
    within = np.abs(turn) < 0.25
    assert power[within].sum() == pytest.approx(1)
    assert np.abs(turn[power > 1e-6]).max() > 0.2
    assert turn[power > 1e-6].min() < -0.2


def test_lace_is_a_band_with_its_sign_taken_away():
    generator = torch.Generator().manual_seed(3)
    noise = torch.randn(SIDE, SIDE, generator=generator, dtype=torch.float64).numpy()
    at = np.fft.fftfreq(SIDE)
    radius = np.hypot(at[:, None], at)
    kept = np.fft.ifft2(np.fft.fft2(noise) * ((radius >= 0.045) & (radius <= 0.095))).real
    found = TEXTURES["lace"](torch.Generator().manual_seed(3)).numpy()
    np.testing.assert_allclose(found, -np.abs(kept) / kept.std(ddof=1))


def test_a_weave_has_a_thread_every_four_pixels_both_ways_and_some_noise():
    power, fy, fx = spectrum(TEXTURES["weave"])
    threads = (
        power[0, SIDE // 4] + power[0, -SIDE // 4] + power[SIDE // 4, 0] + power[-SIDE // 4, 0]
    )
    # Two sines have a variance of 1/2 each, the noise .35 squared.
    assert threads == pytest.approx(1 / (1 + 0.35**2), abs=0.02)
    rest = power.copy()
    for at in ((0, SIDE // 4), (0, -SIDE // 4), (SIDE // 4, 0), (-SIDE // 4, 0)):
        rest[at] = 0
    radius = np.hypot(fy, fx)
    assert rest[(radius < 0.1 - 1e-9) | (radius > 0.5 + 1e-9)].sum() == pytest.approx(0, abs=1e-12)
    assert radius[rest > 1e-6].max() > 0.48
    assert radius[rest > 1e-6].min() < 0.1 + 1 / 64


def test_cane_is_three_waves_of_one_strength():
    power, _, _ = spectrum(TEXTURES["cane"])
    strong = {(int(y), int(x)) for y, x in np.argwhere(power > 0.01)}
    # (cycles across, cycles down): (6, 0), (3, 5), (-3, 5), and their opposites.
    half = {(0, 6), (5, 3), (5, -3)}
    assert strong == {(y % 64, x % 64) for y, x in half} | {(-y % 64, -x % 64) for y, x in half}
    assert [power[one] for one in strong] == pytest.approx([1 / 6] * 6)


def test_pebbles_are_bounded_where_two_of_forty_four_seeds_are_equally_near():
    found = TEXTURES["pebbles"](torch.Generator().manual_seed(2)).numpy()
    generator = torch.Generator().manual_seed(2)
    seeds = (torch.rand(44, 2, generator=generator, dtype=torch.float64) * 64).numpy()
    for y, x in ((0, 0), (63, 1), (20, 40)):
        away = [
            min(np.hypot(y - a - 64 * i, x - b - 64 * j) for i in (-1, 0, 1) for j in (-1, 0, 1))
            for a, b in seeds
        ]
        nearest, second = sorted(away)[:2]
        assert found[y, x] == pytest.approx(second - nearest)


def test_grey_values_are_the_middles_of_equal_parts_of_the_range(made):
    values = made[3, 1].flatten().sort().values
    wanted = LOW + (HIGH - LOW) * (np.arange(4096) + 0.5) / 4096
    np.testing.assert_allclose(values, wanted, rtol=1e-6)


def test_each_tile_has_a_stream_of_its_own(made):
    # The second variant of the third texture, from seed 7.
    generator = torch.Generator().manual_seed(7 * 7919 + 2 * 101 + 1)
    raw = TEXTURES["lace"](generator).flatten()
    assert torch.equal(raw.argsort(), made[2, 1].flatten().argsort())
