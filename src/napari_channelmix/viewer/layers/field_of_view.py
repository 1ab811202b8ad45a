"""Show a field of view of a data set: a layer for each channel, and its cells."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.display_channels import (
    MOST_TOGETHER,
    display_channels_job,
    unmeasured_display,
)
from napari_channelmix.data.display_limits import limits_of_planes
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.viewer.charts.colors import channel_colors, is_photo
from napari_channelmix.viewer.layers.class_layer import prepare_colors, show_codes
from napari_channelmix.viewer.layers.keep_selection import keep_selection
from napari_channelmix.viewer.layers.overview_filling import fill_overviews
from napari_channelmix.viewer.layers.own_layers import (
    add_image,
    add_labels,
    find_ours,
    plane_geometry,
    role_of,
)
from napari_channelmix.viewer.layers.planes import full_resolution
from napari_channelmix.viewer.layers.pyramids import (
    READ_WHOLE_BYTES,
    Levels,
    coarser_views,
    nbytes_of,
    shown_plane,
)
from napari_channelmix.viewer.layers.removing import no_search, remove_in_turns
from napari_channelmix.viewer.session.shown import Shown

if TYPE_CHECKING:
    from napari_channelmix.data import Cells, Field
    from napari_channelmix.data.display_channels import DisplayChannels
    from napari_channelmix.data.image_planes import Plane

__all__ = [
    "FieldPixels",
    "field_job",
    "forget_in_turns",
    "forget_ours",
    "show_field",
    "show_in_turns",
]

# Fields of view whose pixels tell of the contrast, and pixels of a side that are looked at in each.
FIELDS_MEASURED, SIDE_MEASURED = 5, 512
# Of a large one, squares of half that side: in the middle, and in the middle of each quarter.
PLACES = ((2, 2), (1, 1), (1, 3), (3, 1), (3, 3))
# Percentile that is black: a quarter of a field of view is background.
BLACK = 25.0


@dataclass(frozen=True, eq=False)
class FieldPixels:
    """The pixels of a field of view, ready to be shown.

    Attributes
    ----------
    field_index : int
    planes : tuple of (Y, X) array or Levels
        One for each channel.
    limits : tuple of (float, float)
        Its contrast.
    display : DisplayChannels
        The channels that are proposed to be shown; the others start hidden.
    """

    field_index: int
    planes: tuple[npt.NDArray[Any] | Levels, ...]
    limits: tuple[tuple[float, float], ...]
    display: DisplayChannels


# Contrast limits of data sets that were shown: by their first field of view, then by channel.
_LIMITS: WeakKeyDictionary[Field, dict[tuple[int, int, bool], tuple[float, float]]] = (
    WeakKeyDictionary()
)


def field_job(cells: Cells, index: int) -> Job[FieldPixels]:
    """Read a field of view; a step for each channel.

    The contrast of a channel is the same for all fields of view of a data set: from five of them,
    spread evenly, or those that can be read. Of more than six channels, it is that of the pictures
    of cells, from a sample of them.
    """
    field, planes, limits = cells.fields[index], [], []
    photo = is_photo(cells.channels)
    many = len(cells.channels) > MOST_TOGETHER
    display = (
        (yield from display_channels_job(cells)) if many else unmeasured_display(cells.channels)
    )
    known, count = _LIMITS.setdefault(cells.fields[0], {}), len(cells.fields)
    sample = sorted({int(i) for i in np.linspace(0, count - 1, min(count, FIELDS_MEASURED))})
    for step, channel in enumerate(cells.planes):
        stage = f"reading {cells.channels[step]}"
        yield Progress(step, len(cells.planes), stage)
        planes.append(shown_plane(field.planes[channel]))
        if cells.channels[step] in display.contrast:
            limits.append(display.contrast[cells.channels[step]])
            continue
        if (count, channel, photo) not in known:
            blocks = []
            for other in sample:
                yield Progress(step, len(cells.planes), stage)
                # Another image that cannot be read is said where it is looked at.
                with suppress(DataError):
                    blocks += _blocks(cells.fields[other].planes[channel])
            known[count, channel, photo] = limits_of_planes(
                blocks or _blocks(field.planes[channel]), BLACK, dark_noise=not photo
            )
        limits.append(known[count, channel, photo])
    if photo:
        # A photo has black, and its colours stay in proportion.
        limits = [(0.0, max(high for _, high in limits))] * len(limits)
    yield Progress(len(cells.planes), len(cells.planes), "preparing the layers")
    prepare_colors(cells, index)
    return FieldPixels(index, tuple(planes), tuple(limits), display)


def _blocks(plane: Plane) -> list[npt.NDArray[Any]]:
    """Parts of a plane: a strided read would touch every chunk, and tell nothing of noise."""
    large = nbytes_of(plane) > READ_WHOLE_BYTES
    places, side = (PLACES, SIDE_MEASURED // 2) if large else (PLACES[:1], SIDE_MEASURED)
    blocks = []
    for quarters in places:
        y, x = (
            max(0, n * quarter // 4 - side // 2)
            for n, quarter in zip(plane.shape, quarters, strict=True)
        )
        blocks.append(np.asarray(plane[y : y + side, x : x + side]))
    return blocks


def forget_ours(viewer: Any, besides: Shown | None = None) -> None:
    """Remove every layer that we added, another data set is about to be shown; duplicates stay.

    ``besides``: cells out of layers, which may be channels that we added.
    """
    drain(forget_in_turns(viewer, besides))


def forget_in_turns(viewer: Any, besides: Shown | None = None) -> Job[None]:
    """`forget_ours`, a step of the main thread for each layer."""
    used = () if besides is None else (*besides.images.values(), besides.objects)
    ours = [layer for layer in viewer.layers if role_of(layer)]
    # By identity: layers may be compared by what they hold.
    removed = [layer for layer in ours if not any(layer is other for other in used)]
    yield from remove_in_turns(viewer, removed)


def show_field(viewer: Any, cells: Cells, pixels: FieldPixels) -> Shown:
    """Put a field of view into the viewer, in the layers of the one before where there are any."""
    return drain(show_in_turns(viewer, cells, pixels))


def show_in_turns(viewer: Any, cells: Cells, pixels: FieldPixels) -> Job[Shown]:
    """`show_field`, a step for each layer: napari takes some 100 ms to make one.

    Each step is for the main thread. Who begins it drives it to its end: what would be left are
    layers of no data set.
    """
    field = cells.fields[pixels.field_index]
    geometry = plane_geometry(field)
    before = find_ours(viewer, f"channel {cells.channels[0]}")
    moved = before is None or full_resolution(before).shape != pixels.planes[0].shape
    images, pictures, others = {}, {}, set(viewer.layers)
    display = pixels.display
    colors = dict(zip(cells.channels, channel_colors(cells.channels), strict=True))
    colors |= dict(zip(display.channels, display.colors, strict=True))
    for place, (name, color) in enumerate(colors.items()):
        with keep_selection(viewer.layers), no_search():
            images[name] = add_image(
                viewer,
                f"channel {name}",
                pixels.planes[place],
                geometry,
                name=name,
                colormap=color,
                blending="additive",
                contrast_limits=pixels.limits[place],
                visible=name in display.channels,
            )
        pictures[images[name]] = pixels.planes[place]
        if moved and place == 0:
            # The others have the same place: they are read once, for what is in sight.
            viewer.reset_view()
        yield Progress(place + 1, len(cells.channels) + 1, "showing the layers")
    with keep_selection(viewer.layers), no_search():
        objects = _show_objects(viewer, cells, pixels.field_index, geometry)
    yield Progress(1, 1, "showing the layers")
    added = [layer for layer in viewer.layers if layer not in others]
    if added:
        # As napari does with each layer that is added; once here, for the last of them.
        viewer.layers.selection.active = added[-1]
        yield Progress(1, 1, "showing the layers")
    if moved:
        viewer.reset_view()
    # Last, since its thread and this one would wait for each other.
    fill_overviews(viewer, pictures)
    return Shown(pixels.field_index, images, objects)


def _show_objects(viewer: Any, cells: Cells, index: int, geometry: dict[str, Any]) -> Any:
    """The layer that marks the cells of a field of view."""
    labels = cells.fields[index].labels
    if labels is None:
        return show_codes(viewer, "classes", cells, index, cells.labels, cells.classes, geometry)
    objects = add_labels(
        viewer,
        "cells",
        _label_picture(labels),
        geometry,
        name="cells",
        opacity=0.7,
        visible=not cells.classes,
    )
    objects.contour = 1
    objects.editable = not objects.multiscale
    return objects


def _label_picture(labels: npt.NDArray[Any]) -> npt.NDArray[Any] | Levels:
    """A label image as a layer shows it: what is painted in the layer is no cell of these."""
    if labels.nbytes <= READ_WHOLE_BYTES:
        return labels.copy()
    # A second one may not find room in memory; napari paints in no layer of levels.
    return Levels(coarser_views(labels))
