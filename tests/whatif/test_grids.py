"""At which amounts cells are edited: the data's own range, and no more tries than the shams."""

import numpy as np
import pytest

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.axes import named
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.grids import chosen_axes, grids_of
from napari_channelmix.whatif.robustness import USUAL

from .disc_cases import disc_cells


@pytest.fixture(scope="module")
def grids():
    cells = disc_cells(40)
    crops = cell_crops(cells)
    made = grids_of(axes_of(crops), crops, cells.labels, steps=9, scopes=("cell", "crop"))
    return {(grid.axis.name, grid.scope): grid for grid in made}


def test_every_grid_rises_and_has_the_neutral_amount(grids):
    for grid in grids.values():
        assert (np.diff(grid.amounts) > 0).all()
        assert np.float32(grid.axis.neutral) in grid.amounts
        assert len(grid.changes) == len(grid.amounts) - 1


def test_shams_together_have_as_many_tries_as_an_axis(grids):
    shams = [
        grid for (_, scope), grid in grids.items() if (grid.axis.family, scope) == ("sham", "cell")
    ]
    assert len(shams) == 3
    assert sum(len(grid.changes) for grid in shams) <= 8


def test_axes_of_a_channel_and_shams_are_there_for_cell_and_crop(grids):
    both = {name for name, scope in grids if scope == "crop"}
    families = ("channel", "sham")
    assert both == {grid.axis.name for grid in grids.values() if grid.axis.family in families}


def test_the_exposure_has_the_amounts_of_the_card(grids):
    amounts = grids["exposure", "cell"].amounts
    assert all(np.isclose(amounts, usual).any() for usual in USUAL)
    assert grids["exposure", "cell"].limits.declared


def test_axes_whose_amounts_are_no_levels_know_how_far_they_move(grids):
    grid = grids["DNA rim", "cell"]
    assert grid.axis.to_level is None and len(grid.moved) == len(grid.amounts)
    assert grid.moved[grid.amounts == 0] == 0
    assert grids["DNA brightness", "cell"].moved is None


def test_axes_are_chosen_by_name_with_all_shams():
    axes = axes_of(["DNA"])
    names = [axis.name for axis in chosen_axes(axes, ("size",))]
    assert names == ["size", "turn", "shift", "resampling"]
    assert chosen_axes(axes, None) == axes
    assert named(axes, "size").sham == "resampling"
    with pytest.raises(ModelError, match="there is no axis 'seize'"):
        chosen_axes(axes, ("seize",))
