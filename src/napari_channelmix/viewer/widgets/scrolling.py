"""Scroll a page so that a part of it is in sight."""

from __future__ import annotations

from qtpy.QtWidgets import QScrollArea, QWidget

__all__ = ["bring_into_sight"]


def bring_into_sight(part: QWidget, *parts: QWidget) -> None:
    """Scroll the page that a part lies on to it; of several parts the last is sure to be seen."""
    above = part.parentWidget()
    while above is not None and not isinstance(above, QScrollArea):
        above = above.parentWidget()
    if isinstance(above, QScrollArea):
        for one in (part, *parts):
            above.ensureWidgetVisible(one)
