"""The legend of class colours: a colour for each name, few enough to read."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from napari_channelmix.viewer.charts.class_legend import MOST, ClassLegend, session_palette
from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.pages.pixels.probability_bars import ClassBars


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


def test_all_pages_have_one_order_of_the_classes() -> None:
    session = SimpleNamespace(cells=None, predictions=None, trained=None)
    assert session_palette(session) == ()
    session.cells = SimpleNamespace(classes=("b", "a"))
    session.predictions = SimpleNamespace(classes=("a", "b", "debris"))
    session.trained = SimpleNamespace(classifier=SimpleNamespace(classes=("dead", "a")))
    # Those of the cells first; what is predicted only has a colour of its own.
    assert session_palette(session) == ("b", "a", "debris", "dead")


def test_bars_have_the_colour_of_their_class(qtbot: Any) -> None:
    bars = ClassBars("dark")
    qtbot.addWidget(bars)
    bars.show_palette(("b", "a"))
    assert bars.color_of("a").name().upper() == class_hex(1)
    assert bars.color_of("3 others").name() == bars.color_of("unheard of").name()
