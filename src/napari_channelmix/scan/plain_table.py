"""Any table that names image files: a row per image or per cell, wide or long."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.errors import DataError
from napari_channelmix.scan.parsed_table import ParsedTable
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.table_boxes import boxes_of
from napari_channelmix.scan.table_columns import (
    channel_of_column,
    image_columns,
    place_columns,
    place_names,
    plain,
)
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.table_files import TextTable

__all__ = ["parse_plain"]

_FOLDERS = ("folder", "directory", "dir", "pathname", "path", "imagefolder", "imagepath")
_CHANNELS = ("channel", "channelname", "wavelength", "stain", "marker", "dye")


def parse_plain(table: TextTable) -> ParsedTable:
    """Understand a table by the names of its columns and what stands in them.

    Columns whose every value names an image are files: one of them holds all channels, or one
    channel beside a column that names it; several are a channel each. Those called mask, label or
    segmentation are label images.

    Parameters
    ----------
    table : TextTable

    Raises
    ------
    DataError
        No column names image files.
    """
    rows = table.rows
    images, masks = image_columns(rows)
    if not images:
        what = f"only label images ({listed(masks)})" if masks else "no image files"
        raise DataError(
            f"{table.path}: names {what}; it needs a column with the files of images (.tif, .png, "
            f".zarr, ...), it has {listed(rows.columns)}"
        )
    twice = next((name for name in (*images, *masks) if name in table.twice), None)
    if twice is not None:
        raise DataError(f"{table.path}: two columns are called {quoted(twice)}; rename one of them")
    notes = list(table.warnings)
    images = _without_copies(rows, images, notes)
    roles = dict.fromkeys(images, Role.IMAGE)
    channels = {name: channel_of_column(name) for name in images}
    if len(set(channels.values())) < len(channels):
        channels = {name: name for name in images}
    folder = next(
        (
            str(name)
            for wanted in _FOLDERS
            for name in rows
            if plain(str(name)) == wanted and name not in (*images, *masks)
        ),
        None,
    )
    long = len(images) == 1 and any(plain(str(name)) in _CHANNELS for name in rows)
    if long:
        rows = _without_columns_of_files(rows, images[0], masks)
    style = "table of images" if not rows.duplicated([*images]).any() else "table of cells"
    folders = {} if folder is None else dict.fromkeys((*images, *masks), folder)
    parsed = ParsedTable(
        style,
        Path(table.path),
        rows,
        roles,
        table.separator,
        channels,
        folders,
        masks,
        notes=tuple(notes),
    )
    return parsed if long else _with_places_said(_with_boxes(_with_micrometres(parsed)))


def _with_places_said(parsed: ParsedTable) -> ParsedTable:
    """With a note of columns that are called like places and hold none in pixels."""
    names = [str(name) for name in parsed.rows.columns]
    if Role.X in parsed.roles.values() or place_columns(parsed.rows, names)[0] is not None:
        return parsed
    pair = place_names(names)
    if pair is None:
        return parsed
    note = (
        f"{listed(map(quoted, pair))} are no places in pixels: they hold something else than "
        "numbers, or fractions of the image from 0 to 1"
    )
    return replace(parsed, notes=(*parsed.notes, note))


def _with_micrometres(parsed: ParsedTable) -> ParsedTable:
    """Places in micrometres, by the names of their columns, where there are none in pixels."""
    names = [str(name) for name in parsed.rows.columns]
    if place_columns(parsed.rows, names)[0] is not None:
        return parsed
    x, y = place_columns(parsed.rows, names, micrometres=True)
    if x is None or y is None:
        return parsed
    note = f"places are micrometres ({x}, {y}), from the middle of the first pixel"
    return replace(
        parsed,
        roles={**parsed.roles, x: Role.X, y: Role.Y},
        micrometres=True,
        notes=(*parsed.notes, note),
    )


def _with_boxes(parsed: ParsedTable) -> ParsedTable:
    """Rows that are boxes or tiles as points at their middles, unless the table has points."""
    rows = parsed.rows
    names = [str(name) for name in rows.columns]
    if Role.X in parsed.roles.values() or place_columns(rows, names)[0] is not None:
        return parsed
    boxes = boxes_of(rows, parsed.separator)
    if boxes is None or not (boxes.sides > 0).any():
        return parsed
    left_out: tuple[LeftOut, ...] = ()
    there = boxes.sides > 0
    if not there.all():
        first = rows.index[~there][0]
        what = counted(int((~there).sum()), "row")
        left_out = (LeftOut(parsed.path.name, f"{what} of boxes without area (first: {first})"),)
    middles = {axis: f"box middle {axis}" for axis in "yx"}
    rows = rows.assign(**{name: boxes.texts(axis) for axis, name in middles.items()})
    note = f"cells are at the middles of their boxes ({listed(boxes.columns)})"
    return replace(
        parsed,
        style="table of cells",
        rows=rows[there],
        roles={**parsed.roles, middles["x"]: Role.X, middles["y"]: Role.Y},
        sides=boxes.sides[there],
        left_out=(*parsed.left_out, *left_out),
        notes=(*parsed.notes, note),
    )


def _without_copies(
    rows: pd.DataFrame, images: tuple[str, ...], notes: list[str]
) -> tuple[str, ...]:
    """Of a column of paths and one of the ends of these paths, the paths.

    Files of one name in several folders (``DNA/1.tif``, ``GFP/1.tif``) are channels, no copies.
    """
    if len(images) < 2:
        return images
    kept: list[str] = []
    paths = {
        name: "/" + rows[name].str.strip().str.replace("\\", "/", regex=False) for name in images
    }
    for name in sorted(images, key=lambda column: -int(rows[column].str.len().sum())):
        same = [other for other in kept if all(map(str.endswith, paths[other], paths[name]))]
        if same:
            notes.append(f"column {quoted(name)} names the files of {quoted(same[0])} again")
        else:
            kept.append(name)
    return tuple(name for name in images if name in kept)


def _without_columns_of_files(
    rows: pd.DataFrame, image: str, masks: tuple[str, ...]
) -> pd.DataFrame:
    """A row for each file and channel: what differs in every row says nothing of the field."""
    channel = next(str(name) for name in rows if plain(str(name)) in _CHANNELS)
    dropped = []
    for name in map(str, rows.columns):
        if name in (image, channel, *masks):
            continue
        every_row = len(rows) > 1 and rows[name].is_unique
        of_channel = rows.groupby(channel)[name].nunique().max() == 1 and rows[name].nunique() > 1
        if every_row or of_channel:
            dropped.append(name)
    return rows.drop(columns=dropped)
