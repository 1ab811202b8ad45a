"""Which columns of a table of wells hold what, asked where that is not plain."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtGui import QIcon
from qtpy.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from napari_channelmix.data.table_files import read_table
from napari_channelmix.errors import DataError
from napari_channelmix.scan.plate_layout import layout_columns, read_layout
from napari_channelmix.scan.well_classes import layout_for
from napari_channelmix.viewer.widgets.column_mapping import ROWS, ColumnMapping, Purpose
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.data.table_files import TextTable
    from napari_channelmix.scan.plate_layout import PlateLayout

__all__ = ["LayoutDialog", "ask_layout"]

PURPOSES = (
    Purpose("well", "Well", "Column with the wells, such as A01"),
    Purpose("value", "Class", "Column with the class of each well"),
    Purpose("plate", "Plate", "Column with the plates, where wells differ by plate", "every plate"),
)


class LayoutDialog(QDialog):
    """Columns, the first rows, and how many wells would get a class."""

    def __init__(self, table: TextTable, wells: pd.DataFrame, parent: QWidget) -> None:
        super().__init__(parent)
        self._table, self._wells = table, wells
        # What the columns give; None as long as they cannot be used.
        self.result_layout: PlateLayout | None = None
        self.setWindowTitle(f"Classes of wells from {table.path.name}")
        self.mapping = ColumnMapping()
        self.mapping.show_table(
            [str(name) for name in table.rows.columns], table.rows.head(ROWS).to_numpy().tolist()
        )
        known = layout_columns(table)
        self.mapping.ask(PURPOSES, {"well": known.well, "value": known.value, "plate": known.plate})
        self.notice = Notice()
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        for button in buttons.buttons():
            button.setIcon(QIcon())
        ok = buttons.button(QDialogButtonBox.StandardButton.Ok)
        assert ok is not None
        self.ok = ok
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addWidget(QLabel("Which column holds the class of each well?"))
        column.addWidget(self.mapping)
        column.addWidget(self.notice)
        column.addStretch(1)
        column.addWidget(buttons)
        self.mapping.changed.connect(lambda _: self._look())
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        self.resize(460, 380)
        self._look()

    def _look(self) -> None:
        self.result_layout = None
        missing = self.mapping.missing
        if missing:
            self.notice.say(f"Choose the column of the {missing[0].lower()}.", "info")
        else:
            try:
                layout = read_layout(self._table.path, **self.mapping.chosen)
            except DataError as error:
                self.notice.say(str(error), "error")
            else:
                self._show(layout)
        self.ok.setEnabled(self.result_layout is not None)

    def _show(self, layout: PlateLayout) -> None:
        total, given = len(self._wells), number_given(layout, self._wells)
        names = len(set(layout.classes.values()))
        text = f"{given} of {counted(total, 'well')} get one of {names} classes."
        if given:
            self.result_layout = layout
        # A class for nearly every well is a name or a dose rather than a class.
        doubtful = given < total or names > max(2, given // 2)
        self.notice.say(text, "warning" if doubtful else "good")


def number_given(layout: PlateLayout, wells: pd.DataFrame) -> int:
    """How many wells a layout gives a class."""
    layout = layout_for(wells["plate"], layout)
    keys = zip(wells["plate"], wells["well"], strict=True)
    return sum(bool(layout.of(plate, well)) for plate, well in keys)


def ask_layout(parent: QWidget, path: Path, wells: pd.DataFrame) -> PlateLayout | None:
    """The classes of a table of wells; asks where its columns are not plain. None: cancelled.

    Raises
    ------
    DataError
        The table cannot be read, or cannot be about these wells.
    """
    table = read_table(path, ("well", "class"))
    known = layout_columns(table)
    if known.shaped or (known.well and known.value):
        return read_layout(path)
    dialog = LayoutDialog(table, wells, parent)
    try:
        accepted = dialog.exec() == QDialog.DialogCode.Accepted
        return dialog.result_layout if accepted else None
    finally:
        dialog.deleteLater()
