"""Cells are called by the id the user knows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from napari_channelmix.data import Cells
from napari_channelmix.viewer.cell_box import CellBox
from napari_channelmix.viewer.cell_names import cell_id, cell_ids, cell_name


def labelled(*ids: int, name: str = "image") -> Cells:
    labels = np.zeros((20, 20 * len(ids)), np.int64)
    for place, number in enumerate(ids):
        labels[5:15, 20 * place + 5 : 20 * place + 15] = number
    return Cells.from_labels([labels], ["DNA"], labels, crop=8, name=name)


def test_a_cell_is_called_by_its_label() -> None:
    cells = labelled(40, 7, 2**40)
    assert cell_ids(cells).tolist() == cells.table["object"].tolist()
    assert cell_name(cells, cells.table["object"].tolist().index(40)) == "cell 40"
    assert cell_name(labelled(7), 0, capital=True) == "Cell 7"


def test_its_field_of_view_is_named_where_there_are_several() -> None:
    both = Cells.together([labelled(3, 4, name="a/b/well A03.tif"), labelled(3, name="z=1")])
    assert [cell_name(both, i) for i in range(3)] == [
        "cell 3 (well A03.tif)", "cell 4 (well A03.tif)", "cell 3 (z=1)"
    ]  # fmt: skip


def test_cells_without_ids_are_called_by_their_rows() -> None:
    crops = Cells.from_array(np.zeros((3, 1, 8, 8)), ["DNA"])
    assert [cell_id(crops, i) for i in range(3)] == [0, 1, 2]
    planes = [np.zeros((20, 20))]
    points = Cells.from_points(planes, ["DNA"], [(5, 5), (9, 9), (12, 12)], crop=8)
    assert cell_ids(points).tolist() == [0, 1, 2]
    # The rows of points in their layer, of which some are no cells.
    rows = replace(points, table=points.table.assign(object=[0, 2, 5]))
    assert cell_ids(rows).tolist() == [0, 2, 5]


def test_a_box_shows_and_finds_ids(qtbot: Any) -> None:
    box, told = CellBox(), list[int]()
    qtbot.addWidget(box)
    box.set_cells(Cells.together([labelled(30, 7), labelled(7, 8, name="other")]))
    box.valueChanged.connect(told.append)
    box.lineEdit().selectAll()
    qtbot.keyClicks(box, "8")
    qtbot.keyClick(box, "\r")
    assert box.value() == 3 and box.text() == "8"
    # Of the same image where there is one.
    box.lineEdit().selectAll()
    qtbot.keyClicks(box, "7")
    qtbot.keyClick(box, "\r")
    assert box.value() == 2
    # What is no cell changes nothing.
    box.lineEdit().selectAll()
    qtbot.keyClicks(box, "99")
    qtbot.keyClick(box, "\r")
    assert told == [3, 2] and box.text() == "7"
