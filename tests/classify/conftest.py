"""Cells that a tiny network learns in a few steps."""

from __future__ import annotations

from collections.abc import Callable

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
