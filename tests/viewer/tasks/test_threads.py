"""Every job has a thread at once; where there are too many, it says that it waits."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from qtpy.QtCore import QThreadPool

from napari_channelmix.viewer.page_parts.base_page import Page
from napari_channelmix.viewer.session.session import Session
from napari_channelmix.viewer.tasks import threads
from napari_channelmix.viewer.tasks.task import Task

from .test_task import Work, short


@pytest.fixture
def two_cores() -> Any:
    """napari's pool as on a computer with two cores."""
    pool = QThreadPool.globalInstance()
    before = pool.maxThreadCount()
    pool.setMaxThreadCount(2)
    yield pool
    pool.waitForDone(20_000)
    pool.setMaxThreadCount(before)


def test_a_short_job_does_not_wait_for_long_ones(two_cores: Any, qtbot: Any) -> None:
    works = [Work() for _ in range(10)]
    tasks = [Task(Session()) for _ in works]
    for task, work in zip(tasks, works, strict=True):
        task.run("working", work.job(), print)
    qtbot.waitUntil(lambda: all(work.steps for work in works))
    results: list[str] = []
    begun = time.monotonic()
    last = Task(Session())
    last.run("opening", short("opened"), results.append)
    qtbot.waitUntil(lambda: bool(results))
    assert results == ["opened"] and time.monotonic() - begun < 2
    for task in tasks:
        task.stop()
    qtbot.waitUntil(lambda: not any(task.threads for task in tasks))
    # What was lent is given back: others find the pool as it was.
    qtbot.waitUntil(lambda: threads._lent == 0)
    assert two_cores.waitForDone(2000) and two_cores.activeThreadCount() == 0


def test_a_job_that_waits_says_so(two_cores: Any, dock: Any, qtbot: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(threads, "MOST", 0)
    long, stop = [Task(Session()) for _ in range(2)], threading.Event()
    works = [Work() for _ in long]
    for task, work in zip(long, works, strict=True):
        task.run("working", work.job(), print)
    qtbot.waitUntil(lambda: all(work.steps for work in works))
    widget = dock(Page)
    widget.task.run("opening", short(7), lambda _: stop.set())
    assert widget.task.waiting
    qtbot.waitUntil(lambda: widget.task_bar.bar.text() == "waiting")
    assert widget.task_bar.stage.text() == "waiting for other jobs to end"
    long[0].stop()
    qtbot.waitUntil(stop.is_set)
    assert not widget.task.waiting and not widget.task_bar.isVisible()
    long[1].stop()
    qtbot.waitUntil(lambda: not long[1].threads)
