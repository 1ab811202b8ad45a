"""Groups of channels that are exchanged together: named by the user, or refused in a line."""

import doctest

import pytest

import napari_channelmix as cm
from napari_channelmix.errors import ModelError
from napari_channelmix.settings import channels as settings_module
from napari_channelmix.whatif import channel_players
from napari_channelmix.whatif.channel_players import named_players

from .channel_cases import by_first, cells_of, model_of


@pytest.mark.parametrize("module", [channel_players, settings_module])
def test_examples_are_true(module):
    assert not doctest.testmod(module).failed


def test_channels_without_a_group_are_players_of_their_own():
    players = named_players([("T", ["d", "b"])], list("abcd"))
    assert players == {"a": ("a",), "T": ("b", "d"), "c": ("c",)}


@pytest.mark.parametrize(
    ("players", "line"),
    [
        ({"x": ["a"], "y": ["b", "a"]}, "has the channel 'a' in two groups, 'x' and 'y'"),
        ({"x": ["a", "a"]}, "has the channel 'a' in group 'x' twice"),
        ({"x": []}, "gives group 'x' no channel"),
        ({" ": ["a"]}, "has a group without a name"),
        ({"x": "ab"}, "must list the channels of group 'x'"),
        ("x", "must map each group to its channels"),
        ({"x": ["q"]}, "group 'x' names the channel 'q', which the classifier does not have; it"),
        ({"c": ["a", "b"]}, "group 'c' has the name of a channel that is not in it"),
        ({"x": ["a", "b", "c"]}, "all 3 channels are in the group 'x'"),
    ],
)
def test_groups_that_cannot_be_are_refused_in_a_line(players, line):
    with pytest.raises(ModelError, match=line) as error:
        cm.channel_shapley(model_of(by_first), cells_of(), players=players)
    assert "\n" not in str(error.value)


def test_a_group_has_the_value_of_its_channels_together():
    def needs_both(means):
        return (means[:, 0] > 2) & (means[:, 1] > 2)

    cells = cells_of()
    pixels = cells.read()
    pixels[:, 1] = pixels[:, 0]
    twins = cm.Cells.from_array(
        pixels, cells.channels, cells.labels, cells.classes, cells.groups.tolist()
    )
    model = model_of(needs_both)
    result = cm.channel_shapley(model, twins, forwards=800, players={"T": ["a", "b"]})
    assert result.channels == ("T", "c") and result.players == {"T": ("a", "b"), "c": ("c",)}
    group, other = result.of_class()
    assert group.value == pytest.approx(result.whole - result.nothing) and other.value == 0
    assert group.swap == 1.0 and result.exact
    assert result.effects().loc["T"].gt(0).tolist() == [False, True]
    # Kept, and read again, as the mapping that was given.
    kept = result.provenance["settings"]["players"]
    assert kept == {"T": ["a", "b"]}
    assert cm.ChannelSettings(players=kept) == cm.ChannelSettings(players=(("T", ("a", "b")),))
    assert hash(cm.ChannelSettings(players=kept))


def test_many_channels_in_few_groups_are_exact():
    players = {"marker": ["a"], "rest": list("bcdefghij")}
    result = cm.channel_shapley(model_of(by_first, 10), cells_of(10), players=players, forwards=400)
    assert result.exact and result.order == ("marker", "rest")
