"""Where every slice of a stack is a field of view: the one in the viewer is the field shown."""

from __future__ import annotations

import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.session.per_viewer import PerViewer
from napari_channelmix.viewer.session.session import Session, session_of

if TYPE_CHECKING:
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["SliceFollower", "field_in_view", "follower_of", "move_to_slice"]


class SliceFollower:
    """One per viewer; when its sliders move to the slice of another field, that one is shown."""

    def __init__(self, viewer: Any, session: Session) -> None:
        self._viewer = weakref.ref(viewer)
        self.session = session
        viewer.dims.events.current_step.connect(self._moved)

    def _moved(self, _: object = None) -> None:
        viewer, shown = self._viewer(), self.session.shown
        if viewer is None or shown is None or not shown.stack:
            return
        field = field_in_view(viewer, shown)
        if field is not None and field != shown.field:
            self.session.shown = replace(shown, field=field, slice_position=shown.stack[field])


def field_in_view(viewer: Any, shown: Shown) -> int | None:
    """The field whose slice the viewer shows; None where it is of no field."""
    if not shown.is_in(viewer.layers):
        return None
    point = np.asarray(shown.reference.world_to_data(viewer.dims.point), dtype=np.float64)
    index = np.floor(point + 0.5)
    for field, indices in shown.stack.items():
        if all(index[axis] == place for axis, place in indices.items()):
            return field
    return None


def move_to_slice(viewer: Any, shown: Shown, field: int) -> bool:
    """Move the sliders of the viewer to the slice of a field; whether it is one."""
    if field not in shown.stack or not shown.is_in(viewer.layers):
        return False
    layer = shown.reference
    point = np.array(layer.world_to_data(viewer.dims.point), dtype=np.float64)
    for axis, index in shown.stack[field].items():
        point[axis] = index
    world = np.asarray(layer.data_to_world(point), dtype=np.float64)
    offset = viewer.dims.ndim - layer.ndim
    for axis in shown.stack[field]:
        viewer.dims.set_point(axis + offset, float(world[axis]))
    return True


_FOLLOWERS = PerViewer(lambda viewer: SliceFollower(viewer, session_of(viewer)))


def follower_of(viewer: Any) -> SliceFollower:
    """The follower of a viewer; made with its first dock."""
    return _FOLLOWERS(viewer)
