"""Classes of all cells are saved from the window as the command saves them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.settings import ClassifierSettings, PredictSettings
from napari_channelmix.viewer.pages.classifier.jobs import train_job
from napari_channelmix.viewer.pages.report import predictions_panel as module
from napari_channelmix.viewer.pages.report.page import ReportPage


@pytest.fixture
def page(open_plate: Any, dock: Any) -> Any:
    """The page in front, with cells and a classifier."""
    from napari_channelmix.jobs import drain

    open_plate()
    found = dock(ReportPage)
    settings = ClassifierSettings(network="tiny", epochs=1, held_out=0.35, device="cpu")
    found.session.trained = drain(train_job(found.session.cells, settings))
    return found


def test_without_a_classifier_the_button_says_what_is_missing(open_plate: Any, dock: Any) -> None:
    open_plate()
    panel = dock(ReportPage).predictions
    assert not panel.save.isEnabled()
    assert panel.reason.text() == "Train a classifier, or open one, on the page 'Classifier'."


def test_classes_of_all_cells_or_of_held_out_ones_are_saved(
    page: Any, qtbot: Any, tmp_path: Path
) -> None:
    panel, cells = page.predictions, page.session.cells
    panel.save_to(tmp_path / "all.csv")
    qtbot.waitUntil(lambda: not panel.task.busy, timeout=60_000)
    table = pd.read_csv(tmp_path / "all.csv")
    assert len(table) == len(cells) and "Saved" in page.notice.text()
    probabilities = page.session.trained.classifier.predict_proba(cells)
    best = np.array(page.session.trained.classifier.classes)[probabilities.argmax(axis=1)]
    assert (table["prediction"].to_numpy() == best).all()
    panel.settings["only"].setCurrentText("held-out")
    panel.save_to(tmp_path / "held.csv")
    qtbot.waitUntil(lambda: not panel.task.busy, timeout=60_000)
    held = pd.read_csv(tmp_path / "held.csv")
    assert 0 < len(held) < len(cells) and set(held["training"]) == {"no"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.csv", "held.csv"]


def test_a_file_of_another_kind_is_refused(page: Any, tmp_path: Path) -> None:
    page.predictions.save_to(tmp_path / "cells.xlsx")
    assert not page.predictions.task.busy
    assert page.notice.text() == "cells.xlsx: name a file .parquet, .csv, .h5ad"


def test_settings_reach_the_job_and_what_it_says_is_shown(
    page: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[PredictSettings] = []

    def job(trained: Any, cells: Any, path: Path, settings: PredictSettings) -> Job[Any]:
        asked.append(settings)
        while True:
            yield Progress(
                300,
                1000,
                "classifying the cells, 300 of 1,000",
                {"cells per second": 1234.5},
                note="dashboard: http://127.0.0.1:8787",
            )

    monkeypatch.setattr(module, "predictions_job", job)
    panel = page.predictions
    panel.settings["workers"].setValue(2)
    panel.save_to(tmp_path / "cells.csv")
    bar = panel.task_bar
    qtbot.waitUntil(lambda: "1,234 cells/s" in bar.stage.text())
    assert bar.stage.text().startswith("classifying the cells, 300 of 1,000")
    assert "dashboard: http://127.0.0.1:8787" in bar.stage.toolTip()
    assert asked[0].workers == 2 and asked[0].only == "all"
    # The page itself is free meanwhile.
    assert not page.task.busy and page.report.isEnabled()
    bar.cancel.click()
    assert "Save to the same file to go on" in page.notice.text()
    qtbot.waitUntil(lambda: not panel.task.threads)
