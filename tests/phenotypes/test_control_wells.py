"""Controls: Z' and SSMD by hand, their intervals, and who is a control."""

from __future__ import annotations

import json

import numpy as np
import pytest

from napari_channelmix.phenotypes.control_wells import (
    control_quality,
    named_controls,
    pure_classes,
)

LOW, HIGH = [0.1, 0.2, 0.3, 0.2], [0.7, 0.8, 0.9, 0.8]


def test_both_figures_by_hand() -> None:
    found = control_quality(LOW, [*HIGH, np.nan])
    # Means .2 and .8; both standard deviations are sqrt(.02 / 3).
    sd = np.sqrt(0.02 / 3)
    assert (found.n_negative, found.n_positive) == (4, 4)
    assert found.z_prime == pytest.approx(1 - 3 * 2 * sd / 0.6)
    assert found.ssmd == pytest.approx(0.6 / np.sqrt(2 * sd**2))
    # ln((sd+ + sd-) / difference): variance 2 sd^2 / (2 * 3) / (2 sd)^2 + 2 sd^2 / 4 / .36;
    # Student's t of 6 degrees of freedom is 2.4469.
    error = 2.446912 * np.sqrt(1 / 12 + sd**2 / 2 / 0.36)
    assert found.z_interval == pytest.approx(
        (1 - 6 * sd / 0.6 * np.exp(error), 1 - 6 * sd / 0.6 * np.exp(-error)), rel=1e-5
    )
    # Variance of the SSMD: 1 / 4 + ssmd^2 / 2 * (2 sd^4 / 3) / (2 sd^2)^2.
    error = 2.446912 * np.sqrt(0.25 + found.ssmd**2 / 12)
    assert found.ssmd_interval == pytest.approx((found.ssmd - error, found.ssmd + error), rel=1e-5)


def test_a_control_that_falls_has_the_same_z_and_a_negative_ssmd() -> None:
    up, down = control_quality(LOW, HIGH), control_quality(HIGH, LOW)
    assert down.z_prime == pytest.approx(up.z_prime)
    assert down.ssmd == pytest.approx(-up.ssmd)


def test_few_wells_are_said() -> None:
    none = control_quality(LOW[:2], HIGH, ("DMSO", "drug"))
    assert none.z_prime is None and none.ssmd_interval is None
    assert none.text() == (
        "No Z'-factor: each control needs 3 wells (2 wells of DMSO against 4 of drug)."
    )
    few = control_quality(LOW, HIGH)
    assert "fewer than 6 wells" in few.text()
    assert "4 wells of negative against 4 of positive" in few.text()
    many = control_quality(LOW * 6, HIGH * 6)
    assert "wells of a control, read" not in many.text()


def test_wells_without_scatter_have_no_figure() -> None:
    found = control_quality([0.2] * 4, [0.8] * 4)
    assert found.z_prime is None and "how far wells vary" in found.text()
    assert control_quality([0.2] * 4, [0.2] * 4).z_prime is None


def test_the_result_is_ready_for_json() -> None:
    for found in (control_quality(LOW, HIGH), control_quality([], HIGH)):
        said = json.loads(json.dumps(found.as_dict(), allow_nan=False))
        assert said["n_positive"] == 4
    assert said["mean_negative"] is None


def test_intervals_hold_the_truth() -> None:
    rng, held = np.random.default_rng(0), np.zeros(2)
    for _ in range(300):
        found = control_quality(rng.normal(0, 1, 8), rng.normal(10, 2, 8))
        assert found.z_interval is not None and found.ssmd_interval is not None
        held += [
            found.z_interval[0] <= 0.1 <= found.z_interval[1],
            found.ssmd_interval[0] <= 10 / np.sqrt(5) <= found.ssmd_interval[1],
        ]
    assert (held / 300 >= 0.91).all()


def test_a_group_of_one_class_alone_has_it() -> None:
    assert pure_classes([[3, 0], [0, 2], [1, 1], [0, 0]], ("a", "b")) == ["a", "b", "", ""]


@pytest.mark.parametrize(
    ("values", "named"),
    [
        (["dose", "negative", "positive"], ("negative", "positive")),
        (["DMSO", "Positive control", ""], ("DMSO", "Positive control")),
        (["untreated", "drug"], None),
        (["positive"], None),
        (["non-negative", "positive"], None),
        (["not_negative", "seropositive"], None),
        (["non-negative", "NegCtrl", "pos1"], ("NegCtrl", "pos1")),
        (["neg_ctrl", "position 3", "composite", "Positives"], ("neg_ctrl", "Positives")),
        (["dmso 0.1%", "poscontrol"], ("dmso 0.1%", "poscontrol")),
        (["negligible", "dmsox", "pos"], None),
        ([], None),
    ],
)
def test_controls_are_known_by_their_names_alone(values, named) -> None:
    assert named_controls(values) == named


def test_wells_that_differ_by_rounding_alone_have_no_z_factor() -> None:
    # The standard deviation of three times 0.1 is 1.7e-17.
    found = control_quality([0.1] * 3, [0.9] * 3)
    assert found.z_prime is None and "all wells of a control have the same fraction" in found.text()
    found = control_quality([0.1 + 0.2, 0.3, 0.3], [0.3] * 3)
    assert found.z_prime is None and "both controls have the same fraction" in found.text()
