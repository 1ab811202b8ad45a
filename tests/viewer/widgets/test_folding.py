from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.widgets.folding import SIDE, Folding


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


def test_a_text_that_is_wrapped_anew_is_not_cut_off(viewer: Any, qtbot: Any) -> None:
    folding, words, last = Folding("More"), QLabel("short"), QLabel("what stands below it")
    words.setWordWrap(True)
    inside = QWidget()
    column = QVBoxLayout(inside)
    column.addWidget(words)
    column.addWidget(last)
    folding.addWidget(inside)
    dock = viewer.window.add_dock_widget(folding, name="folding")
    dock.setFixedWidth(240)
    folding.expand(animate=False)
    qtbot.wait(80)
    words.setText("a sentence that takes several lines in a dock as narrow as this one " * 4)

    def all_of_it_is_seen() -> bool:
        bottom = last.mapTo(folding, last.rect().bottomLeft()).y()
        wrapped = words.height() >= words.heightForWidth(words.width())
        whole = last.height() >= last.sizeHint().height()
        return wrapped and whole and bottom <= folding.rect().bottom()

    qtbot.waitUntil(all_of_it_is_seen)
    folding.collapse(animate=False)
    qtbot.wait(20)
    assert folding.content().maximumHeight() == 0
