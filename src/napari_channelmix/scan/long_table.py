"""Large tables of measurements: only the columns that name cells, files and places are read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.csv_text import unescaped
from napari_channelmix.data.identifier_columns import MEASURED
from napari_channelmix.data.paths import read_start
from napari_channelmix.data.table_files import (
    LARGEST_FILE,
    MOST_CELLS,
    MOST_ROWS,
    TextTable,
    read_table,
    table_of_text,
)
from napari_channelmix.data.table_records import TextColumn
from napari_channelmix.data.values import BLANKS
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.scan.cellprofiler import is_measurement
from napari_channelmix.scan.table_columns import is_known
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["read_scanned_table_job"]

# Bytes from which a table is read column by column, of its first part, and at most.
LARGE, START, LARGEST = 16 * 2**20, 2**20, 16 * 2**30
# Rows of a step, and those that become texts at once.
STEP, BLOCK = 2_000, 20_000


def read_scanned_table_job(path: Path) -> Job[TextTable]:
    """Read a table; of a large one without its measurements, a step for every 2,000 rows.

    A column of a large table is read where its name is one that scans understand, or where its
    first rows hold anything but decimal numbers.

    Parameters
    ----------
    path : path

    Raises
    ------
    DataError
        As `data.table_files.read_table`.
    """
    yield Progress(0, 1, "reading the table")
    try:
        size = path.stat().st_size
    except OSError:
        size = 0
    if size < LARGE:
        return read_table(path)
    start = read_start(path, START)
    end = start.rfind(b"\n")
    encoding = next((name for name in ("utf-8", "cp1252") if _decodes(start[:end], name)), None)
    # What is packed, in another encoding or of lines of a megabyte is read as a whole, or refused.
    if encoding is None or end < 0 or b"\0" in start or start[:2] == b"\x1f\x8b":
        return read_table(path)
    if size > LARGEST:
        raise DataError(f"{path}: {size:,} bytes are too many; at most {LARGEST:,}")
    sample = table_of_text(path, start[:end].decode(encoding).removeprefix("\ufeff"))
    wanted = _wanted(sample)
    parts, rows = [], 0
    try:
        for part, share in _parts(path, sample, wanted, encoding, size):
            rows += len(part)
            if rows > MOST_ROWS or rows * len(wanted) > MOST_CELLS:
                raise DataError(
                    f"{path}: is too large, at most {MOST_ROWS:,} rows and {MOST_CELLS:,} cells "
                    "are read; divide the table"
                )
            parts.append(part)
            yield Progress(share, 1, "reading the table")
    except UnicodeDecodeError:
        if size > LARGEST_FILE:
            raise DataError(f"{path}: is not UTF-8 throughout; save it as CSV (UTF-8)") from None
        return read_table(path)
    return _joined(path, sample, parts, wanted)


def _decodes(content: bytes, encoding: str) -> bool:
    try:
        content.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _wanted(sample: TextTable) -> set[str]:
    """Columns that may name cells, files, places or classes, by their names and first rows."""
    rows = sample.rows
    # Below two rows of names, the second is among the rows.
    two = "ImageNumber" not in rows and len(rows) > 0 and "ImageNumber" in set(rows.iloc[0])
    cellprofiler = two or "ImageNumber" in rows
    wanted = set()
    for column in map(str, rows.columns):
        texts = rows[column].iloc[1:] if two else rows[column]
        name = rows[column].iloc[0] if two else column
        decimals = all(MEASURED.fullmatch(text.strip(BLANKS)) for text in texts.unique())
        if cellprofiler:
            kept = not is_measurement(name) and (is_known(name) or not decimals)
        else:
            kept = is_known(name) or not decimals
        if kept:
            wanted.add(column)
    return wanted


def _parts(
    path: Path, sample: TextTable, wanted: set[str], encoding: str, size: int
) -> Iterator[tuple[pd.DataFrame, float]]:
    """The wanted columns, some rows at a time, and the share of the file that is read."""
    import pandas as pd

    bytes_of_row = START / max(1, len(sample.rows))
    options: dict[str, Any] = {"dtype": str, "keep_default_na": False, "na_filter": False}
    with path.open("rb") as file:
        first = file.readline()
        if re.match(rb"(\xef\xbb\xbf)?\s*sep=", first, re.IGNORECASE) is None:
            file.seek(0)
        try:
            reader = pd.read_csv(
                file,
                sep=sample.separator,
                chunksize=STEP,
                encoding="utf-8-sig" if encoding == "utf-8" else encoding,
                **options,
            )
            rows = 0
            # All columns are parsed: of a line with too many values none can be trusted.
            for part in reader:
                rows += len(part)
                kept = [name for name in part if str(name).strip(BLANKS) in wanted]
                yield part[kept].fillna(""), min(rows * bytes_of_row / size, 1.0)
        except UnicodeDecodeError:
            raise
        except (pd.errors.ParserError, ValueError) as error:
            reason = str(error).splitlines()[0][:150]
            raise DataError(f"{path}: cannot be read as a table ({reason})") from None


def _joined(
    path: Path, sample: TextTable, parts: list[pd.DataFrame], wanted: set[str]
) -> TextTable:
    import pandas as pd

    frame = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    columns = {}
    for name in frame:
        column = TextColumn()
        for start in range(0, len(frame), BLOCK):
            texts = frame[name].iloc[start : start + BLOCK].tolist()
            escapes = any("'" in text for text in texts)
            column.extend(list(map(unescaped, texts)) if escapes else texts)
        columns[str(name).strip(BLANKS)] = column.values()
    # The lines of the file, where no value reaches over several.
    lines = range(2, len(frame) + 2)
    rows = pd.DataFrame(columns, index=lines, dtype=object, copy=False)
    left = len(sample.rows.columns) - len(columns)
    note = f"of a large table, {counted(left, 'column')} of measurements were not read"
    warnings = (*sample.warnings, *([note] if left else []))
    return TextTable(path, rows, sample.separator, sample.twice & wanted, warnings)
