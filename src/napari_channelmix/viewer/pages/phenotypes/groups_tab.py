"""Tab 'Groups': fractions of the classes in each group, and against a dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import (
    QApplication,
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.dose_response import DoseResponse, response_in_words
from napari_channelmix.phenotypes.fractions import Fractions, fractions_of
from napari_channelmix.phenotypes.held_out import UNKNOWN
from napari_channelmix.phenotypes.plate import Plate, plates_of
from napari_channelmix.phenotypes.responses import (
    LABELS,
    PREDICTED,
    response_of,
    with_conditions,
)
from napari_channelmix.phenotypes.responses import dose_columns as columns_of_doses
from napari_channelmix.viewer.charts.colors import class_hex
from napari_channelmix.viewer.pages.phenotypes.controls_box import ControlsBox
from napari_channelmix.viewer.pages.phenotypes.dose_plot import DosePlot
from napari_channelmix.viewer.pages.phenotypes.first_class import first_class
from napari_channelmix.viewer.pages.phenotypes.group_table import GroupTable
from napari_channelmix.viewer.pages.phenotypes.plate_view import PlateView
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.wording import counted, middle_cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    import numpy.typing as npt
    from qtpy.QtWidgets import QComboBox

    from napari_channelmix.viewer.pages.phenotypes.cell_facts import Facts

__all__ = ["GroupsPage", "dose_columns", "in_words"]

# Letters of a class along an axis of a small plot.
LETTERS = 22


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
    reported = Signal(str)

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
        # The same of the class that is drawn: else it is the one that responds.
        self._chose_class = False
        self.what = choice("What the fractions are of")
        self.held_out = QCheckBox("Held-out cells only")
        self.held_out.setChecked(True)
        self.held_out.setToolTip(
            "Leave out the cells that the classifier was trained on: its predictions of those are "
            "too good. Default: on"
        )
        self.table = GroupTable()
        self.copy = QPushButton("Copy as CSV")
        self.copy.setToolTip(
            "Copy the table to the clipboard, with counts and 95 % intervals, as comma-separated "
            "values"
        )
        self.dose = choice("Column of the data set's table that holds the dose of each group")
        self.of = choice("The class whose fraction is drawn")
        self.adjust = QCheckBox("Adjusted fractions")
        self.adjust.setChecked(True)
        self.adjust.setToolTip(
            "Curve and plate are of the fractions adjusted for the classes that the classifier "
            "confuses; off: of the predictions as they are. Default: on"
        )
        self.plot = DosePlot(theme)
        self.words = QLabel()
        self.words.setWordWrap(True)
        # One line, however long: below it stand the curve and the gallery.
        self.note = QLabel()
        self.note.setWordWrap(True)
        # In full: intervals that are too narrow must not be taken for what they say.
        self.doubt = QLabel()
        self.doubt.setWordWrap(True)
        self.doubt.setToolTip("What the intervals of the adjusted fractions leave out")
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
            "How well control wells are told apart (Z'-factor), and the plate as a heat map"
        )
        self._build()
        self.what.currentIndexChanged.connect(self._count)
        self.held_out.toggled.connect(self._count)
        self.adjust.toggled.connect(self._draw)
        self.what.activated.connect(self._choose)
        self.of.activated.connect(self._choose_class)
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
        column.addLayout(row)
        row = QHBoxLayout()
        row.addWidget(self.held_out, 1)
        row.addWidget(self.table.columns)
        column.addLayout(row)
        column.addWidget(self.table)
        column.addWidget(self.note)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.copy)
        column.addLayout(row)
        column.addWidget(self.doubt)
        self.class_box = QWidget()
        row = QHBoxLayout(self.class_box)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(QLabel("Class"))
        row.addWidget(self.of, 1)
        row.addWidget(self.adjust)
        column.addWidget(self.class_box)
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

    def _choose_class(self, _: object = None) -> None:
        self._chose_class = True

    def _offer_classes(self) -> None:
        """Offer the classes; the one that was chosen stays, else the one that responds is first."""
        fractions = self.fractions
        _offer(self.of, () if fractions is None else fractions.classes)
        if fractions is None or self._chose_class:
            return
        doses = self._doses.get(self.dose.currentText())
        name = first_class(fractions.classes, fractions.fractions, doses)
        with QSignalBlocker(self.of):
            self.of.setCurrentText(name)

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
        divided = facts is not None and what == PREDICTED and _is_divided(facts)
        held_out = divided and self.held_out.isChecked()
        self.held_out.setVisible(divided)
        if facts is not None and what == PREDICTED:
            self.fractions = facts.held_out_fractions if held_out else facts.predicted_fractions
        elif facts is not None and what == LABELS:
            self.fractions = self._labelled
        self.table.show_fractions(self.fractions, held_out=held_out)
        self.table.mark(self._shown)
        self.copy.setEnabled(self.fractions is not None)
        short, whole = _notes(self.fractions, facts, what, held_out=held_out)
        self.note.setText(short)
        self.note.setToolTip(whole)
        self.note.setVisible(bool(short))
        adjustable = self.fractions is not None and self.fractions.is_adjusted
        self.adjust.setVisible(adjustable)
        for widget in (self.table, self.copy, self.what, self.class_box):
            widget.setVisible(self.fractions is not None)
        doubt = _doubt(self.fractions)
        self.doubt.setText(doubt)
        self.doubt.setVisible(bool(doubt))
        self._offer_classes()
        self._draw()

    def _draw(self, _: object = None) -> None:
        fractions, facts, name = self.fractions, self._facts, self.of.currentText()
        known = fractions is not None and name in fractions.classes
        self.table.put_first(name)
        has_doses = known and bool(self._doses)
        self.doses.setVisible(has_doses)
        # Those of the calls: adjusted fractions are cut at 0 and 1, where controls lie, and so
        # would differ too little from well to well.
        calls = None
        if fractions is not None and known:
            calls = fractions.fractions[:, fractions.classes.index(name)]
        self.controls.show_fractions(calls)
        self._draw_plate()
        self.more.setVisible(known and (bool(self._plates) or self.controls.useful))
        self.words.setToolTip("")
        if not has_doses or fractions is None or facts is None:
            self.response = None
            self.plot.show_response(None, (), "", "", "")
            short, whole = _nothing(fractions, facts)
            self.words.setText(short)
            self.words.setToolTip(whole)
            return
        column = self.dose.currentText()
        self.response = response_of(
            self._doses[column],
            fractions,
            fractions.classes.index(name),
            self.what.currentText(),
            self._labelled,
            adjust=self.adjust.isChecked(),
        )
        color = class_hex(facts.palette.index(name))
        self.plot.show_response(
            self.response, fractions.groups, column, self._fraction_of(name), color
        )
        self.words.setText(response_in_words(self.response))

    def _fraction_of(self, name: str) -> str:
        """What is drawn, in words."""
        known = self.fractions is not None and self.fractions.is_adjusted
        adjusted = known and self.adjust.isChecked()
        # Short: it stands along an axis of a small plot.
        return f"{'adj. ' * adjusted}fraction {middle_cut(name, LETTERS)}"

    def _draw_plate(self, _: object = None) -> None:
        fractions, name = self.fractions, self.of.currentText()
        index = self.plate_name.currentIndex()
        there = fractions is not None and name in fractions.classes
        there = there and 0 <= index < len(self._plates)
        self.plates.setVisible(there)
        if not there or fractions is None:
            self.plate.show_plate(None, (), (), "")
            return
        shown = fractions.best if self.adjust.isChecked() else fractions.fractions
        what = self._fraction_of(name)
        self.scale.setText(f"{what[0].upper()}{what[1:]} in each well: dark 0, bright 1")
        values = shown[:, fractions.classes.index(name)]
        self.plate.show_plate(self._plates[index], values, fractions.groups, what)

    def _pressed(self, group: int) -> None:
        self.group_chosen.emit(None if group == self._shown else group)

    def _copy(self, _: object = None) -> None:
        if self.fractions is None:
            return
        conditions = None if self._facts is None else self._facts.cells.conditions
        frame = with_conditions(self.fractions.to_frame(), self.fractions.groups, conditions)
        QApplication.clipboard().setText(csv_text(frame))
        self.reported.emit(f"Copied {len(frame):,} rows to the clipboard.")


def dose_columns(facts: Facts) -> dict[str, npt.NDArray[np.float64]]:
    """Columns with a number for at least two doses, and what they say of each group (G,)."""
    if facts.grouping.kind != "group":
        return {}
    return columns_of_doses(facts.cells.conditions, facts.grouping.names)


#: The words of a dose-response; see `phenotypes.dose_response`.
in_words = response_in_words


def _plates(facts: Facts) -> tuple[Plate, ...]:
    """The plates, or none where groups are no wells."""
    if facts.grouping.kind != "group":
        return ()
    try:
        return plates_of(facts.grouping.names, facts.cells.conditions)
    except DataError:
        return ()


def _is_divided(facts: Facts) -> bool:
    """Whether the classifier was trained on some of the cells, and not on all."""
    trained_on = facts.predicted_fractions.trained_on
    return trained_on is not None and 0 < int(trained_on.sum()) < len(facts)


def _notes(
    fractions: Fractions | None, facts: Facts | None, what: str, *, held_out: bool
) -> tuple[str, str]:
    """What the fractions are of, in a line; and in full: prior, adjustment, training cells."""
    if fractions is None or facts is None or facts.predictions is None or what != PREDICTED:
        return "", ""
    short, whole = [], []
    trained_on = 0 if fractions.trained_on is None else int(fractions.trained_on.sum())
    if trained_on:
        of = f"{trained_on:,} of {len(facts):,} cells were trained on"
        short.append(f"{trained_on:,} training cells {'left out' if held_out else 'counted'}")
        whole.append(
            f"{of}, and are left out."
            if held_out
            else f"{of}, and are counted (*): the classifier's predictions of them are too good."
        )
    elif UNKNOWN in (facts.predictions.training or ()):
        short.append("training cells not known")
        whole.append("Which cells the classifier was trained on is not known: all are counted.")
    prior, adjusted = facts.predictions.prior, fractions.adjusted
    if adjusted is not None and adjusted.why_not:
        short.append("not adjusted")
        whole.append(f"No adjusted fractions: {adjusted.why_not}.")
    elif adjusted is not None:
        note = f"; {adjusted.note}" if adjusted.note else ""
        # The heads of the columns tell what that is.
        partly = " They are known of groups without training cells." if trained_on else ""
        if fractions.not_adjusted:
            short.append("curve and plate of the predictions")
            partly += (
                f" {counted(fractions.not_adjusted, 'group', 'have')} none: curve and plate use "
                "the predictions, so that no group is left out."
            )
        whole.append(
            "Adjusted (adj.): the fraction corrected for how often held-out cells were predicted "
            f"as another class{note}.{partly if held_out or fractions.not_adjusted else ''}"
        )
    if prior is not None:
        short.append(prior.text().split(" (")[0])
        whole.append(f"Predictions: {prior.text()}.")
    return "; ".join(short), "\n".join(whole)


def _doubt(fractions: Fractions | None) -> str:
    """What the intervals of the adjusted fractions leave out, as prediction and report say it."""
    adjusted = None if fractions is None else fractions.adjusted
    if adjusted is None or adjusted.why_not or not adjusted.note:
        return ""
    return f"Adjusted fractions: {adjusted.note}."


def _nothing(fractions: Fractions | None, facts: Facts | None) -> tuple[str, str]:
    """Why there is no dose-response: in a line, and what would give one."""
    if facts is None:
        return "No cells yet: open a data set on the page 'Data'.", ""
    if fractions is None:
        return "No cell has a class yet, and there are no predictions.", ""
    if facts.grouping.kind != "group":
        kind = facts.grouping.kind
        return f"These cells have no groups, such as wells; the table is by {kind}.", ""
    return (
        "No dose-response: the table has no column of doses.",
        "A column of doses has a number that is the same in all rows of a group and differs "
        "between groups",
    )


def _offer(box: QComboBox, names: Sequence[str]) -> None:
    """Fill a list; what was chosen stays chosen where it is still there."""
    with QSignalBlocker(box):
        before = box.currentText()
        box.clear()
        box.addItems(list(names))
        if before in names:
            box.setCurrentIndex(list(names).index(before))
