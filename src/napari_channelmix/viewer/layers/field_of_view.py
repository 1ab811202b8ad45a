"""Show a field of view of a data set: a layer for each channel, and its cells."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.display_limits import limits_of_planes
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.charts.colors import channel_colors, is_photo
from napari_channelmix.viewer.layers.class_layer import show_codes
from napari_channelmix.viewer.layers.own_layers import (
    add_image,
    add_labels,
    find_ours,
    plane_geometry,
    role_of,
)
from napari_channelmix.viewer.session.shown import Shown

if TYPE_CHECKING:
    from napari_channelmix.data import Cells, Field
    from napari_channelmix.data.image_planes import Plane

__all__ = ["FieldPixels", "field_job", "forget_ours", "show_field"]

# Larger planes are handed to napari lazily, in pieces.
READ_WHOLE_BYTES = 64 * 2**20
# Fields of view whose pixels tell of the contrast, and pixels of a side that are looked at in each.
FIELDS_MEASURED, SIDE_MEASURED = 5, 512
# Percentile that is black: a quarter of a field of view is background.
BLACK = 25.0
# More colours than this on top of each other show nothing; the other channels start hidden.
CHANNELS_SHOWN = 4


@dataclass(frozen=True)
class FieldPixels:
    """The pixels of a field of view, ready to be shown: a plane and its contrast per channel."""

    field_index: int
    planes: tuple[Any, ...]
    limits: tuple[tuple[float, float], ...]


# Contrast limits of data sets that were shown: by their first field of view, then by channel.
_LIMITS: WeakKeyDictionary[Field, dict[tuple[int, int, bool], tuple[float, float]]] = (
    WeakKeyDictionary()
)


def field_job(cells: Cells, index: int) -> Job[FieldPixels]:
    """Read a field of view; a step for each channel.

    The contrast of a channel is the same for all fields of view of a data set: from five of them,
    spread evenly, or those that can be read.
    """
    field, planes, limits = cells.fields[index], [], []
    photo = is_photo(cells.channels)
    known, count = _LIMITS.setdefault(cells.fields[0], {}), len(cells.fields)
    sample = sorted({int(i) for i in np.linspace(0, count - 1, min(count, FIELDS_MEASURED))})
    for step, channel in enumerate(cells.planes):
        stage = f"reading {cells.channels[step]}"
        yield Progress(step, len(cells.planes), stage)
        planes.append(_readable(field.planes[channel]))
        if (count, channel, photo) not in known:
            blocks = []
            for other in sample:
                yield Progress(step, len(cells.planes), stage)
                # Another image that cannot be read is said where it is looked at.
                with suppress(DataError):
                    blocks.append(_block(cells.fields[other].planes[channel]))
            known[count, channel, photo] = limits_of_planes(
                blocks or [_block(planes[-1])], BLACK, dark_noise=not photo
            )
        limits.append(known[count, channel, photo])
    if photo:
        # A photo has black, and its colours stay in proportion.
        limits = [(0.0, max(high for _, high in limits))] * len(limits)
    return FieldPixels(index, tuple(planes), tuple(limits))


def _readable(plane: Plane) -> Any:
    height, width = plane.shape
    if height * width * np.dtype(plane.dtype).itemsize <= READ_WHOLE_BYTES:
        return np.asarray(plane[0:height, 0:width])
    # Only here: loading dask takes longer than opening a dock may take.
    import dask.array as da

    if isinstance(plane, da.Array):
        return plane
    return da.from_array(plane, chunks=(1024, 1024), asarray=False, name=False)


def _block(plane: Any) -> npt.NDArray[Any]:
    """The middle of a plane: a strided read would touch every chunk, and tell nothing of noise."""
    y, x = (max(0, (n - SIDE_MEASURED) // 2) for n in plane.shape)
    return np.asarray(plane[y : y + SIDE_MEASURED, x : x + SIDE_MEASURED])


def forget_ours(viewer: Any, besides: Shown | None = None) -> None:
    """Remove every layer that we added, another data set is about to be shown; duplicates stay.

    ``besides``: cells out of layers, which may be channels that we added.
    """
    used = () if besides is None else (*besides.images.values(), besides.objects)
    for layer in [layer for layer in viewer.layers if role_of(layer)]:
        if not any(layer is other for other in used):
            viewer.layers.remove(layer)


def show_field(viewer: Any, cells: Cells, pixels: FieldPixels) -> Shown:
    """Put a field of view into the viewer, in the layers of the one before where there are any."""
    field = cells.fields[pixels.field_index]
    geometry = plane_geometry(field)
    before = find_ours(viewer, f"channel {cells.channels[0]}")
    moved = before is None or before.data.shape != pixels.planes[0].shape
    images = {}
    for place, (name, color) in enumerate(
        zip(cells.channels, channel_colors(cells.channels), strict=True)
    ):
        images[name] = add_image(
            viewer,
            f"channel {name}",
            pixels.planes[place],
            geometry,
            name=name,
            colormap=color,
            blending="additive",
            contrast_limits=pixels.limits[place],
            visible=place < CHANNELS_SHOWN,
        )
    if field.labels is not None:
        # A copy: what is painted in the layer later is no cell of these.
        objects = add_labels(
            viewer,
            "cells",
            field.labels.copy(),
            geometry,
            name="cells",
            opacity=0.7,
            visible=not cells.classes,
        )
        objects.contour = 1
    else:
        codes = cells.labels
        objects = show_codes(
            viewer, "classes", cells, pixels.field_index, codes, cells.classes, geometry
        )
    if moved:
        viewer.reset_view()
    return Shown(pixels.field_index, images, objects)
