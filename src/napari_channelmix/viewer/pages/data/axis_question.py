"""Are these channels or slices? Asked of a long axis without a name, never guessed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.widgets.notice import breakable

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["AxisQuestion", "unclear_axis"]

# An axis of so many positions may hold channels; longer ones are planes or times.
FEWEST, MOST = 2, 60


def unclear_axis(layer: Any, answered: Collection[int] = ()) -> layers.Axis | None:
    """The first axis of an image layer that may hold channels, though nobody said so.

    Parameters
    ----------
    layer : napari Image layer
    answered : collection of int
        Axes that hold slices: the user said so.
    """
    if layer.rgb or layer.ndim < 3:
        return None
    axes = layers.axes_of(layer)
    # Planes or times, as the file says.
    letters = layers.file_facts(layer).axes
    for axis in axes[:-2]:
        if letters.get(axis.number, "C") != "C":
            continue
        may_be = axis.is_channel or (not axis.is_named and FEWEST <= axis.length <= MOST)
        if may_be and axis.number not in answered:
            return axis
    last = axes[-1]
    # Rows and columns are about as long as each other: (512, 512, 7) ends in channels.
    short = FEWEST <= last.length <= MOST and 4 * last.length < min(a.length for a in axes[-3:-1])
    unnamed = short and not last.is_named and letters.get(last.number, "C") == "C"
    if (last.is_channel or unnamed) and last.number not in answered:
        return last
    return None


class AxisQuestion(QWidget):
    """A line and two buttons; hidden while there is nothing to ask."""

    channels = Signal()
    slices = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.yes = QPushButton("Channels")
        self.no = QPushButton("Slices")
        self.yes.setToolTip("Every position along the axis is a channel")
        self.no.setToolTip("The positions along the axis are planes or times of one channel")
        self.yes.clicked.connect(self.channels.emit)
        self.no.clicked.connect(self.slices.emit)
        buttons = QHBoxLayout()
        buttons.addWidget(self.yes, 1)
        buttons.addWidget(self.no, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.text)
        column.addLayout(buttons)
        self.setVisible(False)

    def ask(self, layer: Any, axis: layers.Axis | None, *, slices: bool = True) -> None:
        """Ask of an axis, or nothing; ``slices``: whether that is an answer as well."""
        self.setVisible(axis is not None)
        if axis is None:
            return
        self.text.setText(
            f"Layer '{breakable(layer.name)}' has {axis.length} planes ({axis.short}): "
            "channels or slices?"
        )
        self.yes.setText(f"{axis.length} channels")
        self.yes.setToolTip(f"Every position along {axis} is a channel")
        self.no.setText(f"{axis.length} slices")
        self.no.setToolTip(f"The positions along {axis} are planes or times of one channel")
        self.no.setVisible(slices)
