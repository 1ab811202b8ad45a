"""What a user may get wrong is one line that says what, where and what to do."""

from __future__ import annotations

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.jobs import drain
from napari_channelmix.whatif.asking import asker_job
from napari_channelmix.whatif.audit import audit
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.edit import edit
from napari_channelmix.whatif.what_if import what_if

from .disc_cases import by_light, disc_cells


def test_cells_that_are_not_there_and_arrays_are_named() -> None:
    cells = Cells.from_array(np.zeros((3, 1, 12, 12), np.float32), ["DNA"])
    with pytest.raises(DataError, match="has no cell 7; its cells are 0 to 2"):
        cell_crops(cells, [0, 7])
    with pytest.raises(
        DataError, match=r"not ndarray; make them of an array with Cells\.from_array"
    ):
        cell_crops(np.zeros((3, 1, 12, 12)))  # type: ignore[arg-type]


def test_amounts_of_another_length_are_refused() -> None:
    cells = Cells.from_array(np.ones((3, 1, 12, 12), np.float32), ["DNA"])
    with pytest.raises(ModelError, match=r"amounts of shape \(2,\) do not fit 3 cells"):
        edit(cells, "DNA brightness", [1.0, 2.0])


def test_what_is_no_classifier_is_told_how_to_become_one() -> None:
    cells = Cells.from_array(np.ones((3, 1, 12, 12), np.float32), ["DNA"])
    with pytest.raises(ModelError, match="make a classifier of it with wrap"):
        drain(asker_job(lambda crops: crops, cells))  # type: ignore[arg-type]


def test_names_that_no_answer_has_are_listed_with_those_it_has() -> None:
    made = what_if(
        by_light(), disc_cells(8, 4), axes=("DNA brightness",), limit=2, steps=3, only="all"
    )
    with pytest.raises(ModelError, match="no axis 'haze'; they have DNA brightness"):
        made.curve("haze", "dim")
    with pytest.raises(ModelError, match="no scope 'well'"):
        made.matrix("well")


def test_maps_of_cells_that_are_not_there_are_refused_before_any_work() -> None:
    cells, maps = disc_cells(8, 4), np.zeros((1, 17, 17), np.float32)
    for wrong in ([99], [0.5]):
        with pytest.raises(ModelError, match="'mapped' must be positions of cells, 0 to 7"):
            audit(by_light(), cells, maps=maps, mapped=wrong)
