"""Bring a cell into the middle of the view; select cells in their layer, and hear what is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Points

from napari_channelmix.viewer.layers.features import point_rows
from napari_channelmix.viewer.layers.geometry import plane_axes
from napari_channelmix.viewer.layers.own_layers import is_own

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.shown import Shown

__all__ = [
    "center_on",
    "select_object",
    "select_objects",
    "selected_objects",
    "selection_signal",
    "side_on_screen",
    "zoom_to",
]


def center_on(viewer: Any, shown: Shown, cells: Cells, cell: int) -> None:
    """Move the view so that a cell of the field that is shown is in its middle; the zoom stays."""
    layer = shown.reference
    point = np.asarray(layer.world_to_data(viewer.dims.point), dtype=float)
    for axis, index in shown.slice_position.items():
        point[axis] = index
    rows, columns = shown.axes or plane_axes(layer)
    point[rows], point[columns] = cells.centres[cell]
    world = np.asarray(layer.data_to_world(point), dtype=float)
    offset = viewer.dims.ndim - layer.ndim
    for axis in shown.slice_position:
        viewer.dims.set_point(axis + offset, float(world[axis]))
    displayed = [axis - offset for axis in viewer.dims.displayed]
    if min(displayed) >= 0:
        viewer.scene.camera.center = tuple(float(v) for v in world[displayed])


def side_on_screen(viewer: Any, shown: Shown, cells: Cells, cell: int) -> float:
    """Side of a cell's box in pixels of the canvas, as it is seen now; the longer one."""
    return float(_side(shown, cells, cell) * viewer.scene.camera.zoom)


def zoom_to(viewer: Any, shown: Shown, cells: Cells, cell: int, share: float = 0.4) -> None:
    """Bring a cell into the middle, with its box over a share of the shorter side of the canvas."""
    side = _side(shown, cells, cell)
    if side > 0:
        viewer.scene.camera.zoom = share * min(viewer.canvas.size) / side
    center_on(viewer, shown, cells, cell)


def _side(shown: Shown, cells: Cells, cell: int) -> float:
    """The longer side of a cell's box in world units."""
    layer = shown.reference
    y0, x0, y1, x1 = cells.boxes[cell].tolist()
    rows, columns = shown.axes or plane_axes(layer)
    corners = np.zeros((3, layer.ndim))
    corners[1, rows], corners[2, columns] = y1 - y0, x1 - x0
    world = np.array([layer.data_to_world(corner) for corner in corners], dtype=float)
    return float(np.linalg.norm(world[1:] - world[0], axis=1).max())


def select_object(shown: Shown, cells: Cells, cell: int) -> None:
    """Select a cell's label or point, unless the user is at work in that layer."""
    layer = shown.objects
    if layer is None or is_own(layer) or str(layer.mode) != "pan_zoom":
        return
    number = int(cells.table["object"].iloc[cell])
    if isinstance(layer, Labels) and number > 0:
        layer.selected_label = number
    elif isinstance(layer, Points):
        rows = point_rows(layer, np.array([number]), shown.id_column)
        layer.selected_data = set(rows[rows >= 0].tolist())


def select_objects(shown: Shown, cells: Cells, chosen: Sequence[int]) -> None:
    """Select cells of the field that is shown: all points, or the label of the first one.

    Of labels napari selects one. The user may be at work in that layer: then nothing is done.
    """
    layer = shown.objects
    if selection_signal(layer) is None or str(layer.mode) not in ("pan_zoom", "select"):
        return
    numbers = cells.table["object"].to_numpy(np.int64)
    if isinstance(layer, Points):
        rows = point_rows(layer, numbers[list(chosen)], shown.id_column)
        selection = set(rows[rows >= 0].tolist())
        if selection != set(layer.selected_data):
            layer.selected_data = selection
    elif len(chosen) and 0 < numbers[chosen[0]] != layer.selected_label:
        layer.selected_label = int(numbers[chosen[0]])


def selected_objects(shown: Shown, cells: Cells) -> tuple[int, ...] | None:
    """Cells of the field that is shown whose points or label are selected; None: nothing is said.

    While labels are painted or picked, the label that is selected is a colour, not a cell.
    """
    layer = shown.objects
    if selection_signal(layer) is None:
        return None
    indices = np.flatnonzero((cells.table["field"] == shown.field).to_numpy())
    numbers = cells.table["object"].to_numpy(np.int64)[indices]
    if isinstance(layer, Points):
        rows = point_rows(layer, numbers, shown.id_column)
        chosen = np.isin(rows, [int(row) for row in layer.selected_data])
        return tuple(int(cell) for cell in indices[chosen])
    if str(layer.mode) != "pan_zoom":
        return None
    matches = indices[numbers == int(layer.selected_label)]
    return (int(matches[0]),) if len(matches) and layer.selected_label > 0 else None


def selection_signal(layer: Any) -> Any:
    """What tells that other labels or points are selected; None where a layer has no cells of it.

    Our own marks have no numbers that cells could be known by.
    """
    if layer is None or is_own(layer):
        return None
    if isinstance(layer, Labels):
        return layer.events.selected_label
    if isinstance(layer, Points):
        return layer.selected_data.events.items_changed
    return None
