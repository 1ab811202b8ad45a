"""From a data set to the bars, by real clicks in a real window."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QLabel

from napari_channelmix.classify.accuracy import estimate_accuracy
from napari_channelmix.viewer.page_parts.chance_note import chance_line
from napari_channelmix.viewer.pages.channels.page import ChannelsPage
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.pixels.page import PixelsPage

if TYPE_CHECKING:
    from pathlib import Path


def done(dock: Any, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: not dock.task.busy, timeout=90_000)


@pytest.fixture
def trained(open_plate: Any, dock: Any, qtbot: Any, click: Any) -> Any:
    open_plate()
    classifier = dock(ClassifierPage)
    classifier.network.setCurrentText("tiny")
    classifier.epochs.setValue(2)
    click(classifier.train)
    done(classifier, qtbot)
    assert classifier.session.trained is not None, classifier.notice.text()
    return classifier


def test_from_a_data_set_to_the_bars(
    viewer: Any, trained: Any, dock: Any, qtbot: Any, click: Any, tmp_path: Path
) -> None:
    session = trained.session
    assert [one["epoch"] for one in session.history] == [1, 2]
    found = session.trained.estimate
    assert found == session.trained.classifier.accuracy
    assert f"({found.interval_text})" in trained.result.text()
    assert f"{found.n_groups} held-out groups, {found.n_cells} cells" in trained.result.text()
    assert [one.interval for one in trained.recalls.bars.rows] == [
        (found.low, found.high),
        *((row.low, row.high) for row in found.per_class),
    ]
    assert [one.tip for one in trained.recalls.bars.rows[1:]] == [
        row.text() for row in found.per_class
    ]
    # A bar of the dock must not be wider than the dock.
    assert trained.recalls.isVisible() and trained.minimumSizeHint().width() <= 376

    click(trained.apply)
    done(trained, qtbot)
    qtbot.waitUntil(lambda: "predicted" in viewer.layers)
    table = viewer.layers["cells"].features
    assert {"class", "predicted", "probability"} <= set(table.columns)
    # Labels that are no cells, as the background, have a row of their own.
    assert set(table["predicted"].dropna()) <= {"treated", "untreated"}

    importance = dock(ChannelsPage)
    importance.seeds.setValue(2)
    importance.epochs.setValue(1)
    importance.network.setCurrentText("tiny")
    partial: list[Any] = []
    session.importance_changed.connect(partial.append)
    click(importance.run_button)
    done(importance, qtbot)
    found = session.importance
    assert found is not None, importance.notice.text()
    assert [len(one.seeds) for one in partial if one is not None][:1] == [1]
    assert importance.gate.isVisible() and importance.warnings.isVisible()
    assert importance.gate.y() < importance.chart_rows.y()
    assert set(importance.chart.rows) == {"DNA", "reporter", "look-alike", "stress"}

    qtbot.waitUntil(lambda: "blended image" in viewer.layers)
    mixed, source = viewer.layers["blended image"], viewer.layers["DNA"]
    np.testing.assert_allclose(mixed.scale, source.scale)
    assert mixed.units == source.units and mixed.data.shape == source.data.shape

    qtbot.wait(100)
    chart = importance.chart
    shown = [layer.visible for layer in viewer.layers]
    qtbot.mouseClick(
        chart.viewport(), Qt.MouseButton.LeftButton, pos=chart.bar_center("look-alike")
    )
    images = [viewer.layers[name] for name in session.cells.channels]
    assert [one.name for one in images if one.visible] == ["look-alike"]
    qtbot.mouseClick(
        chart.viewport(), Qt.MouseButton.LeftButton, pos=chart.bar_center("look-alike")
    )
    assert [layer.visible for layer in viewer.layers] == shown

    importance.export_to(tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "importance.json",
        "importance.csv",
        "importance.png",
        "importance.svg",
    }
    ground = chart.colors.ground
    viewer.theme = "light"
    assert chart.colors.ground != ground


def test_a_bundle_is_saved_and_opened_again(trained: Any, qtbot: Any, tmp_path: Path) -> None:
    before = trained.session.trained
    trained.save_to(tmp_path / "one.cmx")
    assert (tmp_path / "one.cmx").is_file() and trained.notice.kind == "good"
    trained.load(tmp_path / "one.cmx")
    done(trained, qtbot)
    assert trained.session.trained is not before
    assert trained.session.trained.classifier.channels == before.classifier.channels
    assert trained.session.trained.estimate == before.estimate
    # The curves of the training are not those of a model from a file.
    assert trained.session.history == () and not trained.curves_box.isVisible()


def test_a_classifier_is_evaluated_on_the_cells_with_classes(
    trained: Any, qtbot: Any, click: Any
) -> None:
    click(trained.evaluate)
    done(trained, qtbot)
    said = trained.notice.text()
    assert "balanced accuracy " in said and "(95 % interval " in said, said
    assert "recall: " in said
    # Most of these cells were trained on: the figure is of the others.
    assert "40 of 60 cells were trained on" in said
    assert "2 groups, 20 cells" in said
    assert trained.notice.kind == "warning"
    cells = trained.session.cells
    trained.session.cells = cells.with_labels(np.full(len(cells), -1), ())
    assert not trained.evaluate.isEnabled()


def test_a_classifier_that_learnt_nothing_is_a_warning_wherever_it_is_asked(
    trained: Any, dock: Any
) -> None:
    before = trained.session.trained
    explain, importance = dock(PixelsPage), dock(ChannelsPage)
    labels, groups = np.tile([0, 1], 30), np.repeat(np.arange(6), 10)

    def with_right(share: float) -> Any:
        guess = np.where(np.arange(60) % 10 < 10 * share, labels, 1 - labels)
        found = estimate_accuracy(labels, guess, groups, before.classifier.classes)
        return replace(before, accuracy=found.balanced, estimate=found)

    trained._trained(with_right(0.6))
    for notice in (trained.notice, explain.chance, importance.chance):
        assert "not clearly better than chance (0.50): balanced accuracy 0.600" in notice.text()
        assert "6 held-out groups, 60 cells" in notice.text()
        assert notice.kind == "warning"
    assert trained.doubts.text() == "Not clearly better than chance (0.50)"
    trained.notice.clear_line()
    trained._trained(with_right(0.9))
    for notice in (trained.notice, explain.chance, importance.chance, trained.doubts):
        assert "chance" not in notice.text()


def test_a_perfect_score_on_six_cells_looks_as_weak_as_it_is(trained: Any) -> None:
    wells = [0, 0, 0, 1, 1, 1]
    found = estimate_accuracy(wells, wells, wells, ("a", "b"))
    trained.session.trained = replace(trained.session.trained, accuracy=1.0, estimate=found)
    said = trained.doubts.text()
    assert "Not clearly better than chance (0.50)" in said
    assert "2 groups are too few to say anything about other groups" in said
    assert "2 held-out groups, 6 cells" in trained.result.text()
    assert trained.recalls.bars.rows[0].interval[0] < 0.5
    said, kind = chance_line(trained.session.trained)
    assert said.startswith("It is not known whether the classifier is better than chance: balanced")
    assert kind == "info"


def test_many_classes_are_folded(trained: Any) -> None:
    codes = np.arange(60) % 12
    found = estimate_accuracy(codes, codes, np.arange(60) // 12, [f"class {k}" for k in range(12)])
    trained.session.trained = replace(trained.session.trained, estimate=found)
    assert not trained.recalls.folding.isExpanded()
    trained.session.trained = None
    assert not trained.recalls.isVisible()


def test_cells_unlike_those_of_training_are_a_warning_beside_the_calls(
    trained: Any, qtbot: Any, click: Any
) -> None:
    cells = trained.session.cells
    fields = tuple(
        replace(one, planes=tuple(np.asarray(plane[:, :]) * np.float32(16) for plane in one.planes))
        for one in cells.fields
    )
    trained.session.cells = replace(cells, fields=fields)
    click(trained.apply)
    done(trained, qtbot)
    assert trained.notice.kind == "warning"
    assert trained.notice.text().startswith("Predicted: ")
    assert "another bit depth?" in trained.notice.text()
    assert trained.session.predictions.warnings


def test_a_model_for_other_channels_cannot_be_used_and_says_why(trained: Any) -> None:
    cells = trained.session.cells
    trained.session.cells = cells.with_channels(["DNA", "stress"])
    assert not trained.apply.isEnabled()
    words = [label.text() for label in trained.findChildren(QLabel) if label.isVisible()]
    assert any("missing: reporter, look-alike" in text for text in words)


def test_training_is_cancelled_within_a_second(
    open_plate: Any, dock: Any, qtbot: Any, click: Any
) -> None:
    open_plate()
    classifier = dock(ClassifierPage)
    classifier.epochs.setValue(500)
    click(classifier.train)
    qtbot.waitUntil(lambda: len(classifier.session.history) > 0, timeout=60_000)
    from qtpy.QtCore import QThreadPool

    start = time.monotonic()
    click(classifier.task_bar.cancel)
    assert QThreadPool.globalInstance().waitForDone(1000)
    assert time.monotonic() - start < 1.0
    assert classifier.session.trained is None and classifier.train.isEnabled()


@pytest.fixture
def importance(open_plate: Any, dock: Any) -> Any:
    open_plate()
    found = dock(ChannelsPage)
    found.seeds.setValue(3)
    found.epochs.setValue(1)
    found.network.setCurrentText("tiny")
    return found


def test_a_cancelled_run_goes_on_from_its_finished_seeds(
    importance: Any, qtbot: Any, click: Any, kept: Path
) -> None:
    click(importance.run_button)
    qtbot.waitUntil(lambda: importance.session.importance is not None, timeout=90_000)
    click(importance.task_bar.cancel)
    done_before = len(importance.session.importance.seeds)
    assert f"{done_before} of 3 repeats are done and saved" in importance.notice.text()
    assert len(list(kept.rglob("*.json"))) >= done_before
    click(importance.run_button)
    done(importance, qtbot)
    assert len(importance.session.importance.seeds) == 3
    assert "repeats were reused from an earlier run" in importance.notice.text()


def test_a_run_cancelled_before_its_first_seed_gives_the_bars_before_it_back(
    importance: Any, qtbot: Any, click: Any
) -> None:
    importance.seeds.setValue(1)
    click(importance.run_button)
    done(importance, qtbot)
    before = importance.session.importance
    importance.first_seed.setValue(7)
    importance.epochs.setValue(300)
    click(importance.run_button)
    assert importance.session.importance is None
    qtbot.wait(200)
    click(importance.task_bar.cancel)
    assert importance.session.importance is before
    assert "those of the run before" in importance.notice.text()


def test_bars_of_other_cells_never_stand_beside_these(
    importance: Any, plate: Any, qtbot: Any, click: Any
) -> None:
    session = importance.session
    before = session.data_set
    click(importance.run_button)
    qtbot.waitUntil(lambda: session.importance is not None, timeout=90_000)
    session.open(plate.with_channels(["DNA", "stress"]), "another")
    # The run goes on, and its bars stand with its own cells.
    assert importance.task.busy and session.importance is None
    qtbot.wait(300)
    assert session.importance is None and session.of(before).importance is not None
    session.close(before)
    assert not importance.task.busy
    assert "its cells were closed" in importance.notice.text()
    qtbot.wait(300)
    assert session.importance is None


def test_one_channel_alone_ends_with_the_mixed_image_and_a_lost_layer_is_named(
    importance: Any, viewer: Any, qtbot: Any, click: Any
) -> None:
    importance.seeds.setValue(1)
    click(importance.run_button)
    done(importance, qtbot)
    qtbot.waitUntil(lambda: not importance.mixed_task.busy)
    importance.chart.channel_chosen.emit("DNA")
    assert importance.solo.channel == "DNA"
    click(importance.mixed)
    assert importance.solo.channel is None and viewer.layers["stress"].visible
    viewer.layers.remove("stress")
    importance.chart.channel_chosen.emit("stress")
    assert "The layer of stress is gone" in importance.notice.text()


def test_nothing_can_be_run_before_there_are_two_classes(dock: Any, open_plate: Any) -> None:
    for kind in (ClassifierPage, ChannelsPage):
        found = dock(kind)
        button = found.train if kind is ClassifierPage else found.run_button
        assert not button.isEnabled() and "'Data'" in found.reason.text()
        open_plate()
        assert button.isEnabled()
        found.session.classify(np.zeros(60, int), ("one",))
        assert not button.isEnabled() and "Two classes are needed" in found.reason.text()
        # Else these classes would come back with the cells.
        found.session.undo()
        found.session.open(None)


def test_one_channel_has_nothing_to_weigh(dock: Any, open_plate: Any) -> None:
    images, importance = open_plate(), dock(ChannelsPage)
    images.session.cells = images.session.cells.with_channels(["DNA"])
    assert not importance.run_button.isEnabled()
    assert "nothing to compare" in importance.reason.text()


def test_code_runs_only_with_consent(trained: Any, click: Any, tmp_path: Path) -> None:
    trained.form.ask(tmp_path / "model.pt2", ("DNA",), ("a", "b"))
    assert not trained.form.consent.isChecked() and not trained.form.load.isEnabled()
    click(
        trained.form.consent,
        trained.form.consent.rect().topLeft() + type(trained.form.consent.rect().center())(8, 8),
    )
    assert trained.form.load.isEnabled()
    trained.form.ask(tmp_path / "model.onnx", ("DNA",), ("a", "b"))
    assert not trained.form.consent.isVisible() and trained.form.load.isEnabled()
