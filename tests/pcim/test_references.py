"""References: backgrounds that look like the image's own, whatever its size and company."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from napari_channelmix.pcim.cell_pool import PooledCells
from napari_channelmix.pcim.references import (
    REPORTED,
    SOLVING,
    Reference,
    Removal,
    blurred,
    border_median,
    noise_sd,
    reference,
    reported_kinds,
)

KINDS = (*SOLVING, *REPORTED)


def images(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape).astype(np.float32))


def drawn(kind, x, seed=3):
    mean = torch.full((1, x.shape[1], 1, 1), 7.0)
    return reference(kind, x, mean, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("sigma", [0.7, 1.5, 3.0])
def test_blur_is_scipys(sigma):
    x = images(2, 3, 21, 17)
    wanted = ndimage.gaussian_filter(x.numpy(), (0, 0, sigma, sigma), mode="mirror", truncate=3.5)
    np.testing.assert_allclose(blurred(x, sigma), wanted, atol=1e-5)


@pytest.mark.parametrize("side", [(1, 1), (1, 9), (2, 2), (3, 3)])
def test_blur_of_a_tiny_image_keeps_what_is_constant(side):
    x = torch.full((1, 2, *side), 4.0)
    np.testing.assert_allclose(blurred(x, 6.0), 4.0, rtol=1e-5)


def test_no_blur_changes_nothing():
    x = images(1, 1, 5, 5)
    assert torch.equal(blurred(x, 0), x)


def test_border_median_is_of_the_outermost_pixels():
    x = images(2, 2, 5, 7)
    x[:, :, 1:-1, 1:-1] = 99
    for n in range(2):
        for c in range(2):
            plane = x[n, c].numpy()
            ring = [*plane[0], *plane[-1], *plane[1:-1, 0], *plane[1:-1, -1]]
            # torch's median of an even count is the lower of the two in the middle.
            assert border_median(x)[n, c, 0, 0] == sorted(ring)[(len(ring) - 1) // 2]


def test_noise_grows_with_the_noise_and_is_none_where_there_is_none():
    calm, loud = noise_sd(images(1, 1, 40, 40)), noise_sd(3 * images(1, 1, 40, 40))
    np.testing.assert_allclose(loud, 3 * calm, rtol=1e-4)
    assert noise_sd(torch.full((1, 2, 8, 8), 5.0)).abs().max() < 1e-5
    assert noise_sd(torch.ones(1, 2, 1, 1)).tolist() == [[[[0.0]], [[0.0]]]]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [(1, 1), (2, 2), (3, 3), (1, 6), (24, 17)])
def test_every_kind_fits_every_size(kind, size):
    x = images(3, 2, *size)
    r = drawn(kind, x)
    assert r.shape == x.shape
    assert torch.isfinite(r).all()


@pytest.mark.parametrize("kind", KINDS)
def test_the_reference_of_a_cell_does_not_depend_on_its_company(kind):
    x = images(5, 2, 12, 10)
    torch.testing.assert_close(drawn(kind, x)[2:3], drawn(kind, x[2:3]))


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_draws_the_same_reference(kind):
    x = images(2, 2, 12, 10)
    assert torch.equal(drawn(kind, x), drawn(kind, x))


def test_background_draws_whole_pixels_from_the_two_outermost_rows_and_columns():
    x = images(1, 2, 12, 10)
    x[:, :, 2:-2, 2:-2] = 99
    ring = {tuple(p) for p in x[0].flatten(1).T.tolist() if p[0] != 99}
    drawn_pixels = {tuple(p) for p in drawn("background", x)[0].flatten(1).T.tolist()}
    assert drawn_pixels <= ring
    assert len(drawn_pixels) > 20


def test_mean_is_the_mean_of_the_data_set():
    assert (drawn("mean", images(2, 2, 4, 4)) == 7).all()


def test_smooth_has_lost_what_is_small():
    x = images(1, 1, 24, 24)
    assert drawn("smooth", x).std() < 0.2 * x.std()


def test_references_that_are_reported_are_never_solved_on():
    assert not set(SOLVING) & set(REPORTED)


# ---------------------------------------------------------------- the formulas, by hand


def grain(x, seed=3):
    """Noise of sd 1, the same for all cells."""
    return torch.randn(x.shape[1:], generator=torch.Generator().manual_seed(seed))


def test_noise_is_the_spread_of_what_a_blur_of_one_pixel_takes_away():
    x = images(2, 2, 12, 10)
    lost = x - blurred(x, 1.0)
    wanted = (lost.square().mean(dim=(2, 3)) - lost.mean(dim=(2, 3)).square()).sqrt()
    torch.testing.assert_close(noise_sd(x)[:, :, 0, 0], wanted)


def test_border_is_the_median_with_noise_and_blur_the_image_blurred_with_noise():
    x = images(2, 2, 12, 10)
    torch.testing.assert_close(drawn("border", x), border_median(x) + noise_sd(x) * grain(x))
    torch.testing.assert_close(drawn("blur", x), blurred(x, 6.0) + noise_sd(x) * grain(x))


def test_smooth_is_blurred_by_a_quarter_of_the_shorter_side():
    x = images(2, 2, 12, 16)
    torch.testing.assert_close(drawn("smooth", x), blurred(x, 3.0))


def test_every_pixel_of_the_two_outermost_rows_and_columns_can_be_drawn():
    x = torch.arange(36.0).reshape(1, 1, 6, 6)
    ring = set(range(36)) - {14, 15, 20, 21}
    found = {v for seed in range(60) for v in drawn("background", x, seed).flatten().tolist()}
    assert found == ring


def test_shuffled_has_the_pixels_of_the_image_at_other_places():
    x = torch.arange(2 * 6 * 5.0).reshape(1, 2, 6, 5)
    pixels = drawn("shuffled", x)[0].flatten(1)
    # Whole pixels: the second channel is 30 above the first everywhere.
    assert torch.equal(pixels[1], pixels[0] + 30)
    assert sorted(pixels[0].tolist()) == list(range(30))
    assert not torch.equal(pixels[0], x[0, 0].flatten())


@pytest.mark.parametrize("size", [(12, 10), (11, 9)])
def test_scrambled_keeps_the_spectrum_and_the_mean_of_each_channel(size):
    x = images(2, 2, *size) + 3
    r = drawn("scrambled", x)
    torch.testing.assert_close(torch.fft.rfft2(r).abs(), torch.fft.rfft2(x).abs())
    torch.testing.assert_close(r.mean(dim=(2, 3)), x.mean(dim=(2, 3)))
    assert np.corrcoef(r.flatten(), x.flatten())[0, 1] < 0.5


def test_noise_has_the_mean_and_the_sd_of_the_data_set():
    x = images(1, 2, 60, 60)
    mean, sd = torch.tensor([5.0, -1.0]).view(1, 2, 1, 1), torch.tensor([2.0, 0.5]).view(1, 2, 1, 1)
    r = Reference(x, mean, 0, sd=sd).draw("noise")
    torch.testing.assert_close(r.mean(dim=(2, 3)), mean[..., 0, 0], atol=0.1, rtol=0)
    torch.testing.assert_close(r.std(dim=(2, 3)), sd[..., 0, 0], atol=0.1, rtol=0)


@pytest.mark.parametrize("kind", ["cells", "other cells"])
def test_real_cells_are_never_the_explained_one(kind):
    pool = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 1, 4, 4)
    pooled = PooledCells(pool, torch.tensor([-1, 0, 1, 2]))
    x = images(4, 1, 4, 4)
    which = set()
    for seed in range(20):
        references = Reference(x, x[:1] * 0, seed, pooled=pooled, other_cells=pooled)
        values = [int(plane.unique()) for plane in references.draw(kind)]
        # The same cell for all, the next one for the cell itself.
        assert values[1:] == [(values[0] + (values[0] == own)) % 3 for own in range(3)]
        which.add(values[0])
    assert which == {0, 1, 2}


def test_real_cells_need_other_cells():
    with pytest.raises(ValueError, match="no other cells"):
        drawn("cells", images(1, 1, 4, 4))
    assert reported_kinds(None) == REPORTED


def test_every_reported_kind_replaces_the_removed_pixels_alone():
    x, kept = images(3, 2, 12, 10), torch.zeros(3, 1, 12, 10, dtype=torch.bool)
    kept[:, :, 3:9] = True
    for kind in REPORTED:
        images_left = Removal(Reference(x, x[:1].mean(dim=(2, 3), keepdim=True)), kind)
        result = images_left.kept(kept[1:], slice(1, None))
        where = kept[1:].expand_as(result)
        assert torch.equal(result[where], x[1:][where]), kind
        assert (result[~where] != x[1:][~where]).float().mean() > 0.9, kind
