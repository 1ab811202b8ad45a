"""The data's own range: class by class, and which edits stay on it."""

import numpy as np
import pytest

from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.data_range import UNMEASURED, data_range, inside, measured

from .disc_cases import brightness_axis, disc_cells, noise_axis, outlined


def crops_of(light):
    return cell_crops(outlined(light))


def test_the_range_is_that_of_the_classes_not_of_most_cells():
    light = np.concatenate([np.linspace(10, 20, 200), np.linspace(90, 100, 6)])
    codes = np.repeat([0, 1], (200, 6))
    limits = data_range(brightness_axis(), crops_of(light), codes)
    assert limits.low == pytest.approx(np.percentile(limits.values[:200], 5))
    assert limits.high == pytest.approx(np.percentile(limits.values[200:], 95))


def test_amounts_are_inside_up_to_the_cells_own_way_to_the_ends():
    axis, crops = brightness_axis(), crops_of([20.0, 40.0, 80.0, 160.0])
    limits = data_range(axis, crops, np.zeros(4, int))
    before = measured(axis, crops)
    limits = type(limits)(before[0], before[0] * 4, limits.values, limits.codes)
    table = inside(axis, limits, [-2, -1, 0, 1, 2], before)
    # 20 may grow fourfold; 80 may shrink as much; 160 lies outside and may come back.
    assert table.tolist() == [
        [False, False, True, True, True],
        [False, True, True, True, False],
        [True, True, True, False, False],
        [True, True, True, False, False],
    ]


def test_an_axis_without_a_way_to_levels_is_measured_after_the_edit():
    axis = Axis("a", "channel", "", lambda crops, _: crops, -1, 1, measure=lambda c: np.zeros(2))
    limits = type(UNMEASURED)(0.0, 10.0, np.zeros(0, np.float32), np.zeros(0, int))
    before = np.array([5.0, np.nan], np.float32)
    after = np.array([[5.0, 11.0], [5.0, 5.0]], np.float32)
    assert inside(axis, limits, [0, 1], before, after).tolist() == [[True, False], [False, False]]
    with pytest.raises(ModelError, match="were not measured"):
        inside(axis, limits, [0, 1], before)


def test_without_a_feature_every_amount_is_inside():
    limits = data_range(noise_axis(), crops_of([20.0, 40.0]), [0, 0])
    assert not limits.known
    assert measured(noise_axis(), crops_of([20.0])) is None


def test_a_measure_of_another_shape_is_named():
    axis = Axis("mine", "channel", "", lambda c, _: c, -1, 1, measure=lambda crops: np.zeros(9))
    with pytest.raises(ModelError, match=r"^mine: its feature has the shape \(9,\) for 1 cells"):
        measured(axis, crops_of([20.0]))


def test_features_are_of_the_cell_whatever_is_edited():
    crops = cell_crops(disc_cells(4))
    own = measured(brightness_axis(), crops)
    assert np.array_equal(measured(brightness_axis(), crops.scoped("neighbours")), own)
