"""The table of a data set, checked value by value; messages name file, line and column."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.data.paths import path_of_text
from napari_channelmix.data.table_files import decimal_comma_of, read_table
from napari_channelmix.data.values import BLANKS, class_name, number, similar_warnings, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description

__all__ = ["Table"]

# What marks the folder of an image.
ZARR_FILES = (".zattrs", ".zgroup", "zarr.json")


@dataclass(frozen=True, eq=False)
class Table:
    """The table of a data set, after the row filter; every value is text until it is needed.

    Blanks around values are gone; values of the group column are names as `class_name` gives them.
    """

    path: Path
    said: Description
    rows: pd.DataFrame  # its index keeps the line numbers of the file
    warnings: tuple[str, ...] = ()
    # Columns of numbers in which a comma is the decimal sign.
    decimal_commas: frozenset[str] = frozenset()
    # What has been looked up: columns as lists, and files by their texts.
    _lists: dict[str, list[str]] = field(default_factory=dict, repr=False, compare=False)
    _files: dict[str, Path] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def read(cls, dataset: Path, said: Description) -> Table:
        """Read the table that a data-set file names, keep the rows it asks for, check the rest."""
        try:
            path = path_of_text(said.table, dataset.parent)
        except DataError as error:
            raise DataError(f"{dataset}: table {error}") from None
        named = tuple(dict.fromkeys(_columns_named(said)))
        source = read_table(path, named)
        for column in named:
            source.column(column, f", which {dataset.name} names")
        rows, warnings = _trimmed(source.rows), []
        for column, values in said.keep.items():
            names, kept = rows[column].map(_cached(class_name)), pd.Series(False, rows.index)
            for value in values:
                fits = _fits(value, rows[column], names, decimal_comma=source.separator != ",")
                kept |= fits
                if not fits.any():
                    warnings.append(
                        f"keep asks for {quoted(value)}, which no row of column {quoted(column)} "
                        "has"
                    )
            rows = rows[kept]
        if rows.empty:
            raise DataError(f"{path}: no rows" + (" are left by 'keep'" if said.keep else ""))
        if said.group:
            groups = rows[said.group]
            rows = rows.assign(
                **{
                    said.group: groups.map(_cached(class_name)).where(
                        groups.map(_cached(class_name)).notna(), ""
                    )
                }
            )
        commas = set()
        for column in said.cells.columns or ():
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
        table = cls(path, said, rows, (), frozenset(commas))
        table._refuse_bad_groups(source.rows)
        if said.group:
            warnings += similar_warnings(Counter(rows[said.group]), "groups")
        return cls(path, said, rows, (*source.warnings, *warnings), frozenset(commas))

    def columns_of_cells(self) -> set[str]:
        """Columns that name files, groups and places; the others may say something of a group."""
        return set(_columns_named(self.said)) - {str(self.said.label)} - set(self.said.keep)

    def columns_of_files(self) -> set[str]:
        """Columns that name files or places, or say the class: none of them names a cell."""
        said = self.said
        image = () if said.image is None else (said.image.column,)
        mask = () if said.cells.column is None else (said.cells.column,)
        own = {*said.channels.values(), *image, *mask, *(said.cells.columns or ())}
        return own | {name for name in (said.label, said.split) if name}

    def _refuse_bad_groups(self, given: pd.DataFrame) -> None:
        """Refuse gaps in the group column, unknown parts, and groups that lie in two parts."""
        group, split = self.said.group, self.said.split
        part_of: dict[str, tuple[str, int]] = {}
        for at in range(len(self.rows)):
            name, part = self.text(at, group), self.text(at, split)
            if group and not name:
                text = str(given.loc[self.rows.index[at], group]).strip(BLANKS)
                what = "the group is empty" if not text else f"the group {quoted(text)} means none"
                raise DataError(f"{self.where(at, group)}: {what}; fill it in")
            if split and part not in ("train", "val", "test"):
                raise DataError(
                    f"{self.where(at, split)}: {quoted(part)} is none of train, val and test"
                )
            first, line = part_of.setdefault(name, (part, at))
            if group and split and part != first:
                raise DataError(
                    f"{self.where(at, split)}: group {quoted(name)} is in {part!r} here and in "
                    f"{first!r} in line {self.rows.index[line]}; a group belongs to one part"
                )

    @contextlib.contextmanager
    def naming(self, at: int, column: str | None = None) -> Iterator[None]:
        """Put file, line and column before an error that does not name them yet."""
        try:
            yield
        except DataError as error:
            if str(error).startswith(f"{self.path}, line"):
                raise
            raise DataError(f"{self.where(at, column)}: {error}") from error

    def where(self, at: int, column: str | None = None) -> str:
        """File, line and column of a value, for messages."""
        place = f"{self.path}, line {self.rows.index[at]}"
        return f"{place}, column {quoted(column)}" if column else place

    def text(self, at: int, column: str | None) -> str:
        """A value without blanks around it; empty where no column is named."""
        if not column:
            return ""
        if column not in self._lists:
            self._lists[column] = [str(value) for value in self.rows[column]]
        return self._lists[column][at]

    def number(self, at: int, column: str) -> float:
        """A value that must be a number within `values.LARGEST`."""
        try:
            return number(self.text(at, column), decimal_comma=column in self.decimal_commas)
        except DataError as error:
            raise DataError(f"{self.where(at, column)}: {error}") from None

    def identifier(self, at: int, column: str) -> int | None:
        """A value that must be the id of an object, or None where there is none."""
        try:
            return whole_number(self.text(at, column))
        except DataError as error:
            raise DataError(f"{self.where(at, column)}: {error}") from None

    def file(self, at: int, column: str) -> Path:
        """A value that must name a file, or the folder of an image, that is there."""
        text = self.text(at, column)
        if text not in self._files:
            with self.naming(at, column):
                path = path_of_text(text, self.path.parent, may_be_folder=True)
                if path.is_dir() and not _is_zarr(path):
                    raise DataError(f"{path} is a folder, not an image")
            self._files[text] = path
        return self._files[text]

    def classes(self) -> tuple[list[int], tuple[str, ...], tuple[str, ...]]:
        """Class of each row, the class names in the order that was given or sorted, warnings."""
        column, named = self.said.label, tuple(self.said.classes or ())
        if column is None:
            return [-1] * len(self.rows), named, ()
        texts = [self.text(at, column) for at in range(len(self.rows))]
        # A name that the data-set file lists is a class, though it may mean 'none' elsewhere.
        names = [text if text in named else class_name(text) for text in texts]
        counts = Counter(name for name in names if name is not None)
        warnings = list(similar_warnings(counts, "classes"))
        gaps = [at for at, name in enumerate(names) if name is None]
        if gaps and not self.said.unlabelled:
            raise self._no_class(gaps)
        if gaps:
            kinds = Counter(texts[at] for at in gaps)
            shown = [
                f"{count:,} {quoted(text) if text else 'empty'}"
                for text, count in kinds.most_common(6)
            ]
            warnings.append(
                f"{len(gaps):,} of {len(names):,} rows have no class ({', '.join(shown)})"
            )
        kept = [class_name(value) for value in self.said.keep.get(column, ())]
        classes = [name for name in dict.fromkeys(kept) if name in counts and name is not None]
        classes += sorted(set(counts) - set(classes), key=natural_key)
        if named:
            strange = next((at for at, name in enumerate(names) if name and name not in named), -1)
            if strange >= 0:
                raise DataError(
                    f"{self.where(strange, column)}: {quoted(texts[strange])} is not among the "
                    f"classes {listed(named)}"
                )
            classes = list(named)
        codes = {name: code for code, name in enumerate(classes)}
        return [codes.get(name or "", -1) for name in names], tuple(classes), tuple(warnings)

    def _no_class(self, gaps: list[int]) -> DataError:
        """What is said of rows without a class, where there may be none."""
        column = self.said.label
        text, more = self.text(gaps[0], column), f" (so are {len(gaps) - 1:,} more)"
        what = "the label is empty" if not text else f"the label {quoted(text)} is read as no class"
        remedy = f", list {quoted(text)} under classes if it is one" if text else ""
        return DataError(
            f"{self.where(gaps[0], column)}: {what}{more if len(gaps) > 1 else ''}; fill it in, "
            f"leave such rows out with keep{remedy}, or say unlabelled = true"
        )


def _columns_named(said: Description) -> Iterable[str]:
    yield from (name for name in (said.label, said.group, said.split) if name)
    yield from said.keep
    yield from said.channels.values()
    if said.image:
        yield said.image.column
    if said.cells.column:
        yield said.cells.column
    if said.cells.object:
        yield said.cells.object
    yield from said.cells.columns or ()


def _trimmed(rows: pd.DataFrame) -> pd.DataFrame:
    """The same texts without blanks around them."""
    columns = {
        name: [value.strip(BLANKS) for value in rows[name].tolist()] for name in rows.columns
    }
    return pd.DataFrame(columns, index=rows.index, dtype=object)


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
