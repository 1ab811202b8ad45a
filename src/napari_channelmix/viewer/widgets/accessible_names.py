"""Names of controls for screen readers: what stands beside a control is what it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import (
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QComboBox,
    QHeaderView,
    QLabel,
    QLayout,
    QLineEdit,
    QScrollBar,
    QWidget,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["name_controls"]

# These have no text of their own to be called by, as buttons have.
NAMELESS = (QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox, QLineEdit)
# Parts that Qt makes of a control.
PARTS = (QHeaderView, QScrollBar)


def name_controls(root: QWidget) -> None:
    """Name each control that has no name: by its label, or else by how its tooltip begins.

    Sighted users read the label beside a control; Qt tells screen readers only of those in forms.
    """
    labels = {id(label.buddy()): label for label in root.findChildren(QLabel) if label.buddy()}
    for control in root.findChildren(QWidget):
        if not isinstance(control, NAMELESS) or isinstance(control, PARTS):
            continue
        part = isinstance(control.parentWidget(), (QAbstractSpinBox, QComboBox))
        if part or control.accessibleName():
            continue
        label = labels.get(id(control)) or _beside(control)
        name = label.text() if label is not None else _beginning(control.toolTip())
        control.setAccessibleName(name)


def _beside(control: QWidget) -> QLabel | None:
    """The label just before a control, in the layout that both stand in."""
    around = control.parentWidget()
    top = around.layout() if around is not None else None
    for layout in _within(top):
        index = layout.indexOf(control)
        if index > 0:
            before = layout.itemAt(index - 1)
            label = before.widget() if before is not None else None
            # A line that is folded is an explanation.
            if isinstance(label, QLabel) and label.text() and not label.wordWrap():
                return label
    return None


def _within(layout: QLayout | None) -> Iterator[QLayout]:
    if layout is None:
        return
    yield layout
    for index in range(layout.count()):
        item = layout.itemAt(index)
        yield from _within(item.layout() if item is not None else None)


def _beginning(tip: str) -> str:
    """The first clause of a tooltip."""
    for end in (";", ":", ",", ". "):
        tip = tip.partition(end)[0]
    return tip
