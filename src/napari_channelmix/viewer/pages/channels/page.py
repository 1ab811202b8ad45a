"""Page 'Channels': channels of the classifier in use, then DCMIX, its bars and blended image."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.data.display_channels import MOST_TOGETHER
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.settings import ImportanceSettings
from napari_channelmix.settings.workload import importance_workload
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.page_parts.base_page import Page, form, group
from napari_channelmix.viewer.page_parts.chance_note import ChanceNote
from napari_channelmix.viewer.page_parts.open_page import open_dock
from napari_channelmix.viewer.page_parts.run_time_line import RunTimeLine
from napari_channelmix.viewer.page_parts.training_controls import (
    DeviceBox,
    NetworkBox,
    follow_seed,
    reason_not_ready,
)
from napari_channelmix.viewer.pages.channels.chart import ImportanceChart
from napari_channelmix.viewer.pages.channels.chart_rows import ChartRows
from napari_channelmix.viewer.pages.channels.classifier_box import ClassifierChannels
from napari_channelmix.viewer.pages.channels.jobs import cache_folder, importance_job, mixed_job
from napari_channelmix.viewer.pages.channels.solo_channel import Solo
from napari_channelmix.viewer.pages.channels.table import FiguresTable, measured_alone
from napari_channelmix.viewer.session.shown import LAYERS_GONE, OPEN_AGAIN
from napari_channelmix.viewer.tasks.task import Task, Update
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.job_form import JobForm
from napari_channelmix.viewer.widgets.notice import Kind, Notice
from napari_channelmix.viewer.widgets.secondary_text import show_secondary
from napari_channelmix.wording import counted, sampled_line, sentence

if TYPE_CHECKING:
    from pathlib import Path

    import napari

    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["ChannelsPage", "verdict"]

# The page with the gallery, as the menus have it.
GALLERY = "Phenotypes"
# Layers with the blended images.
BLENDED = "blended image"
TITLE = "Importance of each channel"
OF_CLASSIFIER = "Channels of this classifier"
RUN = "Importance by training anew (DCMIX)"
HINT = "Point at a bar for its values; click it to show only that channel."


class ChannelsPage(Page):
    """Settings, reliability, bars, table, blended image."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.scaled = QComboBox()
        self.scaled.setToolTip(
            "Scale each channel group by group, so that differences of stain and exposure are "
            "gone; true differences in brightness between the groups are gone too"
        )
        self.device = DeviceBox(self.session)
        controls = {"network": NetworkBox(), "device": self.device, "scaled_per": self.scaled}
        self.settings = JobForm(ImportanceSettings, self, controls=controls)
        self.seeds, self.first_seed = self.settings["seeds"], self.settings["seed"]
        self.shapley, self.decoys = self.settings["shapley"], self.settings["decoys"]
        self.network, self.epochs = self.settings["network"], self.settings["epochs"]
        self.mixes, self.held_out = self.settings["mixes"], self.settings["held_out"]
        self.run_button = QPushButton("Run")
        self.run_button.setToolTip("Train all repeats; bars appear when the first is done")
        self.run_time = RunTimeLine(self.viewer.theme)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.chance = ChanceNote()
        self.gate = Notice()
        # The bars begin in sight, below both.
        self.warnings = Notice(lines=2)
        self.chart = ImportanceChart(self.viewer.theme)
        self.chart_rows = ChartRows(self.chart)
        self.legend = QLabel()
        self.legend.setWordWrap(True)
        self.legend.setToolTip("Legend of the chart")
        self.summary_label = QLabel()
        self.summary_label.setWordWrap(True)
        self.summary_label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.summary_label.setToolTip(
            "What linear classifiers and negative controls say about the channels"
        )
        self.hover = QLabel(HINT)
        self.hover.setWordWrap(True)
        # No alarm: nothing went wrong where a test does not fit the data.
        self.no_p_values = QLabel()
        self.no_p_values.setWordWrap(True)
        show_secondary(self.no_p_values, self.viewer.theme)
        self.no_p_values.setToolTip(
            "A p-value is shown where the test of this kind of data and settings is known to be "
            "right; bars, negative controls and Shapley values are read without it"
        )
        self.measured = QLabel()
        self.measured.setWordWrap(True)
        self.figures = FiguresTable()
        self.mixed = QPushButton("Blended image")
        self.mixed.setToolTip("The blended image of this field of view, as the network gets it")
        self.export = QPushButton("Export…")
        self.export.setToolTip("Write importance.json, .csv, .png and .svg into a folder")
        self.copy = QPushButton("Copy table")
        self.copy.setToolTip("Copy the figures to the clipboard, ready for a spreadsheet")
        follow_seed(self, self.first_seed)
        self.solo = Solo(self.viewer, self.session)
        # Of its own, so that looking at the mixed image does not stop a run.
        self.mixed_task = Task(self.session)
        # Repeats of the run under way: the box may be changed meanwhile.
        self._repeats = 0
        # How many of them an earlier run had finished, and where finished ones are kept.
        self._taken = 0
        self._parts_folder: Path | None = None
        self._before: ChannelImportance | None = None
        # The data set that the run is of; another may be in use meanwhile.
        self._running = 0
        # Two jobs on one network would switch its modes under each other.
        self.classifier_task, bar = self.add_task(one_thread=True)
        self.of_classifier = ClassifierChannels(
            self.session, self.viewer.theme, self.classifier_task, bar
        )
        self._build()
        self._connect()
        self._fill()
        self._importance_changed()

    def _build(self) -> None:
        self.classifier_box, inside = group(OF_CLASSIFIER)
        inside.addWidget(self.of_classifier)
        self.column.addWidget(self.classifier_box)
        self.run_box, inside = group(RUN)
        rows = form()
        self.settings.add_to(rows, ["seeds"])
        # Beside each other they are wider than a narrow page.
        ticks = QVBoxLayout()
        ticks.addWidget(self.shapley)
        ticks.addWidget(self.decoys)
        rows.addRow("Compute also", ticks)
        self.settings.leave("shapley", "decoys")
        inside.addLayout(rows)
        more = Folding("More settings")
        more.setToolTip("Network, epochs, blended images, test fraction, random seed, device")
        inner = form()
        self.settings.add_to(inner)
        content = QWidget()
        content.setLayout(inner)
        more.addWidget(content)
        inside.addWidget(more)
        inside.addWidget(self.run_button)
        inside.addWidget(self.run_time)
        inside.addWidget(self.reason)
        self.column.addWidget(self.chance)
        self.column.addWidget(self.run_box)
        self.result_box, inside = group(TITLE)
        inside.addWidget(self.gate)
        inside.addWidget(self.warnings)
        inside.addWidget(self.chart_rows)
        inside.addWidget(self.legend)
        inside.addWidget(self.hover)
        inside.addWidget(self.summary_label)
        inside.addWidget(self.no_p_values)
        table = Folding("Table")
        table.setToolTip("The numbers of the chart")
        table.addWidget(self.figures)
        table.addWidget(self.measured)
        inside.addWidget(table)
        buttons = QHBoxLayout()
        buttons.addWidget(self.mixed, 1)
        buttons.addWidget(self.export)
        buttons.addWidget(self.copy)
        inside.addLayout(buttons)
        self.column.addWidget(self.result_box)
        self.column.addStretch(1)

    def _connect(self) -> None:
        self.run_button.clicked.connect(self.start)
        self.settings.changed.connect(self._fill_run_time)
        self.mixed.clicked.connect(lambda: self.show_mixed())
        self.export.clicked.connect(self._ask_export)
        self.copy.clicked.connect(self.copy_table)
        self.chart.channel_chosen.connect(self._toggle_solo)
        self.chart.channel_hovered.connect(self._hovered)
        self.figures.channel_chosen.connect(self._toggle_solo)
        self.of_classifier.field_chosen.connect(self.show_cells)
        self.follow(self.session.replaced, self._replaced)
        self.follow(self.session.data_sets_changed, self._name_result)
        self.follow(self.session.cells_changed, self._fill)
        self.follow(self.session.running_changed, self._fill)
        self.follow(self.session.shown_changed, self._shown_changed)
        self.follow(self.session.trained_changed, self._show_chance)
        self.follow(self.session.trained_changed, self._other_classifier)
        self.follow(self.session.selected_changed, self._other_selection)
        self.follow(self.session.what_if_changed, self.of_classifier.show_kept)
        self.follow(self.session.importance_changed, self._importance_changed)
        self.follow(self.viewer.events.theme, self._theme_changed)
        # Stopped half way, what is there is judged as it is.
        self.task.ended.connect(self._ended)

    # ---------------------------------------------------------------- what the buttons do

    def start(self) -> None:
        """Run with what was chosen."""
        cells = self.session.cells
        if cells is None:
            return
        chosen = self.settings.value
        self._repeats, self._running = chosen.seeds, self.session.data_set
        self._before, self.session.importance = self.session.importance, None
        self._taken, self._parts_folder = 0, cache_folder()
        job = importance_job(cells, chosen, self._parts_folder)
        self.task.run(
            "channel importance",
            job,
            self._finished,
            on_update=self._partial,
            on_error=self.fail,
            data_set=self._running,
            work=importance_workload(cells, chosen),
        )

    def _ended(self, how: str) -> None:
        state = self.session.of(self._running)
        importance = None if state is None else state.importance
        if how != "done" and importance is None:
            # Nothing new was found, so what was found before stands again.
            importance, self._before = self._before, None
            self.session.put(self._running, importance=importance)
            if importance is not None and how == "cancelled":
                self.notice.say("Stopped; the bars are those of the run before.")
        elif how == "cancelled":
            done = 0 if importance is None else len(importance.seeds)
            line = f"Stopped; {done} of {self._repeats} repeats are done"
            if done and self._parts_folder is not None:
                line += " and saved: with the same cells and settings, Run continues from there"
            self.notice.say(f"{line}.")
        self._importance_changed()

    def _replaced(self) -> None:
        # Of the cells that go; a run goes on, and its bars wait with its data set.
        self.mixed_task.stop()
        self.of_classifier.clear()

    @property
    def _elsewhere(self) -> str:
        """The data set that a run is of, where it is not the one in use."""
        state = self.session.of(self._running) if self.task.busy else None
        return "" if state is None or state.key == self.session.data_set else state.name

    def _partial(self, update: Update) -> None:
        self._taken += sum("kept" in entry for entry in update.metrics)
        if update.progress.partial is not None:
            self.session.put(self._running, importance=update.progress.partial)

    def _finished(self, importance: Any) -> None:
        # The last partial result is the result: say so even if it is the same object.
        self.session.put(self._running, importance=importance)
        self._importance_changed()
        if self._taken:
            self.notice.say(
                f"{self._taken} of {self._repeats} repeats were reused from an earlier run with "
                f"the "
                "same cells and settings.",
                "good",
            )
        if self._running != self.session.data_set:
            state = self.session.of(self._running)
            if state is not None:
                self.notice.say(
                    f"Channel importance of {state.name} is there; choose that data set to see it.",
                    "good",
                )
            return
        # Added once without being asked, but hidden: it would cover the channels.
        self.show_mixed(visible=False)

    def show_mixed(self, *, visible: bool = True) -> None:
        """Add the blended image of the field of view that is in the viewer."""
        imp, cells, shown = self.session.importance, self.session.cells, self.session.shown
        if imp is None or not imp.classifiers or cells is None or shown is None:
            return
        if not shown.is_in(self.viewer.layers):
            self.fail(LAYERS_GONE)
            return
        if visible and self.solo.channel is not None:
            # The blend is about to be looked at, no longer one channel.
            self._toggle_solo(self.solo.channel)
        geometry = layers.field_place(shown)
        self.mixed_task.run(
            "blending the channels",
            mixed_job(imp.classifiers[0], cells, shown.field),
            lambda images: self._show_mixed(images, geometry, visible),
            on_error=self.fail,
        )

    def _show_mixed(
        self, images: npt.NDArray[np.float32], geometry: layers.FieldPlace, visible: bool
    ) -> None:
        # napari selects a layer that is added: its controls would be those of one unseen.
        with nullcontext() if visible else layers.keep_selection(self.viewer.layers):
            for place, image in enumerate(images):
                name = BLENDED if len(images) == 1 else f"{BLENDED} {place + 1}"
                low, high = (float(v) for v in np.percentile(image, (1.0, 99.8)))
                limits = (low, max(high, low + 1e-6))
                layer = layers.add_image(
                    self.viewer,
                    name,
                    image,
                    geometry,
                    name=name,
                    colormap="gray",
                    blending="translucent",
                    contrast_limits=limits,
                    visible=False,
                )
                # Another field of view or classifier has another range.
                layer.contrast_limits = limits
                layer.visible = layer.visible or visible

    def _ask_export(self) -> None:
        folder = file_dialogs.ask_folder(self, "Export channel importance into a folder")
        if folder is not None:
            self.export_to(folder)

    def export_to(self, folder: Path) -> None:
        """Write table, JSON and charts into a folder."""
        if self.session.importance is None:
            return
        try:
            written = self.session.importance.save(folder)
        except ChannelMixError as error:
            self.fail(str(error))
            return
        names = ", ".join(path.name for path in written)
        self.notice.say(f"Written to {folder}: {names}", "good")

    def copy_table(self) -> None:
        """Put the figures on the clipboard, tab separated."""
        clipboard = QApplication.clipboard()
        if self.session.importance is not None and clipboard is not None:
            clipboard.setText(
                csv_text(self.session.importance.to_frame(), index=True, separator="\t")
            )
            self.notice.say("Copied; paste it into a spreadsheet", "good")

    def _toggle_solo(self, channel: str) -> None:
        was = self.solo.channel
        self.chart.mark(self.solo.toggle(channel))
        alone = self.solo.channel
        if alone is None and was != channel:
            self.fail(f"The layer of {channel} is gone; {OPEN_AGAIN}")
        self.hover.setText(
            f"{alone} is shown alone; click it again to see what was shown before."
            if alone
            else HINT
        )

    def show_cells(self, class_name: str, channels: tuple[str, ...]) -> None:
        """Go to the gallery with the cells of a class, drawn in one channel or those of a group."""
        known = () if self.session.cells is None else self.session.cells.channels
        shown = [name for name in channels if name in known][:MOST_TOGETHER]
        if shown:
            self.session.display.set(shown)
        open_dock(self.viewer, GALLERY).show_class(class_name)

    def _hovered(self, channel: str) -> None:
        self.hover.setText(self.chart.describe(channel) or HINT)

    # ---------------------------------------------------------------- what is there

    def _fill(self, _: object = None) -> None:
        why = reason_not_ready(self.session)
        cells = self.session.cells
        if not why and cells is not None and len(cells.channels) < 2:
            why = "These cells have one channel: there is nothing to compare."
        if self._elsewhere:
            why = f"A run on {self._elsewhere} is in progress; its result is shown there."
        self.of_classifier.fill()
        self._fill_scaled()
        self.run_button.setEnabled(not why and not self.task.busy)
        self.reason.setText(why)
        self.reason.setVisible(bool(why))
        self._fill_run_time()

    def _fill_run_time(self, _: object = None) -> None:
        """Say how long a run takes, where it could begin."""
        cells, work = self.session.cells, None
        if cells is not None and self.run_button.isEnabled():
            # A control may allow for a moment what the setting does not.
            with suppress(ChannelMixError):
                work = importance_workload(cells, self.settings.value)
        self.run_time.show_work(work)

    def _fill_scaled(self) -> None:
        """Offer what the groups of these cells, and the table, can be scaled by."""
        cells, before = self.session.cells, self.scaled.currentData()
        offered = [("channels as they are", "")]
        if cells is not None and len(set(cells.groups.tolist())) < len(cells):
            names = ["group"]
            if cells.conditions is not None:
                names += [str(name) for name in cells.conditions.columns]
            offered += [(f"channels per {name}", name) for name in dict.fromkeys(names)]
        self.scaled.clear()
        for words, name in offered:
            self.scaled.addItem(words, name)
        self.scaled.setCurrentIndex(max(0, self.scaled.findData(before)))

    def _shown_changed(self, _: object = None) -> None:
        self.solo.restore()
        self.chart.mark(None)
        self.hover.setText(HINT)
        # Only where it is looked at: the first one is added when a run is done.
        if any(layers.role_of(layer).startswith(BLENDED) for layer in self.viewer.layers):
            self.show_mixed(visible=False)

    def _importance_changed(self, _: object = None) -> None:
        imp = self.session.importance
        self._show_chance()
        self.result_box.setVisible(imp is not None)
        parts = (self.run_box, self.result_box)
        self.arrange(*(parts if imp is None else reversed(parts)))
        self.chart_rows.show_importance(imp)
        self.figures.show_importance(imp)
        self.measured.setText(measured_alone(imp))
        self.measured.setVisible(bool(self.measured.text()))
        reason = "" if imp is None or self.task.busy else imp.p_value_reason
        self.no_p_values.setText(f"No p-values of the channels: {reason}." if reason else "")
        self.no_p_values.setVisible(bool(reason))
        if imp is None:
            self.gate.clear_line()
            self.warnings.clear_line()
            return
        self.legend.setText(self.chart.legend())
        # The question stands above the bars.
        needs = map(sentence, imp.effect_sentences)
        lines = [*needs, *(row for row in imp.sentences if not imp.asks or row != imp.question)]
        lines += filter(None, [sampled_line(imp.sampling_error)])
        self.summary_label.setText("\n".join(f"• {line}" for line in lines))
        self.summary_label.setVisible(bool(lines))
        self._judge(imp)
        shown = self.session.shown is not None and bool(imp.classifiers)
        self.mixed.setEnabled(shown)

    def _name_result(self) -> None:
        """Say of which data set the bars are, where several are open."""
        state = self.session.of(self.session.data_set)
        several = state is not None and len(self.session.data_sets) > 1
        self.result_box.setTitle(f"{TITLE}: {state.name}" if state and several else TITLE)

    def _other_classifier(self, _: object = None) -> None:
        self.of_classifier.clear()

    def _other_selection(self, _: object = None) -> None:
        self.of_classifier.fill()

    def _show_chance(self, _: object = None) -> None:
        """Doubts about the trained classifier; a result has networks and a gate of its own."""
        trained = self.session.trained
        self.chance.show_trained(None if self.session.importance is not None else trained)

    def _judge(self, imp: Any) -> None:
        """Gate and warnings above the bars; those of a run under way are not the last word."""
        if self.task.busy and self._running == self.session.data_set:
            self.gate.say(
                f"So far, {len(imp.seeds)} of {self._repeats} repeats. {verdict(imp)}",
                "info" if imp.shares_readable else "error",
            )
            self.warnings.clear_line()
            return
        kind: Kind = "error" if not imp.shares_readable else "warning" if imp.caveat else "good"
        self.gate.say(verdict(imp), kind)
        self.warnings.say("\n".join(f"• {line}" for line in imp.warnings), "warning")

    def _theme_changed(self, event: Any) -> None:
        self.run_time.follow_theme(self.viewer.theme)
        self.chart.follow_theme(self.viewer.theme)
        self.of_classifier.follow_theme(self.viewer.theme)
        show_secondary(self.no_p_values, self.viewer.theme)
        self.legend.setText(self.chart.legend())

    def halt(self) -> None:
        """Stop every work of this dock, and show what was shown before."""
        super().halt()
        self.mixed_task.stop()
        self.device.task.stop()


def verdict(imp: Any) -> str:
    """The gate in words, with both answers side by side where it is closed."""
    figures = measured(imp)
    if imp.asks:
        remedy = (
            "A true effect can look like this too. 'Scale' under 'More settings' removes "
            "differences between groups; run again to see what is left."
        )
        return f"{imp.question}\n{remedy}\n{figures}"
    if imp.shares_readable and not imp.caveat:
        return f"Reliable: one blended image holds what the classifier uses.\n{figures}"
    both = ""
    if imp.shapley is not None and not imp.shares_readable:
        by_share = ", ".join(imp.channels[i] for i in np.argsort(-np.array(imp.share))[:3])
        by_value = ", ".join(imp.channels[i] for i in np.argsort(-np.array(imp.shapley))[:3])
        both = f"\nMost by share: {by_share}.  Most by Shapley value: {by_value}."
    head = (
        f"{imp.verdict}.\n{imp.gate[0].upper()}{imp.gate[1:]}"
        if imp.verdict
        else (f"Not reliable: {imp.gate}")
    )
    missing = f"\n{imp.not_computed}." if imp.not_computed else ""
    return f"{head}.{both}{missing}\n{figures}"


def measured(imp: Any) -> str:
    """Accuracies with their intervals, and what was held out."""
    if imp.estimates:
        return "\n".join(imp.accuracy_lines)
    return (
        f"balanced accuracy: channel-mixing {imp.accuracy['mixed']:.2f}, all-channel "
        f"{imp.accuracy['plain']:.2f}; "
        f"{imp.n_test} held-out cells, {counted(len(imp.seeds), 'repeat')}"
    )
