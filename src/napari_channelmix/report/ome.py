"""Planes as OME-TIFF and as OME-Zarr, with their place in the world.

OME-Zarr is written as the specification 0.5 has it (zarr 3, metadata under ``ome``); class images
carry the names and colours of their classes (``image-label``). Both formats know scale and shift;
rotation, shear and affine transforms have no place in them.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_whole
from napari_channelmix.errors import SaveError

__all__ = ["PlaneImage", "write_ome_tiff", "write_ome_zarr"]

# Units as OME-TIFF has them, by the names OME-Zarr has for them.
SYMBOLS = {
    "nanometer": "nm",
    "micrometer": "µm",
    "millimeter": "mm",
    "centimeter": "cm",
    "meter": "m",
    "angstrom": "Å",
}
# Chunks of OME-Zarr.
CHUNK = 1024


@dataclass(frozen=True, eq=False)
class PlaneImage:
    """A picture of one field of view.

    Attributes
    ----------
    name : str
    data : (Y, X) array
        Whole numbers for classes and labels, floats for maps and scores.
    scale : (float, float)
        Size of a pixel (y, x) in ``unit``.
    translate : (float, float)
        Where the middle of the first pixel lies, in ``unit``.
    unit : str
        Such as ``micrometer``; ``pixel`` where there is none.
    classes : dict of int to str
        What the values mean; empty for maps and scores.
    colors : dict of int to (r, g, b, a)
        Of the values, 0 to 255.
    has_rotation : bool
        Whether it is rotated, sheared or transformed in the viewer, which files do not tell.
    """

    name: str
    data: npt.NDArray[Any] = field(repr=False)
    scale: tuple[float, float] = (1.0, 1.0)
    translate: tuple[float, float] = (0.0, 0.0)
    unit: str = "pixel"
    classes: Mapping[int, str] = field(default_factory=dict)
    colors: Mapping[int, tuple[int, int, int, int]] = field(default_factory=dict)
    has_rotation: bool = False


def write_ome_tiff(image: PlaneImage, path: str | Path) -> Path:
    """Write a plane as OME-TIFF, with pixel size, position and class names.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    import tifffile

    about: dict[str, Any] = {"axes": "YX", "Name": image.name}
    unit = SYMBOLS.get(image.unit, image.unit)
    for axis, size, shift in zip("YX", image.scale, image.translate, strict=True):
        about |= {
            f"PhysicalSize{axis}": size,
            f"PhysicalSize{axis}Unit": unit,
            "Plane": {
                **about.get("Plane", {}),
                f"Position{axis}": [shift],
                f"Position{axis}Unit": [unit],
            },
        }
    if image.classes:
        classes = {str(value): name for value, name in image.classes.items()}
        about["Description"] = f"classes: {json.dumps(classes, ensure_ascii=False)}"

    def write(neighbour: Path) -> None:
        tifffile.imwrite(
            neighbour,
            _storable(image.data),
            ome=True,
            metadata=about,
            compression="zlib",
            photometric="minisblack",
        )

    return write_whole(path, write)


def write_ome_zarr(image: PlaneImage, folder: str | Path) -> Path:
    """Write a plane as OME-Zarr (a folder), whole or not at all.

    A folder of that name that is no OME-Zarr is never replaced.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like; another folder in the place.
    """
    import zarr

    folder = Path(folder)
    if folder.exists() and not (folder / "zarr.json").is_file():
        raise SaveError(f"{folder} is there and is no OME-Zarr; choose another folder")
    neighbour = folder.with_name(f".{folder.name}-{uuid.uuid4().hex[:8]}.part")
    old = neighbour.with_suffix(".old")
    try:
        neighbour.mkdir(parents=True)
        group = zarr.create_group(store=neighbour, zarr_format=3, attributes=_attributes(image))
        data = _storable(image.data, whole=(np.int64, np.uint64))
        chunks = (min(CHUNK, data.shape[0]), min(CHUNK, data.shape[1]))
        group.create_array("0", data=data, chunks=chunks, dimension_names=("y", "x"))
        if folder.exists():
            # Out of the way first: folders cannot be exchanged in one step.
            folder.replace(old)
        neighbour.replace(folder)
    except OSError as error:
        raise SaveError(f"could not save {folder}: {error.strerror or error}") from error
    finally:
        if old.exists() and not folder.exists():
            old.replace(folder)
        for leftover in (neighbour, old):
            shutil.rmtree(leftover, ignore_errors=True)
    return folder


def _attributes(image: PlaneImage) -> dict[str, Any]:
    """Metadata of OME-Zarr 0.5."""
    axes: list[dict[str, str]] = [{"name": name, "type": "space"} for name in "yx"]
    if image.unit != "pixel":
        axes = [{**axis, "unit": image.unit} for axis in axes]
    places = [
        {"type": "scale", "scale": list(image.scale)},
        {"type": "translation", "translation": list(image.translate)},
    ]
    scales = {
        "name": image.name,
        "axes": axes,
        "datasets": [{"path": "0", "coordinateTransformations": places}],
    }
    ome: dict[str, Any] = {"version": "0.5", "multiscales": [scales]}
    if image.classes:
        ome["image-label"] = {
            "colors": [
                {"label-value": value, "rgba": list(color)} for value, color in image.colors.items()
            ],
            "properties": [
                {"label-value": value, "class": name} for value, name in image.classes.items()
            ],
        }
    return {"ome": ome}


def _storable(data: npt.NDArray[Any], whole: tuple[type, ...] = ()) -> npt.NDArray[Any]:
    """In a type that both formats know; ``whole`` are others for whole numbers that are large.

    Raises
    ------
    SaveError
        Whole numbers that no type of the format holds.
    """
    kind, size = data.dtype.kind, data.dtype.itemsize
    if kind == "f":
        return np.ascontiguousarray(data, dtype=np.float32 if size < 8 else np.float64)
    if kind == "b":
        return data.astype(np.uint8)
    if size > 4:
        low, high = int(data.min(initial=0)), int(data.max(initial=0))
        fits = (
            candidate
            for candidate in (np.int32, np.uint32, *whole)
            if np.iinfo(candidate).min <= low and high <= np.iinfo(candidate).max
        )
        # Up to here floats hold every whole number.
        exact = np.float64 if max(-low, high) <= 2**53 else None
        dtype = next(fits, exact)
        if dtype is None:
            raise SaveError(
                f"OME-TIFF holds no whole numbers as large as {max(high, -low)}; save as OME-Zarr"
            )
        return data.astype(dtype)
    return np.ascontiguousarray(data)
