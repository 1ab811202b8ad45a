"""The printed bar chart shows bars in order, the gate above them, and the decoy level."""

from dataclasses import replace

import pytest
from matplotlib.colors import to_hex

from napari_channelmix import ChannelImportance
from napari_channelmix.dcmix.chart import GREY


@pytest.fixture
def importance():
    return ChannelImportance(
        channels=("DNA", "a channel with a long name", "GFP"),
        share=(0.2, 0.1, 0.7),
        share_sd=(0.02, 0.01, 0.05),
        shapley=(0.05, -0.01, 0.4),
        shapley_sd=(0.01, 0.01, 0.03),
        per_class={},
        decoy=(0.08, 0.07, 0.09),
        p_value=None,
        accuracy={"mixed": 0.95, "plain": 0.97},
        recall={"mixed": {}, "plain": {}},
        gate="ok",
        seeds=(0, 1, 2, 3),
        share_of_seed=((0.2, 0.1, 0.7),) * 4,
        n_train=10,
        n_test=5,
        warnings=(),
        provenance={},
    )


def test_bars_stand_in_the_order_of_their_shares(importance):
    axes = importance.figure().axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == [
        "GFP",
        "DNA",
        "a channel with a long name",
    ]
    assert [bar.get_height() for bar in axes.patches] == [0.7, 0.2, 0.1]


def test_both_scales_have_their_zero_at_one_height(importance):
    left, right = importance.figure().axes
    heights = [
        -axes.get_ylim()[0] / (axes.get_ylim()[1] - axes.get_ylim()[0]) for axes in (left, right)
    ]
    assert heights[0] == pytest.approx(heights[1])


def test_a_closed_gate_stands_above_paler_bars(importance):
    closed = replace(importance, gate="blending to one image costs accuracy")
    axes = closed.figure().axes[0]
    assert axes.get_title(loc="left").startswith("Not reliable: blending to one image")
    assert all(bar.get_alpha() < 1 for bar in axes.patches)


def test_without_shapley_and_decoys_there_is_one_scale(importance):
    bare = replace(importance, shapley=None, shapley_sd=None, decoy=None)
    assert len(bare.figure().axes) == 1


def test_bars_stand_upright_where_every_shapley_value_is_negative(importance):
    harmful = replace(importance, shapley=(-0.02, -0.012, -0.03))
    left, right = harmful.figure().axes
    for axes in (left, right):
        low, high = axes.get_ylim()
        assert low < 0 < high
    assert left.get_ylim()[1] >= 0.7
    assert right.get_ylim()[0] <= -0.03


def test_a_channel_not_above_its_control_is_grey_and_the_legend_says_so(importance):
    some = replace(importance, above_decoy=(False, True, True))
    axes = some.figure().axes[0]
    names = [label.get_text() for label in axes.get_xticklabels()]
    colors = [to_hex(bar.get_facecolor()).upper() for bar in axes.patches[:3]]
    assert [color == GREY for color in colors] == [name == "DNA" for name in names]
    said = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "not above its negative control" in said
    said = [text.get_text() for text in importance.figure().axes[0].get_legend().get_texts()]
    assert "not above its negative control" not in said


def test_where_blending_costs_the_shapley_values_give_the_order(importance):
    closed = replace(importance, gate="mixing costs accuracy", shapley=(0.4, 0.2, 0.1))
    axes = closed.figure().axes[0]
    assert axes.get_xticklabels()[0].get_text() == "DNA"


def test_shares_of_a_few_groups_are_full_bars_under_their_caveat(importance):
    verdict = "Reliable for these 4 groups, which say little about others"
    gate = "4 held-out groups say little about other groups"
    few = replace(importance, gate=gate, verdict=verdict)
    axes = few.figure().axes[0]
    title = axes.get_title(loc="left").replace("\n", " ")
    assert title.startswith(verdict) and "Not reliable" not in title
    assert all(bar.get_alpha() == 1 for bar in axes.patches)


def test_legend_and_title_call_the_networks_alike(importance):
    axes = importance.figure().axes[0]
    names = [text.get_text() for text in axes.get_legend().get_texts()]
    assert "Shapley value (all-channel network)" in names
    assert "all-channel 0.97" in axes.get_title(loc="left")


def test_many_channels_stand_below_each_other_in_letters_that_can_be_read_in_print(importance):
    count = 104
    share = (1 / count,) * count
    many = replace(
        importance,
        channels=tuple(f"$marker {place}" for place in range(count)),
        share=share,
        share_sd=(0.001,) * count,
        shapley=None,
        shapley_sd=None,
        decoy=None,
        p_value=None,
        share_of_seed=(share,) * 4,
    )
    figure = many.figure()
    axes = figure.axes[0]
    # A page of A4 is 7 inches wide between its margins.
    assert figure.get_figwidth() <= 7.1 and figure.get_figheight() < 10
    assert min(label.get_fontsize() for label in axes.get_yticklabels()) >= 7
    assert len(axes.get_yticklabels()) == 40
    assert "the first 40 of 104 channels" in figure.get_suptitle().replace("\n", " ")
