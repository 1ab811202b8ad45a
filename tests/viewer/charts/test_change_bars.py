from __future__ import annotations

from typing import Any

import numpy as np

from napari_channelmix.viewer.charts.change_bars import MOST, ChangeBars


def test_rows_keep_the_order_of_the_classes_while_probabilities_change(qtbot: Any) -> None:
    bars = ChangeBars("dark")
    qtbot.addWidget(bars)
    before = np.array([0.7, 0.2, 0.1], np.float32)
    for after in (before, before[::-1]):
        bars.show_probabilities(("a", "b", "c"), before, after)
        assert [name for name, *_ in bars.rows] == ["a", "b", "c"]
    assert bars.rows[0][1:] == (np.float32(0.7), np.float32(0.1))


def test_of_many_classes_those_that_matter_before_or_after_are_shown(qtbot: Any) -> None:
    bars = ChangeBars("dark")
    qtbot.addWidget(bars)
    before = np.array([0.5, 0.1, 0.3, 0.05, 0.03, 0.02], np.float32)
    after = np.array([0.1, 0.1, 0.05, 0.05, 0.1, 0.6], np.float32)
    bars.show_probabilities(tuple("abcdef"), before, after)
    assert [name for name, *_ in bars.rows] == ["a", "c", "f", "3 others"]
    assert len(bars.rows) == MOST
    np.testing.assert_allclose(bars.rows[-1][1:], (0.18, 0.25), atol=1e-6)


def test_the_picture_of_a_change_differs_from_that_of_none(qtbot: Any) -> None:
    bars = ChangeBars("dark")
    qtbot.addWidget(bars)
    bars.resize(150, bars.height())
    before = np.array([0.7, 0.3], np.float32)
    bars.show_probabilities(("a", "b"), before, None)
    bars.show_palette(("a", "b"))
    as_it_is = bars.grab().toImage()
    bars.show_probabilities(("a", "b"), before, before[::-1])
    assert bars.grab().toImage() != as_it_is
    assert bars.accessibleDescription() == "a 70 to 30 %, b 30 to 70 %"
