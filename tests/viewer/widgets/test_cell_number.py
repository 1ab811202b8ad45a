"""The box for a cell shows and takes the id that the user knows, never our own row number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("qtpy")

from napari_channelmix.data import Cells
from napari_channelmix.viewer.widgets.cell_number import CellNumber


def labelled(*ids: int) -> Cells:
    labels = np.zeros((20, 20 * len(ids)), np.int64)
    for place, one in enumerate(ids):
        labels[5:15, 20 * place + 5 : 20 * place + 15] = one
    return Cells.from_labels([np.zeros(labels.shape)], ["A"], labels, crop=8, name=f"to {ids[-1]}")


def test_ids_are_shown_and_typed(qtbot: Any) -> None:
    box = CellNumber()
    qtbot.addWidget(box)
    box.show_cells(labelled(7, 3_000_000_000, 12))
    # In the order of their ids.
    assert [box.textFromValue(cell) for cell in range(3)] == ["7", "12", "3000000000"]
    assert box.text() == "7" and box.maximum() == 2
    box.lineEdit().setText("3000000000")
    box.interpretText()
    assert box.value() == 2
    # No cell has this id: nothing changes.
    box.lineEdit().setText("1")
    box.interpretText()
    assert (box.value(), box.text()) == (2, "3000000000")
    box.stepBy(-1)
    assert box.text() == "12"


def test_an_id_of_several_images_means_the_one_that_is_shown(qtbot: Any) -> None:
    box = CellNumber()
    qtbot.addWidget(box)
    box.show_cells(Cells.together([labelled(1, 2), labelled(2, 1, 9)]))
    box.setValue(4)
    assert box.text() == "9"
    assert box.valueFromText("1") == 2
    box.setValue(1)
    assert box.valueFromText("1") == 0 and box.valueFromText("9") == 4


def test_cells_without_ids_are_known_by_their_position(qtbot: Any) -> None:
    box = CellNumber()
    qtbot.addWidget(box)
    box.show_cells(Cells.from_points([np.zeros((30, 30))], ["A"], [(9, 9), (20, 20)], crop=8))
    assert box.textFromValue(1) == "1" and box.valueFromText("1") == 1
    box.show_cells(None)
    assert (box.text(), box.maximum()) == ("0", 0)


def test_a_cell_is_called_by_its_id_or_else_by_its_position() -> None:
    assert labelled(7, 9).name_of(1) == "9"
    assert Cells.from_array(np.zeros((3, 1, 4, 4)), ["A"]).name_of(2) == "2"
