"""Metadata of OME-Zarr groups, and the places that they name, which may not leave their folder."""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any

from napari_channelmix.data.file_limits import refuse_special
from napari_channelmix.errors import DataError

__all__ = ["WRITTEN_BY", "group_attributes", "is_zarr", "place_inside"]

#: How a label image of results says who made it, under ``metadata`` of its ``multiscales``.
WRITTEN_BY = "napari-channelmix"

METADATA = ("zarr.json", ".zattrs", ".zgroup")
LARGEST_METADATA = 64 * 2**20


def is_zarr(path: Path) -> bool:
    """Whether a folder holds the metadata of a Zarr group."""
    return any((path / name).exists() for name in METADATA)


def _json(file: Path) -> Any:
    refuse_special(file)
    if file.stat().st_size > LARGEST_METADATA:
        raise DataError(f"{file}: metadata of {file.stat().st_size:,} bytes are not read")
    try:
        content = json.loads(file.read_bytes())
    except RecursionError:
        raise DataError(f"{file}: its metadata are nested too deeply") from None
    except ValueError as error:
        raise DataError(
            f"{file.parent}: cannot be read, is it truncated? ({file.name}: {str(error)[:80]})"
        ) from error
    if not isinstance(content, dict):
        raise DataError(f"{file}: cannot be read (its metadata are no object)")
    return content


def group_attributes(folder: Path) -> dict[str, Any]:
    """Attributes of a group; version 0.5 keeps them under 'ome'."""
    attributes: Any = {}
    if (folder / "zarr.json").exists():
        attributes = _json(folder / "zarr.json").get("attributes", {})
        if isinstance(attributes, dict) and isinstance(attributes.get("ome"), dict):
            attributes = attributes["ome"]
    elif (folder / ".zattrs").exists():
        attributes = _json(folder / ".zattrs")
    return attributes if isinstance(attributes, dict) else {}


def place_inside(path: Path, folder: Path, name: Any) -> Path:
    """A place under a folder that its metadata name, without leaving the image."""
    if not isinstance(name, str) or not name or "\0" in name:
        raise DataError(f"{path}: its metadata name no array ({name!r:.60})")
    parts = PurePosixPath(name).parts
    if PureWindowsPath(name).drive or name[0] in "/\\" or ".." in parts or "\\" in name:
        raise DataError(f"{path}: its metadata name {name!r:.60}, which lies outside its folder")
    place = folder / name
    if not place.resolve().is_relative_to(path.resolve()):
        raise DataError(f"{path}: {name!r:.60} in it is a link that leads out of its folder")
    return place
