"""Layers that this plugin adds; a user's own layers are never written over.

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
from napari.layers import Labels

from napari_channelmix.viewer.layers.hidden_layers import reveal
from napari_channelmix.viewer.layers.placing import FieldPlace
from napari_channelmix.viewer.layers.pyramids import Levels

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data import Field

__all__ = [
    "CHANNELS",
    "OURS",
    "PLANE",
    "add_image",
    "add_labels",
    "add_points",
    "claim",
    "find_ours",
    "is_input",
    "is_own",
    "place",
    "plane_geometry",
    "role_of",
]

# Keys in a layer's metadata: which of our layers it is, and its rows and columns.
OURS = "napari-channelmix"
PLANE = "napari-channelmix plane"
# Of a layer with a map of each channel: the names of the channels along its first axis.
CHANNELS = "napari-channelmix channels"

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


def find_ours(viewer: Any, role: str) -> Any:
    """The layer we added for this role, if it is still there and shows this."""
    return next((layer for layer in viewer.layers if role_of(layer) == role), None)


def add_image(
    viewer: Any,
    role: str,
    data: Any,
    place_of: FieldPlace | dict[str, Any],
    *,
    name: str,
    **look: Any,
) -> Any:
    """Show an image (Y, X) in the layer of this role, which is added where it is not there.

    ``data``: an array, or `Levels` of a large image. ``look`` (contrast limits, colormap...) is
    for a new layer only: what the user changed stays.
    """
    where = FieldPlace.of(place_of)
    layer, appearance = _of_axes(viewer, role, where, isinstance(data, Levels))
    if layer is None:
        return claim(
            viewer.add_image(
                _pictures(data, where),
                name=name,
                multiscale=isinstance(data, Levels),
                metadata={OURS: role, PLANE: where.plane},
                **where.geometry,
                **{**look, **appearance},
            )
        )
    layer.data = _pictures(data, where)
    place(layer, where.geometry)
    return layer


def _pictures(data: Any, where: FieldPlace) -> Any:
    if isinstance(data, Levels):
        return [where.picture(level) for level in data]
    return where.picture(data)


def _of_axes(
    viewer: Any, role: str, where: FieldPlace, in_levels: bool = False
) -> tuple[Any, dict[str, Any]]:
    """The layer of a role; one with other axes goes, and how it was seen is kept for the next.

    So does one with levels where the next has none, or the other way round.
    """
    layer = find_ours(viewer, role)
    if layer is not None:
        reveal(layer)
    if layer is None or (
        layer.ndim == where.ndim and getattr(layer, "multiscale", False) == in_levels
    ):
        return layer, {}
    appearance = {"visible": layer.visible, "opacity": layer.opacity}
    viewer.layers.remove(layer)
    return None, appearance


def add_labels(
    viewer: Any,
    role: str,
    data: npt.NDArray[Any] | Levels,
    place_of: FieldPlace | dict[str, Any],
    *,
    name: str,
    **look: Any,
) -> Any:
    """Show a label image in the layer of this role; see `add_image`."""
    where = FieldPlace.of(place_of)
    layer, appearance = _of_axes(viewer, role, where, isinstance(data, Levels))
    if layer is not None and isinstance(layer, Labels):
        layer.data = _pictures(data, where)
        place(layer, where.geometry)
        return layer
    return claim(
        viewer.add_labels(
            _pictures(data, where),
            name=name,
            multiscale=isinstance(data, Levels),
            metadata={OURS: role, PLANE: where.plane},
            **where.geometry,
            **{**look, **appearance},
        )
    )


def add_points(
    viewer: Any,
    role: str,
    centres: npt.NDArray[np.float64],
    place_of: FieldPlace | dict[str, Any],
    *,
    name: str,
    features: pd.DataFrame | None = None,
    looks: dict[str, Any],
    **new: Any,
) -> Any:
    """Mark positions (n, 2) of a field of view in the layer of this role.

    Parameters
    ----------
    looks : dict
        Set whenever cells are marked: arrays are values of each point (n, ...).
    new : dict
        For a new layer only.
    """
    where = FieldPlace.of(place_of)
    layer, appearance = _of_axes(viewer, role, where)
    points = where.points(centres)
    looks = {
        what: where.repeat(value) if isinstance(value, np.ndarray) else value
        for what, value in looks.items()
    }
    if features is not None:
        import pandas as pd

        features = pd.concat([features] * (len(points) // max(1, len(centres))) or [features])
        looks = {"features": features.reset_index(drop=True), **looks}
    if layer is None:
        layer = claim(
            viewer.add_points(
                points,
                name=name,
                metadata={OURS: role, PLANE: where.plane},
                **looks,
                **where.geometry,
                **{**new, **appearance},
            )
        )
        layer.editable = False
        return layer
    if not np.array_equal(layer.data, points):
        layer.data = points
    for what, value in looks.items():
        setattr(layer, what, value)
    place(layer, where.geometry)
    return layer


def place(layer: Any, geometry: dict[str, Any]) -> None:
    """Move a layer; what is right already is not set: napari would draw all of it each time."""
    for what, value in geometry.items():
        if not _is_there(layer, what, value):
            setattr(layer, what, value)


def _is_there(layer: Any, what: str, value: Any) -> bool:
    current = getattr(layer, what)
    if what in ("units", "axis_labels"):
        return tuple(map(str, current)) == tuple(map(str, value))
    if what == "affine":
        current = current.affine_matrix
    mine, expected = np.asarray(current, np.float64), np.asarray(value, np.float64)
    return mine.shape == expected.shape and bool(np.array_equal(mine, expected))


def plane_geometry(field: Field) -> dict[str, Any]:
    """Geometry of a field of view read from a file."""
    return {
        "scale": field.pixel_size or (1.0, 1.0),
        "translate": (0.0, 0.0),
        "rotate": np.eye(2),
        "shear": [0.0],
        "affine": np.eye(3),
        "units": (_unit(field.unit),) * 2,
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
