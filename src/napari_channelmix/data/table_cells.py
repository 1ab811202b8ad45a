"""The cells of a table: the images of its rows are opened, and the cells of all found in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.agreement import warnings_of_fields
from napari_channelmix.data.borders import filled_warning, left_out_warning
from napari_channelmix.data.cell_boxes import BOX, CellBoxes
from napari_channelmix.data.channel_choice import chosen_channels, refuse_unknown
from napari_channelmix.data.column_values import alike, first_of_each
from napari_channelmix.data.conditions import conditions_of
from napari_channelmix.data.field_names import short_field_names
from napari_channelmix.data.field_opener import FieldOpener
from napari_channelmix.data.identifier_columns import key_columns, with_keys
from napari_channelmix.data.masks import mask_warnings
from napari_channelmix.data.measured_scaling import scaled_job
from napari_channelmix.data.panel_table import read_panel_table
from napari_channelmix.data.paths import path_of_text
from napari_channelmix.data.resampling import at_pixel_size
from napari_channelmix.data.row_fields import Refusals, RowFields
from napari_channelmix.data.row_objects import RowObjects
from napari_channelmix.data.row_places import places_of_rows
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.table import Table

__all__ = ["cells_of_table_job"]

C = TypeVar("C", bound=CellBoxes)

IntArray = npt.NDArray[np.int64]
Texts = npt.NDArray[np.object_]

# Kinds of rows that are looked through in a step.
STEP = 500
# What is being done, in words.
FINDING = "finding the cells"


def cells_of_table_job(
    kind: type[C], table: Table, source: str, pixel_size: float | None
) -> Job[C]:
    """The cells of a table.

    Parameters
    ----------
    kind : type
        `Cells`, which this makes.
    table : Table
        With its description.
    source : str
        What the data set is called in messages.
    pixel_size : float, optional
        As of `open_dataset`.

    Raises
    ------
    DataError
        One line that names the row and column that is wrong.
    """
    import pandas as pd

    description = table.description
    labels, classes, of_classes = table.classes()
    opener = FieldOpener(table, description)
    taken = yield from _cells_of_rows_job(table, opener, labels)
    rows, field_list = taken.rows, opener.fields
    if not len(rows):
        skipped = taken.skipped
        first = f" (first: {table.where(int(skipped[0]))})" if len(skipped) else ""
        why = ""
        if len(skipped) and description.cells.origin == "box":
            order = ", ".join(description.cells.columns or ())
            why = f"; no box has an area: its first corner comes first ({order})"
        raise DataError(
            f"{source}: no cells were found in any of {len(table.rows)} rows{first}{why}"
        )
    files = [opener.images.first_file(row) for row in opener.first_rows]
    shorts = short_field_names(table.rows.iloc[opener.first_rows], files, opener.planes)
    field_list = [
        replace(field, short=short) for field, short in zip(field_list, shorts, strict=True)
    ]
    yield Progress(len(table.rows), len(table.rows), FINDING)
    columns = taken.columns
    texts = {
        "group": _groups(table, opener, rows, columns["object"]),
        "split": table.column(description.split)[rows],
    }
    names = ["field", *BOX, "label", *texts, "object", "y", "x", "extent"]
    columns |= {"label": labels[rows], **texts}
    # Not copied, as all columns are new: of a million cells each copy is 100 MB.
    cells = pd.DataFrame({name: columns[name] for name in names}, copy=False)
    del columns, texts
    yield Progress(len(table.rows), len(table.rows), FINDING)
    conditions = conditions_of(table.rows, description.group, table.columns_of_cells())
    constant = () if conditions is None else tuple(map(str, conditions.columns))
    keys = key_columns(table.rows, table.columns_of_files(), constant, table.columns_of_names())
    cells = with_keys(cells, table.rows[keys], rows)
    yield Progress(len(table.rows), len(table.rows), FINDING)
    size = description.cells.pixel_size if pixel_size is None else pixel_size
    warnings = (
        *table.warnings,
        *of_classes,
        *taken.warnings,
        *opener.images.warnings.lines(),
        *opener.stack_warnings(taken.empty),
        *warnings_of_fields(field_list, opener.images.channels, resampled=size is not None),
        *mask_warnings(opener.masks, description.cells.labelled, description.cells.min_area),
        *_warnings(description, table, taken, shared=len(field_list) < taken.pairs),
    )
    opened = kind(
        description.name,
        opener.images.channels,
        classes,
        description.cells.crop,
        tuple(field_list),
        cells,
        warnings,
        conditions=conditions,
    )
    opened, known = _with_channels_chosen(opened, description, table, source)
    if size is not None:
        opened = at_pixel_size(opened, size)
    if description.cells.neighbours == "hide":
        opened = opened.without_neighbours()
    elif description.cells.neighbours == "alone":
        margin = description.cells.margin
        opened = opened.without_surroundings(*(() if margin is None else (margin,)))
    leave_out = description.cells.border == "leave_out"
    opened = _at_borders(opened, leave_out=leave_out).with_cut_line()
    return (yield from _scaled_job(opened, description, known, source))


def _scaled_job(cells: C, description: Description, known: Sequence[str], source: str) -> Job[C]:
    """The pixels scaled as the data-set file says.

    ``known``: all channels that there are; those that are left out may be named as well.
    """
    entry = description.scaling
    if entry is None:
        return cells
    given = entry.given
    if given is None:
        if entry.channels is None:
            return (yield from scaled_job(cells, entry.settings))
        refuse_unknown(entry.channels, known, f"[scaling] channels: {source}")
        used = [name for name in entry.channels if name in cells.channels]
        # Of all that are left out there is nothing to scale.
        return (yield from scaled_job(cells, entry.settings, used)) if used else cells
    refuse_unknown(given.channels, known, f"[scaling] values: {source}")
    given = given.of_channels(cells.channels)
    return replace(cells, scaling=given, warnings=(*cells.warnings, *given.lines))


def _with_channels_chosen(
    cells: C, description: Description, table: Table, source: str
) -> tuple[C, tuple[str, ...]]:
    """The channels that the data-set file uses, with the names of its panel table; all names.

    They are chosen when all are open: a channel may be segmented and not be used.
    """
    known = cells.channels
    if description.panel is not None:
        panel = read_panel_table(path_of_text(description.panel, table.folder))
        known = tuple(panel.names_in(known).values())
        cells = cells.with_panel(panel)
    names = chosen_channels(cells.channels, description.use, description.drop, who=source)
    return (cells if names == cells.channels else cells.with_channels(names)), known


@dataclass(frozen=True, eq=False)
class _CellsOfRows:
    """The cells (n,) that rows of a table name, by row.

    Attributes
    ----------
    rows : (n,) int64 array
    columns : dict of str to (n,) array
        ``field``, the box, ``object``, ``y``, ``x`` and ``extent``, as of `Cells`.
    pairs : int
        Rows and fields of view with any cell.
    skipped : int array
        Rows without any cell.
    empty : int
        Planes without any cell, of rows that have some in others.
    beyond : int array
        Rows whose points lie beyond the image, but by less than earlier versions allowed.
    warnings : tuple of str
        Of rows that speak of the same cells.
    """

    rows: IntArray
    columns: dict[str, npt.NDArray[Any]]
    pairs: int
    skipped: IntArray
    empty: int
    beyond: IntArray
    warnings: tuple[str, ...]


def _cells_of_rows_job(table: Table, opener: FieldOpener, labels: IntArray) -> Job[_CellsOfRows]:
    """Open the images of all rows, then find the cells of all rows in them.

    Raises
    ------
    DataError
        What is wrong with the first row that is wrong.
    """
    rows, total = opener.stack_rows.rows, len(table.rows)
    kinds = table.alike(opener.columns, rows)
    counts = np.bincount(kinds).tolist()
    fields_of_kinds: list[tuple[int, ...]] = []
    for kind, first in enumerate(rows[first_of_each(kinds)].tolist()):
        before = len(opener.fields)
        try:
            fields = yield from opener.fields_job(first, counts[kind])
        except DataError:
            # What is wrong in an earlier row is said first.
            end = int(np.searchsorted(rows, first))
            pairs = RowFields.of(rows[:end], kinds[:end], fields_of_kinds)
            drain(_found_job(table, opener, labels, pairs))
            raise
        fields_of_kinds.append(fields)
        if len(opener.fields) > before:
            yield Progress(first, total, "opening the images")
        elif kind % STEP == 0:
            yield Progress(first, total, FINDING)
    return (
        yield from _found_job(table, opener, labels, RowFields.of(rows, kinds, fields_of_kinds))
    )


def _found_job(
    table: Table, opener: FieldOpener, labels: IntArray, pairs: RowFields
) -> Job[_CellsOfRows]:
    """The cells of pairs of rows and fields of view that were opened."""
    total = len(table.rows)
    description, refusals = table.description, Refusals()
    for column in description.cells.columns or ():
        yield Progress(total, total, FINDING)
        table.numbers(column)
    yield Progress(total, total, FINDING)
    objects_of_rows = RowObjects(table, description, labels)
    counted_ones = objects_of_rows.counts(pairs, opener.keys(), refusals)
    yield Progress(total, total, FINDING)
    places = places_of_rows(
        table, description, opener.fields, opener.objects, pairs, counted_ones, refusals
    )
    refusals.raise_first()
    yield Progress(total, total, FINDING)
    filled = np.zeros(len(pairs), dtype=bool)
    filled[places.pairs] = True
    with_cells, without = counted_ones & filled, counted_ones & ~filled
    skipped, empty = np.zeros(0, np.int64), 0
    if without.any():
        has = np.bincount(pairs.rows, with_cells, minlength=total) > 0
        none = without & ~has[pairs.rows]
        skipped = np.unique(pairs.rows[none])
        empty = 0 if description.cells.object else int((without & has[pairs.rows]).sum())
    chosen = counted_ones[places.pairs]
    if not chosen.all():
        places = places.of(chosen)
    yield Progress(total, total, FINDING)
    rows, beyond = pairs.rows[places.pairs], pairs.rows[places.beyond]
    columns = {"field": pairs.fields[places.pairs], **places.columns()}
    warnings = objects_of_rows.warnings()
    return _CellsOfRows(rows, columns, int(with_cells.sum()), skipped, empty, beyond, warnings)


def _groups(table: Table, opener: FieldOpener, rows: IntArray, ids: IntArray) -> Texts:
    """Group of each cell: that of the column; else its row, its stack, or its track in it."""
    column = table.description.group
    if column:
        return table.column(column)[rows]
    stacks = opener.stack_rows.groups()[rows]
    tracks = ids if table.description.cells.tracks else np.zeros(len(rows), dtype=np.int64)
    codes = alike([stacks, tracks], len(rows))
    firsts = first_of_each(codes)
    names = np.empty(len(firsts), dtype=object)
    names[:] = [str(stack) for stack in stacks[firsts].tolist()]
    if table.description.cells.tracks:
        numbers = ids[firsts].tolist()
        names[:] = [f"{name} track {n}" for name, n in zip(names, numbers, strict=True)]
    return names[codes]


def _at_borders(cells: C, *, leave_out: bool) -> C:
    """Say how many cells reach over a border, or leave them out."""
    count, total = int(cells.at_border.sum()), len(cells)
    lines = left_out_warning(count, total) if leave_out else filled_warning(count, total)
    if leave_out:
        cells = cells.without_border()
    return replace(cells, warnings=(*cells.warnings, *lines))


def _warnings(
    description: Description, table: Table, taken: _CellsOfRows, *, shared: bool
) -> tuple[str, ...]:
    """What the user should know: rows left out, and images whose cells a split may divide."""
    skipped, beyond = taken.skipped, taken.beyond
    lines = []
    if len(skipped):
        what = {
            "box": ("row", "have", "a box without area"),
            "segment": ("image", "hold", "no nuclei"),
            "mask": ("row", "have", "a mask without any cell"),
        }.get(description.cells.origin, ("row", "hold", "no cell"))
        first = table.where(int(skipped[0]))
        lines.append(
            f"{counted(len(skipped), *what[:2])} {what[2]}, left out (first: {first}; "
            f"{counted(len(table.rows), 'row')} in all)"
        )
    if len(beyond):
        lines.append(
            f"{len(beyond)} of {len(table.rows)} points lie up to half a pixel outside their image "
            f"(first: {table.where(int(beyond[0]))}); pixel centres are whole numbers, so that an "
            "image ends half a pixel after its last one"
        )
    if shared and not description.group and not description.split:
        lines.append(
            "cells of one image may be trained on and held out: accuracy may not hold on other "
            "images (name a group column to keep them together)"
        )
    return tuple(lines)
