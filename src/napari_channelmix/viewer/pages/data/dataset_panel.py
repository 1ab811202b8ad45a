"""Open files or a sample, and choose which field of view is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.viewer.pages.data.importing.jobs import PICTURES, TABLES
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.menu_arrow import leave_room_for_arrow

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.session import Session

__all__ = ["SAMPLES", "DatasetPanel"]

# Name of a function of data.samples or data.multiplex_sample, and what the user reads.
SAMPLES = {
    "synthetic_plate": "Synthetic plate (with known ground truth)",
    "immunohistochemistry": "Immunohistochemistry, unmixed",
    "multiplex_tissue": "Multiplex tissue (39 channels, with known rules)",
}


class DatasetPanel(QWidget):
    """Buttons that only ask; the page does the work."""

    # Paths of a folder, a table, a data-set file or images.
    files_chosen = Signal(object)
    sample_chosen = Signal(str)
    field_chosen = Signal(int)

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.open = QPushButton("Open folder, table, data set…")
        self.open.setToolTip(
            "Show what a folder of images, a plate or a table holds, or open a data-set file; you "
            "can also drop it onto this page"
        )
        files = self.files_menu = QMenu(self.open)
        files.setToolTipsVisible(True)
        for title, ask, tip in (
            ("Folder or plate…", self._ask_folder, "Images named by well, channel, class"),
            ("Table…", self._ask_table, "Of images or cells; CellProfiler, QuPath"),
            ("Images…", self._ask_images, "Some images of one folder"),
            ("Data-set file…", self._ask, "A dataset.toml"),
        ):
            action = files.addAction(title)
            action.setToolTip(tip)
            action.triggered.connect(lambda _=False, ask=ask: ask())
        self.open.setMenu(files)
        leave_room_for_arrow(self.open)
        self.sample = QPushButton("Sample")
        self.sample.setToolTip("Open a sample that comes with the plugin; nothing is downloaded")
        menu = QMenu(self.sample)
        for name, title in SAMPLES.items():
            action = menu.addAction(title)
            action.triggered.connect(lambda _=False, name=name: self.sample_chosen.emit(name))
        self.sample.setMenu(menu)
        leave_room_for_arrow(self.sample)
        buttons = QHBoxLayout()
        buttons.addWidget(self.open, 1)
        buttons.addWidget(self.sample)
        self.field = QSpinBox()
        self.field.setToolTip(
            "Which field of view the viewer shows, 1 is the first; all of them are used. Default: 1"
        )
        self.field.setKeyboardTracking(False)
        self.field.valueChanged.connect(lambda value: self.field_chosen.emit(value - 1))
        self.field_name = QLabel()
        self.field_row = QWidget()
        row = QHBoxLayout(self.field_row)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Field of view"))
        row.addWidget(self.field)
        row.addWidget(self.field_name, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(buttons)
        column.addWidget(self.field_row)
        self.field_row.setVisible(False)

    def _ask(self) -> None:
        path = file_dialogs.ask_open(
            self, "Open a data set", "Data-set files (*.toml);;All files (*)"
        )
        if path is not None:
            self.files_chosen.emit((path,))

    def _ask_folder(self) -> None:
        path = file_dialogs.ask_folder(self, "Open a folder of images or a plate")
        if path is not None:
            self.files_chosen.emit((path,))

    def _ask_table(self) -> None:
        kinds = " ".join(f"*{ending}" for ending in TABLES)
        path = file_dialogs.ask_open(self, "Open a table", f"Tables ({kinds});;All files (*)")
        if path is not None:
            self.files_chosen.emit((path,))

    def _ask_images(self) -> None:
        kinds = " ".join(f"*{ending}" for ending in PICTURES)
        paths = file_dialogs.ask_files(self, "Open images", f"Images ({kinds});;All files (*)")
        if paths:
            self.files_chosen.emit(paths)

    def fill(self, _: object = None) -> None:
        """Show the number of fields of view and the name of the one in the viewer."""
        cells, shown = self.session.cells, self.session.shown
        many = cells is not None and shown is not None and len(cells.fields) > 1
        self.field_row.setVisible(many)
        if cells is None or shown is None:
            return
        self.field.blockSignals(True)
        self.field.setRange(1, len(cells.fields))
        self.field.setSuffix(f" of {len(cells.fields)}")
        self.field.setValue(shown.field + 1)
        self.field.blockSignals(False)
        self.field_name.setText(_short(cells, shown.field))
        self.field_name.setToolTip(cells.fields[shown.field].name)


def _short(cells: Any, index: int) -> str:
    """The group of a field of view and which of its fields it is, or its file without the path."""
    fields = cells.table["field"].to_numpy()
    groups = set(cells.groups[fields == index])
    name = cells.fields[index].name
    if len(groups) == 1 and not next(iter(groups)).isdigit():
        group = str(next(iter(groups)))
        among = sorted(set(fields[cells.groups == group].tolist()))
        return group if len(among) == 1 else f"{group}, {among.index(index) + 1} of {len(among)}"
    return Path(name.rpartition(": ")[2]).name
