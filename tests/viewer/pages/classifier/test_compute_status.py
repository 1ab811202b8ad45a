"""The box says which devices there are and why not more, and gives memory back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from napari_channelmix.data import open_dataset
from napari_channelmix.data.decoded_chunks import decoded_chunks
from napari_channelmix.data.reused_memory import reused_memory
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.viewer.pages.classifier.free_memory import free_memory, in_words
from napari_channelmix.viewer.pages.classifier.page import ClassifierPage
from napari_channelmix.viewer.session.preferences import Preferences
from napari_channelmix.viewer.session.session import Session


def test_devices_are_looked_for_when_the_box_is_opened(
    viewer: Any, dock: Any, qtbot: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr(
        "napari_channelmix.classify.device.unavailable_reason",
        lambda name: "no NVIDIA GPU" if name == "cuda" else None,
    )
    box = dock(ClassifierPage).computer
    assert "Looking" in box.devices.text()
    box.expand(animate=False)
    qtbot.waitUntil(lambda: "cuda" in box.devices.text())
    assert box.devices.text().splitlines()[:2] == ["cpu: yes", "cuda: no, no NVIDIA GPU"]
    box.fill(Preferences("cpu", 2, 1.5, 0, False))
    said = box.preferred.text()
    for words in ("'auto' is cpu", "2 threads", "1.5 GiB of memory at most", "no maps are kept"):
        assert words in said


def test_free_memory_lets_go_and_says_how_much(
    dock: Any, click: Any, qtbot: Any, tmp_path: Any
) -> None:
    classifier = dock(ClassifierPage)
    box = classifier.computer
    box.expand(animate=False)
    qtbot.wait(50)
    classifier.session.freeing.connect(lambda freed: freed.append(3 * 2**20))
    decoded_chunks().clear()
    reused_memory().clear()
    click(box.free)
    assert box.freed.text() == "Freed 3.0 MiB."
    qtbot.waitUntil(lambda: not box.task.busy)


def test_decoded_pictures_are_let_go_and_read_again(tmp_path: Any) -> None:
    dataset = synthetic_plate(wells=2, cells_per_well=4, side=64, crop=16).save(tmp_path)
    session = Session()
    # Those of other tests.
    free_memory(session)
    session.open(open_dataset(dataset))
    free_memory(session)
    before = session.cells.read()
    freed = free_memory(session)
    assert freed == 2 * 4 * 64 * 64 * 2
    np.testing.assert_array_equal(session.cells.read(), before)


@pytest.mark.parametrize(
    ("count", "said"), [(10, "10 bytes"), (2048, "2.0 KiB"), (3 * 2**29, "1.5 GiB")]
)
def test_bytes_are_said_in_words(count: int, said: str) -> None:
    assert in_words(count) == said
