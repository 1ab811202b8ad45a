"""A grid of the crops of all cells, of which only those in sight are read and drawn.

1. `arrange` says which cells, in which order; nothing is read.
2. What is in sight is painted: pictures that are there, placeholders where they are not.
3. What is missing is asked for, in sight first, then a page around it; see `CropReader`.
4. What arrives is kept and painted, unless other cells or colours were asked for meanwhile.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from qtpy.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QShowEvent,
    QWheelEvent,
)
from qtpy.QtWidgets import QAbstractScrollArea, QToolTip, QWidget

from napari_channelmix.viewer.pages.phenotypes.crop_cache import CropCache
from napari_channelmix.viewer.pages.phenotypes.crop_reader import CropReader
from napari_channelmix.viewer.pages.phenotypes.gallery_grid import Grid
from napari_channelmix.viewer.pages.phenotypes.selection_model import Choosing
from napari_channelmix.viewer.pages.phenotypes.tiles import TilePainter

if TYPE_CHECKING:
    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts
    from napari_channelmix.viewer.pages.phenotypes.crop_reader import CropBatch, Looks

__all__ = ["Gallery"]

SMALLEST, LARGEST = 24, 192
LOWEST = 240
TIP = (
    "Click: select the cell and go there. Shift-click: select a range; Ctrl-click: add or remove "
    "one. Arrow keys move, Page up and down scroll, Space selects, Ctrl+A selects "
    "all, Escape none. 1 to 9 give the selected cells a class, 0 removes it"
)
ARROWS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class Gallery(QAbstractScrollArea):
    """Cells as tiles.

    Signals
    -------
    selected(tuple)
        The user selected other cells, the one looked at first.
    visited(int)
        A cell to go to.
    class_typed(int)
        The selected cells are to have this class, -1 for none.
    menu_requested(QPoint)
        A place on the screen.
    """

    selected = Signal(object)
    visited = Signal(int)
    class_typed = Signal(int)
    menu_requested = Signal(QPoint)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.grid = Grid()
        self.cache = CropCache()
        self.reader = CropReader(self._arrived)
        self.painter = TilePainter(theme)
        self.choosing = Choosing()
        self.facts: Facts | None = None
        #: (n,) the cells that are shown, in order; and (N,) where each of all cells stands, or -1.
        self.order: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.places: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.looks: Looks = ()
        self.setAccessibleName("Gallery of cells")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setMinimumHeight(LOWEST)
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor)
        self.setWhatsThis(TIP)
        reader = self.reader
        self.destroyed.connect(lambda *_: reader.stop())

    def sizeHint(self) -> QSize:
        """The lowest that it may be: a page with folded text would scroll for any more."""
        return QSize(340, LOWEST)

    # ---------------------------------------------------------------- what is shown

    def arrange(self, facts: Facts | None, order: npt.NDArray[np.int64]) -> None:
        """Show these cells in this order, from the first one on."""
        self._know(facts)
        self.order = order
        self.places = np.full(0 if facts is None else len(facts), -1)
        self.places[order] = np.arange(len(order))
        self.choosing.anchor = None
        self._fit()
        self.verticalScrollBar().setValue(0)
        self._show()

    def inform(self, facts: Facts) -> None:
        """The same cells with other classes; they stay where they are."""
        self._know(facts)
        self.viewport().update()

    def _know(self, facts: Facts | None) -> None:
        before, self.facts = self.facts, facts
        if facts is None or before is None or not facts.cells.same_pixels(before.cells):
            self.cache.clear()
            self.reader.drop()

    def show_looks(self, looks: Looks) -> None:
        """Draw the channels in other colours or contrasts."""
        if looks != self.looks:
            self.looks = looks
            self._show()

    def show_selected(self, cells: tuple[int, ...]) -> None:
        """These cells are selected; the first of them comes into sight."""
        if cells == self.choosing.cells:
            return
        self.choosing.take(cells)
        if cells:
            self.reveal(cells[0])
        self.viewport().update()

    def resize_tiles(self, side: int) -> None:
        """Another size of the tiles; what stood at the top stays in sight."""
        top = self.grid.between(self._top, self._top + 1).start
        self._fit(side)
        self.verticalScrollBar().setValue(self.grid.corner(top)[1])
        self._show()

    def reveal(self, cell: int) -> bool:
        """Scroll to a cell; whether it is among those that are shown."""
        index = self.place_of(cell)
        if index is None:
            return False
        bar, (_, y) = self.verticalScrollBar(), self.grid.corner(index)
        if y < self._top:
            bar.setValue(y - (self.grid.pitch - self.grid.side))
        elif y + self.grid.pitch > self._top + self.viewport().height():
            bar.setValue(y + self.grid.pitch - self.viewport().height())
        return True

    def place_of(self, cell: int) -> int | None:
        """Where a cell stands among those that are shown."""
        index = int(self.places[cell]) if 0 <= cell < len(self.places) else -1
        return index if index >= 0 else None

    def rect_of(self, index: int) -> QRect:
        """Where a tile is, in pixels of the viewport."""
        x, y = self.grid.corner(index)
        return QRect(x, y - self._top, self.grid.side, self.grid.side)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.painter.follow_theme(theme)
        self.viewport().update()

    def free(self) -> int:
        """Let go of all crops, and read those again that are in sight; gives the bytes."""
        freed = self.cache.nbytes
        self.cache.clear()
        self._show()
        return freed

    def halt(self) -> None:
        """Read nothing any more; what is in sight is asked for again when it is painted."""
        self.reader.drop()

    # ---------------------------------------------------------------- layout

    @property
    def _top(self) -> int:
        return self.verticalScrollBar().value()

    def _fit(self, side: int | None = None) -> None:
        size, bar = self.viewport().size(), self.verticalScrollBar()
        side = self.grid.requested_side if side is None else max(SMALLEST, min(LARGEST, side))
        self.grid = Grid(len(self.order), side, size.width())
        bar.setRange(0, max(0, self.grid.height - size.height()))
        bar.setPageStep(max(1, size.height() - self.grid.pitch))
        bar.setSingleStep(max(1, self.grid.pitch // 3))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns as there is room for; what stood at the top stays in sight."""
        top = self.grid.between(self._top, self._top + 1).start
        columns = self.grid.columns
        self._fit()
        if columns != self.grid.columns:
            self.verticalScrollBar().setValue(self.grid.corner(top)[1])
        self._ask()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        """Other cells come into sight."""
        self._show()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the gallery, never the page around it."""
        super().wheelEvent(event)
        event.accept()

    # ---------------------------------------------------------------- crops

    def _show(self) -> None:
        self.viewport().update()
        self._ask()

    def in_sight(self) -> range:
        """Places of the tiles in sight."""
        return self.grid.between(self._top, self._top + self.viewport().height())

    def _ask(self) -> None:
        """Ask for what is missing, in sight and a page around it; before it is shown, nothing."""
        if self.facts is None or not self.isVisible():
            return
        if len(self.looks) != len(self.facts.cells.channels):
            # Those of the cells before; the new ones' come next.
            return
        sight, height = self.in_sight(), self.viewport().height()
        around = self.grid.between(self._top - height, self._top + 2 * height)
        requested: list[int] = []
        known = {}
        rest = [*range(sight.stop, around.stop), *range(around.start, sight.start)]
        field_of = self._field_of
        for places in (sight, rest):
            missing = []
            for cell in self.order[list(places)].tolist():
                cached = self.cache.get(cell)
                if cached is None:
                    missing.append(cell)
                elif cached.looks != self.looks and not cached.failed:
                    missing.append(cell)
                    known[cell] = cached.pixels
            # Field by field, so that a file is decoded once.
            requested += sorted(missing, key=field_of.__getitem__)
        self.reader.ask(self.facts.cells, self.looks, requested, known)

    @property
    def _field_of(self) -> npt.NDArray[np.int64]:
        assert self.facts is not None
        return self.facts.cells.table["field"].to_numpy(np.int64)

    def _arrived(self, batch: CropBatch) -> None:
        for cell, crop in batch.crops.items():
            # Cells of another data set, or colours that are no more.
            if crop.looks == self.looks and cell < len(self.places):
                self.cache.put(cell, crop)
        self.viewport().update()

    # ---------------------------------------------------------------- painting

    def paintEvent(self, event: QPaintEvent) -> None:
        """Tiles in sight."""
        painter = QPainter(self.viewport())
        self.painter.begin(painter, self.viewport().rect())
        facts = self.facts
        if facts is not None:
            current = self.choosing.current if self.hasFocus() else None
            for index in self.in_sight():
                cell = int(self.order[index])
                self.painter.draw(
                    painter,
                    self.rect_of(index),
                    self.cache.get(cell),
                    facts,
                    cell,
                    chosen=cell in self.choosing,
                    current=cell == current,
                )
        painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The cell that the keys move from is marked."""
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """It is not any more."""
        super().focusOutEvent(event)
        self.viewport().update()

    def showEvent(self, event: QShowEvent) -> None:
        """Ask for what is in sight now."""
        super().showEvent(event)
        self._ask()

    def viewportEvent(self, event: QEvent) -> bool:
        """A tooltip for each cell."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            cell = self.cell_at(event.pos())
            cached = None if cell is None else self.cache.get(cell)
            text = TIP if cell is None or self.facts is None else self.facts.describe(cell)
            if cached is not None and cached.failed:
                text += f"\nIts pixels cannot be read: {cached.failed}"
            QToolTip.showText(event.globalPos(), text, self.viewport())
            return True
        return bool(super().viewportEvent(event))

    # ---------------------------------------------------------------- mouse and keys

    def cell_at(self, point: QPoint) -> int | None:
        """The cell at a place of the viewport."""
        index = self.grid.tile_at(point.x(), point.y() + self._top)
        return None if index is None else int(self.order[index])

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Select; a plain click goes there as well."""
        cell = self.cell_at(event.position().toPoint())
        if cell is None or event.button() not in (
            Qt.MouseButton.LeftButton,
            Qt.MouseButton.RightButton,
        ):
            return
        if event.button() == Qt.MouseButton.RightButton:
            # The menu is for what is selected; elsewhere for what lies under it.
            if cell not in self.choosing:
                self._select(cell, Qt.KeyboardModifier.NoModifier)
            return
        self._select(cell, event.modifiers())
        if not event.modifiers() & (
            Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.ControlModifier
        ):
            self.visited.emit(cell)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """Classes for the selected cells."""
        if self.choosing.cells:
            self.menu_requested.emit(event.globalPos())

    def _select(self, cell: int, modifiers: Qt.KeyboardModifier) -> None:
        chosen = self.choosing
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            chosen.extend(cell, self.order, self.places)
        elif modifiers & Qt.KeyboardModifier.ControlModifier:
            chosen.toggle(cell)
        else:
            chosen.only(cell)
        self._tell()

    def _tell(self) -> None:
        self.viewport().update()
        self.selected.emit(self.choosing.cells)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move, scroll, select, give a class."""
        key, modifiers = event.key(), event.modifiers()
        control = bool(modifiers & Qt.KeyboardModifier.ControlModifier)
        keypad = modifiers & ~Qt.KeyboardModifier.KeypadModifier
        if key in ARROWS:
            rows, columns = ARROWS[Qt.Key(key)]
            self._move(rows * self.grid.columns + columns, keypad)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._move(len(self.order) * (1 if key == Qt.Key.Key_End else -1), keypad)
        elif key == Qt.Key.Key_Space and self.choosing.current is not None:
            self.choosing.toggle(self.choosing.current)
            self._tell()
        elif key == Qt.Key.Key_A and control:
            self.choosing.all(self.order)
            self._tell()
        elif key == Qt.Key.Key_Escape:
            self.choosing.take(())
            self._tell()
        elif Qt.Key.Key_0 <= key <= Qt.Key.Key_9 and not keypad:
            self.class_typed.emit(key - Qt.Key.Key_0 - 1)
        else:
            super().keyPressEvent(event)

    def _move(self, steps: int, modifiers: Qt.KeyboardModifier) -> None:
        """To another tile: selected alone, up to there with Shift, not at all with Ctrl."""
        if not len(self.order):
            return
        current = self.choosing.current
        index = self.place_of(current) if current is not None else None
        start = self.in_sight().start if index is None else index
        last = len(self.order) - 1
        # The first key press marks the first cell in sight, it does not leave it.
        to = start if index is None and abs(steps) <= last else max(0, min(last, start + steps))
        cell = int(self.order[to])
        self.reveal(cell)
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self.choosing.current = cell
            self.viewport().update()
            return
        self._select(cell, modifiers)
        if not modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.visited.emit(cell)
