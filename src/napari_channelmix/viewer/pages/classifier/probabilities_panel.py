"""What a classifier's probabilities mean: temperature, calibration error, reliability curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.viewer.charts.small_plot import color_axes, small_plot
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Predictions, Trained

__all__ = ["ProbabilitiesPanel"]

HEIGHT = 150
PLOT_TIP = (
    "Held-out cells with about the same probability of the class, and the share of them that are "
    "of the class, with 95 % intervals over groups; dotted line: perfect calibration"
)


class ProbabilitiesPanel(QWidget):
    """A line in sight, the figures and the curve folded away."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.line.setToolTip(
            "Prior: how frequent the classes are assumed to be. Calibrated: "
            "scores were divided by the temperature, so that of cells predicted with 90 % about "
            "90 % are right; above 1 the network was overconfident"
        )
        self.figures = QLabel()
        self.figures.setWordWrap(True)
        self.figures.setToolTip(
            "Calibration error: how far probabilities lie from frequencies on average, each class "
            "by itself (0 is best). Brier score: mean squared distance to the truth (0 is best)"
        )
        # Its room in the fold, which does not ask how a text is wrapped.
        self.figures.setMinimumHeight(6 * self.figures.fontMetrics().lineSpacing() + 2)
        self.of = choice("The class whose probabilities are drawn")
        self.plot = small_plot("Reliability curve", PLOT_TIP, HEIGHT)
        self._curve: dict[str, Any] = {}
        self._theme = theme
        self.diagonal = self.plot.plot([0, 1], [0, 1])
        self.points = self.plot.plot([], [])
        self.errors = pg.ErrorBarItem(x=np.zeros(0), y=np.zeros(0))
        self.plot.addItem(self.errors)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for widget in (self.figures, self.of, self.plot):
            column.addWidget(widget)
        self.fold = Folding("Calibration of the probabilities")
        self.fold.addWidget(inside)
        self.fold.toggleButton().setToolTip(
            "Calibration error, Brier score and reliability curve on held-out cells"
        )
        self.fold.collapse(animate=False)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.line)
        column.addWidget(self.fold)
        self.of.currentIndexChanged.connect(self._draw)
        self.follow_theme(theme)
        self.show_trained(None, None)

    def show_trained(self, trained: Trained | None, predictions: Predictions | None) -> None:
        """Show what is known of a classifier, and of the predictions with it."""
        classifier: Any = None if trained is None else trained.classifier
        calibration = getattr(classifier, "calibration", None)
        lines = []
        if predictions is not None and predictions.prior is not None:
            lines.append(f"probabilities: {predictions.prior.text()}")
        elif classifier is not None and hasattr(classifier, "prior_of"):
            lines.append(f"probabilities: {classifier.prior_of().text()}")
        if getattr(classifier, "calibration_text", ""):
            lines.append(classifier.calibration_text)
        self.line.setText("; ".join(lines))
        self.line.setVisible(bool(lines))
        self.fold.setVisible(calibration is not None)
        self._curve = {} if calibration is None else dict(calibration.curve)
        self.figures.setText(
            "" if calibration is None else f"On held-out cells: {calibration.text()}"
        )
        if [self.of.itemText(index) for index in range(self.of.count())] != list(self._curve):
            self.of.blockSignals(True)
            self.of.clear()
            self.of.addItems(list(self._curve))
            self.of.setCurrentIndex(self.of.count() - 1)
            self.of.blockSignals(False)
        self._draw()

    def _draw(self, _: object = None) -> None:
        bins = self._curve.get(self.of.currentText(), ())
        x, y, low, high = (
            np.array([getattr(bin_, name) for bin_ in bins], dtype=float)
            for name in ("predicted", "observed", "low", "high")
        )
        self.points.setData(x, y)
        self.errors.setData(x=x, y=y, top=np.maximum(high - y, 0), bottom=np.maximum(y - low, 0))

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        colors = chart_colors(theme)
        color_axes(self.plot, colors, "share", "probability of the class")
        self.diagonal.setPen(pg.mkPen(colors.line, width=1, style=Qt.PenStyle.DotLine))
        self.points.setPen(pg.mkPen(colors.bar, width=1))
        self.points.setSymbol("o")
        self.points.setSymbolSize(6)
        self.points.setSymbolBrush(colors.bar)
        self.points.setSymbolPen(None)
        self.errors.setData(pen=pg.mkPen(colors.bar, width=1))
