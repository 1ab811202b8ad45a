"""Boxes and tiles of a table: cells at their middles, and crops as large as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.table_files import decimal_comma_of
from napari_channelmix.data.values import number
from napari_channelmix.errors import DataError
from napari_channelmix.scan.parsed_table import text_of
from napari_channelmix.scan.table_columns import plain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Boxes", "boxes_of"]

# Names of ymin, xmin, ymax, xmax: half-open ranges of pixels, as scikit-image has them.
_CORNERS = (
    ("ymin", "xmin", "ymax", "xmax"),
    ("miny", "minx", "maxy", "maxx"),
    ("bbox0", "bbox1", "bbox2", "bbox3"),
    ("y1", "x1", "y2", "x2"),
    ("top", "left", "bottom", "right"),
    ("bboxymin", "bboxxmin", "bboxymax", "bboxxmax"),
    ("areashapeboundingboxminimumy", "areashapeboundingboxminimumx",
     "areashapeboundingboxmaximumy", "areashapeboundingboxmaximumx"),
)  # fmt: skip
# Names of the first pixel in y and x, and of height and width, or of the one side.
_SIDES = (
    ("top", "left", "height", "width"),
    ("bboxy", "bboxx", "bboxh", "bboxw"),
    ("bboxy", "bboxx", "bboxheight", "bboxwidth"),
    ("y0", "x0", "size", "size"),
    ("y0", "x0", "tilesize", "tilesize"),
)


@dataclass(frozen=True, eq=False)
class Boxes:
    """Cells that a table gives as boxes.

    Attributes
    ----------
    columns : tuple of str
        The columns that are used.
    y, x : (N,) float arrays
        Middles in pixels.
    sides : (N,) float array
        Longer side of each box; 0 and less where it has no area.
    """

    columns: tuple[str, ...]
    y: npt.NDArray[np.float64]
    x: npt.NDArray[np.float64]
    sides: npt.NDArray[np.float64]

    def texts(self, axis: str) -> list[str]:
        """Middles along an axis, as a table holds them."""
        return [text_of(value) for value in (self.y if axis == "y" else self.x)]


def boxes_of(frame: pd.DataFrame, separator: str) -> Boxes | None:
    """The boxes of a table, or None where it has no columns of them.

    The middle of a half-open range from a to b is (a + b - 1) / 2, as in data-set files.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of texts.
    separator : str
        What divides the columns of the table.
    """
    by_name: dict[str, str] = {}
    for name in map(str, frame.columns):
        by_name.setdefault(plain(name), name)
    for names, sized in ((_CORNERS, False), (_SIDES, True)):
        for wanted in names:
            values = _values(frame, by_name, wanted, separator)
            if values is None:
                continue
            y, x, last_y, last_x = values
            height, width = (last_y, last_x) if sized else (last_y - y, last_x - x)
            sides = np.where(np.minimum(height, width) > 0, np.maximum(height, width), 0.0)
            columns = tuple(dict.fromkeys(by_name[name] for name in wanted))
            return Boxes(columns, y + (height - 1) / 2, x + (width - 1) / 2, sides)
    return None


def _values(
    frame: pd.DataFrame, by_name: Mapping[str, str], wanted: Sequence[str], separator: str
) -> list[npt.NDArray[np.float64]] | None:
    if not all(name in by_name for name in wanted):
        return None
    columns = []
    for name in wanted:
        texts = frame[by_name[name]].tolist()
        try:
            comma, _ = decimal_comma_of(texts, separator)
            columns.append(np.array([number(text, decimal_comma=comma) for text in texts]))
        except DataError:
            return None
    return columns
