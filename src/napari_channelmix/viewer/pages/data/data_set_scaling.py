"""Scale the pixels of a data set that is open otherwise; layers and files stay as they are."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from napari_channelmix.data.measured_scaling import rescaled_job, with_scaling
from napari_channelmix.errors import ModelError
from napari_channelmix.settings.scaling import ScalingSettings
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.merging import replaceable
from napari_channelmix.viewer.pages.data.scaling_box import ScalingBox
from napari_channelmix.viewer.session.session import session_of
from napari_channelmix.viewer.widgets.notice import breakable
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.viewer.session.session import Session

__all__ = ["DataSetScaling", "chosen_scaling_job", "scaled_as_before_job", "use_scaled"]


def chosen_scaling_job(cells: Cells, every: Cells, settings: ScalingSettings | None) -> Job[Cells]:
    """Cells scaled as chosen; None: as their data set, ``every``, was opened."""
    if settings is not None:
        return (yield from rescaled_job(cells, settings))
    full = dict(zip(every.planes, every.channels, strict=True))
    names = {full[plane]: own for plane, own in zip(cells.planes, cells.channels, strict=True)}
    scaling = every.scaling.of_channels(tuple(names)).renamed(names)
    return with_scaling(cells, scaling)


def scaled_as_before_job(cells: Cells, before: Cells, every: Cells) -> Job[Cells]:
    """Cells of other channels of a data set, scaled as was chosen for those before."""
    chosen = before.scaling.chosen
    if chosen == every.scaling.chosen:
        return cells
    return (yield from rescaled_job(cells, ScalingSettings.from_text(chosen or "none")))


def use_scaled(viewer: Any, session: Session, cells: Cells) -> str:
    """Take the same cells with other pixels in use, and say what became of classes and results.

    Classes stay, and the layers that show the field of view. Nothing that was found is dropped: a
    data set with results stays open beside.
    """
    before, state = session.cells, session.of(session.data_set)
    if before is None or state is None:
        return ""
    shown, instead = session.shown, replaceable(session)
    # Maps and predictions are of the cells before.
    layers.forget_ours(viewer, besides=shown)
    copy = None if shown is None else dataclasses.replace(shown)
    session.open(cells, state.source, copy, instead=instead)
    # As a change, so that it is kept with the others.
    session.classify(before.labels, before.classes)
    lines = [f"{now_words(cells)}."]
    if not instead:
        lines.append(f"{state.name} stays open with {listed(state.results, 6)}, as it was.")
    if _refuses(session, cells):
        lines.append("The classifier in use was trained on pixels scaled otherwise: train one.")
    return " ".join(lines)


def now_words(cells: Cells) -> str:
    """How the pixels of cells are scaled, in a line."""
    scaling = cells.scaling.of_channels(cells.channels)
    if not scaling:
        return "Pixels are as in the files"
    some = len(scaling.channels)
    which = "" if some == len(cells.channels) else f" of {counted(some, 'channel')}"
    measured = f", measured on {counted(scaling.n, 'cell')}" if scaling.n else ""
    return f"Pixels{which} are scaled: {scaling.text}{measured}"


def _refuses(session: Session, cells: Cells) -> bool:
    """Whether the classifier in use refuses cells that are scaled like this."""
    from napari_channelmix.classify.scaled_pixels import scaled_alike

    classifier: Any = None if session.trained is None else session.trained.classifier
    names = tuple(getattr(classifier, "channels", ()))
    if not names or not set(names) <= set(cells.channels):
        return False
    try:
        scaled_alike(cells.with_channels(names), getattr(classifier, "scaling", None), "it")
    except ModelError:
        return True
    return False


class DataSetScaling(ScalingBox):
    """The steps of a data set that was opened from its file, folded away."""

    # `ScalingSettings`, or None for what the data set was opened with; and why there are none.
    chosen = Signal(object)
    refused = Signal(str)

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        self.now = QLabel()
        self.use = QPushButton("Use this scaling")
        self.as_opened = QPushButton("As opened")
        super().__init__(parent)
        self.session = session_of(viewer)
        self._listed: Cells | None = None
        self._every: Cells | None = None
        self.now.setWordWrap(True)
        self.use.setToolTip(
            "All pages then work on crops that are scaled like this; without a tick as they are in "
            "the files. Classes and layers stay; a data set with results stays open beside"
        )
        self.as_opened.setToolTip("Scale pixels again as when the data set was opened")
        row = QHBoxLayout()
        row.addWidget(self.use, 1)
        row.addWidget(self.as_opened)
        self.column.addWidget(self.now)
        self.column.addLayout(row)
        self.use.clicked.connect(self._use)
        self.as_opened.clicked.connect(lambda: self.chosen.emit(None))

    def fill(self, every: Cells | None) -> None:
        """Show the steps of the data set in use; ``every``: as it was opened."""
        cells = self.session.original
        if cells is None or cells is self._listed:
            return
        self._listed, self._every = cells, every
        chosen = cells.scaling.chosen
        self.take(ScalingSettings.from_text(chosen) if chosen else ScalingSettings())
        self.now.setText(breakable(f"{now_words(cells)}."))
        self.as_opened.setVisible(every is not None and every.scaling.chosen != chosen)
        self._say()

    def _use(self) -> None:
        try:
            self.chosen.emit(self.settings)
        except ModelError as error:
            self.refused.emit(str(error))

    def _say(self) -> None:
        """What is in use in the title; the button is on where what is ticked differs from it."""
        cells = getattr(self, "_listed", None)
        if cells is None:
            return
        scaled = bool(cells.scaling.of_channels(cells.channels))
        self.setText(f"Scaling of pixels: {'yes' if scaled else 'no'}")
        try:
            ticked = self.settings.spelt
        except ModelError:
            # The reason is said when it is pressed.
            ticked = ""
        now = cells.scaling.chosen or ("" if scaled else ScalingSettings().spelt)
        self.use.setEnabled(ticked != now)
        self.changed.emit()
