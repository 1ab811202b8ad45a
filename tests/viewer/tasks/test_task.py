from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from qtpy.QtCore import QEvent, QTimer
from qtpy.QtWidgets import QApplication

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.page_parts.base_page import Page
from napari_channelmix.viewer.session.session import Session
from napari_channelmix.viewer.tasks.task import Task


class Work:
    """A job that would run for a minute, and knows whether it still does."""

    def __init__(self) -> None:
        self.steps = 0
        self.closed = threading.Event()

    def job(self) -> Job[str]:
        try:
            for _ in range(3000):
                time.sleep(0.02)
                self.steps += 1
                yield Progress(self.steps, 3000, "working", {"step": float(self.steps)})
            return "done"
        finally:
            self.closed.set()


def short(answer: Any, steps: int = 5) -> Job[Any]:
    for step in range(steps):
        yield Progress(step, steps, "working", {"epoch": float(step)})
    if isinstance(answer, Exception):
        raise answer
    return answer


@pytest.fixture
def task(qtbot: Any) -> Task:
    return Task(Session())


def test_the_result_and_every_metric_arrive_on_the_main_thread(task: Task, qtbot: Any) -> None:
    results, metrics, threads = [], [], set()

    def heard(update: Any) -> None:
        metrics.extend(update.metrics)
        threads.add(threading.current_thread())

    task.run("counting", short(7, steps=500), results.append, on_update=heard)
    qtbot.waitUntil(lambda: bool(results))
    assert results == [7]
    assert [one["epoch"] for one in metrics] == list(range(500))
    assert threads == {threading.main_thread()}


def test_updates_come_at_most_twenty_times_a_second(task: Task, qtbot: Any) -> None:
    work, updates = Work(), []
    task.run("working", work.job(), print, on_update=updates.append)
    start = time.monotonic()
    qtbot.waitUntil(lambda: work.steps >= 40)
    assert len(updates) <= 20 * (time.monotonic() - start) + 2
    task.stop()
    assert work.closed.wait(1.0)


def test_cancel_stops_the_work_within_a_second(dock: Any, qtbot: Any, click: Any) -> None:
    widget, work = dock(Page), Work()
    widget.task.run("working", work.job(), print)
    qtbot.waitUntil(lambda: work.steps > 3 and widget.task_bar.isVisible())
    start = time.monotonic()
    click(widget.task_bar.cancel)
    assert work.closed.wait(1.0)
    assert time.monotonic() - start < 1.0
    assert not widget.task.busy and not widget.task_bar.isVisible()
    assert widget.session.running == ()


def test_removing_the_dock_stops_its_work(viewer: Any, dock: Any, qtbot: Any) -> None:
    widget, work = dock(Page), Work()
    widget.task.run("working", work.job(), print)
    qtbot.waitUntil(lambda: work.steps > 3)
    viewer.window.remove_dock_widget(widget)
    assert work.closed.wait(1.0)
    assert widget.session.running == ()
    widget.deleteLater()
    QApplication.sendPostedEvents(widget, QEvent.Type.DeferredDelete.value)


def test_hiding_the_dock_keeps_its_work(viewer: Any, dock: Any, qtbot: Any) -> None:
    widget, work = dock(Page), Work()
    widget.task.run("working", work.job(), print)
    qtbot.waitUntil(lambda: work.steps > 3)
    widget.parent().hide()
    qtbot.wait(100)
    assert widget.task.busy and not work.closed.is_set()
    widget.halt()
    assert work.closed.wait(1.0)


def test_closing_the_viewer_stops_the_work(make_napari_viewer: Any, qtbot: Any) -> None:
    viewer = make_napari_viewer(show=True)
    widget, work = Page(viewer), Work()
    viewer.window.add_dock_widget(widget, name="dock")
    qtbot.wait(50)
    widget.task.run("working", work.job(), print)
    qtbot.waitUntil(lambda: work.steps > 3)
    viewer.close()
    # napari stops its workers too; whoever comes first, no further step is done.
    qtbot.waitUntil(work.closed.is_set)
    steps = work.steps
    qtbot.wait(100)
    assert work.steps == steps


def test_answers_of_a_replaced_job_are_dropped(task: Task, qtbot: Any) -> None:
    results: list[str] = []
    work = Work()
    task.run("old", work.job(), results.append)
    qtbot.waitUntil(lambda: work.steps > 3)
    task.run("new", short("new"), results.append)
    qtbot.waitUntil(lambda: bool(results))
    qtbot.wait(100)
    assert results == ["new"]
    assert work.closed.wait(1.0)


def test_jobs_on_one_thread_wait_for_each_other_and_only_the_last_is_begun(qtbot: Any) -> None:
    task, work, results, begun = Task(Session(), one_thread=True), Work(), [], []

    def noted(name: str) -> Job[str]:
        begun.append((name, work.closed.is_set()))
        yield Progress(0, 1, name)
        return name

    task.run("old", work.job(), results.append)
    qtbot.waitUntil(lambda: work.steps > 3)
    for name in ("second", "third", "last"):
        task.run(name, noted(name), results.append)
        assert task.threads == 1 and task.busy
    qtbot.waitUntil(lambda: bool(results))
    assert results == ["last"] and begun == [("last", True)]
    qtbot.waitUntil(lambda: task.threads == 0)


def test_a_job_that_waits_is_never_begun_once_it_is_stopped(qtbot: Any) -> None:
    task, work, waiting = Task(Session(), one_thread=True), Work(), Work()
    task.run("old", work.job(), print)
    qtbot.waitUntil(lambda: work.steps > 3)
    task.run("new", waiting.job(), print)
    task.stop()
    qtbot.waitUntil(lambda: task.threads == 0)
    qtbot.wait(50)
    assert work.closed.is_set() and waiting.steps == 0 and not task.busy


def test_a_job_that_napari_stops_is_closed(task: Task, qtbot: Any, monkeypatch: Any) -> None:
    from napari_channelmix.viewer.tasks import task as tasks

    workers: list[Any] = []

    def kept(*args: Any, **options: Any) -> Any:
        workers.append(create_worker(*args, **options))
        return workers[-1]

    create_worker = tasks.create_worker
    monkeypatch.setattr(tasks, "create_worker", kept)
    work = Work()
    task.run("working", work.job(), print)
    qtbot.waitUntil(lambda: work.steps > 3)
    workers[0].quit()
    qtbot.waitUntil(lambda: not task.busy)
    assert work.closed.is_set()


def test_our_errors_are_shown_as_their_line(dock: Any, qtbot: Any) -> None:
    widget = dock(Page)
    widget.task.run("reading", short(DataError("no such file")), print, on_error=widget.fail)
    qtbot.waitUntil(lambda: not widget.task.busy)
    assert widget.notice.text() == "no such file" and widget.notice.kind == "error"


def test_a_runtime_error_is_no_result(dock: Any, qtbot: Any) -> None:
    widget, results = dock(Page), []
    failed = short(RuntimeError("out of memory"))
    widget.task.run("training", failed, results.append, on_error=widget.fail)
    qtbot.waitUntil(lambda: not widget.task.busy)
    assert results == []
    assert widget.notice.text() == "training failed unexpectedly: RuntimeError: out of memory"


def test_a_job_leaves_napari_s_status_bar_alone(viewer: Any, dock: Any, qtbot: Any) -> None:
    from napari.utils.notifications import notification_manager

    widget = dock(Page)
    status: list[str] = []
    bar = viewer.window._qt_window.statusBar()  # no public way to it
    bar.messageChanged.connect(status.append)
    viewer.events.status.connect(lambda event: status.append(str(event.value)))
    told = len(notification_manager.records)
    done: list[int] = []
    widget.task.run("counting", short(7, steps=500), done.append)
    qtbot.waitUntil(lambda: bool(done))
    qtbot.wait(50)
    assert len(status) <= 2 and len(notification_manager.records) == told


class Shows:
    """Steps on the main thread, and what was done of them."""

    def __init__(self) -> None:
        self.done: list[int] = []

    def __call__(self, result: int) -> Job[str]:
        for step in range(result):
            assert threading.current_thread() is threading.main_thread()
            self.done.append(step)
            yield Progress(step, result, "showing")
        return "shown"


def test_a_result_is_shown_in_steps_between_which_the_window_lives(task: Task, qtbot: Any) -> None:
    shows, results, ends, turns = Shows(), [], [], []
    timer = QTimer()
    timer.timeout.connect(lambda: turns.append(len(shows.done)))
    timer.start(1)
    task.ended.connect(ends.append)
    task.run("showing", short(5), results.append, show=shows)
    qtbot.waitUntil(lambda: bool(results))
    timer.stop()
    assert results == ["shown"] and ends == ["done"] and shows.done == [0, 1, 2, 3, 4]
    assert {1, 2, 3, 4} <= set(turns)
    assert not task.busy


@pytest.mark.parametrize("how", ["stop", "another"])
def test_what_is_half_shown_is_shown_to_its_end(task: Task, qtbot: Any, how: str) -> None:
    shows, results, ends = Shows(), [], []
    task.ended.connect(ends.append)
    task.run("showing", short(100), results.append, show=shows)
    qtbot.waitUntil(lambda: bool(shows.done))
    assert task.busy and not results
    if how == "stop":
        task.stop()
    else:
        task.run("another", short(7), results.append)
    assert results == ["shown"] and len(shows.done) == 100 and ends == ["done"]
    qtbot.waitUntil(lambda: not task.busy and not task.threads)
    assert results == ["shown", 7][: len(results)] and len(results) == 1 + (how == "another")


def test_a_step_that_fails_ends_the_task(task: Task, qtbot: Any) -> None:
    ends = []

    def fails(result: int) -> Job[None]:
        yield Progress(0, 1, "showing")
        raise ValueError(str(result))

    task.ended.connect(ends.append)
    with qtbot.captureExceptions() as raised:
        task.run("showing", short(5), print, show=fails)
        qtbot.waitUntil(lambda: bool(ends))
    assert ends == ["failed"] and not task.busy
    assert [str(error) for _, error, _ in raised] == ["5"]
