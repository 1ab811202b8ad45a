"""Cells out of layers, as a job: layers are matched now, pixels are read in the job."""

from __future__ import annotations

from collections import Counter
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Labels

from napari_channelmix.data import Cells
from napari_channelmix.data.borders import filled_warning, without_fill_line
from napari_channelmix.data.crop_size import (
    CropProposal,
    crop_for_outlines,
    crop_for_points,
    diameter_around,
)
from napari_channelmix.data.masks import read_mask
from napari_channelmix.data.measured_scaling import scaled_job
from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.settings.scaling import ScalingSettings
from napari_channelmix.viewer import layers
from napari_channelmix.viewer.pages.data.layer_features import keys_of_rows, slice_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari_channelmix.data.label_images import Objects
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels, Slice

__all__ = [
    "SLICE_KEY",
    "TRACKS",
    "CellsPlan",
    "MeasuredCells",
    "cells_job",
    "check_plan",
    "measure_job",
]

# Key in the metadata of a Labels layer: the slice of the channels in which nuclei were found.
SLICE_KEY = "napari-channelmix slice"
# The box that says so.
TRACKS = "An id is one object in all slices"
# What leaves out cells at the border, where they are of layers.
LEAVE_OUT = "tick 'Leave out cells at the border' to do without them"

IntArray = npt.NDArray[np.int64]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CellsPlan:
    """What marks the cells in the channels, and what a cell is.

    Attributes
    ----------
    chosen : ChosenChannels
    layer : napari Labels or Points layer
    crop : int or None
        Side of the crops in pixels; None takes the one that fits the cells, see `measure_job`.
    column : str or None
        Features column that names the classes.
    id_column : str or None
        Features column with the ids of its rows, where the user chose one.
    labelled : bool
        Whether each label is a cell; else each connected region is one.
    border : bool
        Whether cells are kept whose crops reach over the border.
    hide : bool
        Whether neighbours in a crop are hidden; for labels only.
    tracks : bool
        Whether a label is one object in every slice, and so a group; for labels only.
    scaling : ScalingSettings
        What is done to pixels when they are read.
    """

    chosen: ChosenChannels
    layer: Any
    crop: int | None
    column: str | None = None
    id_column: str | None = None
    labelled: bool = True
    border: bool = True
    hide: bool = False
    tracks: bool = False
    scaling: ScalingSettings = field(default_factory=ScalingSettings)


@dataclass(frozen=True, eq=False)
class _Marks:
    """The marks of one slice: a plane of labels, or points and their rows."""

    slice: Slice
    labels: layers.LayerPlane | None = None
    centres: Doubles = field(default_factory=lambda: np.zeros((0, 2)))
    rows: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))


def check_plan(plan: CellsPlan) -> None:
    """Refuse what can be known to be wrong without reading pixels.

    Raises
    ------
    DataError
        With the reason.
    """
    _marks(plan)
    if plan.column is not None and isinstance(plan.layer, Labels):
        if not plan.labelled:
            raise DataError(
                "classes of a features column belong to labels, not to connected regions; choose "
                "'each label', or no column"
            )
        layers.FeatureTable.of(plan.layer, plan.id_column).id_column_in_use(plan.column)


def _marks(plan: CellsPlan) -> list[_Marks]:
    """The marks of every slice that is a field of view."""
    chosen, layer = plan.chosen, plan.layer
    shape = chosen.planes[0].shape
    if plan.crop is not None and plan.crop > min(shape):
        raise DataError(
            f"a crop of {plan.crop} pixels is larger than the image ({shape[0]} x {shape[1]})"
        )
    nuclei_slice = layer.metadata.get(SLICE_KEY)
    if nuclei_slice is not None and tuple(nuclei_slice) != chosen.slice_index:
        raise DataError(
            f"layer {layer.name!r} holds nuclei of another slice or projection of the channels; "
            "go there, or segment nuclei here"
        )
    result = []
    for section in chosen.slices:
        plane = section.planes[0]
        if isinstance(layer, Labels):
            marked = layers.label_plane(layer, chosen.reference, plane, chosen.channel)
            result.append(_Marks(section, marked))
            continue
        centres, rows = layers.points_plane(
            layer, chosen.reference, plane, chosen.channel, empty=chosen.stacked
        )
        if len(rows):
            result.append(_Marks(section, None, centres, rows))
    if not result:
        raise DataError(f"Points layer {layer.name!r} has no point in any slice of the channels")
    return result


def cells_job(plan: CellsPlan) -> Job[Cells]:
    """The cells of a plan.

    Raises
    ------
    DataError
        As `check_plan`, now; and where pixels or features cannot be used, in the job.
    """
    check_plan(plan)
    marks, table = _marks(plan), layers.FeatureTable.of(plan.layer, plan.id_column)
    if isinstance(plan.layer, Labels):
        return _with_crop(plan, marks, lambda full: _from_labels(full, marks, table))
    ids, _ = layers.point_ids(plan.layer, plan.id_column)
    return _with_crop(plan, marks, lambda full: _from_points(full, marks, table, ids))


def _with_crop(
    plan: CellsPlan, marks: list[_Marks], cut: Callable[[CellsPlan], Job[Cells]]
) -> Job[Cells]:
    """Measure the cells first, where the crop is to fit them."""
    if plan.crop is None:
        measured = yield from _measured(plan, marks)
        plan = replace(plan, crop=measured.proposal.side)
    cells = yield from cut(plan)
    return (yield from scaled_job(cells, plan.scaling))


@dataclass(frozen=True, eq=False)
class MeasuredCells:
    """How large the marked cells are, and where.

    Attributes
    ----------
    proposal : CropProposal
    centres : (N, 2) float array
        y and x in pixels, of the cells in the slice that is shown (the first that has any, where
        every slice is a field of view).
    extents : (N,) float array
        Longer sides of the boxes around their outlines; NaN for points.
    """

    proposal: CropProposal
    centres: Doubles
    extents: Doubles


def measure_job(plan: CellsPlan) -> Job[MeasuredCells]:
    """How large the cells of a plan are, and the crop that fits them.

    Raises
    ------
    DataError
        As `check_plan`, now; labels that cannot be read, or none at all, in the job.
    """
    return _measured(plan, _marks(plan))


def _measured(plan: CellsPlan, marks: list[_Marks]) -> Job[MeasuredCells]:
    most = min(plan.chosen.planes[0].shape)
    if not isinstance(plan.layer, Labels):
        yield Progress(0, 1, "measuring the cells")
        # Slices far apart: a point of one is no neighbour of those in another.
        apart = [
            mark.centres + np.array([4.0 * step * most, 0.0]) for step, mark in enumerate(marks)
        ]
        visible = _in_view(plan, marks)
        first = visible.centres
        diameter = diameter_around(visible.slice.planes, first)
        proposal = crop_for_points(np.concatenate(apart), most, diameter)
        return MeasuredCells(proposal, first, np.full(len(first), np.nan))
    sizes, view = list[Doubles](), _in_view(plan, marks)
    shown: Objects | None = None
    for step, mark in enumerate(marks):
        yield Progress(step, len(marks), "measuring the cells")
        assert mark.labels is not None
        labels = layers.project_labels(mark.labels).labels
        if not labels.any():
            continue
        objects = read_mask(labels, labelled=plan.labelled, where=plan.layer.name).objects
        sizes.append(objects.extents.astype(np.float64))
        if shown is None or mark is view:
            shown = objects
    if shown is None:
        raise DataError(f"Labels layer {plan.layer.name!r} is empty; no cell is marked in it")
    proposal = crop_for_outlines(np.concatenate(sizes), most)
    return MeasuredCells(proposal, shown.centres, shown.extents.astype(np.float64))


def _in_view(plan: CellsPlan, marks: list[_Marks]) -> _Marks:
    """The marks of the slice that the viewer shows; else the first ones."""
    now = plan.chosen.slice_position
    return next((mark for mark in marks if mark.slice.slice_position == now), marks[0])


def _from_labels(plan: CellsPlan, marks: list[_Marks], table: layers.FeatureTable) -> Job[Cells]:
    assert plan.crop is not None
    chosen, parts, notes, empty = plan.chosen, [], list[str](), 0
    places: list[dict[int, int]] = []
    for step, mark in enumerate(marks):
        yield Progress(step, len(marks) + 1, "reading the labels")
        assert mark.labels is not None
        # A copy: what is painted in the layer later is no cell of these.
        projected = layers.project_labels(mark.labels)
        notes += projected.warnings(
            f"layer {plan.layer.name!r}", _projected(mark.labels, plan.layer)
        )
        if chosen.stacked and not projected.labels.any():
            empty += 1
            continue
        places.append(mark.slice.slice_position)
        parts.append(
            Cells.from_labels(
                mark.slice.planes,
                chosen.names,
                projected.labels,
                crop=plan.crop,
                name=mark.slice.name,
                labelled=plan.labelled,
            )
        )
    if not parts:
        raise DataError(f"Labels layer {plan.layer.name!r} is empty; no cell is marked in it")
    yield Progress(len(marks), len(marks) + 1, "measuring the cells")
    notes += _everywhere(plan)
    if empty:
        notes.append(f"{empty:,} of {len(marks):,} slices hold no cell and are left out")
    if not plan.labelled:
        return _finished(plan, parts, notes)
    return _finished(plan, _with_features(plan, parts, places, table, notes), notes)


def _with_features(
    plan: CellsPlan,
    parts: list[Cells],
    places: list[dict[int, int]],
    table: layers.FeatureTable,
    notes: list[str],
) -> list[Cells]:
    """The cells of labels with what the features say of them: classes, and columns to join on."""
    ids = [part.table["object"].to_numpy(np.int64) for part in parts]
    used = np.unique(np.concatenate(ids))
    if not len(table.table.columns):
        return parts
    by_slice = None
    with suppress(DataError) if plan.column is None else nullcontext():
        by_slice = slice_rows(table, plan.layer, plan.chosen, plan.column)
    if by_slice is not None:
        why = layers.unwritable_reason(plan.layer, used, plan.id_column)
        notes += [f"classes will not be written into the features: {why}"] if why else []
        positions = [place[by_slice.axis] for place in places]
        if plan.column is not None:
            classes, lines = by_slice.classes(plan.column, positions, ids)
            notes += lines
            names = tuple(sorted({n for each in classes for n in each.values()}, key=natural_key))
            parts = [
                _named(part, each, own, names)
                for part, each, own in zip(parts, classes, ids, strict=True)
            ]
        rows = [by_slice.rows(at, own, []) for at, own in zip(positions, ids, strict=True)]
        table = replace(table, id_column=by_slice.id_column)
        return [
            keys_of_rows(table, own, plan.column, part)
            for own, part in zip(rows, parts, strict=True)
        ]
    if plan.column is not None:
        result = table.classes(plan.column, layers.label_ids(plan.layer), used)
        notes += result.warnings
        parts = [_named(part, result.classes, own) for part, own in zip(parts, ids, strict=True)]
    else:
        why = layers.unwritable_reason(plan.layer, used, plan.id_column)
        if why:
            notes.append(f"classes will not be written into the features: {why}")
            return parts
    every = layers.label_ids(plan.layer)
    pairing = table.pair(every, [] if plan.column is None else [plan.column])
    table = replace(table, id_column=pairing.column)
    return [
        keys_of_rows(table, pairing.rows[np.searchsorted(every, own)], plan.column, part)
        for own, part in zip(ids, parts, strict=True)
    ]


def _from_points(
    plan: CellsPlan, marks: list[_Marks], table: layers.FeatureTable, ids: IntArray
) -> Job[Cells]:
    assert plan.crop is not None
    yield Progress(0, 1, "cutting around the points")
    notes, parts = list[str](), []
    classes: dict[int, str] = {}
    if plan.column is not None:
        used = np.concatenate([mark.rows for mark in marks])
        result = table.classes(plan.column, np.arange(len(table.table)), used)
        classes, notes = result.classes, [*result.warnings]
    for mark in marks:
        part = Cells.from_points(
            mark.slice.planes, plan.chosen.names, mark.centres, crop=plan.crop, name=mark.slice.name
        )
        # The id of its point is a cell's name where there are no outlines.
        part = replace(part, table=part.table.assign(object=ids[mark.rows]))
        part = _named(part, classes, mark.rows) if classes else part
        parts.append(keys_of_rows(table, mark.rows, plan.column, part))
    missing = len(plan.chosen.slices) - len(marks)
    if missing:
        notes.append(
            f"{missing:,} of {len(plan.chosen.slices):,} slices hold no cell and are left out"
        )
    return _finished(plan, parts, notes + _everywhere(plan))


def _named(
    part: Cells, classes: dict[int, str], keys: IntArray, names: tuple[str, ...] = ()
) -> Cells:
    names = names or tuple(dict.fromkeys(classes.values()))
    places = {name: code for code, name in enumerate(names)}
    codes = [places[classes[key]] if key in classes else -1 for key in keys.tolist()]
    return part.with_labels(codes, names)


def _finished(plan: CellsPlan, parts: list[Cells], notes: list[str]) -> Cells:
    """One set of cells, with the size of their pixels and all warnings."""
    chosen = plan.chosen
    cells = parts[0]
    if chosen.stacked:
        cells = Cells.together([_grouped(plan, part) for part in parts], chosen.title)
        notes += _repeated(plan, cells)
    geometry = layers.like(chosen.reference, chosen.axes)
    size = (float(geometry["scale"][0]), float(geometry["scale"][1]))
    unit = str(geometry["units"][0])
    fields = tuple(replace(image, pixel_size=size, unit=unit) for image in cells.fields)
    cells = replace(cells, fields=fields, group_of_channel=chosen.groups)
    if plan.border:
        # One line for all slices, with the remedy that is in sight.
        filled = filled_warning(int(cells.at_border.sum()), len(cells), LEAVE_OUT)
        cells = replace(cells, warnings=(*without_fill_line(cells.warnings), *filled))
    else:
        before = len(cells)
        cells = cells.without_border()
        if len(cells) < before:
            notes.append(f"{before - len(cells):,} of {before:,} cells at the border are left out")
    if plan.hide:
        cells = cells.without_neighbours()
    # One line for all slices as well.
    cells = cells.with_cut_line()
    return replace(cells, warnings=(*cells.warnings, *dict.fromkeys(notes)))


def _grouped(plan: CellsPlan, part: Cells) -> Cells:
    """The cells of a slice with their group, and a short name of the slice."""
    image = part.fields[0]
    group: Any = image.name
    if plan.tracks and plan.labelled:
        # An object is the same in every slice: a split never divides it.
        group = [f"{plan.chosen.title}: id {n}" for n in part.table["object"].tolist()]
    short = image.name.replace(": ", "_").replace(", ", "_").replace("=", "")
    return replace(
        part,
        table=part.table.assign(group=group),
        fields=(replace(image, short=short),),
    )


def _repeated(plan: CellsPlan, cells: Cells) -> list[str]:
    often = Counter(cells.table["object"].tolist())
    several = sum(count > 1 for count in often.values())
    if plan.tracks:
        return [
            f"each of {len(often):,} objects is a group: a split keeps it together in all slices, "
            "and may divide the cells of one slice"
        ]
    if not several:
        return []
    return [
        f"{several:,} ids occur in several slices: one object may then be in training and in "
        f"held-out cells, and accuracy too good; tick {TRACKS!r} where an id is one object"
    ]


def _everywhere(plan: CellsPlan) -> list[str]:
    """Marks without the axes of a stack are the same in all of its slices."""
    chosen, layer = plan.chosen, plan.layer
    others = [
        axis
        for axis in layers.axes_of(chosen.reference)
        if axis.number not in (*chosen.axes, chosen.channel) and axis.length > 1
    ]
    if layer.ndim > 2 or not others or not chosen.stacked:
        return []
    return [
        f"layer {layer.name!r} has no {layers.as_text(others)}: it marks the same cells in "
        "every slice"
    ]


def _projected(plane: layers.LayerPlane, layer: Any) -> str:
    axes = layers.axes_of(layer)
    return layers.as_text(
        [axes[axis] for axis, index in enumerate(plane.index) if index == layers.PROJECT]
    )
