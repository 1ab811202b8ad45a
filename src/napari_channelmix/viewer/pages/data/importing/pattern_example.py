"""A pattern of file names by example: parts of one name are marked with the mouse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSize, Qt, Signal
from qtpy.QtGui import QColor, QTextCharFormat, QTextCursor
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.charts.colors import class_hex

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PARTS", "NameLine", "PatternExample"]

# Parts of a name as `scan.learn_pattern` calls them, and as the buttons do.
PARTS = {
    "well": "Well",
    "row": "Well row",
    "column": "Well column",
    "field": "Field",
    "channel": "Channel",
    "plate": "Plate",
    "plane": "Plane",
    "time": "Time",
    "class": "Class",
    "dose": "Dose",
}
# Buttons in a row.
IN_ROW = 5
# Share of the colour in the ground of a mark, so that the letters stay readable.
SHARE = 0.45
HINT = "Select a part of this name with the mouse, then say what it is:"


class NameLine(QPlainTextEdit):
    """One file name whose parts can be selected and are marked in colours."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        self.setAccessibleName("Example of a file name")
        self.setTabChangesFocus(True)
        font = self.font()
        font.setFamily("monospace")
        font.setPointSizeF(1.25 * font.pointSizeF())
        self.setFont(font)
        # napari's style has no edge around texts that cannot be changed.
        self.setStyleSheet("QPlainTextEdit { border: 1px solid palette(mid); padding: 2px; }")
        self.setFixedHeight(self.sizeHint().height())

    def sizeHint(self) -> QSize:
        """One line, and room for a bar below it."""
        return QSize(420, self.fontMetrics().height() + 24)

    @property
    def span(self) -> tuple[int, int]:
        """Beginning and end of what is selected."""
        cursor = self.textCursor()
        return cursor.selectionStart(), cursor.selectionEnd()

    def select(self, start: int, stop: int) -> None:
        """Select a part."""
        cursor = self.textCursor()
        cursor.setPosition(start)
        cursor.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
        self.setTextCursor(cursor)

    def mark(self, spans: Mapping[str, tuple[int, int]]) -> None:
        """Colour parts; each kind of part has a colour of its own."""
        selections = []
        for key, (start, stop) in spans.items():
            selection = QTextEdit.ExtraSelection()
            cursor = self.textCursor()
            cursor.setPosition(start)
            cursor.setPosition(stop, QTextCursor.MoveMode.KeepAnchor)
            shape = QTextCharFormat()
            color = QColor(class_hex(list(PARTS).index(key)))
            color.setAlphaF(SHARE)
            shape.setBackground(color)
            selection.format, selection.cursor = shape, cursor
            selections.append(selection)
        self.setExtraSelections(selections)


class PatternExample(QWidget):
    """Marks of one name; ``marked`` gives the name and the marks, ``cleared``: there are none."""

    marked = Signal(str, object)
    cleared = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.spans: dict[str, tuple[int, int]] = {}
        self.hint = QLabel(HINT)
        self.line = NameLine()
        self.line.setToolTip(
            "A file name of this folder; click another row of the table to take its name"
        )
        self.buttons = {key: QPushButton(label) for key, label in PARTS.items()}
        self.clear = QPushButton("Clear")
        self.clear.setToolTip("Take all marks away, and read the names as before")
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, (key, button) in enumerate(self.buttons.items()):
            button.setToolTip(f"What is selected is the {PARTS[key].lower()}")
            button.clicked.connect(lambda _=False, key=key: self.mark(key))
            grid.addWidget(button, *divmod(place, IN_ROW))
        grid.addWidget(self.clear, 1, IN_ROW)
        self.clear.clicked.connect(self.forget)
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.state.setTextFormat(Qt.TextFormat.RichText)
        self.state.setVisible(False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.hint)
        column.addWidget(self.line)
        column.addLayout(grid)
        column.addWidget(self.state)
        self.line.selectionChanged.connect(self._ready)
        self._ready()

    def show_name(self, name: str) -> None:
        """Take a name as the example; marks of another one are forgotten."""
        if name == self.line.toPlainText():
            return
        self.spans = {}
        self.line.setPlainText(name)
        self._show()

    def mark(self, key: str) -> None:
        """Say what is selected."""
        start, stop = self.line.span
        if start == stop:
            return
        # A letter is a part of one thing only.
        self.spans = {
            other: span
            for other, span in self.spans.items()
            if other != key and (span[1] <= start or span[0] >= stop)
        }
        self.spans[key] = (start, stop)
        self.line.select(stop, stop)
        self._show()
        self.marked.emit(self.line.toPlainText(), dict(self.spans))

    def forget(self) -> None:
        """Take all marks away."""
        self.spans = {}
        self._show()
        self.cleared.emit()

    def _show(self) -> None:
        self.line.mark(self.spans)
        name = self.line.toPlainText()
        parts = [
            f'<span style="color: {class_hex(list(PARTS).index(key))}">■</span> '
            f"{PARTS[key]} = {_escaped(name[start:stop])}"
            for key, (start, stop) in sorted(self.spans.items(), key=lambda item: item[1])
        ]
        self.state.setText("&nbsp;&nbsp; ".join(parts))
        self.state.setVisible(bool(parts))
        self._ready()

    def _ready(self) -> None:
        start, stop = self.line.span
        for button in self.buttons.values():
            button.setEnabled(stop > start)
        self.clear.setEnabled(bool(self.spans))


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;")
