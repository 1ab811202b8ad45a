"""The samples of the menu File > Open Sample; made on this computer, nothing is downloaded."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.charts.colors import channel_colors
from napari_channelmix.viewer.layers.own_layers import plane_geometry

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = [
    "CLASSES",
    "PART",
    "is_untouched",
    "open_immunohistochemistry",
    "open_synthetic_plate",
]

# Key in a layer's metadata that says what it is of a sample, "channel" or "cells"; the page 'Images
# and cells' then has it chosen.
PART = "napari-channelmix sample"
# Key for the name and a checksum of the pixels that a layer of a sample was made with.
MADE = "napari-channelmix made"
# The column with the classes of a sample's cells.
CLASSES = "class"


def open_synthetic_plate() -> list[tuple[Any, dict[str, Any], str]]:
    """A treated and an untreated well of the synthetic plate, side by side."""
    from napari_channelmix.data.samples import synthetic_plate

    return _layers(synthetic_plate().cells)


def open_immunohistochemistry() -> list[tuple[Any, dict[str, Any], str]]:
    """Stained tissue, unmixed into its stains."""
    from napari_channelmix.data.samples import immunohistochemistry

    return _layers(immunohistochemistry().cells)


def is_untouched(layer: Any) -> bool:
    """Whether a layer is one of a sample as it was made: no copy, not renamed, not painted in."""
    made = layer.metadata.get(MADE)
    if made is None:
        return False
    name, checksum = made
    # napari numbers a name that is taken.
    same = layer.name == name or layer.name.startswith(f"{name} [")
    return bool(same and zlib.crc32(np.ascontiguousarray(layer.data).data) == checksum)


def _as_made(name: str, data: Any, part: str) -> dict[str, Any]:
    """Metadata of a layer of a sample."""
    return {PART: part, MADE: (name, zlib.crc32(np.ascontiguousarray(data).data))}


def _layers(cells: Cells) -> list[tuple[Any, dict[str, Any], str]]:
    """Layers of the first and the last field of view, one picture."""
    import pandas as pd

    last = len(cells.fields) - 1
    places = [0] if last == 0 else [0, last]
    chosen = [cells.fields[index] for index in places]
    geometry = plane_geometry(chosen[0])
    layers: list[tuple[Any, dict[str, Any], str]] = []
    for channel, color in zip(
        range(len(cells.channels)), channel_colors(cells.channels), strict=True
    ):
        planes = [np.asarray(field.planes[cells.planes[channel]][:, :]) for field in chosen]
        name, picture = cells.channels[channel], np.concatenate(planes, axis=1)
        look = {
            "name": name,
            "colormap": color,
            "blending": "additive",
            "metadata": _as_made(name, picture, "channel"),
        }
        layers.append((picture, {**look, **geometry}, "image"))
    if all(field.labels is not None for field in chosen):
        labels, numbers, names, shift = [], [], [], 0
        for index, field in zip(places, chosen, strict=True):
            assert field.labels is not None
            rows = cells.table[cells.table["field"] == index]
            labels.append(np.where(field.labels > 0, field.labels + shift, 0))
            numbers += (rows["object"] + shift).tolist()
            names += [cells.classes[code] if code >= 0 else "" for code in rows["label"]]
            shift += int(field.labels.max())
        # Pale: what is to be looked at are the channels below.
        outlines = np.concatenate(labels, axis=1)
        made = _as_made("cells", outlines, "cells")
        marks: dict[str, Any] = {"name": "cells", "opacity": 0.2, "metadata": made}
        if any(names):
            marks["features"] = pd.DataFrame({"index": numbers, CLASSES: names})
        layers.append((outlines, {**marks, **geometry}, "labels"))
    return layers
