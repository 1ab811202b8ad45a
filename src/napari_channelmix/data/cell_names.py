"""What a cell is called, in the window and outside: its id, with its field of view."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["cell_name"]

# Letters of the name of a field of view.
MOST = 24


def cell_name(cells: Cells, cell: int) -> str:
    """The id of a cell, such as '12', or '12 (z=3)' where there are several fields of view.

    Parameters
    ----------
    cells : Cells
    cell : int
        Its position in the cells; see `Cells.name_of`.
    """
    name = cells.name_of(cell)
    # Where each field of view is one cell, there is nothing to be told apart.
    if not 1 < len(cells.fields) < len(cells):
        return name
    return f"{name} ({_short(cells.fields[int(cells.table['field'].iloc[cell])].name)})"


def _short(name: str) -> str:
    """The end of a path or of a long name, which tells it from others."""
    text = PurePath(name.rpartition(": ")[2]).name or name
    return text if len(text) <= MOST else f"…{text[-MOST + 1 :]}"
