"""Signed effects of repeats: agreed signs are read, others are not."""

import doctest

import numpy as np
import pytest

from napari_channelmix.dcmix import effects
from napari_channelmix.dcmix.effects import (
    directions_of,
    effects_frame,
    readable_effects,
    sampling_error_of,
)
from napari_channelmix.dcmix.repeats import RepeatResult

CLASSES = ("helper", "other")


def repeats(directions, values, errors=None):
    """Repeats that differ in these alone."""
    return [
        RepeatResult(
            seed,
            [0.5, 0.5],
            {},
            {},
            shapley_per_class=value,
            shapley_direction=direction,
            shapley_error=None if errors is None else errors[seed],
        )
        for seed, (direction, value) in enumerate(zip(directions, values, strict=True))
    ]


def test_examples_are_true():
    assert not doctest.testmod(effects).failed


def test_a_sign_is_readable_where_all_repeats_agree_and_the_value_is_above_0():
    directions = [[[0.9, -0.8], [0.5, None]]] * 3 + [[[0.7, -0.6], [-0.5, None]]]
    values = [[[0.4 + 0.01 * seed, 0.1], [0.2, 0.0]] for seed in range(4)]
    some = repeats(directions, values)
    assert directions_of(some, CLASSES) == {
        "helper": pytest.approx((0.85, -0.75)),
        "other": (pytest.approx(0.25), None),
    }
    # In the second class the repeats disagree on the first channel.
    assert readable_effects(some, CLASSES) == {"helper": (True, True), "other": (False, False)}
    assert readable_effects(some[:2], CLASSES)["helper"] == (False, False)


def test_a_class_that_some_repeats_did_not_hold_out_is_of_the_others():
    there, missing = [[0.5, 0.5], [0.5, 0.5]], [[0.5, 0.5], [None, None]]
    some = repeats([there, there, there, missing], [there, there, there, missing])
    assert readable_effects(some, CLASSES)["other"] == (True, True)
    assert readable_effects(some[1:], CLASSES)["other"] == (False, False)


def test_repeats_of_an_earlier_version_know_no_direction():
    old = RepeatResult(0, [0.5, 0.5], {}, {}, shapley_per_class=[[0.5, 0.5]] * 2)
    assert directions_of([old], CLASSES) == {} == readable_effects([old], CLASSES)
    assert sampling_error_of([old]) is None
    assert np.isnan(effects_frame(["a", "b"], {"helper": [0.5, 0.5]}, {})["helper"]).all()


def test_the_sampling_error_of_a_mean_of_repeats():
    some = repeats([None] * 2, [None] * 2, errors=[[0.3, 0.0], [0.4, 0.0]])
    assert sampling_error_of(some) == pytest.approx((0.25, 0.0))
    exact = repeats([None] * 2, [None] * 2, errors=[[0.0, 0.0]] * 2)
    assert sampling_error_of(exact) is None
