from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from qtpy.QtCore import QPoint, QPointF, Qt
from qtpy.QtGui import QWheelEvent

from napari_channelmix.viewer.charts.latent_axes import axes_of
from napari_channelmix.viewer.pages.latents.slider import AxisSlider, badge_color
from napari_channelmix.viewer.widgets.theme import chart_colors

from ...latent_cases import latents


def made(qtbot: Any, name: str = "Scale") -> AxisSlider:
    axis = next(axis for axis in axes_of(latents()) if axis.name == name)
    slider = AxisSlider(axis, "dark")
    qtbot.addWidget(slider)
    slider.resize(340, slider.height())
    slider.show()
    qtbot.waitExposed(slider)
    return slider


def at(slider: AxisSlider, value: float) -> QPoint:
    return slider.place(value).toPoint()


@pytest.fixture
def slider(qtbot: Any) -> AxisSlider:
    found = made(qtbot)
    found.show_cell(0.3)
    return found


def test_a_cell_is_shown_at_its_own_value_and_nobody_is_told(qtbot: Any) -> None:
    slider, told = made(qtbot), []
    slider.moved.connect(lambda *said: told.append(said))
    slider.show_cell(0.3)
    assert slider.amount == 0.3 and not told


def test_dragging_moves_along_the_axis(slider: AxisSlider, qtbot: Any) -> None:
    told: list[tuple[str, float]] = []
    slider.moved.connect(lambda *said: told.append(said))
    qtbot.mousePress(slider, Qt.MouseButton.LeftButton, pos=at(slider, 0.0))
    qtbot.mouseMove(slider, at(slider, -0.5))
    qtbot.mouseRelease(slider, Qt.MouseButton.LeftButton, pos=at(slider, -0.5))
    assert told[-1][0] == "Scale" and told[-1][1] == pytest.approx(-0.5, abs=0.02)
    qtbot.mouseMove(slider, at(slider, 0.5))
    assert slider.amount == pytest.approx(-0.5, abs=0.02)


def test_a_click_on_the_name_takes_the_axis_and_moves_nothing(
    slider: AxisSlider, qtbot: Any
) -> None:
    with qtbot.waitSignal(slider.taken) as heard:
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(20, 10))
    assert heard.args == ["Scale"] and slider.amount == 0.3


def test_a_double_click_goes_back_to_the_cell(slider: AxisSlider, qtbot: Any) -> None:
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=at(slider, -0.8))
    assert slider.amount < 0
    qtbot.mouseDClick(slider, Qt.MouseButton.LeftButton, pos=at(slider, -0.8))
    assert slider.amount == 0.3


def test_keys_move_it_and_an_angle_goes_round(slider: AxisSlider, qtbot: Any) -> None:
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert slider.amount > 0.3
    turn = made(qtbot, "Orientation")
    turn.show_cell(0.01)
    qtbot.keyClick(turn, Qt.Key.Key_Left)
    assert turn.amount > 6.0


def test_the_wheel_moves_no_slider(slider: AxisSlider) -> None:
    event = QWheelEvent(
        QPointF(150, 20),
        QPointF(150, 20),
        QPoint(),
        QPoint(0, 120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    slider.wheelEvent(event)
    assert slider.amount == 0.3 and not event.isAccepted()


def test_the_histogram_is_of_the_data_set(slider: AxisSlider) -> None:
    axis = slider.axis
    counts, _ = np.histogram(axis.values, 32, (axis.low, axis.high))
    assert ((slider._bars > 0) == (counts > 0)).all()
    seen = slider.grab().toImage()
    full, empty = int(counts.argmax()), int(np.flatnonzero(counts == 0)[0])

    def pixel(which: int) -> str:
        left = slider.place(axis.low + (which + 0.5) * (axis.high - axis.low) / 32)
        return seen.pixelColor(round(left.x()), round(left.y()) - 3).name()

    assert pixel(full) != pixel(empty)


def test_the_cells_own_value_stays_marked_while_the_handle_moves(
    slider: AxisSlider, qtbot: Any
) -> None:
    def mark() -> str:
        where = slider.place(0.3)
        return slider.grab().toImage().pixelColor(round(where.x()), 3).name().upper()

    assert mark() == chart_colors("dark").second
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=at(slider, -0.8))
    assert mark() == chart_colors("dark").second


def test_a_cell_beyond_the_range_is_within_reach(slider: AxisSlider) -> None:
    slider.show_cell(4.0)
    assert slider.amount == 4.0 and slider.value() == slider.maximum()


def test_the_badge_is_told_in_words_and_by_its_look(slider: AxisSlider) -> None:
    assert slider.axis.badge in slider.toolTip() and "correlates with area" in slider.toolTip()
    colors = chart_colors("dark")
    looks = {badge_color(badge, colors) for badge in ("verified", "plausible", "not verified")}
    assert len(looks) == 3
    assert slider.axis.badge in slider.accessibleDescription()


def test_both_themes_can_be_read(slider: AxisSlider) -> None:
    dark = slider.grab().toImage()
    slider.follow_theme("light")
    assert slider.grab().toImage() != dark
