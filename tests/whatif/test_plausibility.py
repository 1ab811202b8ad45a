"""How many real cells lie at least as far out."""

import doctest

import numpy as np

from napari_channelmix.whatif import plausibility as module
from napari_channelmix.whatif.data_range import DataRange
from napari_channelmix.whatif.plausibility import plausibility


def test_examples_are_true():
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_only_cells_of_the_class_with_the_feature_count():
    values = np.array([1, 2, 3, np.nan, 50, 60], np.float32)
    real = DataRange(1, 60, values, np.array([0, 0, 0, 0, 1, 1]))
    share, cells = plausibility(real, [3, 55, 9, np.nan], [0, 1, 2, 0])
    assert cells.tolist() == [3, 2, 0, 3]
    np.testing.assert_allclose(share, [1 / 3, 0.5, np.nan, np.nan])
