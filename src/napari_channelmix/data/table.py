"""The table of a data set, checked value by value; messages name file, line and column."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from napari_channelmix.data.natural import natural_key
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description

__all__ = ["Table"]


@dataclass(frozen=True, eq=False)
class Table:
    """The table of a data set, after the row filter; every value is text until it is needed."""

    path: Path
    said: Description
    rows: pd.DataFrame  # its index keeps the line numbers of the file
    warnings: tuple[str, ...] = ()

    @classmethod
    def read(cls, dataset: Path, said: Description) -> Table:
        """Read the table that a data-set file names, keep the rows it asks for, check the rest."""
        path = dataset.parent / said.table
        try:
            separator = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
            with warnings.catch_warnings():
                # Pandas only warns of lines that are longer than the head, and drops their end.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                rows = pd.read_csv(path, dtype=str, keep_default_na=False, sep=separator,
                                   index_col=False, skip_blank_lines=False)  # fmt: skip
        except pd.errors.ParserWarning:
            raise DataError(f"{path}: its lines have more columns than its first line") from None
        except FileNotFoundError:
            raise DataError(f"{dataset}: table {path} does not exist") from None
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read as a table ({error})") from error
        rows.index = pd.RangeIndex(2, len(rows) + 2)
        rows = rows[(rows != "").any(axis=1)]
        table = cls(path, said, rows)
        for column in table._columns_named():
            if column not in rows.columns:
                raise DataError(
                    f"{path}: no column {column!r}, which {dataset.name} names; "
                    f"it has {', '.join(map(str, rows.columns))}"
                )
        unknown = []
        for column, values in said.keep.items():
            texts = [str(value) for value in values]
            unknown += [f"keep asks for {text!r}, which no row of column {column!r} has"
                        for text in texts if not (table.rows[column] == text).any()]  # fmt: skip
            rows = rows[rows[column].isin(texts)]
        if rows.empty:
            raise DataError(f"{path}: no rows" + (" are left by 'keep'" if said.keep else ""))
        kept = cls(path, said, rows, tuple(unknown))
        kept._refuse_bad_groups()
        return kept

    def _columns_named(self) -> Iterable[str]:
        said = self.said
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

    def columns_of_cells(self) -> set[str]:
        """Columns that name files, groups and places; the others may say something of a group."""
        return set(self._columns_named()) - {str(self.said.label)} - set(self.said.keep)

    def _refuse_bad_groups(self) -> None:
        """Refuse gaps in the group column, unknown parts, and groups that lie in two parts."""
        group, split = self.said.group, self.said.split
        part_of: dict[str, tuple[str, int]] = {}
        for at in range(len(self.rows)):
            name, part = self.text(at, group), self.text(at, split)
            if group and not name.strip():
                raise DataError(f"{self.where(at, group)}: the group is empty; fill it in")
            if split and part not in ("train", "val", "test"):
                raise DataError(f"{self.where(at, split)}: {part!r} is none of train, val and test")
            first, line = part_of.setdefault(name, (part, at))
            if group and split and part != first:
                raise DataError(
                    f"{self.where(at, split)}: group {name!r} is in {part!r} here and in "
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
        return f"{place}, column {column!r}" if column else place

    def text(self, at: int, column: str | None) -> str:
        """A value as it stands in the file; empty where no column is named."""
        return str(self.rows[column].iloc[at]) if column else ""

    def number(self, at: int, column: str) -> float:
        """A value that must be a number."""
        text = self.text(at, column)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise DataError(f"{self.where(at, column)}: {text!r} is not a number")
        return value

    def file(self, at: int, column: str) -> Path:
        """A value that must name a file that is there."""
        text = self.text(at, column)
        if not text:
            raise DataError(f"{self.where(at, column)}: no file is named")
        path = self.path.parent / text
        if not path.exists():
            raise DataError(f"{self.where(at, column)}: {path} does not exist")
        return path

    def classes(self) -> tuple[list[int], tuple[str, ...]]:
        """Class of each row and the class names, in the order that was given or sorted."""
        column, named = self.said.label, tuple(self.said.classes or ())
        if column is None:
            return [-1] * len(self.rows), named
        values = self.rows[column]
        blank = (values.str.strip() == "").to_numpy()
        gaps = np.flatnonzero(blank)
        if len(gaps) and not self.said.unlabelled:
            raise DataError(
                f"{self.where(int(gaps[0]), column)}: the label is empty"
                + (f" (so are {len(gaps) - 1} more)" if len(gaps) > 1 else "")
                + "; fill it in, leave such rows out with keep, or say unlabelled = true"
            )
        kept = [str(value) for value in self.said.keep.get(column, ())]
        present = set(values[~blank])
        classes = [name for name in kept if name in present] or sorted(present, key=natural_key)
        if named:
            strange = np.flatnonzero(~blank & ~values.isin(named).to_numpy())
            if len(strange):
                at = int(strange[0])
                raise DataError(
                    f"{self.where(at, column)}: {self.text(at, column)!r} is not among the "
                    f"classes {', '.join(named)}"
                )
            classes = list(named)
        codes = {name: code for code, name in enumerate(classes)}
        return [codes.get(value, -1) for value in values], tuple(classes)
