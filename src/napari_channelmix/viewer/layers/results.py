"""Layers and table columns that this plugin adds; a user's own layers are never written over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Points
from napari.utils.colormaps import DirectLabelColormap

from napari_channelmix.viewer.colors import class_color

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from napari_channelmix.data import Cells, Field

__all__ = ["OURS", "add_image", "add_labels", "find_ours", "show_codes", "write_features"]

# Key in a layer's metadata that says which of our layers it is.
OURS = "napari-channelmix"
# Empty rows that a table of features may have for labels that are not there.
MOST_ROWS = 1000


def find_ours(viewer: Any, role: str) -> Any:
    """The layer we added for this role, if it is still there and shows this."""
    return next((layer for layer in viewer.layers if layer.metadata.get(OURS) == role), None)


def add_image(
    viewer: Any, role: str, data: Any, geometry: dict[str, Any], *, name: str, **look: Any
) -> Any:
    """Show an image in the layer of this role, which is added where it is not there.

    ``look`` (contrast limits, colormap...) is for a new layer only: what the user changed stays.
    """
    layer = find_ours(viewer, role)
    if layer is None:
        return viewer.add_image(data, name=name, metadata={OURS: role}, **geometry, **look)
    layer.data = data
    place(layer, geometry)
    return layer


def add_labels(
    viewer: Any,
    role: str,
    data: npt.NDArray[Any],
    geometry: dict[str, Any],
    *,
    name: str,
    **look: Any,
) -> Any:
    """Show a label image in the layer of this role; see `add_image`."""
    layer = find_ours(viewer, role)
    if layer is not None and isinstance(layer, Labels):
        layer.data = data
        place(layer, geometry)
        return layer
    return viewer.add_labels(data, name=name, metadata={OURS: role}, **geometry, **look)


def place(layer: Any, geometry: dict[str, Any]) -> None:
    """Move a layer; what is right already is not set: napari would draw all of it each time."""
    for what, value in geometry.items():
        if not _is_there(layer, what, value):
            setattr(layer, what, value)


def _is_there(layer: Any, what: str, value: Any) -> bool:
    found = getattr(layer, what)
    if what in ("units", "axis_labels"):
        return tuple(map(str, found)) == tuple(map(str, value))
    if what == "affine":
        found = found.affine_matrix
    mine, wanted = np.asarray(found, np.float64), np.asarray(value, np.float64)
    return mine.shape == wanted.shape and bool(np.array_equal(mine, wanted))


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
    import pandas as pd

    here = (cells.table["field"] == field).to_numpy()
    labels = cells.fields[field].labels
    if labels is None:
        return _marks(viewer, role, cells, field, here, codes, classes, geometry)
    objects = cells.table["object"].to_numpy(np.int64)[here]
    # Class 0 of the data is value 1 of the layer: 0 is background.
    lookup = np.zeros(int(max(labels.max(), objects.max(initial=0))) + 1, dtype=np.uint8)
    lookup[objects] = codes[here] + 1
    colors: dict[int | None, Any] = {None: "transparent", 0: "transparent"}
    colors |= {code + 1: class_color(code) for code in range(len(classes))}
    names = pd.DataFrame({"index": range(len(classes) + 1), "class": ["", *classes]})
    new = find_ours(viewer, role) is None
    # Rings for what was said, a tint for what is predicted: both can be seen on the channels.
    ringed = role == "classes"
    layer = add_labels(
        viewer, role, lookup[labels], geometry, name=role, opacity=0.9 if ringed else 0.3,
        features=names, colormap=DirectLabelColormap(color_dict=colors),
    )  # fmt: skip
    if new and ringed:
        layer.contour = 2
    if set(layer.colormap.color_dict) != set(colors):
        layer.colormap = DirectLabelColormap(color_dict=colors)
    layer.features = names
    # Painting into it would change a picture of the classes, not the classes.
    layer.editable = False
    return layer


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
        layer = viewer.add_points(
            centres, name=role, metadata={OURS: role}, symbol="square" if boxed else "disc",
            features=features, size=sizes, face_color="transparent",
            border_width=0.06 if boxed else 0.15, **geometry,
        )  # fmt: skip
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


def write_features(
    layer: Any,
    objects: npt.NDArray[np.int64],
    columns: dict[str, Sequence[Any]],
    gone: Collection[str] = (),
) -> None:
    """Put columns into the features of a Labels or Points layer; its other columns stay.

    Parameters
    ----------
    layer : napari Labels or Points layer
    objects : (N,) int array
        Label values, or numbers of the points.
    columns : dict of str to (N,) values
    gone : collection of str
        Columns written earlier that are taken out where they are not among the new ones.
    """
    import pandas as pd

    table = pd.DataFrame(layer.features).reset_index(drop=True)
    points = isinstance(layer, Points)
    if "index" in table.columns and not pd.api.types.is_numeric_dtype(table["index"]):
        # A column of the user's that numbers nothing stays, under another name.
        table = table.rename(columns={"index": "index (text)"})
    if "index" not in table.columns:
        table.insert(0, "index", np.arange(len(table)))
    new = pd.DataFrame({"index": objects, **columns})
    table = table.drop(columns=[name for name in {*columns, *gone} if name in table.columns])
    table = table.merge(new, on="index", how="left" if points else "outer")
    # Assigned, not edited in place: only so does napari tell others of it.
    layer.features = table.drop(columns="index") if points else _row_by_label(table)


def _row_by_label(table: pd.DataFrame) -> pd.DataFrame:
    """The same table with label 0 in row 0, and so on, with empty rows for labels it leaves out.

    napari's table of features takes the row that is selected for the label. A table whose labels
    are not numbered once each, or with far more gaps than labels, stays as it is.
    """
    import pandas as pd

    labels = table["index"]
    if labels.isna().any() or labels.duplicated().any() or (labels % 1 != 0).any():
        return table
    if not len(labels) or labels.min() < 0 or labels.max() > MOST_ROWS + 4 * len(labels):
        return table
    whole = pd.DataFrame({"index": np.arange(int(labels.max()) + 1)})
    return whole.merge(table.astype({"index": np.int64}), on="index", how="left")


def plane_geometry(one: Field) -> dict[str, Any]:
    """Geometry of a field of view read from a file."""
    return {
        "scale": one.pixel_size or (1.0, 1.0),
        "translate": (0.0, 0.0),
        "rotate": np.eye(2),
        "shear": [0.0],
        "affine": np.eye(3),
        "units": (_unit(one.unit),) * 2,
        "axis_labels": ("y", "x"),
    }


def _unit(name: str | None) -> str:
    """A unit that napari knows, else pixel."""
    import pint

    if not name:
        return "pixel"
    try:
        pint.get_application_registry().Unit(name)
    # Whatever a file has for a unit may be no name at all.
    except Exception:
        return "pixel"
    return name
