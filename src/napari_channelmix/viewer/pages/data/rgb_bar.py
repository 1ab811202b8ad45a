"""What becomes of an RGB picture, which is no channel: its colours, or its stains."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QMenu, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.stains import STAINS
from napari_channelmix.viewer.pages.data.chosen_channels import CHANNEL_NAME, MADE_OF
from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow
from napari_channelmix.viewer.widgets.notice import breakable

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["COLOURS", "RgbBar"]

COLOURS = ("red", "green", "blue")


class RgbBar(QWidget):
    """A line and two buttons; hidden while there is no RGB picture."""

    split = Signal(object)
    unmix = Signal(object, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.layer: Any = None
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.split_button = QPushButton("Split into channels")
        self.split_button.setToolTip(
            "Red, green and blue as a channel each: for photographs, or fluorescence in colour"
        )
        self.split_button.clicked.connect(lambda: self.split.emit(self.layer))
        self.unmix_button = QPushButton("Unmix stains")
        self.unmix_button.setToolTip(
            "How much of each stain there is, for stained tissue and blood on a white ground"
        )
        menu = QMenu(self.unmix_button)
        for title, stains in STAINS.items():
            action = menu.addAction(title.replace("&", "&&"))
            action.setToolTip(f"Channels: {', '.join(stains.names)}")
            action.triggered.connect(lambda _=False, title=title: self._unmix(title))
        self.unmix_button.setMenu(menu)
        leave_room_for_arrow(self.unmix_button)
        buttons = QHBoxLayout()
        buttons.addWidget(self.split_button, 1)
        buttons.addWidget(self.unmix_button, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.text)
        column.addLayout(buttons)
        self.setVisible(False)

    def _unmix(self, title: str) -> None:
        self.unmix.emit(self.layer, title)

    def offer(self, pictures: Sequence[Any], made: Sequence[Any] = ()) -> None:
        """Offer it for the last RGB picture; none hides the buttons.

        ``made``: layers that were made of pictures. What is done is not offered again.
        """
        self.layer = next(iter(reversed(pictures)), None)
        self.setVisible(self.layer is not None)
        if self.layer is None:
            return
        own = [image.metadata for image in made if image.metadata.get(MADE_OF) == self.layer.name]
        names = {metadata.get(CHANNEL_NAME) for metadata in own}
        name = breakable(self.layer.name)
        self.text.setText(
            f"Channels were made of '{name}'."
            if names
            else f"'{name}' is an RGB picture, which is no channel:"
        )
        self.split_button.setVisible(COLOURS[0] not in names)
