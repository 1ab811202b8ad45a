"""The temperature by values worked out by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify.temperature import fit_temperature, scaled, scores_of


def test_the_temperature_by_hand() -> None:
    """Margins of 2, ten cells of each class, eight of ten right.

    With Platt's targets (11/12 and 1/12) sigma(2 / T) = .8 x 11/12 + .2 x 1/12 = 3/4, T = 2 / ln 3.
    """
    labels = np.repeat([0, 1], 10)
    called = labels.copy()
    called[[0, 1, 10, 11]] = 1 - called[[0, 1, 10, 11]]
    scores = 2.0 * np.eye(2)[called]
    assert fit_temperature(scores, labels) == pytest.approx(2 / np.log(3), rel=1e-4)
    # A constant on all scores of a cell says nothing.
    assert fit_temperature(scores + 7.0, labels) == pytest.approx(2 / np.log(3), rel=1e-4)
    assert fit_temperature(scores[:10], labels[:10]) == 1.0


def test_a_few_cells_that_are_all_right_do_not_make_it_sure_without_limit() -> None:
    labels = np.array([0, 0, 0, 1, 1, 1])
    # sigma(2 / T) = 4/5.
    assert fit_temperature(2.0 * np.eye(2)[labels], labels) == pytest.approx(
        2 / np.log(4), rel=1e-4
    )


def test_how_often_the_classes_occur_is_no_fault_of_the_scores(overconfident: Any) -> None:
    scores, labels, _ = overconfident(groups=60, each=50)
    rare = np.flatnonzero((labels == 0) | (np.arange(len(labels)) % 9 == 0))
    found = fit_temperature(scores[rare], labels[rare]), fit_temperature(scores, labels)
    assert found[1] == pytest.approx(3.0, rel=0.1)
    assert found[0] == pytest.approx(found[1], rel=0.15)


def test_scores_of_probabilities_give_them_back() -> None:
    said = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]])
    np.testing.assert_allclose(scaled(scores_of(said)), said, atol=1e-30)
    np.testing.assert_allclose(scaled([[0.0, np.log(9.0)]], 2.0), [[0.25, 0.75]])
