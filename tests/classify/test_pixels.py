"""Pixels are read once; selections of them are what reading the cells would give."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from napari_channelmix.classify import held_crops
from napari_channelmix.classify.pixels import Pixels, SelectedCrops, Selection
from napari_channelmix.classify.train import loaded
from napari_channelmix.jobs import drain

if TYPE_CHECKING:
    from napari_channelmix import Cells


def read(cells: Cells) -> Pixels:
    pixels = Pixels(cells)
    drain(pixels.load())
    return pixels


@pytest.mark.parametrize("in_memory", [True, False])
def test_a_selection_is_like_the_cells_by_themselves(
    cells: Cells, in_memory: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_memory:
        monkeypatch.setattr(held_crops, "MEMORY_BYTES", 0)
    rows = np.arange(1, len(cells), 3)
    chosen = Selection(read(cells), rows)
    alone = cells.subset(rows)
    usual = drain(loaded(alone))
    drain(chosen.sign())
    crops = SelectedCrops(chosen, drain(chosen.statistics_job()))
    assert crops.signature == alone.signature
    np.testing.assert_array_equal(crops.statistics.mean, usual.statistics.mean)
    some = np.array([3, 0, 5])
    torch.testing.assert_close(crops.take(some), usual.take(some), rtol=0, atol=0)
    torch.testing.assert_close(
        crops.subset(some).take(np.array([1])), usual.take(np.array([0])), rtol=0, atol=0
    )
    assert crops.take(some).is_contiguous(memory_format=torch.channels_last)
