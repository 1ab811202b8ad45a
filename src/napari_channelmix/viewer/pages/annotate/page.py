"""Page 'Annotate': give cells classes by brush, keys or table; they are kept as you go.

1. The palette says which classes there are; its brush paints the selected one (`annotate.palette`).
2. A click selects a cell, a key gives the selected cells a class (`annotate.keys`).
3. The next cell to look at is the one a classifier is least certain of (`annotate.order`).
4. What was given is kept in a file every few seconds, whichever docks are open
   (`autosave.autosave`), goes into tables and comes from them (`annotate.transfer`), and is saved
   with images and outlines as a data set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QGridLayout, QLabel, QPushButton

from napari_channelmix.data import save_dataset_job
from napari_channelmix.data.annotation_files import write_given_job
from napari_channelmix.data.annotations import annotated
from napari_channelmix.viewer.autosave.autosave import autosave_of
from napari_channelmix.viewer.autosave.location import Places
from napari_channelmix.viewer.charts.class_legend import ClassLegend
from napari_channelmix.viewer.charts.colors import palette_of
from napari_channelmix.viewer.page_parts.base_page import Page, group
from napari_channelmix.viewer.pages.annotate.import_panel import Transfer
from napari_channelmix.viewer.pages.annotate.keys import AnnotateKeys
from napari_channelmix.viewer.pages.annotate.next_cell_panel import GoingOn
from napari_channelmix.viewer.pages.annotate.palette import Palette, key_of
from napari_channelmix.viewer.pages.annotate.selection_panel import Giving
from napari_channelmix.viewer.pages.annotate.undo_target import Latest
from napari_channelmix.viewer.selection.clicks import CellClicks
from napari_channelmix.viewer.selection.navigation import Going
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.notice import Notice

if TYPE_CHECKING:
    from pathlib import Path

    import napari

    from napari_channelmix.data import Cells

__all__ = ["AnnotatePage"]

TABLES = "Tables (*.csv *.tsv *.txt);;All files (*)"


class AnnotatePage(Page):
    """Palette, what is selected, what is next, and files."""

    about_classifier = False

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.autosave = autosave_of(viewer)
        self.news = Notice()
        self.take_back = QPushButton("Undo the restored annotations")
        self.take_back.setToolTip("Remove the restored annotations; Redo restores them")
        self.classes = Palette(self.viewer, self.session)
        self.giving = Giving(self.session)
        self.going_on = GoingOn(self.session)
        self.going = Going(self.viewer, self.session, self.fail)
        self.import_button = QPushButton("Import CSV…")
        self.export_button = QPushButton("Export CSV…")
        self.save_button = QPushButton("Save as data set…")
        self.transfer = Transfer(self.session, self.task)
        self.legend = ClassLegend()
        self.state = QLabel()
        self.state.setWordWrap(True)
        self.clicks = CellClicks(
            self.viewer, self.session, self._clicked, self.notice.say, does="select"
        )
        self.latest = Latest(self)
        self.keys = AnnotateKeys(self, self.viewer, self.give, self.latest)
        self._restored = False
        self._build()
        self._connect()
        self._cells_changed()
        self._tell(*self.autosave.news)

    def _build(self) -> None:
        self.column.addWidget(self.news)
        self.column.addWidget(self.take_back)
        box, inside = group("Classes")
        inside.addWidget(self.classes)
        inside.addWidget(self.legend)
        self.column.addWidget(box)
        box, inside = group("Selected cells")
        inside.addWidget(self.giving)
        self.column.addWidget(box)
        box, inside = group("Next cell to label")
        inside.addWidget(self.going_on)
        self.column.addWidget(box)
        box, inside = group("Files")
        buttons = QGridLayout()
        buttons.addWidget(self.import_button, 0, 0)
        buttons.addWidget(self.export_button, 0, 1)
        buttons.addWidget(self.save_button, 1, 0, 1, 2)
        inside.addLayout(buttons)
        inside.addWidget(self.transfer)
        inside.addWidget(self.state)
        self.column.addWidget(box)
        self.column.addStretch(1)

    def _connect(self) -> None:
        self.classes.missed.connect(lambda why: self.notice.say(why, "warning"))
        self.take_back.clicked.connect(self.session.undo)
        self.going_on.cell_requested.connect(self.go)
        self.import_button.clicked.connect(self._ask_import)
        self.export_button.clicked.connect(self._ask_export)
        self.save_button.clicked.connect(self._ask_save)
        self.transfer.applied.connect(lambda message: self.notice.say(message, "good"))
        session = self.session
        self.follow(session.cells_changed, self._cells_changed)
        self.follow(session.shown_changed, self._cells_changed)
        self.follow(session.edited, self._edited)
        self.follow(session.replaced, self._forget)
        self.follow(session.selected_changed, self._fill)
        self.follow(session.predictions_changed, self._predicted)
        self.follow(self.autosave.reported, self._tell)
        self.follow(self.autosave.changed, self._fill)

    # ---------------------------------------------------------------- giving classes

    def give(self, code: int) -> None:
        """Give the selected cells a class, -1 for none; while painting, choose what is painted."""
        cells, session = self.session.cells, self.session
        if cells is None:
            return
        if code >= len(cells.classes):
            has = f"{len(cells.classes)} class{'es' if len(cells.classes) != 1 else ''}"
            key = key_of(code)
            self.notice.say(f"No class has the key {key}: there {_be(cells.classes)} {has}.")
            return
        self.notice.clear_line()
        if session.painting or not session.selected:
            self.classes.choose(code)
            if not session.painting:
                self.notice.say("No cell is selected: click one first, then press the key.")
            return
        session.assign([cell for cell in session.selected if cell < len(cells)], code)

    def _clicked(self, cell: int, more: bool) -> None:
        self.notice.clear_line()
        if more:
            self.session.toggle(cell)
        else:
            self.session.select(cell)

    def go(self, cell: int) -> None:
        """Select a cell and bring it into the middle of the view."""
        self.notice.clear_line()
        self.session.select(cell)
        self.going.to(cell)

    # ---------------------------------------------------------------- files

    def _ask_import(self) -> None:
        path = file_dialogs.ask_open(self, "Import classes of cells", TABLES)
        if path is not None:
            self.transfer.open_table(path)

    def _ask_export(self) -> None:
        cells = self.session.cells
        if cells is None:
            return
        path = file_dialogs.ask_save(
            self, "Export classes of cells", f"{cells.name} classes.csv", TABLES
        )
        if path is not None:
            self.export_to(path)

    def export_to(self, path: Path) -> None:
        """Write all cells that have a class as a table, and the palette beside it."""
        cells = self.session.cells
        if cells is None:
            return
        path = path if path.suffix else path.with_suffix(".csv")
        table = annotated(cells, names=Places(cells, self.session.source).names)
        self.task.run(
            "exporting the classes",
            write_given_job(path, table),
            lambda done: self.notice.say(f"{len(table):,} cells exported to {done}", "good"),
            on_error=self.fail,
        )

    def _ask_save(self) -> None:
        folder = file_dialogs.ask_folder(self, "Save as data set: choose an empty folder")
        if folder is not None:
            self.save_to(folder)

    def save_to(self, folder: Path) -> None:
        """Write the cells, with images, outlines and classes, as a data set."""
        cells = self.session.cells
        if cells is None:
            return
        if folder.is_dir() and any(folder.iterdir()):
            self.fail(f"{folder} is not empty; choose an empty folder, or make a new one")
            return
        self.task.run(
            "saving the data set",
            save_dataset_job(cells, folder),
            lambda done: self._saved(cells, done),
            on_error=self.fail,
        )

    def _saved(self, cells: Cells, path: Path) -> None:
        self.session.saved = (cells, path)
        self.notice.say(f"Saved; open {path} to go on with it.", "good")

    # ---------------------------------------------------------------- what is there

    def _tell(self, text: str, kind: Any) -> None:
        self.news.say(text, kind)
        self._restored = text.startswith("Restored")
        self.take_back.setVisible(self._restored)

    def _edited(self) -> None:
        # The line was about the change before; Undo in general goes on from here.
        if self._restored and self.session.edits.undoable != 1:
            self._tell("", "info")
        self._fill()

    def _cells_changed(self, _: object = None) -> None:
        self.classes.fill()
        self._show_legend()
        self._fill()

    def _predicted(self, _: object = None) -> None:
        self.going_on.begin()
        self._show_legend()

    def _show_legend(self) -> None:
        """Say which colours the rings and tints in the picture have."""
        cells, predictions = self.session.cells, self.session.predictions
        classes = () if cells is None else cells.classes
        predicted = () if predictions is None else predictions.classes
        where = "Ring: class; tint: prediction" if predicted else "Ring: class"
        palette = palette_of(classes, predicted)
        if len(palette) > len(classes) or not classes:
            self.legend.show_classes(palette, where)
        else:
            # The list of classes above has all colours.
            self.legend.show_classes((), where, note=f"{where}, in the colours above")

    def _forget(self) -> None:
        """Other cells are about to take the place of these."""
        self.classes.paint.setChecked(False)
        self.going.task.stop()
        self.transfer.close_table()
        self.going_on.begin()

    def _fill(self, _: object = None) -> None:
        self.giving.fill()
        self.going_on.fill()
        cells = self.session.cells
        why = "" if cells is not None else "There are no cells yet"
        none = why or (
            "" if (cells is not None and (cells.labels >= 0).any()) else "No cell has a class yet"
        )
        for button, reason, tip in (
            (
                self.import_button,
                why,
                "Take classes from a table, by label value or position; you "
                "see what matches before anything changes",
            ),
            (self.export_button, none, "Write a table of all cells that have a class"),
            (
                self.save_button,
                why,
                "Write images, outlines, table and data-set file into a "
                "folder: the classes travel with them",
            ),
        ):
            button.setEnabled(not reason)
            button.setToolTip(reason or tip)
        self.state.setText(self.autosave.state)
        self.state.setToolTip(f"Annotations are saved automatically. {self.autosave.path}")
        self.state.setVisible(bool(self.autosave.state))

    def front_changed(self, front: bool) -> None:
        """Listen to clicks and keys while in front of the other docks."""
        self.clicks.switch(front)
        self.keys.listen(front)
        if not front:
            self.classes.paint.setChecked(False)

    def halt(self) -> None:
        """Stop every work of this dock, painting and listening; keep what is unsaved."""
        super().halt()
        self.going.task.stop()
        self.classes.brush.switch(False)
        self.clicks.switch(False)
        self.keys.listen(False)
        self.autosave.finish()


def _be(classes: tuple[str, ...]) -> str:
    return "is" if len(classes) == 1 else "are"
