"""Cells that a tiny network learns in a few steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify import Classifier, TrainingSettings, train_classifier
from napari_channelmix.data import Cells

MakeCells = Callable[..., Cells]


def made(count: int = 48, side: int = 12, seed: int = 0, classes: int = 2) -> Cells:
    """Crops of three channels of odd gains; the class is the brightness of the middle of 'signal'.

    Six cells share a group.
    """
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % classes
    crops = rng.normal(size=(count, 3, side, side))
    crops[:, 1, 3:9, 3:9] += 3.0 * labels[:, None, None]
    crops = (crops * np.array([3.0, 500.0, 0.01])[:, None, None] + 100).astype(np.float32)
    names = [f"class {code}" for code in range(classes)]
    groups = [f"well {i // 6}" for i in range(count)]
    return Cells.from_array(crops, ["noise", "signal", "other"], labels, names, groups)


@pytest.fixture
def make_cells() -> MakeCells:
    return made


@pytest.fixture
def cells() -> Cells:
    return made()


@pytest.fixture(scope="session")
def quick() -> TrainingSettings:
    return TrainingSettings(epochs=2, batch=8)


@pytest.fixture(scope="session")
def trained() -> Classifier:
    """A trained classifier; not to be changed by a test."""
    settings = TrainingSettings(epochs=3, batch=8)
    return train_classifier(made(), network="tiny", settings=settings, device="cpu")


@pytest.fixture(scope="session")
def trained_mix() -> Classifier:
    """The same with a mixing layer; not to be changed by a test."""
    settings = TrainingSettings(epochs=1, batch=8)
    return train_classifier(made(), mix=True, network="tiny", settings=settings, device="cpu")


def blobs(wells: int = 12, each: int = 20, seed: int = 0, side: int = 16) -> Cells:
    """Crops of two channels, ``uint16``: a dim wide blob (DNA), a bright narrow one (GFP).

    The GFP of the class 'high' is brighter by a half; wells differ by a few percent.
    """
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:side, :side] - (side - 1) / 2
    wide, narrow = (np.exp(-(y**2 + x**2) / (2 * width**2)) for width in (5.0, 2.5))
    crops, labels, groups = [], [], []
    for well in range(wells):
        gain = rng.uniform(0.95, 1.05)
        for _ in range(each):
            high = well % 2
            dna = 40 + gain * 150 * rng.uniform(0.8, 1.2) * wide
            gfp = 100 + gain * (900 + 450 * high) * rng.uniform(0.8, 1.2) * narrow
            crops.append(np.stack([dna, gfp]) + rng.normal(0, 4, (2, side, side)))
            labels.append(high)
            groups.append(f"well {well}")
    whole = np.stack(crops).round().clip(0, 4095).astype(np.uint16)
    return Cells.from_array(whole, ["DNA", "GFP"], labels, ["low", "high"], groups)


@pytest.fixture(scope="session")
def plate() -> Cells:
    """Training cells with an ordinary spread between wells; not to be changed by a test."""
    return blobs()


@pytest.fixture(scope="session")
def other_plate() -> Cells:
    """Other cells of the same kind."""
    return blobs(seed=7, wells=6)


@pytest.fixture(scope="session")
def on_plate(plate: Cells) -> Classifier:
    """A classifier of the plate; not to be changed by a test."""
    settings = TrainingSettings(epochs=6, batch=32)
    return train_classifier(plate, network="tiny", settings=settings, device="cpu")


@pytest.fixture(scope="session")
def overconfident() -> Any:
    """Makes scores that are too large, with their labels and groups."""

    def scores(groups: int = 20, each: int = 30, sharper: float = 3.0, seed: int = 0):
        """Scores that are three times too large, their labels, and groups; classes alike often."""
        rng = np.random.default_rng(seed)
        right = rng.normal(0, 1.5, groups * each)
        labels = (rng.random(len(right)) < 1 / (1 + np.exp(-right))).astype(int)
        scores = sharper * np.stack([np.zeros_like(right), right], axis=1)
        return scores, labels, np.repeat(np.arange(groups), each)

    return scores
