"""Arrays and image files become cells: names, axes, channels, groups, and what marks cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from napari_channelmix.data.arrays import channel_names
from napari_channelmix.data.cells import Cells
from napari_channelmix.data.field_names import distinct_names, file_name, names_of_files
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.scan.cells_of_images import MarkedImage, cells_of_images_job
from napari_channelmix.scan.opened_images import (
    OpenedImage,
    is_array,
    one_each,
    opened_array,
    opened_file,
)
from napari_channelmix.wording import listed, quoted

__all__ = ["images_job"]


def images_job(source: Any, given: dict[str, Any]) -> Job[Cells]:
    """The cells of arrays or image files.

    Parameters
    ----------
    source : array, path, or sequence or mapping of them
    given : dict
        Arguments of `scan.open.open`, without those that are None.

    Raises
    ------
    DataError
    """
    axes = given.get("axes")
    if is_array(source) and axes is not None and "N" in axes.upper():
        return _crops(source, axes.upper(), given)
    several = not (is_array(source) or isinstance(source, Path))
    names, sources = _named(source, given.get("name"))
    if not {"labels", "points"} & set(given):
        raise DataError(
            f"{names[0]}: say where the cells are: labels=... (a label image) or points=... "
            '(y, x); crops that are cut out already have axes="NCYX"'
        )
    if "labels" in given and "points" in given:
        raise DataError("open: labels and points both mark cells; give one of the two")
    images = []
    for count, (name, one) in enumerate(zip(names, sources, strict=True)):
        yield Progress(count, len(names), "opening the images")
        if isinstance(one, (str, Path)):
            images.append(opened_file(Path(one), axes))
        elif is_array(one):
            images.append(opened_array(one, name, axes))
        else:
            raise DataError(f"{name}: is no array and no file but {type(one).__name__}")
    size = given.get("image_pixel_size")
    images = [image.called(name, size) for image, name in zip(images, names, strict=True)]

    def each(key: str) -> list[Any]:
        value = given.get(key)
        return one_each(value, names, key) if several else [value]

    groups = [*names] if several and given.get("groups") is None else [None] * len(names)
    if isinstance(given.get("groups"), str):
        groups = [given["groups"]] * len(names)
    elif given.get("groups") is not None:
        groups = each("groups")
    marked = [
        MarkedImage(*values)
        for values in zip(
            images, each("labels"), each("points"), each("classes"), groups, strict=True
        )
    ]
    counts = {image.channel_count for image in images}
    if len(counts) > 1:
        raise DataError(f"open: the images have {listed(sorted(counts))} channels; all must agree")
    called = given.get("name") or (f"{len(names)} images" if several else names[0])
    return (
        yield from cells_of_images_job(
            marked,
            _channels(images, given.get("channels"), called),
            called,
            given.get("crop"),
            given.get("choices", {}),
            given.get("pixel_size"),
        )
    )


def _named(source: Any, name: str | None) -> tuple[list[str], list[Any]]:
    """Images with a name each, different from all others."""
    if isinstance(source, Path):
        return [name or file_name(str(source))], [source]
    if is_array(source):
        return [name or "image"], [source]
    if isinstance(source, Mapping):
        return [str(key) for key in source], list(source.values())
    if not isinstance(source, Sequence):
        raise DataError(
            f"open: cannot open {type(source).__name__}; give a path, a DataFrame, an array, or a "
            "list of arrays or paths"
        )
    if not source:
        raise DataError("open: an empty list; there is nothing to open")
    if all(isinstance(one, (str, Path)) for one in source):
        return list(distinct_names(names_of_files([str(one) for one in source]))), list(source)
    return [f"image {count + 1}" for count in range(len(source))], list(source)


def _channels(images: Sequence[OpenedImage], names: Any, what: str) -> tuple[str, ...]:
    """Names of the channels: those that are given, else those of the files."""
    count = images[0].channel_count
    if names is not None:
        if isinstance(names, Mapping):
            raise DataError(
                "open: channels of images are a list of names in their order; a mapping renames "
                "those of folders and tables"
            )
        return channel_names(names, count, what)
    own = {image.channels for image in images}
    if len(own) > 1:
        raise DataError(
            f"{what}: the files name their channels differently; give channels=[...] in the order "
            "of the files, where that is the same"
        )
    (known,) = own
    if known:
        return channel_names(known, count, what)
    if count == 1:
        return ("image",)
    raise DataError(f"{what}: nothing names its {count} channels; give channels=[{count} names]")


def _crops(source: Any, axes: str, given: dict[str, Any]) -> Cells:
    name = given.get("name") or "crops"
    if sorted(axes) not in (sorted("NCYX"), sorted("NYX")) or len(axes) != len(source.shape):
        raise DataError(
            f"{name}: axes={quoted(axes)} do not fit an array of {tuple(source.shape)}; crops have "
            'axes="NCYX" in any order, or "NYX"'
        )
    pixels = np.asarray(source)
    if "C" not in axes:
        pixels, axes = pixels[None], f"C{axes}"
    pixels = pixels.transpose([axes.index(axis) for axis in "NCYX"])
    names = given.get("channels") or (("image",) if pixels.shape[1] == 1 else None)
    if names is None or isinstance(names, Mapping):
        raise DataError(f"{name}: give channels=[{pixels.shape[1]} names], in their order")
    return Cells.from_array(
        pixels, names, given.get("classes"), groups=given.get("groups"), name=name
    )
