"""What separates the classes: how well latents do it, which ones, and one cell against a class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.charts.class_swatch import swatch
from napari_channelmix.viewer.charts.interval_bars import Bar, Bars
from napari_channelmix.viewer.charts.latent_axes import Axis, signed, title_of
from napari_channelmix.viewer.page_parts.base_page import group
from napari_channelmix.viewer.widgets.combo_box import choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.drl import Latents
    from napari_channelmix.drl.separation import Separation
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["ClassesPage"]

NONE = "The classes were not compared: {}."
ADVICE = "Give cells classes on the page 'Annotate', then run again."
LAST = "Separation of the classes is computed last; it is shown here when the run has finished."
CHANGED = "Classes were changed since; run again to update these figures."
# Robust z-scores beyond this are unusual: about one cell in 400 of a normal class.
UNUSUAL = 3.0
KINDS = {"trees": "gradient-boosted trees", "network": "a small neural network"}


class ClassesPage(QWidget):
    """Bars with intervals; nothing is computed here."""

    def __init__(self, theme: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._latents: Latents | None = None
        self._axes: tuple[Axis, ...] = ()
        self._cell: int | None = None
        # Classes of the cells when the figures were found.
        self._tested: np.ndarray | None = None
        self.line = QLabel()
        self.line.setWordWrap(True)
        self.accuracy = Bars("Balanced accuracy", theme, (0.0, 1.0))
        self.note = QLabel()
        self.note.setWordWrap(True)
        self.importance = Bars("Accuracy lost without each axis", theme, (-0.02, 0.1))
        self.against = choice("The class that the cell is compared with")
        self.unusual = Bars("How unusual the cell is on each axis", theme, (-UNUSUAL, UNUSUAL))
        self.unusual_label = QLabel()
        self.unusual_label.setWordWrap(True)
        self._build()
        self.against.currentIndexChanged.connect(self._fill_against)
        self.show_latents(None, ())

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        box, inside = group("What separates the classes")
        for widget in (self.line, self.accuracy, self.note):
            inside.addWidget(widget)
        column.addWidget(box)
        self.importance_box, inside = group("Most discriminative axes")
        self.importance_box.setToolTip(
            "Balanced accuracy that the trees lose when an axis is shuffled among held-out cells; "
            "mean and standard deviation over the folds"
        )
        inside.addWidget(self.importance)
        column.addWidget(self.importance_box)
        self.cell_box, inside = group("The cell compared with a class")
        row = QHBoxLayout()
        row.addWidget(QLabel("Class"))
        row.addWidget(self.against, 1)
        inside.addLayout(row)
        inside.addWidget(self.unusual)
        inside.addWidget(self.unusual_label)
        column.addWidget(self.cell_box)

    # ---------------------------------------------------------------- what is shown

    def show_latents(self, latents: Latents | None, axes: Sequence[Axis]) -> None:
        """Show what was found."""
        self._axes, self._cell = tuple(axes), None
        self.show_separation(latents)
        self._fill_classes()

    def show_separation(self, latents: Latents | None) -> None:
        """The same latents, now with what separates the classes."""
        self._latents = latents
        self._tested = None if latents is None else latents.cells.labels
        tested = None if latents is None else latents.separation
        self.importance_box.setVisible(tested is not None)
        rows = [] if tested is None else sorted(tested.importance.items(), key=lambda p: -p[1][0])
        self.importance.show_bars(
            [
                Bar(
                    title_of(name),
                    mean,
                    signed(mean, 2, plus=False),
                    (mean - sd, mean + sd),
                    tip=f"{title_of(name)}: {mean:.3f} ± {sd:.3f} of balanced accuracy",
                )
                for name, (mean, sd) in rows
            ]
        )
        self._say()

    def show_classes(self, latents: Latents) -> None:
        """The same cells with other classes."""
        self._latents = latents
        self._fill_classes()

    def _fill_classes(self) -> None:
        latents = self._latents
        classes = () if latents is None else latents.cells.classes
        with QSignalBlocker(self.against):
            before = self.against.currentText()
            self.against.clear()
            for code, name in enumerate(classes):
                self.against.addItem(swatch(code), name)
            self.against.setCurrentIndex(max(0, self.against.findText(before)))
        self.cell_box.setVisible(bool(classes) and bool(self._axes))
        self._say()
        self._fill_against()

    def show_accuracies(self, trained: Trained | None) -> None:
        """Latents beside hand-crafted features, and beside the classifier of the session."""
        tested = None if self._latents is None else self._latents.separation
        rows: list[Bar] = []
        if tested is not None:
            rows = _tested_bars(tested)
            if "pixels" in tested.tested:
                pass
            elif trained is not None and trained.accuracy is not None:
                figure = f"{trained.accuracy:.2f}"
                tip = (
                    f"The classifier of the pixels ({trained.source}): {trained.accuracy:.3f} "
                    f"on {trained.n_test} held-out cells; others than for the bars above, so "
                    f"small differences mean nothing"
                )
                rows.append(Bar("pixels", trained.accuracy, figure, tip=tip))
            elif "pixels" not in tested.tested:
                rows.append(
                    Bar(
                        "pixels",
                        0.0,
                        "–",
                        tip="Train a classifier on the page 'Classifier': its accuracy is then "
                        "shown here, beside the others",
                    )
                )
        chance = None if tested is None else 1 / len(tested.classes)
        self.accuracy.show_bars(rows, chance)
        self._say()

    def _say(self) -> None:
        latents, tested = self._latents, None
        if latents is not None:
            tested = latents.separation
        text = ""
        if tested is not None and latents is not None:
            # Without groups, each cell is one of its own.
            each = tested.groups == np.count_nonzero(latents.cells.labels >= 0)
            unit = "cells" if each else "groups"
            count = (
                f"{tested.groups} {unit}"
                if each
                else (f"{tested.groups} groups, {tested.cells:,} cells")
            )
            text = (
                f"Balanced accuracy on held-out {unit}: {tested.folds} folds, {count}; bars with "
                "95 % intervals, chance dashed."
            )
            if self._tested is not None and not np.array_equal(self._tested, latents.cells.labels):
                text = CHANGED
        elif latents is not None and latents.under_way:
            text = LAST
        elif latents is not None:
            text = NONE.format(latents.unseparated.rstrip("."))
            if not set(latents.cells.labels.tolist()) - {-1}:
                text = f"{text} {ADVICE}"
        self.line.setText(text or "Run first.")
        self.note.setText("" if tested is None else _verdict(tested))
        self.note.setVisible(bool(self.note.text()))

    def show_cell(self, cell: int) -> None:
        """Hold a cell against the class that is chosen; first against its own."""
        latents = self._latents
        if latents is None:
            return
        if self._cell is None and latents.cells.labels[cell] >= 0:
            with QSignalBlocker(self.against):
                self.against.setCurrentIndex(int(latents.cells.labels[cell]))
        self._cell = cell
        self._fill_against()

    def _fill_against(self, _: object = None) -> None:
        latents, name = self._latents, self.against.currentText()
        # Their room is kept: the page would else jump with the first cell.
        self.unusual.show_bars([Bar(axis.title, 0.0, "") for axis in self._axes])
        if latents is None or not name:
            return
        if self._cell is None:
            self.unusual_label.setText("Click a cell in the image.")
            return
        try:
            z = latents.against_class(self._cell, name)
        except DataError as error:
            line = str(error)
            self.unusual_label.setText(f"{line[:1].upper()}{line[1:]}.")
            return
        rows = []
        for axis in self._axes:
            # Of two latents, the more unusual one.
            value = max((float(z[column]) for column in axis.columns), key=abs)
            tip = f"{axis.title}: {value:+.1f} robust standard deviations from the middle of {name}"
            rows.append(
                Bar(axis.title, value, signed(value, 1), strong=abs(value) >= UNUSUAL, tip=tip)
            )
        rows.sort(key=lambda bar: -abs(bar.value))
        self.unusual.show_bars(rows)
        far = [bar.name for bar in rows if bar.strong]
        called = cell_name(latents.cells, self._cell)
        self.unusual_label.setText(
            f"Cell {called} is unusual for class '{name}': {', '.join(far)}."
            if far
            else f"Cell {called} is not unusual for class '{name}': less than "
            f"{UNUSUAL:g} robust standard deviations from its middle on every axis."
        )

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        for bars in (self.accuracy, self.importance, self.unusual):
            bars.follow_theme(theme)


def _tested_bars(tested: Separation) -> list[Bar]:
    rows = []
    for name, best in tested.best.items():
        others = "; ".join(
            f"{KINDS.get(kind, kind)} {score.accuracy:.3f} ({score.low:.3f} to {score.high:.3f}), "
            f"chosen in {tested.chosen[name].get(kind, 0)} of {tested.folds} folds"
            for kind, score in tested.tested[name].items()
        )
        tip = f"{name}, by the classifier that each fold chose without its held-out cells: {others}"
        figure, interval = f"{best.accuracy:.2f}", (best.low, best.high)
        rows.append(Bar(name, best.accuracy, figure, interval, tip=tip))
    return rows


def _verdict(tested: Separation) -> str:
    ahead = tested.ahead["hand-crafted"]
    low, high = ahead.low, ahead.high
    if low > 0 or high < 0:
        better, other = "Latents", "hand-crafted features"
        if high < 0:
            better, other = "Hand-crafted features", "latents"
        # How far the better one is ahead: above 0, and so is its interval.
        near, far = sorted((abs(low), abs(high)))
        return (
            f"{better} separate these classes better than {other}, by "
            f"{abs(ahead.accuracy):.3f} (95 % interval {near:.3f} to {far:.3f})."
        )
    return (
        "It is not known whether latents or hand-crafted features are better: accuracy of the "
        f"latents minus that of the features {signed(ahead.accuracy, 3)} (95 % interval "
        f"{signed(low, 3)} to {signed(high, 3)})."
    )
