"""A small square in the colour of a class, for lists and menus."""

from __future__ import annotations

from qtpy.QtGui import QColor, QIcon, QPixmap

from napari_channelmix.viewer.charts.colors import class_hex

__all__ = ["swatch"]

SIDE = 12


def swatch(code: int) -> QIcon:
    """The colour of a class by its position, grey for -1."""
    pixmap = QPixmap(SIDE, SIDE)
    pixmap.fill(QColor(class_hex(code)))
    icon = QIcon(pixmap)
    # Qt would tint that of a selected entry, which is then no colour of any class.
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon
