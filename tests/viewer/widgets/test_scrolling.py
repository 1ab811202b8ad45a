"""A page is scrolled to what has begun to matter."""

import time

from qtpy.QtWidgets import QLabel, QScrollArea, QVBoxLayout, QWidget

from napari_channelmix.jobs import Progress
from napari_channelmix.viewer.session.session import Session
from napari_channelmix.viewer.tasks.task import Task
from napari_channelmix.viewer.tasks.task_bar import TaskBar
from napari_channelmix.viewer.widgets.scrolling import bring_into_sight


def page(qtbot, *below):
    """A low page with a tall label and what lies below it."""
    area, content = QScrollArea(), QWidget()
    area.setWidgetResizable(True)
    column = QVBoxLayout(content)
    tall = QLabel("tall")
    tall.setMinimumHeight(900)
    for part in (tall, *below):
        column.addWidget(part)
    area.setWidget(content)
    area.resize(300, 200)
    qtbot.addWidget(area)
    area.show()
    return area


def in_sight(area, part):
    top = part.mapTo(area.viewport(), part.rect().topLeft()).y()
    return top >= 0 and top + part.height() <= area.viewport().height()


def test_a_part_far_below_is_scrolled_to(qtbot):
    label = QLabel("below")
    area = page(qtbot, label)
    qtbot.waitUntil(lambda: area.verticalScrollBar().maximum() > 0)
    assert not in_sight(area, label)
    bring_into_sight(label)
    assert in_sight(area, label)
    # Without a page around it nothing happens.
    alone = QLabel("alone")
    qtbot.addWidget(alone)
    bring_into_sight(alone)


def test_a_job_that_begins_shows_its_bar_and_cancel(qtbot):
    task = Task(Session())
    bar = TaskBar(task)
    area = page(qtbot, bar)

    def job():
        while True:
            # The window is drawn meanwhile.
            time.sleep(0.01)
            yield Progress(0, 1, "working")

    task.run("work", job(), lambda _: None)
    qtbot.waitUntil(lambda: bar.isVisible() and in_sight(area, bar.cancel))
    task.stop()
    qtbot.waitUntil(lambda: not task.busy)
    assert not bar.isVisible()
