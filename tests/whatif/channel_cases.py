"""Cells and models whose channels are known to decide, for tests of channels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.data import Cells

CLASSES = ("low", "high")


def cells_of(
    channels: int = 3, count: int = 48, groups: int = 8, side: int = 8, seed: int = 0
) -> Cells:
    """Channel 0 is 4 brighter in the class 'high'; groups hold both classes."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 2
    crops = rng.normal(0, 0.5, (count, channels, side, side)).astype(np.float32)
    crops[:, 0] += 4.0 * labels[:, None, None]
    wells = [f"well {number * groups // count}" for number in range(count)]
    return Cells.from_array(crops, list("abcdefghij")[:channels], labels, CLASSES, wells)


def model_of(
    high: Callable[[np.ndarray], np.ndarray], channels: int = 3, classes: tuple[str, ...] = CLASSES
) -> ForeignClassifier:
    """A model that calls crops by a rule: ``high(means (n, C))`` gives a class number for each."""

    def predict(crops: np.ndarray) -> np.ndarray:
        codes = np.asarray(high(crops.mean(axis=(2, 3))), np.int64)
        return np.eye(len(classes), dtype=np.float32)[codes]

    names = tuple("abcdefghij"[:channels])
    return ForeignClassifier(
        predict, names, classes, np.zeros(channels), np.ones(channels), "probabilities", "a rule"
    )


def by_first(means: np.ndarray) -> np.ndarray:
    return means[:, 0] > 2
