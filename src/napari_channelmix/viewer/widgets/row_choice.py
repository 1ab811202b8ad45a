"""Which rows of a long chart are shown: the first, all of them, or those of a name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QPushButton, QSizePolicy

from napari_channelmix.viewer.widgets.name_filter import NameFilter

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["FEW", "RowChoice"]

#: Rows that are shown without being asked for.
FEW = 12


class RowChoice(QObject):
    """A box for names and a button; both are hidden where rows are few.

    Parameters
    ----------
    noun : str
        What a row is.

    Signals
    -------
    changed()
        Other rows are to be shown; see `choose`.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None, noun: str = "channel") -> None:
        super().__init__(parent)
        #: Whether all rows are shown.
        self.unfolded = False
        self.name = NameFilter()
        self.name.setPlaceholderText(f"Find a {noun}")
        self.name.setAccessibleName(f"Find a {noun}")
        self.name.setToolTip("Show only rows whose names hold this; commas part several")
        self.more = QPushButton()
        # What it says must not make a narrow page wider.
        self.more.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.name.textChanged.connect(lambda _: self.changed.emit())
        self.more.setToolTip("Show all rows, or the first only")
        self.more.clicked.connect(lambda _: self.unfold(not self.unfolded))
        self.choose([])

    def unfold(self, whole: bool) -> None:
        """Show all rows, or the first only."""
        self.unfolded = whole
        self.changed.emit()

    def choose(self, names: Sequence[str], rest: str = "") -> list[int]:
        """Positions of the rows that are shown.

        Parameters
        ----------
        names : sequence of str
            Of all rows, the most important first.
        rest : str
            What is said of the rows that are not shown, such as ``none above the control``.
        """
        many = len(names) > FEW
        texts = [text.strip().lower() for text in self.name.text().split(",") if text.strip()]
        self.name.setVisible(many)
        self.more.setVisible(many and not texts)
        words = f"Show {len(names) - FEW:,} more"
        words += f"; {rest}" if rest else ""
        if not many:
            return list(range(len(names)))
        self.more.setText(f"Show the first {FEW}" if self.unfolded else words)
        # A narrow page cuts it off.
        self.more.setToolTip(self.more.text())
        if texts:
            lower = [name.lower() for name in names]
            return [row for row, name in enumerate(lower) if any(text in name for text in texts)]
        return list(range(len(names) if self.unfolded else FEW))
