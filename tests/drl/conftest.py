"""Sprites, networks that are quick, and cells whose shapes are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from napari_channelmix.data import Cells
from napari_channelmix.drl import Disentangler, load_disentangler
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.network import NetworkSettings, VariationalAutoencoder
from napari_channelmix.drl.sprites import CELLS, TEXTURED, Sprites, SpriteSet

FloatArray = npt.NDArray[np.float32]


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture(scope="session")
def textured() -> Sprites:
    return Sprites(TEXTURED)


@pytest.fixture(scope="session")
def grainy() -> Sprites:
    """Sprites of one channel."""
    return Sprites(CELLS)


@pytest.fixture(scope="session")
def shipped() -> Disentangler:
    """The disentangler that comes with the package; not to be changed by a test."""
    return load_disentangler("texture-sprites")


def untrained_of(of: SpriteSet = TEXTURED, seed: int = 0, **settings: int) -> Disentangler:
    """A small disentangler that was never trained."""
    latents = 10 if of is TEXTURED else 11
    how = replace(NetworkSettings(filters=8, hidden=16), channels=of.channels, latents=latents)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = VariationalAutoencoder(replace(how, **settings))
    return Disentangler(network.eval(), Code(of, network.settings.latents), {"recipe": {}})


@pytest.fixture
def untrained() -> Disentangler:
    return untrained_of()


@pytest.fixture
def make_untrained() -> Callable[..., Disentangler]:
    return untrained_of


@pytest.fixture
def pictures(textured: Sprites, generator: torch.Generator) -> FloatArray:
    """What an encoder of coloured pictures takes, (12, 3, 64, 64)."""
    drawn: FloatArray = textured.draw(textured.random(12, generator), generator).inputs.numpy()
    return drawn


def ellipse(
    side: int, axes: tuple[float, float], angle: float, at: tuple[float, float]
) -> FloatArray:
    """A filled ellipse: 1 inside, 0 outside; half axes in pixels, angle in radians."""
    y, x = np.mgrid[:side, :side] - np.array(at)[:, None, None]
    along = np.cos(angle) * y + np.sin(angle) * x
    across = np.cos(angle) * x - np.sin(angle) * y
    return ((along / axes[0]) ** 2 + (across / axes[1]) ** 2 <= 1).astype(np.float32)


def field_of_ellipses(count: int = 24, seed: int = 0, side: int = 40) -> Cells:
    """A field of labelled ellipses in two channels: 'large' ones are bright in 'A', others in 'B'.

    A cell in a tile of ``side`` pixels, with some noise on a background of 100.
    """
    rng = np.random.default_rng(seed)
    tiles = int(np.ceil(np.sqrt(count)))
    labels = np.zeros((tiles * side, tiles * side), np.int32)
    planes = 100 + rng.normal(0, 2, (2, *labels.shape)).astype(np.float32)
    names = {}
    for at in range(count):
        y, x = divmod(at, tiles)
        window = slice(y * side, (y + 1) * side), slice(x * side, (x + 1) * side)
        size = rng.uniform(11, 14) if at % 2 else rng.uniform(5, 8)
        one = ellipse(side, (size, 0.7 * size), rng.uniform(0, np.pi), (side / 2, side / 2))
        labels[window][one > 0] = at + 1
        for plane, gain in zip(planes, (400, 100) if at % 2 else (100, 400), strict=True):
            plane[window] += gain * one * rng.uniform(0.7, 1.0)
        names[at + 1] = "large" if at % 2 else "small"
    return Cells.from_labels(planes, ["A", "B"], labels, crop=side, classes_of=names)


@pytest.fixture(scope="session")
def ellipses() -> Cells:
    return field_of_ellipses()


@pytest.fixture
def make_ellipses() -> Callable[..., Cells]:
    return field_of_ellipses


@pytest.fixture
def make_ellipse() -> Callable[..., FloatArray]:
    return ellipse
