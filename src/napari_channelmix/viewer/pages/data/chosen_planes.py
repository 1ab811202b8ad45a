"""The planes of channels that were chosen among layers, and what layers are called as channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from napari_channelmix.data.short_names import short_names
from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.chosen_channels import CHANNEL_NAME, ChosenChannels
from napari_channelmix.wording import quoted

__all__ = ["chosen_channels", "names_of_layers"]


def chosen_channels(
    names: tuple[str, ...],
    chosen: Sequence[Any],
    stack: tuple[Any, int | None] | None,
    position: Sequence[float],
    project: Sequence[int],
    every: tuple[int, ...],
    groups: dict[str, str],
) -> ChosenChannels:
    """The channels as they stand now.

    Parameters
    ----------
    names : tuple of str
    chosen : sequence
        An image layer for each; with ``stack`` its position along the channel axis.
    stack : napari layer and axis, optional
        The layer that holds all channels.
    position : sequence of float
        What the viewer shows, in world coordinates.
    project, every : sequence of int
        Axes that are projected, and those of which every slice is a field of view.
    groups : dict of str to str

    Raises
    ------
    DataError
        Why they cannot be used.
    """
    together = frozenset((*project, *every))
    channel = None
    if stack is not None:
        layer, channel = stack
        if layer is None:
            raise DataError("there is no image layer yet; open an image first")
        along = layers.planes_from_axis(layer, channel, position, together)
        planes = tuple(along[place] for place in chosen)
        images = dict.fromkeys(names, layer)
        axes = layers.plane_axes(layer, channel)
    else:
        planes = layers.planes_from_layers(list(chosen), position, together)
        images = dict(zip(names, chosen, strict=True))
        axes = layers.plane_axes(chosen[0])
    if not names:
        raise DataError("tick at least one channel")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise DataError(
            f"two channels are called {quoted(twice)}: channel names must differ; double-click one "
            "to change it"
        )
    indices = {
        axis: index
        for axis, index in enumerate(planes[0].index)
        if index is not None and index != layers.PROJECT and axis != channel
    }
    return ChosenChannels(names, planes, images, axes, indices, channel, every, groups)


def names_of_layers(images: Sequence[Any]) -> tuple[str, ...]:
    """Names of layers as channels: those of their file, without what all begin with."""
    channels = [image for image in images if not image.rgb]
    names = dict(zip(map(id, channels), layers.file_names_of(channels), strict=True))
    given = {id(image): image.metadata.get(CHANNEL_NAME) for image in channels}
    named = {key: str(given[key] or name) for key, name in names.items()}
    if len({*named.values()}) < len(named):
        named = {id(image): image.name for image in channels}
    short = dict(zip(named, short_names(list(named.values())), strict=True))
    return tuple(short.get(id(image), image.name) for image in images)
