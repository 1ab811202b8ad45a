"""The records of a CSV text as columns of texts, with the line in which each begins.

Text without quotation marks is split at its separators, some 20,000 lines at a time; what is quoted
goes through the csv module. Nothing is kept by row, and a text that comes again is kept once.
"""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, Sequence
from operator import methodcaller
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.data.csv_text import unescaped
from napari_channelmix.data.values import BLANKS
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    import _csv

    import numpy.typing as npt

__all__ = [
    "LARGEST_CELL",
    "MOST_CELLS",
    "MOST_ROWS",
    "Records",
    "TextColumn",
    "lines_of",
    "records_job",
]

# Rows and cells of a table (68 bytes each where no text comes again), characters of a cell,
# columns: with the text itself less than 2 GB of memory.
MOST_ROWS = 3_000_000
MOST_CELLS = 24_000_000
MOST_LINES = 2 * MOST_ROWS
LARGEST_CELL = 100_000
MOST_COLUMNS = 20_000
# Characters, and records, that are taken at a time.
PIECE = 2**20
BLOCK = 20_000
# Different texts of a column that are looked for again.
MOST_KNOWN = 50_000
# What is being done, in words.
STAGE = "reading the table"


def records_job(path: Path, text: str, skipped: int, separator: str) -> Job[Records]:
    """The records of a text that begins with the names of its columns; a job.

    Parameters
    ----------
    path : Path
        For messages.
    text : str
    skipped : int
        Lines of the file before it.
    separator : str

    Raises
    ------
    DataError
        One line: records that do not fit the first one, quotation marks that do not, sizes beyond
        the bounds of this module.
    """
    records, done = Records(path, skipped), 0
    if '"' in text:
        # A quotation mark may stand for the end of a line: all of it goes through one reader.
        reader = csv.reader(lines_of(text), delimiter=separator, strict=True)
        lines = 1 + text.count("\n")
        for _ in _read(reader, records):
            yield Progress(min(reader.line_num, lines), lines, STAGE)
        return records
    for piece in _pieces(text):
        plain = piece.replace("\r\n", "\n") if "\r" in piece else piece
        if not records.names or "\r" in plain or not records.take_lines(plain, separator):
            # Without quotation marks a record is a line.
            reader = csv.reader(io.StringIO(piece, newline=""), delimiter=separator, strict=True)
            for _ in _read(reader, records):
                pass
        done += len(piece)
        yield Progress(done, len(text), STAGE)
    return records


def lines_of(text: str) -> Iterator[str]:
    """Lines with their ends, as csv wants them."""
    for piece in _pieces(text):
        yield from io.StringIO(piece, newline="")


def _pieces(text: str) -> Iterator[str]:
    """A text in pieces that end with a line; the first holds one line, mostly of names.

    Piece by piece: StringIO takes four bytes a character.
    """
    start, size = 0, 1
    while start < len(text):
        end = min(start + size, len(text))
        if end < len(text):
            # A piece ends with a line, however far that is.
            ends = text.rfind("\n", start, end), text.find("\n", end)
            end = max(ends) + 1 if ends[0] < 0 else ends[0] + 1
            end = end or len(text)
        yield text[start:end]
        start, size = end, PIECE


class TextColumn:
    """The texts of a column, block by block; one that comes again and again is kept once."""

    def __init__(self) -> None:
        self._blocks: list[npt.NDArray[np.object_]] = []
        self._known: dict[str, str] | None = {}
        #: Whether every text is empty but for blanks.
        self.blank = True

    def extend(self, texts: Sequence[str]) -> None:
        """More texts."""
        if self._known is not None:
            texts = list(map(self._known.setdefault, texts, texts))
            if len(self._known) > MOST_KNOWN:
                self._known = None
        block = np.empty(len(texts), dtype=object)
        block[:] = texts
        self._blocks.append(block)
        self.blank = self.blank and not any(text and not text.isspace() for text in texts)

    def values(self) -> npt.NDArray[np.object_]:
        """All texts; they are handed over."""
        blocks, self._blocks, self._known = self._blocks, [], None
        return np.concatenate(blocks) if blocks else np.empty(0, dtype=object)


class Records:
    """Records of a table as columns; refuses what does not fit the first one.

    Attributes
    ----------
    names : list of str
        Of the columns; empty until the first record has come.
    columns : list of TextColumn
    numbers : array of int
        The line in which each row begins.
    short : list of int
        Lines of rows that end early.
    line : int
        The line that comes next.
    """

    def __init__(self, path: Path, skipped: int) -> None:
        self._path = path
        self.names: list[str] = []
        self.columns: list[TextColumn] = []
        self.numbers = array("q")
        self.short: list[int] = []
        self.line = skipped + 1

    def take_names(self, row: Sequence[str]) -> None:
        """The first record."""
        self.names = _names(self._path, row)
        self.columns = [TextColumn() for _ in self.names]

    def take_lines(self, text: str, separator: str) -> bool:
        """Lines without quotation marks, where each is a row; else False, and nothing is taken."""
        lines, width = text.split("\n"), len(self.names)
        if not lines[-1]:
            del lines[-1]
        if width < 2 or set(map(methodcaller("count", separator), lines)) != {width - 1}:
            return False
        if max(map(len, lines)) > LARGEST_CELL:
            return False
        cells = separator.join(lines).split(separator)
        first = cells[::width]
        if "" in first or any(map(str.isspace, first)):
            for cell, line in zip(first, lines, strict=True):
                if _is_blank(cell) and _is_blank(line.replace(separator, "")):
                    return False
        begins = range(self.line, self.line + len(lines))
        self._append([cells[place::width] for place in range(width)], begins, "'" in text)
        self.line += len(lines)
        return True

    def take(self, rows: list[list[str]], begins: list[int]) -> None:
        """Records and the lines in which they begin."""
        path, width = self._path, len(self.names)
        # Of one column every record is looked at, else those whose first cell is blank: few.
        blank = [n for n, row in enumerate(rows) if not row or not row[0] or row[0].isspace()]
        uneven = [n for n, row in enumerate(rows) if len(row) != width]
        left_out = set()
        for place in sorted({*blank, *uneven}):
            row, line = rows[place], begins[place]
            if _is_blank("".join(row)):
                if line >= MOST_LINES:
                    raise _too_large(path)
                left_out.add(place)
                continue
            if any(cell.strip() for cell in row[width:]):
                raise DataError(
                    f"{path}: line {line} has {len(row)} columns, more than the {width} of "
                    "its first line; put cells that hold the separator in quotes"
                )
            if len(row) < width:
                self.short.append(line)
            rows[place] = (row + [""] * (width - len(row)))[:width]
        if left_out:
            rows = [row for n, row in enumerate(rows) if n not in left_out]
            begins = [line for n, line in enumerate(begins) if n not in left_out]
        if not rows:
            return
        columns = list(zip(*rows, strict=True))
        if any(max(map(len, texts)) > LARGEST_CELL for texts in columns):
            wide = (max(map(len, row)) > LARGEST_CELL for row in rows)
            line = next(n for n, is_wide in zip(begins, wide, strict=True) if is_wide)
            raise _too_long(path, line)
        self._append(columns, begins, True)

    def _append(
        self, columns: Sequence[Sequence[str]], begins: Sequence[int], escapes: bool
    ) -> None:
        count = len(self.numbers) + len(begins)
        if count > MOST_ROWS or count * len(columns) > MOST_CELLS:
            raise _too_large(self._path)
        self.numbers.extend(begins)
        for column, texts in zip(self.columns, columns, strict=True):
            if escapes and any("'" in text for text in texts):
                texts = list(map(unescaped, texts))
            column.extend(texts)


def _read(reader: _csv.Reader, records: Records) -> Iterator[None]:
    """Take all that a reader gives, in steps; its lines begin with the next one of the records."""
    rows: list[list[str]] = []
    begins: list[int] = []
    before = records.line
    try:
        for row in reader:
            if not records.names:
                records.take_names(row)
            else:
                rows.append(row)
                begins.append(records.line)
                if len(rows) == BLOCK:
                    records.take(rows, begins)
                    rows, begins = [], []
                    yield
            records.line = before + reader.line_num
    except csv.Error as error:
        # What is wrong before it is said first.
        records.take(rows, begins)
        path, line = records._path, records.line
        if "field larger than" in str(error):
            raise _too_long(path, line) from None
        raise DataError(f"{path}: line {line} cannot be read as a table ({error})") from None
    records.take(rows, begins)


def _is_blank(text: str) -> bool:
    return not text or text.isspace()


def _too_large(path: Path) -> DataError:
    return DataError(
        f"{path}: is too large, at most {MOST_ROWS:,} rows and {MOST_CELLS:,} cells are read; "
        "leave out columns that are not needed, or divide the table"
    )


def _too_long(path: Path, line: int) -> DataError:
    return DataError(
        f"{path}: a cell of line {line} has more than {LARGEST_CELL:,} characters; is a quotation "
        "mark missing?"
    )


def _names(path: Path, row: Sequence[str]) -> list[str]:
    if len(row) > MOST_COLUMNS:
        raise DataError(f"{path}: {len(row):,} columns are too many; at most {MOST_COLUMNS:,}")
    if any(len(cell) > LARGEST_CELL for cell in row):
        raise _too_long(path, 1)
    return [
        " ".join(unescaped(cell).split())
        if "\n" in cell or "\r" in cell
        else unescaped(cell).strip(BLANKS)
        for cell in row
    ]
