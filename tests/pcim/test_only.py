"""`only` explains some cells as parts of the whole: with the mean of all, under their numbers."""

import numpy as np
import pytest

from napari_channelmix import explain
from napari_channelmix.errors import DataError
from napari_channelmix.pcim.source import Source

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
