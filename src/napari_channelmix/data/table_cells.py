"""The cells of a table: each row's images are opened, and its cells found in them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from napari_channelmix.data.agreement import warnings_of_fields
from napari_channelmix.data.borders import filled_warning, left_out_warning
from napari_channelmix.data.cell_boxes import BOX, CellBoxes
from napari_channelmix.data.conditions import conditions_of
from napari_channelmix.data.field_names import short_field_names
from napari_channelmix.data.field_opener import FieldOpener
from napari_channelmix.data.identifier_columns import key_columns, with_keys
from napari_channelmix.data.masks import mask_warnings
from napari_channelmix.data.resampling import at_pixel_size
from napari_channelmix.data.row_objects import RowObjects
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_channelmix.data.description import Description
    from napari_channelmix.data.row_places import RowPlaces
    from napari_channelmix.data.table import Table

__all__ = ["cells_of_table_job"]

C = TypeVar("C", bound=CellBoxes)

# Rows of one image that are taken in a step.
STEP = 500


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
    objects_of_rows = RowObjects(table, description, labels)
    rows: list[int] = []
    field_of: list[int] = []
    all_places: list[RowPlaces] = []
    skipped: list[int] = []
    empty = 0
    for step, row in enumerate(opener.stack_rows.rows):
        before = len(opener.fields)
        indices = yield from opener.fields_job(row)
        if len(opener.fields) > before:
            yield Progress(row, len(table.rows), "opening the images")
        elif step % STEP == 0:
            yield Progress(row, len(table.rows), "finding the cells")
        counted_here, without = 0, 0
        for index in indices:
            if not objects_of_rows.counts(row, opener.key_of(index)):
                continue
            places = opener.places(row, index, may_lack=len(indices) > 1)
            if places is None:
                without += 1
                continue
            counted_here += 1
            rows += [row] * len(places.ids)
            field_of += [index] * len(places.ids)
            all_places.append(places)
        if without and not counted_here:
            # An id that no plane of its stack has is refused as one of a single plane is.
            skipped += [row] if opener.places(row, indices[0]) is None else []
        elif not description.cells.object:
            empty += without
    field_list = opener.fields
    if not rows:
        first = f" (first: {table.where(skipped[0])})" if skipped else ""
        why = ""
        if skipped and description.cells.origin == "box":
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
    cells = pd.DataFrame(np.concatenate([part.boxes() for part in all_places]), columns=BOX)
    cells.insert(0, "field", field_of)
    centres = np.concatenate([part.centres for part in all_places])
    ids = np.concatenate([part.ids for part in all_places])
    cells = cells.assign(
        label=[labels[row] for row in rows],
        group=_groups(table, opener, rows, ids),
        split=[table.text(row, description.split) for row in rows],
        object=ids,
        y=centres[:, 0],
        x=centres[:, 1],
        extent=np.concatenate([part.extents for part in all_places]),
    )
    conditions = conditions_of(table.rows, description.group, table.columns_of_cells())
    constant = () if conditions is None else tuple(map(str, conditions.columns))
    keys = key_columns(table.rows, table.columns_of_files(), constant, table.columns_of_names())
    cells = with_keys(cells, table.rows[keys], rows)
    size = description.cells.pixel_size if pixel_size is None else pixel_size
    warnings = (
        *table.warnings,
        *of_classes,
        *objects_of_rows.warnings(),
        *opener.images.warnings.lines(),
        *opener.stack_warnings(empty),
        *warnings_of_fields(field_list, opener.images.channels, resampled=size is not None),
        *mask_warnings(opener.masks, description.cells.labelled, description.cells.min_area),
        *_warnings(
            description, table, skipped, opener.beyond, shared=len(field_list) < len(all_places)
        ),
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
    if size is not None:
        opened = at_pixel_size(opened, size)
    if description.cells.neighbours == "hide":
        opened = opened.without_neighbours()
    return _at_borders(opened, leave_out=description.cells.border == "leave_out").with_cut_line()


def _groups(
    table: Table, opener: FieldOpener, rows: list[int], ids: npt.NDArray[np.int64]
) -> list[str]:
    """Group of each cell: that of the column; else its row, its stack, or its track in it."""
    column = table.description.group
    if column:
        return [table.text(row, column) for row in rows]
    stacks = [str(opener.stack_rows.group(row)) for row in rows]
    if not table.description.cells.tracks:
        return stacks
    return [f"{stack} track {number}" for stack, number in zip(stacks, ids.tolist(), strict=True)]


def _at_borders(cells: C, *, leave_out: bool) -> C:
    """Say how many cells reach over a border, or leave them out."""
    count, total = int(cells.at_border.sum()), len(cells)
    lines = left_out_warning(count, total) if leave_out else filled_warning(count, total)
    if leave_out:
        cells = cells.without_border()
    return replace(cells, warnings=(*cells.warnings, *lines))


def _warnings(
    description: Description, table: Table, skipped: list[int], beyond: list[int], *, shared: bool
) -> tuple[str, ...]:
    """What the user should know: rows left out, and images whose cells a split may divide."""
    lines = []
    if skipped:
        what = {
            "box": ("row", "have", "a box without area"),
            "segment": ("image", "hold", "no nuclei"),
            "mask": ("row", "have", "a mask without any cell"),
        }.get(description.cells.origin, ("row", "hold", "no cell"))
        first = table.where(skipped[0])
        lines.append(
            f"{counted(len(skipped), *what[:2])} {what[2]}, left out (first: {first}; "
            f"{counted(len(table.rows), 'row')} in all)"
        )
    if beyond:
        lines.append(
            f"{len(beyond)} of {len(table.rows)} points lie up to half a pixel outside their image "
            f"(first: {table.where(beyond[0])}); pixel centres are whole numbers, so that an image "
            "ends half a pixel after its last one"
        )
    if shared and not description.group and not description.split:
        lines.append(
            "cells of one image may be trained on and held out: accuracy may not hold on other "
            "images (name a group column to keep them together)"
        )
    return tuple(lines)
