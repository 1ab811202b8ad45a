"""Dock 'First steps': from an empty window to an explained cell, and on from there.

1. Where each step stands is read off the session (`first_steps.steps`), whenever it changes.
2. A button opens the dock in which the step is done, and presses what is to be pressed there.
3. The work is that dock's: its progress, its Cancel and its messages stand there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel

from napari_channelmix.viewer.dock import Dock, group
from napari_channelmix.viewer.first_steps.row import StepRow
from napari_channelmix.viewer.first_steps.steps import (
    SAMPLE,
    WAY,
    Deed,
    Step,
    next_of,
    steps_of,
)
from napari_channelmix.viewer.launch import open_dock

if TYPE_CHECKING:
    import napari

__all__ = ["FirstStepsDock"]

# For the sample, whose classes are told apart easily: the smallest network, few passes.
QUICK_NETWORK, QUICK_EPOCHS = "tiny", 12
# Milliseconds in which changes are gathered: one data set brings many layers.
PAUSE = 20


class FirstStepsDock(Dock):
    """The steps, one below the other."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.words = QLabel(
            "From images to an explained cell: which pixels make a classifier decide as it does. "
            "With the sample it takes a minute or two."
        )
        self.words.setWordWrap(True)
        self.steps: tuple[Step, ...] = steps_of(self.session, self.viewer.layers)
        self.rows = tuple(StepRow(at + 1, self.viewer.theme) for at in range(len(self.steps)))
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE)
        self._soon.timeout.connect(self._fill)
        self._build()
        for at, row in enumerate(self.rows):
            row.wanted.connect(lambda deed, at=at: self.do(at, deed))
        session = self.session
        for signal in (
            session.cells_changed, session.source_changed, session.shown_changed,
            session.trained_changed, session.history_changed, session.predictions_changed,
            session.importance_changed, session.explained_changed, session.latents_changed,
            session.painting_changed, session.running_changed,
            self.viewer.layers.events.inserted, self.viewer.layers.events.removed,
        ):  # fmt: skip
            self.follow(signal, self._changed)
        self.follow(self.viewer.events.theme, self._theme_changed)
        self._fill()

    def _build(self) -> None:
        self.column.addWidget(self.words)
        for title, rows in (
            ("To the first explanation", self.rows[:WAY]),
            ("And then, in any order", self.rows[WAY:]),
        ):
            box, inside = group(title)
            for row in rows:
                inside.addWidget(row)
            self.column.addWidget(box)
        self.column.addStretch(1)

    # ---------------------------------------------------------------- what the buttons do

    def do(self, at: int, deed: int = 0) -> None:
        """Take a step: positions of the step, and of what is to be done among its deeds."""
        wanted = self.steps[at].deeds[deed]
        # What is seen may be older than the session by the pause: what no longer stands there, as
        # after the first of two quick clicks, is not done.
        self._fill()
        if wanted not in self.steps[at].deeds or wanted.why_not:
            return
        if wanted.kind == "sample":
            self._behind(wanted).open_sample(SAMPLE)
        elif wanted.kind == "train":
            classifier = self._behind(wanted)
            classifier.network.setCurrentText(QUICK_NETWORK)
            classifier.epochs.setValue(QUICK_EPOCHS)
            classifier.start()
        else:
            widget = open_dock(self.viewer, wanted.dock)
            if wanted.kind == "click":
                # In front it listens to clicks, unless the user switched that off before.
                widget.toggle.setChecked(True)

    def _behind(self, deed: Deed) -> Any:
        """The dock of a deed, behind this one: the newcomer stays where the next step is."""
        widget = open_dock(self.viewer, deed.dock, front=False)
        self._come_back()
        # A dock that was opened just now is brought to the front once more, a moment later.
        QTimer.singleShot(0, self._come_back)
        return widget

    def _come_back(self) -> None:
        dock: Any = self.parent()
        if dock is not None:
            dock.raise_()

    # ---------------------------------------------------------------- what is there

    def _changed(self, _: object = None) -> None:
        self._soon.start()

    def _fill(self) -> None:
        self.steps = steps_of(self.session, self.viewer.layers)
        following = next_of(self.steps)
        for at, (row, step) in enumerate(zip(self.rows, self.steps, strict=True)):
            row.show_step(step, following=at == following)

    def _theme_changed(self, event: Any) -> None:
        for row in self.rows:
            row.follow_theme(self.viewer.theme)
