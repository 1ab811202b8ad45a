"""How layers look: the colour of bright pixels, and how each channel is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_channelmix.data.crop_rendering import LEVELS, Look, plain_looks
from napari_channelmix.viewer.charts.colors import channel_colors

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["color_of", "looks_of"]

# As many channels of one layer are shown as a field of view shows at first.
SHOWN_AT_FIRST = 4


def color_of(layer: Any) -> tuple[float, float, float]:
    """The lightest colour of an image layer's colormap, red, green, blue between 0 and 1."""
    colors = np.asarray(layer.colormap.colors, dtype=np.float64)[:, :3]
    red, green, blue = colors[int(colors.sum(axis=1).argmax())]
    return float(red), float(green), float(blue)


def looks_of(viewer: Any, cells: Cells, shown: Shown | None) -> tuple[Look | None, ...]:
    """How each channel of the cells is drawn in the viewer; None for one that is hidden.

    A channel whose layer is gone, or whose layer shows several channels, has its usual colour and
    the contrast of the crops. If every layer is hidden, so are the channels.
    """
    usual = plain_looks(channel_colors(cells.channels), SHOWN_AT_FIRST)
    images = {} if shown is None else shown.images
    looks = []
    for index, name in enumerate(cells.channels):
        layer = images.get(name)
        if layer is None or layer not in viewer.layers or not isinstance(layer, Image):
            looks.append(usual[index])
        elif sum(image is layer for image in images.values()) > 1:
            looks.append(usual[index] if layer.visible else None)
        else:
            looks.append(_look(layer) if layer.visible else None)
    return tuple(looks)


def _look(layer: Any) -> Look:
    colors = np.asarray(layer.colormap.map(np.linspace(0, 1, LEVELS)))[:, :3]
    low, high = (float(value) for value in layer.contrast_limits)
    table = np.round(255 * np.clip(colors, 0, 1)).astype(np.uint8)
    return Look(table.tobytes(), low, high, float(layer.gamma), float(layer.opacity))
