"""Cells coloured by a number: one image of numbers, never a colour table with a row per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from napari.layers import Image, Points
from napari.utils.colormaps import AVAILABLE_COLORMAPS

from napari_channelmix.viewer.layers.lookup import fill, table_of
from napari_channelmix.viewer.layers.results import OURS, add_image, claim, find_ours, place

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["show_scores"]

Floats = npt.NDArray[np.float64]

# Labels and pixels of the layers that were drawn.
_DRAWN: WeakKeyDictionary[Any, tuple[npt.NDArray[Any], npt.NDArray[np.float32]]] = (
    WeakKeyDictionary()
)


def show_scores(
    viewer: Any,
    role: str,
    cells: Cells,
    field: int,
    scores: Floats,
    geometry: dict[str, Any],
    *,
    name: str,
    limits: tuple[float, float],
    colormap: str,
) -> Any:
    """Colour the cells of a field of view by a number each, in one layer.

    Parameters
    ----------
    scores : (N,) array
        Of all cells of the data set.
    geometry : dict
        As of `like`.
    limits : (float, float)
        What is drawn in the first and in the last colour.

    Returns
    -------
    napari Image layer, NaN between the cells; or a Points layer where the cells have no outlines.
    """
    here = (cells.table["field"] == field).to_numpy()
    labels = cells.fields[field].labels
    before = find_ours(viewer, role)
    if before is not None and isinstance(before, Image) != (labels is not None):
        viewer.layers.remove(before)
    if labels is None:
        layer = _marks(viewer, role, cells, here, scores, geometry, name, limits, colormap)
    else:
        objects = cells.table["object"].to_numpy(np.int64)[here]
        # A label that is no cell, and the ground between them, have no number.
        table = table_of(
            int(labels.max(initial=0)), objects, scores[here].astype(np.float32), np.nan
        )
        layer = _image(viewer, role, labels, table, geometry, name, limits, colormap)
    layer.name = name
    return layer


def _image(
    viewer: Any,
    role: str,
    labels: npt.NDArray[Any],
    table: npt.NDArray[np.float32],
    geometry: dict[str, Any],
    name: str,
    limits: tuple[float, float],
    colormap: str,
) -> Any:
    """The number of its cell in each pixel, in the array of the layer that shows these labels."""
    layer = find_ours(viewer, role)
    drawn = None if layer is None else _DRAWN.get(layer)
    if drawn is not None and drawn[0] is labels and layer.data is drawn[1]:
        # A new array of this size takes longer to get than to write.
        fill(drawn[1], labels, table)
        place(layer, geometry)
        layer.refresh(highlight=False, extent=False)
    else:
        picture = fill(np.empty(labels.shape, np.float32), labels, table)
        # Given at once: napari would look for the range of NaN.
        layer = add_image(
            viewer, role, picture, geometry, name=name, contrast_limits=limits,
            colormap=colormap, blending="translucent", opacity=0.75, interpolation2d="nearest",
        )  # fmt: skip
        _DRAWN[layer] = labels, picture
    if layer.name != name:
        layer.contrast_limits_range = layer.contrast_limits = limits
        layer.colormap = colormap
    return layer


def _marks(
    viewer: Any,
    role: str,
    cells: Cells,
    here: npt.NDArray[np.bool_],
    scores: Floats,
    geometry: dict[str, Any],
    name: str,
    limits: tuple[float, float],
    colormap: str,
) -> Any:
    """A disc on each cell."""
    boxes = cells.table.loc[here, ["y0", "x0", "y1", "x1"]].to_numpy(np.float64)
    low, high = limits
    share = np.clip((scores[here] - low) / max(high - low, 1e-9), 0, 1)
    look = {
        "size": 0.4 * (boxes[:, 2] - boxes[:, 0]),
        "face_color": AVAILABLE_COLORMAPS[colormap].map(share.astype(np.float32)),
    }
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5
    layer = find_ours(viewer, role)
    if isinstance(layer, Points):
        # The same layer, also for another field of view with other cells.
        if not np.array_equal(layer.data, centres):
            layer.data = centres
        for what, value in {**look, **geometry}.items():
            setattr(layer, what, value)
        return layer
    layer = claim(
        viewer.add_points(
            centres,
            name=name,
            metadata={OURS: role},
            opacity=0.75,
            border_width=0,
            **look,
            **geometry,
        )
    )
    layer.editable = False
    return layer
