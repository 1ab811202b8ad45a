"""Open an image file of any kind; axes and channel names come from it, never from a guess."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from napari_channelmix.data.file_limits import guarded, refuse_special
from napari_channelmix.data.image_planes import (
    PICTURE_SUFFIXES,
    FilePlane,
    ImageFile,
    Plane,
    without_single_axes,
)
from napari_channelmix.data.picture_files import open_picture
from napari_channelmix.data.tiff_files import open_tiff
from napari_channelmix.data.vendor_files import READERS, open_vendor, refuse_unread
from napari_channelmix.data.zarr_files import is_zarr, open_zarr
from napari_channelmix.errors import DataError

__all__ = ["FilePlane", "ImageFile", "Plane", "open_image", "without_single_axes"]

# Slide scanners write TIFFs under names of their own.
TIFF_SUFFIXES = (".tif", ".tiff", ".btf", ".stk", ".lsm", ".svs", ".scn", ".ndpi", ".qptiff")


def open_image(
    path: str | Path,
    *,
    scene: int | str | None = None,
    alone: bool = False,
    mask: bool = False,
) -> ImageFile:
    """Read what an image file says of itself; pixels are read later.

    Parameters
    ----------
    path : path
        TIFF (also of slide scanners), OME-TIFF, ImageJ TIFF, PNG, JPEG, or the folder of an
        OME-Zarr image; CZI, ND2 and LIF where the extra of this name is installed.
    scene : int, str or None
        Position or name of the picture to read from a file that has several.
    alone : bool
        The file stands for one channel: where its metadata describe a set of files, only what
        lies in this one is read.
    mask : bool
        It is to be read as a label image, which may be empty throughout; ``scene`` is for files of
        several scenes only.

    Raises
    ------
    DataError
        File missing, of another kind, unreadable, with data missing, or with several scenes.
    """
    path = Path(path)
    refuse_special(path, folder=True)
    suffix = path.suffix.lower()
    if path.is_dir():
        if suffix == ".zarr" or guarded(path, lambda: is_zarr(path)):
            return _usable(guarded(path, lambda: open_zarr(path, scene, mask)), mask)
    elif suffix in TIFF_SUFFIXES:
        return _usable(guarded(path, lambda: open_tiff(path, scene, alone, mask)), mask)
    elif suffix in PICTURE_SUFFIXES:
        return _usable(guarded(path, lambda: open_picture(path)), mask)
    elif suffix in READERS:
        return _usable(guarded(path, lambda: open_vendor(path, scene, mask)), mask)
    if path.is_dir():
        raise DataError(f"{path}: is a folder, neither an image file nor an OME-Zarr image")
    refuse_unread(path)
    raise DataError(
        f"{path}: {f'files of kind {suffix!r}' if suffix else 'what has no suffix'} is not read; "
        "use TIFF, OME-TIFF, PNG, JPEG or OME-Zarr"
    )


def _usable(file: ImageFile, mask: bool) -> ImageFile:
    """Refuse pixels that are no numbers; say where 32-bit floats, which all use, lose bits."""
    dtype = file.dtype.newbyteorder("=")
    if dtype.kind not in "buif" or dtype.itemsize > 8:
        kind = "complex numbers" if dtype.kind == "c" else f"pixels of type {str(dtype)[:40]}"
        raise DataError(f"{file.path}: {kind} are not read; save it as whole numbers or floats")
    if not all(file.shape):
        raise DataError(f"{file.path}: has no pixels {file.shape}")
    warnings = file.warnings
    if dtype.kind in "iu" and dtype.itemsize > 2 and not mask:
        warnings += (f"its values of type {dtype} are rounded above 16,777,216",)
    return replace(file, dtype=dtype, warnings=warnings)
