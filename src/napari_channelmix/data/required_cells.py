"""What takes cells refuses anything else, in one line."""

from __future__ import annotations

from typing import Any

from napari_channelmix.data.cell_boxes import CellBoxes
from napari_channelmix.errors import DataError

__all__ = ["refuse_no_cells"]


def refuse_no_cells(cells: Any) -> None:
    """Refuse what is no `Cells`.

    Raises
    ------
    DataError
        An array, a list, a path and the like; the line says how to make cells of it.
    """
    if isinstance(cells, CellBoxes):
        return
    way = "open the data set with open_dataset" if isinstance(cells, str) else ""
    raise DataError(
        f"cells must be Cells, not {type(cells).__name__}; "
        f"{way or 'make them of an array with Cells.from_array'}"
    )
