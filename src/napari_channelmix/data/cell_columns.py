"""The columns that tables of cells begin with: which cell it is, where, its group and class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from napari_channelmix.data.cell_boxes import CellBoxes

__all__ = ["columns_of_cells"]


def columns_of_cells(cells: CellBoxes) -> dict[str, Any]:
    """Columns of N values: arrays and lists.

    ``cell`` (its position), ``field`` (as messages name it), ``field_name`` (the short name, see
    `CellBoxes.field_names`), ``object`` (its id, 0 for none), ``y`` and ``x`` (its centre in
    pixels; pixel centres are whole numbers), ``at_border`` (its crop reaches over the border of
    the image), ``group``, ``label`` (its class, empty for none).
    """
    fields = cells.table["field"].tolist()
    return {
        "cell": np.arange(len(cells)),
        "field": [cells.fields[index].name for index in fields],
        "field_name": [cells.field_names[index] for index in fields],
        "object": cells.table["object"].to_numpy(np.int64),
        "y": cells.centres[:, 0],
        "x": cells.centres[:, 1],
        "at_border": cells.at_border,
        "group": cells.groups,
        "label": [cells.classes[code] if code >= 0 else "" for code in cells.labels.tolist()],
    }
