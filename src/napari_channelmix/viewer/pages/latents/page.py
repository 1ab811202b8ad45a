"""Page 'Latents': what a cell is along named axes, and how far to trust the names.

1. Run finds the latents of all cells, which become the session's (`latents.work`).
2. A click tells which cell; its pictures, sliders and marks follow, here and in the viewer.
3. A slider moves the cell along an axis; the decoder draws what comes of it (`latents.drawing`).
4. Points, pictures and bars that are clicked tell of cells in the same way as the viewer does.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, QTimer
from qtpy.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from napari_channelmix.settings.workload import latents_workload
from napari_channelmix.viewer.page_parts.base_page import Page, group
from napari_channelmix.viewer.page_parts.removed_layers import Removals
from napari_channelmix.viewer.page_parts.run_time_line import RunTimeLine
from napari_channelmix.viewer.page_parts.training_controls import follow_seed
from napari_channelmix.viewer.pages.latents.form import LatentsForm
from napari_channelmix.viewer.pages.latents.latent_layers import GRID, SCORES, LatentLayers
from napari_channelmix.viewer.pages.latents.latents_job import find_latents_job
from napari_channelmix.viewer.pages.latents.real_cell_reading import RealCellReading
from napari_channelmix.viewer.pages.latents.results import Pages
from napari_channelmix.viewer.selection.click_mode import ClickMode, ClickWords
from napari_channelmix.viewer.selection.navigation import Going
from napari_channelmix.viewer.session.cell_sources import same_pixels
from napari_channelmix.viewer.session.shown import LAYERS_GONE
from napari_channelmix.viewer.widgets.cell_number import CellNumber
from napari_channelmix.viewer.widgets.notice import Kind, Notice
from napari_channelmix.viewer.widgets.theme import chart_colors

if TYPE_CHECKING:
    import napari

    from napari_channelmix.data import Cells
    from napari_channelmix.drl import Latents
    from napari_channelmix.duration import Workload
    from napari_channelmix.settings import EncodingSettings
    from napari_channelmix.viewer.tasks.task import Update

__all__ = ["LatentsPage"]

WORDS = ClickWords(
    on="Click a cell to inspect",
    off="Inspect cells by a click",
    tip="While this is on and the page in front, a click on a cell shows its latents; a drag "
    "still moves the image",
    does="look at",
)
# How the line begins that names the axes along which there is nothing to see.
ALIKE = "the same in all cells"
# Milliseconds in which changes of classes are gathered: a drag over cells makes many.
PAUSE = 80


class LatentsPage(Page):
    """Settings, then three pages on what was found."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.settings = LatentsForm(self.session)
        self.run_time = RunTimeLine(self.viewer.theme)
        self.warnings = Notice()
        self.resemblance = Notice()
        self.toggle = ClickMode(
            self.viewer, self.session, WORDS, self._ready, self._clicked, self.notice.say
        )
        self.number = CellNumber()
        self.pages = Pages(self.viewer.theme)
        self.layers = LatentLayers(self.viewer)
        self.going = Going(self.viewer, self.session, self.fail)
        self.reading = RealCellReading(self, self.pages.cell_tab, lambda: self.toggle.front)
        # The cell that is looked at.
        self.cell: int | None = None
        # What tells of the looks of the channels that are shown.
        self._seen: Latents | None = None
        # The data set that a run is of; another may be in use meanwhile.
        self._running = 0
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE)
        self._soon.timeout.connect(self._reclass)
        follow_seed(self, self.settings.seed)
        self._build()
        self._connect()
        self._shown_changed()
        self._latents_changed()

    def _build(self) -> None:
        self.settings_box, inside = group("Compute the latents of all cells")
        inside.addWidget(self.settings)
        inside.addWidget(self.run_time)
        self.column.addWidget(self.settings_box)
        self.column.addWidget(self.warnings)
        self.column.addWidget(self.resemblance)
        self.results_box = QWidget()
        self.column.addWidget(self.results_box)
        self.column.addStretch(1)
        column = QVBoxLayout(self.results_box)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        row = QHBoxLayout()
        row.addWidget(self.toggle, 1)
        row.addWidget(self.number)
        column.addLayout(row)
        column.addWidget(self.pages)

    def _connect(self) -> None:
        self.settings.run_requested.connect(self.start)
        self.settings.settings.changed.connect(self._fill_run_time)
        self.settings.finetune.toggled.connect(self._fill_run_time)
        self.settings.draws.toggled.connect(self._fill_run_time)
        self.number.valueChanged.connect(self.go)
        self.pages.cell_chosen.connect(self.go)
        self.pages.cell_tab.grid_requested.connect(self.show_grid)
        self.pages.cell_tab.grid_removal_requested.connect(self._take_grid_away)
        self.pages.cells_tab.coloring_changed.connect(self._color)
        session = self.session
        self.follow(session.cells_changed, self._cells_changed)
        self.follow(session.shown_changed, self._shown_changed)
        self.follow(session.latents_changed, self._latents_changed)
        self.follow(session.trained_changed, self._trained_changed)
        self.follow(session.importance_changed, self._fill)
        self.follow(session.running_changed, self._fill)
        self.follow(session.replaced, self._forget)
        self.follow(session.selected_changed, self._selected_changed)
        self.follow(session.painting_changed, self.toggle.give_way)
        self.follow(self.viewer.events.theme, self._theme_changed)
        self._removals = Removals(self, self._layers_removed)
        self.task.ended.connect(self._ended)

    # ---------------------------------------------------------------- finding

    def start(self) -> None:
        """Find the latents with what was chosen."""
        cells, look = self.session.cells, self.settings.chosen_look
        if cells is not None and look is not None and self.settings.chosen_model is not None:
            self._running, chosen = self.session.data_set, self.settings.value
            self.task.run(
                "computing the latents",
                find_latents_job(cells, chosen, look),
                self._store_latents,
                on_update=self._partial,
                on_error=self.fail,
                data_set=self._running,
                work=_workload(cells, chosen),
            )

    def _partial(self, update: Update) -> None:
        """Cells can be looked at while their classes are still compared.

        What an earlier run found stays until this one is through, so that Cancel changes nothing.
        """
        state = self.session.of(self._running)
        if update.progress.partial is not None and state is not None and state.latents is None:
            self._store_latents(update.progress.partial)

    def _store_latents(self, latents: Latents) -> None:
        state = self.session.of(self._running)
        # Classes may have been painted meanwhile; other cells are another matter.
        if state is not None and same_pixels(state.cells, latents.cells):
            self.session.put(self._running, latents=latents)
            if self._running == self.session.data_set:
                self._reclass()

    def _ended(self, how: str) -> None:
        state = self.session.of(self._running)
        latents = None if state is None else state.latents
        if how == "cancelled" and latents is not None and latents.under_way:
            self.notice.say("Stopped. The latents are kept; the classes were not compared.")
        elif how == "cancelled":
            note = " The earlier result is kept." if latents is not None else ""
            self.notice.say(f"Stopped.{note}")

    # ---------------------------------------------------------------- one cell

    def _ready(self) -> bool:
        return self.session.latents is not None and self.session.shown is not None

    def _clicked(self, cell: int, more: bool) -> None:
        self.look_at(cell)

    def go(self, cell: int) -> None:
        """Look at a cell, and bring it into the middle of the view."""
        self.look_at(cell)
        self.going.to(cell)

    def look_at(self, cell: int) -> None:
        """Show a cell everywhere: its pictures and sliders, its point; it is selected."""
        if self._show_cell(cell):
            self.session.select(cell)

    def _show_cell(self, cell: int) -> bool:
        """Show a cell in this dock; whether there is anything to show of it."""
        latents = self.session.latents
        if latents is None or not 0 <= cell < len(latents.values):
            return False
        self.notice.clear_line()
        self.layers.grid.clear()
        self.cell = cell
        with QSignalBlocker(self.number):
            self.number.setValue(cell)
        self.pages.show_cell(cell)
        self.reading.read(self.cell)
        return True

    def _selected_changed(self, _: object = None) -> None:
        """A cell was selected elsewhere, alone or with others: it is looked at."""
        selected = self.session.selected
        if selected and selected[0] != self.cell:
            self._show_cell(selected[0])

    def show_grid(self) -> None:
        """Add the grid of all axes beside the field of view."""
        latents, shown, cell = self.session.latents, self.session.shown, self.cell
        there = False
        if latents is not None and shown is not None and cell is not None:
            there = self.layers.show_grid(latents, shown, cell, self.viewer.theme)
            if not there:
                self.fail(LAYERS_GONE)
        self.pages.cell_tab.mark_grid(there)

    # ---------------------------------------------------------------- all cells

    def _color(self) -> None:
        latents = self.session.latents
        if latents is not None:
            self.layers.show_scores(latents, self.session.shown, self.pages.cells_tab.coloring)

    def _reclass(self) -> None:
        """The cells were given other classes: what was found of their pixels stands."""
        latents, cells = self.session.latents, self.session.cells
        if latents is not None and cells is not None and latents.cells is not cells:
            self.session.latents = replace(latents, cells=cells)

    # ---------------------------------------------------------------- what is there

    def _cells_changed(self, _: object = None) -> None:
        cells, latents = self.session.cells, self.session.latents
        if latents is not None and same_pixels(cells, latents.cells):
            self._soon.start()
        elif latents is not None:
            self.session.latents = None
        self._fill()

    def _forget(self, _: object = None) -> None:
        """Other cells are about to take the place of these; a run goes on for its own."""
        self.going.task.stop()
        self.reading.task.stop()

    def _latents_changed(self, _: object = None) -> None:
        latents, before, self._seen = self.session.latents, self._seen, self.session.latents
        if latents is not None and before is not None and latents.values is before.values:
            if latents.separation is not before.separation:
                self.pages.show_separation(latents)
                self._trained_changed()
                self.warnings.say(_warnings(latents), "warning")
            self.pages.show_classes(latents)
            return
        again = latents is not None and before is not None
        # The same cells by another model or view: the one that was looked at is looked at again.
        cell = self.cell if again and same_pixels(latents.cells, before.cells) else None
        self.cell = None
        self.layers.clear()
        self.pages.show_latents(latents)
        self._trained_changed()
        self.warnings.say(_warnings(latents), "warning")
        with QSignalBlocker(self.number):
            self.number.show_cells(None if latents is None else latents.cells)
        self.results_box.setVisible(latents is not None)
        self.resemblance.say(*_resemblance(latents))
        result = (self.resemblance, self.warnings, self.results_box)
        self.arrange(
            *((*result, self.settings_box) if latents is not None else (self.settings_box, *result))
        )
        self._in_viewer()
        self._fill()
        if cell is not None:
            self.look_at(cell)
        else:
            self._selected_changed()

    def _shown_changed(self, _: object = None) -> None:
        self._watch()
        self.layers.grid.clear()
        self._in_viewer()
        self._fill()

    def _in_viewer(self) -> None:
        """Ring, colours and columns for the field of view that is shown."""
        latents, shown = self.session.latents, self.session.shown
        if latents is None:
            self.pages.cells_tab.say_columns("")
            return
        self._color()
        self.pages.cells_tab.say_columns(self.layers.write_columns(latents, shown))

    def _trained_changed(self, _: object = None) -> None:
        self.pages.show_accuracies(self.session.trained)
        self.reading.read(self.cell)

    def _take_grid_away(self) -> None:
        self.layers.take_grid_away()
        self.pages.cell_tab.mark_grid(False)

    def _layers_removed(self, roles: frozenset[str]) -> None:
        """The user took layers of ours away: the buttons follow."""
        if any(role.startswith(GRID) for role in roles):
            self.pages.cell_tab.mark_grid(False)
        if SCORES in roles:
            self.pages.cells_tab.uncolor()

    def _watch(self) -> None:
        """Hear of it when channels are hidden or coloured anew: that is what would be looked at."""
        self.follow_images(("visible", "colormap"), self._fill)

    def _fill(self, _: object = None) -> None:
        self.settings.fill(busy=self.task.busy)
        self._fill_run_time()
        self.toggle.fit()

    def _fill_run_time(self, _: object = None) -> None:
        """Say how long a run takes, where it could begin."""
        cells, work = self.session.cells, None
        if cells is not None and self.settings.run.isEnabled():
            chosen = self.settings.value
            work = _workload(cells, chosen)
        self.run_time.show_work(work)

    def front_changed(self, front: bool) -> None:
        """Listen to clicks while in front of the other docks."""
        self.toggle.come_to_front(front)
        if front and self.cell is not None and self.pages.cell_tab.real is None:
            self.reading.read(self.cell)

    def _theme_changed(self, event: Any) -> None:
        self.run_time.follow_theme(self.viewer.theme)
        theme = self.viewer.theme
        self.pages.follow_theme(theme)
        self.layers.grid.follow_theme(chart_colors(theme).text)

    def halt(self) -> None:
        """Stop every work of this dock, and listening."""
        super().halt()
        self.going.task.stop()
        self.reading.task.stop()
        self.toggle.clicks.switch(False)


def _workload(cells: Cells, chosen: EncodingSettings) -> Workload:
    """What a run has to do."""
    steps = chosen.drawing_steps if chosen.drawing == "residual" else 0
    return latents_workload(
        cells,
        chosen.model,
        chosen.finetune,
        pixels=chosen.pixels,
        features=chosen.features,
        drawing_steps=steps,
    )


def _resemblance(latents: Latents | None) -> tuple[str, Kind]:
    """How far the decoder's pictures resemble the cells; empty where it is not known."""
    measured = None if latents is None else latents.reconstruction
    if measured is None or latents is None:
        return "", "info"
    learnt = latents.drawing
    if learnt is not None and learnt.reconstruction is not None:
        good = learnt.reconstruction.sure and not learnt.doubts
        return "\n".join(learnt.lines), "good" if good else "warning"
    return "\n".join(measured.lines), "good" if measured.sure else "warning"


def _warnings(latents: Latents | None) -> str:
    """What is to be minded, a line each.

    What was said when the cells were opened is not said again, nor what stands beside the sliders.
    """
    if latents is None:
        return ""
    known = latents.cells.warnings
    new = [line for line in latents.warnings if line not in known and not line.startswith(ALIKE)]
    return "\n".join(f"• {line[:1].upper()}{line[1:]}" for line in new)
