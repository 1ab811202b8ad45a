"""Label images and feature tables as parts of an OME-Zarr image, in the image's own version.

Sources: OME-NGFF 0.4 and 0.5, 'labels' and 'image-label' (https://ngff.openmicroscopy.org);
feature tables, version 1, of the Fractal platform as ngio 1.1 reads them
(https://biovisioncenter.github.io/ngio, 'Table Specifications'): a group with a CSV file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_json
from napari_channelmix.data.zarr_metadata import WRITTEN_BY, group_attributes
from napari_channelmix.errors import DataError
from napari_channelmix.wording import path_shown

__all__ = ["ImageGroup", "add_to_list", "listed_in", "write_label_group", "write_table_group"]

CHUNK = 1024
# Smallest side of the coarsest level.
COARSEST = 512
# Objects whose colours and classes are in the metadata; more would make them slow to read.
MOST_PROPERTIES = 20_000


@dataclass(frozen=True)
class ImageGroup:
    """An OME-Zarr image on disk.

    Attributes
    ----------
    path : path
        Its folder, with ``multiscales`` in its attributes.
    version : str
        ``0.4`` (zarr 2) or ``0.5`` (zarr 3).
    axes : tuple of mapping
        Its axes without the channels.
    scale : tuple of float
        Of the full resolution, along these axes.
    translation : tuple of float or None
    """

    path: Path
    version: str
    axes: tuple[Mapping[str, Any], ...]
    scale: tuple[float, ...]
    translation: tuple[float, ...] | None

    @classmethod
    def of(cls, path: Path) -> ImageGroup:
        """From the folder of an image.

        Raises
        ------
        DataError
            Metadata that are no OME-Zarr 0.4 or 0.5, or name no axes.
        """
        multiscales = group_attributes(path).get("multiscales")
        version = "0.5" if (path / "zarr.json").is_file() else "0.4"
        try:
            multiscale = multiscales[0]  # type: ignore[index]
            axes = [
                axis if isinstance(axis, Mapping) else {"name": str(axis)}
                for axis in multiscale["axes"]
            ]
            kept = [place for place, axis in enumerate(axes) if axis["name"] != "c"]
            scale, translation = _placed(multiscale, len(axes))
            return cls(
                path,
                version,
                tuple(dict(axes[place]) for place in kept),
                tuple(scale[place] for place in kept),
                None if translation is None else tuple(translation[place] for place in kept),
            )
        except (KeyError, TypeError, IndexError, ValueError):
            raise DataError(
                f"{path_shown(path)}: no OME-Zarr image of version 0.4 or 0.5 with named axes"
            ) from None

    @property
    def zarr_format(self) -> Literal[2, 3]:
        """Version of zarr: 2 or 3."""
        return 3 if self.version == "0.5" else 2


def _placed(multiscale: Any, count: int) -> tuple[list[float], list[float] | None]:
    """Scale and translation of the full resolution, those of all levels applied."""
    scale, translation = np.ones(count), np.zeros(count)
    moved = False
    for owner in (multiscale["datasets"][0], multiscale):
        for step in owner.get("coordinateTransformations") or ():
            if step["type"] == "scale":
                factor = np.array(step["scale"], dtype=np.float64)
                scale, translation = scale * factor, translation * factor
            elif step["type"] == "translation":
                translation, moved = translation + np.array(step["translation"], np.float64), True
    if len(scale) != count or len(translation) != count:
        raise ValueError("another number of axes")
    return scale.tolist(), translation.tolist() if moved else None


def write_label_group(
    image: ImageGroup,
    folder: Path,
    name: str,
    labels: npt.NDArray[Any],
    colors: Mapping[int, tuple[int, int, int, int]],
    properties: Sequence[Mapping[str, Any]],
) -> None:
    """Write a label image (Y, X) with coarser levels as a group of its own.

    Parameters
    ----------
    image : ImageGroup
        Whose version, axes and pixel size it gets.
    folder : path
        That does not exist yet.
    name : str
    labels : (Y, X) int array
    colors : mapping of int to (r, g, b, a)
        0 to 255, by the value of a label.
    properties : sequence of mapping
        With ``label-value`` and what is known of it.
    """
    import zarr

    levels = [labels]
    while min(levels[-1].shape) >= 2 * COARSEST:
        levels.append(np.ascontiguousarray(levels[-1][::2, ::2]))
    flat = [axis["name"] for axis in image.axes]
    datasets = []
    for index in range(len(levels)):
        factors = [2**index if name in "yx" else 1 for name in flat]
        scale = [a * b for a, b in zip(image.scale, factors, strict=True)]
        steps: list[dict[str, Any]] = [{"type": "scale", "scale": scale}]
        if image.translation is not None:
            steps.append({"type": "translation", "translation": list(image.translation)})
        datasets.append({"path": str(index), "coordinateTransformations": steps})
    multiscale: dict[str, Any] = {
        "name": name,
        "axes": [dict(axis) for axis in image.axes],
        "datasets": datasets,
        "metadata": {"method": WRITTEN_BY},
    }
    about: dict[str, Any] = {"source": {"image": "../../"}}
    if len(properties) <= MOST_PROPERTIES:
        about["colors"] = [
            {"label-value": value, "rgba": list(color)} for value, color in colors.items()
        ]
        about["properties"] = [dict(entry) for entry in properties]
    if image.version == "0.4":
        multiscale["version"] = about["version"] = "0.4"
    content = {"multiscales": [multiscale], "image-label": about}
    attributes = content if image.version == "0.4" else {"ome": {"version": "0.5", **content}}
    folder.mkdir(parents=True)
    group = zarr.create_group(store=folder, zarr_format=image.zarr_format, attributes=attributes)
    options: dict[str, Any] = (
        {"dimension_names": flat}
        if image.zarr_format == 3
        # OME-NGFF wants chunks in folders.
        else {"chunk_key_encoding": {"name": "v2", "separator": "/"}}
    )
    for index, level in enumerate(levels):
        single = (1,) * (len(flat) - 2)
        group.create_array(
            str(index),
            data=level.reshape((*single, *level.shape)),
            chunks=(*single, *(min(CHUNK, side) for side in level.shape)),
            fill_value=0,
            **options,
        )


def write_table_group(image: ImageGroup, folder: Path, region: str) -> Path:
    """Make the group of a feature table; its CSV file is for the caller to write.

    Parameters
    ----------
    image : ImageGroup
    folder : path
        That does not exist yet.
    region : str
        Name of the label image whose objects its rows are.

    Returns
    -------
    path
        The file to write: a column ``label`` with the id of each object.
    """
    attributes = {
        "type": "feature_table",
        "table_version": "1",
        "region": {"path": f"../labels/{region}"},
        "backend": "csv",
        "index_key": "label",
        "index_type": "int",
        "instance_key": "label",
    }
    folder.mkdir(parents=True)
    _write_group(folder, attributes, image.zarr_format)
    return folder / "table.csv"


def listed_in(image: ImageGroup, kind: str) -> list[str]:
    """Names of the label images (``labels``) or tables (``tables``) that an image lists.

    Raises
    ------
    DataError
        Metadata that list no names.
    """
    folder = image.path / kind
    names = group_attributes(folder).get(kind, []) if folder.is_dir() else []
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise DataError(f"{path_shown(folder)}: its metadata list no names under {kind!r}")
    return names


def add_to_list(image: ImageGroup, kind: str, names: Sequence[str]) -> None:
    """List further label images or tables of an image; what is listed already stays.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    folder = image.path / kind
    every = list(dict.fromkeys([*listed_in(image, kind), *names]))
    file = folder / ("zarr.json" if image.zarr_format == 3 else ".zattrs")
    if not (folder / "zarr.json").is_file() and not (folder / ".zgroup").is_file():
        folder.mkdir(exist_ok=True)
        _write_group(folder, {}, image.zarr_format)
    content = json.loads(file.read_bytes()) if file.is_file() else {}
    attributes = content.setdefault("attributes", {}) if image.zarr_format == 3 else content
    if image.zarr_format == 3 and (kind == "labels" or "ome" in attributes):
        attributes = attributes.setdefault("ome", {})
        # Some writers forget it; ngio takes a group without it for one of no labels.
        attributes.setdefault("version", "0.5")
    attributes[kind] = every
    write_json(file, content)


def _write_group(folder: Path, attributes: dict[str, Any], zarr_format: int) -> None:
    if zarr_format == 3:
        content = {"zarr_format": 3, "node_type": "group", "attributes": attributes}
        write_json(folder / "zarr.json", content)
        return
    write_json(folder / ".zgroup", {"zarr_format": 2})
    write_json(folder / ".zattrs", attributes)
