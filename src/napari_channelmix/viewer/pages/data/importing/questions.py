"""Questions of a scan as lists to choose from, and the names of its channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHeaderView,
    QLabel,
    QScrollArea,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.secondary_text import show_secondary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_channelmix.scan.questions import Choice
    from napari_channelmix.scan.scan import Scan

__all__ = ["ChannelNames", "Questions", "SidePanel", "asks_about_names"]

# Marks a question without an answer; the colour of warnings, as in `widgets.notice`.
OPEN = '<span style="color: #E69F00">●</span> '
# Pixels across.
SIDE = 262
# Rows of channels that are shown before the list scrolls.
MOST = 6


class Questions(QWidget):
    """A list for each question, those without an answer first.

    ``answered`` gives the name of a question and the option chosen.
    """

    answered = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: tuple[Choice, ...] | None = None
        self.boxes: dict[str, QComboBox] = {}
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)

    def show_choices(self, choices: Sequence[Choice]) -> None:
        """Show questions; the lists of those that are shown already stay."""
        ordered = tuple(sorted(choices, key=lambda each: each.chosen is not None))
        if ordered == self._shown:
            for each in ordered:
                # An answer that was refused is taken back.
                _show_answer(self.boxes[each.name], each)
            return
        self._shown, self.boxes = ordered, {}
        while self._column.count():
            item = self._column.takeAt(0)
            widget = None if item is None else item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for each in ordered:
            self._add(each)
        self.setVisible(bool(ordered))

    def _add(self, question: Choice) -> None:
        label = QLabel()
        label.setWordWrap(True)
        label.setTextFormat(Qt.TextFormat.RichText)
        text = question.text.replace("&", "&amp;").replace("<", "&lt;")
        label.setText((OPEN if question.chosen is None else "") + text)
        box = choice(f"{question.text}: {', '.join(question.options)}")
        box.setAccessibleName(question.text)
        box.addItems(list(question.options))
        box.setPlaceholderText("Choose…")
        _show_answer(box, question)
        box.activated.connect(
            lambda index, name=question.name, box=box: self.answered.emit(name, box.itemText(index))
        )
        label.setBuddy(box)
        self._column.addWidget(label)
        self._column.addWidget(box)
        self.boxes[question.name] = box


def _show_answer(box: QComboBox, question: Choice) -> None:
    box.setCurrentIndex(-1 if question.chosen is None else box.findText(question.chosen))


class ChannelNames(QTableWidget):
    """Channels as the files name them, and the names that are shown; these can be changed.

    ``renamed`` gives the channel of the files and its new name.
    """

    renamed = Signal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(0, 2, parent)
        self.setTabKeyNavigation(False)
        self.setAccessibleName("Names of the channels")
        self.setToolTip("Double-click a name to change it")
        self.setHorizontalHeaderLabels(["In the files", "Name"])
        self.verticalHeader().setVisible(False)
        self.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.horizontalHeader().setHighlightSections(False)
        self.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.itemChanged.connect(self._changed)

    def show_channels(self, channels: Mapping[str, str]) -> None:
        """Show channels."""
        self.blockSignals(True)
        self.setRowCount(len(channels))
        for row, (of_files, name) in enumerate(channels.items()):
            first, second = QTableWidgetItem(of_files), QTableWidgetItem(name)
            first.setFlags(Qt.ItemFlag.ItemIsEnabled)
            first.setToolTip(of_files)
            second.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsEditable)
            second.setToolTip(f"{name}: double-click to change it")
            self.setItem(row, 0, first)
            self.setItem(row, 1, second)
        self.blockSignals(False)
        rows = min(max(len(channels), 1), MOST)
        high = self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(self.horizontalHeader().sizeHint().height() + rows * high + 4)

    def _changed(self, item: QTableWidgetItem) -> None:
        of_files = self.item(item.row(), 0)
        if item.column() == 1 and of_files is not None:
            self.renamed.emit(of_files.text(), item.text().strip())


class SidePanel(QScrollArea):
    """Questions, channels and notes of a scan, which may be many."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.questions, self.channels = Questions(), ChannelNames()
        self._title = QLabel("<b>Channels</b>")
        self.notes = QLabel()
        self.notes.setWordWrap(True)
        self.notes.setTextFormat(Qt.TextFormat.PlainText)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(8)
        for widget in (self.questions, self._title, self.channels, self.notes):
            column.addWidget(widget)
        column.addStretch(1)
        self.setWidget(inner)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedWidth(SIDE)

    def follow_theme(self, theme: str) -> None:
        """Write the notes in the theme's secondary colour."""
        show_secondary(self.notes, theme)

    def show_scan(self, scan: Scan) -> None:
        """Show what is asked and said of a scan."""
        self.questions.show_choices(scan.choices)
        self.channels.show_channels(scan.channels)
        for widget in (self._title, self.channels):
            widget.setVisible(bool(scan.channels))
        # That a data-set file is there is said above, with a link to it.
        notes = [note for note in scan.notes if not note.startswith("dataset.toml is there")]
        self.notes.setText("\n".join(f"· {note}" for note in notes))
        self.notes.setVisible(bool(notes))


def asks_about_names(scan: Scan) -> bool:
    """Whether a question is open about a part of the names: marking it may be easier."""
    return any(
        choice.chosen is None and choice.name.startswith(("part ", "folder "))
        for choice in scan.choices
    )
