"""What we have drawn on a field of view, as pictures that can be written to files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image, Labels

from napari_channelmix.viewer.layers.class_layer import whole_cells
from napari_channelmix.viewer.layers.geometry import like
from napari_channelmix.viewer.layers.own_layers import CHANNELS, PLANE, is_own

if TYPE_CHECKING:
    from napari_channelmix.report.ome import PlaneImage

__all__ = ["result_images"]


def result_images(viewer: Any, *, copied: bool = True) -> tuple[PlaneImage, ...]:
    """Maps, scores and classes that this plugin has added, as they are shown.

    ``copied``: with pixels of their own, to be written; else nothing of the size of a picture is
    made, and the pixels are whatever the layers hold.

    Channels of a data set and label images are left out: they are files already. So are cells
    that are marked by points; the table of the cells has all that these show.
    """
    images = []
    for layer in viewer.layers:
        if not is_own(layer) or not isinstance(layer, Image | Labels):
            continue
        if layer.ndim != 2 and PLANE not in layer.metadata:
            continue
        # As a whole they would take gigabytes: maps of slides are written by the command
        # 'explain', classes and numbers stand in the table of the cells.
        if layer.multiscale:
            continue
        # Imported here: it loads torch, and a dock opens without it.
        from napari_channelmix.report.ome import PlaneImage

        geometry = like(layer, layer.metadata.get(PLANE))
        scale, shift = geometry["scale"], geometry["translate"]
        classes, colors = _classes(layer)
        channels = layer.metadata.get(CHANNELS)
        if channels is None:
            pictures = [(layer.name, whole_cells(layer) if copied else _picture(layer))]
        else:
            # A picture for each channel: a file has one plane.
            named = layer.name.removesuffix(" by channel")
            planes = [_picture(layer, place) for place in range(len(channels))]
            pictures = [
                (f"{named} {name}", plane.copy() if copied else plane)
                for name, plane in zip(channels, planes, strict=True)
            ]
        images += [
            PlaneImage(
                name,
                pixels,
                (float(scale[0]), float(scale[1])),
                (float(shift[0]), float(shift[1])),
                str(geometry["units"][0]),
                classes,
                colors,
                _has_rotation(geometry),
            )
            for name, pixels in pictures
        ]
    return tuple(images)


def _picture(layer: Any, first: int = 0) -> Any:
    """The picture in the data of a layer; the same in every slice of its other axes.

    ``first``: where along the first axis, where that is none of the picture's.
    """
    if layer.ndim == 2:
        return layer.data
    plane = layer.metadata.get(PLANE, (0, 1))
    index = [slice(None) if axis in plane else 0 for axis in range(layer.ndim)]
    if 0 not in plane:
        index[0] = first
    return layer.data[tuple(index)]


def _classes(layer: Any) -> tuple[dict[int, str], dict[int, tuple[int, int, int, int]]]:
    """What the values of a class image mean, and their colours."""
    table = getattr(layer, "features", None)
    if not isinstance(layer, Labels) or table is None or "class" not in table.columns:
        return {}, {}
    values = table["index"].tolist() if "index" in table.columns else range(len(table))
    names = {
        int(value): str(name)
        for value, name in zip(values, table["class"].tolist(), strict=True)
        if value
    }
    colors = {}
    for value in names:
        shown = np.round(255 * np.asarray(layer.get_color(value), dtype=float)).astype(int)
        colors[value] = (int(shown[0]), int(shown[1]), int(shown[2]), int(shown[3]))
    return names, colors


def _has_rotation(geometry: dict[str, Any]) -> bool:
    return not (
        np.allclose(geometry["rotate"], np.eye(2))
        and np.allclose(geometry["shear"], 0)
        and np.allclose(geometry["affine"], np.eye(3))
    )
