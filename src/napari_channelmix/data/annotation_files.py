"""Annotation files: a CSV table of classes given to cells, and JSON beside it with the palette."""

from __future__ import annotations

import csv
import io
import warnings
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from napari_channelmix.bounds import Name
from napari_channelmix.data.annotations import COLUMNS, Given
from napari_channelmix.errors import DataError
from napari_channelmix.files import write_json, write_text
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.provenance import provenance
from napari_channelmix.readers import MIB, Stored, read_json

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "SCHEMA",
    "numbers_of",
    "palette_beside",
    "read_given",
    "read_rows",
    "saved_at",
    "write_given_job",
]

SCHEMA = "napari-channelmix/annotations/1"
# Rows written in a step: some 5 ms.
ROWS = 2000


def write_given_job(path: str | Path, given: Given, kept: pd.DataFrame | None = None) -> Job[Path]:
    """Write an annotation file, whole or not at all.

    Parameters
    ----------
    path : path
        The table, ``*.csv``; the palette stands beside it in a file of the same name, ``*.json``.
    given : Given
    kept : pandas.DataFrame, optional
        More rows of the same columns, after the others.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like; the old file is then intact.
    """
    path, text = Path(path), io.StringIO(newline="")
    # With other ends of lines, a return within a name would not be quoted, and end its line.
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    tables = [given.rows] if kept is None else [given.rows, kept]
    total, done = max(1, sum(map(len, tables))), 0
    for table in tables:
        for start in range(0, len(table), ROWS):
            some = table.iloc[start : start + ROWS]
            writer.writerows(zip(*(some[name].tolist() for name in COLUMNS), strict=True))
            done += len(some)
            yield Progress(done, total, "writing the annotations")
    # The mark at the beginning tells Excel that the text is UTF-8.
    write_text(path, "\ufeff" + text.getvalue())
    about = {"schema": SCHEMA, "classes": list(given.palette), "rows": done,
             "provenance": provenance()}  # fmt: skip
    write_json(path.with_suffix(".json"), about)
    return path


def read_given(path: str | Path) -> Given:
    """Read an annotation file.

    Raises
    ------
    DataError
        One line that names file, row and column of what cannot be used.
    """
    import numpy as np
    import pandas as pd

    path = Path(path)
    rows = read_rows(path)
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise DataError(f"{path}: no column {missing[0]!r}; it has {', '.join(rows.columns)}")
    rows = rows[list(COLUMNS)]
    numbers = {name: numbers_of(path, rows, name) for name in ("object", "y", "x")}
    found = rows.assign(**numbers)
    whole = np.asarray(numbers["object"])
    if len(whole) and (whole % 1 != 0).any():
        row = int(rows.index[int(np.argmax(whole % 1 != 0))])
        raise DataError(f"{path}, line {row}, column 'object': must be a whole number")
    found = found.assign(object=pd.Series(whole, index=rows.index).astype("int64"))
    named = [name for name in dict.fromkeys(rows["class"].tolist()) if name]
    palette = tuple(dict.fromkeys([*palette_beside(path), *named]))
    return Given(found.reset_index(drop=True), palette)


def read_rows(path: Path) -> pd.DataFrame:
    """A table as text; its index are the lines of the file.

    Raises
    ------
    DataError
        No such file, or no table.
    """
    import pandas as pd

    try:
        with warnings.catch_warnings():
            # Pandas only warns of lines that are longer than the head, and drops their end.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig",
                               sep=_separator(path), index_col=False,
                               skip_blank_lines=False)  # fmt: skip
    except pd.errors.ParserWarning:
        raise DataError(f"{path}: its lines have more columns than its first line") from None
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise DataError(f"{path}: cannot be read as a table ({reason})") from error
    names = [str(name).strip() for name in rows.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise DataError(f"{path}: two columns are called {twice!r}; rename one of them")
    rows.columns = pd.Index(names)
    rows.index = pd.RangeIndex(2, len(rows) + 2)
    return rows[(rows != "").any(axis=1)]


def _separator(path: Path) -> str:
    """What the head has most of: Excel writes semicolons where a comma is the decimal sign."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            head = file.readline()
    except (OSError, ValueError):
        return ","
    return max(",;\t", key=head.count)


def numbers_of(path: Path, rows: pd.DataFrame, column: str) -> list[float]:
    """A column that must hold numbers.

    Raises
    ------
    DataError
        With file, line and column of the first that is none.
    """
    import numpy as np
    import pandas as pd

    # Where the comma is the decimal sign, Excel writes it so.
    texts = rows[column].str.replace(r"^\s*([+-]?\d*),(\d+)\s*$", r"\1.\2", regex=True)
    found = pd.to_numeric(texts, errors="coerce").to_numpy(float)
    wrong = ~np.isfinite(found)
    if wrong.any():
        first = int(np.argmax(wrong))
        text = rows[column].iloc[first]
        raise DataError(
            f"{path}, line {rows.index[first]}, column {column!r}: {text!r} is not a number"
        )
    return [float(one) for one in found]


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
