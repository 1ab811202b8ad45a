"""The bars of channel contributions: a fall is a minus, a rise a plus, and grey says nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from napari_channelmix.pcim.channel_contributions import ChannelContributions
from napari_channelmix.viewer.pages.pixels.contribution_bars import ContributionBars
from napari_channelmix.viewer.widgets.theme import chart_colors


def test_a_bar_says_how_the_probability_moves_and_is_grey_unless_above_its_sham(
    qtbot: Any,
) -> None:
    names = ("DNA", "reporter", "look-alike")
    fall = np.array([0.001, 0.35, -0.08])
    contributions = ChannelContributions(
        channels=names,
        probability=0.9,
        fall=fall,
        low=fall - 0.1,
        high=fall + 0.1,
        sham=np.zeros(3),
        above=np.array([False, True, False]),
        donors=16,
        groups=6,
        sham_donors=16,
    )
    explanation: Any = SimpleNamespace(
        channels=names, contributions=contributions, contributions_known=True
    )
    bars = ContributionBars("dark")
    qtbot.addWidget(bars)
    bars.show_explanation(explanation)
    assert [bar.figure for bar in bars.bars.rows] == ["0 pts", "−35 pts", "+8 pts"]  # noqa: RUF001
    grey = chart_colors("dark").line
    assert [bar.color for bar in bars.bars.rows] == [grey, "", grey]
    bars.follow_theme("light")
    assert bars.bars.rows[0].color == chart_colors("light").line != grey
    assert len(bars.bars.rows) == 3
