"""The map of a channel is held against random maps of that channel, whatever the others do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from napari_channelmix.jobs import drain
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.pcim.channel_contributions import ChannelContributions
from napari_channelmix.pcim.channel_reliability import (
    ChannelReliability,
    channel_reliability_job,
)

SIDE = 24
SPOTS = ((4, 4), (4, 15), (15, 4), (15, 15))


class CornerLit(nn.Module):
    """Class 1 where four spots of channel 0 are lit and those of channel 1 are not."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(10.0))

    def forward(self, x: Any) -> Any:
        lit = sum(x[:, :2, y : y + 5, c : c + 5].mean((2, 3)) for y, c in SPOTS) / len(SPOTS)
        score = self.gain * (lit[:, 0] - lit[:, 1] - 0.5)
        return torch.stack([-score, score], dim=1)


@pytest.fixture(scope="module")
def source() -> Source:
    rng = np.random.default_rng(0)
    crops = rng.normal(0, 0.05, (60, 3, SIDE, SIDE)).astype(np.float32)
    for y, c in SPOTS:
        crops[:30, 0, y : y + 5, c : c + 5] += 1
        crops[15:, 1, y : y + 5, c : c + 5] += 1
    return Source.of(CornerLit(), crops, "cpu")


def maps_of(*inside: bool) -> Any:
    """Evidence in the spots that decide, or all around them."""
    maps = np.zeros((3, SIDE, SIDE), np.float32)
    for channel, right in enumerate(inside):
        maps[channel] = 0.0 if right else 1.0
        for y, c in SPOTS:
            maps[channel, y : y + 5, c : c + 5] = 1.0 if right else 0.0
    return maps


def deciding() -> ChannelContributions:
    """The first two channels decide, the second more."""
    fall = np.array([0.5, 0.6, 0.0])
    names = tuple(f"channel {n}" for n in range(3))
    return ChannelContributions(names, 0.9, fall, fall, fall, 0 * fall, fall > 0, 16, 8, 16)


def of_maps(source: Source, maps: Any) -> ChannelReliability:
    return drain(channel_reliability_job(source, maps, deciding(), 1))


def test_each_map_is_judged_by_its_own_channel(source: Source) -> None:
    result = of_maps(source, maps_of(True, False, True))
    assert result.channels == ("channel 1", "channel 0") and result.n == 24
    better = dict(zip(result.channels, result.better.tolist(), strict=True))
    # The second needs the absence of light: a real cell that has it tells right from wrong.
    assert better == {"channel 0": True, "channel 1": False}
    assert "better than random maps: in this channel alone" in result.line("channel 0")
    assert "must not be read" in result.line("channel 1")
    assert "not tested" in result.line("channel 2") and result.mark("channel 2") == ""
    assert (result.mark("channel 0"), result.mark("channel 1")) == ("faithful", "by chance")
    assert result.sentence.endswith("1 of 2 that decide: channel 0.")


def test_the_absence_of_light_has_a_map_too(source: Source) -> None:
    result = of_maps(source, maps_of(True, True, False))
    assert result.better.tolist() == [True, True] and (result.gain > 0.2).all()
    assert (result.p_value < 0.05).all()
    content = result.as_dict()
    assert content["better_than_chance"] == [True, True] and content["n"] == 24


def test_nothing_is_tested_where_no_channel_decides(source: Source) -> None:
    result = drain(channel_reliability_job(source, maps_of(True, True, True), None, 1))
    assert result.channels == () and result.mark("channel 0") == ""
    assert result.sentence == "No map of a single channel was tested: no channel alone decides."


def test_a_stop_comes_between_two_steps(source: Source) -> None:
    job = channel_reliability_job(source, maps_of(True, True, True), deciding(), 1)
    step = next(job)
    assert step.total > 10 and "each channel" in step.stage
    job.close()
