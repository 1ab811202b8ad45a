"""A classifier that a Python file wraps, opened in the window: asked for, used, saved, refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.pixels.question_form import methods_for

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

SOURCE = """
import torch
import napari_channelmix as cm
from napari_channelmix.classify import NetworkSpec

network = NetworkSpec("tiny", 1, 2).build().eval()
model = cm.wrap(
    network, channels=["reporter"], classes=["treated", "untreated"], std=100, size=24
)
scores = cm.wrap(lambda x: x[:, :1, 0, 0], channels=["reporter"], classes=["treated", "untreated"])
"""


def opened(page: Any, qtbot: Any, name: str) -> None:
    page.form.ask(Path("mine.py").resolve(), ("DNA",), ("a", "b"))
    assert not page.form.load.isEnabled()
    page.form.consent.setChecked(True)
    page.form.name.setText(name)
    page.form.load.click()
    qtbot.waitUntil(lambda: not page.task.busy)


def test_a_classifier_of_a_python_file_is_used_as_any_other(
    dock: Any, plate: Cells, qtbot: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(SOURCE)
    page = dock(ClassifierPage)
    page.session.open(plate, "plate")
    # A window so low that the form would lie below what is in sight.
    page.viewer.window.resize(900, 420)
    qtbot.wait(100)
    page.form.ask(Path("mine.py").resolve(), ("DNA",), ("a", "b"))
    qtbot.waitUntil(lambda: not page.form.title.visibleRegion().isEmpty())
    if os.environ.get("CHANNELMIX_PICTURE"):
        page.viewer.window._qt_window.grab().save(os.environ["CHANNELMIX_PICTURE"])
    opened(page, qtbot, "model")
    trained = page.session.trained
    assert trained is not None, page.notice.text()
    assert trained.source == f"{tmp_path / 'mine.py'}:model"
    assert "channels: reporter" in page.result.text()
    assert not methods_for(trained.classifier)["pcim"]
    page.apply.click()
    qtbot.waitUntil(lambda: page.session.predictions is not None)
    np.testing.assert_allclose(
        page.session.predictions.probabilities, trained.classifier.predict_proba(plate), atol=1e-6
    )
    page.save_to(tmp_path / "mine.cmx")
    assert page.notice.kind == "good" and (tmp_path / "mine.cmx").is_file()
    opened(page, qtbot, "scores")
    assert "gradients" in methods_for(page.session.trained.classifier)["pcim"]
    page.save_to(tmp_path / "scores.cmx")
    assert "cannot be saved without a pickle" in page.notice.text()
    assert not (tmp_path / "scores.cmx").exists()
    opened(page, qtbot, "none")
    assert "cannot be imported" in page.notice.text()
