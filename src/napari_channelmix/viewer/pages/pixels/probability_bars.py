"""What a classifier says of one cell: a bar for each class, in its colour."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QRectF, QSize, Qt
from qtpy.QtGui import QColor, QFontMetrics, QPainter, QPaintEvent, QPen
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.widgets.theme import ChartColors, chart_colors

__all__ = ["ClassBars"]

# Classes shown; the others are summed up in a last row.
MOST = 6
ROW = 20
# Share of the width that the names may take.
NAMES = 0.42


class ClassBars(QWidget):
    """Class probabilities, highest first; the class that is explained is set off."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.colors: ChartColors = chart_colors(theme)
        # Name, probability, whether it is the one explained.
        self.rows: tuple[tuple[str, float, bool], ...] = ()
        self.known = False
        # Names whose positions are colours.
        self.class_order: tuple[str, ...] = ()
        self.setToolTip(
            "Probability of each class, 0 to 100 %; the bar with a frame is the class that is "
            "explained"
        )
        self.setAccessibleName("Class probabilities")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_probabilities(
        self,
        classes: Sequence[str],
        probabilities: npt.NDArray[np.float32] | None,
        target: int | None,
    ) -> None:
        """Show (K,) probabilities; None leaves the bars empty."""
        known = np.zeros(len(classes)) if probabilities is None else probabilities
        order = [int(code) for code in np.argsort(-known, kind="stable")]
        first = order[: MOST if len(order) <= MOST else MOST - 1]
        if target is not None and target not in first:
            first[-1] = target
        rows = [(classes[code], float(known[code]), code == target) for code in first]
        rest = [code for code in order if code not in first]
        if rest:
            rows.append((f"{len(rest)} others", float(sum(known[code] for code in rest)), False))
        if tuple(rows) == self.rows and self.known == (probabilities is not None):
            return
        self.rows, self.known = tuple(rows), probabilities is not None
        self.setFixedHeight(ROW * len(rows))
        self.setAccessibleDescription(
            ", ".join(f"{name} {100 * p:.0f} %" for name, p, _ in self.rows)
        )
        self.update()

    def show_palette(self, palette: Sequence[str]) -> None:
        """Colour the bars by the positions of their classes; others have no colour."""
        if tuple(palette) != self.class_order:
            self.class_order = tuple(palette)
            self.update()

    def color_of(self, name: str) -> QColor:
        """Colour of the bar of a class."""
        known = name in self.class_order
        return QColor(class_hex(self.class_order.index(name)) if known else self.colors.line)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.colors = chart_colors(theme)
        self.update()

    def sizeHint(self) -> QSize:
        """A row for each class."""
        return QSize(320, ROW * max(1, len(self.rows)))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Name, bar, percentage."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        metrics = QFontMetrics(self.font())
        widest = max((metrics.horizontalAdvance(name) for name, *_ in self.rows), default=0)
        names = min(widest + 10, int(NAMES * self.width()))
        figures = metrics.horizontalAdvance("100.0 %") + 4
        room = max(10, self.width() - names - figures)
        for row, (name, p, explained) in enumerate(self.rows):
            top = row * ROW
            painter.setPen(QColor(self.colors.text))
            text = metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, names - 8)
            middle = Qt.AlignmentFlag.AlignVCenter
            painter.drawText(QRectF(0, top, names, ROW), middle, text)
            painter.drawText(
                QRectF(self.width() - figures, top, figures, ROW),
                middle | Qt.AlignmentFlag.AlignRight,
                f"{100 * p:.1f} %" if self.known else "",
            )
            painter.setPen(Qt.PenStyle.NoPen)
            ground = QColor(self.colors.line)
            ground.setAlphaF(0.25)
            painter.setBrush(ground)
            painter.drawRoundedRect(QRectF(names, top + 5, room, ROW - 10), 3, 3)
            painter.setBrush(self.color_of(name))
            if explained:
                painter.setPen(QPen(QColor(self.colors.text), 1.5))
            if p > 0:
                painter.drawRoundedRect(QRectF(names, top + 5, max(2, room * p), ROW - 10), 3, 3)
        painter.end()
