"""Results in a terminal: every figure with its interval, and what it was measured on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_channelmix.classify.accuracy import accuracy_difference, estimate_accuracy
from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.dcmix.single_channels import ChannelsAlone, ChannelSet
from napari_channelmix.run.text import importance_text

RESULT = ChannelImportance(
    ("GFP", "DNA"),
    (0.8, 0.2),
    (0.02, 0.01),
    (0.3, -0.01),
    (0.0, 0.0),
    {},
    (0.2, 0.3),
    (0.0004, 0.21),
    {"mixed": 0.9, "plain": 0.92},
    {"mixed": {}, "plain": {}},
    "ok",
    (0, 1, 2, 3),
    ((0.8, 0.2),) * 4,
    8,
    4,
    (),
    {},
)
LABELS, GROUPS = [0, 0, 1, 1] * 6, [f"w{at // 4}" for at in range(24)]
CLASSES = ("x", "y")


def alone() -> ChannelsAlone:
    right, wrong = LABELS, [0] * 24
    sets = [
        ChannelSet(
            (name,),
            estimate_accuracy(LABELS, called, GROUPS, CLASSES),
            accuracy_difference(LABELS, right, called, GROUPS, 2),
        )
        for name, called in (("DNA", right), ("actin", wrong))
    ]
    whole = sets[0].accuracy
    return ChannelsAlone(("DNA", "actin"), whole, tuple(sets), tuple(sets[::-1]), sets[0], ())


def importance() -> ChannelImportance:
    return ChannelImportance(
        ("DNA", "actin"),
        (0.25, 0.75),
        (0.1, 0.1),
        None,
        None,
        {},
        None,
        None,
        {"mixed": 0.9, "plain": 0.95},
        {"mixed": {}, "plain": {}},
        "ok",
        (0, 1),
        ((0.2, 0.8), (0.3, 0.7)),
        8,
        4,
        (),
        {},
        alone=alone(),
    )


def test_channels_alone_have_their_intervals_and_numbers() -> None:
    lines = importance_text(importance()).splitlines()
    head = lines.index(f"{'channel':<7}  {'alone':<20}  without it")
    whole, chance = (one.accuracy for one in importance().alone.alone)  # type: ignore[union-attr]
    # In the order of the shares.
    assert lines[head + 1].split("  ")[0].strip() == "actin"
    assert lines[head + 2].startswith(f"DNA      {whole.short_text}")
    assert lines[head + 2].endswith(chance.short_text) and " to " in chance.short_text
    assert lines[head + 3].endswith("95 % intervals; 6 held-out groups, 24 cells")


def test_the_table_and_the_file_have_them_too() -> None:
    found = importance()
    row = found.to_frame().loc["actin"]
    low, high = row["accuracy_alone_low"], row["accuracy_alone_high"]
    assert low < row["accuracy_alone"] == 0.5 < high
    assert row["accuracy_without_low"] < row["accuracy_without"] == 1
    content = found.to_dict()["alone"]
    assert content["alone"][1]["accuracy"]["low"] == low
    assert content["alone"][1]["accuracy"]["n_groups"] == 6
    assert content["measured_on"].endswith("6 held-out groups, 24 cells")


@pytest.mark.parametrize(
    ("shapley", "ends"),
    [
        ((0.3, -0.01), ["0.020 +0.300    < 0.001", "0.010 -0.010      0.210"]),
        (None, ["0.020           < 0.001", "0.010             0.210"]),
    ],
)
def test_p_values_stand_beside_the_shares(shapley, ends):
    lines = importance_text(replace(RESULT, shapley=shapley, shapley_sd=shapley)).splitlines()
    head, first, second = lines[-3:]
    assert head.endswith("Shapley         p")
    assert first.startswith("GFP") and first.endswith(ends[0])
    assert second.startswith("DNA") and second.endswith(ends[1])


def test_the_reason_stands_where_there_are_no_p_values():
    text = importance_text(replace(RESULT, p_value=None, p_value_reason="fewer than 4 seeds"))
    assert text.endswith(
        "DNA      ██████                          0.200 ± 0.010 -0.010\n"
        "note: no p-values: fewer than 4 seeds"
    )


def test_accuracies_alone_that_must_not_be_read_say_so() -> None:
    closed = replace(
        importance(),
        gate="at chance: nothing can be read",
        verdict="Nothing can be read: accuracy is at chance",
    )
    line = "alone, without it: Not to be read: accuracy is at chance"
    assert line in importance_text(closed).splitlines()
    assert "Not to be read" not in importance_text(importance())


def test_sampled_values_are_said_to_be() -> None:
    line = "Shapley values are sampled, ± sampling error: 0.012 at most"
    assert line in importance_text(replace(RESULT, sampling_error=(0.004, 0.0121))).splitlines()
    assert line not in importance_text(RESULT)
