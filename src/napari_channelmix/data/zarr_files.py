"""OME-Zarr images (versions 0.4 and 0.5), whose paths may not leave their folder."""

from __future__ import annotations

import os
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_channelmix.data.file_limits import (
    CLAIM_FLOOR,
    CLAIM_RATIO,
    refuse_claim,
)
from napari_channelmix.data.image_planes import KNOWN_AXES, ImageFile, without_single_axes
from napari_channelmix.data.pixel_size import Size, checked_size
from napari_channelmix.data.scenes import Scene, choose_scene
from napari_channelmix.data.zarr_arrays import open_array
from napari_channelmix.data.zarr_metadata import group_attributes, is_zarr, place_inside
from napari_channelmix.data.zarr_source import ZarrSource
from napari_channelmix.errors import DataError

__all__ = ["is_zarr", "open_zarr"]

# Planes of smaller chunks would take minutes for the reading of nothing.
MOST_CHUNKS = 250_000
# Files of an array that are looked at, to see that its data are there.
MOST_LOOKED_AT = 100_000


def open_zarr(path: Path, scene: int | str | None, mask: bool) -> ImageFile:
    """Full resolution of an OME-Zarr image.

    Raises
    ------
    DataError
        No image, several of which none was chosen, paths or links that lead out of the folder, or
        an image without any data.
    """
    warnings: list[str] = []
    attributes = group_attributes(path)
    folder, multiscale, warning = _image(path, attributes, scene, mask)
    if warning:
        warnings.append(warning)
    if folder != path:
        attributes = group_attributes(folder)
    level = multiscale["datasets"][0]
    place = place_inside(path, folder, level.get("path"))
    array = open_array(path, place)
    full, dtype = tuple(int(n) for n in array.shape), np.dtype(array.dtype)
    if dtype.kind not in "buif":
        raise DataError(f"{path}: pixels of type {str(dtype)[:40]} are not read")
    complete = _check_data(path, place, array, mask, warnings)
    axes, names = _axes(multiscale, len(full), warnings)
    shape, short = without_single_axes(full, axes) if axes else (full, "")
    size, unit = _pixel_size(multiscale, level, names, warnings)
    count = shape[short.index("C")] if "C" in short else 1
    # Without axes it is not known which of them the names belong to.
    channels = _channels(attributes, count, warnings) if axes else None

    left = [i for i, n in enumerate(full) if not axes or n != 1 or axes[i] in "YX"]
    others = [each.get("path") for each in multiscale["datasets"][1:] if isinstance(each, dict)]
    names = [name for name in others if isinstance(name, str)]
    source = ZarrSource.opened(path, folder, place, array, left, names, complete=complete)
    return ImageFile(
        path,
        shape,
        dtype,
        short if axes else None,
        channels,
        size,
        unit,
        source,
        full,
        tuple(warnings),
        str(place),
    )


# ---------------------------------------------------------------- metadata


def _image(
    path: Path, attributes: dict[str, Any], scene: int | str | None, mask: bool
) -> tuple[Path, dict[str, Any], str | None]:
    """Folder and description of the image to read."""
    listed = attributes.get("multiscales")
    if isinstance(listed, list) and listed:
        usable = [
            multiscale
            for multiscale in listed
            if isinstance(multiscale, dict) and _datasets(multiscale)
        ]
        if not usable:
            raise DataError(f"{path}: not an OME-Zarr image (its 'multiscales' name no array)")
        chosen, warning = choose_scene(
            path, [_scene(path, path, multiscale) for multiscale in usable], scene, optional=mask
        )
        return path, usable[chosen], warning
    if "plate" in attributes or "well" in attributes:
        what = "plate" if "plate" in attributes else "well"
        fields = _fields_of(attributes, what)
        raise DataError(
            f"{path}: is a {what} of many images, not an image (no 'multiscales'); "
            f"give a row to each field, such as {path / fields}"
        )
    series = _series(path, attributes)
    if not series:
        raise DataError(f"{path}: not an OME-Zarr image (no 'multiscales' in its attributes)")
    described = [group_attributes(folder)["multiscales"][0] for folder in series]
    scenes = [
        _scene(path, folder, multiscale)
        for folder, multiscale in zip(series, described, strict=True)
    ]
    chosen, warning = choose_scene(path, scenes, scene, optional=mask)
    return series[chosen], described[chosen], warning


def _fields_of(attributes: dict[str, Any], what: str) -> str:
    try:
        if what == "plate":
            return f"{attributes['plate']['wells'][0]['path']!s:.40}/0"
        return f"{attributes['well']['images'][0]['path']!s:.40}"
    except (KeyError, IndexError, TypeError):
        return "A/1/0" if what == "plate" else "0"


def _series(path: Path, attributes: dict[str, Any]) -> list[Path]:
    """Images of the layout that bioformats2raw writes: folders 0, 1, ..."""
    names = sorted((entry.name for entry in path.iterdir() if entry.name.isdigit()), key=int)
    if "bioformats2raw.layout" not in attributes and not (path / "OME").is_dir():
        return []
    folders = []
    for name in names[:10_000]:
        folder = place_inside(path, path, name)
        if folder.is_dir() and is_zarr(folder):
            listed = group_attributes(folder).get("multiscales")
            if isinstance(listed, list) and listed and _datasets(listed[0]):
                folders.append(folder)
    return folders


def _datasets(multiscale: Any) -> bool:
    datasets = multiscale.get("datasets") if isinstance(multiscale, dict) else None
    return isinstance(datasets, list) and bool(datasets) and isinstance(datasets[0], dict)


def _scene(path: Path, folder: Path, multiscale: dict[str, Any]) -> Scene:
    try:
        place = place_inside(path, folder, multiscale["datasets"][0].get("path"))
        shape = tuple(int(n) for n in open_array(path, place).shape)
    except Exception:  # its own reading will say what is wrong, if it is chosen
        shape = ()
    name = multiscale.get("name")
    if folder != path and not name:
        name = folder.name
    return Scene(name if isinstance(name, str) else "", shape)


def _axes(multiscale: dict[str, Any], count: int, warnings: list[str]) -> tuple[str, list[str]]:
    """Letters of the axes, empty where they are not known, and their names."""
    described = multiscale.get("axes") or []
    if not isinstance(described, list):
        described = []
    names = [str(a.get("name", "")) if isinstance(a, dict) else str(a) for a in described]
    letters = "".join(name[:1].upper() or "?" for name in names)
    if not letters:
        return "", []
    if len(letters) != count:
        warnings.append(
            f"its metadata name {len(letters)} axes, its array has {count}: they are left out"
        )
        return "", []
    if any(letter not in KNOWN_AXES for letter in letters) or len(set(letters)) < count:
        return "", names
    return letters, names


def _pixel_size(
    multiscale: dict[str, Any], level: dict[str, Any], names: list[str], warnings: list[str]
) -> tuple[Size | None, str | None]:
    """The scale of the level times that of all levels."""
    if not {"y", "x"} <= set(names):
        return None, None
    y, x = names.index("y"), names.index("x")
    sides: list[Any] = []
    try:
        for owner in (level, multiscale):
            for step in owner.get("coordinateTransformations") or []:
                if step.get("type") == "scale":
                    scale = step["scale"]
                    scales = [float(scale[y]), float(scale[x])]
                    sides = [a * b for a, b in zip(sides, scales, strict=True)] if sides else scales
        units = [
            axis.get("unit") if isinstance(axis, dict) else None
            for axis in (multiscale["axes"][y], multiscale["axes"][x])
        ]
    except (AttributeError, TypeError, ValueError, KeyError, IndexError):
        warnings.append("its scale cannot be read and is left out")
        return None, None
    if not sides:
        return None, None
    size, unit, warning = checked_size(sides[0], sides[1], units[0], units[1])
    if warning:
        warnings.append(warning)
    return size, unit


def _channels(
    attributes: dict[str, Any], count: int, warnings: list[str]
) -> tuple[str, ...] | None:
    omero = attributes.get("omero")
    if omero is None:
        return None
    listed = omero.get("channels") if isinstance(omero, dict) else None
    if listed is None and isinstance(omero, dict):
        return None
    if not isinstance(listed, list) or not all(isinstance(channel, dict) for channel in listed):
        warnings.append("its channel names cannot be read and are left out (block 'omero')")
        return None
    labels = [channel.get("label") for channel in listed]
    if not labels or not all(labels):
        return None
    if len(labels) != count:
        warnings.append(
            f"its channel names are left out: they are {len(labels)}, its channels {count}"
        )
        return None
    return tuple(str(label) for label in labels)


# ---------------------------------------------------------------- arrays


def _check_data(path: Path, place: Path, array: Any, mask: bool, warnings: list[str]) -> bool:
    """Hold what the array claims against the files that are there; gives whether all are."""
    shape = tuple(int(n) for n in array.shape)
    if not prod(shape):
        return False
    pieces = getattr(array, "shards", None) or array.chunks
    chunks = [ceil(n / max(int(c), 1)) for n, c in zip(shape, array.chunks, strict=True)]
    expected = prod(ceil(n / max(int(c), 1)) for n, c in zip(shape, pieces, strict=True))
    if prod(chunks[-2:]) > MOST_CHUNKS:
        raise DataError(
            f"{path}: its planes are in {prod(chunks[-2:]):,} chunks of {array.chunks}; "
            "save it with larger chunks"
        )
    itemsize = np.dtype(array.dtype).itemsize
    piece = prod(int(c) for c in pieces) * itemsize
    enough = max(prod(shape) * itemsize, piece) // CLAIM_RATIO
    files, stored, all_seen = _count_chunks(place, enough)
    refuse_claim(path, piece, stored, "pixels in one chunk")
    if not files:
        if mask:  # a label image of background has no chunks
            refuse_claim(path, prod(shape) * itemsize, stored)
            return False
        raise DataError(
            f"{path}: none of its {expected} chunks are there; its data are missing, or all its "
            "pixels have one value"
        )
    refuse_claim(path, prod(shape) * itemsize, stored)
    if all_seen and files < expected:
        fill = np.asarray(array.fill_value)
        warnings.append(
            f"some of its chunks hold no data and are read as {fill} "
            f"({expected - files} of {expected})"
        )
    return all_seen and files == expected


def _count_chunks(place: Path, enough: int) -> tuple[int, int, bool]:
    """Number of chunk files, their bytes, and whether all were counted."""
    files = stored = 0
    waiting = [str(place)]
    while waiting:
        with os.scandir(waiting.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                elif entry.name[-1:].isdigit() and not entry.name.startswith("."):
                    # Neither metadata nor what systems leave in folders.
                    files += 1
                    if stored <= max(enough, CLAIM_FLOOR // CLAIM_RATIO):
                        stored += entry.stat(follow_symlinks=False).st_size
        if files > MOST_LOOKED_AT and stored > enough:
            return files, stored, False
    return files, stored, True
