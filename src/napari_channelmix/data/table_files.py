"""Tables of users: what divides their columns, for data sets and annotations alike.

Separators are commas, semicolons or tabs. Nothing is converted here: every cell is text, as it
stands in the file.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from napari_channelmix.data.table_records import (
    LARGEST_CELL,
    MOST_CELLS,
    MOST_ROWS,
    STAGE,
    lines_of,
    records_job,
)
from napari_channelmix.data.table_text import REMEDY, text_of_table
from napari_channelmix.data.values import BLANKS
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "LARGEST_CELL",
    "LARGEST_FILE",
    "MOST_CELLS",
    "MOST_ROWS",
    "TextTable",
    "decimal_comma_of",
    "read_table",
    "read_table_job",
    "table_of_text",
]

# Bytes of a file.
LARGEST_FILE = 256 * 2**20

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}


@dataclass(frozen=True, eq=False)
class TextTable:
    """A table as it stands in a file.

    Attributes
    ----------
    path : Path
        The file; or the name of a table that is in memory.
    rows : pandas.DataFrame
        Texts; the index holds the line of the file in which each row begins. Names of columns
        have no blanks around them; a name that stands there again gets a number, as ``x.1``.
    separator : str
    twice : frozenset of str
        Names that more than one column has: none of these may be asked for.
    warnings : tuple of str
    """

    path: Path
    rows: pd.DataFrame
    separator: str
    twice: frozenset[str] = frozenset()
    warnings: tuple[str, ...] = ()

    def column(self, name: str, asker: str = "") -> str:
        """A column by its name, which must be there once; ``asker`` is who names it."""
        if name in self.twice:
            raise DataError(
                f"{self.path}: two columns are called {quoted(name)}; rename one of them"
            )
        if name not in self.rows.columns:
            near = [
                candidate
                for candidate in self.rows.columns
                if candidate.casefold() == name.casefold()
            ]
            hint = f"; is {quoted(near[0])} meant?" if near else ""
            raise DataError(
                f"{self.path}: no column {quoted(name)}{asker}; it has "
                f"{listed(self.rows.columns) or 'no columns'}{hint}"
            )
        return name


def read_table(path: str | Path, expected: Collection[str] = ()) -> TextTable:
    """Read a table.

    Parameters
    ----------
    path : path
        CSV or TSV, perhaps compressed with gzip.
    expected : collection of str
        Columns that it should have: they help to tell what divides the columns.

    Raises
    ------
    DataError
        One line: no such file, another format, an encoding that is not known, lines that do not
        fit the head, or sizes beyond the bounds of this module.
    """
    return drain(read_table_job(path, expected))


def read_table_job(path: str | Path, expected: Collection[str] = ()) -> Job[TextTable]:
    """`read_table` as a job."""
    path = Path(path)
    yield Progress(0, 1, STAGE)
    text, warnings = text_of_table(path, LARGEST_FILE)
    return (yield from table_of_text_job(path, text, expected, warnings))


def table_of_text(
    path: Path, text: str, expected: Collection[str] = (), warnings: Iterable[str] = ()
) -> TextTable:
    """The table that a text holds; ``path`` is the file it came from.

    ``warnings`` are those of its encoding; see `read_table`.
    """
    return drain(table_of_text_job(path, text, expected, warnings))


def table_of_text_job(
    path: Path, text: str, expected: Collection[str] = (), warnings: Iterable[str] = ()
) -> Job[TextTable]:
    """`table_of_text` as a job."""
    import pandas as pd

    warnings = list(warnings)
    lines, skipped, separator = _separator(path, text, {name.casefold() for name in expected})
    records = yield from records_job(path, lines, skipped, separator)
    names, short = records.names, records.short
    if short:
        warnings.append(
            f"{path}: {counted(len(short), 'row', 'end')} early (first: line {short[0]}); what is "
            "missing is read as empty"
        )
    unique: list[str] = []
    twice, taken = set(), set(names)
    for place, name in enumerate(names):
        own, again = name or f"Unnamed: {place}", 0
        if own in unique[:place]:
            twice.add(name)
            while own in taken:
                again += 1
                own = f"{name}.{again}"
        taken.add(own)
        unique.append(own)
    texts = {
        own: column.values()
        for name, own, column in zip(names, unique, records.columns, strict=True)
        # A separator at the end of every line makes no column.
        if name or not column.blank
    }
    index = pd.Index(np.array(records.numbers, dtype=np.int64))
    frame = pd.DataFrame(texts, dtype=object, index=index, copy=False)
    return TextTable(path, frame, separator, frozenset(twice), tuple(warnings))


def decimal_comma_of(texts: Iterable[str], separator: str) -> tuple[bool, str]:
    """Whether commas are decimal signs in a column of numbers, and a text to be warned of.

    Commas are, where they do not divide the columns and no number of the column has a point.
    ``1,234`` may be 1234 or 1.234: where all numbers with a comma look so, they are refused
    between tabs, and taken for decimals between semicolons, which spreadsheets write just where
    the comma is the decimal sign; the text is then given back. Our definition.

    Raises
    ------
    DataError
        Numbers of both kinds, or ones that may be either.
    """
    if separator == ",":
        return False, ""
    texts = list(texts)
    commas = [
        text.strip() for text in texts if "," in text and re.fullmatch(r"\s*[+-]?\d*,\d+\s*", text)
    ]
    if not commas:
        return separator != ",", ""
    point = next(
        (text for text in texts if "." in text and re.fullmatch(r"\s*[+-]?\d*\.\d+\s*", text)), None
    )
    if point is not None:
        raise DataError(
            f"has decimal commas ({quoted(commas[0])}) and decimal points ({quoted(point)}); write "
            "all numbers alike, without thousands separators"
        )
    if not all(re.fullmatch(r"[+-]?[1-9]\d{0,2},\d{3}", text) for text in commas):
        return True, ""
    if separator == "\t":
        raise DataError(
            f"{quoted(commas[0])} may be a decimal number or one of thousands; write numbers with "
            "a decimal point and without thousands separators"
        )
    return True, commas[0]


def _separator(path: Path, text: str, expected: Collection[str]) -> tuple[str, int, str]:
    """The text from the head on, the lines before it, and what divides the columns."""
    first = re.match(r"[ \t]*sep=([,;\t|])[^\S\r\n]*(\r\n|\r|\n)", text, re.IGNORECASE)
    if first:
        if first[1] not in SEPARATORS:
            raise DataError(f"{path}: columns divided by {first[1]!r} are not read; {REMEDY}")
        return text[first.end() :], 1, first[1]
    # Lines without a word before the head.
    blank = re.match(r"(?:[^\S\r\n]*(?:\r\n|\r|\n))*", text)
    start = blank.end() if blank else 0
    skipped = len(re.findall(r"\r\n|\r|\n", text[:start]))
    body = text[start:]
    heads = {each: _head(path, body, each) for each in SEPARATORS}
    # What is divided within quotes leaves a quotation mark in a name.
    whole = [each for each, names in heads.items() if not any('"' in name for name in names)]
    several = {each: len(heads[each]) for each in whole or heads if len(heads[each]) > 1}
    if path.name.lower().removesuffix(".gz").endswith((".tsv", ".tab")) and "\t" in several:
        return body, skipped, "\t"
    if not several:
        return body, skipped, ","
    # The columns that are asked for tell best, then the most columns.
    requested = set(expected)
    fit = [
        each
        for each in several
        if requested and requested <= {name.strip(BLANKS).casefold() for name in heads[each]}
    ]
    if len(fit) == 1:
        return body, skipped, fit[0]
    most = max(several.values())
    likely = [each for each, count in several.items() if count == most]
    if len(likely) > 1:
        raise DataError(
            f"{path}: {' or '.join(SEPARATORS[each] for each in likely)} may divide its columns, "
            f"both make {most} of the first line; put names that hold them in quotes"
        )
    return body, skipped, likely[0]


def _head(path: Path, text: str, separator: str) -> list[str]:
    """The first record of a text."""
    part = text[: 4 * LARGEST_CELL]
    try:
        return next(csv.reader(lines_of(part), delimiter=separator), [])
    except csv.Error as error:
        raise DataError(f"{path}: cannot be read as a table (first line: {error})") from None
