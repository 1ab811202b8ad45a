"""Icons of the pages: line drawings in one colour, so that they follow the theme."""

from __future__ import annotations

from qtpy.QtCore import QByteArray, QRectF, QSize, Qt
from qtpy.QtGui import QColor, QIcon, QPainter, QPixmap
from qtpy.QtSvg import QSvgRenderer

__all__ = ["ICONS", "draw_icon", "icon"]

SIDE = 24
# Drawn in a square of 24: what an SVG file would hold between its tags.
ICONS = {
    "data": (
        '<path d="M12 3 L21 7.5 L12 12 L3 7.5 Z"/><path d="M3 12 L12 16.5 L21 12"/>'
        '<path d="M3 16.5 L12 21 L21 16.5"/>'
    ),
    "annotate": (
        '<path d="M4 20 L5 15.5 L15.5 5 L19 8.5 L8.5 19 Z"/><path d="M13.2 7.3 L16.7 10.8"/>'
        '<path d="M13 20 H20"/>'
    ),
    "classifier": (
        '<circle cx="6.5" cy="8" r="2.2"/><circle cx="8" cy="15.5" r="2.2"/>'
        '<rect x="14.5" y="6" width="4.2" height="4.2"/>'
        '<rect x="16" y="13.5" width="4.2" height="4.2"/><path d="M10 3 L14 21"/>'
    ),
    "channels": (
        '<path d="M4 4 V20"/><path d="M4 7 H20" stroke-width="3.4"/>'
        '<path d="M4 12 H14" stroke-width="3.4"/><path d="M4 17 H9" stroke-width="3.4"/>'
    ),
    "pixels": (
        '<rect x="3.5" y="3.5" width="17" height="17"/><path d="M3.5 9.2 H20.5 M3.5 14.8 H20.5"/>'
        '<path d="M9.2 3.5 V20.5 M14.8 3.5 V20.5"/>'
        '<rect x="9.2" y="9.2" width="5.6" height="5.6" fill="COLOR"/>'
    ),
    "whatif": (
        '<circle cx="7" cy="12" r="4.2"/><path d="M12.5 9.5 L15.5 7 M12.5 14.5 L15.5 17"/>'
        '<circle cx="18.5" cy="5.5" r="2.6"/><circle cx="18.5" cy="18.5" r="2.6" fill="COLOR"/>'
    ),
    "latents": (
        '<path d="M3 6.5 H21 M3 12 H21 M3 17.5 H21"/>'
        '<circle cx="15.5" cy="6.5" r="2.4" fill="COLOR"/>'
        '<circle cx="8" cy="12" r="2.4" fill="COLOR"/>'
        '<circle cx="17.5" cy="17.5" r="2.4" fill="COLOR"/>'
    ),
    "phenotypes": (
        '<rect x="3.5" y="3.5" width="7" height="7"/><rect x="13.5" y="3.5" width="7" height="7"/>'
        '<rect x="3.5" y="13.5" width="7" height="7"/>'
        '<rect x="13.5" y="13.5" width="7" height="7"/>'
        '<circle cx="7" cy="7" r="1.6" fill="COLOR"/><circle cx="17" cy="7" r="1" fill="COLOR"/>'
        '<circle cx="7" cy="17" r="1" fill="COLOR"/><circle cx="17" cy="17" r="1.8" fill="COLOR"/>'
    ),
    "report": (
        '<path d="M5.5 3 H14.5 L19 7.5 V21 H5.5 Z"/><path d="M14.5 3 V7.5 H19"/>'
        '<path d="M8.5 12 H16 M8.5 15 H16 M8.5 18 H13"/>'
    ),
    "take-out": (
        '<rect x="3.5" y="8" width="12.5" height="12.5"/><path d="M11 13 L20.5 3.5"/>'
        '<path d="M14 3.5 H20.5 V10"/>'
    ),
    "fold": '<path d="M6 5 L13 12 L6 19"/><path d="M12.5 5 L19.5 12 L12.5 19"/>',
    "unfold": '<path d="M18 5 L11 12 L18 19"/><path d="M11.5 5 L4.5 12 L11.5 19"/>',
}
FRAME = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="COLOR" '
    'stroke-width="1.7" stroke-linejoin="round" stroke-linecap="round">{}</svg>'
)


def draw_icon(painter: QPainter, name: str, color: QColor, box: QRectF) -> None:
    """Draw one of `ICONS` into a box."""
    text = FRAME.format(ICONS[name]).replace("COLOR", color.name())
    QSvgRenderer(QByteArray(text.encode())).render(painter, box)


def icon(name: str, color: QColor, ratio: float = 1.0) -> QIcon:
    """One of `ICONS` for a button; ``ratio``: pixels of the screen per pixel of the window."""
    pixels = round(SIDE * ratio)
    picture = QPixmap(QSize(pixels, pixels))
    picture.setDevicePixelRatio(ratio)
    picture.fill(Qt.GlobalColor.transparent)
    painter = QPainter(picture)
    draw_icon(painter, name, color, QRectF(0, 0, SIDE, SIDE))
    painter.end()
    return QIcon(picture)
