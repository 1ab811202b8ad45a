"""Page 'Groups': fractions of the classes in each group, and against a dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QApplication, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.phenotypes.doses import DoseResponse, as_doses, dose_response
from napari_channelmix.phenotypes.fractions import Fractions, fractions_of
from napari_channelmix.viewer.colors import class_hex
from napari_channelmix.viewer.latents.choice import choice
from napari_channelmix.viewer.phenotypes.dose_plot import DosePlot
from napari_channelmix.viewer.phenotypes.group_table import GroupTable

if TYPE_CHECKING:
    from napari_channelmix.viewer.phenotypes.facts import Facts

__all__ = ["GroupsPage", "dose_columns", "in_words"]

PREDICTED, LABELS = "predicted classes", "labels"
# Columns that are called so are offered first.
DOSES = ("dose", "conc", "molar", "µm", "nm")


class GroupsPage(QWidget):
    """Table, 'Copy as CSV', dose-response.

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
        self._build()
        self.what.currentIndexChanged.connect(self._count)
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
        inside = QVBoxLayout(self.doses)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(4)
        row = QHBoxLayout()
        row.addWidget(QLabel("Dose"))
        row.addWidget(self.dose, 1)
        row.addWidget(QLabel("Class"))
        row.addWidget(self.of, 1)
        inside.addLayout(row)
        inside.addWidget(self.plot)
        column.addWidget(self.doses)
        column.addWidget(self.words)

    def show_facts(self, facts: Facts | None) -> None:
        """Count anew."""
        self._facts = facts
        offered = []
        if facts is not None and facts.predictions is not None:
            offered.append(PREDICTED)
        if facts is not None and facts.cells.classes:
            offered.append(LABELS)
        _offer(self.what, offered)
        self._doses = {} if facts is None else dose_columns(facts)
        _offer(self.dose, sorted(self._doses, key=_likely))
        self._count()

    def mark(self, group: int | None) -> None:
        """Mark the group whose cells are shown."""
        self._shown = group
        self.table.mark(group)
        self.plot.mark(group)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self.plot.follow_theme(theme)

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
            self.fractions = fractions_of(facts.grouping, facts.labels, names)
            colors = list(range(len(names)))
        self.table.show_fractions(self.fractions, colors)
        self.table.mark(self._shown)
        self.copy.setEnabled(self.fractions is not None)
        self.adjusted.setText(_of_adjusted(self.fractions, facts, what))
        self.adjusted.setVisible(bool(self.adjusted.text()))
        for one in (self.table, self.copy, self.what):
            one.setVisible(self.fractions is not None)
        _offer(self.of, () if self.fractions is None else self.fractions.classes, last=True)
        self._draw()

    def _draw(self, _: object = None) -> None:
        found, facts, name = self.fractions, self._facts, self.of.currentText()
        there = found is not None and bool(self._doses) and name in found.classes
        self.doses.setVisible(there)
        if not there or found is None or facts is None:
            self.response = None
            self.plot.show_response(None, (), "", "", "")
            self.words.setText(_nothing(found, facts))
            return
        column = self.dose.currentText()
        code = found.classes.index(name)
        self.response = dose_response(self._doses[column], found.fractions[:, code])
        color = class_hex(facts.palette.index(name))
        self.plot.show_response(self.response, found.groups, column, f"fraction {name}", color)
        self.words.setText(in_words(self.response))

    def _pressed(self, group: int) -> None:
        self.group_chosen.emit(None if group == self._shown else group)

    def _copy(self, _: object = None) -> None:
        if self.fractions is None:
            return
        frame = self.fractions.to_frame()
        facts = self._facts
        if facts is not None and facts.cells.conditions is not None:
            more = facts.cells.conditions.reindex(self.fractions.groups).reset_index(drop=True)
            new = [name for name in more.columns if name not in frame.columns]
            frame = frame.join(more[new])
        QApplication.clipboard().setText(csv_text(frame))
        self.said.emit(f"Copied {len(frame):,} rows to the clipboard.")


def dose_columns(facts: Facts) -> dict[str, npt.NDArray[np.float64]]:
    """Columns with a number for at least two doses, and what they say of each group (G,)."""
    found = facts.cells.conditions
    if found is None or facts.grouping.kind != "group":
        return {}
    rows = found.reindex(facts.grouping.names)
    doses = {str(name): as_doses(rows[name].to_numpy(object)) for name in rows.columns}
    return {
        name: values
        for name, values in doses.items()
        if len(np.unique(values[np.isfinite(values)])) >= 2
    }


def in_words(found: DoseResponse) -> str:
    """What the fit says, or why there is none, and what was left out."""
    if found.fit is not None:
        low, high = found.fit.interval
        said = (
            f"EC50 {found.fit.ec50:.3g} (95 % interval {low:.3g} to {high:.3g}), slope "
            f"{found.fit.slope:.2g}: a four-parameter logistic through {len(found.groups)} groups."
        )
    else:
        said = f"No curve: {found.why_not}."
    if found.left_out:
        what = "group has" if found.left_out == 1 else "groups have"
        said += f" {found.left_out} {what} no dose that is a number, or no fraction."
    return said


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


def _likely(name: str) -> tuple[bool, str]:
    lower = name.lower()
    return not any(part in lower for part in DOSES), name


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
