"""A slider that is painted: names to the left, a groove, a figure to the right."""

from __future__ import annotations

from qtpy.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from qtpy.QtGui import QHelpEvent, QKeyEvent, QMouseEvent, QWheelEvent
from qtpy.QtWidgets import QAbstractSlider, QSizePolicy, QToolTip, QWidget

from napari_channelmix.viewer.widgets.theme import chart_colors

__all__ = ["HANDLE", "STEPS", "PaintedSlider"]

# Positions along the slider, and the radius of its handle.
STEPS, HANDLE = 1000, 6


class PaintedSlider(QAbstractSlider):
    """Mouse and keys of a slider along one axis; what it looks like is up to its kind.

    Parameters
    ----------
    name : str
        Of the axis.
    height : int
        Of the row, in pixels.
    names, figures : int
        Widths beside the groove.
    groove : int
        Where the groove lies, from the top.
    theme : str

    Signals
    -------
    moved(str, float)
        Name of the axis and its new value; only what the user did.
    taken(str)
        The axis the user turned to.
    """

    moved = Signal(str, float)
    taken = Signal(str)

    def __init__(
        self,
        name: str,
        theme: str,
        *,
        height: int,
        names: int,
        figures: int,
        groove: int,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.name = name
        self.colors = chart_colors(theme)
        self._names, self._figures, self._groove = names, figures, groove
        self.setRange(0, STEPS)
        self.setSingleStep(STEPS // 100)
        self.setPageStep(STEPS // 10)
        self.setOrientation(Qt.Orientation.Horizontal)
        self.setFixedHeight(height)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.valueChanged.connect(self._changed)

    # ---------------------------------------------------------------- what a kind says

    @property
    def ends(self) -> tuple[float, float]:
        """Values at both ends."""
        raise NotImplementedError

    @property
    def home(self) -> float | None:
        """The value that a double click goes back to; None while there is none."""
        raise NotImplementedError

    def describe(self) -> str:
        """The value in words, for those who cannot see it."""
        raise NotImplementedError

    # ---------------------------------------------------------------- where it stands

    @property
    def amount(self) -> float:
        """Where the slider stands, in the units of the axis."""
        home = self.home
        if home is not None and self.value() == self.step_of(home):
            # Steps are coarser than the value.
            return home
        low, high = self.ends
        return low + (high - low) * self.value() / STEPS

    def step_of(self, amount: float) -> int:
        """The position along the slider of a value."""
        low, high = self.ends
        return round(STEPS * (amount - low) / (high - low))

    def go_to(self, amount: float) -> None:
        """Go to a value; nobody is told."""
        blocked = self.blockSignals(True)
        self.setValue(self.step_of(amount))
        self.blockSignals(blocked)
        self.setAccessibleDescription(self.describe())
        self.update()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.colors = chart_colors(theme)
        self.update()

    def _changed(self, _: int) -> None:
        self.setAccessibleDescription(self.describe())
        self.update()
        self.moved.emit(self.name, self.amount)

    # ---------------------------------------------------------------- mouse and keys

    def room(self) -> QRectF:
        """Where the groove runs."""
        width = max(20, self.width() - self._names - self._figures)
        return QRectF(self._names, 2, width, self._groove - 2)

    def place(self, amount: float) -> QPointF:
        """Where a value lies in this widget."""
        room, (low, high) = self.room(), self.ends
        share = (amount - low) / (high - low)
        return QPointF(room.left() + room.width() * min(max(share, 0.0), 1.0), self._groove)

    def _go(self, x: float) -> None:
        room = self.room()
        self.setValue(round(STEPS * (x - room.left()) / room.width()))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Go where the mouse is."""
        if event.button() != Qt.MouseButton.LeftButton:
            return
        self.taken.emit(self.name)
        if event.position().x() >= self._names - HANDLE:
            self.setSliderDown(True)
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Follow the mouse."""
        if self.isSliderDown():
            self._go(event.position().x())

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Stay there."""
        self.setSliderDown(False)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Back to the value it came from."""
        if self.home is not None:
            self.setValue(self.step_of(self.home))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Arrows move it."""
        self.taken.emit(self.name)
        super().keyPressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the page; it moves no slider on the way."""
        event.ignore()

    def event(self, event: QEvent) -> bool:
        """A tooltip, in plain lines."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            QToolTip.showText(event.globalPos(), self.toolTip(), self)
            return True
        return super().event(event)

    def sizeHint(self) -> QSize:
        """As wide as there is room."""
        return QSize(320, self.height())
