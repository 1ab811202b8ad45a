"""What a cell is called in the window: by the id that the user knows from the layer."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["cell_id", "cell_name"]

# Letters of the name of a field of view.
MOST = 24


def cell_id(cells: Cells, index: int) -> int:
    """The id of a cell: its label, or the id or row of its point.

    Where several cells of a field of view have one id, as where none has any, its row in the table.
    """
    table = cells.table
    objects, fields = table["object"].to_numpy(np.int64), table["field"].to_numpy()
    same = (objects == objects[index]) & (fields == fields[index])
    # Label images have no label 0: only a point that is known by its row may be called so.
    known = objects[index] > 0 or cells.fields[int(fields[index])].labels is None
    several = np.count_nonzero(same) > 1 or (objects[index] == 0 and not objects.any())
    return int(objects[index]) if known and not (several and len(cells) > 1) else int(index)


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
