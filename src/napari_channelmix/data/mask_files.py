"""Mask files: the plane of labels in an image file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.image_planes import STACKED, ImageFile
from napari_channelmix.errors import DataError

__all__ = ["plane_of_mask", "stack_of_mask"]


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
    values: npt.NDArray[Any]
    if file.label_source is not None:
        values = file.all_labels()
    elif file.axes is not None and "S" in file.axes:
        values = _grey_of_rgb(file)
    else:
        planes = file.planes(None)
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
    planes = file.planes(axes)
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


def stack_of_mask(
    file: ImageFile, lengths: Mapping[str, int]
) -> tuple[npt.NDArray[Any], tuple[str, ...]]:
    """Labels of a mask file that may be a stack.

    Parameters
    ----------
    file : ImageFile
    lengths : mapping of str to int
        The axes T and Z of its image, in their order, and how long they are.

    Returns
    -------
    (..., Y, X) array
    tuple of str
        The axes before Y and X; none where the mask is one plane.

    Raises
    ------
    DataError
        As `plane_of_mask`; axes that are not those of the image, or that nobody tells.
    """
    letters = file.axes
    if letters is None and len(file.shape) > 2:
        letters = _axes_of_image(file, lengths)
    letters = letters or ""
    own = tuple(axis for axis in letters if axis in STACKED)
    if not own:
        return plane_of_mask(file), ()
    if set(letters) - {*STACKED, "Y", "X"} or file.lossy:
        raise DataError(
            f"{file.path}: axes {letters} {file.shape}: a mask of a stack has the axes T, Z, Y, X; "
            "save it so"
        )
    for axis in own:
        length = file.shape[letters.index(axis)]
        if axis not in lengths:
            raise DataError(
                f"{file.path}: has {length} planes along {axis}, and the image no axis {axis}"
            )
        if length != lengths[axis]:
            raise DataError(
                f"{file.path}: has {length} planes along {axis}, the image has {lengths[axis]}"
            )
    values = file.all_labels()
    order = [letters.index(axis) for axis in (*own, "Y", "X")]
    return values.transpose(order), own


def _axes_of_image(file: ImageFile, lengths: Mapping[str, int]) -> str:
    """The axes of a mask that does not say them: those of its image, where they are as long."""
    extra = file.shape[:-2]
    if extra == tuple(lengths.values()) and len(set(extra)) == len(extra):
        return "".join((*lengths, "Y", "X"))
    named = [axis for axis, length in lengths.items() if extra == (length,)]
    if len(named) == 1:
        return f"{named[0]}YX"
    if not lengths:
        return ""
    there = ", ".join(f"{axis} {length}" for axis, length in lengths.items())
    raise DataError(
        f"{file.path}: the file does not say what its axes {file.shape} are, and they are not "
        f"those of the image ({there}); save it with its axes, as OME-TIFF or ImageJ TIFF"
    )
