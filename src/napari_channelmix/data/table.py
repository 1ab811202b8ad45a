"""The table of a data set, checked value by value; messages name table, line and column."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_channelmix.data.column_values import (
    Identifiers,
    alike,
    first_of_each,
    identifiers_of,
    numbers_of,
    trimmed,
)
from napari_channelmix.data.frame_table import free_name, table_of_frame, table_of_frame_job
from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.data.paths import path_of_text
from napari_channelmix.data.table_files import TextTable, decimal_comma_of, read_table_job
from napari_channelmix.data.values import BLANKS, class_name, number, similar_warnings, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description

__all__ = ["Table"]

Texts = npt.NDArray[np.object_]
Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# What is being done, in words.
CHECKING = "checking the table"
# Parts of a split.
PARTS = ("train", "val", "test")
# What marks the folder of an image.
ZARR_FILES = (".zattrs", ".zgroup", "zarr.json")


@dataclass(frozen=True, eq=False)
class Table:
    """The table of a data set, after the row filter; every value is text until it is needed.

    Blanks around values are gone; values of the group column are names as `class_name` gives them.
    """

    name: str  # of the file, or what a table in memory is called
    folder: Path  # what paths are relative to
    description: Description
    rows: pd.DataFrame  # its index keeps the line numbers of the file, or names of the rows
    # What one of these is called in messages.
    row_word: str = "line"
    warnings: tuple[str, ...] = ()
    # Columns of numbers in which a comma is the decimal sign.
    decimal_commas: frozenset[str] = frozenset()
    # A column that names rows and says nothing of cells: the index of a table in memory.
    index: str | None = None
    # What has been looked up: columns as arrays, as numbers and as ids, and files by their texts.
    _columns: dict[str, Texts] = field(default_factory=dict, repr=False, compare=False)
    _numbers: dict[str, Doubles] = field(default_factory=dict, repr=False, compare=False)
    _identifiers: dict[str, Identifiers] = field(default_factory=dict, repr=False, compare=False)
    _files: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read_job(cls, dataset: Path, description: Description) -> Job[Table]:
        """Read the table that a data-set file names, keep the rows it asks for, check the rest."""
        try:
            path = path_of_text(description.table, dataset.parent)
        except DataError as error:
            raise DataError(f"{dataset}: table {error}") from None
        named = tuple(dict.fromkeys(_columns_named(description)))
        source = yield from read_table_job(path, named)
        asker = f", which {dataset.name} names"
        return (yield from cls._checked_job(source, description, path.parent, asker))

    @classmethod
    def of_frame_job(
        cls,
        frame: pd.DataFrame,
        description: Description,
        folder: Path,
        name: str,
        *,
        keep_index: bool = False,
    ) -> Job[Table]:
        """A table in memory, as `read` reads one of a file; rows are named by the frame's index.

        With ``keep_index`` the index is a column of its own as well, which goes with the cells.
        """
        source = yield from table_of_frame_job(frame, name)
        word, index = str(source.rows.index.name or "row"), None
        if keep_index and frame.index.nlevels == 1:
            # Of levels there are several, and they are columns of the user's if he wants them so.
            index = free_name(str(frame.index.name or "index"), source.rows.columns)
            texts = table_of_frame(frame.index.to_frame(index=False, name=index), name).rows[index]
            source.rows.insert(0, index, texts.to_numpy())
        table = yield from cls._checked_job(source, description, folder, "", word)
        return replace(table, index=index)

    @classmethod
    def _checked_job(
        cls,
        source: TextTable,
        description: Description,
        folder: Path,
        asker: str,
        row_word: str = "line",
    ) -> Job[Table]:
        path = source.path
        for column in dict.fromkeys(_columns_named(description)):
            source.column(column, asker)
        rows, warnings = (yield from _trimmed_job(source.rows)), list[str]()
        for column, values in description.keep.items():
            names, mask = rows[column].map(_cached(class_name)), pd.Series(False, rows.index)
            for value in values:
                fits = _fits(value, rows[column], names, decimal_comma=source.separator != ",")
                mask |= fits
                if not fits.any():
                    warnings.append(
                        f"keep asks for {quoted(value)}, which no row of column {quoted(column)} "
                        "has"
                    )
            rows = rows[mask]
        if rows.empty:
            raise DataError(
                f"{path}: no rows" + (" are left by 'keep'" if description.keep else "")
            )
        if description.group:
            kinds, texts = pd.factorize(rows[description.group].to_numpy(dtype=object))
            named = np.array([class_name(text) or "" for text in texts], dtype=object)
            columns = {str(name): rows[name].to_numpy(dtype=object) for name in rows.columns}
            columns[description.group] = named[kinds]
            rows = pd.DataFrame(columns, index=rows.index, dtype=object, copy=False)
            yield Progress(0, len(rows), CHECKING)
        commas = set()
        for column in description.cells.columns or ():
            yield Progress(0, len(rows), CHECKING)
            try:
                comma, doubtful = decimal_comma_of(rows[column], source.separator)
            except DataError as error:
                raise DataError(f"{path}, column {quoted(column)}: {error}") from None
            if comma:
                commas.add(column)
            if doubtful:
                warnings.append(
                    f"{path}, column {quoted(column)}: {quoted(doubtful)} is read as "
                    f"{number(doubtful, decimal_comma=True):g}, with a decimal comma"
                )
        table = cls(
            str(path),
            folder,
            description,
            rows,
            row_word,
            (*source.warnings, *warnings),
            frozenset(commas),
        )
        table._refuse_bad_groups(source.rows)
        if not description.group:
            return table
        yield Progress(0, len(rows), CHECKING)
        similar = similar_warnings(Counter(rows[description.group].tolist()), "groups")
        return replace(table, warnings=(*table.warnings, *similar))

    def columns_of_cells(self) -> set[str]:
        """Columns that name files, groups and places; the others may say something of a group."""
        return (
            set(_columns_named(self.description))
            - {str(self.description.label)}
            - set(self.description.keep)
        ) | self._index

    def columns_of_images(self) -> set[str]:
        """Columns that name files: images of channels, and label images."""
        description = self.description
        image = () if description.image is None else (description.image.column,)
        mask = () if description.cells.column is None else (description.cells.column,)
        return {*description.channels.values(), *image, *mask}

    def columns_of_names(self) -> set[str]:
        """Columns that name cells whatever they hold: of ids, groups and planes, the index."""
        description = self.description
        planes = () if description.planes is None else description.planes.columns.values()
        named = (description.cells.object, description.group, *planes)
        return self._index | {name for name in named if name}

    @property
    def _index(self) -> set[str]:
        return set() if self.index is None else {self.index}

    def columns_of_files(self) -> set[str]:
        """Columns that name files or places, or say the class: none of them names a cell."""
        description = self.description
        own = self.columns_of_images() | set(description.cells.columns or ())
        return own | {name for name in (description.label, description.split) if name}

    def _refuse_bad_groups(self, original: pd.DataFrame) -> None:
        """Refuse gaps in the group column, unknown parts, and groups that lie in two parts."""
        group, split = self.description.group, self.description.split
        names, parts = self.column(group), self.column(split)
        empty = names == "" if group else np.zeros(len(names), dtype=bool)
        wrong = ~np.isin(parts.astype(str), PARTS) if split else np.zeros(len(names), dtype=bool)
        firsts, other = np.zeros(0, np.int64), np.zeros(len(names), dtype=bool)
        if group and split:
            codes = alike([names], len(names))
            firsts = first_of_each(codes)[codes]
            other = parts != parts[firsts]
        bad = empty | wrong | other
        if not bad.any():
            return
        row = int(bad.argmax())
        if empty[row]:
            text = str(original.loc[self.rows.index[row], group]).strip(BLANKS)
            what = "the group is empty" if not text else f"the group {quoted(text)} means none"
            raise DataError(f"{self.where(row, group)}: {what}; fill it in")
        if wrong[row]:
            raise DataError(
                f"{self.where(row, split)}: {quoted(parts[row])} is none of train, val and test"
            )
        first = int(firsts[row])
        raise DataError(
            f"{self.where(row, split)}: group {quoted(names[row])} is in {parts[row]!r} here and "
            f"in {parts[first]!r} in {self.line(first)}; a group belongs to one part"
        )

    @contextlib.contextmanager
    def naming(self, row: int, column: str | None = None) -> Iterator[None]:
        """Put table, line and column before an error that does not name them yet."""
        try:
            yield
        except DataError as error:
            if str(error).startswith(f"{self.name}, {self.row_word} "):
                raise
            raise DataError(f"{self.where(row, column)}: {error}") from error

    def where(self, row: int, column: str | None = None) -> str:
        """Table, line and column of a value, for messages."""
        place = f"{self.name}, {self.line(row)}"
        return f"{place}, column {quoted(column)}" if column else place

    def line(self, row: int) -> str:
        """What a row is called: its line in the file, or its name in a table in memory."""
        return f"{self.row_word} {self.rows.index[row]}"

    def column(self, column: str | None) -> Texts:
        """The values of a column (N,), without blanks around them; empty where none is named."""
        name = column or ""
        if name not in self._columns:
            texts: Texts = np.full(len(self.rows), "", dtype=object)
            self._columns[name] = self.rows[name].to_numpy(dtype=object) if name else texts
        return self._columns[name]

    def numbers(self, column: str) -> Doubles:
        """The values of a column (N,) as numbers; NaN where `number` refuses one."""
        if column not in self._numbers:
            comma = column in self.decimal_commas
            self._numbers[column] = numbers_of(self.column(column), decimal_comma=comma)
        return self._numbers[column]

    def identifiers(self, column: str) -> Identifiers:
        """The values of a column as ids; those that `identifier` refuses are marked."""
        if column not in self._identifiers:
            self._identifiers[column] = identifiers_of(self.column(column))
        return self._identifiers[column]

    def alike(self, columns: Sequence[str], rows: IntArray) -> IntArray:
        """Which rows (n,) have the same texts in all columns; see `column_values.alike`."""
        return alike([self.column(name)[rows] for name in columns], len(rows))

    def text(self, row: int, column: str | None) -> str:
        """A value without blanks around it; empty where no column is named."""
        return str(self.column(column)[row]) if column else ""

    def number(self, row: int, column: str) -> float:
        """A value that must be a number within `values.LARGEST`."""
        try:
            return number(self.text(row, column), decimal_comma=column in self.decimal_commas)
        except DataError as error:
            raise DataError(f"{self.where(row, column)}: {error}") from None

    def identifier(self, row: int, column: str) -> int | None:
        """A value that must be the id of an object, or None where there is none."""
        try:
            return whole_number(self.text(row, column))
        except DataError as error:
            raise DataError(f"{self.where(row, column)}: {error}") from None

    def file(self, row: int, column: str) -> Path:
        """A value that must name a file, or the folder of an image, that is there."""
        text = self.text(row, column)
        if text not in self._files:
            with self.naming(row, column):
                path = path_of_text(text, self.folder, may_be_folder=True)
                if path.is_dir() and not _is_zarr(path):
                    raise DataError(f"{path} is a folder, not an image")
            self._files[text] = path
        return self._files[text]

    def classes(self) -> tuple[IntArray, tuple[str, ...], tuple[str, ...]]:
        """Class of each row, the class names in the order that was given or sorted, warnings."""
        column, named = self.description.label, tuple(self.description.classes or ())
        if column is None:
            return np.full(len(self.rows), -1, dtype=np.int64), named, ()
        kinds, texts = pd.factorize(self.column(column))
        rows_of = np.bincount(kinds, minlength=len(texts)).tolist()
        # A name that the data-set file lists is a class, though it may mean 'none' elsewhere.
        names = [text if text in named else class_name(text) for text in texts]
        counts = Counter[str]()
        for name, rows in zip(names, rows_of, strict=True):
            if name is not None:
                counts[name] += rows
        warnings = list(similar_warnings(counts, "classes"))
        no_name = np.array([name is None for name in names], dtype=bool)
        gaps = np.flatnonzero(no_name[kinds])
        if len(gaps) and not self.description.unlabelled:
            raise self._no_class(gaps)
        if len(gaps):
            empty = Counter(
                {text: n for text, n, none in zip(texts, rows_of, no_name, strict=True) if none}
            )
            shown = [
                f"{count:,} {quoted(text) if text else 'empty'}"
                for text, count in empty.most_common(6)
            ]
            warnings.append(
                f"{len(gaps):,} of {len(kinds):,} rows have no class ({', '.join(shown)})"
            )
        requested = [class_name(value) for value in self.description.keep.get(column, ())]
        classes = [name for name in dict.fromkeys(requested) if name in counts and name is not None]
        classes += sorted(set(counts) - set(classes), key=natural_key)
        if named:
            strange = np.array([bool(name) and name not in named for name in names], dtype=bool)
            if strange.any():
                row = int(strange[kinds].argmax())
                raise DataError(
                    f"{self.where(row, column)}: {quoted(texts[kinds[row]])} is not among the "
                    f"classes {listed(named)}"
                )
            classes = list(named)
        codes = {name: code for code, name in enumerate(classes)}
        of_kinds = np.array([codes.get(name or "", -1) for name in names], dtype=np.int64)
        return of_kinds[kinds], tuple(classes), tuple(warnings)

    def _no_class(self, gaps: IntArray) -> DataError:
        """What is said of rows without a class, where there may be none."""
        column = self.description.label
        row = int(gaps[0])
        text, more = self.text(row, column), f" (so are {len(gaps) - 1:,} more)"
        what = "the label is empty" if not text else f"the label {quoted(text)} is read as no class"
        remedy = f", list {quoted(text)} under classes if it is one" if text else ""
        return DataError(
            f"{self.where(row, column)}: {what}{more if len(gaps) > 1 else ''}; fill it in, "
            f"leave such rows out with keep{remedy}, or say unlabelled = true"
        )


def _columns_named(description: Description) -> Iterable[str]:
    yield from (name for name in (description.label, description.group, description.split) if name)
    yield from description.keep
    yield from description.channels.values()
    if description.image:
        yield description.image.column
    if description.cells.column:
        yield description.cells.column
    if description.cells.object:
        yield description.cells.object
    yield from description.cells.columns or ()
    if description.planes:
        yield from description.planes.columns.values()
        yield from description.planes.stack or ()


def _trimmed_job(rows: pd.DataFrame) -> Job[pd.DataFrame]:
    """The same texts without blanks around them."""
    columns = {}
    for name in rows.columns:
        columns[name] = trimmed(rows[name].to_numpy(dtype=object), BLANKS)
        yield Progress(len(columns), len(rows.columns) + 1, CHECKING)
    return pd.DataFrame(columns, index=rows.index, dtype=object, copy=False)


def _is_zarr(folder: Path) -> bool:
    try:
        inside = any((folder / name).exists() for name in ZARR_FILES)
    except OSError:
        inside = False
    return inside or folder.suffix.lower() == ".zarr"


def _cached(rule: Callable[[str], str | None]) -> Callable[[str], str | None]:
    """A rule that looks at each text once."""
    known: dict[str, str | None] = {}

    def look(text: str) -> str | None:
        if text not in known:
            known[text] = rule(text)
        return known[text]

    return look


def _fits(
    value: bool | str | int | float,
    texts: pd.Series[str],
    names: pd.Series[str],
    *,
    decimal_comma: bool,
) -> pd.Series[bool]:
    """Rows whose value is the one that ``keep`` asks for: the same name, or the same number."""
    name = class_name(value)
    if name is None:
        return names.isna()
    if isinstance(value, bool):
        return texts.str.casefold() == name.casefold()
    if isinstance(value, str):
        return names == name

    def same(text: str) -> bool:
        try:
            return number(text, decimal_comma=decimal_comma, largest=float("inf")) == value
        except DataError:
            return False

    known = {text: same(text) for text in texts.unique()}
    return (names == name) | texts.map(known).astype(bool)
