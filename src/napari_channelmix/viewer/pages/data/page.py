"""Page 'Data': what is looked at, and what a cell is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Labels
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QLabel, QPushButton, QTabBar

from napari_channelmix.data import Cells, open_dataset_job
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.autosave.autosave import autosave_of
from napari_channelmix.viewer.page_parts.base_page import Page, group
from napari_channelmix.viewer.page_parts.data_set_menu import DataSetBox
from napari_channelmix.viewer.pages.data import merging
from napari_channelmix.viewer.pages.data.altered_layers import AlteredLayers
from napari_channelmix.viewer.pages.data.cells_panel import CellsPanel
from napari_channelmix.viewer.pages.data.channels_panel import ChannelsPanel
from napari_channelmix.viewer.pages.data.crop_preview import CropPreview
from napari_channelmix.viewer.pages.data.data_set_channels import DataSetChannels
from napari_channelmix.viewer.pages.data.data_set_choice import DataSetChoice
from napari_channelmix.viewer.pages.data.data_set_scaling import DataSetScaling
from napari_channelmix.viewer.pages.data.data_set_switching import DataSetSwitching
from napari_channelmix.viewer.pages.data.dataset_panel import SAMPLES, DatasetPanel
from napari_channelmix.viewer.pages.data.importing.file_import import FileImport, dropped_paths
from napari_channelmix.viewer.pages.data.layer_cells import CellsPlan, cells_job
from napari_channelmix.viewer.pages.data.layer_fields import (
    in_view,
    moved_on,
    shown_of,
    with_fields,
)
from napari_channelmix.viewer.pages.data.open_jobs import (
    Opened,
    of_source,
    open_cells_job,
    opened_job,
    sample_job,
)
from napari_channelmix.viewer.pages.data.rgb_channels import RgbChannels
from napari_channelmix.viewer.pages.data.segmented_objects import SegmentedObjects
from napari_channelmix.viewer.pages.data.ways_in import WaysIn
from napari_channelmix.viewer.session.slice_follower import move_to_slice
from napari_channelmix.viewer.widgets.notice import breakable
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    import napari
    from qtpy.QtGui import QDragEnterEvent, QDropEvent, QShowEvent

    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels
    from napari_channelmix.viewer.session.data_sets import DataSetState
    from napari_channelmix.viewer.session.shown import Shown
    from napari_channelmix.viewer.widgets.notice import Kind

__all__ = ["DataPage"]

LAYERS = "layers of the viewer"
IN_USE = "The cells that all pages work on"
MORE = (
    "Add the cells of the layers chosen above to the cell set, as another image; their "
    "channels are taken in the same order"
)


class DataPage(Page):
    """From a data-set file or from layers to cells."""

    about_classifier = False

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.setAcceptDrops(True)
        self.summary = QLabel("No cells yet: open a data set, or use the layers of the viewer.")
        self.summary.setWordWrap(True)
        self.summary.setToolTip(IN_USE)
        self.data_sets = DataSetBox(self.session)
        self.switching = DataSetSwitching(
            self.viewer,
            self.session,
            self.task,
            self,
            shown=self._state_shown,
            failed=self._not_switched,
        )
        self.files = FileImport(
            self.viewer,
            self.session,
            self.task,
            self,
            open_file=self.open_file,
            open_cells=self.open_cells,
            points_added=self._points_added,
            failed=self.fail,
        )
        self.origin = QTabBar()
        self.origin.addTab("From files")
        self.origin.addTab("From layers")
        self.origin.setTabToolTip(0, "Folders of images, plates, tables, data-set files")
        self.origin.setTabToolTip(1, "The image layers that are open in the viewer")
        self.dataset = DatasetPanel(self.session)
        self.data_set_channels = DataSetChannels(self.viewer)
        self.data_set_scaling = DataSetScaling(self.viewer)
        self.choice = DataSetChoice(
            self.viewer,
            self.session,
            self.task,
            self.data_set_channels,
            show=self.switching.show_opened,
            say=self.notice.say,
            failed=self.fail,
        )
        self.ways = WaysIn(self.dataset.files_menu, self.viewer.theme)
        self.channels = ChannelsPanel(self.viewer)
        self.cells = CellsPanel(self.viewer)
        self.use = QPushButton("Create cell set")
        self.use.setToolTip(
            "Cut out the cells; all pages then work on them. Press again after correcting the "
            "layers: classes stay with the label of their cell"
        )
        self.more = QPushButton("Add image")
        self.more.setToolTip(MORE)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.autosave = autosave_of(viewer)
        self.preview = CropPreview(self.session)
        self.rgb = RgbChannels(self.viewer, self.channels, self.task, self.fail)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._refill)
        # What layers that came or went propose is not looked at yet; and whether it ever was.
        self._refill_later = self._was_shown = False
        self.task.ended.connect(self._catch_up)
        self.altered = AlteredLayers(self, self._soon.start)
        self._build()
        if self.session.cells is None and self.channels.available:
            # Images are open already: they are what the user came for.
            self.origin.setCurrentIndex(1)
        self.origin.currentChanged.connect(lambda _: self._arrange())
        self.data_sets.chosen.connect(self.switch_to)
        self.data_sets.close_requested.connect(self.close_data_set)
        self.ways.layers_chosen.connect(lambda: self.origin.setCurrentIndex(1))
        self.ways.sample_chosen.connect(lambda: self.open_sample(next(iter(SAMPLES))))
        self.follow(self.viewer.events.theme, self._theme_changed)
        self.dataset.files_chosen.connect(self.files.open)
        self.dataset.sample_chosen.connect(self.open_sample)
        self.dataset.field_chosen.connect(self.show_field)
        self.data_set_channels.chosen.connect(self.choice.use_channels)
        self.data_set_channels.refused.connect(self.fail)
        self.data_set_scaling.chosen.connect(self.choice.use_scaling)
        self.data_set_scaling.refused.connect(self.fail)
        self.channels.changed.connect(self._check)
        self.cells.changed.connect(self._check)
        self.segmentation = self.cells.segmentation
        self.objects = SegmentedObjects(self, self.cells, self._chosen)
        self.use.clicked.connect(self.use_layers)
        self.more.clicked.connect(lambda: self.use_layers(more=True))
        events = self.viewer.layers.events
        for event in (events.inserted, events.removed, events.reordered, events.renamed):
            self.follow(event, self._layers_changed)
        self.follow(self.session.cells_changed, self._cells_changed)
        self.follow(self.session.shown_changed, self._shown_changed)
        self.follow(self.session.display.changed, self.preview.show_channels)
        for signal in (
            self.session.data_sets_changed,
            self.session.cells_changed,
            self.session.trained_changed,
            self.session.predictions_changed,
            self.session.importance_changed,
            self.session.latents_changed,
            self.session.explained_changed,
        ):
            self.follow(signal, self.data_sets.fill)
        self.follow(self.autosave.reported, self._tell)
        self.altered.watch()
        self._cells_changed()
        self._shown_changed()

    def _build(self) -> None:
        self.column.addWidget(self.data_sets)
        self.column.addWidget(self.summary)
        self.column.addWidget(self.origin)
        self.column.addWidget(self.ways)
        self.column.addWidget(self.dataset)
        self.column.addWidget(self.data_set_channels)
        self.column.addWidget(self.data_set_scaling)
        self.channels_box, inside = group("Channels")
        inside.addWidget(self.channels)
        self.column.addWidget(self.channels_box)
        self.cells_box, inside = group("Cells")
        inside.addWidget(self.cells)
        # Above the buttons that are off, where it is still in sight in a low window.
        inside.addWidget(self.reason)
        inside.addWidget(self.use)
        inside.addWidget(self.more)
        self.column.addWidget(self.cells_box)
        self.preview_box, inside = group("Crops that the classifier gets")
        inside.addWidget(self.preview)
        self.column.addWidget(self.preview_box)
        self.column.addStretch(1)

    def _arrange(self) -> None:
        from_layers = self.origin.currentIndex() == 1
        # Without cells the tabs would say again what the ways in say.
        none_yet = self.session.cells is None and not from_layers
        self.ways.setVisible(none_yet)
        self.origin.setVisible(not none_yet)
        self.dataset.setVisible(not (from_layers or none_yet))
        of_files = self.session.cells is not None and self.session.source != LAYERS
        self.data_set_channels.setVisible(of_files and not from_layers)
        self.data_set_scaling.setVisible(of_files and not from_layers)
        if of_files:
            self.data_set_channels.fill()
            self.data_set_scaling.fill(self.data_set_channels.every)
        self.channels_box.setVisible(from_layers)
        self.cells_box.setVisible(from_layers)
        if from_layers:
            self._check()

    # ---------------------------------------------------------------- a data set

    def open_file(self, path: str | Path) -> None:
        """Open a data-set file; one that is open already is taken in use as it is."""
        path = Path(path)
        self._open(f"opening {path.name}", open_dataset_job(path), str(path))

    def open_sample(self, name: str) -> None:
        """Open a sample by the name of its function in `napari_channelmix.data.samples`."""
        self._open("making the sample", sample_job(name), SAMPLES[name])

    def open_cells(self, cells: Cells, source: str = "") -> None:
        """Take a data set that is already open."""
        self._open(f"reading {cells.name}", open_cells_job(cells), source or cells.name)

    def _points_added(self, line: str) -> None:
        self.origin.setCurrentIndex(1)
        self.notice.say(line, "good")

    def _open(self, title: str, job: Job[Cells], source: str) -> None:
        self.task.run(
            title,
            opened_job(job, of_source(self.session, source)),
            lambda pair: self._opened(pair[0], pair[1], source),
            on_error=self.fail,
            show=self.switching.show_opened,
        )

    def _opened(self, opened: Opened, shown: Shown | None, source: str) -> None:
        state = None if opened.open_already is None else self.session.of(opened.open_already)
        if state is not None:
            self.switching.take(state, shown)
            if state.results:
                self.notice.say(f"{state.name} is open already, with {listed(state.results, 6)}.")
            return
        self.session.open(opened.cells, source, shown)
        self.origin.setCurrentIndex(0)
        if opened.cells.warnings:
            self.notice.say("\n".join(opened.cells.warnings), "warning")

    # ---------------------------------------------------------------- several data sets

    def switch_to(self, key: int) -> None:
        """Take another open data set in use, with all that was found of it."""
        self.switching.switch_to(key)

    def close_data_set(self, key: int) -> None:
        """Let go of a data set; asks where something would be lost that took its time."""
        self.switching.close(key)

    def _not_switched(self, line: str) -> None:
        self.fail(line)
        self.data_sets.fill()

    def _state_shown(self, state: DataSetState) -> None:
        self.origin.setCurrentIndex(1 if state.source == LAYERS else 0)

    def show_field(self, index: int) -> None:
        """Show another field of view of the data set."""
        cells = self.session.cells
        if cells is None:
            return
        shown = self.session.shown
        if shown is not None and move_to_slice(self.viewer, shown, index):
            return
        self.task.run(
            "reading the field of view",
            layers.field_job(cells, index),
            lambda pixels: self._show(cells, pixels),
            on_error=self.fail,
        )

    def _show(self, cells: Cells, pixels: layers.FieldPixels) -> None:
        # Classes may have been painted while the pixels were read.
        now = self.session.cells
        if now is not None and now.fields is cells.fields:
            self.session.shown = layers.show_field(self.viewer, now, pixels)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take folders, tables, images and data-set files."""
        if dropped_paths(event):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open what was dropped, or show what it holds."""
        paths = dropped_paths(event)
        if paths:
            event.acceptProposedAction()
            self.files.open(paths)

    # ---------------------------------------------------------------- layers

    def _layers_changed(self, _: object = None) -> None:
        # After napari is done with the change; many come at once where a data set is shown.
        self._soon.start(0)

    def showEvent(self, event: QShowEvent | None) -> None:
        """What was altered in layers meanwhile counts."""
        super().showEvent(event)
        self.altered.shown()
        self._was_shown = True
        self._catch_up()

    def _catch_up(self, _: object = None) -> None:
        if self._refill_later:
            self._soon.start(0)

    def _refill(self) -> None:
        # Once, not with each layer of a data set that comes or goes.
        self._refill_later = self.task.showing
        if self._refill_later:
            return
        # To compare many layers takes its time: not behind another page.
        self._refill_later = self._was_shown and not self.isVisible()
        self.altered.watch()
        self.channels.fill(propose=not self._refill_later)
        self.cells.fill()
        self.segmentation.layers_changed()

    def _chosen(self) -> tuple[ChosenChannels | None, str]:
        """The channels chosen, and why they or the cells cannot be used."""
        try:
            chosen = self.channels.choose()
        except DataError as error:
            return None, str(error)
        try:
            self.cells.check(chosen)
        except DataError as error:
            return chosen, str(error)
        return chosen, ""

    def _check(self) -> None:
        if self.origin.currentIndex() != 1:
            return
        chosen, why = self._chosen()
        self.segmentation.fill_channels(chosen.names if chosen is not None else ())
        self.use.setEnabled(not why)
        not_yet = why or self._reason_not_addable()
        self.more.setEnabled(not not_yet)
        self.more.setToolTip(not_yet or MORE)
        self.reason.setText(why)
        self.reason.setVisible(bool(why))

    def _reason_not_addable(self) -> str:
        """Why cells of other layers cannot be added to those in use."""
        if self.session.cells is None or self.session.source != LAYERS:
            return "First create a cell set of one image; then another image can be added"
        return ""

    def use_layers(self, *, more: bool = False) -> None:
        """Cut the cells out of the layers chosen; ``more``: beside those in use."""
        try:
            plan = self.cells.plan(self.channels.choose())
            # Cells that are added are scaled with the values of those in use.
            plan = plan if more else replace(plan, scaling=self.channels.scaling.settings)
            job = cells_job(plan)
            shown = shown_of(plan)
        except (DataError, ModelError) as error:
            self.fail(str(error))
            return
        self.task.run(
            "cutting out the cells",
            job,
            lambda cells: self._cut(plan, cells, shown, more=more),
            on_error=self.fail,
        )

    def _cut(self, plan: CellsPlan, cells: Cells, shown: Shown, *, more: bool) -> None:
        """Take cells that were cut out; a slice without cells is no field of view."""
        self.channels.accept()
        self.cells.crop_size.done()
        shown = in_view(self.viewer, with_fields(shown, plan, cells))
        if more:
            self._add(cells, shown)
        else:
            self._used(cells, shown)
        if cells.warnings:
            before = self.notice.text() if more and self.notice.isVisible() else ""
            lines = [*before.splitlines(), *cells.warnings]
            if self.notice.kind != "error" or not more:
                self.notice.say("\n".join(lines), "warning")

    def _add(self, cells: Cells, shown: Shown) -> None:
        """Cells of another image, as a further field of view."""
        before = self.session.cells
        if before is None:
            return
        try:
            both, text = merging.added(before, cells)
        except DataError as error:
            self.fail(str(error))
            return
        layers.forget_ours(self.viewer, besides=shown)
        self.session.open(
            both.with_labels([-1] * len(both), ()),
            LAYERS,
            moved_on(shown, len(before.fields)),
            instead=merging.replaceable(self.session),
        )
        # As a change, so that it is kept with the others.
        self.session.classify(both.labels, both.classes)
        self.notice.say(text, "good")

    def _used(self, cells: Cells, shown: Shown) -> None:
        before = self.session
        if (
            before.cells is not None
            and before.shown is not None
            and before.shown.objects is shown.objects
            and isinstance(shown.objects, Labels)
            # A label of another slice may be another cell.
            and (
                before.shown.slice_position == shown.slice_position
                or (before.shown.stack and shown.stack)
            )
            and not cells.classes
        ):
            # The same cells, perhaps corrected: what was painted is not lost.
            named = merging.with_classes_of(cells, before.cells, before.shown.field)
            layers.forget_ours(self.viewer, besides=shown)
            self.session.open(cells, LAYERS, shown, instead=merging.replaceable(self.session))
            # As a change, so that it is kept with the others.
            self.session.classify(named.labels, named.classes)
            return
        state = before.of(before.data_set)
        # Cells that were cut out otherwise, before anything was done with them.
        untouched = state is not None and not state.results and not before.edits.undoable
        layers.forget_ours(self.viewer, besides=shown)
        self.session.open(
            cells,
            LAYERS,
            shown,
            instead=(untouched and merging.replaceable(self.session) and before.source == LAYERS),
        )

    def _tell(self, text: str, kind: Kind) -> None:
        """News of the annotations of an earlier day: this dock is the one in front."""
        if text:
            back = " 'Undo' on the page 'Annotate' reverts this." if kind == "good" else ""
            earlier = self.notice.text() if self.notice.isVisible() else ""
            lines = [*earlier.splitlines(), text + back]
            worst: Kind = "warning" if earlier and kind == "good" else kind
            self.notice.say("\n".join(lines), worst)

    # ---------------------------------------------------------------- what is there

    def _theme_changed(self, _: object = None) -> None:
        self.ways.follow_theme(self.viewer.theme)
        self.files.follow_theme(self.viewer.theme)

    def _cells_changed(self, _: object = None) -> None:
        cells = self.session.cells
        self._arrange()
        self.preview_box.setVisible(cells is not None)
        # While there are none, the head of the page says so.
        self.summary.setVisible(cells is not None)
        if cells is not None:
            text = merging.summary(cells)
            self.summary.setText(breakable(text))
            self.summary.setToolTip(f"{text}\n{IN_USE}")

    def _shown_changed(self, _: object = None) -> None:
        self.dataset.fill()
        if self.session.shown is not None:
            self.preview.refresh()

    def front_changed(self, front: bool) -> None:
        """Outlines of a preview go with the page."""
        super().front_changed(front)
        if not front:
            self.segmentation.leave()

    def halt(self) -> None:
        """Stop every work of this dock; keep what is unsaved."""
        super().halt()
        self.segmentation.halt()
        self.preview.task.stop()
        self.files.close()
        self.cells.halt()
        self.data_set_channels.notes.task.stop()
        layers.stop_filling(self.viewer)
        self.autosave.finish()
