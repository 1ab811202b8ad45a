"""Page 'Classifier': train one, see how it learns and how good it is, save, open, apply."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.settings import ClassifierSettings
from napari_channelmix.settings.workload import training_workload
from napari_channelmix.viewer.charts.class_legend import ClassLegend, session_palette
from napari_channelmix.viewer.charts.recall_bars import RecallBars
from napari_channelmix.viewer.page_parts.base_page import Page, form, group
from napari_channelmix.viewer.page_parts.chance_note import chance_line
from napari_channelmix.viewer.page_parts.prior_menu import PriorBox, reweighed_job
from napari_channelmix.viewer.page_parts.run_time_line import RunTimeLine
from napari_channelmix.viewer.page_parts.training_controls import (
    DeviceBox,
    NetworkBox,
    follow_seed,
    reason_not_ready,
    whole,
)
from napari_channelmix.viewer.pages.classifier.classifier_menu import ClassifierBox
from napari_channelmix.viewer.pages.classifier.classifier_words import (
    doubts_of,
    every_name,
    in_words,
)
from napari_channelmix.viewer.pages.classifier.compute_status import ComputerBox
from napari_channelmix.viewer.pages.classifier.foreign_model_form import ModelForm, needs_form
from napari_channelmix.viewer.pages.classifier.held_out_share import held_out_line
from napari_channelmix.viewer.pages.classifier.jobs import (
    evaluation_job,
    load_job,
    predict_job,
    train_job,
)
from napari_channelmix.viewer.pages.classifier.probabilities_panel import ProbabilitiesPanel
from napari_channelmix.viewer.pages.classifier.training_curves import TrainingCurves
from napari_channelmix.viewer.session.classifier_fit import reason_not_fitting
from napari_channelmix.viewer.session.preferences import PREFERENCES
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.job_form import JobForm
from napari_channelmix.viewer.widgets.notice import Notice

if TYPE_CHECKING:
    import napari

    from napari_channelmix.classify import Evaluation
    from napari_channelmix.viewer.session.session import Predictions, Trained
    from napari_channelmix.viewer.tasks.task import Update

__all__ = ["ClassifierPage"]

MODELS = "Models (*.cmx *.onnx *.pt2 *.pt *.pth *.ts *.torchscript *.py);;All files (*)"


class ClassifierPage(Page):
    """Train on the session's cells and show what came of it."""

    def __init__(self, viewer: napari.viewer.Viewer) -> None:
        super().__init__(viewer)
        self.device = DeviceBox(self.session)
        self.mix = QCheckBox("Blended channels (DCMIX)")
        self.mix.setToolTip(
            "Put a channel-mixing layer (DCMIX) before the network: it gets blended images only, "
            "and the weight of each channel can be read. Default: off"
        )
        self.mixes: QSpinBox = whole(1, 16, 1, "Number of blended channels")
        self.mixes.setEnabled(False)
        self.mix.toggled.connect(self.mixes.setEnabled)
        controls = {"network": NetworkBox(), "device": self.device, "mixes": self.mixes}
        self.settings = JobForm(ClassifierSettings, self, controls=controls)
        self.network, self.epochs = self.settings["network"], self.settings["epochs"]
        self.held_out, self.seed = self.settings["held_out"], self.settings["seed"]
        self.train = QPushButton("Train")
        self.train.setToolTip(
            "Train on the cells that have a class, and measure accuracy on held-out cells"
        )
        self.run_time = RunTimeLine(self.viewer.theme)
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self.curves = TrainingCurves(self.viewer.theme)
        self.classifiers = ClassifierBox(self.session)
        self.result = QLabel()
        self.result.setWordWrap(True)
        self.result.setToolTip("Performance on held-out cells")
        self.doubts = Notice()
        self.recalls = RecallBars(self.viewer.theme)
        self.probabilities = ProbabilitiesPanel(self.viewer.theme)
        self.prior = PriorBox()
        self.apply = QPushButton("Classify all cells")
        self.apply.setToolTip(
            "Predict the class of every cell; a layer 'predicted' and two columns of the cells' "
            "features show them"
        )
        self.misfit = QLabel()
        self.misfit.setWordWrap(True)
        self.legend = ClassLegend()
        self.evaluate = QPushButton("Evaluate on these cells")
        self.evaluate.setToolTip(
            "Compare predictions with the labels of these cells, and these cells with the "
            "training cells"
        )
        self.save = QPushButton("Save…")
        self.save.setToolTip("Save the classifier as a bundle (.cmx): weights, names, statistics")
        self.open = QPushButton("Open model…")
        self.open.setToolTip("Open a bundle (.cmx), or a model made elsewhere (ONNX, TorchScript)")
        self.form = ModelForm()
        self.computer = ComputerBox(self.session)
        follow_seed(self, self.seed)
        self._build()
        self.train.clicked.connect(self.start)
        self.settings.changed.connect(self._fill_run_time)
        self.mix.toggled.connect(self._fill_run_time)
        self.apply.clicked.connect(self.classify)
        self.evaluate.clicked.connect(self.measure)
        self.save.clicked.connect(self._ask_save)
        self.open.clicked.connect(self._ask_open)
        self.prior.chosen.connect(self.choose_prior)
        self.prior.refused.connect(self.fail)
        self.classifiers.chosen.connect(self.use)
        self.form.confirmed.connect(lambda path, options: self.load(path, **options))
        self.follow(self.session.cells_changed, self._fill)
        self.follow(self.session.trained_changed, self._fill)
        self.follow(self.session.data_sets_changed, self._fill)
        self.follow(self.session.predictions_changed, self._fill)
        self.follow(self.session.prior_changed, self._fill)
        self.follow(self.session.running_changed, self._fill)
        self.follow(self.session.history_changed, self._fill_curves)
        # It proposes names of the cells that go.
        self.follow(self.session.replaced, lambda: self.form.setVisible(False))
        self.follow(self.viewer.events.theme, self._theme_changed)
        self.follow(PREFERENCES.changed, self.computer.fill)
        self._fill()
        self._fill_curves()

    def _build(self) -> None:
        self.training_box, inside = group("Training")
        rows = form()
        self.settings.add_to(rows, ["network", "epochs", "held_out", "seed", "device"])
        self.settings.leave("mixes")
        mixing = QWidget()
        row = QHBoxLayout(mixing)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.mix)
        row.addWidget(self.mixes, 1)
        inside.addLayout(rows)
        inside.addWidget(mixing)
        inner = form()
        self.settings.add_to(inner)
        content = QWidget()
        content.setLayout(inner)
        more = Folding("More settings")
        more.setToolTip(
            "Network, duration and rate of learning, and the constraint of the blending weights"
        )
        more.addWidget(content)
        inside.addWidget(more)
        inside.addWidget(self.train)
        inside.addWidget(self.run_time)
        inside.addWidget(self.reason)
        self.column.addWidget(self.training_box)
        self.curves_box, inside = group("Learning")
        inside.addWidget(self.curves)
        self.column.addWidget(self.curves_box)
        self.result_box, inside = group("Classifier")
        inside.addWidget(self.classifiers)
        inside.addWidget(self.result)
        inside.addWidget(self.doubts)
        inside.addWidget(self.recalls)
        inside.addWidget(self.probabilities)
        rows = form()
        rows.addRow("Prior", self.prior)
        inside.addLayout(rows)
        buttons = QHBoxLayout()
        buttons.addWidget(self.apply, 1)
        buttons.addWidget(self.save)
        buttons.addWidget(self.open)
        inside.addLayout(buttons)
        inside.addWidget(self.misfit)
        inside.addWidget(self.legend)
        inside.addWidget(self.evaluate)
        inside.addWidget(self.form)
        self.column.addWidget(self.result_box)
        self.column.addWidget(self.computer)
        self.column.addStretch(1)

    # ---------------------------------------------------------------- what the buttons do

    def start(self) -> None:
        """Train with what was chosen."""
        cells = self.session.cells
        if cells is None:
            return
        chosen = self._chosen()
        self.session.history = ()
        # Another data set may be in use before it is through.
        data_set = self.session.data_set
        self.task.run(
            "training",
            train_job(cells, chosen),
            lambda trained: self._trained(trained, data_set),
            on_update=lambda update: self._learning(update, data_set),
            on_error=self.fail,
            data_set=data_set,
            work=training_workload(cells, chosen, chosen.mixes),
        )

    def _chosen(self) -> ClassifierSettings:
        mixes = self.mixes.value() if self.mix.isChecked() else 0
        return replace(self.settings.value, mixes=mixes)

    def _learning(self, update: Update, data_set: int) -> None:
        epochs = tuple(entry for entry in update.metrics if "epoch" in entry)
        state = self.session.of(data_set) if epochs else None
        if state is not None:
            self.session.put(data_set, history=(*state.history, *epochs))

    def _trained(self, trained: Trained, data_set: int | None = None) -> None:
        data_set = self.session.data_set if data_set is None else data_set
        state = self.session.of(data_set)
        if state is not None:
            # Two data sets may have one name in their files; the session tells them apart.
            trained = replace(trained, source=f"trained on {state.name}")
        self.session.put_classifier(data_set, trained)
        if state is not None and self.session.trained is not trained:
            # Those in use were classified and explained with another one.
            self.notice.say(
                f"The classifier of {state.name} is trained; choose it under 'In use' "
                "to classify with it.",
                "good",
            )
        chance, kind = chance_line(trained)
        # Groups that are few are said beside the figures.
        warnings = [chance] if kind == "warning" else []
        if self.session.trained is not trained:
            # Of the one in use they stand beside its figures.
            warnings += trained.classifier.record.get("warnings", [])
        if warnings:
            lines = self.notice.text().splitlines() if self.notice.isVisible() else []
            self.notice.say("\n".join((*lines, *warnings)), "warning")

    def classify(self) -> None:
        """Predict the class of every cell."""
        trained, cells = self.session.trained, self.session.cells
        if trained is None or cells is None:
            return
        data_set = self.session.data_set

        def done(predictions: Predictions) -> None:
            # Classes may have been painted meanwhile, or another data set taken in use.
            state = self.session.of(data_set)
            if state is not None:
                self.session.put(data_set, predictions=predictions)
                counts = np.bincount(predictions.codes, minlength=len(predictions.classes))
                summary = ", ".join(
                    f"{n} {c}" for n, c in zip(predictions.classes, counts, strict=True)
                )
                prior = "" if predictions.prior is None else f" ({predictions.prior.text()})"
                where = "" if data_set == self.session.data_set else f" in {state.name}"
                lines = (f"Predicted{where}: {summary}{prior}", *predictions.warnings)
                self.notice.say("\n".join(lines), "warning" if predictions.warnings else "good")

        job = predict_job(trained, cells, self.session.prior)
        self.task.run("classifying the cells", job, done, on_error=self.fail, data_set=data_set)

    def choose_prior(self, prior: Any) -> None:
        """Take another prior; predictions that are there follow it."""
        if prior == self.session.prior:
            return
        self.session.prior = prior
        trained, before = self.session.trained, self.session.predictions
        if trained is None or before is None or before.balanced is None:
            return

        def done(predictions: Predictions) -> None:
            if self.session.predictions is before:
                self.session.predictions = predictions

        # Those that came back with their data set may be another classifier's.
        owner = before.trained or trained
        self.task.run(
            "applying the prior", reweighed_job(owner, before, prior), done, on_error=self.fail
        )

    def measure(self) -> None:
        """Measure the classifier on the cells that have a class."""
        trained, cells = self.session.trained, self.session.cells
        if trained is None or cells is None:
            return

        def done(evaluation: Evaluation) -> None:
            recall = ", ".join(row.text() for row in evaluation.estimate.per_class if row.n_cells)
            # What is known of the cells since they were opened is no news, and comes last.
            news = [line for line in evaluation.warnings if line not in cells.warnings]
            known = [line for line in evaluation.warnings if line in cells.warnings]
            lines = (
                f"On {evaluation.name}: {evaluation.words}",
                *news,
                f"recall: {recall}",
                *evaluation.probability_lines,
                *known,
            )
            minded = bool(set(news) - set(evaluation.shift.lines) or evaluation.shift.warnings)
            self.notice.say("\n".join(lines), "warning" if minded else "info")

        job = evaluation_job(trained, cells, self.session.prior)
        self.task.run("evaluating", job, done, on_error=self.fail)

    def _ask_save(self) -> None:
        path = file_dialogs.ask_save(
            self, "Save the classifier", "classifier.cmx", "Bundles (*.cmx)"
        )
        if path is not None:
            self.save_to(path if path.suffix else path.with_suffix(".cmx"))

    def save_to(self, path: Path) -> None:
        """Save the classifier as a bundle."""
        trained = self.session.trained
        if trained is None:
            return
        try:
            trained.classifier.save(path)
        except ChannelMixError as error:
            self.fail(str(error))
            return
        self.notice.say(f"Saved {path}", "good")

    def _ask_open(self) -> None:
        path = file_dialogs.ask_open(self, "Open a model", MODELS)
        if path is None:
            return
        if needs_form(path):
            cells = self.session.cells
            channels = cells.channels if cells is not None else ()
            classes = cells.classes if cells is not None else ()
            self.form.ask(path, channels, classes)
        else:
            self.load(path)

    def load(self, source: str | Path, **options: Any) -> None:
        """Open a model file, or a model by its name in one; see `classify.load_model`."""
        self.task.run(
            f"opening {Path(source).name}",
            load_job(source, **options),
            self._trained_elsewhere,
            on_error=self.fail,
        )

    def use(self, trained: Trained) -> None:
        """Take another classifier of the session in use; predictions that are there stay.

        They know the classifier that gave them.
        """
        self.session.trained = trained

    def _trained_elsewhere(self, trained: Trained) -> None:
        # The curves in sight are not of this one.
        self.session.history = ()
        self.session.trained = trained

    # ---------------------------------------------------------------- what is there

    def _fill(self, _: object = None) -> None:
        busy, why = self.task.busy, reason_not_ready(self.session)
        self.train.setEnabled(not why and not busy)
        self.reason.setText(why)
        self.reason.setVisible(bool(why))
        self._fill_run_time()
        trained = self.session.trained
        if not busy:
            parts = (self.training_box, self.curves_box, self.result_box)
            self.arrange(*(parts if trained is None else reversed(parts)))
        self.classifiers.fill(busy)
        origin = self.session.data_set_of(trained)
        share = held_out_line(trained, None if origin is None else origin.cells)
        self.result.setText(in_words(trained, share))
        self.result.setToolTip(every_name(trained) or "Performance on held-out cells")
        estimate = None if trained is None else trained.estimate
        self.doubts.say(doubts_of(trained), "warning")
        palette = session_palette(self.session)
        self.recalls.show_accuracy(estimate, palette)
        predictions = self.session.predictions
        if predictions is not None and not predictions.is_by(trained):
            predictions = None
        self.probabilities.show_trained(trained, predictions)
        self.prior.show_choice(self.session.prior, trained, busy)
        misfit = reason_not_fitting(self.session)
        self.misfit.setText(misfit)
        self.misfit.setVisible(bool(misfit))
        usable = trained is not None and not misfit and not busy
        where = "Colours of the classes"
        self.legend.show_classes(palette if trained is not None else (), where)
        self.apply.setEnabled(usable and self.session.cells is not None)
        classed = self.session.cells is not None and bool((self.session.cells.labels >= 0).any())
        self.evaluate.setEnabled(usable and classed)
        self.save.setEnabled(trained is not None and not busy)
        self.open.setEnabled(not busy)

    def _fill_run_time(self, _: object = None) -> None:
        """Say how long training takes, where it could begin."""
        cells, work = self.session.cells, None
        if cells is not None and not self.task.busy and not reason_not_ready(self.session):
            # A control may allow for a moment what the setting does not.
            with suppress(ChannelMixError):
                chosen = self._chosen()
                work = training_workload(cells, chosen, chosen.mixes)
        self.run_time.show_work(work)

    def _fill_curves(self, _: object = None) -> None:
        self.curves_box.setVisible(bool(self.session.history) or self.task.busy)
        self.curves.show_history(self.session.history)

    def _theme_changed(self, event: Any) -> None:
        self.run_time.follow_theme(self.viewer.theme)
        self.curves.follow_theme(self.viewer.theme)
        self.recalls.follow_theme(self.viewer.theme)
        self.probabilities.follow_theme(self.viewer.theme)

    def halt(self) -> None:
        """Stop every work of this dock."""
        super().halt()
        self.device.task.stop()
        self.computer.task.stop()
