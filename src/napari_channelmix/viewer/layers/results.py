"""Layers that this plugin adds; a user's own layers are never written over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

if TYPE_CHECKING:
    from napari_channelmix.data import Field

__all__ = ["OURS", "add_image", "add_labels", "find_ours", "place", "plane_geometry"]

# Key in a layer's metadata that says which of our layers it is.
OURS = "napari-channelmix"


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
