"""A script that leaves its window open, with jobs at work, ends without a crash."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import time
import napari
from qtpy.QtWidgets import QApplication
from napari_channelmix.jobs import Progress
from napari_channelmix.viewer.page_parts.open_page import open_docks

def long():
    # Longer than any machine takes to open the sample.
    for step in range(10_000_000):
        sum(range(20_000))
        yield Progress(step, 10_000_000, "working")

viewer = napari.Viewer()
docks = open_docks(viewer)
docks[0].open_sample("synthetic_plate")
docks[1].task.run("working", long(), print)
end = time.monotonic() + 1
while time.monotonic() < end:
    QApplication.processEvents()
    time.sleep(0.01)
print("at work:", len(docks[0].session.running))
{end}
"""


@pytest.mark.parametrize(("end", "code"), [("", 0), ("raise SystemExit(3)", 3)])
def test_a_script_may_end_while_jobs_are_at_work(end: str, code: int, tmp_path: Path) -> None:
    folders = {f"XDG_{what}_HOME": str(tmp_path) for what in ("DATA", "CACHE", "CONFIG")}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", SCRIPT.format(end=end)],
        capture_output=True,
        text=True,
        timeout=250,
        env={**os.environ, **folders},
        check=False,
    )
    assert (done.returncode, done.stdout) == (code, "at work: 2\n"), done.stderr[-3000:]
    assert "Traceback" not in done.stderr, done.stderr[-3000:]


IMPORTS_LATE = """
import atexit, threading, time
import napari
from qtpy.QtWidgets import QApplication
from napari_channelmix.jobs import Progress
from napari_channelmix.viewer.page_parts.open_page import open_docks

def reads():
    # As a library does whose threads do the work, and which ends them when Python ends.
    ended = threading.Event()
    atexit.register(ended.set)
    for step in range(10_000):
        time.sleep(0.05)
        if ended.is_set():
            threading.Event().wait()
        yield Progress(step, 10_000, "reading")

viewer = napari.Viewer()
task = open_docks(viewer)[1].task
task.run("reading", reads(), print)
end = time.monotonic() + 1
while time.monotonic() < end:
    QApplication.processEvents()
    time.sleep(0.01)
viewer.close()
print("closed")
"""


def test_jobs_end_before_the_libraries_that_they_imported(tmp_path: Path) -> None:
    folders = {f"XDG_{what}_HOME": str(tmp_path) for what in ("DATA", "CACHE", "CONFIG")}
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", IMPORTS_LATE],
        capture_output=True,
        text=True,
        timeout=100,
        env={**os.environ, **folders},
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "closed\n"), done.stderr[-3000:]
