"""Page 'Groups': fractions of the classes in each group, and against a dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.doses import DoseResponse, response_in_words
from napari_channelmix.phenotypes.fractions import Fractions, fractions_of
from napari_channelmix.phenotypes.plate import Plate, plates_of
from napari_channelmix.phenotypes.responses import (
    LABELS,
    PREDICTED,
    response_of,
    with_conditions,
)
from napari_channelmix.phenotypes.responses import dose_columns as columns_of_doses
from napari_channelmix.viewer.colors import class_hex
from napari_channelmix.viewer.folding import Folding
from napari_channelmix.viewer.latents.choice import choice
from napari_channelmix.viewer.phenotypes.controls_box import ControlsBox
from napari_channelmix.viewer.phenotypes.dose_plot import DosePlot
from napari_channelmix.viewer.phenotypes.group_table import GroupTable
from napari_channelmix.viewer.phenotypes.plate_view import PlateView

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from napari_channelmix.viewer.phenotypes.facts import Facts

__all__ = ["GroupsPage", "dose_columns", "in_words"]


class GroupsPage(QWidget):
    """Table, 'Copy as CSV', dose-response, controls, plate.

    Signals
    -------
    group_chosen(object)
        A position in the names of the grouping; None where the one that is shown was pressed again.
    said(str)
        What was done.
    """

    group_chosen = Signal(object)
    said = Signal(str)

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fractions: Fractions | None = None
        self.response: DoseResponse | None = None
        self._facts: Facts | None = None
        self._doses: dict[str, npt.NDArray[np.float64]] = {}
        self._shown: int | None = None
        self._labelled: Fractions | None = None
        self._plates: tuple[Plate, ...] = ()
        # Whether the user chose what the fractions are of: else predictions come first.
        self._chose = False
        self.what = choice("What the fractions are of")
        self.table = GroupTable()
        self.copy = QPushButton("Copy as CSV")
        self.copy.setToolTip(
            "Copy the table to the clipboard, with counts and 95 % intervals, as comma-separated "
            "values"
        )
        self.dose = choice("Column of the data set's table that holds the dose of each group")
        self.of = choice("The class whose fraction is drawn")
        self.plot = DosePlot(theme)
        self.words = QLabel()
        self.words.setWordWrap(True)
        self.adjusted = QLabel()
        self.adjusted.setWordWrap(True)
        self.doses = QWidget()
        self.controls = ControlsBox()
        self.plate_name = choice("The plate that is shown")
        self.plate = PlateView(theme)
        self.scale = QLabel()
        self.scale.setWordWrap(True)
        self.plates = QWidget()
        # Below it stands the gallery, which is to be seen as well.
        self.more = Folding("Controls and plate")
        self.more.toggleButton().setToolTip(
            "How well control wells are told apart (Z'-factor), and the plate as a map of heat"
        )
        self._build()
        self.what.currentIndexChanged.connect(self._count)
        self.what.activated.connect(self._choose)
        self.plate_name.currentIndexChanged.connect(self._draw_plate)
        self.plate.group_pressed.connect(self._pressed)
        self.dose.currentIndexChanged.connect(self._draw)
        self.of.currentIndexChanged.connect(self._draw)
        self.table.group_pressed.connect(self._pressed)
        self.plot.group_pressed.connect(self._pressed)
        self.copy.clicked.connect(self._copy)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        row = QHBoxLayout()
        row.addWidget(QLabel("Fractions of"))
        row.addWidget(self.what, 1)
        row.addWidget(self.copy)
        column.addLayout(row)
        column.addWidget(self.table)
        column.addWidget(self.adjusted)
        self.one = QWidget()
        row = QHBoxLayout(self.one)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Class"))
        row.addWidget(self.of, 1)
        column.addWidget(self.one)
        inside = QVBoxLayout(self.doses)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(QLabel("Dose"))
        row.addWidget(self.dose, 1)
        inside.addLayout(row)
        inside.addWidget(self.plot)
        column.addWidget(self.doses)
        column.addWidget(self.words)
        self.more.addWidget(self.controls)
        inside = QVBoxLayout(self.plates)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        inside.addWidget(self.plate_name)
        inside.addWidget(self.plate)
        inside.addWidget(self.scale)
        self.more.addWidget(self.plates)
        column.addWidget(self.more)

    def show_facts(self, facts: Facts | None) -> None:
        """Count anew."""
        self._facts = facts
        offered = []
        if facts is not None and facts.predictions is not None:
            offered.append(PREDICTED)
        if facts is not None and facts.cells.classes:
            offered.append(LABELS)
        _offer(self.what, offered)
        if offered and not self._chose:
            with QSignalBlocker(self.what):
                self.what.setCurrentIndex(0)
        self._labelled = None
        if facts is not None and facts.cells.classes:
            self._labelled = fractions_of(facts.grouping, facts.labels, facts.cells.classes)
        self._doses = {} if facts is None else dose_columns(facts)
        _offer(self.dose, list(self._doses))
        self._plates = () if facts is None else _plates(facts)
        _offer(self.plate_name, [plate.name for plate in self._plates])
        self.plate_name.setVisible(len(self._plates) > 1)
        self.controls.show_facts(facts, self._labelled)
        self._count()

    def _choose(self, _: object = None) -> None:
        self._chose = True

    def mark(self, group: int | None) -> None:
        """Mark the group whose cells are shown."""
        self._shown = group
        self.table.mark(group)
        self.plot.mark(group)
        self.plate.mark(group)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.plot.follow_theme(theme)
        self.plate.follow_theme(theme)

    def _count(self, _: object = None) -> None:
        facts, what = self._facts, self.what.currentText()
        self.fractions = None
        colors: list[int] = []
        if facts is not None and what == PREDICTED:
            names = facts.predicted_classes
            self.fractions = facts.predicted_fractions
            colors = [facts.palette.index(name) for name in names]
        elif facts is not None and what == LABELS:
            names = facts.cells.classes
            self.fractions = self._labelled
            colors = list(range(len(names)))
        self.table.show_fractions(self.fractions, colors)
        self.table.mark(self._shown)
        self.copy.setEnabled(self.fractions is not None)
        self.adjusted.setText(_of_adjusted(self.fractions, facts, what))
        self.adjusted.setVisible(bool(self.adjusted.text()))
        for one in (self.table, self.copy, self.what, self.one):
            one.setVisible(self.fractions is not None)
        _offer(self.of, () if self.fractions is None else self.fractions.classes, last=True)
        self._draw()

    def _draw(self, _: object = None) -> None:
        found, facts, name = self.fractions, self._facts, self.of.currentText()
        there = found is not None and bool(self._doses) and name in found.classes
        self.doses.setVisible(there)
        values = None
        if found is not None and name in found.classes:
            values = found.fractions[:, found.classes.index(name)]
        self.controls.show_fractions(values)
        self._draw_plate()
        self.more.setVisible(values is not None and (bool(self._plates) or self.controls.useful))
        if not there or found is None or facts is None:
            self.response = None
            self.plot.show_response(None, (), "", "", "")
            self.words.setText(_nothing(found, facts))
            return
        column = self.dose.currentText()
        code = found.classes.index(name)
        self.response = response_of(
            self._doses[column], found, code, self.what.currentText(), self._labelled
        )
        color = class_hex(facts.palette.index(name))
        self.plot.show_response(self.response, found.groups, column, f"fraction {name}", color)
        self.words.setText(response_in_words(self.response))

    def _draw_plate(self, _: object = None) -> None:
        found, name, at = self.fractions, self.of.currentText(), self.plate_name.currentIndex()
        there = found is not None and name in found.classes and 0 <= at < len(self._plates)
        self.plates.setVisible(there)
        if not there or found is None:
            self.plate.show_plate(None, (), (), "")
            return
        values = found.fractions[:, found.classes.index(name)]
        self.scale.setText(f"Fraction {name} in each well: dark 0, bright 1")
        self.plate.show_plate(self._plates[at], values, found.groups, f"fraction {name}")

    def _pressed(self, group: int) -> None:
        self.group_chosen.emit(None if group == self._shown else group)

    def _copy(self, _: object = None) -> None:
        if self.fractions is None:
            return
        conditions = None if self._facts is None else self._facts.cells.conditions
        frame = with_conditions(self.fractions.to_frame(), self.fractions.groups, conditions)
        QApplication.clipboard().setText(csv_text(frame))
        self.said.emit(f"Copied {len(frame):,} rows to the clipboard.")


def dose_columns(facts: Facts) -> dict[str, npt.NDArray[np.float64]]:
    """Columns with a number for at least two doses, and what they say of each group (G,)."""
    if facts.grouping.kind != "group":
        return {}
    return columns_of_doses(facts.cells.conditions, facts.grouping.names)


#: The words of a dose-response; see `phenotypes.doses`.
in_words = response_in_words


def _plates(facts: Facts) -> tuple[Plate, ...]:
    """The plates, or none where groups are no wells."""
    if facts.grouping.kind != "group":
        return ()
    try:
        return plates_of(facts.grouping.names, facts.cells.conditions)
    except DataError:
        return ()


def _of_adjusted(found: Fractions | None, facts: Facts | None, what: str) -> str:
    """Which prior the calls have, and what the adjusted fractions are, or why there are none."""
    if found is None or facts is None or facts.predictions is None or what != PREDICTED:
        return ""
    prior, adjusted = facts.predictions.prior, found.adjusted
    said = [] if prior is None else [f"Calls: {prior.text()}."]
    if adjusted is not None and adjusted.why_not:
        said.append(f"No adjusted fractions: {adjusted.why_not}.")
    elif adjusted is not None:
        note = f"; {adjusted.note}" if adjusted.note else ""
        said.append(
            "Adjusted (adj.): the fraction behind the calls, from how often held-out cells were "
            f"called another class{note}."
        )
    return " ".join(said)


def _nothing(found: Fractions | None, facts: Facts | None) -> str:
    if facts is None:
        return "No cells yet: open a data set in the dock 'Images and cells'."
    if found is None:
        return "No cell has a class yet, and there are no predictions."
    if facts.grouping.kind != "group":
        return f"These cells have no groups, such as wells; they are told by {facts.grouping.kind}."
    return (
        "No dose-response: no column of the data set's table has a number that is the same in all "
        "rows of a group and differs between groups."
    )


def _offer(box, names, *, last: bool = False) -> None:
    """Fill a list; what was chosen stays chosen where it is still there."""
    with QSignalBlocker(box):
        before = box.currentText()
        box.clear()
        box.addItems(list(names))
        if before in names:
            box.setCurrentIndex(list(names).index(before))
        elif last and len(names):
            box.setCurrentIndex(len(names) - 1)
