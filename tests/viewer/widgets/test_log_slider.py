"""A slider beside a box, for values that are felt as multiples."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QDoubleSpinBox

from napari_channelmix.viewer.widgets.log_slider import STEPS, LogSlider

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot


def test_the_middle_of_the_slider_is_the_geometric_mean(qtbot: QtBot) -> None:
    box = QDoubleSpinBox()
    box.setRange(0, 1000)
    box.setDecimals(0)
    slider = LogSlider(box, 1, 100)
    qtbot.addWidget(box)
    qtbot.addWidget(slider)
    slider.setValue(STEPS // 2)
    assert box.value() == 10
    # Rounded by the box, the value does not pull the slider from under the hand.
    slider.setValue(1)
    assert box.value() == 1
    assert slider.value() == 1
    box.setValue(1000)
    assert slider.value() == STEPS
    slider.place(10)
    assert slider.value() == STEPS // 2
    assert box.value() == 1000
