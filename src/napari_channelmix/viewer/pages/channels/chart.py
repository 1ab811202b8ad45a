"""The bar chart of channel importance: bars with spread, Shapley diamonds, controls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyqtgraph as pg
from qtpy.QtCore import QEvent, Qt, Signal
from qtpy.QtGui import QColor, QKeyEvent, QWheelEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_channelmix.viewer.charts.small_plot import switch_off_menu
from napari_channelmix.viewer.widgets.row_choice import FEW
from napari_channelmix.viewer.widgets.theme import ChartColors, chart_colors

if TYPE_CHECKING:
    from collections.abc import Collection

    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["ImportanceChart"]

# Heights of a row of the chart, of few and of many, and of the axes around them, in pixels.
ROW, LOW, AROUND = 30, 14, 100
# Height of all rows in sight at most: the others are scrolled to.
TALLEST = 336
LONGEST_NAME = 22


class ImportanceChart(pg.PlotWidget):
    """Horizontal bars, the most important channel on top: long channel names stay readable.

    The order is that of the answer that is reliable; channels that are not above their negative
    control are grey.

    Shares are read below, Shapley values above: two quantities, two axes with one zero.
    """

    channel_chosen = Signal(str)
    channel_hovered = Signal(str)
    # Other rows are shown, or in sight.
    moved = Signal()

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent, background=None)
        self.colors: ChartColors = chart_colors(theme)
        self.importance: ChannelImportance | None = None
        self.rows: tuple[str, ...] = ()
        #: The first row in sight, where there are more than there is room for.
        self.first = 0
        self._chosen: frozenset[str] | None = None
        self.marked: str | None = None
        self._current = 0
        switch_off_menu(self)
        self.setMouseEnabled(x=False, y=False)
        self.setAntialiasing(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Bar chart of channel importance")
        self.setMouseTracking(True)
        self.getPlotItem().setContentsMargins(2, 2, 10, 2)
        self.scene().sigMouseClicked.connect(self._clicked)
        self.scene().sigMouseMoved.connect(self._moved)
        self.follow_theme(theme)

    # ---------------------------------------------------------------- what is shown

    def show_importance(self, importance: ChannelImportance | None) -> None:
        """Draw a result, which may be partial; None empties the chart."""
        self.importance = importance
        self._take_rows()

    def show_rows(self, names: Collection[str] | None) -> None:
        """Show these channels only, on the scale of all; None: all."""
        self._chosen = None if names is None else frozenset(names)
        self.first = 0
        self._take_rows()

    def scroll_to(self, first: int) -> None:
        """Bring another row to the top; the axes stay where they are."""
        first = max(0, min(first, len(self.rows) - self.in_sight))
        if first != self.first:
            self.first = first
            self._place_rows()
            self.moved.emit()

    @property
    def row_height(self) -> int:
        """Height of a row in pixels."""
        every = 0 if self.importance is None else len(self.importance.channels)
        return ROW if every <= FEW else max(LOW, self.fontMetrics().height())

    @property
    def in_sight(self) -> int:
        """Rows that there is room for."""
        return min(len(self.rows), max(FEW, TALLEST // self.row_height))

    def _take_rows(self) -> None:
        imp = self.importance
        every = () if imp is None else tuple(imp.channels[i] for i in imp.order)
        self.rows = tuple(name for name in every if self._chosen is None or name in self._chosen)
        self.first = max(0, min(self.first, len(self.rows) - self.in_sight))
        if self.marked not in self.rows:
            self.marked = None
        self._current = min(self._current, max(0, len(self.rows) - 1))
        self._draw()
        self.moved.emit()

    def mark(self, channel: str | None) -> None:
        """Set one channel off, the one that is shown alone; None marks none."""
        self.marked = channel
        self._draw()

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.colors = chart_colors(theme)
        self.setBackground(self.colors.ground)
        self._draw()

    def bar_center(self, channel: str) -> Any:
        """Middle of a channel's bar, in pixels of this widget."""
        assert self.importance is not None
        share = self.importance.share[self.importance.channels.index(channel)]
        point = self.getViewBox().mapViewToScene(pg.Point(share / 2, self.rows.index(channel)))
        return self.mapFromScene(point)

    def describe(self, channel: str) -> str:
        """The figures of a channel, in words."""
        imp = self.importance
        if imp is None or channel not in imp.channels:
            return ""
        index = imp.channels.index(channel)
        spread = f" ± {imp.share_sd[index]:.3f}" if len(imp.seeds) > 1 else ""
        parts = [f"{channel}: share {imp.share[index]:.3f}{spread}"]
        if imp.shapley is not None:
            parts.append(f"Shapley value {imp.shapley[index]:.3f}")
        if imp.decoy is not None:
            parts.append(f"its negative control {imp.decoy[index]:.3f}")
        if imp.p_value is not None:
            p = imp.p_value[index]
            parts.append(f"p = {p:.3f}" if p >= 0.001 else "p < 0.001")
        if imp.alone is not None:
            alone, without = imp.alone.alone[index].accuracy, imp.alone.without[index].accuracy
            parts.append(
                f"accuracy alone {alone.balanced:.2f} ({alone.low:.2f} to {alone.high:.2f}), "
                f"without it {without.balanced:.2f} ({without.low:.2f} to {without.high:.2f})"
            )
        if imp.above_control is not None and not imp.above_control[index]:
            parts.append("not above its negative control")
        return ", ".join(parts)

    def legend(self) -> str:
        """What the marks mean, as rich text in the colours of the marks."""
        imp, colors = self.importance, self.colors
        if imp is None:
            return ""
        parts = [f'<span style="color:{colors.bar}">■</span> share of the blended image']
        if len(imp.seeds) > 1:
            parts.append("├┤ sd over repeats")
        if imp.shapley is not None:
            parts.append(
                f'<span style="color:{colors.second}">◆</span> Shapley value (balanced accuracy)'
            )
        if imp.decoy is not None:
            parts.append("┆ negative control (no information)")
        if imp.above_control is not None and not all(imp.above_control):
            parts.append(f'<span style="color:{colors.line}">■</span> not above its control')
        # A mark and its words stay on one line.
        return "&nbsp;&nbsp; ".join(f"<nobr>{part}</nobr>" for part in parts)

    # ---------------------------------------------------------------- drawing

    def _draw(self) -> None:
        plot = self.getPlotItem()
        plot.clear()
        self.setFixedHeight(AROUND + self.row_height * max(1, self.in_sight))
        self._draw_axes()
        if self.importance is None:
            return
        self._draw_bars(self.importance)

    def _draw_axes(self) -> None:
        plot, colors = self.getPlotItem(), self.colors
        for side in ("left", "bottom", "top"):
            axis = plot.getAxis(side)
            axis.setPen(colors.line)
            axis.setTextPen(colors.text)
            axis.setStyle(tickLength=-4 if side != "left" else 0)
        plot.showAxis("left", self.importance is not None)
        names = [(index, _short(name)) for index, name in enumerate(self.rows)]
        plot.getAxis("left").setTicks([names])
        plot.getViewBox().invertY(True)
        self._place_rows()
        label = {"color": colors.text}
        plot.setLabel("bottom", "share of the blended image", **label)
        plot.setLabel("top", "Shapley value", **{"color": colors.second})
        # A label shows its axis.
        plot.showAxis("top", self.importance is not None and self.importance.shapley is not None)
        plot.showAxis("bottom", self.importance is not None)
        plot.getAxis("top").setTextPen(colors.second)
        for side in ("bottom", "top"):
            # Shares are plain numbers, not thousandths; a new label brings the prefix back.
            plot.getAxis(side).setSIPrefixEnableRanges(())
            plot.getAxis(side).updateAutoSIPrefix()

    def _place_rows(self) -> None:
        """Which rows are in sight."""
        end = self.first + max(1, self.in_sight)
        self.getPlotItem().setYRange(self.first - 0.6, end - 0.4, padding=0)

    def _draw_bars(self, imp: ChannelImportance) -> None:
        plot, colors = self.getPlotItem(), self.colors
        order = [imp.channels.index(name) for name in self.rows]
        places = np.arange(len(order), dtype=float)
        share, spread = np.array(imp.share)[order], np.array(imp.share_sd)[order]
        brushes = [self._brush(name, imp.shares_readable) for name in self.rows]
        bars = pg.BarGraphItem(
            x0=np.zeros(len(order)),
            width=share,
            y=places,
            height=0.6,
            brushes=brushes,
            pen=pg.mkPen(colors.bar, width=1),
        )
        plot.addItem(bars)
        if len(imp.seeds) > 1:
            plot.addItem(
                pg.ErrorBarItem(
                    x=share,
                    y=places,
                    left=spread,
                    right=spread,
                    beam=0.22,
                    pen=pg.mkPen(colors.text, width=1.5),
                )
            )
        # Of all channels, whichever are shown.
        every, spreads = np.array(imp.share), np.array(imp.share_sd)
        low, high = float((every - spreads).min()), float((every + spreads).max())
        if imp.decoy is not None:
            # Each channel has its own: a bar is judged by the line on its row.
            levels = np.array(imp.decoy)[order]
            pen = pg.mkPen(colors.text, width=1.5, style=Qt.PenStyle.DashLine)
            plot.plot(
                np.repeat(levels, 2),
                np.ravel(places[:, None] + [-0.45, 0.45]),
                connect="pairs",
                pen=pen,
            )
            high = max(high, float(np.max(imp.decoy)))
        if imp.shapley is not None:
            reach = self._draw_shapley(imp, order, places, high)
            low, high = min(low, reach[0]), max(high, reach[1])
        # A little room before zero: pyqtgraph leaves out the number of a tick on the very edge.
        plot.setXRange(min(0.0, low) * 1.05 - 0.03 * high, high * 1.06, padding=0)

    def _draw_shapley(
        self, imp: ChannelImportance, order: list[int], places: Any, high: float
    ) -> tuple[float, float]:
        """Diamonds on a scale of their own that shares the zero; where they reach to."""
        assert imp.shapley is not None and imp.shapley_sd is not None
        plot, colors = self.getPlotItem(), self.colors
        values = np.array(imp.shapley)[order]
        errors = np.array(imp.shapley_sd)[order]
        largest = float(np.abs(imp.shapley).max())
        factor = high / largest if largest > 0 else 1.0
        plot.getAxis("top").setScale(1.0 / factor)
        if len(imp.seeds) > 1:
            plot.addItem(
                pg.ErrorBarItem(
                    x=values * factor,
                    y=places,
                    left=errors * factor,
                    right=errors * factor,
                    beam=0.14,
                    pen=pg.mkPen(colors.second, width=1.5),
                )
            )
        plot.addItem(
            pg.ScatterPlotItem(
                x=values * factor,
                y=places,
                symbol="d",
                size=12 if self.row_height >= ROW else 8,
                brush=colors.second,
                pen=pg.mkPen(colors.ground, width=1),
            )
        )
        every, spreads = np.array(imp.shapley), np.array(imp.shapley_sd)
        reach = np.concatenate([(every - spreads) * factor, (every + spreads) * factor])
        return float(reach.min()), float(reach.max())

    def _brush(self, name: str | None, is_readable: bool) -> Any:
        color = QColor(self.colors.bar if self._above_control(name) else self.colors.line)
        # Pale where the gate says that the shares must not be read, or another channel is alone.
        strength = 1.0 if is_readable else 0.35
        if self.marked is not None and name is not None and name != self.marked:
            strength *= 0.5
        color.setAlphaF(strength)
        return pg.mkBrush(color)

    def _above_control(self, name: str | None) -> bool:
        imp = self.importance
        if imp is None or name is None or imp.above_control is None:
            return True
        return imp.above_control[imp.channels.index(name)]

    # ---------------------------------------------------------------- mouse and keys

    def channel_at(self, scene_point: Any) -> str | None:
        """Channel of the row under a point, names included."""
        if not self.rows or not self.getPlotItem().sceneBoundingRect().contains(scene_point):
            return None
        row = round(self.getViewBox().mapSceneToView(scene_point).y())
        return self.rows[row] if 0 <= row < len(self.rows) else None

    def _clicked(self, event: Any) -> None:
        channel = self.channel_at(event.scenePos())
        if channel is not None and event.button() == Qt.MouseButton.LeftButton:
            self._current = self.rows.index(channel)
            self.channel_chosen.emit(channel)

    def _moved(self, point: Any) -> None:
        channel = self.channel_at(point)
        self.setCursor(Qt.CursorShape.PointingHandCursor if channel else Qt.CursorShape.ArrowCursor)
        self.channel_hovered.emit(channel or "")

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel scrolls the rows below their axis, and the page where there are no more."""
        before = self.first
        self.scroll_to(before - round(event.angleDelta().y() / 40))
        event.setAccepted(self.first != before)

    def leaveEvent(self, event: QEvent) -> None:
        """Nothing is under the mouse any more."""
        self.channel_hovered.emit("")
        super().leaveEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and down read the rows, Enter shows one alone."""
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is not None and self.rows:
            self._current = int(np.clip(self._current + step, 0, len(self.rows) - 1))
            if not self.first <= self._current < self.first + self.in_sight:
                self.scroll_to(self._current - (0 if step < 0 else self.in_sight - 1))
            self.channel_hovered.emit(self.rows[self._current])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.rows:
            self.channel_chosen.emit(self.rows[self._current])
        else:
            super().keyPressEvent(event)


def _short(name: str) -> str:
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"
