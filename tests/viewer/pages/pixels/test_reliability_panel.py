"""The panel of a map's reliability: what it says fits a dock in a small window."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from napari_channelmix.viewer.pages.pixels.reliability_panel import ReliabilityPanel

# Pixels that a dock has in a window of 1280 x 800.
NARROW = 320


def test_the_figures_fit_a_narrow_dock(qtbot: Any) -> None:
    panel = ReliabilityPanel("dark")
    qtbot.addWidget(panel)
    curves = np.zeros((2, 1, 5))
    fidelity = SimpleNamespace(
        srg=np.array([-0.58]), shares=np.linspace(0, 1, 5), inserting=curves, deleting=curves
    )
    chance = SimpleNamespace(gain=np.array([-0.6]), spread=np.array([0.09]))
    tested = SimpleNamespace(
        against_chance=chance,
        randomisation=np.array([-0.06]),
        staying=np.array([0.77]),
        words=lambda at: ("The classifier needs the pixels this map shows.",),
        readable=lambda at: True,
    )
    explained: Any = SimpleNamespace(fidelity=fidelity, reliability=tested)
    panel.show_explanation(explained)
    assert "gap between the curves -0.58" in panel.figures.text()
    assert panel.minimumSizeHint().width() <= NARROW
