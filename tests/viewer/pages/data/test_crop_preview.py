"""Crops as the classifier gets them: one scale per channel, one pixel size by a button."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from qtpy.QtWidgets import QLabel

from napari_channelmix.data import Cells
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.pages.data.pixel_size_offer import differing_sizes


def cells_of(size: float | None, bright: float, name: str, unit: str = "um") -> Cells:
    rng = np.random.default_rng(len(name))
    signal = rng.normal(100, 2, (96, 96)).astype(np.float32)
    signal[40:56, 40:56] += bright
    noise = rng.normal(300, 20, (96, 96)).astype(np.float32)
    made = Cells.from_points([signal, noise], ["signal", "noise"], [(48, 48)], crop=24, name=name)
    of_size = None if size is None else (size, size)
    return replace(made, fields=(replace(made.fields[0], pixel_size=of_size, unit=unit),))


def opened(dock: Any, qtbot: Any, cells: Cells) -> Any:
    page = dock(DataPage)
    page.open_cells(cells)
    qtbot.waitUntil(lambda: page.session.shown is not None)
    qtbot.waitUntil(lambda: page.preview.grid.count() > 0)
    qtbot.waitUntil(lambda: not page.preview.task.busy)
    return page


def greys(page: Any, row: int, column: int) -> np.ndarray:
    label = page.preview.grid.itemAtPosition(row, column).widget()
    assert isinstance(label, QLabel)
    image = label.pixmap().toImage()
    return np.array(
        [
            [image.pixelColor(x, y).red() for x in range(image.width())]
            for y in range(image.height())
        ]
    )


def test_noise_is_dark_beside_signal_and_the_scale_is_said(
    viewer: Any, dock: Any, qtbot: Any
) -> None:
    page = opened(dock, qtbot, cells_of(None, 900, "one"))
    signal, noise = greys(page, 1, 0), greys(page, 1, 1)
    assert signal.max() > 250 and signal.min() < 10
    assert noise.max() < 128 and noise.std() < 25
    tip = page.preview.grid.itemAtPosition(0, 0).widget().toolTip()
    assert tip.startswith("signal\nGrey values ") and tip.endswith("same for all cells")


def test_a_dim_cell_is_dim_beside_a_bright_one(viewer: Any, dock: Any, qtbot: Any) -> None:
    cells = Cells.together([cells_of(None, 90, "dim"), cells_of(None, 900, "bright")], "both")
    page = opened(dock, qtbot, cells)
    tops = sorted(greys(page, row, 0).max() for row in (1, 2))
    assert tops[0] < 50 and tops[1] > 250


def test_images_of_two_pixel_sizes_are_resampled_by_a_click(
    viewer: Any, dock: Any, qtbot: Any, click: Any
) -> None:
    both = Cells.together([cells_of(0.5, 500, "fine"), cells_of(1.0, 500, "coarse")], "both")
    assert differing_sizes(both) == (0.5, 1.0)
    page = opened(dock, qtbot, both)
    page.session.classify(np.array([0, 1]), ("a", "b"))
    offer = page.preview.pixel_size
    assert offer.isVisible() and "0.5 to 1 µm" in offer.text.text()
    assert offer.button.text() == "Resample to 1 µm"
    click(offer.button)
    qtbot.waitUntil(lambda: not page.preview.task.busy)
    cells = page.session.cells
    sides = cells.boxes[:, 2] - cells.boxes[:, 0]
    # 24 pixels of 1 µm are 48 of 0.5 µm.
    assert sides.tolist() == [48, 24] and cells.crop == 24
    assert cells.labels.tolist() == [0, 1] and cells.classes == ("a", "b")
    assert not offer.isVisible()


@pytest.mark.parametrize(
    "sizes", [(0.5, 0.505), (None, 0.5), (0.5, 0.5)], ids=["alike", "unknown", "same"]
)
def test_nothing_is_offered_where_sizes_agree_or_are_not_known(
    sizes: tuple[float | None, float],
) -> None:
    parts = [cells_of(size, 500, f"image {place}") for place, size in enumerate(sizes)]
    assert differing_sizes(Cells.together(parts, "both")) is None
