"""Cells in layers and keys in the canvas, for the tests of the dock 'Annotate'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import Qt

from napari_channelmix.data import Cells
from napari_channelmix.viewer.session.session import Predictions, Shown

from .conftest import canvas_of, canvas_point

if TYPE_CHECKING:
    from pathlib import Path

ODD = {
    "scale": (0.5, 0.25),
    "translate": (10.0, -20.0),
    "rotate": 20.0,
    "affine": np.array([[1.0, 0.1, 5.0], [-0.1, 1.0, -3.0], [0.0, 0.0, 1.0]]),
    "units": ("um", "um"),
    "axis_labels": ("rows", "columns"),
}


def squares(count: int = 6, side: int = 120) -> Any:
    labels = np.zeros((side, side), int)
    for number in range(count):
        y, x = divmod(number, 3)
        labels[20 + 50 * y : 40 + 50 * y, 10 + 38 * x : 30 + 38 * x] = number + 1
    return labels


def show_squares(viewer: Any, session: Any, classes: tuple[str, ...] = ("alive", "dead")) -> Cells:
    """Six cells without a class, in layers that are scaled, moved, turned and sheared."""
    labels, rng = squares(), np.random.default_rng(0)
    images = {
        name: viewer.add_image(rng.random(labels.shape), name=name, **ODD)
        for name in ("DNA", "GFP")
    }
    marked = viewer.add_labels(labels, name="cells", **ODD)
    planes = tuple(layer.data for layer in images.values())
    cells = Cells.from_labels(planes, tuple(images), labels, crop=24)
    cells = cells.with_labels([-1] * 6, classes)
    session.open(cells, "layers of the viewer", Shown(0, images, marked))
    viewer.reset_view()
    return cells


def where(viewer: Any, number: int) -> Any:
    """World position of the middle of a square."""
    return viewer.layers["cells"].data_to_world(np.argwhere(squares() == number).mean(axis=0))


def press(qtbot: Any, viewer: Any, number: int, shift: bool = False) -> None:
    """Click a square in the canvas."""
    held = Qt.KeyboardModifier.ShiftModifier if shift else Qt.KeyboardModifier.NoModifier
    point = canvas_point(viewer, where(viewer, number))
    qtbot.mouseClick(canvas_of(viewer), Qt.MouseButton.LeftButton, held, pos=point)
    qtbot.wait(30)


def key(qtbot: Any, widget: Any, name: str, *held: str) -> None:
    """Press a key over a widget, such as ``Z`` with ``Control``."""
    modifiers = Qt.KeyboardModifier.NoModifier
    for one in held:
        modifiers |= getattr(Qt.KeyboardModifier, f"{one}Modifier")
    qtbot.keyClick(widget, getattr(Qt.Key, f"Key_{name}"), modifiers)


def predicted(probabilities: Any) -> Predictions:
    return Predictions(("alive", "dead"), np.asarray(probabilities, np.float32), "made up")


def rows_of(path: Path) -> dict[tuple[str, int], str]:
    """Classes in an annotation file, by field and value."""
    import pandas as pd

    table = pd.read_csv(path, keep_default_na=False)
    assert list(table.columns[:5]) == ["field", "object", "y", "x", "class"]
    return {
        (f, o): c for f, o, c in zip(table["field"], table["object"], table["class"], strict=True)
    }
