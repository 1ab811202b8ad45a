"""The rail: all pages in a narrow column, an icon over a word, and how far each one is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRect, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QAbstractButton, QButtonGroup, QSizePolicy, QVBoxLayout, QWidget

from napari_channelmix.viewer.widgets.theme import ChartColors, chart_colors
from napari_channelmix.viewer.workspace.icons import draw_icon
from napari_channelmix.viewer.workspace.page_state import PageState

if TYPE_CHECKING:
    from collections.abc import Sequence

    from qtpy.QtGui import QKeyEvent, QMouseEvent, QPaintEvent

    from napari_channelmix.viewer.workspace.page_list import PageInfo

__all__ = ["FoldButton", "Rail", "RailButton"]

ICON, DOT = 22, 11
# Lowest height of a button at which icon and word are whole; there is room for nine of them in a
# window of 800 pixels.
HEIGHT, FOLD_HEIGHT = 54, 30
WIDTH = 58
SMALL = 0.78
STEPS = {
    Qt.Key.Key_Up: -1,
    Qt.Key.Key_Left: -1,
    Qt.Key.Key_Down: 1,
    Qt.Key.Key_Right: 1,
}


class _ThemedButton(QAbstractButton):
    """A flat button in the theme's colours, with a frame while it has the keyboard."""

    def __init__(self, theme: str, height: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colors: ChartColors = chart_colors(theme)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(height)
        self.setFixedWidth(WIDTH)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        small = self.font()
        small.setPointSizeF(small.pointSizeF() * SMALL)
        self.setFont(small)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.colors = chart_colors(theme)
        self.update()

    def sizeHint(self) -> QSize:
        """The size it always has."""
        return QSize(self.width(), self.height())

    def draw_ground(self, painter: QPainter) -> None:
        """The ground of the one that is chosen or pointed at, and the frame of the keyboard."""
        accent = QColor(self.colors.bar)
        inside = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        if self.isChecked() or self.underMouse():
            ground = QColor(accent)
            ground.setAlphaF(0.22 if self.isChecked() else 0.1)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(ground)
            painter.drawRoundedRect(inside, 4, 4)
        if self.isChecked():
            painter.fillRect(QRectF(0, 4, 3, self.height() - 8), accent)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(self.colors.text), 1, Qt.PenStyle.DotLine))
            painter.drawRoundedRect(inside, 4, 4)


class RailButton(_ThemedButton):
    """A page in the rail.

    The dot in its corner is a tick where the page is done, an exclamation mark where its result
    must be read with care, a ring where it is ready, and a bar where something is missing: shapes,
    so that they are told apart without colours too.
    """

    # The dot of a blocked page was clicked: its key.
    fix_requested = Signal(str)

    def __init__(self, page: PageInfo, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, HEIGHT, parent)
        self.page = page
        self.state = PageState("ready", "")
        self.setText(page.title)
        self.setCheckable(True)
        self.show_state(self.state)

    def show_state(self, state: PageState) -> None:
        """Show how far the page is."""
        self.state = state
        self.setAccessibleName(f"{self.page.title}: {state.words}")
        blocked = state.kind == "blocked"
        hint = "\nClick the dot to go to the page where this can be solved." if blocked else ""
        doubt = f"\n{state.doubt}" if state.doubt else ""
        self.setToolTip(f"{self.page.title}: {state.words}\n{state.line}{doubt}{hint}")
        self.update()

    @property
    def dot(self) -> QRect:
        """Where the dot is, and a little around it."""
        return QRect(self.width() - DOT - 7, 4, DOT + 4, DOT + 4)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Leave the keys that change the page to the rail; Qt's own would skip the emitting."""
        if Qt.Key(event.key()) in (*STEPS, Qt.Key.Key_Home, Qt.Key.Key_End):
            event.ignore()
        else:
            super().keyPressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """On the dot of a blocked page: go where it is mended."""
        on_dot = self.dot.contains(event.position().toPoint())
        if self.isDown() and on_dot and self.state.kind == "blocked":
            self.setDown(False)
            self.fix_requested.emit(self.page.key)
            return
        super().mouseReleaseEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Icon over word, and the dot."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw_ground(painter)
        color = QColor(self.colors.text)
        if self.state.kind == "blocked" and not self.isChecked():
            color = QColor(self.colors.line)
        draw_icon(painter, self.page.key, color, QRectF((self.width() - ICON) / 2, 7, ICON, ICON))
        painter.setPen(color)
        words = QRectF(0, 7 + ICON, self.width(), self.height() - ICON - 9)
        painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self.text())
        self._draw_dot(painter, QRectF(self.width() - DOT - 5, 6, DOT, DOT))
        painter.end()

    def _draw_dot(self, painter: QPainter, box: QRectF) -> None:
        kind = self.state.kind
        name = {"done": self.colors.good, "ready": self.colors.bar, "blocked": self.colors.line}
        color = QColor(self.colors.second if self.state.doubt else name[kind])
        if kind == "blocked":
            middle = box.center().y()
            painter.setPen(QPen(color, 2))
            painter.drawLine(QPointF(box.left() + 2, middle), QPointF(box.right() - 2, middle))
            return
        painter.setPen(QPen(color, 1.6))
        painter.setBrush(color if kind == "done" else Qt.BrushStyle.NoBrush)
        inset = 1 if kind == "done" else 2
        painter.drawEllipse(box.adjusted(inset, inset, -inset, -inset))
        if self.state.doubt:
            painter.setPen(QPen(QColor(self.colors.ground), 1.8))
            x, y = box.center().x(), box.top()
            painter.drawLine(QPointF(x, y + 3), QPointF(x, y + 6))
            painter.drawPoint(QPointF(x, y + 8.4))
        elif kind == "done":
            painter.setPen(QPen(QColor(self.colors.ground), 1.6))
            x, y = box.left(), box.top()
            tick = [QPointF(x + 3, y + 5.8), QPointF(x + 4.9, y + 7.7), QPointF(x + 8.1, y + 3.8)]
            painter.drawPolyline(QPolygonF(tick))


class FoldButton(_ThemedButton):
    """Folds the page away, so that only the rail is left, and back."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(theme, FOLD_HEIGHT, parent)
        self.folded = False
        self.show_folded(False)

    def show_folded(self, folded: bool) -> None:
        """Show what a click would do now."""
        self.folded = folded
        words = "Show the page" if folded else "Fold the page, to give the image more room"
        self.setToolTip(words)
        self.setAccessibleName(words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Two arrows, the way that the page would go."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.draw_ground(painter)
        side = 16
        box = QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)
        draw_icon(painter, "unfold" if self.folded else "fold", QColor(self.colors.line), box)
        painter.end()


class Rail(QWidget):
    """All pages, one of them chosen; arrow keys go from one to the next."""

    # Key of the page that the user chose.
    chosen = Signal(str)
    fix_requested = Signal(str)

    def __init__(
        self, pages: Sequence[PageInfo], theme: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAccessibleName("Pages")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.buttons = {page.key: RailButton(page, theme) for page in pages}
        self.fold = FoldButton(theme)
        self._group = QButtonGroup(self)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(0)
        for button in self.buttons.values():
            self._group.addButton(button)
            column.addWidget(button)
            button.clicked.connect(lambda _=False, key=button.page.key: self.chosen.emit(key))
            button.fix_requested.connect(self.fix_requested)
        column.addStretch(1)
        column.addWidget(self.fold)

    def choose(self, key: str) -> None:
        """Show a page as the chosen one; nothing is emitted."""
        self.buttons[key].setChecked(True)

    def show_states(self, states: dict[str, PageState]) -> None:
        """Show how far all pages are."""
        for key, state in states.items():
            if state != self.buttons[key].state:
                self.buttons[key].show_state(state)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        for button in (*self.buttons.values(), self.fold):
            button.follow_theme(theme)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrow keys, Home and End go to another page."""
        buttons = list(self.buttons.values())
        focused = self.focusWidget()
        positions = [position for position, button in enumerate(buttons) if button is focused]
        key = Qt.Key(event.key())
        if not positions or key not in (*STEPS, Qt.Key.Key_Home, Qt.Key.Key_End):
            super().keyPressEvent(event)
            return
        last = len(buttons) - 1
        there = {Qt.Key.Key_Home: 0, Qt.Key.Key_End: last}.get(
            key, positions[0] + STEPS.get(key, 0)
        )
        button = buttons[min(max(there, 0), last)]
        button.setFocus(Qt.FocusReason.TabFocusReason)
        button.click()
