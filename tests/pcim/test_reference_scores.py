"""Scores on each kind of reference, with intervals over groups."""

import numpy as np
import pytest
from scipy import stats

from napari_channelmix.pcim.grouped_mean import GroupedMean
from napari_channelmix.pcim.reference_scores import reference_scores, reference_scores_text

SIX = np.array(["a", "a", "b", "b", "c", "c", "d", "d", "e", "e", "f", "f"])


def test_the_interval_is_that_of_the_means_of_equal_groups():
    values = np.array([1, 3, 2, 2, 4, 6, 0, 0, 5, 1, 2, 4.0])
    means = values.reshape(6, 2).mean(axis=1)
    wanted = stats.t.interval(0.95, 5, means.mean(), stats.sem(means))
    np.testing.assert_allclose(GroupedMean(values, SIX).interval(), wanted)


def test_with_few_groups_the_interval_is_over_cells():
    values, groups = np.array([1, 3, 2, 6.0]), np.array(["a", "a", "b", "b"])
    wanted = stats.t.interval(0.95, 3, values.mean(), stats.sem(values))
    np.testing.assert_allclose(GroupedMean(values, groups).interval(), wanted)


def test_each_kind_has_its_mean_its_interval_and_its_n():
    values = np.arange(12) / 10
    scores = reference_scores({"smooth": values, "other cells": values - 1}, SIX)
    low, high = GroupedMean(values, SIX).interval()
    assert scores["smooth"] == {
        "srg": pytest.approx(0.55),
        "low": pytest.approx(low),
        "high": pytest.approx(high),
        "n": 12,
        "groups": 6,
        "in_mean": True,
    }
    assert not scores["other cells"]["in_mean"]
    text = reference_scores_text(scores)
    assert text.startswith(
        "SRG by what replaces removed pixels (12 cells, 95 % interval over 6 groups): "
        f"smooth 0.55 ({low:.2f} to {high:.2f}); other cells -0.45 ("
    )
    assert text.endswith("a kind that methods work with; not in the mean")


def test_a_single_cell_has_no_interval_and_few_groups_are_said():
    alone = reference_scores({"smooth": [0.5]}, np.array(["a"]))
    assert (alone["smooth"]["low"], alone["smooth"]["high"]) == (None, None)
    assert reference_scores_text(alone).endswith("(1 cell): smooth 0.50")
    few = reference_scores({"smooth": [0.5, 0.7]}, np.array(["a", "a"]))
    assert "over cells, as 1 group is too few" in reference_scores_text(few)
    assert reference_scores_text({}) == ""
