"""The page asks the classifier in use which channels it decides by, before any training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.viewer.pages.channels.page import ChannelsPage
from napari_channelmix.viewer.session.trained import Trained


def rule(plate: Any, channel: int) -> ForeignClassifier:
    """Calls by the brightness of one channel."""
    middle = float(np.median(plate.read()[:, channel].mean(axis=(1, 2))))

    def predict(crops: np.ndarray) -> np.ndarray:
        high = crops[:, channel].mean(axis=(1, 2)) > middle
        return np.stack([~high, high], axis=1).astype(np.float32)

    count = len(plate.channels)
    return ForeignClassifier(
        predict,
        tuple(plate.channels),
        tuple(plate.classes),
        np.zeros(count),
        np.ones(count),
        "probabilities",
        "a rule",
    )


@pytest.fixture
def page(dock: Any, plate: Any) -> Any:
    widget = dock(ChannelsPage)
    widget.session.cells = plate
    return widget


def ask(widget: Any, qtbot: Any) -> None:
    widget.of_classifier.button.click()
    qtbot.waitUntil(lambda: not widget.classifier_task.busy, timeout=60_000)


def test_without_a_classifier_it_says_what_is_missing(page: Any) -> None:
    box = page.of_classifier
    assert not box.button.isEnabled()
    assert "no classifier yet" in box.reason.text()
    assert box.answer.isHidden()


def test_the_channel_that_decides_is_first_with_interval_cells_and_sham(
    page: Any, qtbot: Any, plate: Any
) -> None:
    page.session.trained = Trained(rule(plate, 1), "a rule")
    box = page.of_classifier
    assert box.button.isEnabled()
    ask(page, qtbot)
    assert box.result is not None, box.failed.text()
    decides = plate.channels[1]
    assert box.swaps.rows[0].name == decides
    # The others add exactly nothing.
    assert {bar.name for bar in box.values.rows if bar.value == 0} == {*plate.channels} - {decides}
    assert all(bar.interval is not None for bar in box.values.rows)
    assert box.swaps.rows[0].value == 1.0 and box.swaps.rows[0].floor == 0.0
    assert "cells of" in box.value_title.text()
    assert "Which cells were trained on is not known" in box.lines.text()
    # Above the run of DCMIX.
    place = page.column.indexOf
    assert place(page.classifier_box) < place(page.run_box)


def test_the_selected_cell_has_bars_of_its_own(page: Any, qtbot: Any, plate: Any) -> None:
    page.session.trained = Trained(rule(plate, 1), "a rule")
    box = page.of_classifier
    assert not box.cell_button.isEnabled() and box.cell_answer.isHidden()
    page.session.select(4)
    box.cell_button.click()
    qtbot.waitUntil(lambda: not page.classifier_task.busy, timeout=60_000)
    assert not box.cell_answer.isHidden(), box.failed.text()
    assert box.cell_values.rows[0].name == plate.channels[1]
    assert box.cell_values.rows[0].interval is not None
    assert all(bar.value == 0 for bar in box.cell_values.rows[1:])
    assert "32 other cells" in box.cell_title.text()
    assert "not known" in box.cell_line.text()
    page.session.trained = None
    assert box.cell_answer.isHidden()


def test_another_class_has_other_bars(page: Any, qtbot: Any, plate: Any) -> None:
    page.session.trained = Trained(rule(plate, 0), "a rule")
    ask(page, qtbot)
    box = page.of_classifier
    before = box.value_title.text()
    box.classes.setCurrentText(plate.classes[0])
    assert box.value_title.text() != before
    rows = {row.channel: row for row in box.result.of_class(plate.classes[0])}
    assert box.values.rows[0].value == rows[box.values.rows[0].name].value


def test_another_classifier_takes_the_answer_away(page: Any, qtbot: Any, plate: Any) -> None:
    page.session.trained = Trained(rule(plate, 0), "a rule")
    ask(page, qtbot)
    page.session.trained = Trained(rule(plate, 1), "another rule")
    assert page.of_classifier.result is None
    assert page.of_classifier.answer.isHidden()


def test_a_model_that_is_not_steady_is_refused_where_it_is_looked_for(
    page: Any, qtbot: Any, plate: Any
) -> None:
    from dataclasses import replace

    rng = np.random.default_rng(0)
    unsteady = replace(
        rule(plate, 0), function=lambda crops: rng.dirichlet([1, 1], len(crops)).astype(np.float32)
    )
    page.session.trained = Trained(unsteady, "noise")
    ask(page, qtbot)
    assert "from call to call" in page.of_classifier.failed.text()


def test_channels_of_a_group_are_asked_about_together(page: Any, qtbot: Any, plate: Any) -> None:
    first, second, *others = plate.channels
    page.session.trained = Trained(rule(plate, 1), "a rule")
    box = page.of_classifier
    # Nothing is offered where no channel has a group.
    assert box.together.isHidden()
    page.session.cells = replace(plate, group_of_channel={first: "pair", second: "pair"})
    assert not box.together.isHidden()
    box.together.setChecked(True)
    ask(page, qtbot)
    assert box.result is not None, box.failed.text()
    assert box.result.channels == ("pair", *others)
    assert box.result.players["pair"] == (first, second)
    box.together.setChecked(False)
    ask(page, qtbot)
    assert box.result.channels == plate.channels
