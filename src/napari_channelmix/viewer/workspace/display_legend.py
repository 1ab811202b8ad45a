"""The display channels as a row of chips: which colour is which channel, and other channels.

A chip is clicked for another channel in its place, or none; '+' shows one more; 'Class' the
channels that tell a class from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from qtpy.QtCore import QPoint, QSize, Qt, Signal
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtWidgets import (
    QFrame,
    QListWidget,
    QListWidgetItem,
    QMenu,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from superqt import QFlowLayout

from napari_channelmix.data.display_channels import AT_FIRST, MOST_TOGETHER
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow
from napari_channelmix.viewer.widgets.name_filter import NameFilter
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["ChannelList", "DisplayLegend"]

# Side of the square of a chip, and the widest name, in pixels.
SQUARE, WIDEST = 10, 84
# Size of the list of channels.
LIST = QSize(210, 260)


class DisplayLegend(QWidget):
    """Chips of the display channels; hidden where all channels are shown anyway.

    Signals
    -------
    refused(str)
        Why a choice was not taken, or what it could not do, in a line.
    """

    refused = Signal(str)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.chips: list[QToolButton] = []
        self.more = _button(
            "+", "Show one more channel: in the viewer and in all pictures of cells"
        )
        self.more.clicked.connect(lambda: self._list(self.more, None))
        self.by_class = _button("Class", "Show the channels that tell a class from the others")
        self.by_class.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu = QMenu(self.by_class)
        self.menu.aboutToShow.connect(self._fill_menu)
        self.by_class.setMenu(self.menu)
        leave_room_for_arrow(self.by_class)
        self.list = ChannelList(self)
        self._flow = QFlowLayout(self)
        self._flow.setContentsMargins(0, 0, 0, 0)
        self._flow.setSpacing(2)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.fill()

    def fill(self) -> None:
        """Bring the chips up to date with the display channels."""
        display, cells = self._session.display, self._session.cells
        while self._flow.count():
            self._flow.takeAt(0)
        for chip in self.chips:
            chip.hide()
            chip.deleteLater()
        self.chips = [
            self._chip(name, color)
            for name, color in zip(display.channels, display.colors, strict=True)
        ]
        for widget in (*self.chips, self.more, self.by_class):
            self._flow.addWidget(widget)
            widget.show()
        self.more.setEnabled(len(display.channels) < MOST_TOGETHER)
        self.by_class.setVisible(cells is not None and len(cells.classes) > 1)
        self.setVisible(cells is not None and len(cells.channels) > AT_FIRST)
        self.updateGeometry()

    def _chip(self, name: str, color: str) -> QToolButton:
        chip = _button("", f"{name}: shown in this colour. Click to show another channel, or none")
        chip.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        chip.setIcon(_square(color))
        chip.setIconSize(QSize(SQUARE, SQUARE))
        chip.setText(chip.fontMetrics().elidedText(name, Qt.TextElideMode.ElideMiddle, WIDEST))
        chip.setAccessibleName(f"Display channel {name}")
        chip.clicked.connect(lambda _=False: self._list(chip, name))
        return chip

    # ---------------------------------------------------------------- choosing

    def _list(self, button: QWidget, instead: str | None) -> None:
        cells, display = self._session.cells, self._session.display
        if cells is None:
            return
        free = [name for name in cells.channels if name not in display.channels]
        self.list.offer(
            free,
            lambda name: self._choose(name, instead),
            None if instead is None else lambda: self._choose(None, instead),
        )
        self.list.show_below(button)

    def _choose(self, name: str | None, instead: str | None) -> None:
        """Show a channel in the place of another one, at the end, or take one away."""
        names = list(self._session.display.channels)
        if instead in names:
            place = names.index(instead)
            names[place : place + 1] = [] if name is None else [name]
        elif name is not None and len(names) < MOST_TOGETHER:
            names.append(name)
        try:
            self._session.display.set(names)
        except DataError as error:
            # Other cells came into use while the list was open.
            self.refused.emit(str(error))

    def _fill_menu(self) -> None:
        self.menu.clear()
        cells = self._session.cells
        for name in () if cells is None else cells.classes:
            action = self.menu.addAction(f"Markers of {name}".replace("&", "&&"))
            action.triggered.connect(lambda _=False, name=name: self.show_markers(name))

    def show_markers(self, class_name: str) -> None:
        """Show the channels that tell a class from the others, where they are known."""
        markers = self._session.display.markers_of(class_name)
        if markers:
            self._session.display.set(markers)
        else:
            self.refused.emit(
                f"Which channels tell {class_name} from the others is not known: too few of its "
                "cells were looked at. Choose the channels by '+'."
            )


class ChannelList(QFrame):
    """A list of channels that opens below a button, with a field that narrows it down."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._chosen: Callable[[str], object] = lambda _: None
        self._removed: Callable[[], object] | None = None
        self.filter = NameFilter()
        self.filter.setPlaceholderText("part of the name")
        self.filter.setAccessibleName("Part of the name of a channel")
        self.names = QListWidget()
        self.names.setAccessibleName("Channels")
        self.remove = QPushButton("Show no longer")
        self.remove.setToolTip("Hide this channel; it stays in the data set")
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 4, 4, 4)
        column.setSpacing(4)
        for widget in (self.remove, self.filter, self.names):
            column.addWidget(widget)
        self.filter.textChanged.connect(self._narrow)
        self.filter.returnPressed.connect(self._first)
        self.names.itemClicked.connect(self._take)
        self.names.itemActivated.connect(self._take)
        self.remove.clicked.connect(self._remove)

    def offer(
        self,
        names: Sequence[str],
        chosen: Callable[[str], object],
        removed: Callable[[], object] | None = None,
    ) -> None:
        """Offer these channels; ``removed`` gives a button that takes the one at hand away."""
        self._chosen, self._removed = chosen, removed
        self.names.clear()
        self.names.addItems(list(names))
        self.filter.clear()
        self.filter.setToolTip(counted(len(names), "channel"))
        self.remove.setVisible(removed is not None)

    def show_below(self, button: QWidget) -> None:
        """Open below a button, within the screen."""
        self.resize(LIST)
        corner = button.mapToGlobal(QPoint(0, button.height()))
        screen = button.screen()
        if screen is not None:
            room = screen.availableGeometry()
            corner.setX(max(room.left(), min(corner.x(), room.right() - self.width())))
            corner.setY(max(room.top(), min(corner.y(), room.bottom() - self.height())))
        self.move(corner)
        self.show()
        self.filter.setFocus()

    def _narrow(self, text: str) -> None:
        for row in range(self.names.count()):
            item = self.names.item(row)
            if item is not None:
                item.setHidden(text.lower() not in item.text().lower())

    def _first(self) -> None:
        """The first channel in sight."""
        items = [self.names.item(row) for row in range(self.names.count())]
        visible = [item for item in items if item is not None and not item.isHidden()]
        if visible:
            self._take(visible[0])

    def _take(self, item: QListWidgetItem) -> None:
        if self.isVisible():
            self.close()
            self._chosen(item.text())

    def _remove(self) -> None:
        self.close()
        if self._removed is not None:
            self._removed()


def _button(text: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setText(text)
    button.setToolTip(tip)
    button.setAutoRaise(True)
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button


def _square(color: str) -> QIcon:
    """A square in a colour, with an edge that sets it off from light and dark ground."""
    picture = QPixmap(SQUARE, SQUARE)
    picture.fill(QColor(color))
    painter = QPainter(picture)
    painter.setPen(QColor(128, 128, 128))
    painter.drawRect(0, 0, SQUARE - 1, SQUARE - 1)
    painter.end()
    return QIcon(picture)
