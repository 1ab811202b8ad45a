"""The panel of a map's reliability: what it says fits a dock in a small window."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from napari_channelmix.pcim.references import REPORTED
from napari_channelmix.pcim.scores import Fidelity
from napari_channelmix.viewer.pages.pixels.reliability_panel import ReliabilityPanel

# Pixels that a dock has in a window of 1280 x 800.
NARROW = 320


FAITHFUL = "Faithful: better than random maps (p < 0.001, n = 24 random maps)."
COIN = "The prediction is close to undecided: big 50.2 %, small 49.8 %."


def explained(*words: str, verdict: str = "good", **more: Any) -> Any:
    """A cell whose map is tested, with these words."""
    kinds = (*REPORTED, "other cells")
    inserting = np.zeros((len(kinds), 1, 5), np.float32)
    deleting = inserting + np.array([0.58] * len(REPORTED) + [0.25], np.float32)[:, None, None]
    fidelity = Fidelity(np.linspace(0, 1, 5), inserting, deleting, kinds)
    chance = SimpleNamespace(gain=np.array([-0.6]), spread=np.array([0.09]))
    tested = SimpleNamespace(
        against_chance=chance,
        randomisation=np.array([-0.06]),
        staying=np.array([0.77]),
        words=lambda at: words,
        verdict=lambda at: verdict,
    )
    about = {"fidelity": fidelity, "reliability": tested, "doubts": (), "caveats": ()}
    return SimpleNamespace(**{**about, **more})


@pytest.fixture
def panel(qtbot: Any) -> ReliabilityPanel:
    panel = ReliabilityPanel("dark")
    qtbot.addWidget(panel)
    return panel


def test_the_figures_fit_a_narrow_dock(panel: ReliabilityPanel) -> None:
    panel.show_explanation(explained(FAITHFUL))
    assert "gap between the curves -0.58" in panel.figures.text()
    assert panel.minimumSizeHint().width() <= NARROW


def test_the_gap_is_shown_for_each_way_to_replace_a_pixel(panel: ReliabilityPanel) -> None:
    panel.show_explanation(explained(FAITHFUL, reliability=None))
    text = re.sub("<[^>]*>", "", panel.figures.text())
    assert "background -0.58 · smooth -0.58" in text
    assert text.endswith("other cells -0.25 (not in the mean)")
    _, curve = panel.deleting.getData()
    np.testing.assert_allclose(curve, 0.58, rtol=1e-6)


@pytest.mark.parametrize("verdict", ["good", "warning", "error"])
def test_the_colour_is_that_of_the_verdict(panel: ReliabilityPanel, verdict: str) -> None:
    panel.show_explanation(explained(FAITHFUL, verdict=verdict))
    assert (panel.words.kind, panel.words.text()) == (verdict, FAITHFUL)


def test_labels_that_speak_against_the_model_leave_nothing_green(panel: ReliabilityPanel) -> None:
    panel.show_explanation(explained(FAITHFUL, doubts=("the model is at chance",)))
    assert panel.words.kind == "warning"
    assert panel.words.text().splitlines()[0] == FAITHFUL


def test_what_limits_a_call_is_said_before_and_without_the_tests(panel: ReliabilityPanel) -> None:
    waiting = explained(reliability=None, caveats=(COIN,))
    panel.show_explanation(waiting)
    assert panel.words.kind == "warning" and COIN in panel.words.text()
    panel.stopped(waiting)
    assert COIN in panel.words.text()
    panel.show_explanation(explained(reliability=None))
    assert panel.words.kind == "info"
    panel.stopped()
    assert "toss" not in panel.words.text()
