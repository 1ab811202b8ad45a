"""Outlines of what would be segmented, in the place of the channel, while settings are changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from qtpy.QtCore import QObject, QTimer, Signal

from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.jobs import objects_job
from napari_channelmix.viewer.pages.data.layer_fields import place_of_objects
from napari_channelmix.viewer.session.session import session_of
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    from qtpy.QtWidgets import QWidget

    from napari_channelmix.data import Segmentation
    from napari_channelmix.settings import SegmentationSettings
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels

__all__ = ["SIDE", "SegmentationPreview"]

ROLE = "segmentation preview"
# Milliseconds in which changes are gathered: a slider that is dragged changes at each pixel.
PAUSE = 120
# Of a plane that is larger than the first, so many pixels along each side are previewed.
WHOLE, SIDE = 1280, 1024
# One colour for all, unlike the layer that is made of them.
OUTLINE = "yellow"
# Beyond so many pixels a line of one pixel is hardly seen.
THICK = 900


@dataclass(frozen=True, eq=False)
class Request:
    """What is to be previewed."""

    chosen: ChosenChannels
    channel: str
    settings: SegmentationSettings


class SegmentationPreview(QObject):
    """One layer of outlines, replaced in place; of several requests the newest alone is answered.

    Signals
    -------
    segmented(Segmentation, bool)
        The objects in sight, and whether they are of a part of the plane.
    failed(str)
    """

    segmented = Signal(object, bool)
    failed = Signal(str)

    def __init__(self, viewer: Any, parent: QWidget) -> None:
        super().__init__(parent)
        self.viewer = viewer
        # A thread that is on its last step keeps its core until then.
        self.task = Task(session_of(viewer), one_thread=True)
        self._request: Request | None = None
        self._corner = (0, 0)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(PAUSE)
        self._soon.timeout.connect(self._start)

    @property
    def layer(self) -> Any:
        """The layer of outlines, while there is one."""
        return layers.find_ours(self.viewer, ROLE)

    @property
    def waiting(self) -> bool:
        """Whether an answer is still to come."""
        return self._soon.isActive() or self.task.busy

    def ask(self, request: Request) -> None:
        """Show this soon, in place of what was asked for before."""
        self._request = request
        self._soon.start()

    def moved(self) -> None:
        """The view was moved: of a large plane another part is previewed."""
        request = self._request
        if request is not None and max(request.chosen.planes[0].shape) > WHOLE:
            corner = self._window(request)[:2]
            # Not for each pixel: what is in sight is mostly there already.
            if np.abs(np.subtract(corner, self._corner)).max() > SIDE // 4:
                self._soon.start()

    def stop(self) -> None:
        """Show nothing more."""
        self._request = None
        self._soon.stop()
        self.task.stop()

    def remove(self) -> None:
        """Stop, and take the outlines away."""
        self.stop()
        layer = self.layer
        if layer is not None:
            with layers.keep_selection(self.viewer.layers):
                self.viewer.layers.remove(layer)

    def _start(self) -> None:
        request = self._request
        if request is None:
            return
        window = self._window(request)
        self.task.run(
            "preview of the segmentation",
            objects_job(request.chosen, request.channel, request.settings, window),
            lambda result: self._show(request, result, window),
            on_error=self.failed.emit,
        )

    def _window(self, request: Request) -> tuple[int, int, int, int]:
        """Rows and columns that are previewed: all, or those around the middle of the view."""
        chosen = request.chosen
        shape = chosen.planes[0].shape
        if max(shape) <= WHOLE:
            return 0, 0, shape[0], shape[1]
        position = list(self.viewer.dims.point)
        for axis, place in zip(
            self.viewer.dims.displayed[-2:], self.viewer.scene.camera.center[-2:], strict=True
        ):
            position[axis] = place
        reference = chosen.reference
        middle = layers.plane_point(reference, position[-reference.ndim :], chosen.axes)
        starts, stops = [], []
        for length, centre in zip(shape, middle, strict=True):
            # A view beside the picture shows nothing of it.
            middle_of = centre if 0 <= centre < length else length / 2
            start = int(np.clip(middle_of - SIDE / 2, 0, max(0, length - SIDE)))
            starts.append(start)
            stops.append(min(length, start + SIDE))
        return starts[0], starts[1], stops[0], stops[1]

    def _show(
        self, request: Request, result: Segmentation, window: tuple[int, int, int, int]
    ) -> None:
        if self._request is not request:
            return
        self._corner = window[:2]
        place = place_of_objects(request.chosen, self._corner)
        new = self.layer is None
        with layers.keep_selection(self.viewer.layers):
            layer = layers.add_labels(
                self.viewer,
                ROLE,
                result.labels,
                place,
                name=f"preview of objects in {request.channel}",
                opacity=1.0,
                colormap={0: "transparent", None: OUTLINE},
            )
        layer.name = f"preview of objects in {request.channel}"
        if new:
            layer.contour = 1 + (max(result.labels.shape) > THICK)
        # Correcting it would be lost with the next preview.
        layer.editable = False
        self.segmented.emit(result, result.labels.shape != request.chosen.planes[0].shape)
