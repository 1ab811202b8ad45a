"""`only` explains some cells as parts of the whole: with the mean of all, under their numbers."""

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix import explain
from napari_channelmix.classify.training_cells import TrainingCells, crop_digests
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.pcim.cell_source import Source

CROPS = np.random.default_rng(0).random((6, 2, 12, 12)).astype(np.float32)
CROPS += np.arange(6)[:, None, None, None]


def scores(crops):
    """Bright middles of the first channel speak for class 1."""
    middle = crops[:, 0, 4:8, 4:8].mean(axis=(1, 2))
    return np.stack([-middle, middle], axis=1)


def test_a_black_box_is_shown_the_mean_of_all_cells():
    whole = Source.of(scores, CROPS)
    some = whole.narrowed([4, 1])
    np.testing.assert_array_equal(some.mean, whole.mean)
    assert some.numbers.tolist() == [4, 1]
    np.testing.assert_array_equal(some.read().cells, CROPS[[4, 1]])
    asked = {"mode": "blackbox", "method": "blackbox-sharp", "forwards": 200}
    found = explain(scores, CROPS, only=[4, 1], **asked)
    assert found.maps.shape == (2, 12, 12)
    alone = explain(scores, whole.read(np.array([4])), **asked)
    np.testing.assert_allclose(found.maps[0], alone.maps[0], atol=1e-7)
    apart = explain(scores, CROPS[[4, 1]], **asked)
    assert not np.allclose(found.maps[0], apart.maps[0], atol=1e-6)


@pytest.mark.parametrize("only", [[], [6], [-1]])
def test_cells_that_are_not_there_are_refused(only):
    with pytest.raises(DataError, match="the cells are 0 to 5"):
        explain(scores, CROPS, mode="blackbox", only=only)


def test_held_out_cells_alone_are_explained_where_they_are_known(classifier, crops):
    seen = TrainingCells(np.sort(crop_digests(crops[:2])), np.zeros(0, np.uint64))
    model = replace(classifier, training_cells=seen)
    held_out = explain(model, crops[:4], device="cpu", only="held-out")
    assert held_out.source.numbers.tolist() == [2, 3]
    assert "2 of 4 cells were trained on: maps are of the other 2" in held_out.warnings
    assert len(explain(model, crops[:4], device="cpu", only="all").maps) == 4
    unknown = replace(classifier, training_cells=None)
    assert len(explain(unknown, crops[:4], device="cpu", only="held-out").maps) == 4
    with pytest.raises(ModelError, match="use held-out or all"):
        explain(model, crops[:4], device="cpu", only="others")
