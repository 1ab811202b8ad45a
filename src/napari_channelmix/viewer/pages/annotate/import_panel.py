"""Import of classes from a table: how its rows name cells, what would come of it, Apply."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.annotation_import import import_job
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.autosave.jobs import named_again
from napari_channelmix.viewer.autosave.location import Places
from napari_channelmix.viewer.session.cell_sources import same_pixels
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.notice import Notice

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.data import Cells
    from napari_channelmix.data.annotation_import import FloatArray, Imported
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.tasks.task import Task

__all__ = ["Transfer"]

BY_VALUE = "label value (column of ids, class)"
BY_PIXEL = "position in pixels (y, x, class)"
BY_WORLD = "position in {} (y, x, class)"


class Transfer(QWidget):
    """Hidden until a table is chosen; nothing changes before Apply.

    ``applied`` says what was done, in a line.
    """

    applied = Signal(str)

    def __init__(self, session: Session, task: Task, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._task = session, task
        self._path: Path | None = None
        self._imported: Imported | None = None
        self._cells: Cells | None = None
        self._looked_for = ""
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.how = choice(
            "How the rows of the table name cells; a column 'field' names the image, "
            "else rows are about the one that is shown"
        )
        self.how.currentIndexChanged.connect(lambda _: self._look())
        self.ids = QLineEdit()
        self.ids.setPlaceholderText("automatic, by name")
        self.ids.setToolTip(
            "Column of the table that holds the ids (label values); empty: the column named "
            "object, label, index or similar"
        )
        self.ids.editingFinished.connect(self._other_ids)
        self.ids_label = QLabel("Ids in column")
        self.preview = Notice()
        self.apply_button = QPushButton("Apply")
        self.apply_button.setToolTip("Give the cells the classes of the table")
        self.apply_button.clicked.connect(self.apply)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Change nothing")
        self.cancel.clicked.connect(self.close_table)
        first, second, last = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        first.addWidget(QLabel("Cells by"))
        first.addWidget(self.how, 1)
        second.addWidget(self.ids_label)
        second.addWidget(self.ids, 1)
        last.addWidget(self.apply_button, 1)
        last.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addLayout(first)
        column.addLayout(second)
        column.addWidget(self.preview)
        column.addLayout(last)
        self.setVisible(False)

    def open_table(self, path: Path) -> None:
        """Show what a table would do."""
        shown = self._session.shown
        self._path = path
        self.title.setText(f"Import from <b>{html.escape(path.name)}</b>")
        self.title.setToolTip(str(path))
        before = max(0, self.how.currentIndex())
        self.how.blockSignals(True)
        self.how.clear()
        self.how.addItems([BY_VALUE, BY_PIXEL])
        if shown is not None and shown.reference is not None:
            unit = layers.plane_of_world(shown.reference, shown.axes, shown.slice_position).unit
            self.how.addItem(BY_WORLD.format(f"world units ({unit})"))
        self.how.setCurrentIndex(min(before, self.how.count() - 1))
        self.how.blockSignals(False)
        self.ids.setText("")
        self.setVisible(True)
        self._look()

    def close_table(self) -> None:
        """Forget the table."""
        self._path = self._imported = None
        self.setVisible(False)

    def _look(self) -> None:
        """Find out what the table would do to the cells that are there."""
        session, path = self._session, self._path
        cells, shown = session.cells, session.shown
        if path is None or cells is None:
            return
        self._imported, self._cells = None, cells
        self._looked_for = self.ids.text().strip()
        self._ready("The table is being read")
        self.preview.say("Reading…")
        index = self.how.currentIndex()
        for widget in (self.ids_label, self.ids):
            widget.setVisible(index == 0)
        names = Places(cells, session.source).names
        field = 0 if shown is None else shown.field
        job = import_job(
            path,
            cells,
            "position" if index else "object",
            names=names,
            default_field=field,
            pixels=_Pixels(session) if index == 2 else None,
            id_column=(self._looked_for or None) if index == 0 else None,
        )
        self._task.run("reading the table", job, self._show, on_error=self._refuse)

    def _other_ids(self) -> None:
        # A field that is left is no other request.
        if self.ids.text().strip() != self._looked_for:
            self._look()

    def _show(self, imported: Imported) -> None:
        cells = self._cells
        if cells is None:
            return
        self._imported = imported
        new = [name for name in dict.fromkeys(imported.classes) if name not in cells.classes]
        text = imported.in_words()
        if new:
            text += f" New classes: {', '.join(new[:8])}{'…' if len(new) > 8 else ''}."
        self.preview.say(text, "warning" if _doubtful(imported) else "info")
        self._ready("" if len(imported.cell_indices) else "No row matches a cell")

    def _refuse(self, line: str) -> None:
        self.preview.say(line, "error")
        self._ready("The table cannot be used")

    def _ready(self, why: str) -> None:
        self.apply_button.setEnabled(not why)
        self.apply_button.setToolTip(
            why or "Give the cells these classes, as one change that can be undone"
        )

    def apply(self) -> None:
        """Give the cells the classes of the table."""
        imported, now = self._imported, self._session.cells
        if imported is None or now is None:
            return
        if not same_pixels(now, self._cells):
            self._look()
            return
        labels, classes = named_again(now, imported.cell_indices, imported.classes, now.classes)
        changed = int((labels != now.labels).sum())
        self._session.classify(labels, classes)
        path = imported.path.name
        self.close_table()
        self.applied.emit(f"{changed:,} cells were given other classes by {path}.")


def _doubtful(imported: Imported) -> bool:
    """Whether something of a table should be looked at before it is applied."""
    left_out = imported.unmatched or imported.no_id or imported.between or imported.near
    return bool(left_out or imported.warnings) or not len(imported.cell_indices)


class _Pixels:
    """World positions as pixels of a field of view, wherever its layers lie."""

    def __init__(self, session: Session) -> None:
        shown, cells = session.shown, session.cells
        assert shown is not None and cells is not None
        self._shown, self._fields = shown.field, cells.fields
        self._to_plane = layers.plane_of_world(shown.reference, shown.axes, shown.slice_position)

    def __call__(self, field: int, positions: FloatArray) -> FloatArray:
        if field == self._shown:
            pixels: FloatArray = self._to_plane(positions)
            return pixels
        # Another image would be shown with its own pixel size, at the origin.
        scaled: FloatArray = positions / np.asarray(self._fields[field].pixel_size or (1.0, 1.0))
        return scaled
