"""Cells are called by the id the user knows, and by their field of view where it matters."""

from __future__ import annotations

import numpy as np

from napari_channelmix.data import Cells
from napari_channelmix.data.cell_names import cell_name


def labelled(*ids: int, name: str = "image") -> Cells:
    labels = np.zeros((20, 20 * len(ids)), np.int64)
    for place, number in enumerate(ids):
        labels[5:15, 20 * place + 5 : 20 * place + 15] = number
    return Cells.from_labels([labels], ["DNA"], labels, crop=8, name=name)


def test_a_cell_is_called_by_its_label() -> None:
    cells = labelled(40, 7, 2**40)
    assert {cell_name(cells, i) for i in range(3)} == {"40", "7", str(2**40)}


def test_its_field_of_view_is_named_where_there_are_several() -> None:
    both = Cells.together([labelled(3, 4, name="a/b/well A03.tif"), labelled(3, name="film: z=1")])
    assert [cell_name(both, i) for i in range(3)] == [
        "3 (well A03.tif)",
        "4 (well A03.tif)",
        "3 (z=1)",
    ]
    crops = Cells.from_array(np.zeros((3, 1, 8, 8)), ["DNA"])
    assert cell_name(crops, 2) == "2"
