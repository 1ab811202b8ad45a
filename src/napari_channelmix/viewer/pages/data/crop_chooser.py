"""How large the crops are: proposed from the cells, shown around real ones, or set by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QSignalBlocker, QTimer, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSpinBox, QVBoxLayout, QWidget

from napari_channelmix.data.fields import square_boxes
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.layer_cells import MeasuredCells, measure_job
from napari_channelmix.viewer.session.session import session_of
from napari_channelmix.viewer.session.shown import Shown
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent, QShowEvent

    from napari_channelmix.viewer.pages.data.layer_cells import CellsPlan

__all__ = ["CropChooser"]

# Box around an ordinary cell, and around the largest where it does not fit.
FITS, TOO_LARGE = "#F0E442", "#D55E00"
# Until the cells are measured.
BEFORE = 48
# A label image that is being painted in is measured again after so many milliseconds.
PAUSE = 400


class CropChooser(QWidget):
    """A number, a button that takes the proposed one again, and how the cells fit, in a line."""

    changed = Signal()

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.viewer = viewer
        self.task = Task(session_of(viewer))
        self.spin = QSpinBox()
        self.spin.setRange(8, 1024)
        self.spin.setValue(BEFORE)
        self.spin.setKeyboardTracking(False)
        self.spin.setToolTip(
            "Side of the square cut out around each cell, in pixels. Default: the smallest that "
            "holds 99 % of the cells"
        )
        self.auto = QPushButton("Auto")
        self.auto.setToolTip("Take the size that fits the cells")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setToolTip(
            "Drawn in the picture: the crop around an ordinary cell (yellow) and around the "
            "largest where it does not fit (orange)"
        )
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.spin, 1)
        row.addWidget(self.auto)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(row)
        column.addWidget(self.text)
        self.by_hand = False
        self.measured: MeasuredCells | None = None
        self._plan: CellsPlan | None = None
        # Of the cells that are being measured, and of those whose measures are known.
        self._key: tuple[Any, ...] | None = None
        self._measured_key: tuple[Any, ...] | None = None
        # How often what was painted in the layer has been measured.
        self.painted = 0
        self._layer: Any = None
        self._boxed = False
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.timeout.connect(self._measure_again)
        self._leave = QTimer(self)
        self._leave.setSingleShot(True)
        self._leave.timeout.connect(self._left)
        self.spin.valueChanged.connect(lambda _: self._set_by_hand())
        self.auto.clicked.connect(self._take_proposed)
        self.destroyed.connect(lambda *_, task=self.task: task.abandon())
        self._say()

    # ---------------------------------------------------------------- the number

    @property
    def side(self) -> int | None:
        """Side in pixels; None where the cells of the plan are to be measured first."""
        known = self.measured is not None and self._measured_key == self._key
        return self.spin.value() if self.by_hand or known else None

    def _set_by_hand(self) -> None:
        self.by_hand = True
        self._say()
        self._draw()
        self.changed.emit()

    def _take_proposed(self) -> None:
        self.by_hand = False
        self._say()
        self._draw()
        self.changed.emit()

    def _say(self) -> None:
        """The number with its unit, and how the cells fit."""
        proposal = None if self.measured is None else self.measured.proposal
        with QSignalBlocker(self.spin):
            if not self.by_hand and proposal is not None:
                self.spin.setValue(proposal.side)
            self.spin.setPrefix("" if self.by_hand else "auto (")
            self.spin.setSuffix(" pixels" if self.by_hand else " pixels)")
        self.auto.setVisible(self.by_hand)
        said = []
        if proposal is not None and not (proposal.guessed and self.by_hand):
            said.append(proposal.text(self.spin.value()))
        if proposal is not None and proposal.limited:
            said.append("the image allows no larger crop")
        text = "; ".join(said)
        self.text.setText(text)
        self.text.setVisible(bool(text))

    # ---------------------------------------------------------------- measured cells

    def measure(self, plan: CellsPlan | None) -> None:
        """Measure the cells of a plan in a worker, where they are not those measured last."""
        self._plan = plan
        if plan is None:
            self._forget()
            return
        self._follow(plan.layer)
        key = (
            id(plan.layer),
            plan.labelled,
            plan.chosen.slice_index,
            plan.chosen.every,
            tuple(map(id, plan.chosen.images.values())),
            self.painted,
        )
        if key == self._key:
            return
        self._key = key
        self.task.run(
            "measuring the cells",
            measure_job(plan),
            lambda measured: self._measured_now(measured, key),
            on_error=lambda _: self._not_measured(key),
        )

    def _measured_now(self, measured: MeasuredCells, key: tuple[Any, ...]) -> None:
        if key != self._key:
            return
        self.measured, self._measured_key = measured, key
        self._say()
        self._draw()
        self.changed.emit()

    def _not_measured(self, key: tuple[Any, ...]) -> None:
        if key == self._key:
            self._forget(key)

    def _forget(self, key: tuple[Any, ...] | None = None) -> None:
        """Nothing is known of the cells; ``key``: of these."""
        self._key = key
        if self.measured is not None:
            self.measured = None
            self._say()
        self._erase()

    def _follow(self, layer: Any) -> None:
        """Hear of what is painted in a layer."""
        if layer is self._layer:
            return
        for name in ("paint", "data"):
            for source, connect in ((self._layer, False), (layer, True)):
                emitter = getattr(getattr(source, "events", None), name, None)
                if emitter is not None:
                    (emitter.connect if connect else emitter.disconnect)(self._layer_painted)
        self._layer = layer

    def _layer_painted(self, _: object = None) -> None:
        self._later.start(PAUSE)

    def _measure_again(self) -> None:
        self.painted += 1
        if self._plan is not None:
            self.measure(self._plan)

    def outlined(self) -> bool:
        """Whether the size of the cells is known."""
        return self.measured is not None and not self.measured.proposal.guessed

    # ---------------------------------------------------------------- boxes in the picture

    def _draw(self) -> None:
        """Boxes around cells, while the number is in sight."""
        plan, measured = self._plan, self.measured
        if plan is None or measured is None or not self.isVisible() or not len(measured.centres):
            return
        side = self.spin.value()
        chosen, colors = [_ordinary(measured)], [FITS]
        extents = np.nan_to_num(measured.extents)
        largest = int(extents.argmax())
        if extents[largest] > side:
            chosen, colors = [*chosen, largest], [*colors, TOO_LARGE]
        y, x = measured.centres[chosen].T
        of = plan.chosen
        where = layers.field_place(Shown(0, of.images, None, of.slice_position, of.axes))
        if where.repeated:
            where = layers.FieldPlace(layers.like(of.reference, of.axes))
        self._boxed = True
        layers.show_crop_boxes(self.viewer, where, square_boxes(y, x, side), colors)

    def _erase(self) -> None:
        if self._boxed:
            self._boxed = False
            layers.hide_crop_boxes(self.viewer)

    def done(self) -> None:
        """The cells are cut out: the boxes go."""
        self._erase()

    def showEvent(self, event: QShowEvent | None) -> None:
        """Draw the boxes again where the page comes back."""
        super().showEvent(event)
        self._draw()

    def hideEvent(self, event: QHideEvent | None) -> None:
        """Take the boxes away where the page is left; not where the window is only minimised."""
        super().hideEvent(event)
        if event is not None and not event.spontaneous():
            # Where the window closes, its layers go with it.
            self._leave.start(0)

    def _left(self) -> None:
        if not self.isVisible() and self.window().isVisible():
            self._erase()


def _ordinary(measured: MeasuredCells) -> int:
    """A cell of middling size near the middle of the others."""
    centres = measured.centres
    far = np.linalg.norm(centres - np.median(centres, axis=0), axis=1)
    if np.isnan(measured.extents).all():
        return int(far.argmin())
    odd = np.abs(measured.extents - np.median(measured.extents))
    return int(np.where(odd <= np.quantile(odd, 0.2), far, np.inf).argmin())
