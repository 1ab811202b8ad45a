"""Rings around cells that were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.layers.own_layers import add_points, find_ours
from napari_channelmix.viewer.layers.placing import field_place

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.session import Shown

__all__ = ["ring_cells"]

# Ring and box: the cell is in the middle of its box.
SHARE = 0.8


def ring_cells(viewer: Any, role: str, cells: Cells, shown: Shown, chosen: Sequence[int]) -> None:
    """Ring these cells in a Points layer of ours; none takes the layer away."""
    layer = find_ours(viewer, role)
    if not len(chosen):
        if layer is not None:
            viewer.layers.remove(layer)
        return
    boxes = cells.table[["y0", "x0", "y1", "x1"]].to_numpy(np.float64)[list(chosen)]
    centres = cells.centres[list(chosen)]
    sizes = SHARE * (boxes[:, 2] - boxes[:, 0])
    selected = set(viewer.layers.selection)
    # Another field of view may lie elsewhere.
    add_points(
        viewer,
        role,
        centres,
        field_place(shown),
        name=role,
        looks={"size": sizes},
        symbol="disc",
        face_color="transparent",
        border_color="white",
        border_width=0.06,
    )
    if set(viewer.layers.selection) == selected:
        return
    viewer.layers.selection.clear()
    viewer.layers.selection.update(selected & set(viewer.layers))
