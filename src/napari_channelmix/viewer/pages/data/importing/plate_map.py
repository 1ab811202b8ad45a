"""The wells of a plate as a grid: drag to select them, coloured by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from qtpy.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QHelpEvent, QPainter, QPen
from qtpy.QtWidgets import QSizePolicy, QToolTip, QWidget

from napari_channelmix.scan.plate_layout import well_at, well_place
from napari_channelmix.viewer.charts.colors import class_hex

if TYPE_CHECKING:
    from qtpy.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

__all__ = ["PlateMap"]

# Rows and columns of the plates that are sold; the smallest that holds all wells is drawn.
FORMATS = ((2, 3), (3, 4), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
Place = tuple[int, int]
# Pixels of the head and of the letters, the smallest and the largest side of a well.
HEAD, LETTERS, SMALLEST, LARGEST = 18, 24, 9, 52
# Share of the side that is left free around a well.
GAP = 0.09


class PlateMap(QWidget):
    """Wells of one plate; those that have images can be selected.

    A click selects a well, dragging a rectangle of them, a letter or a number its row or column,
    the corner all; with Ctrl or Shift they come to those selected. Arrow keys move, with Shift
    they extend.

    ``selected``: others are selected; ``dragged``: the mouse has selected them.
    """

    selected = Signal()
    dragged = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMouseTracking(False)
        self.setAccessibleName("Wells of the plate")
        self._rows, self._columns = FORMATS[4]
        # Class of each well with images, "" without one; other wells by their own names.
        self._classes: dict[Place, str] = {}
        self._names: tuple[str, ...] = ()
        self._selection: set[Place] = set()
        self._before: set[Place] = set()
        self._anchor: Place | None = None
        self._cursor: Place = (0, 0)
        self._band = "well"

    def show_wells(self, classes: Mapping[str, str], names: tuple[str, ...]) -> None:
        """Show wells (``A01``) with their classes; ``names``: the classes, in the order of colours.

        What is selected stays selected where it is still there.
        """
        places = {well_place(well): name for well, name in classes.items()}
        self._classes = {place: name for place, name in places.items() if place is not None}
        self._names = names
        rows = max((row for row, _ in self._classes), default=0) + 1
        columns = max((column for _, column in self._classes), default=0) + 1
        self._rows, self._columns = next(
            (size for size in FORMATS if size[0] >= rows and size[1] >= columns), FORMATS[-1]
        )
        self._selection &= set(self._classes)
        self.updateGeometry()
        self.update()

    @property
    def selection(self) -> tuple[str, ...]:
        """Selected wells that have images, as ``A01``, in the order of reading."""
        return tuple(well_at(*place) for place in sorted(self._selection))

    def select(self, wells: tuple[str, ...]) -> None:
        """Select wells by their names; those without images are passed over."""
        places = {well_place(well) for well in wells}
        self._choose({place for place in places if place is not None})

    # ---------------------------------------------------------------- places

    def _side(self) -> float:
        wide = (self.width() - LETTERS - 1) / self._columns
        high = (self.height() - HEAD - 1) / self._rows
        return max(SMALLEST, min(wide, high, LARGEST))

    def well_rect(self, well: str) -> QRect:
        """Where a well (``A01``) is drawn."""
        place = well_place(well)
        assert place is not None
        return self._rect(place).toAlignedRect()

    @property
    def _left(self) -> float:
        """Where the first column begins: the plate is in the middle."""
        return LETTERS + max(0.0, (self.width() - LETTERS - self._columns * self._side()) / 2)

    def _rect(self, place: Place) -> QRectF:
        side, (row, column) = self._side(), place
        gap = max(0.5, GAP * side)
        return QRectF(self._left + column * side, HEAD + row * side, side, side).adjusted(
            gap, gap, -gap, -gap
        )

    def _place_at(self, point: QPoint) -> Place:
        """The nearest well, whether it has images or not."""
        side = self._side()
        row = int((point.y() - HEAD) // side)
        column = int((point.x() - self._left) // side)
        return min(max(row, 0), self._rows - 1), min(max(column, 0), self._columns - 1)

    def sizeHint(self) -> QSize:
        """Room for wells of a middle size."""
        side = 26 if self._rows <= 8 else (15 if self._rows <= 16 else SMALLEST)
        return QSize(LETTERS + self._columns * side + 1, HEAD + self._rows * side + 1)

    def minimumSizeHint(self) -> QSize:
        """Room for the smallest wells that can be hit."""
        return QSize(LETTERS + self._columns * SMALLEST + 1, HEAD + self._rows * SMALLEST + 1)

    # ---------------------------------------------------------------- mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Begin a rectangle, or take a row, a column or all."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        point = event.position().toPoint()
        adds = bool(
            event.modifiers()
            & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
        )
        self._before = set(self._selection) if adds else set()
        self._anchor = self._place_at(point)
        left, above = point.x() < self._left, point.y() < HEAD
        self._band = "all" if left and above else "row" if left else "column" if above else "well"
        self._extend(self._anchor)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Draw the rectangle out."""
        if self._anchor is not None:
            self._extend(self._place_at(event.position().toPoint()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """What is selected now can be given a class."""
        if self._anchor is None or event.button() != Qt.MouseButton.LeftButton:
            return
        self._anchor = None
        self.selected.emit()
        self.dragged.emit()

    def _extend(self, to: Place) -> None:
        assert self._anchor is not None
        self._cursor = to
        (row, column), (other_row, other_column) = self._anchor, to
        rows = range(min(row, other_row), max(row, other_row) + 1)
        columns = range(min(column, other_column), max(column, other_column) + 1)
        if self._band in ("row", "all"):
            columns = range(self._columns)
        if self._band in ("column", "all"):
            rows = range(self._rows)
        self._choose(self._before | {(r, c) for r in rows for c in columns}, told=False)

    def _choose(self, places: set[Place], *, told: bool = True) -> None:
        self._selection = places & set(self._classes)
        self.update()
        if told:
            self.selected.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move from well to well, with Shift they extend; Ctrl+A selects all."""
        steps = {
            Qt.Key.Key_Up: (-1, 0),
            Qt.Key.Key_Down: (1, 0),
            Qt.Key.Key_Left: (0, -1),
            Qt.Key.Key_Right: (0, 1),
        }
        step = steps.get(Qt.Key(event.key()))
        if event.key() == Qt.Key.Key_A and event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self._choose(set(self._classes))
        elif step is not None:
            row = min(max(self._cursor[0] + step[0], 0), self._rows - 1)
            column = min(max(self._cursor[1] + step[1], 0), self._columns - 1)
            extends = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._cursor = (row, column)
            self._choose((self._selection if extends else set()) | {(row, column)})
        else:
            super().keyPressEvent(event)

    # ---------------------------------------------------------------- what is seen

    def event(self, event: QEvent) -> bool:
        """Name the well under the mouse, and its class."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self._tell(event)
            return True
        return super().event(event)

    def _tell(self, event: QHelpEvent) -> None:
        place = self._place_at(event.pos())
        if not self._rect(place).contains(QPointF(event.pos())):
            QToolTip.hideText()
            return
        name = well_at(*place)
        said = (self._classes[place] or "no class") if place in self._classes else "no images"
        QToolTip.showText(event.globalPos(), f"{name}: {said}", self)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Wells in the colours of their classes; those without images as empty rings."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().windowText().color()
        faint = QColor(text)
        faint.setAlphaF(0.16)
        quiet = QColor(text)
        quiet.setAlphaF(0.75)
        self._paint_head(painter, quiet)
        colors = {name: QColor(class_hex(code)) for code, name in enumerate(self._names)}
        unclassed = QColor(text)
        unclassed.setAlphaF(0.32)
        for row in range(self._rows):
            for column in range(self._columns):
                place = (row, column)
                rect = self._rect(place)
                if place not in self._classes:
                    painter.setPen(QPen(faint, 1))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawEllipse(rect.adjusted(1, 1, -1, -1))
                    continue
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(colors.get(self._classes[place], unclassed))
                painter.drawEllipse(rect)
                if place in self._selection:
                    painter.setPen(QPen(text, 2))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawEllipse(rect.adjusted(-0.5, -0.5, 0.5, 0.5))
        if self.hasFocus() and not self._selection:
            painter.setPen(QPen(quiet, 1, Qt.PenStyle.DotLine))
            painter.drawRect(self._rect(self._cursor))
        painter.end()

    def _paint_head(self, painter: QPainter, color: QColor) -> None:
        side = self._side()
        painter.setPen(color)
        font = painter.font()
        font.setPixelSize(int(min(11, max(7, side * 0.75))))
        painter.setFont(font)
        # Of small wells every second or fourth number, which do not touch then.
        every = 1 if side >= 15 else 2 if side >= 11 else 4
        for column in range(0, self._columns, every):
            box = QRectF(self._left + column * side, 0, side, HEAD).adjusted(-6, 0, 6, 0)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(column + 1))
        for row in range(0, self._rows, 1 if side >= 9 else 2):
            box = QRectF(self._left - LETTERS, HEAD + row * side, LETTERS - 4, side)
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, well_at(row, 0)[:-2])
