"""Values, directions and sampling errors of pairs: worked out by hand."""

import doctest

import numpy as np
import pytest

from napari_channelmix.classify import channel_values
from napari_channelmix.classify.channel_paths import member_table, walked_masks
from napari_channelmix.classify.channel_values import (
    agreement,
    log_odds,
    pair_values_job,
    sampling_error,
)
from napari_channelmix.jobs import drain


def test_examples_are_true():
    result = doctest.testmod(channel_values)
    assert result.attempted and not result.failed


def helper(light):
    """Probabilities (n, 2) of 'other' and 'helper': a helper has light in 0 and none in 1."""
    is_helper = (light[:, 0] > 0.5) & (light[:, 1] < 0.5)
    return np.where(is_helper[:, None], [0.1, 0.9], [0.9, 0.1]).astype(np.float32)


class Light:
    """Pairs of cells that are their light in each channel alone."""

    def __init__(self, own, donated):
        self.own, self.donated = np.asarray(own, float), np.asarray(donated, float)

    def at_once(self, walking):
        return 2

    def subsets(self, batch):
        return lambda present: helper(np.where(present, self.own[batch], self.donated[batch]))

    def walked(self, batch, orders):
        own, donated = self.own[batch], self.donated[batch]
        table = member_table([(place,) for place in range(own.shape[1])])
        for mask in walked_masks(orders, table, own.shape[1]):
            yield helper(np.where(mask, own, donated)), helper(np.where(mask, donated, own))


# A helper beside a cell with light in both channels, one with none, and another helper.
OWN, DONATED = [[1, 0, 7]] * 3, [[1, 1, 3], [0, 0, 3], [1, 0, 3]]
# The absence of 1 is all that counts in the first pair, the presence of 0 in the second, and
# nothing in the third.
VALUES = [[0, 1, 0], [1, 0, 0], [0, 0, 0]]


@pytest.mark.parametrize("exact", [True, False])
def test_a_class_that_needs_an_absence_has_a_value_for_it_and_a_direction_below_0(exact):
    truth = np.ones(3, np.int64)
    ends = helper(np.array(OWN)), helper(np.array(DONATED))
    values = drain(
        pair_values_job(
            Light(OWN, DONATED), truth, *ends, 3, exact=exact, rng=np.random.default_rng(0)
        )
    )
    np.testing.assert_allclose(values.calls, VALUES, atol=1e-12)
    assert values.exact == exact
    assert values.whole.tolist() == [1, 1, 1] and values.nothing.tolist() == [0, 0, 1]
    # Log odds go from ln(1/9) to ln 9.
    np.testing.assert_allclose(values.evidence, np.array(VALUES) * 2 * np.log(9), rtol=1e-5)
    light = np.array(OWN, float) - DONATED
    terms, _ = agreement(values.evidence, light, truth)
    # The signed ranks of light and of evidence are the same, or opposite.
    mean = terms.mean(axis=0)
    assert mean[0] == pytest.approx(1.0) and mean[1] == pytest.approx(-1.0)
    assert np.isnan(mean[2])


def test_along_orders_the_sum_is_that_of_all_channels():
    rng = np.random.default_rng(3)
    own, donated = rng.random((2, 40, 12))
    truth = rng.integers(0, 2, 40)
    ends = helper(own), helper(donated)
    job = pair_values_job(Light(own, donated), truth, *ends, 12, exact=False, rng=rng)
    values = drain(job)
    np.testing.assert_allclose(values.calls.sum(axis=1), values.whole - values.nothing, atol=1e-12)
    assert (values.calls[:, 2:] == 0).all()


def test_evidence_on_both_sides_of_a_middle_has_no_direction():
    light = np.array([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0])[:, None]
    codes = np.zeros(6, np.int64)
    both = agreement(np.abs(light), light, codes)[0].mean()
    one = agreement(light**3, light, codes)[0].mean()
    assert both == pytest.approx(0, abs=1e-12) and one == pytest.approx(1)
    # The sign of three of four equal steps: ranks are equal, so it is the mean of the signs.
    some = agreement(np.array([[1.0], [1], [1], [-1]]), np.ones((4, 1)), codes[:4])[0]
    assert some.mean() == pytest.approx(0.5)


def test_a_direction_knows_how_its_scale_moves():
    rng = np.random.default_rng(0)
    light = rng.normal(size=(200, 1))
    evidence = light + rng.normal(size=(200, 1))
    terms, linear = agreement(evidence, light, np.zeros(200, np.int64))
    assert linear.mean() == pytest.approx(terms.mean())
    # Against a jackknife of the mean of signed ranks.
    codes = np.zeros(199, np.int64)
    left = [
        agreement(np.delete(evidence, row, 0), np.delete(light, row, 0), codes)[0].mean()
        for row in range(200)
    ]
    error = np.sqrt(199 / 200 * ((left - np.mean(left)) ** 2).sum())
    assert linear.std() / np.sqrt(200) == pytest.approx(error, rel=0.35)


def test_what_is_rounding_or_has_no_light_has_no_direction():
    light, codes = np.array([[1.0, 0.0], [-1.0, 0.0]]), np.zeros(2, np.int64)
    terms, linear = agreement(np.array([[1e-5, 3.0], [-1e-5, 2.0]]), light, codes)
    assert np.isnan(terms).all() and np.isnan(linear).all()


def test_the_sampling_error_is_that_of_a_mean_over_pairs():
    values = np.array([[0.0], [1.0], [0.5], [2.0], [4.0]])
    errors = sampling_error(values, np.array([0, 0, 0, 2, 2]), 4)
    assert errors[0, 0] == pytest.approx(0.5 / np.sqrt(3))
    assert errors[2, 0] == pytest.approx(np.sqrt(2) / np.sqrt(2))
    assert np.isnan(errors[1, 0]) and np.isnan(errors[3, 0])
    # Of the mean over the two classes that occur.
    assert errors[-1, 0] == pytest.approx(np.sqrt(0.25 / 3 + 1.0) / 2)


def test_probabilities_of_0_and_1_have_finite_log_odds():
    assert np.isfinite(log_odds([[0.0, 1.0], [1.0, 0.0]], np.array([1, 1]))).all()
