"""The columns of the table of cells, each an array: a million cells need no million objects.

Texts that repeat (fields of view, groups, classes) are codes into a short list of categories.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.csv_text import escaped
from napari_channelmix.data.identifier_columns import names_of_keys
from napari_channelmix.phenotypes.held_out import NO, SAME_GROUP, UNKNOWN, YES
from napari_channelmix.report.cell_table import margins

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from napari_channelmix.report.results_by_cell import ResultsByCell

__all__ = ["Column", "columns_of", "csv_field", "key_columns_of"]

IntArray = npt.NDArray[np.int64]

# Of a text that needs no quotes in CSV, whether columns are parted by commas or tabs.
_PLAIN = re.compile(r'[^,"\t\r\n]*').fullmatch
MARKS = (YES, SAME_GROUP, NO, UNKNOWN)


@dataclass(frozen=True, eq=False)
class Column:
    """A column of the table of cells.

    Attributes
    ----------
    name : str
    values : (n,) array
        Numbers, booleans, or with ``categories`` codes into them, -1 for none.
    categories : tuple of str or None
    """

    name: str
    values: npt.NDArray[Any]
    categories: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.values)

    def plain(self, rows: slice) -> npt.NDArray[Any]:
        """The values of some rows, texts as texts; empty for none."""
        values = self.values[rows]
        if self.categories is None:
            return values
        texts = np.array(["", *self.categories], dtype=object)
        return np.asarray(texts[values + 1])

    def fields(self, rows: slice, *, formulas: bool = False) -> list[str]:
        """The values of some rows as they stand in a CSV file.

        Parameters
        ----------
        rows : slice
        formulas : bool
            Leave texts as they are that a spreadsheet would take for formulas, in a file that is
            for no spreadsheet; else they are `escaped`.
        """
        values = self.values[rows]
        if self.categories is not None:
            texts = self._texts if formulas else self._escaped
            return [texts[code] for code in (values + 1).tolist()]
        if values.dtype.kind != "f":
            return [str(value) for value in values.tolist()]
        # A float of 32 bits has fewer digits than the same number as one of 64 bits.
        numbers = [*map(str, values.tolist() if values.dtype == np.float64 else values)]
        for place in np.flatnonzero(np.isnan(values)).tolist():
            numbers[place] = ""
        return numbers

    @cached_property
    def _escaped(self) -> list[str]:
        """Of no text, and of each category."""
        return [csv_field(text) for text in ("", *(self.categories or ()))]

    @cached_property
    def _texts(self) -> list[str]:
        return [csv_field(text, formulas=True) for text in ("", *(self.categories or ()))]


def csv_field(text: str, *, formulas: bool = False) -> str:
    """A text as it stands in a CSV file: `escaped`, and in quotes where it needs them.

    ``formulas`` leaves text as it is that a spreadsheet would take for a formula.

    Examples
    --------
    >>> csv_field("well A1"), csv_field("A, B"), csv_field("=1")
    ('well A1', '"A, B"', "'=1")
    """
    text = text if formulas else str(escaped(text))
    if _PLAIN(text):
        return text
    doubled = text.replace('"', '""')
    return f'"{doubled}"'


def columns_of(results: ResultsByCell) -> Iterator[Column]:
    """The columns of the chosen cells, in the order and with the names of `report.cell_table`.

    One after the other, so that not all are in memory at once.
    """
    cells, rows = results.cells, results.positions
    table = cells.table
    fields = table["field"].to_numpy(np.int64)[rows]
    yield Column("cell", rows)
    taken = ["cell"]

    def column(name: str, values: Any, categories: Sequence[str] | None = None) -> Column:
        taken.append(name)
        return Column(name, values, None if categories is None else tuple(categories))

    names, codes = _merged([field.name for field in cells.fields])
    yield column("field", codes[fields], names)
    yield column("field_name", fields, cells.field_names)
    yield column("object", table["object"].to_numpy(np.int64)[rows])
    yield column("y", table["y"].to_numpy(np.float64)[rows])
    yield column("x", table["x"].to_numpy(np.float64)[rows])
    yield column("at_border", cells.at_border[rows])
    yield column("group", *_coded(table["group"].to_numpy()[rows]))
    yield column("label", cells.labels[rows], cells.classes)
    if results.probabilities is not None:
        probabilities = results.probabilities[rows]
        yield column("training", _marks(results, rows), MARKS)
        yield column("prediction", probabilities.argmax(axis=1).astype(np.int64), results.classes)
        yield column("margin", margins(probabilities))
        for code, name in enumerate(results.classes):
            yield column(f"probability of {name}", probabilities[:, code])
    if results.latents is not None:
        for index, name in enumerate(results.latents.names):
            yield column(f"latent {name}", results.latents.values[rows, index])
    yield from key_columns_of(results, taken)


def key_columns_of(results: ResultsByCell, taken: Sequence[str] = ()) -> Iterator[Column]:
    """The user's own columns, as `names_of_keys` calls them beside those that are ``taken``."""
    keys = results.cells.keys
    names = names_of_keys(map(str, keys), taken)
    for name in keys:
        yield Column(names[str(name)], *_coded(keys[name].to_numpy()[results.positions]))


def _marks(results: ResultsByCell, rows: IntArray) -> IntArray:
    """Codes into `MARKS`."""
    codes = np.full(len(rows), MARKS.index(UNKNOWN), np.int64)
    if results.training is not None:
        marks = np.asarray(results.training)[rows]
        for code, mark in enumerate(MARKS):
            codes[marks == mark] = code
    return codes


def _coded(texts: npt.NDArray[Any]) -> tuple[IntArray, tuple[str, ...]]:
    """Codes of texts, and the texts in the order in which they first come."""
    import pandas as pd

    codes, categories = pd.factorize(texts)
    return codes.astype(np.int64), tuple(str(text) for text in categories)


def _merged(names: Sequence[str]) -> tuple[tuple[str, ...], IntArray]:
    """Names without those that come twice, and where each of the names is among them."""
    own = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return tuple(own), np.array([own[name] for name in names], dtype=np.int64)
