"""Classes of wells: dragged on a map of the plate and typed, or imported from a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.data.values import class_name
from napari_channelmix.scan.plate_layout import CLASS_COLUMN, PlateLayout
from napari_channelmix.viewer.charts.class_legend import ClassLegend
from napari_channelmix.viewer.charts.colors import palette_of
from napari_channelmix.viewer.pages.data.importing.plate_map import PlateMap
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["WellClasses"]

EVERY = "All plates"
NEXT = "type theirs, or drag over others"
HINT = "Drag over wells, type their class, press Enter"


class WellClasses(QWidget):
    """Gives wells their classes; ``given`` holds the `PlateLayout` of all plates.

    ``import_requested``: a table of wells is to be chosen.
    """

    given = Signal(object)
    import_requested = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._wells: pd.DataFrame | None = None
        # Wells that were selected because they have no class.
        self._proposed: tuple[str, ...] = ()
        self.map = PlateMap()
        self.plate = choice("Which plate is shown; 'All plates': wells get the same class on each")
        self.plate.setAccessibleName("Plate")
        self.name = QComboBox()
        self.name.setEditable(True)
        self.name.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.name.setAccessibleName("Class of the selected wells")
        self.name.setToolTip("Class of the selected wells; Enter gives it")
        edit = self.name.lineEdit()
        assert edit is not None
        self.edit = edit
        self.edit.setPlaceholderText("Class, such as treated")
        self.name.setMinimumWidth(150)
        self.give_button = QPushButton("Give class")
        self.give_button.setToolTip("Give the selected wells this class")
        self.clear_button = QPushButton("Clear")
        self.clear_button.setToolTip("Take the class of the selected wells away")
        self.import_button = QPushButton("Import CSV…")
        self.import_button.setToolTip(
            "Classes from a table: a row for each well (well, class), or a table shaped like the "
            "plate"
        )
        self.state = QLabel(HINT)
        self.legend = ClassLegend()
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.state, 1)
        first.addWidget(self.plate)
        second.addWidget(self.name, 1)
        for button in (self.give_button, self.clear_button, self.import_button):
            second.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        column.addLayout(first)
        column.addWidget(self.map, 1)
        column.addLayout(second)
        column.addWidget(self.legend)
        self.map.selected.connect(self._selected)
        self.map.dragged.connect(self._type_next)
        self.plate.currentIndexChanged.connect(lambda _: self._show())
        self.edit.returnPressed.connect(self.give)
        self.edit.textChanged.connect(lambda _: self._ready())
        self.give_button.clicked.connect(self.give)
        self.clear_button.clicked.connect(lambda: self._give(""))
        self.import_button.clicked.connect(self.import_requested)
        self._ready()

    def show_wells(self, wells: pd.DataFrame) -> None:
        """Show wells (`scan.well_classes.wells_of`) with the classes that they have."""
        self._wells = wells
        plates = list(dict.fromkeys(wells["plate"]))
        shown = [EVERY, *plates] if len(plates) > 1 else []
        if shown != [self.plate.itemText(index) for index in range(self.plate.count())]:
            self.plate.blockSignals(True)
            self.plate.clear()
            self.plate.addItems(shown)
            self.plate.blockSignals(False)
        self.plate.setVisible(bool(shown))
        text = self.edit.text()
        self.name.clear()
        self.name.addItems(list(self._classes))
        self.edit.setText(text)
        self._show()

    @property
    def _classes(self) -> tuple[str, ...]:
        """Classes of all plates; their positions are their colours, as on every page."""
        if self._wells is None:
            return ()
        return palette_of(sorted(set(self._wells[CLASS_COLUMN]) - {""}))

    @property
    def _plates(self) -> list[str]:
        """The plates that are shown."""
        if self._wells is None:
            return []
        if self.plate.currentIndex() > 0:
            return [self.plate.currentText()]
        return list(dict.fromkeys(self._wells["plate"]))

    def _show(self) -> None:
        if self._wells is None:
            return
        rows = self._wells[self._wells["plate"].isin(self._plates)]
        classes: dict[str, str] = {}
        for well, name in zip(rows["well"], rows[CLASS_COLUMN], strict=True):
            # Of plates that differ, none is the class of the well.
            classes[well] = name if classes.get(well, name) == name else ""
        self.map.show_wells(classes, self._classes)
        counts = rows[CLASS_COLUMN].value_counts()
        without = int(counts.get("", 0))
        said = [f"{counts[name]} {name}" for name in self._classes if name in counts]
        rest = f"; {counted(without, 'well')} without a class" if without else ""
        note = f"{', '.join(said)}{rest}" if said else ""
        if len(self._classes):
            self.legend.show_classes(self._classes, "Wells", no_class=bool(without), note=note)
        else:
            self.legend.show_classes((), "Wells")
        self._selected_text()
        self._ready()

    def _selected(self) -> None:
        self._selected_text()
        self._ready()

    def _type_next(self) -> None:
        """What is typed next is the class of the wells that are selected."""
        if self.map.selection:
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)
            self.edit.selectAll()

    def _selected_text(self) -> None:
        wells = self.map.selection
        if not wells:
            self.state.setText(HINT)
            return
        if wells == self._proposed:
            self.state.setText(f"{counted(len(wells), 'well')} without a class selected: {NEXT}")
            return
        which = wells[0] if len(wells) == 1 else f"{wells[0]} to {wells[-1]}"
        self.state.setText(f"{counted(len(wells), 'well')} selected: {which}")

    def _ready(self) -> None:
        selected = bool(self.map.selection)
        named = class_name(self.edit.text()) is not None
        self.give_button.setEnabled(selected and named)
        self.clear_button.setEnabled(selected)

    def give(self) -> None:
        """Give the selected wells the class that is typed."""
        name = class_name(self.edit.text())
        if name is not None:
            self._give(name)

    def _give(self, name: str) -> None:
        if self._wells is None or not self.map.selection:
            return
        wells = self._wells.copy()
        chosen = wells["well"].isin(self.map.selection) & wells["plate"].isin(self._plates)
        wells.loc[chosen, CLASS_COLUMN] = name
        self.show_wells(wells)
        rest = wells[(wells[CLASS_COLUMN] == "") & wells["plate"].isin(self._plates)]
        self.edit.clear()
        # What is left is likely what comes next; dragging selects others instead.
        self.map.select(tuple(rest["well"]) if name else ())
        self._proposed = self.map.selection
        self._selected_text()
        if self._proposed:
            self._type_next()
        else:
            self.map.setFocus(Qt.FocusReason.OtherFocusReason)
        self.given.emit(self.layout_given)

    @property
    def layout_given(self) -> PlateLayout:
        """The classes of all wells."""
        if self._wells is None:
            return PlateLayout()
        rows = self._wells[self._wells[CLASS_COLUMN] != ""]
        keys = zip(rows["plate"], rows["well"], strict=True)
        return PlateLayout(dict(zip(keys, rows[CLASS_COLUMN], strict=True)))
