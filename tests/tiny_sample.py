"""A tiny data set, a rule that classifies it, and a classifier trained on it: for examples."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

import napari_channelmix as cm
from napari_channelmix.classify import ForeignClassifier

CHANNELS, CLASSES = ("GFP", "DNA"), ("low", "high")


def bright_green(crops):
    """Probabilities (n, 2): cells with bright green middles are high."""
    middle = crops[:, 0, 4:8, 4:8].mean(axis=(1, 2))
    high = 1 / (1 + np.exp(5 - middle))
    return np.stack([1 - high, high], axis=1).astype(np.float32)


@cache
def tiny_cells() -> cm.Cells:
    """40 cells of 12 pixels in 10 wells, two of four cells each are high."""
    labels = np.arange(40) % 2
    crops = np.random.default_rng(0).normal(0, 0.3, size=(40, 2, 12, 12))
    crops[:, :, 3:9, 3:9] += 10
    crops[:, 0] *= labels[:, None, None]
    wells = [f"well {number // 4}" for number in range(40)]
    return cm.Cells.from_array(crops, CHANNELS, labels, CLASSES, wells, name="tiny")


def rule() -> ForeignClassifier:
    """The rule as a classifier made elsewhere."""
    return ForeignClassifier(
        bright_green, CHANNELS, CLASSES, np.zeros(2), np.ones(2), "probabilities", "a rule"
    )


@cache
def trained() -> cm.Classifier:
    """A classifier of the first half of the wells."""
    train, _ = halves()
    return cm.train_classifier(train, network="tiny", epochs=2, device="cpu")


def halves() -> tuple[cm.Cells, cm.Cells]:
    """Training and held-out cells."""
    return tiny_cells().split(test=0.5, seed=0)


def names(folder: Path) -> dict[str, Any]:
    """What examples know by name; see `test_examples`."""
    train, test = halves()
    known = {"cells": tiny_cells(), "train": train, "test": test, "rule": rule()}
    return known | {"cm": cm, "np": np, "model": trained(), "folder": folder}
