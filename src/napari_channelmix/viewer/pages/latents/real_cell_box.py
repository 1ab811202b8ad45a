"""The real cell edited along its latents: what was asked, what the encoder reads, the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QObject, Qt, Signal
from qtpy.QtWidgets import QLabel, QVBoxLayout, QWidget

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.viewer.charts.change_bars import ChangeBars
from napari_channelmix.viewer.charts.latent_axes import signed, title_of
from napari_channelmix.viewer.tasks.one_thread import one_thread

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_channelmix.viewer.pages.latents.real_edits import EditedCell, RealCell

__all__ = ["EditsOfCell", "RealCellBox", "agreement"]


# Read back differs from what was asked by more than this, in units of the latent or as a share: the
# encoder does not follow the edit.
ALIKE = 0.25


class EditsOfCell(QObject):
    """Edits on the main thread, where one takes some milliseconds; only the latest is made.

    Signals
    -------
    edited(EditedCell)
    failed(str)
    """

    edited = Signal(object)
    failed = Signal(str)
    _due = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pending: tuple[RealCell, dict[str, float]] | None = None
        self._due.connect(self._edit, Qt.ConnectionType.QueuedConnection)  # type: ignore[call-arg]

    def ask(self, real: RealCell, moves: Mapping[str, float]) -> None:
        """Have an edit made soon; what was asked for before is not wanted any more."""
        self._pending = real, dict(moves)
        self._due.emit()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        self._pending = None

    def _edit(self) -> None:
        if self._pending is None:
            return
        (real, moves), self._pending = self._pending, None
        try:
            with one_thread():
                result = real.edited(moves)
        except ChannelMixError as error:
            self.failed.emit(str(error))
            return
        self.edited.emit(result)


class RealCellBox(QWidget):
    """Below the pictures: which latents edit the cell itself, and how far the edit is read back."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.words.setToolTip(
            "The cell's own pixels are edited; the encoder then reads the edited cell. Where both "
            "agree, the latent means what its name says for this cell"
        )
        self.bars = ChangeBars(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.words)
        column.addWidget(self.bars)
        self._real: RealCell | None = None
        self.show_cell(None)

    def show_cell(self, real: RealCell | None) -> None:
        """Show a cell as it is; None: none is known."""
        self._real = real
        self.setVisible(real is not None)
        if real is None:
            return
        self.words.setText(_edits_text(real))
        self.bars.setVisible(real.asker is not None)
        if real.asker is not None:
            self.bars.show_probabilities(real.asker.classes, real.before, None)

    def show_edit(self, edited: EditedCell) -> None:
        """Show what the encoder and the classifier say of the edited cell."""
        real = self._real
        if real is None:
            return
        self.words.setText(agreement(real, edited) or _edits_text(real))
        if real.asker is not None:
            self.bars.show_probabilities(real.asker.classes, real.before, edited.probabilities)

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours."""
        self.bars.show_palette(palette)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.bars.follow_theme(theme)


def _edits_text(real: RealCell) -> str:
    """Which latents edit the cell."""
    if not real.edits:
        return "No edit of this cell moves a latent: the decoder alone draws them."
    names = ", ".join(title_of(name) for name in real.edits)
    return f"Edit the cell itself: {names}. The decoder draws the others."


def agreement(real: RealCell, edited: EditedCell) -> str:
    """What was asked of the latents and what the encoder reads; empty where nothing was edited."""
    parts = []
    for name, wanted in edited.wanted.items():
        read = edited.read[name]
        if real.edits[name].cyclic:
            figures = f"asked {np.degrees(wanted):+.0f}°, read {np.degrees(read):+.0f}°"
        else:
            figures = f"asked {signed(wanted, 2)}, read {signed(read, 2)}"
        followed = abs(read - wanted) <= max(ALIKE, ALIKE * abs(wanted))
        parts.append(f"{title_of(name)}: {figures}" + ("" if followed else " (not followed)"))
    return "; ".join(parts) + "." if parts else ""
