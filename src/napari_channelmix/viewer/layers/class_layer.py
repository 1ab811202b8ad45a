"""Cells coloured by class: one label image of classes, of which only what changed is redrawn.

1. Each label gets the number of its class (`lookup.table_of`).
2. A layer that shows these labels already: the pixels of the labels that changed are written into
   its array, and napari is told of the smallest part of the picture.
3. Any other layer gets a new array.

Rings are drawn here, not by napari's `contour`: that looks for the outlines in the whole picture
each time, which takes most of a second at 100,000 cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from napari.layers import Points
from napari.utils.colormaps import DirectLabelColormap, label_colormap

from napari_channelmix.data.label_images import Ranked
from napari_channelmix.viewer.charts.colors import class_color
from napari_channelmix.viewer.layers.label_lookup import Outlines, fill, table_of
from napari_channelmix.viewer.layers.mark_picture import MANY, MarkPicture
from napari_channelmix.viewer.layers.own_layers import (
    PLANE,
    add_labels,
    add_points,
    find_ours,
    place,
)
from napari_channelmix.viewer.layers.placing import FieldPlace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data import Cells

__all__ = ["plane_pixels", "prepare_colors", "show_codes", "whole_cells"]

# Width of a ring, in pixels.
RING = 2
# More pixels than this are not handed to napari one by one: the whole picture is quicker.
FEW = 20_000
# Cells without outlines that are looked at to see how close they lie.
MOST_MEASURED = 5_000


@dataclass(eq=False)
class _Drawn:
    """What a layer shows: these labels, by this table; along outlines, or whole cells."""

    labels: npt.NDArray[Any]
    table: npt.NDArray[Any]
    outlines: Outlines | None
    picture: npt.NDArray[Any]
    # The picture as the layer has it: a view with the axes of a stack.
    data: npt.NDArray[Any]
    ranked: Ranked


_DRAWN: WeakKeyDictionary[Any, _Drawn] = WeakKeyDictionary()


def show_codes(
    viewer: Any,
    role: str,
    cells: Cells,
    field: int,
    codes: npt.NDArray[np.int64],
    classes: Sequence[str],
    place_of: FieldPlace | dict[str, Any],
) -> Any:
    """Colour the cells of a field of view by class, codes (N,) of all cells, -1 for none.

    A label image of class numbers, looked up in one pass, where the cells have outlines; a table
    of colours per cell would block the window for seconds at 100,000 cells. Else their boxes, or
    rings where the boxes overlap.
    """
    where = FieldPlace.of(place_of)
    in_field = (cells.table["field"] == field).to_numpy()
    labels = cells.fields[field].labels
    if labels is None:
        return _marks(viewer, role, cells, in_field, codes, classes, where)
    objects = cells.table["object"].to_numpy(np.int64)[in_field]
    # Class 0 of the data is value 1 of the layer: 0 is background.
    values = (codes[in_field] + 1).astype(np.min_scalar_type(len(classes)))
    layer = find_ours(viewer, role)
    drawn = None if layer is None else _DRAWN.get(layer)
    if (
        drawn is not None
        and drawn.labels is labels
        and layer.data is drawn.data
        and layer.ndim == where.ndim
        # More classes than its type holds need a picture of another type.
        and drawn.picture.dtype == values.dtype
    ):
        place(layer, where.geometry)
        _repaint(viewer, layer, drawn, where, table_of(drawn.ranked, objects, values))
        _name_classes(layer, classes)
        return layer
    ranked = Ranked.of(np.asarray(labels))
    # Rings for what was said, a tint for what is predicted: both can be seen on the channels.
    outlines = Outlines.of(ranked.image, RING) if role == "classes" else None
    table = table_of(ranked, objects, values)
    picture = np.zeros(labels.shape, values.dtype)
    _draw(picture, ranked.image, table, outlines)
    layer = add_labels(
        viewer,
        role,
        picture,
        where,
        name=role,
        opacity=0.9 if role == "classes" else 0.3,
        colormap=_colors(classes),
    )
    _DRAWN[layer] = _Drawn(labels, table, outlines, picture, layer.data, ranked)
    _name_classes(layer, classes)
    # Painting into it would change a picture of the classes, not the classes.
    layer.editable = False
    return layer


def prepare_colors(cells: Cells, field: int) -> None:
    """Compile what napari colours the cells of a field of view with, where that is to come.

    It compiles it for each type of pixel, when a picture of this type is first shown: that takes
    two seconds and more. Called in a job, the event loop does not wait for it.
    """
    labels = cells.fields[field].labels
    if labels is not None:
        _compile_cycled(labels.dtype)
    elif np.count_nonzero(cells.table["field"].to_numpy() == field) < MANY:
        return
    if cells.classes:
        _compile_direct(np.min_scalar_type(len(cells.classes) + (labels is None)))


@cache
def _compile_cycled(dtype: np.dtype[Any]) -> None:
    label_colormap().map(np.zeros((2, 2), dtype))


@cache
def _compile_direct(dtype: np.dtype[Any]) -> None:
    _colors(("first",)).map(np.zeros((2, 2), dtype))


def whole_cells(layer: Any) -> npt.NDArray[Any]:
    """A copy of a layer's pixels; where it shows rings, with the cells filled."""
    drawn = _DRAWN.get(layer)
    if drawn is None or drawn.outlines is None or layer.data is not drawn.data:
        return plane_pixels(layer)
    return fill(np.zeros_like(drawn.picture), drawn.ranked.image, drawn.table)


def plane_pixels(layer: Any) -> npt.NDArray[Any]:
    """A copy of the picture (Y, X) that a layer of ours shows in a slice of a stack."""
    plane = layer.metadata.get(PLANE, (0, 1))
    index = tuple(slice(None) if axis in plane else 0 for axis in range(layer.ndim))
    return np.array(np.asarray(layer.data)[index])


def _draw(
    picture: npt.NDArray[Any],
    labels: npt.NDArray[Any],
    table: npt.NDArray[Any],
    outlines: Outlines | None,
) -> None:
    if outlines is None:
        fill(picture, labels, table)
    else:
        outlines.fill(picture, table)


def _repaint(
    viewer: Any, layer: Any, drawn: _Drawn, place_of: FieldPlace, table: npt.NDArray[Any]
) -> None:
    """Change what is another class than before."""
    if np.array_equal(drawn.table, table):
        return
    outlines, few = drawn.outlines, None
    if outlines is not None and drawn.table.shape == table.shape:
        few = outlines.of_some(drawn.table != table)
    drawn.table = table
    upright = tuple(viewer.dims.displayed) == (viewer.dims.ndim - 2, viewer.dims.ndim - 1)
    upright = upright and not place_of.repeated
    if outlines is not None and few is not None and len(few) <= FEW and layer.visible and upright:
        where = np.unravel_index(outlines.pixels[few], drawn.picture.shape)
        layer.data_setitem(place_of.pixels(where), table[outlines.labels[few]])
        # napari keeps what it was, for its own undo; classes are taken back elsewhere.
        layer.editable = True
        layer.editable = False
        return
    _draw(drawn.picture, drawn.ranked.image, table, outlines)
    layer.refresh(highlight=False, extent=False)


def _colors(classes: Sequence[str]) -> DirectLabelColormap:
    colors: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
    colors |= {code + 1: class_color(code) for code in range(len(classes))}
    return DirectLabelColormap(color_dict=colors)


def _name_classes(layer: Any, classes: Sequence[str]) -> None:
    """Colours and names of the classes; nothing where they are there."""
    import pandas as pd

    if set(layer.colormap.color_dict) != {None, 0, *range(1, len(classes) + 1)}:
        layer.colormap = _colors(classes)
    names = ["", *classes]
    if "class" not in layer.features or layer.features["class"].tolist() != names:
        layer.features = pd.DataFrame({"index": range(len(names)), "class": names})


def _many_marks(
    viewer: Any,
    role: str,
    shape: tuple[int, int],
    side: float,
    centres: npt.NDArray[np.float64],
    codes: npt.NDArray[np.int64],
    classes: tuple[str, ...],
    place_of: FieldPlace,
) -> Any:
    """Marks of more cells than napari can draw as points: a picture of what is in sight."""
    layer = find_ours(viewer, role)
    # Class 0 is value 1; the last value is of cells without a class.
    values = np.where(codes < 0, len(classes) + 1, codes + 1)
    values = values.astype(np.min_scalar_type(len(classes) + 1))
    marks = None if layer is None else _MARKS.get(layer)
    same = (
        marks is not None
        and marks.values.dtype == values.dtype
        and np.array_equal(marks.centres, centres)
    )
    colors = {**_colors(classes).color_dict, len(classes) + 1: class_color(-1)}
    if marks is not None and same:
        place(layer, place_of.geometry)
        if set(layer.colormap.color_dict) != set(colors):
            layer.colormap = DirectLabelColormap(color_dict=colors)
        if not np.array_equal(marks.values, values):
            marks.values = values
            layer.refresh(highlight=False, extent=False)
    else:
        if layer is not None:
            viewer.layers.remove(layer)
        boxed = _apart(centres, side)
        kind = "square" if boxed else "ring"
        marks = MarkPicture(shape, centres, side if boxed else 0.4 * side, values, kind)
        layer = add_labels(
            viewer,
            role,
            marks.levels,
            place_of,
            name=role,
            opacity=0.9,
            colormap=DirectLabelColormap(color_dict=colors),
        )
        _MARKS[layer] = marks
        layer.editable = False
    return layer


_MARKS: WeakKeyDictionary[Any, MarkPicture] = WeakKeyDictionary()


@dataclass(eq=False)
class _Marked:
    """What marks of cells without outlines show."""

    centres: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    boxed: bool


_MARKED: WeakKeyDictionary[Any, _Marked] = WeakKeyDictionary()


def _marks(
    viewer: Any,
    role: str,
    cells: Cells,
    in_field: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.int64],
    classes: Sequence[str],
    place_of: FieldPlace,
) -> Any:
    import pandas as pd

    centres, codes, classes = cells.centres[in_field], codes[in_field], tuple(classes)
    layer = find_ours(viewer, role)
    if len(codes) >= MANY and place_of.ndim == 2:
        shape = cells.fields[int(cells.table["field"].to_numpy()[in_field.argmax()])].shape
        return _many_marks(
            viewer, role, shape, float(cells.crop), centres, codes, classes, place_of
        )
    if layer is not None and not isinstance(layer, Points):
        viewer.layers.remove(layer)
        layer = None
    before = None if layer is None else _MARKED.get(layer)
    same = (
        before is not None
        and layer.ndim == place_of.ndim
        and np.array_equal(before.centres, centres)
    )
    if before is not None and same:
        if before.classes == classes and np.array_equal(before.codes, codes):
            place(layer, place_of.geometry)
            return layer
        boxed = before.boxed
    else:
        boxed = _apart(centres, float(cells.crop))
    # The last of them is of cells without a class, whose code is -1.
    colors = np.array([class_color(code) for code in (*range(len(classes)), -1)])
    names = np.array([*classes, ""], dtype=object)
    looks: dict[str, Any] = {}
    if not same:
        boxes = cells.boxes[in_field].astype(np.float64)
        sizes = boxes[:, 2] - boxes[:, 0]
        # Crops around crowded points lie on each other: a ring marks the cell.
        sizes = sizes if boxed else 0.4 * sizes
        looks["size"] = float(sizes[0]) if len(sizes) and np.ptp(sizes) == 0 else sizes
    # Without cells there is nothing to be coloured.
    if len(codes):
        looks["border_color"] = colors[codes]
    layer = add_points(
        viewer,
        role,
        centres,
        place_of,
        name=role,
        features=pd.DataFrame({"class": names[codes]}),
        looks=looks,
        symbol="square" if boxed else "disc",
        face_color="transparent",
        border_width=0.06 if boxed else 0.15,
    )
    _MARKED[layer] = _Marked(centres, codes, classes, boxed)
    return layer


def _apart(centres: npt.NDArray[np.float64], side: float) -> bool:
    """Whether most square boxes lie beside each other; of very many cells, those in the middle."""
    if len(centres) < 2:
        return True
    from scipy.spatial import cKDTree

    if len(centres) > MOST_MEASURED:
        # Those in the middle: a sample spread over the whole would lie further apart.
        away = np.abs(centres - np.median(centres, axis=0)).max(axis=1)
        centres = centres[np.argpartition(away, MOST_MEASURED)[:MOST_MEASURED]]
    nearest = cKDTree(centres).query(centres, k=2, p=np.inf)[0][:, 1]
    return bool(np.median(nearest - 0.9 * side) >= 0)
