"""Page 'Pixels': click a cell, see which pixels made the classifier call it that.

1. A click tells which cell; what was at work is stopped, and its answers are dropped (`Task`).
2. An empty map is laid on the cell, unless the answer is known from before.
3. A worker reads the cell, explains it and tests the map (`explaining`).
4. What it knows so far becomes the session's explanation, at most 20 times a second.
5. Layers, pictures and figures are brought up to date with that, in place.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.viewer.charts.class_legend import session_palette
from napari_channelmix.viewer.page_parts.base_page import form, group
from napari_channelmix.viewer.page_parts.cell_page import CellPage
from napari_channelmix.viewer.page_parts.chance_note import ChanceNote
from napari_channelmix.viewer.page_parts.prerequisites import Needs
from napari_channelmix.viewer.page_parts.prior_menu import explained_prior
from napari_channelmix.viewer.page_parts.training_controls import follow_seed
from napari_channelmix.viewer.pages.pixels.batch_panel import ManyCells
from napari_channelmix.viewer.pages.pixels.cache import ExplanationCache
from napari_channelmix.viewer.pages.pixels.cell_panel import ResultPanel
from napari_channelmix.viewer.pages.pixels.cell_zoom import CellZoom
from napari_channelmix.viewer.pages.pixels.comparison_job import compare_job
from napari_channelmix.viewer.pages.pixels.comparison_panel import ComparisonPanel
from napari_channelmix.viewer.pages.pixels.explain_job import explain_cell_job, warm_job
from napari_channelmix.viewer.pages.pixels.explain_mode import ExplainMode
from napari_channelmix.viewer.pages.pixels.explanation_layers import ExplanationLayers
from napari_channelmix.viewer.pages.pixels.mean_maps_panel import MeanMapsPanel
from napari_channelmix.viewer.pages.pixels.question_form import QuestionForm, compared
from napari_channelmix.viewer.pages.pixels.reliability_panel import ReliabilityPanel
from napari_channelmix.viewer.session.cell_sources import Sources
from napari_channelmix.viewer.session.preferences import PREFERENCES
from napari_channelmix.viewer.tasks.redraw_pace import Pace
from napari_channelmix.viewer.tasks.turns import Turns

if TYPE_CHECKING:
    import napari

    from napari_channelmix.viewer.session.explanation import Explanation, Question
    from napari_channelmix.viewer.tasks.task import Update

__all__ = ["PixelsPage"]


class PixelsPage(CellPage):
    """Ask, see, trust or not, compare, and go on to many cells."""

    # Two jobs on one network would switch its modes under each other.
    one_thread = True

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.needs = Needs(self.viewer, self.session)
        self.chance = ChanceNote()
        self.toggle = ExplainMode(self.viewer, self.session, self._clicked, self._missed)
        self.zoom = CellZoom(self.viewer, self.session, self.fail)
        self.question = QuestionForm(self)
        self.result = ResultPanel(self.viewer.theme)
        self.reliability = ReliabilityPanel(self.viewer.theme)
        self.comparison = ComparisonPanel()
        self.layers = ExplanationLayers(self.viewer, in_turns=True)
        self.sources = Sources()
        self.turns = Turns()
        self.many = ManyCells(
            self.viewer,
            self.session,
            *self.add_task(one_thread=True),
            self.turns,
            self.notice,
            self.layers,
            self.sources,
            question=lambda: self.current_question,
            leave_cell=self._leave_cell,
        )
        self.means = MeanMapsPanel(
            self.session,
            *self.add_task(one_thread=True),
            self.turns,
            self.sources,
            question=lambda: self.current_question,
            failed=self.fail,
        )
        self.cache = ExplanationCache(PREFERENCES.now.cache_bytes)
        self.pace = Pace()
        # The classifier that was tried, so that the first click need not wait for PyTorch.
        self._warm: Any = None
        follow_seed(self, self.question.seed)
        self._build()
        self._connect()
        self._cells_changed()
        self._trained_changed()

    def _build(self) -> None:
        self.column.addWidget(self.needs)
        self.column.addWidget(self.chance)
        # Which cell stays on top, whatever stands below it.
        self.choice = QWidget()
        rows = form()
        rows.addRow("Cell", self.number)
        inside = QVBoxLayout(self.choice)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.addWidget(self.toggle)
        inside.addLayout(rows)
        inside.addWidget(self.zoom)
        self.column.addWidget(self.choice)
        question_box, inside = group("Cell and method")
        rows = form()
        self.question.add_to(rows)
        inside.addLayout(rows)
        inside.addWidget(self.question.separate)
        inside.addWidget(self.question.more())
        self.boxes = [question_box]
        for title, content in (
            ("Map and prediction", self.result),
            ("Reliability", self.reliability),
            ("Other methods", self.comparison),
            ("Mean maps", self.means),
            ("Many cells", self.many.buttons),
        ):
            box, inside = group(title)
            inside.addWidget(content)
            self.boxes.append(box)
        for box in self.boxes:
            self.column.addWidget(box)
        self.column.addStretch(1)

    def _connect(self) -> None:
        self.number.valueChanged.connect(self.explain)
        self.zoom.button.clicked.connect(lambda: self.zoom.to(self.cell))
        self.question.changed.connect(self._question_changed)
        self.result.switch.changed.connect(self._view_changed)
        self.result.tiles.channel_chosen.connect(self.show_channel)
        self.result.contributions.bars.make_pressable()
        self.result.contributions.bars.chosen.connect(self._bar_chosen)
        self.layers.channel_changed.connect(self.result.tiles.frame)
        self.comparison.comparison_requested.connect(self.compare)
        self.task_bar.cancel.clicked.connect(self._cancelled)
        self.task.ended.connect(self._fill)
        self.follow(self.session.replaced, self._forget)
        self.follow(self.session.cells_changed, self._cells_changed)
        self.follow(self.session.shown_changed, self._shown_changed)
        self.follow(self.session.trained_changed, self._trained_changed)
        self.follow(self.session.prior_changed, self._prior_changed)
        self.follow(self.session.predictions_changed, self._prior_changed)
        self.follow(self.session.running_changed, self._fill)
        self.follow(self.session.selected_changed, self._selected_changed)
        self.follow(self.session.painting_changed, self.toggle.give_way)
        self.follow(self.session.explanation_changed, self._explanation_changed)
        self.follow(self.session.display.changed, self.means.draw)
        self.follow(self.viewer.events.theme, self._theme_changed)
        self.follow(
            PREFERENCES.changed, lambda preferences: self.cache.resize(preferences.cache_bytes)
        )
        self.follow(self.session.freeing, self._free)

    # ---------------------------------------------------------------- clicks

    def _clicked(self, cell: int, more: bool) -> None:
        if more:
            self.many.choose(cell)
        else:
            self.zoom.clicked_on(cell)
            self.explain(cell)

    def _missed(self, why: str) -> None:
        self.notice.say(why, "info")

    def explain(self, cell: int) -> None:
        """Explain a cell of the field of view that is shown."""
        cells, shown, trained = self.session.cells, self.session.shown, self.session.trained
        if cells is None or shown is None or trained is None or shown.reference is None:
            return
        where = cells.table.iloc[cell]
        if int(where["field"]) != shown.field:
            self._missed(
                f"Cell {cell_name(cells, cell)} is in another field of view: show that first, on "
                "the page 'Data'."
            )
            return
        with QSignalBlocker(self.number):
            self.number.setValue(cell)
        # What is about to be explained is not asked for once more.
        self.cell, question = cell, self.current_question
        self._order_boxes()
        if self.session.selected[:1] != (cell,):
            self.session.select(cell)
        known = self.cache.get((cell, question))
        self.task.stop()
        self.notice.clear_line()
        self.session.explanation = None
        self.result.begin(cell_name(cells, cell))
        box = cells.boxes[cell].tolist()
        separate = question.channels == "separate"
        channels = trained.classifier.channels if separate else ()
        self.layers.lay(
            shown, box, (cells.crop, cells.crop), cells.fields[shown.field].shape, channels
        )
        if known is not None:
            # Labels may have been painted since: what they say of the model is then another.
            doubts = self.sources.doubts(trained, cells)
            known = replace(known, doubts=doubts or ())
            self._known(known)
            if known.reliability is not None and doubts is not None:
                return
        self.task.run(
            "explaining the cell",
            self.turns.short(explain_cell_job(self.sources, trained, cells, cell, question, known)),
            self._known,
            on_update=self._updated,
            on_error=self.fail,
        )

    @property
    def current_question(self) -> Question:
        """What is asked of each cell, with the prior of the session."""
        return replace(self.question.question, prior=explained_prior(self.session))

    def _selected_changed(self, _: object = None) -> None:
        """A cell was selected elsewhere: it is explained where this dock is in front."""
        selected, cells = self.session.selected, self.session.cells
        if not selected or cells is None:
            return
        with QSignalBlocker(self.number):
            self.number.setValue(selected[0])
        if selected[0] == self.cell:
            return
        shown = self.session.shown
        in_view = shown is not None and int(cells.table["field"].iloc[selected[0]]) == shown.field
        if in_view and self.toggle.front and self.toggle.isChecked():
            self.explain(selected[0])

    def _updated(self, update: Update) -> None:
        explanation, shown = update.progress.partial, self.session.explanation
        if explanation is None or explanation is shown:
            return
        refined = shown is not None and shown.map is not None and explanation.attribution is None
        if not refined or self.pace.ready():
            self.pace.begin()
            self._known(explanation)

    def _known(self, explanation: Explanation) -> None:
        if explanation.attribution is not None:
            self.cache.put((explanation.cell, explanation.question), explanation)
        self.session.explanation = explanation

    def _explanation_changed(self, _: object = None) -> None:
        explanation, cells = self.session.explanation, self.session.cells
        if explanation is not None and cells is not None:
            code = int(cells.labels[explanation.cell])
            self.result.show_explanation(explanation, cells.classes[code] if code >= 0 else "")
            self.layers.show(explanation)
        self.reliability.show_explanation(explanation)
        if explanation is None:
            self.comparison.clear()
            self.result.clear()
        self._fill()

    def _question_changed(self) -> None:
        if self.cell is not None:
            self.explain(self.cell)

    def _view_changed(self, _: str) -> None:
        """Other evidence is shown, everywhere on this page and in its layers."""
        view = self.result.switch.view
        self.layers.show_view(view, self.session.explanation)
        self.comparison.show_view(view)
        self.means.show_view(view)

    def show_channel(self, channel: str) -> None:
        """Bring the map of a channel into the picture; once more: that of all channels."""
        explanation = self.session.explanation
        if explanation is None or explanation.question.channels != "separate":
            return
        self.layers.show_channel("" if channel == self.layers.channel else channel)
        self.result.tiles.frame(self.layers.channel)

    def _bar_chosen(self, row: int) -> None:
        self.show_channel(self.result.contributions.bars.rows[row].name)

    def _cancelled(self) -> None:
        """The user stopped it; what is there stays and is not more than it is."""
        explanation = self.session.explanation
        if explanation is None:
            return
        if explanation.attribution is None:
            self.notice.say("Stopped; the map is not finished. Click the cell to start again.")
        elif explanation.reliability is None:
            self.reliability.stopped(explanation)

    # ---------------------------------------------------------------- other methods

    def compare(self) -> None:
        """Explain the cell by several methods."""
        session = self.session
        explanation, trained, cells = session.explanation, session.trained, session.cells
        if explanation is None or trained is None or cells is None:
            return
        methods = compared(trained.classifier)
        self.comparison.begin(explanation, methods, self.session.display.channels)
        self.task.run(
            "comparing methods",
            self.turns.short(compare_job(self.sources, trained, cells, explanation, methods)),
            self.comparison.show_answers,
            on_update=self._compared,
            on_error=self.fail,
        )

    def _compared(self, update: Update) -> None:
        if update.progress.partial is not None:
            self.comparison.show_answers(update.progress.partial)

    # ---------------------------------------------------------------- what is there

    def _forget(self, _: object = None) -> None:
        """Nothing that was found holds any more."""
        self.task.stop()
        self.cache.clear()
        self.means.forget()
        self.sources.forget()
        self._leave()

    def _free(self, freed: list[int]) -> None:
        """Maps that are kept can be made again."""
        freed.append(self.cache.nbytes)
        self.cache.clear()
        if not any(task.busy for task, _ in self.tasks):
            self.sources.forget()
            self._warm = None

    def _leave(self) -> None:
        """Nothing of the cells that were looked at is left in sight."""
        self._leave_cell()
        self.layers.clear()
        self.many.forget()

    def _leave_cell(self) -> None:
        self.task.stop()
        self.cell = None
        self.session.explanation = None
        self.result.empty()

    def _shown_changed(self, _: object = None) -> None:
        # Maps of another field of view lie on other cells, and so do lines about them.
        self.task.stop()
        self.notice.clear_line()
        self._leave()
        self._fill()
        self._warm_up()

    def _trained_changed(self, _: object = None) -> None:
        trained = self.session.trained
        self._forget()
        self.question.fill(None if trained is None else trained.classifier)
        self.chance.show_trained(trained)
        self._fill()
        self._warm_up()

    def _prior_changed(self, _: object = None) -> None:
        """The cell in sight is answered anew where its probabilities are others now."""
        explanation = self.session.explanation
        if (
            explanation is not None
            and self.cell is not None
            and explanation.question != self.current_question
        ):
            self.explain(self.cell)

    def _warm_up(self) -> None:
        """Load PyTorch and try the network before it is asked."""
        trained, cells = self.session.trained, self.session.cells
        if trained is None or cells is None or not self.toggle.front or self.task.busy:
            return
        if self._warm is not trained:
            self._warm = trained
            job = warm_job(self.sources, trained, cells)
            self.task.run("getting ready", self.turns.short(job), lambda _: None)

    def _fill(self, _: object = None) -> None:
        ready = self.needs.fill()
        explanation = self.session.explanation
        self.result.show_palette(session_palette(self.session))
        # All at once and for good: what appears with a click would make the rest jump.
        for part in (self.choice, *self.boxes):
            part.setVisible(ready)
        self._order_boxes()
        finished = explanation is not None and explanation.attribution is not None
        self.comparison.button.setEnabled(finished and not self.task.busy)
        self.many.fill()
        self.toggle.fit()

    def _order_boxes(self) -> None:
        """The answer and its reliability above the question, once a cell was chosen."""
        question, answer, reliability, *others = self.boxes
        first = (question, answer, reliability)
        if self.cell is not None:
            first = (answer, reliability, question)
        self.arrange(*first, *others)

    def front_changed(self, front: bool) -> None:
        """Listen to clicks while in front of the other docks."""
        self.toggle.come_to_front(front)
        if front:
            self._warm_up()
            self._selected_changed()

    def _theme_changed(self, event: Any) -> None:
        self.many.run_time.follow_theme(self.viewer.theme)
        self.result.follow_theme(self.viewer.theme)
        self.reliability.follow_theme(self.viewer.theme)

    def halt(self) -> None:
        """Stop every work of this dock, and listening."""
        super().halt()
        self.layers.drop()
        self.toggle.clicks.switch(False)
