"""Margin, disagreement and distance to the class, checked on cells whose answer is plain."""

from __future__ import annotations

import numpy as np

from napari_channelmix.phenotypes.label_quality import class_distance, disagreement, margin

CERTAIN = np.array([[0.9, 0.1, 0.0], [0.4, 0.35, 0.25], [0.0, 0.0, 1.0]])


def test_the_margin_is_small_where_two_classes_are_near() -> None:
    np.testing.assert_allclose(margin(CERTAIN), [0.8, 0.05, 1.0])
    np.testing.assert_allclose(margin(np.ones((2, 1))), 1.0)


def test_sure_contradictions_are_the_largest_disagreement() -> None:
    found = disagreement(CERTAIN, "abc", [0, 1, 0], ("a", "b", "c"))
    np.testing.assert_allclose(found, [-0.8, 0.05, 1.0])
    assert np.argmax(found) == 2


def test_disagreement_goes_by_the_names_and_knows_what_it_does_not_know() -> None:
    found = disagreement(CERTAIN, "abc", [0, -1, 1], ("c", "unheard of"))
    np.testing.assert_allclose(found, [0.9, np.nan, np.nan])
    np.testing.assert_allclose(disagreement(np.ones((1, 1)), "a", [0], ("a",)), [-1.0])


def test_an_outlier_is_far_from_its_class_and_not_from_the_others() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(60, 4))
    values[30:] += 10
    values[7] += 10
    labels = np.repeat([0, 1], 30)
    found = class_distance(values, labels)
    assert np.argmax(found) == 7
    assert np.median(found) < 2
    # In the other class it would be an ordinary cell.
    labels[7] = 1
    assert class_distance(values, labels)[7] < 4


def test_classes_too_small_for_a_spread_have_no_distance() -> None:
    found = class_distance(np.arange(6.0)[:, None], [0, 0, 0, 1, 1, -1])
    assert np.isfinite(found[:3]).all() and np.isnan(found[3:]).all()
    assert np.isnan(class_distance(np.zeros((3, 0)), [0, 0, 0])).all()


def test_the_distance_is_the_root_mean_square_of_robust_z_scores() -> None:
    # First column: median 2, absolute deviations 2 1 0 1 6, their median 1. Second: all alike, so
    # that .02 stands for the spread.
    values = np.array([[0, 5], [1, 5], [2, 5], [3, 5], [8, 5.04]])
    found = class_distance(values, [0] * 5)
    # 1.482602 is one over the upper quartile of the normal distribution, .674490.
    first = np.array([-2, -1, 0, 1, 6]) / 1.482602218505602
    second = np.array([0, 0, 0, 0, 0.04]) / 0.02
    np.testing.assert_allclose(found, np.sqrt((first**2 + second**2) / 2))
