"""A standard screen by real clicks: train on the controls, classify a dose series, do it again."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QMessageBox

import napari_channelmix as cm
from napari_channelmix.config import read_config
from napari_channelmix.run.text import rerun_text
from napari_channelmix.viewer.pages.channels.page import ChannelsPage
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.data.page import DataPage
from napari_channelmix.viewer.pages.report.page import ReportPage
from napari_channelmix.viewer.widgets import file_dialogs as files

from .screen_cases import controls, dose_series

TABLES = ("groups.csv", "dose-response.csv", "doses.csv")


@pytest.fixture
def screen(
    tmp_path: Path, dock: Any, qtbot: Any, click: Any, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The docks, and what a user does with data sets."""

    saved = controls(tmp_path / "controls"), dose_series(tmp_path / "series")

    class Screen:
        controls = saved[0]
        series = saved[1]
        images: Any = dock(DataPage)
        classifier: Any = dock(ClassifierPage)
        importance: Any = dock(ChannelsPage)
        session: Any = images.session

        def open(self, path: Path) -> None:
            monkeypatch.setattr(files, "ask_open", lambda *_: path)
            self.front(self.images)
            before = self.session.data_set
            self.images.dataset.open.menu().actions()[-1].trigger()
            qtbot.waitUntil(lambda: self.session.data_set != before)
            qtbot.wait(150)

        def choose(self, name: str) -> None:
            """Choose a data set by the keyboard."""
            self.front(self.images)
            box = self.images.data_sets.list
            box.setFocus()
            qtbot.keyClicks(box, name)
            qtbot.keyClick(box, Qt.Key.Key_Return)
            qtbot.waitUntil(lambda: self.session.cells.name == name)
            qtbot.wait(150)

        def front(self, one: Any) -> Any:
            one.parent().raise_()
            qtbot.wait(50)
            return one

        def rest(self, one: Any) -> None:
            qtbot.waitUntil(lambda: not one.task.busy, timeout=120_000)
            qtbot.wait(100)
            assert one.notice.kind != "error", one.notice.text()

    return Screen()


@pytest.mark.slow
def test_the_record_of_a_screen_gives_the_same_numbers_without_a_window(
    screen: Any,
    viewer: Any,
    dock: Any,
    qtbot: Any,
    click: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session, trainer, run = screen.session, screen.classifier, screen.importance
    screen.open(screen.controls)
    controls = session.data_set
    screen.front(trainer)
    trainer.network.setCurrentText("tiny")
    trainer.epochs.setValue(12)
    trainer.held_out.setValue(0.5)
    trainer.device.setCurrentText("cpu")
    click(trainer.train)
    screen.rest(trainer)
    screen.front(run)
    run.seeds.setValue(1)
    run.epochs.setValue(3)
    run.network.setCurrentText("tiny")
    run.device.setCurrentText("cpu")
    run.shapley.setChecked(False)
    run.decoys.setChecked(False)
    assert not screen.images.data_sets.isVisible()
    click(run.run_button)

    # The run of minutes outlives the opening of another data set, and stays with its own.
    screen.open(screen.series)
    under_way = run.task.busy
    assert session.importance is None and not session.cells.classes
    assert screen.images.data_sets.isVisible()
    if under_way:
        assert "A run on controls is in progress" in run.reason.text()
    click(screen.front(trainer).apply)
    screen.rest(trainer)
    screen.rest(run)
    if under_way:
        assert "Channel importance of controls is there" in run.notice.text()
    importance, predictions = session.of(controls).importance, session.predictions
    assert session.importance is None and len(importance.seeds) == 1
    assert predictions.trained is session.trained and "predicted" in viewer.layers

    screen.choose("controls")
    assert session.importance is importance and session.predictions is None
    assert screen.front(run).result_box.isVisible()
    assert "predicted" not in viewer.layers
    screen.choose("dose series")
    assert session.predictions is predictions and "predicted" in viewer.layers

    out = tmp_path / "out"
    report = dock(ReportPage)
    qtbot.wait(200)
    said = report.where.text()
    assert str(screen.controls) in said and str(screen.series) in said
    assert report.where.kind == "info" and not report.save_data.isVisible()
    monkeypatch.setattr(files, "ask_folder", lambda *_: out)
    qtbot.waitUntil(report.export.isEnabled)
    click(report.export)
    screen.rest(report)
    for name in ("again.py", "config.json", "report.html"):
        monkeypatch.setattr(files, "ask_save", lambda *_, name=name: tmp_path / name)
        buttons = {".py": report.save_script, ".json": report.save_config, ".html": report.report}
        button = buttons[Path(name).suffix]
        # The dock gathers what has changed before it brings its buttons up to date.
        qtbot.waitUntil(button.isEnabled)
        click(button)
        screen.rest(report)
        assert "before cells or classes were changed" not in report.notice.text()
    exported = out / "dose series"
    assert {path.name for path in exported.iterdir()} >= {"cells.csv", *TABLES}
    assert (out / "controls" / "importance.json").is_file()
    assert (out / "controls" / "classifier.cmx").is_file()

    # The script, in a process of its own without a display.
    script = tmp_path / "again.py"
    more = "importance_1.save('importance')"
    script.write_text(f"{script.read_text('utf-8')}\n{more}\n", "utf-8")
    bare = {
        name: value
        for name, value in os.environ.items()
        if name not in ("DISPLAY", "WAYLAND_DISPLAY")
    }
    run = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=bare,
        check=False,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    same(exported, tmp_path / "dose series" / "predictions")
    shares = cm.ChannelImportance.load(tmp_path / "importance" / "importance.json").share
    assert shares == pytest.approx(importance.share, abs=1e-6)

    # The config, as the command 'run' does it.
    config = read_config(tmp_path / "config.json")
    assert [one.data.name for one in config.data_sets] == ["controls", "dose series"]
    assert config.classifier is not None and config.importance is not None
    assert config.others[0].classifier is None
    assert config.others[0].predictions.classifier == "controls"
    again = cm.run_config(tmp_path / "config.json", tmp_path / "run")
    same(exported, again.out / "dose series" / "predictions")
    assert again.importance.share == pytest.approx(importance.share, abs=1e-6)
    text = rerun_text(again)
    assert text.startswith("controls:\nbalanced accuracy") and "\ndose series:\n64 cells" in text
    for page in (tmp_path / "report.html", again.report):
        text = page.read_text("utf-8")
        assert "<title>controls and dose series:" in text
        assert 'id="importance-1"' in text and 'id="importance-2"' not in text
        assert 'id="doses-2"' in text and 'id="doses-1"' not in text
        assert "with the classifier of <strong>controls</strong>" in text

    # The same file is not opened twice, and what was found of it is not lost by a click.
    screen.open(screen.controls)
    assert session.data_set == controls and len(session.data_sets) == 2
    assert session.importance is importance
    assert "open already" in screen.images.notice.text()
    answers = [QMessageBox.StandardButton.Cancel, QMessageBox.StandardButton.Close]
    asked: list[str] = []

    def question(*args: Any) -> Any:
        asked.append(args[2])
        return answers[len(asked) - 1]

    monkeypatch.setattr(QMessageBox, "question", question)
    click(screen.images.data_sets.close_button)
    assert "classifier, channel importance" in asked[0] and len(session.data_sets) == 2
    click(screen.images.data_sets.close_button)
    qtbot.waitUntil(lambda: len(session.data_sets) == 1)
    assert session.predictions is predictions and session.shown is not None
    # The classifier is still in use, and what it was trained on is still known.
    assert session.data_set_of(session.trained).name == "controls"


def same(exported: Path, again: Path) -> None:
    """Tables of groups to the byte; probabilities to what sums of floats allow."""
    for name in TABLES:
        assert (again / name).read_bytes() == (exported / name).read_bytes(), name
    before, after = (pd.read_csv(folder / "cells.csv") for folder in (exported, again))
    pd.testing.assert_frame_equal(before, after, rtol=1e-4, atol=1e-5)
