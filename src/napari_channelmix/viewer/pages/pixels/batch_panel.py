"""Explain many cells into one layer: those that were chosen, or all of the field of view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points
from qtpy.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.settings import ExplainSettings, merged
from napari_channelmix.settings.workload import explain_workload
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.page_parts.run_time_line import RunTimeLine
from napari_channelmix.viewer.pages.pixels.batch_job import FieldMaps, field_maps_job
from napari_channelmix.viewer.session.shown import LAYERS_GONE
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from napari_channelmix.duration import Workload
    from napari_channelmix.settings import Only
    from napari_channelmix.viewer.pages.pixels.explanation_layers import ExplanationLayers
    from napari_channelmix.viewer.session.cell_sources import Sources
    from napari_channelmix.viewer.session.explanation import Question
    from napari_channelmix.viewer.session.session import Session
    from napari_channelmix.viewer.tasks.task import Task, Update
    from napari_channelmix.viewer.tasks.task_bar import TaskBar
    from napari_channelmix.viewer.tasks.turns import Turns
    from napari_channelmix.viewer.widgets.notice import Notice

__all__ = ["ManyCells"]

IntArray = npt.NDArray[np.int64]

ROLE = "cells to explain"
# Bytes that the maps of each channel of many cells may take.
MOST_BYTES = 2**30
HINT = "Shift-click selects a cell."


class ManyCells:
    """Chosen cells and the buttons.

    Parameters
    ----------
    viewer, session
    task, task_bar : Task, TaskBar
        Its own: a cell that is clicked is explained meanwhile.
    turns : Turns
        On the same network the job rests while another is at work.
    notice : Notice
        Where results and errors are said.
    maps : ExplanationLayers
    sources : Sources
    question : callable
        What is asked of each cell now.
    leave_cell : callable
        Called before many cells are explained: the one in sight makes way.
    """

    def __init__(
        self,
        viewer: Any,
        session: Session,
        task: Task,
        task_bar: TaskBar,
        turns: Turns,
        notice: Notice,
        maps: ExplanationLayers,
        sources: Sources,
        question: Callable[[], Question],
        leave_cell: Callable[[], object],
    ) -> None:
        self._viewer, self._session, self._notice = viewer, session, notice
        self.task, self.task_bar, self._turns = task, task_bar, turns
        self._maps, self._sources, self._question = maps, sources, question
        self._leave_cell = leave_cell
        # In the order they were chosen.
        self._picked: dict[int, None] = {}
        self.maps: FieldMaps | None = None
        self.chosen_button = QPushButton("Explain selected")
        self.chosen_button.setToolTip(
            "One layer with the maps of the selected cells: Shift-click selects them, or by "
            "their points, where these are selected in the Points layer the cells come from"
        )
        self.chosen_button.clicked.connect(self.explain_chosen)
        self.all_button = QPushButton("Explain all cells")
        self.all_button.setToolTip(
            "One layer with the maps of all cells of this field of view, each scaled to its own "
            "strongest values; the stronger value where cells overlap"
        )
        self.all_button.clicked.connect(self.explain_all)
        self.none_button = QPushButton("None")
        self.none_button.setToolTip("Clear the selection")
        self.none_button.clicked.connect(self.choose_none)
        self.held_out = QCheckBox("Held-out cells only")
        self.held_out.setChecked(ExplainSettings().only == "held-out")
        self.held_out.setToolTip(
            "'Explain all cells' leaves out the cells that the classifier was trained on, and "
            "others of their groups, where the classifier knows them and any other is left. "
            "Default: on"
        )
        self.by_channel = QCheckBox("Maps of each channel")
        self.by_channel.setToolTip(
            "Also one layer with the maps of each channel and a slider for the channel; takes "
            "twice as long. Default: off"
        )
        self.run_time = RunTimeLine(viewer.theme)
        self.line = QLabel(HINT)
        self.line.setWordWrap(True)
        self.buttons = QWidget()
        row = QHBoxLayout()
        row.addWidget(self.chosen_button, 1)
        row.addWidget(self.none_button)
        row.addWidget(self.all_button, 1)
        column = QVBoxLayout(self.buttons)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.held_out)
        column.addWidget(self.by_channel)
        column.addWidget(self.run_time)
        column.addWidget(self.line)
        column.addWidget(task_bar)
        task_bar.cancel.clicked.connect(self._stopped)
        task.started.connect(self.fill)
        task.ended.connect(self.fill)

    # ---------------------------------------------------------------- choosing

    @property
    def chosen(self) -> tuple[int, ...]:
        """Cells of this field of view that were clicked with Shift, or whose point is selected."""
        return tuple(dict.fromkeys([*self._picked, *self._selected_points()]))

    def _selected_points(self) -> list[int]:
        session = self._session
        cells, shown = session.cells, session.shown
        if cells is None or shown is None or not isinstance(shown.objects, Points):
            return []
        if layers.is_own(shown.objects):
            return []
        in_field = (cells.table["field"] == shown.field).to_numpy()
        numbers = cells.table["object"].to_numpy(np.int64)
        selected = np.isin(numbers, sorted(shown.objects.selected_data))
        return [int(cell) for cell in np.flatnonzero(in_field & selected)]

    def choose(self, cell: int) -> None:
        """Choose a cell, or take it out again."""
        if cell in self._picked:
            del self._picked[cell]
        else:
            self._picked[cell] = None
        self._mark()

    def choose_none(self) -> None:
        """Clear the selection."""
        self._picked.clear()
        self._mark()

    def _mark(self) -> None:
        session = self._session
        if session.cells is not None and session.shown is not None:
            layers.ring_cells(self._viewer, ROLE, session.cells, session.shown, tuple(self._picked))
        self.fill()

    # ---------------------------------------------------------------- explaining

    def explain_chosen(self) -> None:
        """Explain the chosen cells."""
        chosen = self.chosen
        if chosen:
            self._explain(chosen)
        else:
            self._notice.say(f"No cell is selected. {HINT}")

    def explain_all(self) -> None:
        """Explain every cell of this field of view."""
        cells, shown = self._session.cells, self._session.shown
        if cells is not None and shown is not None:
            indices = np.flatnonzero((cells.table["field"] == shown.field).to_numpy())
            only: Only = "held-out" if self.held_out.isChecked() else "all"
            self._explain([int(cell) for cell in indices], only)

    def _explain(self, chosen: Sequence[int], only: Only = "all") -> None:
        session = self._session
        cells, shown, trained = session.cells, session.shown, session.trained
        if cells is None or shown is None or trained is None:
            return
        if not shown.is_in(self._viewer.layers):
            self._fail(LAYERS_GONE)
            return
        shape = cells.fields[shown.field].shape
        channels = trained.classifier.channels if self.by_channel.isChecked() else ()
        needed = 4 * len(chosen) * len(channels) * cells.crop**2
        if needed > MOST_BYTES:
            self._fail(
                f"Maps of {len(channels)} channels of {len(chosen):,} cells would take "
                f"{needed / 2**30:.1f} GiB: select fewer cells, switch 'Maps of each channel' off, "
                "or use the command 'explain', which writes them to files"
            )
            return
        self.maps = None
        self.task.stop()
        images = self._maps.lay_field(shown, shape)
        by_channel = self._maps.lay_field_channels(shown, shape, channels)
        # In the way of what is to be looked at now.
        self._maps.clear_cell()
        self._leave_cell()
        settings = merged(ExplainSettings, self._question(), {"only": only})
        centres = cells.centres

        def following(left: IntArray) -> IntArray:
            """Those in sight first, also where the view moved since."""
            return left[layers.nearest_in_sight(centres[left], self._maps.in_sight())]

        job = field_maps_job(
            self._sources, trained, cells, chosen, settings, images, following, by_channel
        )
        self.task.run(
            f"explaining {counted(len(chosen), 'cell')}",
            self._turns.long(job),
            self._done,
            on_update=self._updated,
            on_error=self._fail,
            work=self._work(len(chosen)),
        )

    def _fail(self, line: str) -> None:
        self._notice.say(line, "error")

    def _updated(self, update: Update) -> None:
        maps = update.progress.partial
        if maps is not None and (self.maps is None or maps.done > self.maps.done):
            self._maps.show_field(maps)
        self.maps = maps or self.maps

    def _done(self, maps: Any) -> None:
        self._maps.show_field(maps)
        self.maps = maps
        explained = counted(maps.done, "cell", "are")
        lines = (f"{explained} explained in the layer 'explanations'.", *maps.warnings)
        self._notice.say("\n".join(lines), "warning" if maps.warnings else "good")

    def _stopped(self) -> None:
        """Say how far it came when the user stopped it."""
        if self.maps is None or not self.maps.done:
            self._notice.say("Stopped before the first cell was explained.")
            return
        done, total = self.maps.done, self.maps.total
        self._notice.say(
            f"Stopped: {done} of {total} cells are explained, and stay in the layer "
            "'explanations'; the others are empty there."
        )

    # ---------------------------------------------------------------- what is there

    def forget(self) -> None:
        """Another field of view or other cells are shown."""
        self.task.stop()
        self._picked.clear()
        self.maps = None
        self._mark()

    def fill(self, _: object = None) -> None:
        """Bring buttons up to date."""
        busy = self.task.busy
        count = len(self._picked)
        self.chosen_button.setText(f"Explain selected ({count})" if count else "Explain selected")
        self.chosen_button.setEnabled(not busy)
        self.all_button.setEnabled(not busy)
        self.none_button.setVisible(bool(count))
        self._fill_run_time(count, busy)

    def _work(self, count: int) -> Workload | None:
        cells, trained = self._session.cells, self._session.trained
        if cells is None or trained is None:
            return None
        return explain_workload(trained.classifier, count, cells.crop, self._question().method)

    def _fill_run_time(self, chosen: int, busy: bool) -> None:
        """Say how long the maps take: of the cells chosen, or of all of this field of view."""
        cells, shown = self._session.cells, self._session.shown
        if cells is None or shown is None or busy:
            self.run_time.show_work(None)
            return
        count = chosen or int((cells.table["field"] == shown.field).sum())
        subject = f"{'Selected' if chosen else 'All'} {counted(count, 'cell')}"
        self.run_time.show_work(self._work(count) if count else None, subject)
