"""A small plot that is looked at only: nothing to zoom or drag, in the colours of the theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyqtgraph as pg

if TYPE_CHECKING:
    from napari_channelmix.viewer.widgets.theme import ChartColors

__all__ = ["color_axes", "small_plot", "still_plot", "switch_off_menu"]

# Widths and heights of axes in pixels: room for their numbers and their names.
LEFT, BOTTOM = 44, 34
# Beyond 0 and 1, so that lines and points at the ends are seen whole.
PAD_X, PAD_Y = 0.02, 0.05


def small_plot(name: str, tip: str, height: int) -> pg.PlotWidget:
    """A plot of shares: both axes go from 0 to 1.

    Parameters
    ----------
    name : str
        For those who cannot see it.
    tip : str
    height : int
        In pixels.
    """
    plot = still_plot(tip, height)
    plot.getAxis("bottom").setHeight(BOTTOM)
    plot.setXRange(0, 1, padding=PAD_X)
    plot.setYRange(0, 1, padding=PAD_Y)
    plot.setAccessibleName(name)
    return plot


def still_plot(
    tip: str, height: int, *, left: int = LEFT, margins: tuple[int, int, int, int] = (0, 6, 8, 2)
) -> pg.PlotWidget:
    """A plot that neither the mouse nor a menu moves.

    Parameters
    ----------
    tip : str
    height : int
        In pixels, as ``left``, the room for the numbers of the left axis, and ``margins`` around
        the plot: left, top, right, bottom.
    """
    plot = pg.PlotWidget()
    switch_off_menu(plot)
    plot.setMouseEnabled(x=False, y=False)
    plot.setFixedHeight(height)
    plot.getPlotItem().setContentsMargins(*margins)
    plot.getAxis("left").setWidth(left)
    plot.setToolTip(tip)
    return plot


def switch_off_menu(plot: pg.PlotWidget) -> None:
    """Take away the menu and the buttons that pyqtgraph gives every plot."""
    plot.setMenuEnabled(False)
    # pyqtgraph makes this menu in any case, and leaves it without an owner.
    menu = plot.getPlotItem().ctrlMenu
    menu.setParent(plot, menu.windowFlags())
    plot.hideButtons()


def color_axes(plot: pg.PlotWidget, colors: ChartColors, left: str, bottom: str = "") -> None:
    """Name the axes, and give ground, lines and numbers the colours of the theme."""
    plot.setBackground(colors.ground)
    for side, title in (("left", left), ("bottom", bottom)):
        if title:
            plot.setLabel(side, title, color=colors.text)
        axis = plot.getAxis(side)
        axis.setPen(colors.line)
        axis.setTextPen(colors.text)
        # Plain numbers, not thousandths; a new label brings the prefix back.
        axis.setSIPrefixEnableRanges(())
