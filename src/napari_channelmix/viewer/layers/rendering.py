"""How layers look: the colour of bright pixels, and how each channel is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from napari.layers import Image

from napari_channelmix.data.crop_rendering import LEVELS, Look
from napari_channelmix.data.display_channels import unmeasured_display

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.data.display_channels import DisplayChannels
    from napari_channelmix.viewer.session.shown import Shown

__all__ = ["color_of", "looks_of"]


def color_of(layer: Any) -> tuple[float, float, float]:
    """The lightest colour of an image layer's colormap, red, green, blue between 0 and 1."""
    colors = np.asarray(layer.colormap.colors, dtype=np.float64)[:, :3]
    red, green, blue = colors[int(colors.sum(axis=1).argmax())]
    return float(red), float(green), float(blue)


def looks_of(
    viewer: Any, cells: Cells, shown: Shown | None, display: DisplayChannels | None = None
) -> tuple[Look | None, ...]:
    """How each channel of the cells is drawn; None for one that is not.

    The display channels, each as its layer shows it: in its colours, between its limits, and not
    where the user hid it. A channel whose layer is gone, or whose layer shows several channels, has
    the colour and the contrast of the display channels. If every layer is hidden, so are the
    channels.

    Parameters
    ----------
    viewer : napari viewer
    cells : Cells
    shown : Shown or None
    display : DisplayChannels, optional
        Default: the channels that are shown while nothing is known of their pixels.
    """
    if display is None:
        display = unmeasured_display(cells.channels)
    usual = display.looks(cells.channels)
    images = {} if shown is None else shown.images
    looks = []
    for name, own in zip(cells.channels, usual, strict=True):
        layer = images.get(name)
        there = isinstance(layer, Image) and layer in viewer.layers
        if own is None or layer is None or not there:
            looks.append(own)
        elif sum(image is layer for image in images.values()) > 1:
            looks.append(own if layer.visible else None)
        else:
            looks.append(_look(layer) if layer.visible else None)
    return tuple(looks)


def _look(layer: Any) -> Look:
    colors = np.asarray(layer.colormap.map(np.linspace(0, 1, LEVELS)))[:, :3]
    low, high = (float(value) for value in layer.contrast_limits)
    table = np.round(255 * np.clip(colors, 0, 1)).astype(np.uint8)
    return Look(table.tobytes(), low, high, float(layer.gamma), float(layer.opacity))
