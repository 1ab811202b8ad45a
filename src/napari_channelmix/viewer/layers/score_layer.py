"""Cells coloured by a number: one image of numbers, never a colour table with a row per cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from napari.layers import Image
from napari.utils.colormaps import AVAILABLE_COLORMAPS

from napari_channelmix.data.label_images import Ranked
from napari_channelmix.viewer.layers.hidden_layers import reveal
from napari_channelmix.viewer.layers.label_lookup import fill, table_of
from napari_channelmix.viewer.layers.mark_picture import MANY, MarkPicture
from napari_channelmix.viewer.layers.own_layers import add_image, add_points, find_ours, place
from napari_channelmix.viewer.layers.placing import FieldPlace

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["show_scores"]

FloatArray = npt.NDArray[np.float64]

# Labels and pixels of the layers that were drawn, the labels as they are looked up, and the pixels
# as the layer has them.
_DRAWN: WeakKeyDictionary[Any, tuple[npt.NDArray[Any], npt.NDArray[np.float32], Ranked, Any]] = (
    WeakKeyDictionary()
)
_MARKS: WeakKeyDictionary[Any, MarkPicture] = WeakKeyDictionary()


def show_scores(
    viewer: Any,
    role: str,
    cells: Cells,
    field: int,
    scores: FloatArray,
    place_of: FieldPlace | dict[str, Any],
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
    place_of : FieldPlace, or dict as of `like` for a 2-D layer
    limits : (float, float)
        What is drawn in the first and in the last colour.

    Returns
    -------
    napari Image layer, NaN between the cells; or a Points layer where the cells have no outlines.
    """
    where = FieldPlace.of(place_of)
    in_field = (cells.table["field"] == field).to_numpy()
    labels = cells.fields[field].labels
    before = find_ours(viewer, role)
    in_picture = labels is None and int(in_field.sum()) >= MANY and where.ndim == 2
    as_image = labels is not None or in_picture
    if before is not None and isinstance(before, Image) != as_image:
        viewer.layers.remove(before)
    if in_picture:
        layer = _many_marks(
            viewer, role, cells, field, in_field, scores, where, name, limits, colormap
        )
    elif labels is None:
        layer = _marks(viewer, role, cells, in_field, scores, where, name, limits, colormap)
    else:
        objects = cells.table["object"].to_numpy(np.int64)[in_field]
        layer = _image(
            viewer,
            role,
            labels,
            objects,
            scores[in_field].astype(np.float32),
            where,
            name,
            limits,
            colormap,
        )
    layer.name = name
    return layer


def _image(
    viewer: Any,
    role: str,
    labels: npt.NDArray[Any],
    objects: npt.NDArray[np.int64],
    values: npt.NDArray[np.float32],
    place_of: FieldPlace,
    name: str,
    limits: tuple[float, float],
    colormap: str,
) -> Any:
    """The number of its cell in each pixel, in the array of the layer that shows these labels."""
    layer = find_ours(viewer, role)
    drawn = None if layer is None else _DRAWN.get(layer)
    if (
        drawn is not None
        and drawn[0] is labels
        and layer.data is drawn[3]
        and layer.ndim == place_of.ndim
    ):
        # A new array of this size takes longer to get than to write.
        reveal(layer)
        _, pixels, ranked, _ = drawn
        fill(pixels, ranked.image, table_of(ranked, objects, values, np.nan))
        place(layer, place_of.geometry)
        layer.refresh(highlight=False, extent=False)
    else:
        ranked = Ranked.of(np.asarray(labels))
        # A label that is no cell, and the ground between them, have no number.
        table = table_of(ranked, objects, values, np.nan)
        picture = fill(np.empty(labels.shape, np.float32), ranked.image, table)
        # Given at once: napari would look for the range of NaN.
        layer = add_image(
            viewer,
            role,
            picture,
            place_of,
            name=name,
            contrast_limits=limits,
            colormap=colormap,
            blending="translucent",
            opacity=0.75,
            interpolation2d="nearest",
        )
        _DRAWN[layer] = labels, picture, ranked, layer.data
    if layer.name != name:
        layer.contrast_limits_range = layer.contrast_limits = limits
        layer.colormap = colormap
    return layer


def _many_marks(
    viewer: Any,
    role: str,
    cells: Cells,
    field: int,
    in_field: npt.NDArray[np.bool_],
    scores: FloatArray,
    place_of: FieldPlace,
    name: str,
    limits: tuple[float, float],
    colormap: str,
) -> Any:
    """A disc on each of very many cells, in a picture of what is in sight."""
    layer, centres = find_ours(viewer, role), cells.centres[in_field]
    values = scores[in_field].astype(np.float32)
    marks = None if layer is None else _MARKS.get(layer)
    if marks is not None and np.array_equal(marks.centres, centres):
        reveal(layer)
        marks.values = values
        place(layer, place_of.geometry)
        layer.refresh(highlight=False, extent=False)
    else:
        if layer is not None:
            viewer.layers.remove(layer)
        marks = MarkPicture(
            cells.fields[field].shape, centres, 0.4 * cells.crop, values, "disc", np.nan
        )
        layer = add_image(
            viewer,
            role,
            marks.levels,
            place_of,
            name=name,
            contrast_limits=limits,
            colormap=colormap,
            blending="translucent",
            opacity=0.75,
            interpolation2d="nearest",
        )
        _MARKS[layer] = marks
    if layer.name != name:
        layer.contrast_limits_range = layer.contrast_limits = limits
        layer.colormap = colormap
    return layer


def _marks(
    viewer: Any,
    role: str,
    cells: Cells,
    in_field: npt.NDArray[np.bool_],
    scores: FloatArray,
    place_of: FieldPlace,
    name: str,
    limits: tuple[float, float],
    colormap: str,
) -> Any:
    """A disc on each cell."""
    boxes = cells.boxes[in_field]
    low, high = limits
    share = np.clip((scores[in_field] - low) / max(high - low, 1e-9), 0, 1)
    look = {
        "size": 0.4 * (boxes[:, 2] - boxes[:, 0]),
        "face_color": AVAILABLE_COLORMAPS[colormap].map(share.astype(np.float32)),
    }
    return add_points(
        viewer,
        role,
        cells.centres[in_field],
        place_of,
        name=name,
        looks=look,
        opacity=0.75,
        border_width=0,
    )
