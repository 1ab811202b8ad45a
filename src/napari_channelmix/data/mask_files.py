"""Mask files: the plane of labels in an image file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import guarded
from napari_channelmix.data.image_planes import Decoded, ImageFile
from napari_channelmix.errors import DataError

__all__ = ["plane_of_mask"]


def plane_of_mask(file: ImageFile) -> npt.NDArray[Any]:
    """Labels of a mask file, as they are stored.

    A palette of colours counts by its indices. An RGB picture whose three colours are equal
    throughout is read as the grey picture it is.

    Returns
    -------
    (Y, X) array

    Raises
    ------
    DataError
        Several planes, real colours, or a JPEG with more than two values, whose labels have
        blurred.
    """
    path = file.path
    if file.open_labels is not None:
        values: npt.NDArray[Any] = guarded(path, file.open_labels)
    elif file.axes is not None and "S" in file.axes:
        values = _grey_of_rgb(file)
    else:
        planes = file.planes(None, Decoded(0))
        if len(planes) != 1:
            raise DataError(
                f"{path}: has {len(planes)} channels; a mask is one plane of labels, save it so"
            )
        height, width = planes[0].shape
        values = planes[0][0:height, 0:width]
    if file.lossy and len(np.unique(values)) > 2:
        raise DataError(
            f"{path}: JPEG changes the values of a mask; save it as PNG or TIFF from its source"
        )
    return values


def _grey_of_rgb(file: ImageFile) -> npt.NDArray[Any]:
    axes = str(file.axes).replace("S", "C")
    planes = file.planes(axes, Decoded())
    height, width = planes[0].shape
    samples = [plane[0:height, 0:width] for plane in planes]
    # A fourth sample, or a second, is transparency.
    colours = samples[:3] if len(samples) >= 3 else samples[:1]
    if any(not np.array_equal(colours[0], other) for other in colours[1:]):
        raise DataError(
            f"{file.path}: is a colour image {file.shape}; a mask is one plane of labels, "
            "save it as grey PNG or TIFF with 0 as background"
        )
    return colours[0]
