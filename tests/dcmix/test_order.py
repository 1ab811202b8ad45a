"""Order by the answer that is reliable, channels at their control, and what is said of them."""

from dataclasses import replace

import pytest

from napari_channelmix import ChannelImportance
from napari_channelmix.classify.accuracy import AccuracyDifference, AccuracyEstimate
from napari_channelmix.dcmix.plain_classifiers import questioned
from napari_channelmix.dcmix.reliability import USE_SHAPLEY
from napari_channelmix.dcmix.separability import OneNumber, Separability
from napari_channelmix.dcmix.single_channels import ChannelsAlone, ChannelSet

CLOSED = (
    "blending to one image costs accuracy (channel-mixing 0.60, all-channel 0.90): read the "
    "Shapley values"
)
CHANCE = "accuracy is at chance: nothing can be read from the shares"


def estimate(balanced):
    return AccuracyEstimate(balanced, balanced - 0.05, balanced + 0.02, 0.5, 100, 12, ())


def stain(gap=0.01):
    number = OneNumber("b", "brightness", estimate(0.97), 0.3, 0.2)
    return Separability(
        (number,),
        number,
        None,
        estimate(0.98),
        AccuracyDifference(gap, gap - 0.02, gap + 0.02, 100, 12),
    )


@pytest.fixture
def importance():
    return ChannelImportance(
        channels=("a", "b", "c"),
        share=(0.2, 0.3, 0.5),
        share_sd=(0.01,) * 3,
        shapley=(0.3, 0.1, 0.0),
        shapley_sd=(0.01,) * 3,
        per_class={},
        decoy=(0.1, 0.3, 0.1),
        p_value=None,
        accuracy={"mixed": 0.9, "plain": 0.9},
        recall={"mixed": {}, "plain": {}},
        gate="ok",
        seeds=(0, 1, 2, 3),
        share_of_seed=((0.2, 0.3, 0.5),) * 4,
        n_train=300,
        n_test=100,
        warnings=(),
        provenance={},
        above_decoy=(True, False, True),
        above_zero=(True, True, False),
    )


def test_by_share_where_blending_costs_nothing(importance):
    assert importance.answer == "share"
    assert importance.order == (2, 1, 0)
    assert importance.above_control == (True, False, True)
    # Its Shapley value is above zero all the same.
    assert importance.sentences == (
        "The share cannot be told from its negative control, though the accuracy says that the "
        "channel is used: b",
    )
    unknown = replace(importance, above_zero=(True, False, False))
    assert unknown.sentences == ("Not above its negative control, so nothing is known of: b",)


def test_by_shapley_value_where_it_costs(importance):
    closed = replace(importance, gate=CLOSED)
    assert closed.answer == "shapley"
    assert closed.order == (0, 1, 2)
    assert closed.above_control == (True, True, False)
    assert "Not above zero, so nothing is known of: c" in closed.sentences


@pytest.mark.parametrize("change", [{"gate": CHANCE}, {"gate": CLOSED, "shapley": None}])
def test_in_the_order_of_the_data_set_where_nothing_can_be_read(importance, change):
    shut = replace(importance, **change)
    assert shut.answer == "none"
    assert shut.order == (0, 1, 2)
    assert shut.above_control is None
    assert shut.sentences == ()


def test_the_table_has_that_order(importance):
    assert importance.to_frame().index.tolist() == ["c", "b", "a"]
    table = replace(importance, gate=CLOSED).to_frame()
    assert table.index.tolist() == ["a", "b", "c"]
    assert table["above_control"].tolist() == [True, True, False]


def test_a_question_leaves_the_gate_open(importance):
    asked = replace(importance, separability=stain(), gate=stain().sentence)
    assert asked.asks and asked.open and asked.answer == "share"
    assert asked.question == (
        "Readable from the brightness of b alone (.97 of .98): stain or batch?"
    )
    assert asked.sentences[0] == asked.question
    assert not replace(importance, separability=stain(gap=0.2)).asks


def test_a_closed_gate_stays_closed_whatever_one_number_says(importance):
    shut = replace(importance, separability=stain(), gate=CLOSED)
    assert not shut.open and not shut.asks
    assert shut.sentences[0].startswith("Readable from")


def test_the_file_keeps_it(importance, tmp_path):
    importance.save(tmp_path)
    again = ChannelImportance.load(tmp_path / "importance.json")
    assert again == importance
    assert again.order == importance.order


FEW = "4 held-out groups say little about other groups: what the bars show is of these alone"
THESE = "Reliable for these 4 groups, which say little about others"


def test_shares_of_a_few_groups_are_readable_with_a_caveat(importance):
    few = replace(importance, gate=FEW, verdict=THESE)
    assert few.shares_readable and not few.open and few.caveat == FEW
    assert few.to_dict()["shares_readable"] is True
    assert few.answer == "share"
    assert importance.shares_readable and importance.caveat == ""
    shut = replace(importance, gate=CLOSED, verdict=USE_SHAPLEY)
    assert not shut.shares_readable and shut.caveat == ""
    assert shut.to_dict()["shares_readable"] is False


@pytest.mark.parametrize(
    ("gate", "verdict", "before"),
    [
        ("ok", "Reliable", ()),
        (FEW, THESE, (FEW,)),
        ("not learnt: x", "Reliable but for what was not learnt: x", ("not learnt: x",)),
    ],
)
def test_the_question_becomes_the_verdict_of_all_readable_shares(importance, gate, verdict, before):
    found = replace(importance, gate=gate, verdict=verdict, separability=stain(), warnings=("w",))
    asked = questioned(found)
    assert asked.asks and asked.shares_readable
    assert asked.gate == asked.verdict == stain().sentence
    assert asked.warnings == ("w", *before)
    # Neither where no number tells the class, nor where the gate is closed.
    assert questioned(replace(found, separability=stain(gap=0.2))).verdict == verdict
    closed = replace(found, gate=CHANCE, verdict="Nothing can be read: accuracy is at chance")
    assert questioned(closed) is closed


@pytest.mark.parametrize("verdict", [f"{USE_SHAPLEY}: blending costs accuracy", ""])
def test_values_that_are_to_be_read_and_were_not_computed_are_asked_for(importance, verdict):
    closed = replace(importance, gate=CLOSED, verdict=verdict)
    assert closed.not_computed == ""
    without = replace(closed, shapley=None, shapley_sd=None, above_zero=None)
    assert without.not_computed == "They were not computed: run again with Shapley values"
    assert without.not_computed in without.summary().warnings
    # Neither where the shares are read, nor where nothing can be.
    assert replace(importance, shapley=None, shapley_sd=None, above_zero=None).not_computed == ""
    assert (
        replace(without, gate=CHANCE, verdict="Nothing can be read: at chance").not_computed == ""
    )


def heads(low=0.7, groups=8, cells=96):
    whole = AccuracyEstimate(0.8, low, 0.9, 0.5, cells, groups, (), "a warning")
    one = ChannelSet(("a",), whole, AccuracyDifference(0.1, 0.05, 0.15, cells, groups))
    return ChannelsAlone(("a", "b", "c"), whole, (one,) * 3, (one,) * 3, None, ())


@pytest.mark.parametrize(
    ("alone", "gate", "verdict", "says"),
    [
        (heads(), "ok", "Reliable", ""),
        (heads(), FEW, THESE, ""),
        (heads(), CLOSED, "Use the Shapley values: blending costs accuracy", ""),
        (heads(groups=3), "ok", "Reliable", ""),
        (heads(groups=2), "ok", "Reliable", "2 groups are too few to say anything about other"),
        # No groups are known: that is no reason.
        (heads(groups=96), "ok", "Reliable", ""),
        (heads(low=0.5), "ok", "Reliable", "with all channels too, they are not known to be above"),
        (heads(), CHANCE, "Nothing can be read: accuracy is at chance", "accuracy is at chance"),
        (
            heads(),
            "x",
            "Nothing can be read: a class and its group cannot be told apart",
            "a class and its g",
        ),
        (
            heads(),
            "x",
            "Not reliable: a class and its group cannot be told apart",  # of an earlier version
            "a class and its g",
        ),
        # Files of older versions have no verdict.
        (heads(), CHANCE, "", CHANCE),
        (heads(), CLOSED, "", ""),
        (None, CHANCE, "", ""),
    ],
)
def test_accuracies_alone_say_why_they_must_not_be_read(importance, alone, gate, verdict, says):
    found = replace(importance, alone=alone, gate=gate, verdict=verdict)
    expected = f"Not to be read: {says}" if says else ""
    assert found.alone_unreadable.startswith(expected)
    assert bool(found.alone_unreadable) == bool(says)
    assert found.to_dict()["alone_unreadable"] == found.alone_unreadable
    if alone is not None:
        assert set(found.to_frame()["accuracy_alone_readable"]) == {not says}
