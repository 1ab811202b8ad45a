"""The columns that tables of cells begin with: which cell it is, where, its group and class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_channelmix.data.cell_boxes import CellBoxes

__all__ = ["columns_of_cells"]


def columns_of_cells(cells: CellBoxes) -> dict[str, Any]:
    """Columns of N values: arrays, those of texts of objects.

    ``cell`` (its position), ``field`` (as messages name it), ``field_name`` (the short name, see
    `CellBoxes.field_names`), ``object`` (its id, 0 for none), ``y`` and ``x`` (its centre in
    pixels; pixel centres are whole numbers), ``at_border`` (its crop reaches over the border of
    the image), ``group``, ``label`` (its class, empty for none).
    """
    fields = cells.table["field"].to_numpy(np.int64)
    # Behind the names of the classes stands that of none, as -1 is the last.
    classes = np.array([*cells.classes, ""], dtype=object)
    return {
        "cell": np.arange(len(cells)),
        "field": np.array([field.name for field in cells.fields], dtype=object)[fields],
        "field_name": np.array(cells.field_names, dtype=object)[fields],
        "object": cells.table["object"].to_numpy(np.int64),
        "y": cells.centres[:, 0],
        "x": cells.centres[:, 1],
        "at_border": cells.at_border,
        "group": cells.table["group"].astype(str).to_numpy(dtype=object),
        "label": classes[cells.labels],
    }
