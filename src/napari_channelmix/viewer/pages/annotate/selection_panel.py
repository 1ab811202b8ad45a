"""The selected cells in words, and Undo and Redo that say what they would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.pages.annotate.change_text import edit_in_words

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["Giving"]

# Letters that two buttons beside each other have room for.
LONGEST = 26


class Giving(QWidget):
    """Follows the session when told to (`fill`)."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.selected = QLabel()
        self.selected.setWordWrap(True)
        self.selected.setToolTip(
            "Click a cell to select it, Shift-click to add more; keys 1 to 9 give them a class, "
            "with Alt the tenth to the 19th; 0 removes it"
        )
        self.undo, self.redo = QPushButton("Undo"), QPushButton("Redo")
        self.undo.clicked.connect(session.undo)
        self.redo.clicked.connect(session.redo)
        row = QHBoxLayout()
        row.addWidget(self.undo, 1)
        row.addWidget(self.redo, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.selected)
        column.addLayout(row)
        self.fill()

    def fill(self) -> None:
        """Show what there is."""
        self.selected.setText(_in_words(self._session))
        edits = self._session.edits
        for button, name, edit, keys in (
            (self.undo, "Undo", edits.last, "Ctrl+Z"),
            (self.redo, "Redo", edits.next, "Ctrl+Shift+Z"),
        ):
            button.setEnabled(edit is not None)
            description = "" if edit is None else edit_in_words(edit)
            short = description if len(description) <= LONGEST else f"{description[: LONGEST - 1]}…"
            button.setText(f"{name}: {short}" if description else name)
            again = "undo the last" if name == "Undo" else "redo the last undone"
            tip = (
                f"{description}: {again} change of classes ({keys})"
                if description
                else (f"There is nothing to {name.lower()}")
            )
            button.setToolTip(tip)


def _in_words(session: Session) -> str:
    cells, chosen = session.cells, session.selected
    if cells is None:
        return "No cells yet: open a data set, or use the layers of the viewer, on the page 'Data'."
    known = [cell for cell in chosen if 0 <= cell < len(cells)]
    if not known:
        return "No cell is selected: click one (Shift-click adds more), then press 1 to 9 or 0."
    labels = cells.labels
    if len(known) > 1:
        free = int((labels[known] < 0).sum())
        return f"{len(known):,} cells selected, {free:,} without a class"
    code = int(labels[known[0]])
    class_name = cells.classes[code] if code >= 0 else "no class"
    return f"Cell {cell_name(cells, known[0])} selected: {class_name}"
