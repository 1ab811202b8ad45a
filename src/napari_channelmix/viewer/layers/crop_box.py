"""The square of a crop, drawn around a cell while its size is chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.viewer.layers.keep_selection import keep_selection
from napari_channelmix.viewer.layers.own_layers import OURS, PLANE, claim, find_ours, place

if TYPE_CHECKING:
    from napari_channelmix.viewer.layers.placing import FieldPlace

__all__ = ["hide_crop_boxes", "show_crop_boxes"]

ROLE = "crop"
# Of the side of a box.
EDGE = 0.03


def show_crop_boxes(
    viewer: Any, where: FieldPlace, boxes: npt.NDArray[np.int64], colors: list[str]
) -> Any:
    """Draw boxes (n, 4), half open in pixels, in a Shapes layer of ours, or move those there.

    Parameters
    ----------
    viewer : napari viewer
    where : FieldPlace
        Of the field of view; not one that is repeated along an axis.
    boxes : (n, 4) int array
        y0, x0, y1, x1.
    colors : list of n str
        Of new boxes: the same for the same number of them.
    """
    corners = [where.points(_corners(box)) for box in boxes]
    width = max(1.0, EDGE * float((boxes[:, 2] - boxes[:, 0]).max()))
    layer = find_ours(viewer, ROLE)
    if layer is not None and (layer.ndim != where.ndim or layer.nshapes != len(corners)):
        viewer.layers.remove(layer)
        layer = None
    if layer is None:
        with keep_selection(viewer.layers):
            layer = claim(
                viewer.add_shapes(
                    corners,
                    shape_type="rectangle",
                    name=ROLE,
                    edge_color=colors,
                    edge_width=width,
                    face_color="transparent",
                    metadata={OURS: ROLE, PLANE: where.plane},
                    **where.geometry,
                )
            )
        layer.editable = False
        return layer
    # As many boxes have the same colours; setting them again takes as long as moving the boxes.
    layer.data = corners
    place(layer, where.geometry)
    return layer


def hide_crop_boxes(viewer: Any) -> None:
    """Take the boxes away."""
    layer = find_ours(viewer, ROLE)
    if layer is not None:
        viewer.layers.remove(layer)


def _corners(box: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Corners (4, 2) of a box: the outer edges of its pixels, whose centres are whole numbers."""
    y0, x0, y1, x1 = (float(edge) - 0.5 for edge in box)
    return np.array([[y0, x0], [y0, x1], [y1, x1], [y1, x0]])
