"""Rings around cells that were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.layers.geometry import like
from napari_channelmix.viewer.layers.results import OURS, claim, find_ours, place

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session import Shown

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
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5
    sizes = SHARE * (boxes[:, 2] - boxes[:, 0])
    if layer is not None:
        layer.data = centres
        layer.size = sizes
        # Another field of view may lie elsewhere.
        place(layer, like(shown.reference, shown.axes))
        return
    selected = set(viewer.layers.selection)
    layer = claim(viewer.add_points(
        centres, name=role, metadata={OURS: role}, symbol="disc", size=sizes,
        face_color="transparent", border_color="white", border_width=0.06,
        **like(shown.reference, shown.axes),
    ))  # fmt: skip
    layer.editable = False
    viewer.layers.selection.clear()
    viewer.layers.selection.update(selected & set(viewer.layers))
