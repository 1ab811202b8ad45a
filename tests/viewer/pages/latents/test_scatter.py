from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, Qt

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.charts.latent_axes import axes_of
from napari_channelmix.viewer.pages.latents.scatter import Scatter

from ...latent_cases import CLASSES, latents


@pytest.fixture
def scatter(qtbot: Any) -> Scatter:
    found, given = Scatter("dark"), latents()
    qtbot.addWidget(found)
    found.resize(340, found.height())
    axes = {axis.name: axis for axis in axes_of(given)}
    found.show_axes(axes["Scale"], axes["Orientation"], given.cells.labels, CLASSES)
    found.show()
    qtbot.waitExposed(found)
    qtbot.wait(50)
    return found


def test_all_cells_are_within_sight(scatter: Scatter) -> None:
    (left, right), (low, high) = scatter.getViewBox().viewRange()
    assert ((scatter.places[:, 0] > left) & (scatter.places[:, 0] < right)).all()
    assert ((scatter.places[:, 1] > low) & (scatter.places[:, 1] < high)).all()
    assert scatter.places[:, 1].max() > 10  # degrees


@pytest.mark.parametrize("cell", [0, 5, 11])
def test_a_click_on_a_point_chooses_its_cell(scatter: Scatter, qtbot: Any, cell: int) -> None:
    point = scatter.point_of(cell)
    with qtbot.waitSignal(scatter.cell_chosen) as heard:
        qtbot.mouseClick(
            scatter.viewport(),
            Qt.MouseButton.LeftButton,
            pos=QPoint(round(point.x()), round(point.y())),
        )
    assert heard.args == [cell]


def test_a_click_beside_the_points_chooses_none(scatter: Scatter, qtbot: Any) -> None:
    chosen: list[int] = []
    scatter.cell_chosen.connect(chosen.append)
    points = np.array([(scatter.point_of(c).x(), scatter.point_of(c).y()) for c in range(12)])
    spots = [(x, y) for x in range(80, 320, 5) for y in range(20, 200, 5)]
    free = max(spots, key=lambda spot: np.hypot(*(points - spot).T).min())
    qtbot.mouseClick(scatter.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(*free))
    assert not chosen


def test_points_have_the_colour_of_their_class(scatter: Scatter) -> None:
    shown = [item.opts["brush"].color().name().upper() for item in scatter._points]
    assert shown == [class_hex(0).upper(), class_hex(1).upper()]


def test_the_cell_that_is_looked_at_is_ringed(scatter: Scatter) -> None:
    scatter.mark(7)
    x, y = scatter._ring.getData()
    np.testing.assert_allclose((x[0], y[0]), scatter.places[7])
    scatter.mark(None)
    assert not len(scatter._ring.getData()[0])


def test_axes_name_numbers_not_thousandths(scatter: Scatter) -> None:
    scatter.follow_theme("light")
    assert scatter.getPlotItem().getAxis("left").labelText == "Orientation (degrees)"
    for side in ("left", "bottom"):
        axis = scatter.getPlotItem().getAxis(side)
        assert "0.001" not in axis.labelString() and axis.autoSIPrefixScale == 1.0


def test_a_double_click_shows_all_again(scatter: Scatter, qtbot: Any) -> None:
    scatter.getViewBox().setRange(xRange=(0, 0.1), yRange=(0, 10), padding=0)
    qtbot.wait(20)
    middle = scatter.viewport().rect().center()
    qtbot.mouseClick(scatter.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    # pytest-qt's double click has no release at its end; a person's has.
    qtbot.mouseDClick(scatter.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseRelease(scatter.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert scatter.getViewBox().viewRange()[0][1] > 0.5


def test_one_cell_and_no_cell_are_no_trouble(scatter: Scatter, qtbot: Any) -> None:
    axis = axes_of(latents())[0]
    from dataclasses import replace

    one = replace(axis, values=axis.values[:1])
    scatter.show_axes(one, one, np.array([-1]), ())
    assert len(scatter._points) == 1
    scatter.mark(0)
    scatter.clear_cells()
    assert not len(scatter.places)
