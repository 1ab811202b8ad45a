"""Measurement tables of QuPath: centres of detections, in micrometres or pixels, and their classes.

QuPath counts from the corner of the first pixel, which is half a pixel before its middle.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.errors import DataError
from napari_channelmix.scan.parsed_table import ParsedTable, is_given
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.table_files import TextTable

__all__ = ["class_of_qupath", "parse_qupath"]

# What QuPath calls the kinds of its objects, before version 0.5 and since.
_NOT_CELLS = re.compile(r"(path)?(annotation|root|image|tmacore|tma core)(object)?", re.IGNORECASE)
# What QuPath puts behind the name of a file that holds several images.
_SERIES = re.compile(r"(\.[A-Za-z0-9]{2,6}) +-+ +.*$")
_MICROMETRES = re.compile(r"centroid ?([xy]) ?(?:µm|um|microns?|micrometers?)", re.IGNORECASE)
_PIXELS = re.compile(r"centroid ?([xy]) ?(?:px|pixels?)", re.IGNORECASE)
# Columns that are kept to join results with.
_KEYS = ("Object ID", "Name", "Parent", "TMA core", "TMA Core", "Object type")


def parse_qupath(table: TextTable) -> ParsedTable | None:
    """Understand detection measurements of QuPath, or give None for another table.

    Parameters
    ----------
    table : TextTable

    Raises
    ------
    DataError
        No row has a centre.
    """
    rows, path = table.rows, Path(table.path)
    centres = {kind: _centres(rows, kind) for kind in (_PIXELS, _MICROMETRES)}
    kind = next((kind for kind, columns in centres.items() if len(columns) == 2), None)
    if "Image" not in rows or kind is None:
        return None
    notes, left_out = list(table.warnings), []
    kinds = rows.get("Object type", None)
    if kinds is not None:
        other = kinds.map(lambda text: bool(_NOT_CELLS.fullmatch(text.strip())))
        # Cells that were drawn by hand are annotations, and then there is nothing else.
        if other.any() and not other.all():
            left_out.append(
                LeftOut(path.name, f"{counted(int(other.sum()), 'row')} of annotations")
            )
            rows = rows[~other]
    columns = centres[kind]
    given = is_given(rows[columns["x"]]) & is_given(rows[columns["y"]])
    if not given.all():
        first = rows.index[~given][0]
        left_out.append(
            LeftOut(
                path.name,
                f"{counted(int((~given).sum()), 'row')} without a centre (first: line {first})",
            )
        )
        rows = rows[given]
    if rows.empty:
        raise DataError(f"{table.path}: no row has a centre; export detections, not annotations")
    files = rows["Image"].map(lambda text: _SERIES.sub(r"\1", text.strip()))
    if (files != rows["Image"].str.strip()).any():
        notes.append(
            f"names of images are read without what QuPath puts behind them: "
            f"{quoted(rows['Image'][files != rows['Image'].str.strip()].iloc[0], 80)} is "
            f"{quoted(files[files != rows['Image'].str.strip()].iloc[0], 80)}"
        )
    label = next((name for name in ("Classification", "Class") if name in rows), None)
    kept = [name for name in _KEYS if name in rows]
    frame = rows[kept].copy()
    frame.insert(0, "Image", files)
    frame["x"], frame["y"] = rows[columns["x"]], rows[columns["y"]]
    roles = {"Image": Role.IMAGE, "x": Role.X, "y": Role.Y} | dict.fromkeys(kept, Role.KEY)
    if label is not None and is_given(rows[label]).any():
        frame[label] = rows[label].map(class_of_qupath)
        roles[label] = Role.CLASS
    return ParsedTable(
        "QuPath detections",
        path,
        frame,
        roles,
        table.separator,
        micrometres=kind is _MICROMETRES,
        corner=True,
        left_out=tuple(left_out),
        notes=tuple(notes),
    )


def class_of_qupath(text: str) -> str:
    """A class as QuPath names it; its own word for none is none."""
    return "" if text.strip().casefold() in ("unclassified", "null class") else text.strip()


def _centres(rows: pd.DataFrame, kind: re.Pattern[str]) -> dict[str, str]:
    """Columns of x and y; of a cell's centre and its nucleus's, that of the cell."""
    columns: dict[str, str] = {}
    for name in map(str, rows.columns):
        # The sign for micro is one of two characters, and a wrong encoding puts an Â before it.
        plain = unicodedata.normalize("NFKC", name).replace("μ", "µ").replace("Â", "")
        match = kind.fullmatch(" ".join(plain.split()))
        if match:
            columns.setdefault(match[1].lower(), name)
    return columns
