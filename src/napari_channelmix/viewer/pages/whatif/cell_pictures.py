"""Pictures of an edited cell: its channels composed as in the viewer, and what is edited of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from qtpy.QtGui import QColor, QImage

from napari_channelmix.data.crop_rendering import Look, composed, settled
from napari_channelmix.data.display_channels import unmeasured_display

if TYPE_CHECKING:
    from napari_channelmix.data.display_limits import DisplayLimits

__all__ = ["color_image", "looks_of_channels", "outline_image", "picture_of"]

FloatArray = npt.NDArray[np.float32]
Picture = npt.NDArray[np.uint8]

# Opacity of the outline, 0 to 255.
OPACITY = 190


def looks_of_channels(
    names: tuple[str, ...],
    cells_channels: tuple[str, ...],
    looks: tuple[Look | None, ...],
    limits: DisplayLimits,
) -> tuple[Look | None, ...]:
    """How the channels of the classifier are drawn: as in the viewer.

    Where the viewer shows none of them, in their usual colours.

    Parameters
    ----------
    names : tuple of str
        Channels of the classifier.
    cells_channels : tuple of str
    looks : tuple of Look or None
        Of ``cells_channels``.
    limits : DisplayLimits
        Of ``names``.
    """
    own = tuple(looks[cells_channels.index(name)] for name in names)
    if not any(own):
        own = unmeasured_display(names).looks(names)
    return settled(limits, own)


def picture_of(pixels: FloatArray, looks: tuple[Look | None, ...]) -> Picture:
    """A crop (C, H, W) as a picture (H, W, 3)."""
    picture: Picture = composed(pixels[None], looks)[0]
    return picture


def color_image(picture: Picture) -> QImage:
    """A picture (H, W, 3) for Qt."""
    height, width = picture.shape[:2]
    pixels = np.ascontiguousarray(picture).tobytes()
    return QImage(pixels, width, height, 3 * width, QImage.Format.Format_RGB888).copy()


def outline_image(mask: npt.NDArray[np.bool_], color: str) -> QImage:
    """The outermost pixels of a mask (H, W) in a colour, the rest transparent.

    A mask that reaches the border of the picture is closed there.
    """
    around = np.pad(mask, 1)
    inner = around[:-2, 1:-1] & around[2:, 1:-1] & around[1:-1, :-2] & around[1:-1, 2:]
    pixels = np.zeros((*mask.shape, 4), np.uint8)
    red, green, blue, _ = QColor(color).getRgb()
    pixels[mask & ~inner] = (red, green, blue, OPACITY)
    height, width = mask.shape
    form = QImage.Format.Format_RGBA8888
    return QImage(pixels.tobytes(), width, height, 4 * width, form).copy()
