"""Cells in images that are given one by one: label images or points mark them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.borders import filled_warning, without_fill_line
from napari_channelmix.data.cell_sets import ALONE
from napari_channelmix.data.cells import Cells
from napari_channelmix.data.crop_size import crop_for_outlines, crop_for_points, limit
from napari_channelmix.data.masks import read_mask
from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.data.resampling import at_pixel_size, resampled_by
from napari_channelmix.data.stack_places import StackPlace, places_in_stack
from napari_channelmix.data.values import class_name, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.scan.opened_images import OpenedImage, label_stack
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["QUESTIONS", "TRACK", "MarkedImage", "cells_of_images_job"]

# The group of a cell that a label image keeps its id for, over all planes.
TRACK = "track"
REMEDY = "cells.without_border() does without them"
# Questions of a scan, for the axes of a stack.
QUESTIONS = {"T": "times", "Z": "planes"}


@dataclass(frozen=True, eq=False)
class MarkedImage:
    """An image and what marks its cells.

    Attributes
    ----------
    image : OpenedImage
    labels : array, path or None
        Label image.
    points : (N, 2) or (N, 2 + axes of the stack) array, or None
        y and x in pixels; before them the position along each axis of a stack.
    classes : mapping of int to str, sequence of N, or None
        By id of a label image; or of each point.
    group : str or None
    keys : pandas.DataFrame or None
        A row for each point: columns to join tables on.
    """

    image: OpenedImage
    labels: Any = None
    points: Any = None
    classes: Any = None
    group: str | None = None
    keys: pd.DataFrame | None = None


def cells_of_images_job(
    marked: Sequence[MarkedImage],
    channels: Sequence[str],
    name: str,
    crop: int | None,
    choices: Mapping[str, Any],
    pixel_size: float | None,
) -> Job[Cells]:
    """The cells of some images, as one set.

    Parameters
    ----------
    marked : sequence of MarkedImage
        All with as many channels.
    channels : sequence of str
    name : str
    crop : int, optional
        Side in pixels, after resampling. Default: proposed from the outlines, and said.
    choices : mapping
        ``planes`` and ``times``: what is done with the planes of stacks.
    pixel_size : float, optional
        Micrometres that crops are resampled to.

    Raises
    ------
    DataError
    """
    notes = [f"{item.image.name}: {item.image.note}" for item in marked if item.image.note][:1]
    if crop is None:
        crop = yield from _proposed_job(marked, choices, pixel_size, notes)
    notes += _in_every_plane(marked, choices)
    parts: list[Cells] = []
    # The ids of each image's cells.
    ids: list[set[int]] = [set() for _ in marked]
    empty = 0
    for count, item in enumerate(marked):
        for place in places_of(item.image, choices):
            yield Progress(count, len(marked), f"finding the cells of {item.image.name}")
            part = _part(item, place, channels, crop, notes)
            empty += part is None
            if part is not None:
                parts.append(part)
                ids[count].update(part.table["object"].tolist())
    notes += _classes_of_nobody(marked, ids)
    if not parts:
        raise DataError(f"{name}: no cell is marked in any image")
    if empty:
        notes.append(f"{empty:,} images or planes hold no cell and are left out")
    cells = replace(parts[0], name=name) if len(parts) == 1 else Cells.together(parts, name)
    if pixel_size is not None:
        cells = at_pixel_size(cells, pixel_size)
    several = len({item.image.name for item in marked}) > 1
    kept = [line for line in without_fill_line(cells.warnings) if not (several and line == ALONE)]
    filled = filled_warning(int(cells.at_border.sum()), len(cells), REMEDY)
    lines = tuple(dict.fromkeys((*kept, *notes, *filled)))
    return replace(cells, warnings=lines).with_cut_line()


def _classes_of_nobody(marked: Sequence[MarkedImage], ids_of: Sequence[set[int]]) -> list[str]:
    """Ids that are given a class and are of no cell; ``ids_of`` are those of each image.

    Raises
    ------
    DataError
        None of an image is.
    """
    lines = []
    for item, ids in zip(marked, ids_of, strict=True):
        if item.labels is None or not isinstance(item.classes, Mapping) or not item.classes:
            continue
        strange = [key for key in item.classes if whole_number(key) not in ids]
        if ids and len(strange) == len(item.classes):
            raise DataError(
                f"{item.image.name}: none of the ids in classes is in the label image (first: "
                f"{strange[0]}; its ids are {min(ids)} to {max(ids)})"
            )
        if strange:
            lines.append(
                f"{item.image.name}: {len(strange):,} of {len(item.classes):,} ids that are given "
                f"a class are of no cell (first: {strange[0]})"
            )
    return lines


def _in_every_plane(marked: Sequence[MarkedImage], choices: Mapping[str, Any]) -> list[str]:
    """What is said of points that do not name their plane."""
    for item in marked:
        planes = len(places_of(item.image, choices)) if item.labels is None else 1
        if planes > 1 and _checked_points(item).shape[1] == 2:
            axes = " and ".join(axis.lower() for axis in item.image.lengths)
            return [
                f"{item.image.name}: its points have no {axes}, and are cells in each of "
                f"{planes} planes"
            ]
    return []


def places_of(image: OpenedImage, choices: Mapping[str, Any]) -> list[StackPlace]:
    """The planes of an image that are fields of view.

    Raises
    ------
    DataError
        A stack of which nothing is said, or something that cannot be.
    """
    chosen: dict[str, str | int] = {}
    for axis, length in image.lengths.items():
        question = QUESTIONS[axis]
        answer = choices.get(question)
        text = str(answer).strip().casefold()
        if text.partition(" ")[0] in ("each", "every"):
            chosen[axis] = "each"
        elif text == "maximum":
            chosen[axis] = "maximum"
        elif text.rpartition(" ")[2].isdigit():
            chosen[axis] = int(text.rpartition(" ")[2])
        else:
            what = "" if answer is None else f", and {quoted(answer)} is no answer"
            raise DataError(
                f"{image.name}: has {length} planes along {axis}{what}; say which are used: "
                f'choices={{"{question}": "each"}}, "maximum", or the number of one from 0'
            )
    path = Path(getattr(image.source, "path", image.name))
    return places_in_stack(image.lengths, chosen, path)


def _proposed_job(
    marked: Sequence[MarkedImage],
    choices: Mapping[str, Any],
    pixel_size: float | None,
    notes: list[str],
) -> Job[int]:
    """A crop that holds the outlines, in pixels after resampling.

    Raises
    ------
    DataError
        Points: their distances give no more than a guess, which the message names.
    """
    extents: list[float] = []
    most = 2**12
    for count, item in enumerate(marked):
        scale = resampled_by(pixel_size, in_micrometres(item.image.pixel_size, item.image.unit))
        for place in places_of(item.image, choices):
            yield Progress(count, len(marked), "measuring the cells")
            most = min(most, limit(item.image.planes(place)[0].shape, scale))
            if item.labels is None and item.points is not None:
                guess = crop_for_points(_checked_points(item)[:, -2:] * scale, most).side
                raise DataError(
                    f"{item.image.name}: points do not say how large cells are; give crop=... in "
                    f"pixels (their distances suggest {guess})"
                )
            if item.labels is None:
                continue
            labels, _ = label_stack(item.labels, item.image).labels(place)
            labelled = labels.dtype.kind != "b"
            objects = read_mask(labels, labelled=labelled, where=item.image.name).objects
            extents += (objects.extents * scale).tolist()
    if not extents:
        raise DataError(f"{marked[0].image.name}: no cell is marked in any label image")
    proposal = crop_for_outlines(extents, most)
    notes.append(f"crops of {proposal.side} pixels were chosen: {proposal.text(proposal.side)}")
    return proposal.side


def _part(
    item: MarkedImage, place: StackPlace, channels: Sequence[str], crop: int, notes: list[str]
) -> Cells | None:
    """The cells of one field of view, or None where none is marked."""
    image = item.image
    name = ", ".join(filter(None, [image.name, place.text]))
    planes = image.planes(place)
    if item.labels is None and item.points is None:
        raise DataError(f"{image.name}: nothing marks its cells; give labels or points for it")
    if item.labels is not None:
        labels, lost = label_stack(item.labels, image).labels(place)
        notes += lost
        if not labels.any():
            return None
        part = Cells.from_labels(planes, channels, labels, crop=crop, name=name)
        if item.classes is not None:
            part = _with_classes(part, part.table["object"].tolist(), item.classes, image.name)
    else:
        points, rows = _points_of(item, place)
        if not len(points):
            return None
        part = Cells.from_points(planes, channels, points, crop=crop, name=name)
        if item.classes is not None:
            classes = dict(enumerate(item.classes))
            part = _with_classes(part, rows, classes, image.name)
        if item.keys is not None and len(item.keys.columns):
            part = part.with_keys(item.keys.iloc[rows])
    field = replace(
        part.fields[0],
        pixel_size=image.pixel_size,
        unit=image.unit,
        short="_".join(filter(None, [image.name, place.short])),
    )
    part = replace(part, fields=(field,))
    if item.group == TRACK and item.labels is None:
        raise DataError(
            f'{image.name}: groups="track" is for label images, whose ids are tracks; points have '
            "groups of their own"
        )
    if item.group == TRACK:
        ids = part.table["object"].tolist()
        groups = [f"{image.name} track {number}" for number in ids]
    elif item.group is not None or place.own:
        # All planes of a stack are one group: they show the same objects.
        groups = [item.group or image.name] * len(part)
    else:
        return part
    return replace(part, table=part.table.assign(group=groups))


def _checked_points(item: MarkedImage) -> npt.NDArray[np.float64]:
    """Points with a position along each axis of a stack, or without any."""
    image = item.image
    try:
        points = np.atleast_2d(np.asarray(item.points, np.float64))
    except (TypeError, ValueError) as error:
        raise DataError(f"{image.name}: points must be numbers ({error})") from error
    if points.ndim != 2 or points.shape[1] not in (2, 2 + len(image.lengths)):
        wanted = ", ".join([*image.lengths, "Y", "X"]).lower()
        raise DataError(f"{image.name}: points must be rows of {wanted}, not {points.shape}")
    if isinstance(item.classes, Mapping):
        raise DataError(
            f"{image.name}: classes of points are a list, with one for each in their order; a "
            "mapping is by the ids of a label image"
        )
    if item.classes is not None and len(item.classes) != len(points):
        raise DataError(f"{image.name}: {len(item.classes)} classes for {len(points)} points")
    if points.shape[1] > 2:
        _refuse_other_planes(image, points)
    return points


def _refuse_other_planes(image: OpenedImage, points: npt.NDArray[np.float64]) -> None:
    """Refuse points in planes that the image does not have: they may be counted from 1."""
    for column, (axis, length) in enumerate(image.lengths.items()):
        places = np.floor(points[:, column] + 0.5)
        odd = np.flatnonzero(~((places >= 0) & (places < length)))
        if len(odd):
            raise DataError(
                f"{image.name}: {counted(len(odd), 'point')} of {len(points):,} in planes along "
                f"{axis} that the image does not have (first: point {odd[0]}, "
                f"{axis.lower()}={points[odd[0], column]:g}); it has {length}, numbered from 0"
            )


def _points_of(item: MarkedImage, place: StackPlace) -> tuple[Any, list[int]]:
    """The points of a field of view (n, 2), and which of all points they are."""
    axes = list(item.image.lengths)
    points = _checked_points(item)
    inside = np.ones(len(points), np.bool_)
    if points.shape[1] > 2:
        for column, axis in enumerate(axes):
            position = dict(place.positions)[axis]
            if position >= 0:
                inside &= np.floor(points[:, column] + 0.5) == position
    return points[inside][:, -2:], np.flatnonzero(inside).tolist()


def _with_classes(part: Cells, keys: list[int], classes: Any, name: str) -> Cells:
    if not isinstance(classes, Mapping):
        raise DataError(
            f"{name}: classes of a label image are by its ids, as classes={{12: "
            '"live", 15: "dead"}'
        )
    try:
        known = {whole_number(key): class_name(value) for key, value in classes.items()}
    except DataError as error:
        raise DataError(f"{name}: classes: {error}; they are by the ids of labels") from None
    names = tuple(dict.fromkeys(text for text in known.values() if text is not None))
    places: dict[str | None, int] = {text: code for code, text in enumerate(names)}
    return part.with_labels([places.get(known.get(key), -1) for key in keys], names)
