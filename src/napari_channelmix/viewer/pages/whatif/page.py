"""Page 'What if': change a cell on purpose, and see what the classifier says then.

1. What holds for all cells, such as the ranges of the edits, is found once (`edit_source`).
2. A click opens a cell (`opened_cell`); a worker reads it and asks about it as it is.
3. A slider edits its pixels and asks again, before the window is painted (`live_edit`).
4. The search for the smallest change sets the sliders.
5. All held-out cells are asked about on the second tab (`all_cells`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QHBoxLayout, QTabBar, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.charts.class_legend import session_palette
from napari_channelmix.viewer.page_parts.cell_page import CellPage
from napari_channelmix.viewer.page_parts.chance_note import ChanceNote
from napari_channelmix.viewer.page_parts.prerequisites import Needs
from napari_channelmix.viewer.page_parts.prior_menu import explained_prior
from napari_channelmix.viewer.pages.whatif.cell_pictures import looks_of_channels
from napari_channelmix.viewer.pages.whatif.cell_tab import CellTab
from napari_channelmix.viewer.pages.whatif.edit_layers import EditLayers
from napari_channelmix.viewer.pages.whatif.edit_source import (
    EditSource,
    edit_source_job,
    open_cell_job,
    smallest_change_job,
)
from napari_channelmix.viewer.pages.whatif.live_edit import LiveEdit
from napari_channelmix.viewer.pages.whatif.opened_cell import smallest_text
from napari_channelmix.viewer.pages.whatif.runs import TABS, runs_of
from napari_channelmix.viewer.selection.click_mode import ClickMode, ClickWords
from napari_channelmix.viewer.selection.navigation import Going
from napari_channelmix.viewer.session.cell_sources import Sources
from napari_channelmix.viewer.session.classifier_fit import reason_not_fitting
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    import napari

    from napari_channelmix.data import Cells
    from napari_channelmix.data.crop_rendering import Look
    from napari_channelmix.viewer.pages.whatif.opened_cell import OpenedCell
    from napari_channelmix.viewer.session.trained import Trained
    from napari_channelmix.whatif.crops import CellCrops
    from napari_channelmix.whatif.smallest_change import CellChanges

__all__ = ["WhatIfPage"]

WORDS = ClickWords(
    on="Click a cell to edit",
    off="Edit cells by a click",
    tip="While this is on and the page in front, a click on a cell opens it for edits; a drag "
    "still moves the image",
    does="edit",
)


class WhatIfPage(CellPage):
    """One cell, then all cells."""

    # Two jobs on one network would switch its modes under each other.
    one_thread = True

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.needs = Needs(self.viewer, self.session)
        self.chance = ChanceNote()
        self.toggle = ClickMode(
            self.viewer, self.session, WORDS, self._ready, self._clicked, self._missed
        )
        self.tabs = QTabBar()
        self.cell_tab = CellTab(self.viewer.theme)
        self.runs = runs_of(self)
        self.pages: tuple[QWidget, ...] = (self.cell_tab, *(run.tab for run in self.runs))
        self.live = LiveEdit(self)
        self.layers = EditLayers(self, self.cell_tab)
        self.sources = Sources()
        self.going = Going(self.viewer, self.session, self.fail)
        # For classifiers that take too long on the thread of the window. It has no bar: one that
        # comes and goes with each move of a slider would move the slider.
        self.asking = asking = Task(self.session, one_thread=True)
        self.destroyed.connect(lambda *_: asking.abandon())
        self.source: EditSource | None = None
        self._build()
        self._connect()
        self._cells_changed()
        self._trained_changed()
        self._shown_changed()

    def _build(self) -> None:
        for title, tip in TABS:
            self.tabs.setTabToolTip(self.tabs.addTab(title), tip)
        self.tabs.setAccessibleName("Parts of the page")
        self.choice = QWidget()
        row = QHBoxLayout(self.choice)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.toggle, 1)
        row.addWidget(self.number)
        self.column.addWidget(self.needs)
        self.column.addWidget(self.chance)
        self.column.addWidget(self.tabs)
        self.column.addWidget(self.choice)
        for page in self.pages:
            self.column.addWidget(page)
        self.column.addStretch(1)
        self.turn(0)

    def _connect(self) -> None:
        self.tabs.currentChanged.connect(self.turn)
        self.number.valueChanged.connect(self.go)
        self.cell_tab.moved.connect(self._moved)
        self.cell_tab.smallest_requested.connect(self.find_smallest)
        self.live.edited.connect(self._edited)
        self.live.answered.connect(self.cell_tab.show_answer)
        self.live.slow.connect(self._ask_slowly)
        self.live.failed.connect(self.fail)
        session = self.session
        self.follow(session.replaced, self._forget)
        self.follow(session.cells_changed, self._cells_changed)
        self.follow(session.shown_changed, self._shown_changed)
        self.follow(session.display.changed, self._looks_changed)
        self.follow(session.trained_changed, self._trained_changed)
        self.follow(session.prior_changed, self._prior_changed)
        self.follow(session.predictions_changed, self._prior_changed)
        self.follow(session.running_changed, self._fill)
        self.follow(session.selected_changed, self._selected_changed)
        self.follow(session.painting_changed, self.toggle.give_way)
        self.follow(session.freeing, self._free)
        self.follow(self.viewer.events.theme, self._theme_changed)

    def turn(self, index: int) -> None:
        """Show one of the tabs."""
        self._fill()

    # ---------------------------------------------------------------- opening a cell

    def _ready(self) -> bool:
        return self.session.trained is not None and self.session.shown is not None

    def _clicked(self, cell: int, more: bool) -> None:
        self.open(cell)

    def _missed(self, why: str) -> None:
        self.notice.say(why, "info")

    def go(self, cell: int) -> None:
        """Open a cell, and bring it into the middle of the view."""
        self.open(cell)
        self.going.to(cell)

    def open(self, cell: int) -> None:
        """Open a cell for edits."""
        cells, trained = self.session.cells, self.session.trained
        if cells is None or trained is None or reason_not_fitting(self.session):
            return
        with QSignalBlocker(self.number):
            self.number.setValue(cell)
        self.cell = cell
        self._stop()
        self.notice.clear_line()
        self.layers.clear()
        self.tabs.setCurrentIndex(0)
        self.cell_tab.begin(cell_name(cells, cell))
        if self.session.selected[:1] != (cell,):
            self.session.select(cell)
        self.task.run(
            "opening the cell",
            self._open_job(trained, cells, cell),
            self._opened,
            on_error=self._not_opened,
        )

    def _open_job(self, trained: Trained, cells: Cells, cell: int) -> Job[Any]:
        """The cell; before the first one, what holds for all."""
        prior = explained_prior(self.session)
        source, sources = self.source, self.sources

        def job() -> Job[Any]:
            ready = source
            if ready is None or ready.trained is not trained or ready.prior != prior:
                ready = yield from edit_source_job(trained, cells, prior)
            opened = yield from open_cell_job(ready, sources, cells, cell)
            return ready, opened

        return job()

    def _opened(self, result: tuple[EditSource, OpenedCell]) -> None:
        self.source, opened = result
        cells = self.session.cells
        if cells is None:
            return
        if self.source.prior != explained_prior(self.session):
            # Another one was chosen while the cell was read.
            self.open(opened.cell)
            return
        code = int(cells.labels[opened.cell])
        label = cells.classes[code] if code >= 0 else ""
        self.cell_tab.show_palette(session_palette(self.session))
        self.cell_tab.show_cell(opened, label, self._looks())
        self._fill()

    def _not_opened(self, line: str) -> None:
        self.cell = None
        self.cell_tab.clear()
        self.fail(line)

    def _looks(self) -> tuple[Look | None, ...]:
        """How the channels of the classifier are drawn in the viewer."""
        cells, source = self.session.cells, self.source
        assert cells is not None and source is not None
        looks = layers.looks_of(
            self.viewer, cells, self.session.shown, self.session.display.together
        )
        if source.cells.scaling:
            # Layers show the pixels of the files, the classifier sees others.
            looks = tuple(look and replace(look, low=None, high=None) for look in looks)
        return looks_of_channels(source.cells.channels, cells.channels, looks, source.limits)

    def _selected_changed(self, _: object = None) -> None:
        """A cell was selected elsewhere: it is opened where this page is in front."""
        selected, cells = self.session.selected, self.session.cells
        if not selected or cells is None:
            return
        with QSignalBlocker(self.number):
            self.number.setValue(selected[0])
        if selected[0] != self.cell and self.toggle.front and self.toggle.isChecked():
            self.open(selected[0])

    # ---------------------------------------------------------------- edits

    def _moved(self) -> None:
        opened = self.cell_tab.opened
        if opened is not None:
            self.live.ask(opened, self.cell_tab.moves, self.cell_tab.scope)

    def _edited(self, crops: CellCrops) -> None:
        self.cell_tab.show_edit(crops)
        self.layers.follow_edit()

    def _ask_slowly(self, opened: OpenedCell, crops: CellCrops) -> None:
        """Ask in a worker; of several edits the last one is asked about."""

        def job() -> Job[Any]:
            yield Progress(0, 1, "asking the classifier")
            return opened.asker(crops.pixels)[0]

        def answered(after: Any) -> None:
            if self.cell_tab.opened is opened:
                self.cell_tab.show_answer(after)

        self.asking.run("asking the classifier", job(), answered, on_error=self.fail)

    def find_smallest(self) -> None:
        """Look for the smallest change that flips the cell, and put the sliders there."""
        source, opened, scope = self.source, self.cell_tab.opened, self.cell_tab.scope
        if source is None or opened is None:
            return

        def answered(changes: CellChanges) -> None:
            if self.cell_tab.opened is not opened:
                return
            first = next(iter(changes.changes), None)
            if first is not None:
                self.cell_tab.show_moves(dict(zip(first.axes, first.amounts, strict=True)), scope)
            lines = smallest_text(changes, opened.classes)
            self.cell_tab.show_sentences(lines, bool(changes.changes))

        self.task.run(
            "finding the smallest change",
            smallest_change_job(source, opened, scope),
            answered,
            on_error=self.fail,
        )

    # ---------------------------------------------------------------- what is there

    def _stop(self) -> None:
        self.task.stop()
        self.asking.stop()
        self.live.drop()

    def _forget(self, _: object = None) -> None:
        """Nothing that was found holds any more."""
        self._stop()
        self.source, self.cell = None, None
        self.sources.forget()
        self.layers.clear()
        self.cell_tab.clear()
        self.runs.forget()

    def _free(self, freed: list[int]) -> None:
        if not any(task.busy for task, _ in self.tasks):
            self.sources.forget()

    def _shown_changed(self, _: object = None) -> None:
        # Layers of another field of view would lie on other cells.
        self.layers.clear()
        self.follow_images(("visible", "colormap", "contrast_limits", "gamma"), self._looks_changed)
        self._fill()
        self._warm_up()

    def _looks_changed(self, _: object = None) -> None:
        if self.source is not None and self.session.cells is not None:
            self.cell_tab.show_looks(self._looks())

    def _trained_changed(self, _: object = None) -> None:
        self._forget()
        self.chance.show_trained(self.session.trained)
        self._fill()
        self._warm_up()

    def _prior_changed(self, _: object = None) -> None:
        """The cell is asked about anew where its probabilities are others now."""
        source = self.source
        self.runs.all_cells.show()
        if source is not None and source.prior != explained_prior(self.session):
            cell = self.cell
            self._forget()
            if cell is not None:
                self.open(cell)

    def _warm_up(self) -> None:
        """Find what holds for all cells before one is clicked."""
        trained, cells = self.session.trained, self.session.cells
        if trained is None or cells is None or not self.toggle.front or self.task.busy:
            return
        if self.source is None and not reason_not_fitting(self.session):
            self.task.run(
                "getting ready",
                edit_source_job(trained, cells, explained_prior(self.session)),
                self._warm,
                on_error=self.fail,
            )

    def _warm(self, source: EditSource) -> None:
        self.source = source
        self._selected_changed()

    def _fill(self, _: object = None) -> None:
        ready = self.needs.fill()
        palette = session_palette(self.session)
        self.cell_tab.show_palette(palette)
        self.runs.fill(palette)
        current = self.tabs.currentIndex()
        self.tabs.setVisible(ready and len(self.pages) > 1)
        self.choice.setVisible(ready and current == 0)
        for index, page in enumerate(self.pages):
            page.setVisible(ready and index == current)
        self.toggle.fit()

    def front_changed(self, front: bool) -> None:
        """Listen to clicks while in front of the other docks."""
        self.toggle.come_to_front(front)
        if front:
            self._warm_up()
            self._selected_changed()

    def _theme_changed(self, event: Any) -> None:
        self.cell_tab.follow_theme(self.viewer.theme)
        self.runs.follow_theme(self.viewer.theme)

    def halt(self) -> None:
        """Stop every work of this page, and listening."""
        super().halt()
        self.live.drop()
        self.asking.stop()
        self.going.task.stop()
        self.toggle.clicks.switch(False)
