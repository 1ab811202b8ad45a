"""Training cells among the held-out ones: the same pixels, whatever the cells are called."""

from __future__ import annotations

from typing import TYPE_CHECKING

from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    from napari_channelmix.classify.pixels import Selection

__all__ = ["refuse_copies"]


def refuse_copies(train: Selection, test: Selection) -> None:
    """Refuse held-out cells whose crops are, pixel by pixel, those of training cells.

    Crops that are one value all over are no copies of each other.

    Raises
    ------
    DataError
        With the number of such cells and one of them.
    """
    learnt = {digest: row for row, digest in enumerate(train.digests.tolist()) if digest}
    copies = [
        (row, learnt[digest])
        for row, digest in enumerate(test.digests.tolist())
        if digest in learnt
    ]
    if copies:
        copy, trained = copies[0]
        raise DataError(
            f"{test.cells.name}: {counted(len(copies), 'held-out cell', 'have')} the same pixels "
            f"as training cells, such as {_place(test, copy)} and {_place(train, trained)}; leave "
            "the copies out, or give a cell and its copy the same group"
        )


def _place(side: Selection, row: int) -> str:
    cells = side.cells
    field = cells.fields[int(cells.table["field"].iloc[row])].name
    group = str(cells.groups[row])
    return f"cell {cells.name_of(row)} of {quoted(field)} (group {quoted(group)})"
