"""Which column of a table of classes says what: told by its name, or named by the user."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING

from napari_channelmix.data.pairing import id_columns
from napari_channelmix.data.values import class_name, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.table_files import TextTable

__all__ = ["field_column", "id_column", "known_columns", "named_column"]

# Columns that tables of cells have where we wrote them.
OURS = {"field", "object", "y", "x"}
# Names in the order in which they count, as `_plain` gives them. CellProfiler, QuPath, skimage.
_KNOWN: dict[str, tuple[tuple[str, ...], ...]] = {
    "class": (("class",), ("classification", "phenotype", "annotation", "celltype", "classname")),
    "field": (("field",), ("fieldname",)),
    "y": (("y",), ("centroidy", "centery", "locationcentery", "posy", "ypos", "centroid0")),
    "x": (("x",), ("centroidx", "centerx", "locationcenterx", "posx", "xpos", "centroid1")),
}


def known_columns(table: TextTable) -> dict[str, str]:
    """Columns of a table of classes whose names say what they hold.

    Parameters
    ----------
    table : TextTable

    Returns
    -------
    dict of str to str
        Column of the ``class``, the ``id``, the ``field``, of ``y`` and ``x``; without those that
        no name tells, or more than one.
    """
    known: dict[str, str] = {}
    for key, names in _KNOWN.items():
        for group in names:
            columns = [each for each in map(str, table.rows.columns) if _plain(each) in group]
            if len(columns) == 1:
                known[key] = columns[0]
            if columns:
                break
    with suppress(DataError):
        known["id"] = id_column(table, None, known.get("class", ""))
    return known


def _plain(name: str) -> str:
    """A name without what stands between its words and without its unit."""
    return re.sub(r"[^a-z0-9]|px$|\bpx\b", "", name.casefold())


def field_column(table: TextTable, chosen: str | None) -> str | None:
    """The column of fields of view that was chosen; else ``field``, or ``field_name``."""
    if chosen is None:
        return _named(table, "field") or _named(table, "field_name")
    return named_column(table, chosen) if chosen else None


def _named(table: TextTable, name: str) -> str | None:
    """A column by its name, whatever its capitals; an exact match comes first."""
    columns = [str(each) for each in table.rows.columns if str(each).casefold() == name.casefold()]
    if not columns:
        return None
    if name not in columns and len(columns) > 1:
        raise DataError(
            f"{table.path}: columns {quoted(columns[0])} and {quoted(columns[1])} differ only in "
            "capitals; rename one of them"
        )
    return table.column(name if name in columns else columns[0])


def named_column(table: TextTable, name: str) -> str:
    """A column that must be there, whatever its capitals."""
    return _named(table, name) or table.column(name)


def id_column(table: TextTable, chosen: str | None, column: str) -> str:
    """The column of ids: the one that was chosen, or those of a known name, which must agree."""
    if chosen is not None:
        return named_column(table, chosen)
    if {*map(str, table.rows.columns)} >= OURS:
        # A table that we wrote: the user's columns beside it are to join on.
        return table.column("object")
    named = id_columns(table.rows, exclude=(column,), by_name=True)
    if not named:
        return table.column("object")
    # A column of texts that is called 'label' holds classes.
    known = [name for name in named if any(map(_is_id, table.rows[name].unique()))] or named
    columns = [table.rows[name].map(class_name) for name in known]
    if any(not columns[0].equals(other) for other in columns[1:]):
        raise DataError(
            f"{table.path}: columns {listed(map(quoted, known))} may all hold the ids, and differ; "
            "choose the column of ids, or leave one of them in the table"
        )
    return table.column("object" if "object" in known else known[0])


def _is_id(text: str) -> bool:
    try:
        return whole_number(text) is not None
    except DataError:
        return False
