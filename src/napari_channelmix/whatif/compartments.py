"""Where in a crop the background, the nuclei and the cytoplasm are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.neighbours import background_level

if TYPE_CHECKING:
    from napari_channelmix.data.crop_outlines import CropOutlines, LightScale

__all__ = ["background_of", "nuclei_of"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def background_of(crops: FloatArray, outlines: CropOutlines, scale: LightScale) -> FloatArray:
    """Level (n, C) of each channel where there is no cell, raw units.

    The median of the outermost pixels of the crop that belong to no object; see
    `data.neighbours.background_level`.
    """
    ground = ~(outlines.cell | outlines.others)
    return np.stack(
        [background_level(crop, free) for crop, free in zip(crops, ground, strict=True)]
    )


def nuclei_of(stain: FloatArray, outlines: CropOutlines) -> Mask:
    """Pixels (n, H, W) of nuclei: above Otsu's threshold of each crop of a nuclear stain."""
    from skimage.filters import threshold_otsu

    nuclei = np.zeros(stain.shape, bool)
    for place, plane in enumerate(stain):
        if plane.max() > plane.min():
            nuclei[place] = plane > threshold_otsu(plane)
    return nuclei
