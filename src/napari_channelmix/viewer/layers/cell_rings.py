"""Rings around cells that were chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from napari_channelmix.viewer.layers.keep_selection import keep_selection
from napari_channelmix.viewer.layers.own_layers import add_points, find_ours
from napari_channelmix.viewer.layers.placing import field_place
from napari_channelmix.viewer.layers.removing import no_search, remove_small

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["ring_cells"]

# Ring and box: the cell is in the middle of its box.
SHARE = 0.8


def ring_cells(viewer: Any, role: str, cells: Cells, shown: Shown, chosen: Sequence[int]) -> None:
    """Ring these cells in a Points layer of ours; none takes the layer away."""
    layer = find_ours(viewer, role)
    if not len(chosen):
        if layer is not None:
            remove_small(viewer, layer)
        return
    boxes = cells.boxes[list(chosen)]
    centres = cells.centres[list(chosen)]
    sizes = SHARE * (boxes[:, 2] - boxes[:, 0])
    with keep_selection(viewer.layers), no_search():
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
