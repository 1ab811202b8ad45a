"""The legend of class colours: a colour for each name, few enough to read."""

from __future__ import annotations

from typing import Any

from napari_channelmix.viewer.charts.class_legend import MOST, ClassLegend
from napari_channelmix.viewer.charts.colors import class_hex


def test_each_class_has_its_colour_and_many_are_counted(qtbot: Any) -> None:
    legend = ClassLegend()
    qtbot.addWidget(legend)
    legend.show_classes(["a < b", "dead"], "Predicted")
    assert class_hex(0) in legend.text() and class_hex(1) in legend.text()
    assert "a &lt; b" in legend.text() and not legend.isHidden()
    legend.show_classes([f"class {at}" for at in range(MOST + 3)], "Predicted")
    assert "and 3 more" in legend.text() and f"class {MOST + 2}" in legend.toolTip()
    legend.show_classes([], "Predicted")
    assert legend.isHidden() and not legend.text()
