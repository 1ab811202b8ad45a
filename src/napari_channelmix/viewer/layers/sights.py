"""Bring a cell into the middle of the view, and select it where its layer has selections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Labels, Points

from napari_channelmix.viewer.layers.geometry import plane_axes
from napari_channelmix.viewer.layers.results import OURS

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session import Shown

__all__ = ["center_on", "select_object"]


def center_on(viewer: Any, shown: Shown, cells: Cells, cell: int) -> None:
    """Move the view so that a cell of the field that is shown is in its middle; the zoom stays."""
    layer = shown.reference
    row = cells.table.iloc[cell]
    point = np.asarray(layer.world_to_data(viewer.dims.point), dtype=float)
    for axis, index in shown.at.items():
        point[axis] = index
    rows, columns = shown.axes or plane_axes(layer)
    point[rows] = (row["y0"] + row["y1"]) / 2 - 0.5
    point[columns] = (row["x0"] + row["x1"]) / 2 - 0.5
    world = np.asarray(layer.data_to_world(point), dtype=float)
    offset = viewer.dims.ndim - layer.ndim
    for axis in shown.at:
        viewer.dims.set_point(axis + offset, float(world[axis]))
    wanted = [axis - offset for axis in viewer.dims.displayed]
    if min(wanted) >= 0:
        viewer.scene.camera.center = tuple(float(v) for v in world[wanted])


def select_object(shown: Shown, cells: Cells, cell: int) -> None:
    """Select a cell's label or point, unless the user is at work in that layer."""
    layer = shown.objects
    if layer is None or str(layer.mode) != "pan_zoom":
        return
    number = int(cells.table["object"].iloc[cell])
    if isinstance(layer, Labels) and number > 0:
        layer.selected_label = number
    elif isinstance(layer, Points) and OURS not in layer.metadata:
        layer.selected_data = {number}
