from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from qtpy.QtCore import QEvent, QObject, Qt
from qtpy.QtWidgets import QApplication, QLabel

from napari_channelmix.viewer.pages.latents.decoder_worker import Drawing
from napari_channelmix.viewer.tasks.one_thread import one_thread

from ...latent_cases import tiny


class Counting:
    """A decoder that remembers what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    def decode(self, z: Any) -> Any:
        self.asked.append(float(z[0, 0]))
        return np.full((1, 1, 2, 2), z[0, 0])


def z(value: float) -> Any:
    return np.full(10, value, np.float32)


def test_of_many_wishes_only_the_last_is_drawn(qtbot: Any) -> None:
    drawing, of, seen = Drawing(), Counting(), []
    drawing.drawn.connect(lambda picture: seen.append(float(picture[0, 0, 0])))
    for value in range(20):
        drawing.ask(of, z(value))
    qtbot.waitUntil(lambda: bool(seen))
    qtbot.wait(20)
    assert of.asked == [19.0] and seen == [19.0]
    assert drawing.decoded == 1


def test_what_was_dropped_never_appears(qtbot: Any) -> None:
    drawing, of, seen = Drawing(), Counting(), []
    drawing.drawn.connect(seen.append)
    drawing.ask(of, z(1))
    drawing.drop()
    qtbot.wait(20)
    assert not seen and not of.asked


def test_a_picture_is_drawn_before_the_window_is_painted(qtbot: Any) -> None:
    order: list[str] = []

    class Watch(QObject):
        def eventFilter(self, watched: Any, event: Any) -> bool:
            if event.type() == QEvent.Type.Paint:
                order.append("painted")
            return False

    label, watch = QLabel("x"), Watch()
    qtbot.addWidget(label)
    label.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
    label.show()
    qtbot.waitExposed(label)
    QApplication.processEvents()
    label.installEventFilter(watch)
    drawing = Drawing()
    drawing.drawn.connect(lambda _: order.append("drawn"))
    # As a slider does: first its own update, then the wish for a picture.
    label.update()
    drawing.ask(Counting(), z(1))
    qtbot.waitUntil(lambda: "painted" in order)
    assert order[:2] == ["drawn", "painted"]


def test_the_decoder_of_the_window_has_one_thread_and_leaves_the_others_theirs() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with one_thread():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2
        with pytest.raises(ValueError), one_thread():
            raise ValueError
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_what_is_drawn_is_what_the_decoder_says(qtbot: Any) -> None:
    of, drawing, seen = tiny(), Drawing(), []
    drawing.drawn.connect(seen.append)
    drawing.ask(of, z(0.5))
    qtbot.waitUntil(lambda: bool(seen))
    np.testing.assert_allclose(seen[0], of.decode(z(0.5)[None])[0], rtol=1e-5)
