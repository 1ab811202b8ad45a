"""Results tables of ImageJ: a row per measured region, whose label begins with the image's name.

Centroids (X, Y) and centres of mass (XM, YM) are in the unit of the image, which the table does not
name, and count from the corner of the first pixel.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.scan.parsed_table import ParsedTable
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.table_columns import IMAGE_SUFFIX

if TYPE_CHECKING:
    from napari_channelmix.data.table_files import TextTable

__all__ = ["parse_imagej"]

# What follows the name of the image: the region, the slice.
_REGION = re.compile(r"(\.[A-Za-z0-9]{2,5}):.*$")
_PLACES = (("X", "Y"), ("XM", "YM"))
_MEASURED = {"Area", "Mean", "StdDev", "Mode", "Min", "Max", "Perim.", "Circ.", "Feret", "IntDen"}


def parse_imagej(table: TextTable) -> ParsedTable | None:
    """Understand a results table of ImageJ, or give None for another table.

    Parameters
    ----------
    table : TextTable
    """
    rows = table.rows
    places = next((pair for pair in _PLACES if {*pair} <= {*rows.columns}), None)
    measured = _MEASURED & {*map(str, rows.columns)}
    if places is None or "Label" not in rows or not measured:
        return None
    files = rows["Label"].map(lambda text: _REGION.sub(r"\1", text.strip()))
    if not all(IMAGE_SUFFIX.search(text) for text in files):
        return None
    own = str(rows.columns[0])
    # The first column, without a name, numbers the rows.
    kept = [name for name in rows if name not in measured and name not in ("X", "Y", "XM", "YM")]
    frame = rows[[name for name in kept if name != own or not own.startswith("Unnamed")]].copy()
    frame.insert(0, "image", files)
    frame["x"], frame["y"] = rows[places[0]], rows[places[1]]
    return ParsedTable(
        "ImageJ results",
        Path(table.path),
        frame,
        {"image": Role.IMAGE, "Label": Role.KEY, "x": Role.X, "y": Role.Y},
        table.separator,
        unit_asked=True,
        corner=True,
        measurements=len(measured),
        notes=table.warnings,
    )
