"""What to look at with which disentangler, and why it may not run yet."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, cast

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_channelmix.bounds import MOST_COLORS
from napari_channelmix.data.membrane_channels import (
    MEMBRANE,
    RIMS,
    channels_called,
    membrane_by_name,
)
from napari_channelmix.settings import EncodingSettings
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.charts.colors import is_photo
from napari_channelmix.viewer.page_parts.base_page import form
from napari_channelmix.viewer.page_parts.training_controls import whole
from napari_channelmix.viewer.pages.latents.latents_job import EPOCHS, Look
from napari_channelmix.viewer.pages.latents.model_list import Model, model_in, shipped_models
from napari_channelmix.viewer.widgets import file_dialogs
from napari_channelmix.viewer.widgets.colored_text import marked
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.folding import Folding
from napari_channelmix.viewer.widgets.job_form import JobForm
from napari_channelmix.wording import brief, counted, listed

if TYPE_CHECKING:
    from pathlib import Path

    from qtpy.QtGui import QStandardItemModel

    from napari_channelmix.viewer.session.session import Session

__all__ = ["LatentsForm"]

COLORS, ONE, SUM, BLEND = "colors", "one", "sum", "blend"
TIPS = {
    "texture-sprites": "Trained on coloured sprites: for several channels in colours, or a photo",
    "cell-sprites": "Trained on grey sprites with grains and a rim: for one fluorescence channel",
}


class LatentsForm(QWidget):
    """Settings of a run.

    Signals
    -------
    run_requested()
        Run was pressed; see `choices`.
    """

    run_requested = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._busy = False
        # Whether the user chose a model; until then the one that suits the cells is proposed.
        self._chosen = False
        # Those that are offered, by the name or path that the settings have.
        self._models: dict[str, Model] = {}
        self.model = choice("The encoder; it was trained on synthetic shapes, not on your cells")
        self.open = QPushButton("File…")
        self.open.setToolTip("Open an encoder from a file (.safetensors)")
        self.look = choice("The channels that the encoder gets")
        for title, kind in (
            ("colours of the layers", COLORS),
            ("one channel", ONE),
            ("a sum of channels", SUM),
            ("the DCMIX blend", BLEND),
        ):
            self.look.addItem(title, kind)
        self.channel = choice("The channel")
        self.summed = choice(
            "The channels that are added up to one grey picture: names or patterns with commas "
            "between them (CD3, CD4 or CD*)"
        )
        self.summed.setEditable(True)
        self.summed.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        for word, tip in (
            (MEMBRANE, "Membrane markers by their names; without such names, as 'rims'"),
            (RIMS, "Channels that are measured to be brighter at the outlines than inside"),
        ):
            self.summed.addItem(word)
            self.summed.setItemData(self.summed.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)
        self.seen = QLabel()
        self.seen.setWordWrap(True)
        self.seen.setToolTip("Channels, and the colour or weight of each")
        self.finetune = QCheckBox("Fine-tune on these cells")
        self.finetune.setToolTip(
            "Fine-tuning uses no labels: reconstructions come closer to the cells, and whether "
            "latents keep their meaning is measured. The shipped weights are not changed. "
            "Default: off"
        )
        self.epochs = whole(1, 1000, EPOCHS, "Epochs of fine-tuning: passes over the cells")
        self.epochs.setEnabled(False)
        self.finetune.toggled.connect(self.epochs.setEnabled)
        self.draws = QCheckBox("Learn to draw these cells")
        self.draws.setToolTip(
            "Drawings then look like the cells: residual latents are learnt beside the named ones, "
            "which stay as they are. Takes 2 to 4 minutes on one core, whatever the number of "
            "cells. A fifth of the cells is held out to measure the drawings. Default: off"
        )
        self.settings = JobForm(
            EncodingSettings, self, controls={"model": self.model, "finetune": self.epochs}
        )
        # Two choices are a box to tick.
        unticked = self.settings["drawing"]
        unticked.setParent(self)
        unticked.hide()
        self.settings["features"].setPlaceholderText("none: pixels")
        self.seed = self.settings["seed"]
        self.run = QPushButton("Run")
        self.run.setToolTip("Compute the latents of all cells")
        self.reason = QLabel()
        self.reason.setWordWrap(True)
        self._build()
        for model in shipped_models():
            self._offer(model, TIPS.get(model.name, ""))
        self.model.activated.connect(self._choose)
        self.model.currentIndexChanged.connect(self._model_changed)
        self.look.currentIndexChanged.connect(self.fill)
        self.channel.currentIndexChanged.connect(self.fill)
        self.summed.currentTextChanged.connect(self.fill)
        self.open.clicked.connect(self._ask_file)
        self.run.clicked.connect(self.run_requested)
        self.fill()

    def _build(self) -> None:
        rows = form()
        first = QHBoxLayout()
        first.addWidget(self.model, 1)
        first.addWidget(self.open)
        # Beside each other their texts are wider than a narrow page.
        second = QVBoxLayout()
        for box in (self.look, self.channel, self.summed):
            second.addWidget(box)
        rows.addRow("Encoder", first)
        rows.addRow("Input", second)
        third = form()
        third.addRow(self.finetune)
        third.addRow("Epochs", self.epochs)
        third.addRow(self.draws)
        self.settings.leave("model", "finetune", "drawing")
        inner, content = form(), QWidget()
        self.settings.add_to(inner)
        content.setLayout(inner)
        self.more = Folding("More settings")
        self.more.setToolTip(
            "Features of a network in place of pixels, random seed, comparison with a classifier "
            "of the pixels"
        )
        self.more.addWidget(content)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(rows)
        column.addWidget(self.seen)
        column.addLayout(third)
        for widget in (self.more, self.run, self.reason):
            column.addWidget(widget)

    # ---------------------------------------------------------------- choices

    def take_file(self, path: Path) -> None:
        """Offer the disentangler in a file, and choose it."""
        model = model_in(path)
        self._offer(model, str(path))
        self._chosen = True
        self.model.setCurrentIndex(self.model.findData(str(model.source)))

    def _ask_file(self) -> None:
        path = file_dialogs.ask_open(self, "Open an encoder", "Encoders (*.safetensors)")
        if path is not None:
            self.take_file(path)

    @property
    def chosen_model(self) -> Model | None:
        """The disentangler that is chosen."""
        return self._models.get(self.model.currentData())

    @property
    def value(self) -> EncodingSettings:
        """The settings as the controls say."""
        values = self.settings.values
        tuned = values["finetune"] if self.finetune.isChecked() else 0
        drawing = "residual" if self.draws.isChecked() else "named"
        return EncodingSettings(**{**values, "finetune": tuned, "drawing": drawing})

    @property
    def chosen_look(self) -> Look | None:
        """The channels that the encoder gets, or None where `reason_not_ready` has a reason."""
        return self._look()

    def _offer(self, model: Model, tip: str) -> None:
        """Another model to choose, by what the settings call it."""
        source = str(model.source)
        known, self._models[source] = source in self._models, model
        if known:
            return
        self.model.addItem(model.name, source)
        self.model.setItemData(self.model.count() - 1, tip, Qt.ItemDataRole.ToolTipRole)

    def _look(self) -> Look | None:
        cells, imp = self._session.cells, self._session.importance
        if cells is None:
            return None
        kind = self.look.currentData()
        if kind == ONE:
            name = self.channel.currentData()
            return None if name is None else Look((name,))
        if kind == SUM:
            names = [name.strip() for name in self.summed.currentText().split(",")]
            names = [name for name in names if name]
            return Look(tuple(names), summed=True) if names else None
        if kind == BLEND:
            if imp is None or not set(imp.channels) <= set(cells.channels):
                return None
            return Look(imp.channels, shares=imp.share)
        return self._colors(cells.channels)

    def _colors(self, channels: tuple[str, ...]) -> Look | None:
        """The channels that are in sight, as their layers colour them."""
        shown = self._session.shown
        images = {} if shown is None else shown.images
        if len(images) == len(channels) and len(set(map(id, images.values()))) == len(channels):
            seen = [name for name in channels if images[name].visible] or list(channels)
            if len(seen) > MOST_COLORS:
                return None
            return Look(tuple(seen), tuple(layers.color_of(images[name]) for name in seen))
        # Channels of one layer have one colormap: they are told apart by the palette.
        return Look(channels) if len(channels) <= MOST_COLORS else None

    def reason_not_ready(self) -> str:
        """Why it cannot run, in words; empty where it can."""
        cells, model, imp = self._session.cells, self.chosen_model, self._session.importance
        if cells is None:
            return "First open a data set or use layers on the page 'Data'."
        if model is None:
            return "This installation has no encoder; open one from a file."
        kind = self.look.currentData()
        if kind == COLORS and model.depth == 1:
            return f"{model.name} takes one channel: choose 'one channel', a sum or a blend."
        if kind == COLORS and self._look() is None:
            return (
                f"{len(cells.channels)} channels, but only {MOST_COLORS} colours can be told "
                f"apart: show {MOST_COLORS} or fewer, or choose one channel, a sum or a blend."
            )
        if kind == SUM:
            return self._reason_of_sum(cells.channels)
        if kind == BLEND and imp is None:
            return "No channel importance yet: run 'Channels', or choose another input."
        if kind == BLEND and self._look() is None:
            return "The channel importance is of other channels; run it again."
        return ""

    def _reason_of_sum(self, channels: tuple[str, ...]) -> str:
        look = self._look()
        if look is None:
            return "Name the channels that are added up, with commas between them, or CD*."
        unknown = [name for name in look.channels if channels_called(channels, name) == ()]
        if unknown:
            return f"No channel fits '{brief(unknown[0])}'."
        return ""

    # ---------------------------------------------------------------- what is there

    def fill(self, _: object = None, *, busy: bool | None = None) -> None:
        """Bring channels, blend and reason up to date."""
        if busy is not None:
            self._busy = busy
        cells = self._session.cells
        channels = () if cells is None else cells.channels
        if channels != tuple(self.channel.itemData(index) for index in range(self.channel.count())):
            with QSignalBlocker(self.channel):
                self.channel.clear()
                for name in channels:
                    self.channel.addItem(name, name)
            self._propose(channels)
        self._switch(
            BLEND,
            self._session.importance is not None,
            "needs a result of the page 'Channels'",
        )
        model = self.chosen_model
        grey = model is not None and model.depth == 1
        self._switch(COLORS, not grey, "this encoder takes one channel")
        self.channel.setVisible(self.look.currentData() == ONE)
        self.summed.setVisible(self.look.currentData() == SUM)
        look, why = self._look(), self.reason_not_ready()
        self.seen.setText("" if look is None or why else _in_colors(look, channels))
        self.seen.setVisible(bool(self.seen.text()))
        self.reason.setText(why)
        self.reason.setVisible(bool(why))
        self.run.setEnabled(not why and not self._busy)

    def _choose(self, _: int) -> None:
        self._chosen = True

    def _propose(self, channels: tuple[str, ...]) -> None:
        """One channel, or a sum where there are too many, suits a model of one channel."""
        many = len(channels) > MOST_COLORS
        depth = 1 if len(channels) == 1 or many else 3
        index = next(
            (index for index, model in enumerate(self._models.values()) if model.depth == depth), -1
        )
        if index >= 0 and channels and not self._chosen:
            with QSignalBlocker(self.model):
                self.model.setCurrentIndex(index)
            with QSignalBlocker(self.look):
                summed = many and len(membrane_by_name(channels)) > 1
                kind = SUM if summed else ONE if depth == 1 else COLORS
                self.look.setCurrentIndex(self.look.findData(kind))

    def _model_changed(self) -> None:
        model = self.chosen_model
        if model is not None and model.depth == 1 and self.look.currentData() == COLORS:
            with QSignalBlocker(self.look):
                self.look.setCurrentIndex(self.look.findData(ONE))
        self.fill()

    def _switch(self, kind: str, on: bool, why: str) -> None:
        index = self.look.findData(kind)
        item: Any = cast("QStandardItemModel", self.look.model()).item(index)
        item.setEnabled(on)
        item.setToolTip("" if on else why)


def _summed(look: Look, channels: tuple[str, ...]) -> str:
    """Of what it is the sum, and how that is known."""
    called = [channels_called(channels, name) for name in look.channels]
    names = [name for name in channels if any(name in some for some in called if some)]
    how = ", by name" if MEMBRANE in look.channels and names else ""
    texts = [f"{listed(names)} ({counted(len(names), 'channel')}{how})"] if names else []
    if None in called:
        texts.append("what is measured to be brightest at the outlines")
    return f"sum of {' and '.join(texts)}"


def _in_colors(look: Look, channels: tuple[str, ...]) -> str:
    """What is looked at, as rich text; nothing where the form says it already."""
    if look.summed:
        return html.escape(_summed(look, channels))
    if look.shares is not None:
        order = sorted(zip(look.shares, look.channels, strict=True), reverse=True)
        return ", ".join(f"{100 * share:.0f} % {name}" for share, name in order)
    if len(look.channels) == 1 and look.colors is None:
        return ""
    if is_photo(look.channels):
        # Whatever the layers' colours: see `work.view_of`.
        return "a photo, in its own colours"
    if look.colors is None:
        return ", ".join(look.channels)
    return marked("■", zip(map(_hex, look.colors), look.channels, strict=True))


def _hex(color: tuple[float, float, float]) -> str:
    return "#" + "".join(f"{round(255 * min(max(part, 0.0), 1.0)):02X}" for part in color)
