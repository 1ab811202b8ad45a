"""Cells that stand for a large data set."""

import numpy as np
import pytest

from napari_channelmix.errors import DataError
from napari_channelmix.run.cell_choice import chosen_cells


def test_chosen_cells_are_one_from_each_stretch():
    chosen = chosen_cells(1000, 7, seed=1)
    assert [int(i * 7 // 1000) for i in chosen] == list(range(7))
    assert chosen.tolist() == chosen_cells(1000, 7, seed=1).tolist()
    # No fixed step, which could meet the same column of each plate.
    assert len(set(np.diff(chosen_cells(960, 80)) % 12)) > 6
    assert chosen_cells(5, None).tolist() == chosen_cells(5, 9).tolist() == [0, 1, 2, 3, 4]
    with pytest.raises(DataError, match="limit must be 1 or more"):
        chosen_cells(5, 0)
