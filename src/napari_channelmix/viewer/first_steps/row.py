"""One step as it is seen: its mark, what it is, and its buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QPointF, QRectF, Qt, Signal
from qtpy.QtGui import QColor, QPainter, QPen, QPolygonF
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer.theme import ChartColors, chart_colors

if TYPE_CHECKING:
    from qtpy.QtGui import QPaintEvent

    from napari_channelmix.viewer.first_steps.steps import Step

__all__ = ["Mark", "StepRow"]

SIDE = 24
MOST_DEEDS = 2


class Mark(QWidget):
    """A circle with a number; filled where the step is the next one, with a tick where it is done.

    Shape tells the states apart as well as colour.
    """

    def __init__(self, number: int, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text = str(number)
        self._colors: ChartColors = chart_colors(theme)
        self.state = "open"
        self.setFixedSize(SIDE, SIDE)
        self.show_state("open")

    def show_state(self, state: str) -> None:
        """``"open"``, ``"next"`` or ``"done"``."""
        self.state = state
        words = {"open": "not done yet", "next": "the next step", "done": "done"}[state]
        self.setToolTip(f"Step {self._text}: {words}")
        self.setAccessibleName(f"Step {self._text}, {words}")
        self.update()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._colors = chart_colors(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw the circle, and a tick or the number in it."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colors = self._colors
        color = QColor({"open": colors.line, "next": colors.bar, "done": colors.good}[self.state])
        painter.setPen(QPen(color, 1.5))
        painter.setBrush(color if self.state == "next" else Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QRectF(1.5, 1.5, SIDE - 3, SIDE - 3))
        if self.state == "done":
            painter.setPen(QPen(color, 2.2))
            painter.drawPolyline(QPolygonF([QPointF(7, 12.5), QPointF(10.5, 16), QPointF(17, 8.5)]))
        else:
            painter.setPen(QColor(colors.ground if self.state == "next" else colors.text))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
        painter.end()


class StepRow(QWidget):
    """Shows a `Step`; a button that is pressed only says which."""

    # Position of the deed in the step.
    wanted = Signal(int)

    def __init__(self, number: int, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mark = Mark(number, theme)
        self.title = QLabel()
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setTextFormat(Qt.TextFormat.PlainText)
        self.buttons = tuple(QPushButton() for _ in range(MOST_DEEDS))
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        row = QHBoxLayout()
        # Below the text, which napari's style sets in a little.
        row.setContentsMargins(4, 0, 0, 0)
        row.setSpacing(6)
        for at, button in enumerate(self.buttons):
            button.clicked.connect(lambda _=False, at=at: self.wanted.emit(at))
            row.addWidget(button)
        row.addWidget(self.reason, 1)
        beside = QVBoxLayout()
        beside.setSpacing(3)
        beside.addWidget(self.title)
        beside.addWidget(self.line)
        beside.addLayout(row)
        whole = QHBoxLayout(self)
        whole.setContentsMargins(0, 2, 0, 2)
        whole.setSpacing(8)
        whole.addWidget(self.mark, 0, Qt.AlignmentFlag.AlignTop)
        whole.addLayout(beside, 1)

    def show_step(self, step: Step, *, following: bool) -> None:
        """Show how a step stands; ``following``: it is the one to take next."""
        self.mark.show_state("done" if step.done else "next" if following else "open")
        title = f"<b>{step.title}</b>"
        self.title.setText(f"{title} · next" if following else title)
        self.line.setText(step.line)
        # In sight: the tooltip of a button that is off is seldom looked for.
        self.reason.setText(step.deeds[0].why_not)
        for at, button in enumerate(self.buttons):
            there = at < len(step.deeds)
            # Hidden before it is filled: a button that vanishes must not keep the keyboard.
            button.setVisible(there)
            if there:
                deed = step.deeds[at]
                button.setText(deed.label)
                button.setToolTip(deed.why_not or deed.tip)
                button.setAccessibleName(f"{step.title}: {deed.label}")
                button.setEnabled(not deed.why_not)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.mark.follow_theme(theme)
