"""What a run will take stands at the button that starts it, and follows the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.duration import Estimate
from napari_channelmix.viewer.pages.channels.page import ChannelsPage
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.pages.latents.page import LatentsPage

if TYPE_CHECKING:
    import pytest

    from napari_channelmix.duration import Workload


def test_each_page_says_how_long_its_run_takes(
    dock: Any, open_plate: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "napari_channelmix.viewer.page_parts.run_time_line.estimate"

    def known(work: Workload) -> Estimate:
        # A second for each epoch of a cell.
        return Estimate(work.units, known=True)

    classifier = dock(ClassifierPage)
    # There is nothing to run yet.
    assert classifier.run_time.isHidden()
    session = open_plate().session
    assert classifier.run_time.text().startswith("Takes at least")
    monkeypatch.setattr(line, known)
    classifier.epochs.setValue(2)
    crop, cells = session.cells.crop, len(session.cells)
    assert cells == 60 and crop == 24
    # 60 cells x 2 epochs x 576 pixels = 69,120 s, rounded up to half hours.
    assert classifier.run_time.text() == "Takes about 19.5 h."
    classifier.epochs.setValue(1)
    assert classifier.run_time.text() == "Takes about 10 h."
    channels, latents = dock(ChannelsPage), dock(LatentsPage)
    channels.epochs.setValue(1)
    channels.seeds.setValue(1)
    # Three networks of a repeat.
    assert channels.run_time.text() == "Takes about 29 h."
    assert latents.run_time.text() == "Takes about 1 min."
    monkeypatch.setattr(line, lambda work: None)
    latents.settings.finetune.setChecked(True)
    assert latents.run_time.text() == "How long it takes is not known before the first run."
