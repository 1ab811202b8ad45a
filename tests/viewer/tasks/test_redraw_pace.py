"""A window that is slow to draw is asked to draw less often."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from qtpy.QtWidgets import QWidget

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.session.session import Session
from napari_channelmix.viewer.tasks import redraw_pace as pace
from napari_channelmix.viewer.tasks.redraw_pace import Pace
from napari_channelmix.viewer.tasks.task import Task

if TYPE_CHECKING:
    import pytest


class Slow(QWidget):
    """A widget whose painting takes its time."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds, self.paints = seconds, 0

    def paintEvent(self, event: Any) -> None:
        time.sleep(self.seconds)
        self.paints += 1


def steps(seconds: float) -> Job[int]:
    end, at = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        time.sleep(0.005)
        yield Progress(at, 1000, "working", {"step": float(at)})
        at += 1
    return at


def watched(qtbot: Any, seconds: float) -> tuple[list[Any], int, int]:
    """Updates of a job of 1.5 s, each of which is painted; its steps; and the paints."""
    widget = Slow(seconds)
    qtbot.addWidget(widget)
    widget.show()
    qtbot.waitExposed(widget)
    qtbot.waitUntil(lambda: widget.paints > 0)
    before = widget.paints
    updates: list[Any] = []
    results: list[int] = []

    def show(update: Any) -> None:
        updates.append(update)
        widget.update()

    task = Task(Session())
    task.run("working", steps(1.5), results.append, on_update=show)
    qtbot.waitUntil(lambda: bool(results))
    qtbot.waitUntil(lambda: not task.threads)
    return updates, results[0], widget.paints - before


def test_a_slow_window_gets_fewer_updates_and_misses_nothing(qtbot: Any) -> None:
    updates, count, paints = watched(qtbot, 0.15)
    # Half of the time is the user's: at most five of them, and the first and the last ones.
    assert 2 <= len(updates) <= 9
    assert paints <= len(updates) + 1
    assert [one["step"] for update in updates for one in update.metrics] == list(range(count))


def test_the_pause_is_never_longer_than_is_bearable(
    qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LONGEST", 0.2)
    one = Pace()
    assert one.ready() and one.interval == 0
    one.begin()
    time.sleep(0.3)
    qtbot.waitUntil(lambda: one.interval > 0)
    assert one.interval == 0.2
    one.begin()
    qtbot.waitUntil(one.ready)
    qtbot.waitUntil(lambda: one.interval < 0.2)
