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
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from napari.utils.colormaps import DirectLabelColormap

from napari_channelmix.viewer.colors import class_color
from napari_channelmix.viewer.layers.lookup import Outlines, fill, table_of
from napari_channelmix.viewer.layers.results import OURS, add_labels, claim, find_ours, place

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data import Cells

__all__ = ["show_codes", "whole_cells"]

# Width of a ring, in pixels.
RING = 2
# More pixels than this are not handed to napari one by one: the whole picture is quicker.
FEW = 20_000


@dataclass
class _Drawn:
    """What a layer shows: these labels, by this table; along outlines, or whole cells."""

    labels: npt.NDArray[Any]
    table: npt.NDArray[np.uint8]
    outlines: Outlines | None
    picture: npt.NDArray[np.uint8]
    top: int


_DRAWN: WeakKeyDictionary[Any, _Drawn] = WeakKeyDictionary()


def show_codes(
    viewer: Any,
    role: str,
    cells: Cells,
    field: int,
    codes: npt.NDArray[np.int64],
    classes: Sequence[str],
    geometry: dict[str, Any],
) -> Any:
    """Colour the cells of a field of view by class, codes (N,) of all cells, -1 for none.

    A label image of class numbers, looked up in one pass, where the cells have outlines; a table
    of colours per cell would block the window for seconds at 100,000 cells. Else their boxes, or
    rings where the boxes overlap.
    """
    here = (cells.table["field"] == field).to_numpy()
    labels = cells.fields[field].labels
    if labels is None:
        return _marks(viewer, role, cells, field, here, codes, classes, geometry)
    objects = cells.table["object"].to_numpy(np.int64)[here]
    # Class 0 of the data is value 1 of the layer: 0 is background.
    values = (codes[here] + 1).astype(np.uint8)
    layer = find_ours(viewer, role)
    drawn = None if layer is None else _DRAWN.get(layer)
    if drawn is not None and drawn.labels is labels and layer.data is drawn.picture:
        place(layer, geometry)
        _repaint(viewer, layer, drawn, table_of(drawn.top, objects, values))
        _name_classes(layer, classes)
        return layer
    top = int(labels.max(initial=0))
    # Rings for what was said, a tint for what is predicted: both can be seen on the channels.
    outlines = Outlines.of(labels, RING) if role == "classes" else None
    table = table_of(top, objects, values)
    picture = np.zeros(labels.shape, np.uint8)
    _draw(picture, labels, table, outlines)
    layer = add_labels(
        viewer, role, picture, geometry, name=role,
        opacity=0.9 if role == "classes" else 0.3, colormap=_colors(classes),
    )  # fmt: skip
    _DRAWN[layer] = _Drawn(labels, table, outlines, picture, top)
    _name_classes(layer, classes)
    # Painting into it would change a picture of the classes, not the classes.
    layer.editable = False
    return layer


def whole_cells(layer: Any) -> npt.NDArray[Any]:
    """A copy of a layer's pixels; where it shows rings, with the cells filled."""
    drawn = _DRAWN.get(layer)
    if drawn is None or drawn.outlines is None or layer.data is not drawn.picture:
        return np.array(layer.data)
    return fill(np.zeros_like(drawn.picture), drawn.labels, drawn.table)


def _draw(
    picture: npt.NDArray[np.uint8], labels: npt.NDArray[Any], table: npt.NDArray[np.uint8],
    outlines: Outlines | None,
) -> None:  # fmt: skip
    if outlines is None:
        fill(picture, labels, table)
    else:
        outlines.fill(picture, table)


def _repaint(viewer: Any, layer: Any, drawn: _Drawn, table: npt.NDArray[np.uint8]) -> None:
    """Change what is another class than before."""
    if np.array_equal(drawn.table, table):
        return
    outlines, few = drawn.outlines, None
    if outlines is not None and drawn.table.shape == table.shape:
        few = outlines.of_some(drawn.table != table)
    drawn.table = table
    upright = tuple(viewer.dims.displayed) == (viewer.dims.ndim - 2, viewer.dims.ndim - 1)
    if outlines is not None and few is not None and len(few) <= FEW and layer.visible and upright:
        where = np.unravel_index(outlines.pixels[few], drawn.picture.shape)
        layer.data_setitem(where, table[outlines.labels[few]])
        # napari keeps what it was, for its own undo; classes are taken back elsewhere.
        layer.editable = True
        layer.editable = False
        return
    _draw(drawn.picture, drawn.labels, table, outlines)
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


def _marks(
    viewer: Any,
    role: str,
    cells: Cells,
    field: int,
    here: npt.NDArray[np.bool_],
    codes: npt.NDArray[np.int64],
    classes: Sequence[str],
    geometry: dict[str, Any],
) -> Any:
    import pandas as pd

    boxes = cells.table.loc[here, ["y0", "x0", "y1", "x1"]].to_numpy(np.float64)
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2 - 0.5
    names = [classes[code] if code >= 0 else "" for code in codes[here]]
    colors = np.array([class_color(code) for code in codes[here]]).reshape(-1, 4)
    sizes = boxes[:, 2] - boxes[:, 0]
    boxed = _apart(centres, sizes)
    if not boxed:
        # Crops around crowded points lie on each other: a ring marks the cell.
        sizes = 0.4 * sizes
    features = pd.DataFrame({"class": names})
    layer = find_ours(viewer, role)
    if layer is None:
        layer = claim(viewer.add_points(
            centres, name=role, metadata={OURS: role}, symbol="square" if boxed else "disc",
            features=features, size=sizes, face_color="transparent",
            border_width=0.06 if boxed else 0.15, **geometry,
        ))  # fmt: skip
    else:
        if not np.array_equal(layer.data, centres):
            layer.data = centres
        layer.size = sizes
        layer.features = features
        place(layer, geometry)
    if len(colors):
        layer.border_color = colors
    layer.editable = False
    return layer


def _apart(centres: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> bool:
    """Whether most square boxes lie beside each other."""
    if len(centres) < 2:
        return True
    from scipy.spatial import cKDTree

    nearest = cKDTree(centres).query(centres, k=2, p=np.inf)[0][:, 1]
    return bool(np.median(nearest - 0.9 * sizes) >= 0)
