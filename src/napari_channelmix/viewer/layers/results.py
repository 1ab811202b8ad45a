"""Layers and table columns that this plugin adds; a user's own layers are never written over.

Every layer of ours carries a mark, its role, in its metadata. Two questions are asked of it:

- `is_own`: does this layer show a result? Then it is never offered as an input, nor is work in it
  taken for the user's. The mark stays when the layer is renamed, and a duplicate has it as well:
  a copy of a map is still no channel. Channels and cells of a data set are the user's data.
- `role_of`: is this the very layer that we added, to be written into and taken away? A duplicate
  is not: it is the user's to keep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt
from napari.layers import Labels, Points

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import pandas as pd

    from napari_channelmix.data import Field

__all__ = [
    "OURS",
    "add_image",
    "add_labels",
    "claim",
    "find_ours",
    "is_input",
    "is_own",
    "own_columns",
    "place",
    "role_of",
    "write_features",
]

# Key in a layer's metadata that says which of our layers it is.
OURS = "napari-channelmix"
# In the metadata of a layer of cells: columns of its features that we wrote. What they say and
# what they are called there; and the names of latents.
COLUMNS, LATENTS = f"{OURS} overlay columns", f"{OURS} latents"
# Empty rows that a table of features may have for labels that are not there.
MOST_ROWS = 1000


# The layers that we added, by identity: a mark in the metadata goes with a duplicate.
_CLAIMED: WeakKeyDictionary[Any, str] = WeakKeyDictionary()


def claim(layer: Any) -> Any:
    """Note that a layer with a mark was added by us; gives the layer."""
    _CLAIMED[layer] = str(layer.metadata[OURS])
    return layer


def role_of(layer: Any) -> str:
    """The role of a layer that we added; empty for every other layer, also for a duplicate."""
    return _CLAIMED.get(layer, "")


def is_own(layer: Any) -> bool:
    """Whether a layer shows a result of this plugin, or is a duplicate of one that does.

    Channels and cells of a data set are not own: they are the user's data, whoever added them.
    """
    role = str(layer.metadata.get(OURS, ""))
    return bool(role) and not is_input(role)


def is_input(role: str) -> bool:
    """Whether a layer of this role shows what was opened, not what was computed."""
    return role == "cells" or role.startswith("channel ")


def own_columns(layer: Any) -> frozenset[str]:
    """Columns of a layer's features that hold results of this plugin, such as what it predicted.

    The column with the classes that the user gave is not among them.
    """
    overlays = dict(layer.metadata.get(COLUMNS, {}))
    overlays.pop("class", None)
    return frozenset(overlays.values()) | frozenset(layer.metadata.get(LATENTS, ()))


def find_ours(viewer: Any, role: str) -> Any:
    """The layer we added for this role, if it is still there and shows this."""
    return next((layer for layer in viewer.layers if role_of(layer) == role), None)


def add_image(
    viewer: Any, role: str, data: Any, geometry: dict[str, Any], *, name: str, **look: Any
) -> Any:
    """Show an image in the layer of this role, which is added where it is not there.

    ``look`` (contrast limits, colormap...) is for a new layer only: what the user changed stays.
    """
    layer = find_ours(viewer, role)
    if layer is None:
        return claim(viewer.add_image(data, name=name, metadata={OURS: role}, **geometry, **look))
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
    return claim(viewer.add_labels(data, name=name, metadata={OURS: role}, **geometry, **look))


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

    if _updated(layer, objects, columns, gone):
        return
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


def _updated(
    layer: Any,
    objects: npt.NDArray[np.int64],
    columns: dict[str, Sequence[Any]],
    gone: Collection[str],
) -> bool:
    """Change the values that differ, in a table of labels that has these columns and rows.

    Joining a whole table and handing it to napari takes a sixth of a second at 100,000 cells.
    """
    import pandas as pd

    table = layer.features
    if isinstance(layer, Points) or "index" not in table.columns or not len(objects):
        return False
    rows, names = table["index"].to_numpy(), list(table.columns)
    if not set(columns) <= set(names) or not set(gone).isdisjoint(set(names) - set(columns)):
        return False
    if int(objects.max()) >= len(rows) or rows.dtype.kind not in "iu":
        return False
    # The row of a label is the label: so `_row_by_label` leaves it.
    if not np.array_equal(rows, np.arange(len(rows))):
        return False
    news = {}
    for name, values in columns.items():
        new = np.asarray(values)
        words = new.dtype.kind in "OUT"
        if words == pd.api.types.is_numeric_dtype(table[name]) or (
            isinstance(table[name].dtype, pd.CategoricalDtype)
        ):
            # A column of another kind cannot hold these.
            return False
        differs = np.flatnonzero(table[name].to_numpy()[objects] != new)
        if len(differs):
            news[names.index(name)] = objects[differs], new[differs]
    for column, (rows_of, new) in news.items():
        table.iloc[rows_of, column] = new
    if news:
        # napari tells nobody of values that are changed in its table.
        layer.events.features()
    return True


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
