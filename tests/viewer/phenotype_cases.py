"""Cells with predictions for the tests of the dock 'Phenotypes'; every answer can be seen."""

from __future__ import annotations

from typing import Any

import numpy as np

from napari_channelmix.data import Cells
from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
from napari_channelmix.viewer.session.session import Predictions

CLASSES = ("round", "long", "dead")


def cells(count: int = 12, classes: tuple[str, ...] = CLASSES, **more: Any) -> Cells:
    """Cells whose pixels are their number; class ``i % K``, three wells."""
    crops = np.zeros((count, 2, 8, 8), np.float32) + np.arange(count)[:, None, None, None]
    labels = np.arange(count) % max(len(classes), 1) if classes else None
    groups = [f"W{at // -(-count // 3)}" for at in range(count)]
    return Cells.from_array(crops, ["DNA", "GFP"], labels, classes, groups, **more)


def predictions(of: Cells, wrong: tuple[int, ...] = (4, 7), sure: float = 0.7) -> Predictions:
    """The label, but for some cells, of which the last is the surest."""
    names = of.classes or CLASSES
    kinds = len(names)
    found = np.full((len(of), kinds), (1 - sure) / max(kinds - 1, 1), np.float32)
    labels = np.maximum(of.labels, 0)
    for cell in range(len(of)):
        right = cell not in wrong
        at = labels[cell] if right else (labels[cell] + 1) % kinds
        found[cell] = (1 - sure) / max(kinds - 1, 1)
        found[cell, at] = sure if right else sure + 0.05 * (1 + wrong.index(cell))
    found /= found.sum(axis=1, keepdims=True)
    return Predictions(tuple(names), found, f"trained on {of.name}")


def facts(count: int = 12, *, predicted: bool = True, **more: Any) -> Facts:
    """What is known of such cells."""
    of = cells(count, **more)
    return Facts(of, predictions(of) if predicted else None)
