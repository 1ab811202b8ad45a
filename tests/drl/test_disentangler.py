"""Disentanglers: pictures to latents and back, along lines and circles; bad input is refused."""

import numpy as np
import pytest
import torch

from napari_channelmix.drl.network import VariationalAutoencoder
from napari_channelmix.errors import DataError, ModelError


@pytest.fixture
def z(untrained):
    return np.linspace(-1, 1, 10).astype(np.float32)


# ---------------------------------------------------------------- there and back


def test_latents_are_the_mean_of_the_posterior(untrained, pictures):
    latents = untrained.encode(pictures)
    mean, spread = untrained.posterior(pictures)
    with torch.no_grad():
        wanted = untrained.network(torch.from_numpy(pictures))
    assert latents.shape == (12, 10)
    assert latents.dtype == spread.dtype == np.float32
    np.testing.assert_array_equal(latents, mean)
    np.testing.assert_allclose(mean, wanted.mean, atol=1e-5)
    np.testing.assert_allclose(spread, (0.5 * wanted.log_variance).exp(), rtol=1e-4)


def test_bytes_and_floats_are_the_same_picture(untrained, pictures):
    as_bytes = np.round(255 * pictures).astype(np.uint8)
    np.testing.assert_array_equal(
        untrained.encode(as_bytes), untrained.encode(as_bytes.astype(np.float64) / 255)
    )


def test_many_pictures_are_encoded_in_order(untrained, pictures):
    many = np.tile(pictures, (25, 1, 1, 1))
    found = untrained.encode(many)
    assert found.shape == (300, 10)
    np.testing.assert_allclose(found, np.tile(untrained.encode(pictures), (25, 1)), atol=1e-5)
    np.testing.assert_allclose(
        untrained.decode(found)[:12], untrained.decode(found[:12]), atol=1e-5
    )


def test_views_and_no_pictures_are_encoded(untrained, pictures):
    np.testing.assert_array_equal(
        untrained.encode(pictures[::-1, ::-1]), untrained.encode(pictures[::-1, ::-1].copy())
    )
    assert untrained.encode(pictures[:0]).shape == (0, 10)
    assert untrained.decode(np.zeros((0, 10))).shape == (0, 3, 64, 64)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_pictures_that_are_no_numbers_are_refused_by_their_place(untrained, pictures, bad):
    many = np.tile(pictures, (25, 1, 1, 1))
    many[270, 1, 3, 3] = bad
    with pytest.raises(DataError, match="image 270 has NaN or infinite pixels"):
        untrained.encode(many)


@pytest.mark.parametrize("shape", [(3, 64, 64), (2, 1, 64, 64), (2, 3, 32, 64), (2, 3, 64), ()])
def test_pictures_of_another_shape_are_refused(untrained, shape):
    with pytest.raises(DataError, match=r"images must be \(n, 3, 64, 64\), not"):
        untrained.encode(np.zeros(shape, np.float32))


def test_refused_pictures_leave_torch_as_it_was(untrained, pictures):
    with pytest.raises(DataError):
        untrained.encode(pictures * np.nan)
    assert not torch.is_inference_mode_enabled()


def test_a_network_that_fails_leaves_torch_as_it_was(untrained, pictures, monkeypatch):
    def fails(*_):
        raise MemoryError

    monkeypatch.setattr(VariationalAutoencoder, "forward", fails)
    with pytest.raises(MemoryError) as kept:
        untrained.encode(pictures)
    assert kept.value is not None
    assert not torch.is_inference_mode_enabled()


def test_pictures_come_out_between_0_and_1(untrained, z):
    drawn = untrained.decode(z)
    assert drawn.shape == (1, 3, 64, 64)
    assert drawn.dtype == np.float32
    assert 0 <= drawn.min() <= drawn.max() <= 1


@pytest.mark.parametrize("shape", [(9,), (2, 11), (1, 2, 10)])
def test_latents_of_another_shape_are_refused(untrained, shape):
    with pytest.raises(DataError, match=r"latents must be \(n, 10\), not"):
        untrained.decode(np.zeros(shape))


def test_the_shipped_weights_draw_what_they_see(shipped, textured, generator):
    digits = textured.random(64, generator)
    drawn = textured.draw(digits, generator)
    latents = shipped.encode(drawn.inputs.numpy())
    read = shipped.code.read(torch.from_numpy(latents))
    right = (read == digits).float().mean(dim=0)
    assert right.min() > 0.6
    apart = np.abs(shipped.decode(latents) - drawn.targets.numpy()).mean()
    assert apart < 0.25 * drawn.targets.mean()


# ---------------------------------------------------------------- traversals


def test_steps_along_a_line_change_one_latent_alone(untrained, z):
    found = untrained.steps(z, "Scale", 5, (-2.0, 1.0))
    at = untrained.position("Scale")
    np.testing.assert_allclose(found[:, at], [-2, -1.25, -0.5, 0.25, 1])
    others = np.delete(np.arange(10), at)
    assert (found[:, others] == z[others]).all()
    assert found.dtype == np.float32


@pytest.mark.parametrize("latent", ["Orientation", "Orientation (sin)", 4, 7])
def test_steps_of_orientation_go_around_the_circle_of_the_cell(untrained, z, latent):
    cosine, sine = untrained.circle(latent)
    assert (cosine, sine) == (4, 7)
    z[[cosine, sine]] = 1.2, -1.6
    found = untrained.steps(z, latent, 8)
    np.testing.assert_allclose(np.hypot(found[:, cosine], found[:, sine]), 2, rtol=1e-6)
    angle = np.arctan2(found[:, sine], found[:, cosine]) % (2 * np.pi)
    # The last step stops short of the first.
    np.testing.assert_allclose(angle, np.arange(8) * np.pi / 4, atol=1e-6)
    others = np.delete(np.arange(10), [cosine, sine])
    assert (found[:, others] == z[others]).all()


def test_a_cell_without_orientation_turns_on_a_circle_that_can_be_seen(untrained):
    found = untrained.steps(np.zeros(10), "Orientation", 4)
    np.testing.assert_allclose(np.hypot(found[:, 4], found[:, 7]), 0.75)


def test_a_traversal_draws_the_steps(untrained, z):
    np.testing.assert_allclose(
        untrained.traverse(z, "Shape", 4),
        untrained.decode(untrained.steps(z, "Shape", 4)),
        atol=1e-6,
    )


def test_names_numbers_and_axes_belong_together(untrained):
    assert untrained.name == "texture-sprites"
    assert untrained.shape == (3, 64, 64)
    for at, name in enumerate(untrained.names):
        assert untrained.position(name) == untrained.position(at) == at
        assert untrained.circle(name) == ((4, 7) if "Orientation" in name else None)
    assert untrained.axes() == (
        "Texture",
        "Color",
        "Shape",
        "Scale",
        "Orientation",
        "PosX",
        "PosY",
    )
    assert untrained.columns("Orientation") == (4, 7)
    assert untrained.columns("Scale") == (3,)


@pytest.mark.parametrize(
    ("latent", "says"),
    [
        ("Size", "there is no latent 'Size'; there are Texture, Color"),
        (10, "there is no latent 10; there are 10"),
        (-1, "there is no latent -1"),
    ],
)
def test_a_latent_that_is_not_there_is_refused(untrained, latent, says):
    with pytest.raises(ModelError, match=says):
        untrained.position(latent)


@pytest.mark.parametrize(("values", "steps"), [(9, 5), (10, 1), (20, 5)])
def test_steps_of_half_a_cell_or_of_one_step_are_refused(untrained, values, steps):
    with pytest.raises(ModelError, match="z must have 10 values, and steps be 2 or more"):
        untrained.steps(np.zeros(values), 0, steps)


@pytest.mark.parametrize(("low", "high"), [(0, 255), (-0.5, 1), (0, 1.2)])
def test_pixels_outside_0_to_1_are_refused_with_their_range(untrained, low, high):
    wrong = np.linspace(low, high, 3 * 64 * 64, dtype=np.float32).reshape(1, 3, 64, 64)
    with pytest.raises(DataError, match=f"between 0 and 1.* from {low:g} to {high:g}"):
        untrained.encode(wrong)


def test_pixels_a_rounding_error_outside_are_taken(untrained):
    nearly = np.full((1, 3, 64, 64), 1 + 1e-6, np.float32)
    assert np.isfinite(untrained.encode(nearly)).all()
