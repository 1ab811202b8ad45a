"""How a layer looks: the colour of its bright pixels."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["color_of"]


def color_of(layer: Any) -> tuple[float, float, float]:
    """The lightest colour of an image layer's colormap, red, green, blue between 0 and 1."""
    colors = np.asarray(layer.colormap.colors, dtype=np.float64)[:, :3]
    red, green, blue = colors[int(colors.sum(axis=1).argmax())]
    return float(red), float(green), float(blue)
