"""Transplants: a channel taken from a real cell of another class, aligned, beside its sham."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QCheckBox, QLabel

from napari_channelmix.computing import leave_a_core
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.settings import TransplantSettings, merged
from napari_channelmix.viewer.charts.interval_bars import Bar, Bars
from napari_channelmix.viewer.page_parts.base_page import form
from napari_channelmix.viewer.page_parts.prior_menu import explained_prior
from napari_channelmix.viewer.pages.whatif.decision_facts import percent
from napari_channelmix.viewer.pages.whatif.flip_matrix import FlipMatrix
from napari_channelmix.viewer.pages.whatif.run_tab import CAPTION, RunTab
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.viewer.widgets.secondary_text import show_secondary
from napari_channelmix.viewer.widgets.theme import chart_colors
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.whatif.transplants_result import TransplantRow, Transplants

__all__ = ["TransplantsTab", "transplants_of_session_job"]

WHOLE = "whole"
HINT = (
    "Each cell gets one channel of a real cell of another class, turned and aligned to it. Which "
    "channel makes the classifier change its mind? Beside it the same with a cell of its own class."
)


@dataclass(frozen=True)
class PairFlip:
    """Cells of one class with a part of cells of another; a field of the matrix."""

    to_class: str
    share: float
    above_sham: bool
    text: str


class TransplantsTab(RunTab):
    """Bars for the parts, and the matrix of classes for one class of cells."""

    def __init__(self, theme: str, bar: TaskBar) -> None:
        super().__init__(
            TransplantSettings,
            title="Transplant channels",
            hint=HINT,
            label="Transplant channels",
            tip="Exchange channels between held-out cells, and ask the classifier again",
            names=("limit", "compartments"),
            leave_out=("prior",),
            bar=bar,
        )
        self._theme = theme
        self.result: Transplants | None = None
        inside = self.add_result("Which part carries the class")
        self.lines = Notice(lines=3)
        self.bars = Bars(
            "Share of cells that flip, by part", theme, (0.0, 1.0), figures=46, names=150
        )
        self.bars.setToolTip(
            "Share of the cells that flip, mean over pairs of classes; line: interval over groups; "
            "dots: sham, a cell of the same class"
        )
        self.caption = QLabel(CAPTION)
        self.caption.setWordWrap(True)
        show_secondary(self.caption, theme)
        self.every = QCheckBox("Nucleus, ring and background apart")
        self.every.setToolTip("Also the compartments of each channel. Default: off")
        for widget in (self.lines, self.caption, self.bars, self.every):
            inside.addWidget(widget)
        inside = self.add_result(
            "Taken from which class",
            "Share of the cells that flip with a part (rows) of cells of another class (columns); "
            "fields without colour are not above the sham",
        )
        self.class_box = choice("The class that the cells are predicted as before the exchange")
        rows = form()
        rows.addRow("Cells predicted", self.class_box)
        self.matrix = FlipMatrix(theme)
        inside.addLayout(rows)
        inside.addWidget(self.matrix)
        self.class_box.currentIndexChanged.connect(self._show_class)
        self.every.toggled.connect(self._show_parts)

    def show_result(self, result: Transplants | None) -> None:
        """Show transplants; None takes them away."""
        super().show_result(result)
        self.result = result
        if result is None:
            return
        self.lines.say("\n".join(line for line in result.lines if line), "info")
        before = self.class_box.currentText()
        asked = {row.from_class for row in result.rows}
        with QSignalBlocker(self.class_box):
            self.class_box.clear()
            self.class_box.addItems([name for name in result.classes if name in asked])
            self.class_box.setCurrentIndex(max(0, self.class_box.findText(before)))
        self._show_parts()

    def _rows(self) -> list[TransplantRow]:
        assert self.result is not None
        every = self.every.isChecked()
        return [row for row in self.result.rows if every or row.compartment == WHOLE]

    def _show_parts(self, _: object = None) -> None:
        if self.result is None:
            return
        compartments = {row.compartment for row in self.result.rows}
        self.every.setVisible(len(compartments) > 1)
        rows = [row for row in self._rows() if row.from_class not in self.result.classes]
        quiet = chart_colors(self._theme).line
        self.bars.show_bars(
            [
                Bar(
                    row.part,
                    _known(row.share),
                    percent(row.share) if np.isfinite(row.share) else "none",
                    (row.low, row.high) if np.isfinite([row.low, row.high]).all() else None,
                    tip=_text(row),
                    color="" if row.above_sham else quiet,
                    floor=row.sham if np.isfinite(row.sham) else None,
                )
                for row in sorted(rows, key=lambda row: -_known(row.share))
            ]
        )
        self._show_class()

    def _show_class(self, _: object = None) -> None:
        if self.result is None:
            return
        name = self.class_box.currentText()
        rows = [row for row in self._rows() if row.from_class == name]
        parts = list(dict.fromkeys(row.part for row in rows))
        donors = list(dict.fromkeys(row.to_class for row in rows))
        fields = {
            (row.part, row.to_class): PairFlip("", row.share, row.above_sham, _text(row))
            for row in rows
            if np.isfinite(row.share)
        }
        self.matrix.show_flips(parts, donors, fields)

    def show_palette(self, palette: Sequence[str]) -> None:
        """Take the order of the classes: positions are colours."""
        self.matrix.show_palette(palette)

    def follow_theme(self, theme: str) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        show_secondary(self.caption, theme)
        self.bars.follow_theme(theme)
        self.matrix.follow_theme(theme)
        self._show_parts()


def _known(share: float) -> float:
    return share if np.isfinite(share) else 0.0


def _text(row: TransplantRow) -> str:
    """All of a row, in lines."""
    if not np.isfinite(row.share):
        return f"{row.part}: no aligned donor"
    lines = [
        f"{row.part} of {row.to_class} given to {row.from_class}: {percent(row.share)} of "
        f"{counted(row.n, 'cell')} flip, {counted(row.n_groups, 'group')}, "
        f"{counted(row.n_donors, 'donor')}",
    ]
    if np.isfinite([row.low, row.high]).all():
        lines.append(f"Interval over groups: {percent(row.low)} to {percent(row.high)}")
    if np.isfinite(row.sham):
        lines.append(f"Sham, from a cell of the same class: {percent(row.sham)} flip")
    if np.isfinite(row.alignment):
        lines.append(f"Mean overlap of the outlines: {percent(row.alignment)}")
    if not row.above_sham:
        lines.append("Not above the sham: do not read it as an effect")
    return "\n".join(lines)


def transplants_of_session_job(
    session: Session, trained: Trained, cells: Cells, settings: TransplantSettings
) -> Job[Any]:
    """Transplant channels between the cells of a session, with the prior of its other answers."""
    prior = explained_prior(session)

    def job() -> Job[Any]:
        yield Progress(0, 1, "getting ready")
        from napari_channelmix.whatif.transplants import transplant_job

        leave_a_core()
        chosen = merged(TransplantSettings, settings, {"prior": prior})
        return (yield from transplant_job(trained.classifier, cells, settings=chosen))

    return job()
