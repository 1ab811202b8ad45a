"""One edit of some cells from Python."""

from __future__ import annotations

import numpy as np
import pytest

import napari_channelmix as cm
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.crops import cell_crops


def test_cells_are_read_and_edited() -> None:
    cells = synthetic_plate().cells.subset(slice(0, 5))
    edited = cm.edit(cells, "reporter brightness", 1.0)
    crops = cell_crops(cells)
    light = crops.pixels[:, 1] - crops.background[:, 1, None, None]
    expected = crops.background[:, 1, None, None] + 2 * light
    np.testing.assert_allclose(edited.pixels[:, 1][crops.cell], expected[crops.cell], rtol=1e-5)
    assert np.array_equal(edited.pixels[:, 0], crops.pixels[:, 0])
    same = cm.edit(crops, "reporter brightness", np.zeros(5))
    assert np.array_equal(same.pixels, crops.pixels)


def test_the_scope_says_which_cells() -> None:
    cells = synthetic_plate().cells.subset(slice(0, 5))
    plain = cell_crops(cells)
    others = plain.others
    alone = cm.edit(plain, "DNA brightness", 1.0, scope="cell")
    around = cm.edit(plain, "DNA brightness", 1.0, scope="neighbours")
    inner = others & ~plain.cell
    assert np.array_equal(alone.pixels[:, 0][inner], plain.pixels[:, 0][inner])
    assert not np.array_equal(around.pixels[:, 0][inner], plain.pixels[:, 0][inner])
    with pytest.raises(ModelError, match="scope 'nucleus' is unknown; use cell, crop, neighbours"):
        cm.edit(plain, "DNA brightness", 1.0, scope="nucleus")  # type: ignore[arg-type]


def test_an_axis_that_there_is_none_of_is_named() -> None:
    with pytest.raises(ModelError, match="there is no axis 'GFP brightness'; there are DNA bright"):
        cm.edit(synthetic_plate().cells.subset(slice(0, 2)), "GFP brightness", 1.0)


def test_an_amount_that_is_no_number_is_one_line() -> None:
    cells = synthetic_plate().cells.subset(slice(0, 2))
    with pytest.raises(ModelError, match="size: the amount must be a number, not 'twice'"):
        cm.edit(cells, "size", "twice")  # type: ignore[arg-type]
