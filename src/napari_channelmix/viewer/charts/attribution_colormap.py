"""The colours of maps for napari and Qt; `evidence_colors` says what they mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from napari.utils.colormaps import Colormap
from qtpy.QtGui import QImage

from napari_channelmix.evidence_colors import color_table, evidence_rgba

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_channelmix.evidence_colors import EvidenceView

__all__ = ["evidence_colormap", "evidence_image"]

NAMES = {
    "signed": "evidence for and against",
    "for": "evidence for",
    "magnitude": "evidence at all",
}


def evidence_colormap(view: EvidenceView) -> Colormap:
    """For an image layer with the contrast limits -1 and 1."""
    return Colormap(color_table(view), name=NAMES[view], display_name=NAMES[view])


def evidence_image(shares: npt.NDArray[np.float32], view: EvidenceView) -> QImage:
    """A map, -1 to 1, in the colours of the map layers; transparent where it is 0."""
    pixels = np.round(255 * evidence_rgba(shares, view)).astype(np.uint8)
    height, width = shares.shape
    return QImage(pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_RGBA8888).copy()
