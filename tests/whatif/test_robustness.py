"""The card of the acquisition: by class and by group, at the amounts that are usual."""

import numpy as np
import pytest

from napari_channelmix.whatif.axes import Axis
from napari_channelmix.whatif.responses import AxisResponses, Responses
from napari_channelmix.whatif.robustness import (
    USUAL,
    added_amounts,
    robustness_lines,
    robustness_table,
)

from .disc_cases import brightness_axis

EXPOSURE = Axis("exposure", "acquisition", "doublings", lambda crops, _: crops, -1, 1)
BLUR = Axis("blur", "acquisition", "px", lambda crops, _: crops, 0, 4)


def card():
    """20 cells in 4 groups; 20 % more light changes all calls of the second class."""
    codes = np.arange(20) % 2
    amounts = np.array([-1, USUAL[1], 0, USUAL[0], 1], np.float32)
    calls = np.repeat(codes[:, None], 5, axis=1)
    calls[codes == 1, 3:] = 0
    eye = np.eye(2, dtype=np.float32)
    inside = np.ones(calls.shape, bool)
    still = np.repeat(codes[:, None], 2, axis=1)
    axes = (
        AxisResponses("exposure", "cell", amounts, eye[calls], inside),
        AxisResponses("blur", "cell", np.array([0, 1], np.float32), eye[still], inside[:, :2]),
    )
    responses = Responses(np.arange(20), eye[codes], axes)
    names = ("A", "B", "C", "D")
    return robustness_table(responses, (EXPOSURE, BLUR), ("low", "high"), np.arange(20) // 5, names)


def test_figures_are_of_all_of_each_class_and_of_each_group():
    table = card()
    at = table[(table["axis"] == "exposure") & np.isclose(table["amount"], USUAL[0])]
    by = {(row["of"], row["name"]): row for row in at.to_dict("records")}
    assert by["all", ""]["changed"] == 0.5 and by["all", ""]["n"] == 20
    assert by["class", "low"]["changed"] == 0 and by["class", "high"]["changed"] == 1
    assert by["group", "A"]["changed"] == 0.4 and by["group", "B"]["n"] == 5
    assert by["all", ""]["low"] < 0.5 < by["all", ""]["high"]
    assert not (table["amount"] == 0).any()


def test_sentences_name_the_usual_difference():
    first, calm = robustness_lines(card(), (EXPOSURE, BLUR))
    assert first.startswith(
        "an exposure 20 % higher changes 50 % of the predictions (95 % interval "
    )
    assert calm == (
        "hardly changes the predictions (share of 20 predictions, 95 % interval): "
        "blur of 1 px (0 %, 0 to 41)"
    )


def test_the_grid_of_an_exposure_has_the_usual_differences():
    assert added_amounts(EXPOSURE) == pytest.approx((0.263, -0.322), abs=1e-3)
    assert added_amounts(BLUR) == added_amounts(brightness_axis()) == ()


def test_the_neutral_amount_is_no_change_though_it_is_no_binary_fraction():
    gain = Axis("gain", "acquisition", "x", lambda crops, _: crops, 0.05, 0.4, neutral=0.1)
    answers = np.zeros((4, 2, 2), np.float32)
    amounts, inside = np.array([0.1, 0.4], np.float32), np.ones((4, 2), bool)
    responses = Responses(
        np.arange(4), answers[:, 0], (AxisResponses("gain", "cell", amounts, answers, inside),)
    )
    table = robustness_table(responses, (gain,), ("a", "b"), np.arange(4), list("abcd"))
    assert set(np.round(table["amount"], 6)) == {0.4}
