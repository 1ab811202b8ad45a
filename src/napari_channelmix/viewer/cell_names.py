"""What a cell is called in the window: by the id that the user knows from the layer."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["cell_id", "cell_ids", "cell_name"]

# Letters of the name of a field of view.
MOST = 24


def cell_ids(cells: Cells) -> npt.NDArray[np.int64]:
    """The id of every cell (N,); see `cell_id`."""
    table = cells.table
    objects = table["object"].to_numpy(np.int64)
    twice = table.duplicated(["field", "object"], keep=False).to_numpy()
    labelled = np.array([field.labels is not None for field in cells.fields])
    nameless = (objects == 0) & (labelled[table["field"].to_numpy(np.int64)] | (not objects.any()))
    return np.where((twice | nameless) & (len(cells) > 1), np.arange(len(cells)), objects)


def cell_id(cells: Cells, index: int) -> int:
    """The id of a cell: its label, or the id or row of its point.

    Where several cells of a field of view have one id, as where none has any, its row in the table.
    """
    return int(cell_ids(cells)[index])


def cell_name(cells: Cells, index: int, *, capital: bool = False) -> str:
    """A cell in words, such as 'cell 12'; with its field of view where there are several.

    Parameters
    ----------
    cells : Cells
    index : int
        Its position in the cells.
    capital : bool
        Whether it begins a line.
    """
    word = "Cell" if capital else "cell"
    name = f"{word} {cell_id(cells, index)}"
    if len(cells.fields) < 2 or len(cells.fields) == len(cells):
        # Where each field is one cell, the row says it all.
        return name
    return f"{name} ({_short(cells.fields[int(cells.table['field'].iloc[index])].name)})"


def _short(name: str) -> str:
    """The end of a path or of a long name, which tells it from others."""
    text = PurePath(name.rpartition(": ")[2]).name or name
    return text if len(text) <= MOST else f"…{text[-MOST + 1 :]}"
