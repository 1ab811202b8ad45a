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
from napari_channelmix.scan.cells_of_images import QUESTIONS, MarkedImage, cells_of_images_job
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
    crops = _axes_of_crops(source, given)
    if crops is not None:
        return _crops(source, crops, given)
    unknown = [key for key in given.get("choices", {}) if key not in QUESTIONS.values()]
    if unknown:
        raise DataError(
            f"open: choices: images have the questions {listed(QUESTIONS.values())}, not "
            f"{quoted(unknown[0])}"
        )
    several = not (is_array(source) or isinstance(source, Path))
    names, sources = _named(source, given.get("name"))
    if not {"labels", "points"} & set(given):
        raise DataError(
            f"{names[0]}: say where the cells are: labels=... (a label image) or points=... "
            '(y, x); crops that are cut out already have axes="NCYX"'
        )
    if "labels" in given and "points" in given:
        raise DataError("open: labels and points both mark cells; give one of the two")

    def each(key: str) -> list[Any]:
        value = given.get(key)
        return one_each(value, names, key) if several else [value]

    images = []
    channels, labels = given.get("channels"), each("labels")
    number = None if channels is None or isinstance(channels, str) else len(channels)
    for count, (name, one) in enumerate(zip(names, sources, strict=True)):
        yield Progress(count, len(names), "opening the images")
        if isinstance(one, (str, Path)):
            images.append(opened_file(Path(one), axes, number, _plane(labels[count])))
        elif is_array(one):
            images.append(opened_array(one, name, axes, number, _plane(labels[count])))
        else:
            raise DataError(f"{name}: is no array and no file but {type(one).__name__}")
    size = given.get("image_pixel_size")
    images = [image.called(name, size) for image, name in zip(images, names, strict=True)]

    groups = [*names] if several and given.get("groups") is None else [None] * len(names)
    if isinstance(given.get("groups"), str):
        groups = [given["groups"]] * len(names)
    elif given.get("groups") is not None:
        groups = each("groups")
    classes = given.get("classes")
    classes = [classes] * len(names) if isinstance(classes, str) else each("classes")
    marked = [
        _marked(*values)
        for values in zip(images, labels, each("points"), classes, groups, strict=True)
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


def _plane(labels: Any) -> tuple[int, int] | None:
    """Rows and columns of a label image, where it is an array."""
    shape = tuple(labels.shape) if is_array(labels) else ()
    return (int(shape[-2]), int(shape[-1])) if len(shape) > 1 else None


def _marked(
    image: OpenedImage, labels: Any, points: Any, classes: Any, group: str | None
) -> MarkedImage:
    """An image with its marks; points may be a DataFrame, and classes a column of it."""
    import pandas as pd

    if isinstance(classes, pd.Series):
        classes = classes.to_dict() if points is None else classes.tolist()
    if not isinstance(points, pd.DataFrame):
        if isinstance(classes, str):
            raise DataError(
                f"{image.name}: classes={quoted(classes)} names a column, and points are no "
                "DataFrame; give a class for each"
            )
        return MarkedImage(image, labels, points, classes, group)
    columns = {str(name).strip().casefold(): name for name in points.columns}
    wanted = [axis.lower() for axis in (*image.lengths, "Y", "X")]
    if not {"y", "x"} <= set(columns):
        raise DataError(
            f"{image.name}: points need columns {listed(wanted)}; they have "
            f"{listed(map(str, points.columns))}"
        )
    used = [columns[name] for name in wanted if name in columns]
    used = used if len(used) == len(wanted) else used[-2:]
    if isinstance(classes, str):
        if classes not in points.columns:
            raise DataError(
                f"{image.name}: points have no column {quoted(classes)} for classes; they have "
                f"{listed(map(str, points.columns))}"
            )
        used_for_keys = [*used, classes]
        classes = points[classes].tolist()
    else:
        used_for_keys = used
    keys = points.drop(columns=used_for_keys)
    return MarkedImage(image, labels, points[used].to_numpy(), classes, group, keys)


def _axes_of_crops(source: Any, given: dict[str, Any]) -> str | None:
    """The axes of crops that are cut out already; None for images.

    Without a word an array is one of crops where nothing marks cells in it, each of its first axis
    has a class or a group, and only one axis of the other three can hold the channels that are
    named.
    """
    axes = given.get("axes")
    if not is_array(source) or axes is not None:
        return axes.upper() if axes is not None and "N" in axes.upper() else None
    shape, channels = tuple(source.shape), given.get("channels")
    if len(shape) != 4 or {"labels", "points"} & set(given) or channels is None:
        return None
    each = [given[key] for key in ("classes", "groups") if key in given]
    if not any(hasattr(one, "__len__") and len(one) == shape[0] for one in each):
        return None
    first = shape[1] == len(channels) and shape[2] == shape[3]
    last = shape[3] == len(channels) and shape[1] == shape[2]
    return None if first == last else "NCYX" if first else "NYXC"


def _named(source: Any, name: str | None) -> tuple[list[str], list[Any]]:
    """Images with a name each, different from all others."""
    if isinstance(source, Path):
        return [name or file_name(str(source))], [source]
    if is_array(source):
        return [name or "image"], [source]
    if isinstance(source, Mapping) and source:
        return [str(key) for key in source], list(source.values())
    if not isinstance(source, (Sequence, Mapping)):
        raise DataError(
            f"open: cannot open {type(source).__name__}; give a path, a DataFrame, an array, or a "
            "list of arrays or paths"
        )
    if not len(source):
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
        if len(set(known)) < len(known):
            twin = next(name for place, name in enumerate(known) if name in known[:place])
            raise DataError(
                f"{what}: two channels are called {quoted(twin)}; give channels=[{count} names], "
                "each once"
            )
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
