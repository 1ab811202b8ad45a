"""Classes of wells: in a table of wells, or in a table shaped like the plate.

1. A table says of each well, in a row of its own, which class it has (``well,class``); or it is
   shaped like the plate: letters down its first column, numbers along its head.
2. Wells are compared as ``A01``, whatever their case and zeros (`wells.well_name`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.table_files import read_table
from napari_channelmix.data.values import similar_warnings
from napari_channelmix.errors import DataError
from napari_channelmix.scan.described import class_text
from napari_channelmix.scan.table_columns import image_columns, plain
from napari_channelmix.scan.wells import well_name, well_of
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.table_files import TextTable

__all__ = [
    "CLASS_COLUMN",
    "LayoutColumns",
    "PlateLayout",
    "Well",
    "is_layout",
    "is_meant_as_layout",
    "layout_columns",
    "read_layout",
    "well_at",
    "well_place",
]

# Plate ("" where there is one, or for all of them) and well, as A01.
Well = tuple[str, str]

# Column of a scan that holds the classes of wells.
CLASS_COLUMN = "class"
# Of a plate with 1,536 wells, the largest that is sold.
MOST_ROWS, MOST_COLUMNS = 32, 48
# More are measurements rather than classes.
MOST_CLASSES = 100
# Bytes of a table.
LARGEST = 4 * 2**20
SUFFIXES = (".csv", ".tsv", ".txt")
# Columns of tables of cells.
OF_CELLS = ("imagenumber", "objectnumber", "x", "y")
# Share of the values that have to be wells in a column of wells.
WELLS_IN_COLUMN = 0.9

WELL_NAMES = ("well", "wellname", "wellid", "wellposition", "position", "metadatawell")
PLATE_NAMES = ("plate", "plateid", "platename", "barcode", "platebarcode", "metadataplate")
CLASS_NAMES = ("class", "label", "phenotype", "treatment", "condition", "compound", "group")
# Beside any of the others, these hold the classes.
SURE = ("class", "label")

_NOT_LETTERS = re.compile(r"[^a-z0-9]")


def well_place(name: str) -> tuple[int, int] | None:
    """Row and column of a well, both from 0; None where a text names no well.

    Examples
    --------
    >>> well_place("B03"), well_place("ab7"), well_place("B99"), well_place("DMSO")
    ((1, 2), (27, 6), None, None)
    """
    well = well_name(name)
    return None if well is None else _place_in(well)


def _place_in(well: str) -> tuple[int, int]:
    """The place of a well that is called as `wells.well_name` calls it."""
    letters = well[:-2]
    row = ord(letters[-1]) - ord("A") + (26 if len(letters) == 2 else 0)
    return row, int(well[-2:]) - 1


def well_at(row: int, column: int) -> str:
    """Name of the well in a row and a column, both from 0.

    Examples
    --------
    >>> well_at(1, 2), well_at(27, 6)
    ('B03', 'AB07')
    """
    letters = chr(ord("A") + row) if row < 26 else f"A{chr(ord('A') + row - 26)}"
    return f"{letters}{column + 1:02d}"


@dataclass(frozen=True, eq=False)
class PlateLayout:
    """The class of each well.

    Attributes
    ----------
    classes : dict of (str, str) to str
        Class by plate and well (``A01``); plate ``""`` stands for every plate.
    source : str
        Name of the table; empty where classes were given by hand.
    column : str
        Its column of the classes; empty where it has the shape of the plate.
    warnings : tuple of str
    """

    classes: Mapping[Well, str] = field(default_factory=dict)
    source: str = ""
    column: str = ""
    warnings: tuple[str, ...] = ()

    def of(self, plate: str, well: str) -> str:
        """Class of a well; empty where it has none."""
        own = self.classes.get((plate, well))
        return self.classes.get(("", well), "") if own is None else own


@dataclass(frozen=True)
class LayoutColumns:
    """Which column of a table of wells says what; empty: none is known.

    Attributes
    ----------
    well, value, plate : str
        Columns of the wells, of their classes and of their plates.
    options : tuple of str
        Columns that may hold the classes.
    shaped : bool
        Whether the table has the shape of the plate; it then needs no columns.
    """

    well: str = ""
    value: str = ""
    plate: str = ""
    options: tuple[str, ...] = ()
    shaped: bool = False


def layout_columns(table: TextTable) -> LayoutColumns:
    """What the columns of a table of wells say, by their names and by what is in them.

    Parameters
    ----------
    table : TextTable

    Returns
    -------
    LayoutColumns
        ``value`` is empty where several columns may hold the classes and none is called class.
    """
    rows = table.rows
    if _is_shaped(table):
        return LayoutColumns(shaped=True)
    plain = {str(name): _NOT_LETTERS.sub("", str(name).casefold()) for name in rows.columns}
    wells = [name for name in plain if _holds_wells(rows[name])]
    well = next((name for name in wells if plain[name] in WELL_NAMES), "")
    well = well or (wells[0] if len(wells) == 1 else "")
    plate = next((name for name in plain if plain[name] in PLATE_NAMES), "")
    others = tuple(name for name in plain if name not in (well, plate, *wells))
    named = [name for each in CLASS_NAMES for name in others if plain[name] == each]
    sure = named[:1] if len(named) == 1 or (named and plain[named[0]] in SURE) else ()
    value = next(iter(sure or (others if len(others) == 1 else ())), "")
    return LayoutColumns(well, value, plate, others)


def read_layout(
    path: str | Path, *, well: str = "", value: str = "", plate: str | None = None
) -> PlateLayout:
    """Read the classes of wells from a table.

    Parameters
    ----------
    path : path
        CSV or TSV: a row for each well, or a table shaped like the plate (letters in its first
        column, numbers in its head).
    well, value, plate : str
        Columns of the wells, classes and plates; by default those that `layout_columns` knows. An
        empty ``plate`` stands for a table that is the same for every plate.

    Returns
    -------
    PlateLayout

    Raises
    ------
    DataError
        One line: no column of wells, several that may hold the classes, a well with two classes,
        a text that names no well, or more than 100 classes.
    """
    path = Path(path)
    table = read_table(path, ("well", "class"))
    known = layout_columns(table)
    if known.shaped and not (well or value):
        classes, value = _shaped(table), ""
    else:
        well, value = well or known.well, value or known.value
        if not well:
            raise DataError(
                f"{path}: no column holds wells such as A01 or B12; it has "
                f"{listed(table.rows.columns)}; choose the column of the wells"
            )
        if not value:
            options = listed(map(quoted, known.options)) or "no column"
            raise DataError(
                f"{path}: the classes may be in {options}; choose the column of the classes, or "
                "call it 'class'"
            )
        plates = known.plate if plate is None else plate
        classes = _by_rows(table, table.column(well), table.column(value), plates)
    names = list(classes.values())
    if not names:
        raise DataError(f"{path}: no well has a class; fill in the column of the classes")
    counts = {name: names.count(name) for name in dict.fromkeys(names)}
    if len(counts) > MOST_CLASSES:
        raise DataError(
            f"{path}: {len(counts):,} different values; these look like measurements, not classes; "
            "choose the column of the classes"
        )
    warnings = (*table.warnings, *similar_warnings(counts, "classes"))
    return PlateLayout(classes, path.name, value, warnings)


def _by_rows(table: TextTable, well: str, value: str, plate: str) -> dict[Well, str]:
    classes: dict[Well, str] = {}
    lines: dict[Well, int] = {}
    plates = table.rows[table.column(plate)] if plate else [""] * len(table.rows)
    rows = zip(table.rows.index, table.rows[well], table.rows[value], plates, strict=True)
    for line, name, text, of_plate in rows:
        class_of = class_text(text)
        if not class_of:
            continue
        name_of_well = well_name(name)
        if name_of_well is None:
            raise DataError(
                f"{table.path}, line {line}, column {quoted(well)}: {quoted(name)} is no well; "
                "wells are called A01 to AF48"
            )
        key = (of_plate.strip(), name_of_well)
        if classes.setdefault(key, class_of) != class_of:
            raise DataError(
                f"{table.path}, line {line}: well {key[1]} is {quoted(class_of)} here and "
                f"{quoted(classes[key])} in line {lines[key]}; leave one row of each well"
            )
        lines.setdefault(key, line)
    return classes


def _is_shaped(table: TextTable) -> bool:
    rows = table.rows
    if not 2 <= len(rows.columns) <= MOST_COLUMNS + 1 or not 1 <= len(rows) <= MOST_ROWS:
        return False
    first, *others = rows.columns
    wells = [well_of(text, str(name)) for text in rows[first] for name in others]
    return (
        not any(text.strip().isdecimal() for text in rows[first])
        and None not in wells
        and len(set(wells)) == len(wells)
    )


def _shaped(table: TextTable) -> dict[Well, str]:
    first, *others = table.rows.columns
    classes: dict[Well, str] = {}
    for _, row in table.rows.iterrows():
        for name in others:
            class_of, well = class_text(row[name]), well_of(row[first], str(name))
            if class_of and well is not None:
                classes["", well] = class_of
    return classes


def _holds_wells(texts: pd.Series[str]) -> bool:
    values = [text for text in texts.unique() if text.strip()]
    wells = sum(well_name(text) is not None for text in values)
    return bool(values) and wells >= WELLS_IN_COLUMN * len(values)


def is_layout(path: str | Path) -> bool:
    """Whether a file is a small table of the classes of wells, and nothing else in doubt."""
    if not is_meant_as_layout(path):
        return False
    try:
        read_layout(path)
    except DataError:
        return False
    return True


def is_meant_as_layout(path: str | Path) -> bool:
    """Whether a file is a small table with columns of wells and their classes, right or wrong."""
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        return False
    try:
        if path.stat().st_size > LARGEST:
            return False
        table = read_table(path, ("well", "class"))
    except (DataError, OSError):
        return False
    known = layout_columns(table)
    # A table that names images or cells is read as one of these.
    of_others = any(image_columns(table.rows)) or any(
        plain(str(name)) in OF_CELLS for name in table.rows.columns
    )
    return known.shaped or (bool(known.well and known.value) and not of_others)
