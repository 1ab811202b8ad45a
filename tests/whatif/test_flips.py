"""What moves the decision: flips on the data's own range, held against the shams."""

from dataclasses import replace

import numpy as np

from napari_channelmix.whatif.flips import flip_tables, flips_along
from napari_channelmix.whatif.responses import AxisResponses, Responses

from .disc_cases import brightness_axis, noise_axis, turn_axis

AMOUNTS = np.array([-1, 0, 1, 2], np.float32)


def answers_of(calls, inside=None, name="DNA brightness", amounts=AMOUNTS, classes=3):
    calls = np.asarray(calls)
    probabilities = np.eye(classes, dtype=np.float32)[calls]
    within = np.ones(calls.shape, bool) if inside is None else np.asarray(inside)
    return AxisResponses(name, "cell", amounts, probabilities, within)


def test_the_smallest_flip_on_the_range_counts():
    calls = [[0, 0, 1, 2], [2, 0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1]]
    inside = np.ones((4, 4), bool)
    inside[3, 3] = False
    made = flips_along(answers_of(calls, inside), np.zeros(4, int), 0.0)
    assert made.flips.tolist() == [True, True, False, False]
    assert made.to_class.tolist() == [1, 2, -1, -1]
    np.testing.assert_array_equal(made.amount, [1, -1, np.nan, np.nan])


def tables(count=40, groups=8, sham_flips=0):
    """Half of the cells flip by brightness, none by the other channel."""
    base = np.zeros((count, 2), np.float32)
    base[:, 0] = 1
    calls = np.zeros((count, 4), int)
    calls[: count // 2, 3] = 1
    turned = np.zeros((count, 2), int)
    turned[:sham_flips, 1] = 1
    responses = Responses(
        np.arange(count),
        base,
        (
            answers_of(calls, classes=2),
            answers_of(np.zeros((count, 4), int), name="junk offset", classes=2),
            answers_of(turned, name="turn", amounts=np.array([0, 1], np.float32), classes=2),
        ),
    )
    axes = (brightness_axis(), noise_axis(), turn_axis())
    return flip_tables(responses, axes, ("dim", "bright"), np.arange(count) % groups)


def test_an_axis_that_flips_more_than_the_shams_is_above_them():
    flips, transitions = tables()
    row, other, sham = flips.to_dict("records")
    assert (row["axis"], row["from_class"], row["to_class"]) == ("DNA brightness", "dim", "bright")
    assert row["share"] == row["to_share"] == row["difference"] == 0.5
    assert row["sham"] == 0 and row["amount"] == 2 and row["n"] == 40 and row["groups"] == 8
    assert row["low"] < 0.5 < row["high"] and row["above_sham"]
    assert other["share"] == 0 and not other["above_sham"]
    # The sham is the yardstick: it is not tested against itself.
    assert sham["axis"] == "turn" and np.isnan(sham["sham"]) and not sham["above_sham"]
    assert transitions.to_dict("records")[0]["to_class"] == "bright"


def test_an_axis_that_flips_no_more_than_the_shams_is_not():
    flips, _ = tables(sham_flips=16)
    row = flips.iloc[0]
    assert row["share"] == 0.5 and row["sham"] == 0.4 and not row["above_sham"]


def test_what_flips_in_one_group_only_is_not_above_the_sham():
    count = 40
    base = np.tile(np.array([1, 0], np.float32), (count, 1))
    calls = np.zeros((count, 4), int)
    calls[:20, 3] = 1
    turned = answers_of(
        np.zeros((count, 2), int), name="turn", amounts=np.array([0, 1], np.float32), classes=2
    )
    responses = Responses(np.arange(count), base, (answers_of(calls, classes=2), turned))
    flips, _ = flip_tables(
        responses, (brightness_axis(), turn_axis()), ("dim", "bright"), np.arange(count) // 20
    )
    row = flips.iloc[0]
    # Beyond chance for these cells, but not for other groups.
    assert row["p_value"] > 0.05 and row["difference_low"] < 0 and not row["above_sham"]


def test_each_scope_is_held_against_its_own_shams():
    count = 40
    base = np.tile(np.array([1, 0], np.float32), (count, 1))
    calls = np.zeros((count, 4), int)
    calls[:20, 3] = 1
    still, turned = np.zeros((2, count, 2), int)
    turned[:20, 1] = 1
    amounts = np.array([0, 1], np.float32)
    answers = [answers_of(calls, classes=2), answers_of(still, None, "turn", amounts, 2)]
    crop = [answers_of(calls, classes=2), answers_of(turned, None, "turn", amounts, 2)]
    responses = Responses(
        np.arange(count), base, (*answers, *(replace(row, scope="crop") for row in crop))
    )
    axes = (brightness_axis(), turn_axis())
    flips, _ = flip_tables(responses, axes, ("dim", "bright"), np.arange(count) % 8)
    rows = flips[flips["axis"] == "DNA brightness"].set_index("scope")
    assert rows["sham"].to_dict() == {"cell": 0.0, "crop": 0.5}
    assert rows["above_sham"].to_dict() == {"cell": True, "crop": False}
