"""A list of channels with ticks: ranges by Shift, rows found by a filter, notes at the right."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QModelIndex, QSignalBlocker, QSize, Qt
from qtpy.QtWidgets import (
    QAbstractItemView,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

if TYPE_CHECKING:
    from qtpy.QtGui import QMouseEvent, QPainter

__all__ = [
    "FULL_NAME",
    "GROUP",
    "LAYER",
    "NOTE",
    "ROW",
    "USED_NAME",
    "WHOLE_NOTE",
    "ChannelList",
    "is_ticked",
]

# What a row holds beside its name and its tick: the layer, or the position along an axis; the name
# that the viewer has; whole name of the channel when cells were made of it.
LAYER = Qt.ItemDataRole.UserRole
OWN_NAME = Qt.ItemDataRole.UserRole + 1
USED_NAME = Qt.ItemDataRole.UserRole + 2
# Notes, the group, and the whole name.
NOTE = Qt.ItemDataRole.UserRole + 16
GROUP = Qt.ItemDataRole.UserRole + 17
FULL_NAME = Qt.ItemDataRole.UserRole + 18
WHOLE_NOTE = Qt.ItemDataRole.UserRole + 19
# Height of a row in pixels; rows that are shown without scrolling, at least; and pixels of a
# window that other controls need.
ROW, FEWEST, OTHERS = 21, 7, 470
# Most of a row that a note takes.
NOTE_SHARE = 0.55


class ChannelList(QListWidget):
    """Rows of channels that can be ticked, dragged and named."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setItemDelegate(_Noted(self))
        self._shift = False
        # The row that was ticked or unticked last, by hand.
        self._last: QListWidgetItem | None = None
        self.itemChanged.connect(self._of_range)

    def items(self) -> Iterator[QListWidgetItem]:
        """All rows, in order."""
        for row in range(self.count()):
            item = self.item(row)
            assert item is not None
            yield item

    def add(self, name: str, what: Any, *, full: str, checked: bool = False) -> None:
        """Add a row: a layer, or the channel at a position along an axis."""
        item = QListWidgetItem(name)
        item.setData(LAYER, what)
        item.setData(OWN_NAME, name)
        item.setData(FULL_NAME, full)
        item.setToolTip(full)
        item.setSizeHint(QSize(0, ROW))
        flags = item.flags() | Qt.ItemFlag.ItemIsEditable | Qt.ItemFlag.ItemIsUserCheckable
        item.setFlags(flags & ~Qt.ItemFlag.ItemIsDropEnabled)
        item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
        if getattr(what, "rgb", False):
            item.setToolTip(f"{full}: an RGB picture is no channel; split it or unmix its stains")
            item.setText(f"{name}  (RGB: not a channel)")
        self.addItem(item)

    @staticmethod
    def follow_name(item: QListWidgetItem, name: str, full: str) -> None:
        """Take the name the viewer has, unless another was given by hand or is in use."""
        if item.text() == item.data(OWN_NAME) and full != item.data(USED_NAME):
            item.setText(name)
            item.setData(OWN_NAME, name)
            if full:
                item.setData(FULL_NAME, full)
                item.setToolTip(full)

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Remember whether Shift is held: it is when a tick changes."""
        self._shift = event is not None and bool(
            event.modifiers() & Qt.KeyboardModifier.ShiftModifier
        )
        super().mouseReleaseEvent(event)
        self._shift = False

    def _of_range(self, item: QListWidgetItem) -> None:
        """Shift and a click: the rows from the last one clicked to this one become like it."""
        last, self._last = self._last, item
        if not self._shift or last is None or self.row(last) < 0:
            return
        first, end = sorted((self.row(last), self.row(item)))
        state = item.checkState()
        with QSignalBlocker(self):
            for each in list(self.items())[first : end + 1]:
                if not each.isHidden():
                    each.setCheckState(state)
        self.viewport().update()

    def tick(self, wanted: Callable[[QListWidgetItem], bool], *, hidden: bool = False) -> None:
        """Tick the rows in sight as they are wanted; those that the filter hides only if said."""
        changed: QListWidgetItem | None = None
        with QSignalBlocker(self):
            for item in self.items():
                state = Qt.CheckState.Checked if wanted(item) else Qt.CheckState.Unchecked
                if (hidden or not item.isHidden()) and item.checkState() != state:
                    item.setCheckState(state)
                    changed = item
        self._last = None
        if changed is not None:
            self.viewport().update()
            self.itemChanged.emit(changed)

    def filter(self, text: str) -> int:
        """Show only rows with the text in name, group or note; how many there are."""
        wanted, shown = text.strip().casefold(), 0
        for item in self.items():
            texts = (item.text(), item.data(FULL_NAME), item.data(GROUP), item.data(NOTE))
            hit = any(wanted in str(each).casefold() for each in texts if each)
            item.setHidden(bool(wanted) and not hit)
            shown += not item.isHidden()
        return shown

    def set_note(self, item: QListWidgetItem, short: str, note: str) -> None:
        """Write a short note at the right of a row, the whole of it into its tool tip."""
        with QSignalBlocker(self):
            item.setData(NOTE, short)
            item.setData(WHOLE_NOTE, note)
            group = item.data(GROUP)
            lines = [item.data(FULL_NAME) or item.text(), f"group: {group}" if group else "", note]
            item.setToolTip("\n".join(filter(None, lines)))
        self.viewport().update()

    def fit(self) -> None:
        """As high as its rows: as many as the window has room for, seven at least."""
        height = self.window().height()
        most = max(FEWEST, (height - OTHERS) // ROW)
        self.setFixedHeight(ROW * min(max(self.count(), 2), most) + 8)


class _Noted(QStyledItemDelegate):
    """Draws the note of a row at its right, in the colour of secondary text."""

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        note = index.data(NOTE)
        if not note or painter is None:
            super().paint(painter, option, index)
            return
        metrics = option.fontMetrics
        width = min(metrics.horizontalAdvance(note) + 8, int(NOTE_SHARE * option.rect.width()))
        place = option.rect.adjusted(option.rect.width() - width, 0, -4, 0)
        narrow = QStyleOptionViewItem(option)
        narrow.rect = option.rect.adjusted(0, 0, -width, 0)
        super().paint(painter, narrow, index)
        painter.save()
        color = option.palette.text().color()
        color.setAlphaF(0.72)
        painter.setPen(color)
        text = metrics.elidedText(note, Qt.TextElideMode.ElideRight, place.width())
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        painter.drawText(place, int(right), text)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        hint: Any = super().sizeHint(option, index)
        return QSize(hint.width(), ROW)


def is_ticked(item: QListWidgetItem) -> bool:
    """Whether a row is ticked."""
    return bool(item.checkState() == Qt.CheckState.Checked)
