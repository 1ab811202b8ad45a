"""Segment objects in a channel: preview, settings, and the button that makes the Labels layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.viewer.pages.data.segmenting.form import SegmentationForm
from napari_channelmix.viewer.pages.data.segmenting.preview import Request, SegmentationPreview
from napari_channelmix.viewer.widgets.combo_box import choice
from napari_channelmix.viewer.widgets.notice import Notice
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from qtpy.QtGui import QHideEvent

    from napari_channelmix.data import Segmentation
    from napari_channelmix.settings import SegmentationSettings
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels

__all__ = ["STACKED", "SegmentationPanel"]

SEGMENT, USE = "Segment nuclei", "Use these objects"
STACKED = (
    "nuclei are segmented in one plane: choose the current slice or the maximum, or mark the cells "
    "by a Labels layer of all slices"
)


class SegmentationPanel(QWidget):
    """One row; with the preview on, the settings, what was found, and what looks wrong.

    ``requested`` gives the channel and the settings that are to be used.
    """

    requested = Signal(str, object)

    def __init__(self, viewer: Any, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        # The channels as they stand now; None where they cannot be used.
        self.choose: Callable[[], ChosenChannels | None] = lambda: None
        self.channel = choice("The channel in which objects are segmented; proposed by its name")
        self.previewing = QPushButton("Preview")
        self.previewing.setCheckable(True)
        self.previewing.setToolTip("Show outlines and settings before the objects are used")
        self.use = QPushButton(SEGMENT)
        self.use.setToolTip(
            "Make a Labels layer of the objects, which you can correct; the cells are cut out of it"
        )
        self.form = SegmentationForm()
        self.count = QLabel()
        self.count.setWordWrap(True)
        self.doubts = Notice()
        self.preview = SegmentationPreview(viewer, self)
        self._had_layer = False
        # Whether the user chose the channel.
        self._by_hand = False
        # Whether settings are in sight without a preview.
        self._open = False
        self._build()
        self._arrange()
        self.previewing.toggled.connect(self._toggled)
        self.channel.currentIndexChanged.connect(lambda _: self._ask())
        self.channel.activated.connect(self._chosen_by_hand)
        self.form.changed.connect(self._ask)
        self.use.clicked.connect(
            lambda: self.requested.emit(self.channel.currentText(), self.settings)
        )
        self.preview.segmented.connect(self._segmented)
        self.preview.failed.connect(self._failed)

    def _build(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(4)
        label = QLabel("Segment in")
        label.setBuddy(self.channel)
        row.addWidget(label)
        row.addWidget(self.channel, 1)
        row.addWidget(self.previewing)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        for part in (self.form, self.count, self.doubts, self.use):
            column.addWidget(part)

    @property
    def settings(self) -> SegmentationSettings:
        """How objects are segmented."""
        return self.form.value

    def fill_channels(self, names: tuple[str, ...]) -> None:
        """Offer these channels; the one that is named like a stain of nuclei is proposed."""
        if names != tuple(self.channel.itemText(i) for i in range(self.channel.count())):
            before = self.channel.currentText()
            self._by_hand &= before in names
            proposed = before if self._by_hand else nuclear_channel(names)
            with QSignalBlocker(self.channel):
                self.channel.clear()
                self.channel.addItems(list(names))
                if proposed is not None:
                    self.channel.setCurrentText(proposed)
            self.form.fill_bodies(names)
            self._ask()
        self.use.setEnabled(bool(names))
        self.previewing.setEnabled(bool(names))
        if not names:
            self.leave()

    def leave(self) -> None:
        """Take the preview away; the settings stay."""
        self.previewing.setChecked(False)
        self.preview.remove()

    def used(self, result: Segmentation) -> None:
        """Objects were used: where they look wrong, the settings stay in sight."""
        self._open = bool(result.warnings)
        self.leave()
        self._arrange()
        self.form.show_diameter(result.diameter)

    def halt(self) -> None:
        """Stop the work."""
        self.preview.stop()

    def layers_changed(self) -> None:
        """Layers came or went: a preview that the user removed is off."""
        if self._had_layer and self.preview.layer is None:
            self.leave()

    def moved(self, *, slice_changed: bool = False) -> None:
        """Another slice or another part of the picture is in view."""
        if self.previewing.isChecked():
            if slice_changed:
                self._ask()
            else:
                self.preview.moved()

    def hideEvent(self, event: QHideEvent) -> None:
        """The outlines go with the page."""
        super().hideEvent(event)
        # A window that is minimised comes back.
        if not event.spontaneous():
            self.leave()

    def _chosen_by_hand(self, _: int) -> None:
        self._by_hand = True

    def _toggled(self, on: bool) -> None:
        if on:
            self._ask()
        else:
            self._had_layer = False
            self.preview.remove()
        self._arrange()

    def _arrange(self) -> None:
        on = self.previewing.isChecked()
        self.form.setVisible(on or self._open)
        self.count.setVisible(on)
        if not on:
            self.count.setText("")
            self.doubts.clear_line()
        self.use.setText(USE if on else SEGMENT)

    def _ask(self) -> None:
        if not self.previewing.isChecked():
            return
        chosen, channel = self.choose(), self.channel.currentText()
        if chosen is None or channel not in chosen.names:
            self.leave()
        elif chosen.stacked:
            self._had_layer = False
            self.preview.remove()
            self._failed(STACKED)
        else:
            self.preview.ask(Request(chosen, channel, self.settings))

    def _segmented(self, result: Segmentation, part: bool) -> None:
        self._had_layer = True
        self.form.show_diameter(result.diameter)
        text = counted(result.count, "object")
        if result.count:
            text += f", median diameter {result.median_diameter:.0f} px"
        if part:
            height, width = result.labels.shape
            text += f", in {height:,} x {width:,} pixels around the middle of the view"
        self.count.setText(text)
        self.doubts.say("\n".join(result.warnings), "warning")

    def _failed(self, line: str) -> None:
        self.count.setText("")
        self.doubts.say(line, "error")
