from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QLabel

from napari_channelmix.viewer.folding import SIDE, Folding


def arrow(folding: Folding) -> int:
    """Lightness of the arrow, where it is drawn for sure."""
    picture = folding.toggleButton().icon().pixmap(SIDE, SIDE).toImage()
    return int(picture.pixelColor(4, 5).lightness())


def test_the_arrow_can_be_seen_in_every_theme(viewer: Any, qtbot: Any) -> None:
    folding = Folding("More")
    folding.addWidget(QLabel("what is more"))
    viewer.window.add_dock_widget(folding, name="folding")
    for theme, light in (("dark", True), ("light", False), ("dark", True)):
        viewer.theme = theme
        qtbot.wait(80)
        assert (arrow(folding) > 128) is light, theme
    folding.expand(animate=False)
    assert arrow(folding) > 128
