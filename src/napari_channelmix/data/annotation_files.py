"""Annotation files: a CSV table of classes given to cells, and JSON beside it with the palette."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_channelmix.atomic_write import write_json, write_text
from napari_channelmix.bounds import Name
from napari_channelmix.data.annotations import COLUMNS, Given
from napari_channelmix.data.csv_text import escaped
from napari_channelmix.data.table_files import decimal_comma_of, read_table
from napari_channelmix.data.values import class_name, number, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.provenance import provenance
from napari_channelmix.stored_files import MIB, Stored, read_json
from napari_channelmix.wording import quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.table_files import TextTable

__all__ = [
    "SCHEMA",
    "numbers_of",
    "palette_beside",
    "read_given",
    "saved_at",
    "write_given_job",
]

SCHEMA = "napari-channelmix/annotations/1"
# Rows written in a step: some 5 ms.
ROWS = 2000


def write_given_job(
    path: str | Path, given: Given, extra_rows: pd.DataFrame | None = None
) -> Job[Path]:
    """Write an annotation file, whole or not at all.

    Parameters
    ----------
    path : path
        The table, ``*.csv``; the palette stands beside it in a file of the same name, ``*.json``.
    given : Given
        Its other columns are written behind `COLUMNS`.
    extra_rows : pandas.DataFrame, optional
        More rows, after the others; of columns that they lack, empty texts are written.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like; the old file is then intact.
    """
    path, text = Path(path), io.StringIO(newline="")
    # With other ends of lines, a return within a name would not be quoted, and end its line.
    writer = csv.writer(text, lineterminator="\r\n")
    tables = [given.rows] if extra_rows is None else [given.rows, extra_rows]
    columns = list(dict.fromkeys([*COLUMNS, *(name for each in tables for name in each.columns)]))
    writer.writerow(columns)
    total, done = max(1, sum(map(len, tables))), 0
    for table in tables:
        for start in range(0, len(table), ROWS):
            some = table.iloc[start : start + ROWS]
            values = (
                [escaped(value) for value in some[name].tolist()]
                if name in some.columns
                else [""] * len(some)
                for name in columns
            )
            writer.writerows(zip(*values, strict=True))
            done += len(some)
            yield Progress(done, total, "writing the annotations")
    # The mark at the beginning tells Excel that the text is UTF-8.
    write_text(path, "\ufeff" + text.getvalue())
    about = {
        "schema": SCHEMA,
        "classes": list(given.palette),
        "rows": done,
        "provenance": provenance(),
    }
    write_json(path.with_suffix(".json"), about)
    return path


def read_given(path: str | Path) -> Given:
    """Read an annotation file.

    Raises
    ------
    DataError
        One line that names file, row and column of what cannot be used.
    """
    import pandas as pd

    path = Path(path)
    table = read_table(path, COLUMNS)
    # The user's columns stay with rows that fit no cell, and are written again.
    others = [name for name in table.rows.columns if name not in {*COLUMNS, *table.twice}]
    rows = table.rows[[*(table.column(name) for name in COLUMNS), *others]]
    ids = [_whole(path, line, text) for line, text in rows["object"].items()]
    names = palette_beside(path)
    # A name that the file beside the table lists is a class, though it may mean 'none' elsewhere.
    classes = [text if text in names else class_name(text) or "" for text in rows["class"]]
    result = rows.assign(y=numbers_of(table, rows, "y"), x=numbers_of(table, rows, "x"))
    result["field"] = rows["field"].astype(str)
    result["object"] = pd.Series(ids, rows.index, dtype="int64")
    result["class"] = pd.Series(classes, rows.index, dtype=str)
    palette = tuple(dict.fromkeys([*names, *(name for name in classes if name)]))
    return Given(result.reset_index(drop=True), palette)


def _whole(path: Path, line: object, text: str) -> int:
    try:
        value = whole_number(text)
    except DataError as error:
        raise DataError(f"{path}, line {line}, column 'object': {error}") from None
    if value is None:
        raise DataError(f"{path}, line {line}, column 'object': the id is missing")
    return value


def numbers_of(table: TextTable, rows: pd.DataFrame, column: str) -> list[float]:
    """A column that must hold numbers, in some rows of a table.

    Raises
    ------
    DataError
        With file, line and column of the first that is none.
    """
    try:
        comma, _ = decimal_comma_of(rows[column], table.separator)
    except DataError as error:
        raise DataError(f"{table.path}, column {quoted(column)}: {error}") from None
    values = []
    for line, text in rows[column].items():
        try:
            values.append(number(text, decimal_comma=comma))
        except DataError as error:
            raise DataError(
                f"{table.path}, line {line}, column {quoted(column)}: {error}"
            ) from None
    return values


class _Palette(Stored):
    """What of the file beside the table is read again."""

    classes: Annotated[tuple[Name, ...], Field(max_length=100_000)]


def palette_beside(path: str | Path) -> list[str]:
    """The classes in their order, where the file beside the table is there and whole."""
    try:
        beside = read_json(Path(path).with_suffix(".json"), _Palette, most=16 * MIB)
    except DataError:
        return []
    return [name for name in beside.classes if name]


def saved_at(path: str | Path) -> datetime:
    """When an annotation file was written, in local time."""
    return datetime.fromtimestamp(Path(path).stat().st_mtime)
