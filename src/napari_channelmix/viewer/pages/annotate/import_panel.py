"""Import of classes from a table: which column says what, what would come of it, Apply."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.annotation_columns import known_columns
from napari_channelmix.data.annotation_import import import_job, table_of_classes
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.autosave.jobs import named_again
from napari_channelmix.viewer.autosave.location import Places
from napari_channelmix.viewer.session.cell_sources import same_pixels
from napari_channelmix.viewer.widgets.column_mapping import ROWS, ColumnMapping, Purpose
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.scrolling import bring_into_sight

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.data import Cells
    from napari_channelmix.data.annotation_import import FloatArray, Imported
    from napari_channelmix.data.table_files import TextTable
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.tasks.task import Task

__all__ = ["Transfer"]

BY_VALUE = "id (label value)"
BY_PIXEL = "position in pixels"
BY_WORLD = "position in {}"

CLASS = Purpose("class", "Class", "Column with the class of each cell")
ID = Purpose("id", "Id", "Column with the id of each cell: its value in the label image")
Y = Purpose("y", "y", "Column with the position along y")
X = Purpose("x", "x", "Column with the position along x")
FIELD = Purpose(
    "field", "Image", "Column that names the image of each cell", "the image that is shown"
)


class Transfer(QWidget):
    """Hidden until a table is chosen; nothing changes before Apply.

    ``applied`` says what was done, in a line.
    """

    applied = Signal(str)

    def __init__(self, session: Session, task: Task, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session, self._task = session, task
        self._path: Path | None = None
        self._table: TextTable | None = None
        # Columns that the user has chosen; what is only proposed has to fit the cells.
        self._confirmed: set[str] = set()
        self._imported: Imported | None = None
        self._cells: Cells | None = None
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(100)
        self._soon.timeout.connect(self._come_into_sight)
        self.title = QLabel()
        self.title.setWordWrap(True)
        self.how = choice(
            "How the rows of the table name cells: by their ids in the label image, or by places"
        )
        self.how.currentIndexChanged.connect(lambda _: self._ask())
        self.mapping = ColumnMapping()
        self.mapping.changed.connect(self._choose)
        self.preview = Notice()
        self.apply_button = QPushButton("Apply")
        self.apply_button.setToolTip("Give the cells the classes of the table")
        self.apply_button.clicked.connect(self.apply)
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Change nothing")
        self.cancel.clicked.connect(self.close_table)
        first, last = QHBoxLayout(), QHBoxLayout()
        how = QLabel("Cells by")
        self.mapping.align_with(how)
        first.addWidget(how)
        first.addWidget(self.how, 1)
        last.addWidget(self.apply_button, 1)
        last.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.title)
        column.addLayout(first)
        column.addWidget(self.mapping)
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
        self._table = self._imported = None
        self._confirmed = set()
        self.mapping.setVisible(False)
        self.preview.say("Reading…")
        self._ready("The table is being read")
        self.setVisible(True)
        self._task.run("reading the table", _table_job(path), self._read, on_error=self._refuse)

    def close_table(self) -> None:
        """Forget the table."""
        self._path = self._table = self._imported = None
        self.setVisible(False)

    def _read(self, table: TextTable) -> None:
        """Show which columns the table has."""
        self._table = table
        self.mapping.show_table(
            [str(name) for name in table.rows.columns], table.rows.head(ROWS).to_numpy().tolist()
        )
        self.mapping.setVisible(True)
        self._ask()
        # All has its place once it is laid out.
        self._soon.start()

    def _come_into_sight(self) -> None:
        """Scroll the page to what is asked; the buttons that end it are below."""
        bring_into_sight(self.apply_button, self.title)

    def _ask(self) -> None:
        """Ask for the columns that the way of naming cells needs."""
        if self._table is None:
            return
        places = (ID,) if self.how.currentIndex() == 0 else (Y, X)
        self.mapping.ask((*places, CLASS, FIELD), known_columns(self._table))
        self._confirmed = set()
        self._look()

    def _choose(self, key: str) -> None:
        self._confirmed.add(key)
        self._look()

    def _look(self) -> None:
        """Find out what the table would do to the cells that are there."""
        session, table = self._session, self._table
        cells, shown = session.cells, session.shown
        if table is None or cells is None:
            return
        self._imported, self._cells = None, cells
        index, chosen = self.how.currentIndex(), self.mapping.chosen
        # Why the ids cannot be told is known to the job.
        missing = [label for label in self.mapping.missing if label != ID.label]
        if missing:
            self._ready(f"Choose the column of the {missing[0].lower()}")
            self.preview.say(f"Choose the column of the {missing[0].lower()}.", "info")
            return
        self._ready("The table is being read")
        self.preview.say("Reading…")
        names = Places(cells, session.source).names
        field = 0 if shown is None else shown.field
        job = import_job(
            table,
            cells,
            "position" if index else "object",
            names=names,
            default_field=field,
            pixels=_Pixels(session) if index == 2 else None,
            id_column=chosen["id"] if ID.key in self._confirmed and index == 0 else None,
            class_column=chosen["class"],
            field_column=chosen["field"],
            position_columns=(chosen["y"], chosen["x"]) if index else None,
        )
        self._task.run("reading the table", job, self._show, on_error=self._refuse)

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
        self.applied.emit(f"{changed:,} cells were given a class by {path}.")


def _table_job(path: Path) -> Job[TextTable]:
    yield Progress(0, 1, "reading the table")
    return table_of_classes(path)


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
