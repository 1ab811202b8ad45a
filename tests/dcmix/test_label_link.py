"""The test of each channel alone, by values worked out by hand."""

import numpy as np
import pytest

from napari_channelmix.classify.channel_features import CropNumbers
from napari_channelmix.dcmix import label_link as link
from napari_channelmix.dcmix.label_link import _accuracies, link_job, whitened
from napari_channelmix.jobs import drain


def numbers_of(*channels):
    """Cells whose numbers are these, one for each channel (N,)."""
    values = np.stack([np.asarray(channel, float) for channel in channels], axis=1)[:, None]
    return CropNumbers(values, np.zeros((len(values), 0, 0)))


def test_cells_are_called_the_nearest_mean_of_the_other_folds():
    cells = np.array([[0.0], [1.0], [2.0], [10.0]], np.float32)
    folds = [np.array([at]) for at in range(4)]
    # Each column is a way to label the cells.
    labels = np.array([[0, 0, 1, 1], [0, 1, 0, 1], [1, 0, 0, 0]]).T
    # First: 2 is called 0 (means 0.5 and 10), the others are right.
    # Second: 1 is called 0 (means 1 and 10), and so is 10 (means 1 and 1: the first of equals).
    # Third: class 1 is unknown when its cell is held out; 1 and 2 are nearer to its 0 than to the
    # means 6 and 5.5 of class 0.
    expected = [(1 + 1 / 2) / 2, (1 + 0) / 2, (1 / 3 + 0) / 2]
    np.testing.assert_allclose(_accuracies(cells, labels, folds, 2), expected)


def test_numbers_that_repeat_each_other_count_as_one():
    column = np.random.default_rng(0).normal(size=500)
    white = whitened(np.stack([column, 3 * column + 1], axis=1))
    # Ranks are the same: eigenvalues 2 v and 0, their mean v, so the variances 2 v / (2.1 v) and 0.
    np.testing.assert_allclose(sorted(white.var(axis=0)), [0, 2 / 2.1], atol=1e-4)


def test_every_deal_of_six_wells_is_tried_and_names_of_classes_do_not_matter():
    wells = np.repeat(np.arange(6), 5)
    labels = (wells >= 3).astype(np.int64)
    brightness = labels + np.random.default_rng(0).uniform(0, 0.5, 30)
    result = drain(link_job(numbers_of(brightness, np.ones(30)), labels, wells.astype(str)))
    # 20 ways to label the wells, of which one and its mirror image tell the classes apart.
    assert result.p_value == pytest.approx((2 / 20, 1.0))
    # A constant channel calls all cells the first class.
    assert result.accuracy[0] > 0.9 and result.accuracy[1] == 0.5
    assert (result.ways, result.least, result.n_groups) == (10, pytest.approx(0.1), 6)


def test_p_is_honest_whichever_labels_were_dealt():
    # Wells of other sizes, that differ more than their cells. Every deal in turn is the true one.
    rng = np.random.default_rng(1)
    wells = np.repeat(np.arange(7), [3, 8, 5, 4, 9, 2, 6])
    channel = rng.normal(size=7)[wells] + rng.normal(0, 0.3, len(wells))
    dealt = [rows for rows in np.ndindex(*[2] * 7) if sum(rows) == 3]
    p_values = [
        drain(link_job(numbers_of(channel), np.array(labels)[wells], wells)).p_value[0]
        for labels in dealt
    ]
    assert len(dealt) == 35
    for level in np.arange(1, 36) / 35:
        assert np.mean(np.array(p_values) <= level + 1e-9) <= level + 1e-9


def test_single_cells_are_dealt_at_random():
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    numbers = numbers_of(labels + rng.normal(0, 0.3, 120), rng.normal(size=120))
    result = drain(link_job(numbers, labels, np.arange(120)))
    assert result.p_value[0] == result.least == pytest.approx(1 / 1000)
    assert result.p_value[1] > 0.05


def test_classes_within_images_are_permuted_there():
    rng = np.random.default_rng(0)
    images = np.repeat(np.arange(4), 20)
    labels = np.tile([0, 1], 40)
    # Images differ ten times more than the classes.
    numbers = numbers_of(10 * images + labels + rng.normal(0, 0.1, 80), 10.0 * images)
    result = drain(link_job(numbers, labels, images))
    assert result.p_value[0] < 0.05 < result.p_value[1]


@pytest.mark.parametrize("seed", range(4))
def test_a_rare_class_outlives_the_draw_of_many_cells(seed, monkeypatch):
    monkeypatch.setattr(link, "MOST_CELLS", 62)
    # Wells of one class, the rare one of two cells among 402.
    wells = np.concatenate([np.repeat(np.arange(20), 20), np.full(2, 20)])
    labels = np.where(wells == 20, 2, wells % 2).astype(np.int64)
    numbers = numbers_of(labels + np.random.default_rng(0).uniform(0, 0.5, len(labels)))
    result = drain(link_job(numbers, labels, wells.astype(str), seed=seed))
    # 21 wells, none of which vanished; three classes are told apart by one number.
    assert (result.n_groups, result.unavailable_reason) == (21, "")
    assert result.p_value[0] == result.least == pytest.approx(1 / 1000)
    # A class of one well is unknown where that well is held out: two of three are learnt.
    assert 0.6 < result.accuracy[0] <= 2 / 3


def test_a_class_that_is_not_drawn_is_not_asked_for(monkeypatch):
    monkeypatch.setattr(link, "MOST_CELLS", 40)
    # Cells without groups, one of them of a third class.
    labels = np.append(np.arange(120) % 2, 2)
    numbers = numbers_of((labels == 1) + np.random.default_rng(0).uniform(0, 0.5, 121))
    for seed in range(3):
        result = drain(link_job(numbers, labels, np.arange(121), seed=seed))
        assert result.n_groups == 40
        assert result.p_value[0] < 0.05 and np.isfinite(result.accuracy[0])


def test_one_class_is_no_test_and_that_is_said():
    result = drain(link_job(numbers_of(np.arange(12.0)), np.zeros(12, np.int64), np.arange(12)))
    assert "a class has too few cells" in result.unavailable_reason and result.p_value == (1.0,)
