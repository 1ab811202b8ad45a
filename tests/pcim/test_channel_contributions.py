"""A channel that decides is told from one that does not, by exchanging it with real cells'."""

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.jobs import drain
from napari_channelmix.pcim import channel_contributions as channel_contributions_module
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.channel_contributions import (
    ChannelContributions,
    channel_contributions,
    donors_job,
)


class FirstChannel(nn.Module):
    """Class 1 where the first channel is bright: log odds of 8 (mean - .5)."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(4.0))

    def forward(self, x):
        score = self.gain * (x[:, 0].mean((1, 2)) - 0.5)
        return torch.stack([-score, score], dim=1)


def cells(count=40, channels=2, side=12):
    """The second half bright, in every channel; noise beside it."""
    rng = np.random.default_rng(0)
    crops = rng.normal(0, 0.05, (count, channels, side, side)).astype(np.float32)
    crops[count // 2 :] += 1
    return crops


def test_the_probability_falls_with_the_channel_that_decides_and_with_no_other():
    source = Source.of(FirstChannel(), cells(), "cpu")
    donors = drain(donors_job(source))
    assert len(donors) == 40 and donors.called.tolist() == [0] * 20 + [1] * 20
    result = channel_contributions(source, donors, 1, row=30)
    # sigmoid(2 * 4 * .5) to sigmoid(-4): .982 to .018.
    assert result.probability == pytest.approx(0.982, abs=0.01)
    assert result.fall == pytest.approx([0.964, 0], abs=0.02)
    assert result.sham == pytest.approx([0, 0], abs=0.02)
    assert result.above.tolist() == [True, False]
    assert result.low[0] < result.fall[0] < result.high[0]
    assert (result.donors, result.groups, result.sham_donors) == (16, 16, 16)
    assert result.sentence == "Decided by channel 0 + (16 other cells)."


def test_evidence_that_decides_nothing_is_named():
    source = Source.of(FirstChannel(), cells(), "cpu")
    result = channel_contributions(source, drain(donors_job(source)), 0)
    maps = np.zeros((2, 12, 12), np.float32)
    maps[0], maps[1] = 1, -3
    with_evidence = result.with_evidence(maps)
    assert with_evidence.evidence == pytest.approx([0.25, 0.75])
    (line,) = with_evidence.cautions
    assert line.startswith("channel 1 has 75 % of the evidence")
    assert result.cautions == ()


def test_donors_are_turned_until_the_other_channels_lie_alike():
    rng = np.random.default_rng(1)
    crops = rng.normal(0, 0.01, (8, 2, 12, 12)).astype(np.float32)
    # A bright corner in both channels: at the top left of the cell, anywhere of the others.
    corners = [(0, 0), (0, 8), (8, 0), (8, 8)]
    for cell in range(8):
        y, x = corners[cell % 4]
        crops[cell, 1, y : y + 4, x : x + 4] += 1
        crops[cell, 0, y : y + 4, x : x + 4] += 1 + cell // 4

    class Corner(nn.Module):
        """Class 1 where the top left corner of the first channel is at 2, class 0 at 1."""

        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.tensor(6.0))

        def forward(self, x):
            score = self.gain * (x[:, 0, :4, :4].mean((1, 2)) - 1.5)
            return torch.stack([-score, score], dim=1)

    source = Source.of(Corner(), crops, "cpu")
    donors = drain(donors_job(source))
    # Called by their top left corner alone: only cell 4 is called 1.
    assert donors.called.tolist() == [0] * 4 + [1] + [0] * 3
    result = channel_contributions(source, donors, 0, row=0)
    # Its corner, brought onto that of the cell, is at 2: sigmoid(-6 * 2 * .5).
    assert result.fall[0] == pytest.approx(0.995, abs=0.01)


def test_one_channel_or_cells_that_are_all_called_the_same_have_none():
    alone = Source.of(FirstChannel(), cells(channels=1), "cpu")
    assert channel_contributions(alone, drain(donors_job(alone)), 1) is None
    alike = Source.of(FirstChannel(), cells()[:20], "cpu")
    assert channel_contributions(alike, drain(donors_job(alike)), 0) is None


def test_few_groups_are_said():
    values = np.array([0.5, 0.0])
    result = ChannelContributions(
        ("a", "b"), 0.9, values, values, values, 0 * values, values > 0, 16, 3, 16
    )
    assert "3 groups, which say little about other groups" in result.sentence


def test_without_a_sham_no_channel_is_said_to_decide():
    crops = np.concatenate([cells()[:20], cells()[-1:]])
    source = Source.of(FirstChannel(), crops, "cpu")
    result = channel_contributions(source, drain(donors_job(source)), 1, row=20)
    assert result.fall[0] > 0.9 and np.isnan(result.sham).all()
    assert not result.above.any() and result.sham_donors == 0
    assert "no other cell has the same prediction" in result.sentence
    assert result.with_evidence(np.ones((2, 12, 12), np.float32)).cautions == ()


class PresentAndAbsent(nn.Module):
    """A class for light in the first channel alone, one for both, one for none."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))

    def forward(self, x):
        first, second = (self.gain * (x[:, channel].mean((1, 2)) - 0.5) for channel in (0, 1))
        return torch.stack([-first, (first - second).clamp_max(first), second], dim=1)


def of_three_kinds(count=60, side=12):
    """Cells with light in the first channel, in both, or in none; the third at random."""
    rng = np.random.default_rng(0)
    crops = rng.normal(0, 0.05, (count, 3, side, side)).astype(np.float32)
    crops[::3, 0] += 1
    crops[1::3, :2] += 1
    crops[:, 2] += rng.normal(0, 1, (count, 1, 1)).astype(np.float32)
    return crops


def test_the_sign_says_whether_light_is_needed_or_its_absence():
    source = Source.of(PresentAndAbsent(), of_three_kinds(), "cpu")
    result = channel_contributions(source, drain(donors_job(source)), 1, row=0)
    assert result.above.tolist() == [True, True, False]
    # Half of the donors have as much light of the first channel as the cell, and nothing falls.
    assert result.direction[:2] == pytest.approx([1, -1], abs=0.05)
    assert result.signs.tolist() == [1, -1, 0]
    assert result.sentence.startswith("Decided by channel 0 +, channel 1 −")  # noqa: RUF001
    assert result.order.tolist()[2] == 2
    content = result.as_dict()
    assert content["sign"] == [1, -1, 0] and content["above"] == [True, True, False]
    assert content["evidence"] is None and len(content["fall"]) == 3


def test_a_channel_that_tells_by_its_shape_has_no_sign():
    rng = np.random.default_rng(0)
    crops = rng.normal(0, 0.01, (60, 2, 12, 12)).astype(np.float32)
    crops[:30, 0, 3:6, 3:9] += 1
    crops[30:, 0, 6:9, 3:9] += 1
    # As much light in both, more or less.
    crops[:, 0] *= rng.uniform(0.9, 1.1, (60, 1, 1)).astype(np.float32)

    class Upper(nn.Module):
        def __init__(self):
            super().__init__()
            self.gain = nn.Parameter(torch.tensor(20.0))

        def forward(self, x):
            score = self.gain * (x[:, 0, :6].mean((1, 2)) - x[:, 0, 6:].mean((1, 2)))
            return torch.stack([-score, score], dim=1)

    source = Source.of(Upper(), crops, "cpu")
    result = channel_contributions(source, drain(donors_job(source)), 0, row=40)
    assert np.abs(result.direction[0]) < 1 and result.signs.tolist() == [0, 0]


def test_channels_that_decide_come_first_and_by_how_far_the_probability_falls():
    fall = np.array([0.1, -0.6, 0.3, 0.2])
    result = ChannelContributions(
        ("a", "b", "c", "d"),
        0.9,
        fall,
        fall,
        fall,
        0 * fall,
        np.array([True, False, True, False]),
        16,
        8,
        16,
        direction=np.array([1.0, 0.0, -0.9, 1.0]),
        direction_low=np.array([0.5, -1.0, -1.0, 0.8]),
        direction_high=np.array([1.0, 1.0, -0.4, 1.0]),
    )
    assert result.order.tolist() == [2, 0, 1, 3]
    assert result.words == "c −, a +"  # noqa: RUF001
    assert result.signed_name(3) == "d"


def test_crops_that_are_not_square_are_turned_by_half_a_turn_alone():
    crops = np.concatenate([cells(), cells()[..., :6]], axis=3)
    source = Source.of(FirstChannel(), crops, "cpu")
    assert crops.shape[2] != crops.shape[3]
    result = channel_contributions(source, drain(donors_job(source)), 1, row=len(crops) - 1)
    assert result.fall[0] > 0.9 and abs(result.fall[1]) < 0.1


def test_of_large_crops_fewer_donors_are_held():
    source = Source.of(FirstChannel(), cells(), "cpu")
    usual = len(drain(donors_job(source)).called)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(channel_contributions_module, "POOL_NUMBERS", 2 * 12 * 12 * 33)
        assert len(drain(donors_job(source)).called) == min(33, usual)
