"""How far a task is: bar, stage, time left, Cancel. Every dock has one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.duration import duration_text
from napari_channelmix.viewer.widgets.scrolling import bring_into_sight

if TYPE_CHECKING:
    from napari_channelmix.viewer.tasks.task import Task, Update

__all__ = ["TaskBar"]

# Milliseconds after which a job that has no thread yet is said to wait.
SOON = 250
# Milliseconds after which the time left is told again, also where nothing moves.
TICK = 1000
TIP = "The running job, and about how much time is left"


class TaskBar(QWidget):
    """Shows one task; hidden while nothing is at work."""

    def __init__(self, task: Task, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._stage = ""
        self.bar = QProgressBar()
        self.bar.setRange(0, 1000)
        self.bar.setTextVisible(True)
        self.bar.setToolTip("Progress of the job")
        self.cancel = QPushButton("Cancel")
        self.cancel.setToolTip("Stop the job; earlier results are kept")
        self.cancel.clicked.connect(task.stop)
        self.stage = QLabel()
        self.stage.setWordWrap(True)
        self.stage.setToolTip(TIP)
        row = QHBoxLayout()
        row.addWidget(self.bar, 1)
        row.addWidget(self.cancel)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(3)
        column.addLayout(row)
        column.addWidget(self.stage)
        self.setVisible(False)
        self._task = task
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self._look)
        # When it has its place on a page that is scrolled.
        self._placed = QTimer(self)
        self._placed.setSingleShot(True)
        self._placed.timeout.connect(lambda: bring_into_sight(self))
        self._tick = QTimer(self)
        self._tick.setInterval(TICK)
        self._tick.timeout.connect(self._show_stage)
        task.started.connect(self._started)
        task.begun.connect(self._begun)
        task.updated.connect(self._updated)
        task.ended.connect(self._ended)

    def _started(self, name: str) -> None:
        self.bar.setValue(0)
        self.bar.setFormat("")
        self._stage = f"{name}…"
        self.stage.setText(self._stage)
        self.setVisible(True)
        self._soon.start()
        self._placed.start()

    def _look(self) -> None:
        """Say so where the job cannot begin yet."""
        if self._task.waiting:
            self.bar.setFormat("waiting")
            self.stage.setText("waiting for other jobs to end")

    def _begun(self, name: str) -> None:
        self._tick.start()
        if not self._soon.isActive():
            self.bar.setFormat("")
            self._show_stage()
        self._soon.stop()

    def _updated(self, update: Update) -> None:
        progress = update.progress
        # A QProgressBar paints at once, and with it the whole window; so it waits for the others.
        self.bar.setUpdatesEnabled(False)
        self.bar.setValue(round(1000 * progress.fraction))
        self.bar.setUpdatesEnabled(True)
        self.bar.setFormat(f"{100 * progress.fraction:.0f} %")
        rate = progress.metrics.get("cells per second", 0.0)
        self._stage = f"{progress.stage} · {rate:,.0f} cells/s" if rate >= 1 else progress.stage
        tip = f"{TIP}\n{progress.note}" if progress.note else TIP
        if tip != self.stage.toolTip():
            self.stage.setToolTip(tip)
        self._show_stage()

    def _show_stage(self) -> None:
        """The stage, and about how long the job still takes."""
        left = self._task.seconds_left
        about = "" if left is None else f" · about {duration_text(left)} left"
        text = f"{self._stage}{about}"
        if text != self.stage.text():
            self.stage.setText(text)

    def _ended(self, how: str) -> None:
        self._soon.stop()
        self._tick.stop()
        self._placed.stop()
        self.setVisible(False)
