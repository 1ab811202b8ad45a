"""The gate, from numbers alone: every row is one thing that may be read, or not."""

from __future__ import annotations

from typing import Any

import pytest

from napari_channelmix.dcmix.reliability import Evidence, Gate, Standing, judge, without_control


def standing(
    accuracy: float, p: float, chance: float = 0.5, below: float = 1.0, reach: float = 0.01
) -> Standing:
    return Standing(accuracy, accuracy - reach, accuracy + reach, chance, p, below)


GOOD = {
    "plain": standing(0.95, 0.001),
    "mixed": standing(0.94, 0.001),
    "least_p": 0.001,
    "groups": 12,
    "cost": 0.01,
    "cost_low": -0.02,
}
VALUES = "Use the Shapley values: blending costs accuracy"
REACHES = "Nothing can be read: the interval of the accuracy reaches chance"
CHANCE = "Nothing can be read: accuracy is at chance"


@pytest.mark.parametrize(
    ("changes", "verdict", "says"),
    [
        ({}, "Reliable", "ok"),
        # At chance: too large a p, chance within the interval, or too small a gain however sure.
        (
            {"plain": standing(0.99, 0.001, reach=0.5), "mixed": standing(0.99, 0.001, reach=0.5)},
            REACHES,
            "accuracy is above chance on these cells (channel-mixing 0.99, all-channel 0.99, "
            "chance",
        ),
        (
            {"plain": standing(0.99, 0.001, reach=0.5)},
            REACHES,
            "a few groups hold most of the cells",
        ),
        (
            {"mixed": standing(0.94, 0.001, reach=0.5)},
            "Use the Shapley values: the interval of the blended image reaches chance",
            "0.44 to 1.44",
        ),
        (
            {"plain": standing(0.7, 0.05), "mixed": standing(0.7, 0.2)},
            CHANCE,
            "nothing can be read",
        ),
        (
            {"plain": standing(0.54, 0.001), "mixed": standing(0.53, 0.001)},
            CHANCE,
            "accuracy is at chance (channel-mixing 0.53, all-channel 0.54, chance 0.50; p = 0.001 "
            "and 0.001 "
            "over 12",
        ),
        (
            {"plain": standing(0.12, 0.001, 0.1), "mixed": standing(0.12, 0.001, 0.1)},
            "Reliable",
            "ok",
        ),
        # The all-channel network alone at chance is not 'ok', whatever the mixed one does.
        (
            {"plain": standing(0.6, 0.2), "mixed": standing(0.9, 0.001), "cost": -0.3},
            "Nothing can be read: the network that sees all channels is at chance",
            "only the channel-mixing",
        ),
        (
            {
                "plain": standing(0.7, 0.2),
                "mixed": standing(0.7, 0.2),
                "least_p": 1 / 6,
                "groups": 4,
            },
            "Nothing can be read: too few groups",
            "4 held-out groups can give no p below 0.17",
        ),
        (
            {"plain": standing(0.2, 1.0, below=0.01), "mixed": standing(0.4, 0.7)},
            "Nothing can be read: accuracy is far below chance",
            "groups are told apart, but their label",
        ),
        (
            {"plain": standing(0.2, 1.0, below=0.01, reach=0.31), "mixed": standing(0.4, 0.7)},
            CHANCE,
            "chance",
        ),
        (
            {"plain": standing(0.46, 1.0, below=0.01), "mixed": standing(0.46, 1.0)},
            CHANCE,
            "chance",
        ),
        # Mixing costs accuracy: all of it, more than 0.05, or less with certainty.
        (
            {"mixed": standing(0.6, 0.1), "cost": 0.35, "cost_low": 0.2},
            VALUES,
            "the channel-mixing network is at chance",
        ),
        (
            {
                "mixed": standing(0.88, 0.001),
                "cost": 0.07,
                "losses": {"a": 0.03, "b": 0.11, "c": 0.0},
            },
            VALUES,
            "blending to one image costs accuracy (channel-mixing 0.88, all-channel 0.95; recall "
            "lost: b -0.11, a",
        ),
        ({"cost": 0.03, "cost_low": 0.01}, VALUES, "costs accuracy"),
        ({"cost": 0.03, "cost_low": -0.01}, "Reliable", "ok"),
        ({"cost": 0.015, "cost_low": 0.01}, "Reliable", "ok"),
        ({"cost": -0.2, "cost_low": -0.3}, "Reliable", "ok"),
        # A class that is one group, and classes that were not learnt.
        (
            {"lone": {"b": "w7"}},
            "Nothing can be read: a class and its group cannot be told apart",
            "held out in one group only: b (w7)",
        ),
        (
            {"not_learnt": ("rare", "odd")},
            "Reliable but for what was not learnt: rare, odd",
            "not learnt, as their recall is at chance: rare, odd; the bars say nothing of",
        ),
        ({"not_learnt": ("rare",), "cost": 0.1}, VALUES, "costs accuracy"),
        # Few groups, however sure the accuracy: none is read of two, and of three only themselves.
        (
            {"groups": 2},
            "Nothing can be read: too few groups",
            "2 held-out groups are too few to say anything about other groups, whatever the "
            "accuracy (channel-mixing",
        ),
        (
            {"groups": 1, "mixed": standing(0.6, 0.2)},
            "Nothing can be read: too few groups",
            "1 held-out group is too few",
        ),
        (
            {"groups": 4},
            "Reliable for these 4 groups, which say little about others",
            "4 held-out groups say little about other groups (channel-mixing 0.94, all-channel "
            "0.95",
        ),
        ({"groups": 5}, "Reliable", "ok"),
        ({"groups": 4, "cost": 0.1}, VALUES, "costs accuracy"),
        # What was not learnt does not hide that the groups are few.
        (
            {"groups": 4, "not_learnt": ("odd",)},
            "Reliable but for what was not learnt: odd",
            "what these classes need. 4 held-out groups say little about other groups",
        ),
        (
            {"lone": {"b": "w7"}, "plain": standing(0.5, 0.6), "mixed": standing(0.5, 0.6)},
            CHANCE,
            "",
        ),
    ],
)
def test_what_may_be_read(changes: dict[str, Any], verdict: str, says: str) -> None:
    gate = judge(Evidence(**{**GOOD, **changes}))
    assert gate.verdict == verdict
    assert says in gate.reason
    assert (gate.reason == "ok") == (verdict == "Reliable")
    assert gate.opens == verdict.startswith("Reliable")
    if verdict.startswith("Nothing"):
        assert "nothing can be read" in gate.reason


def test_shares_of_which_none_stands_above_its_control_are_not_reliable() -> None:
    gate = Gate("Reliable", "ok")
    assert without_control(gate, [False, True]) == without_control(gate, None) == gate
    shut = without_control(gate, [False, False])
    assert shut.verdict == "Use the Shapley values: no share stands above its negative control"
    assert shut.blending_costs and not shut.opens
    nothing = Gate(CHANCE, "accuracy is at chance")
    assert without_control(nothing, [False, False]) == nothing
