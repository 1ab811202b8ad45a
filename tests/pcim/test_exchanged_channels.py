"""Channels with much of the evidence that decide nothing are named; deciding ones are not."""

import numpy as np
import pytest
import torch
from torch import nn

import napari_channelmix as cm
from napari_channelmix.jobs import drain
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.exchanged_channels import ChannelEvidence, channel_evidence_job


class Sum(nn.Module):
    """Class 1 where the mean of the channels is above .75: the first is 0 or 1, the second 1."""

    def __init__(self):
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(8.0))

    def forward(self, x):
        score = self.gain * (x[:, :2].mean((1, 2, 3)) - 0.75)
        return torch.stack([-score, score], dim=1)


@pytest.fixture
def crops():
    rng = np.random.default_rng(0)
    light = rng.normal(0, 0.02, (16, 3, 12, 12)).astype(np.float32)
    light[8:, 0] += 1
    light[:, 1] += 1
    return light


def test_exchanges_of_the_deciding_channel_flip_every_call(crops):
    source = Source.of(Sum(), crops, "cpu")
    called = np.repeat([0, 1], 8)
    maps = np.zeros((16, 3, 4, 4), np.float32)
    maps[:, 0], maps[:, 1] = 1, -3
    found = drain(channel_evidence_job(source, maps, called))
    assert found.share == pytest.approx((0.25, 0.75, 0))
    assert found.flipped == (1, 0, 0)
    assert found.exchanges == 16 * 8
    (line,) = found.sentences
    assert "75 % of their evidence in channel 1, but none of 128 exchanges" in line


def test_maps_that_are_divided_as_the_calls_are_need_no_word(crops):
    source = Source.of(Sum(), crops, "cpu")
    maps = np.zeros((16, 3, 4, 4), np.float32)
    maps[:, 0] = 1
    assert drain(channel_evidence_job(source, maps, np.repeat([0, 1], 8))).sentences == ()


def test_cells_that_are_all_called_the_same_say_nothing(crops):
    source = Source.of(Sum(), crops[:8], "cpu")
    found = drain(channel_evidence_job(source, np.ones((8, 3, 4, 4), np.float32), np.zeros(8, int)))
    assert found.exchanges == 0 and found.sentences == ()


def test_few_exchanges_are_not_enough_for_a_sentence():
    assert ChannelEvidence(("a", "b"), (0.1, 0.9), (1.0, 0.0), 15).sentences == ()
    assert len(ChannelEvidence(("a", "b"), (0.1, 0.9), (1.0, 0.01), 16).sentences) == 1


def test_an_explanation_with_separate_channels_says_it(crops):
    found = cm.explain(Sum(), crops, channels="separate", device="cpu")
    said = [line for line in found.warnings if "exchanges of" in line]
    evidence = np.abs(found.channel_maps).sum((2, 3))
    share = (evidence / evidence.sum(1, keepdims=True)).mean(0)
    assert bool(said) == bool(share[1] >= 1 / 3)
    assert not any("channel 0 for" in line for line in said)
    together = cm.explain(Sum(), crops, device="cpu")
    assert not any("exchanges of" in line for line in together.warnings)
