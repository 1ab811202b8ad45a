"""The beats of a window under measurement: what blocked its event loop, and for how long."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

BEAT = 5


class Heartbeat:
    """Times between the beats of a timer: while the event loop is blocked, none comes."""

    def __init__(self) -> None:
        from qtpy.QtCore import Qt, QTimer

        self._beats = [time.perf_counter()]
        self._work = [time.thread_time()]
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._beat)
        self._timer.start(BEAT)

    def _beat(self) -> None:
        self._beats.append(time.perf_counter())
        self._work.append(time.thread_time())

    @property
    def most_work(self) -> float:
        """Seconds that this thread itself worked between two beats, at most.

        Less than the longest block where other programs had the cores, or another thread Python.
        """
        return float(np.diff([*self._work, time.thread_time()]).max())

    @property
    def count(self) -> int:
        """Beats so far."""
        return len(self._beats)

    def stop(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """End it; gives the blocks in seconds."""
        self._timer.stop()
        gaps = np.diff([*self._beats, time.perf_counter()])
        return np.maximum(gaps - BEAT / 1000, 0.0)


class Living:
    """A window that is let live by hand."""

    viewer: Any

    def pump(self) -> None:
        """Handle what is waiting."""
        from qtpy.QtWidgets import QApplication

        QApplication.processEvents()

    def wait(self, until: Callable[[], object], seconds: float) -> bool:
        """Let the window live until something holds; whether it came to hold."""
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            if until():
                return True
            self.pump()
            time.sleep(0.0005)
        return bool(until())

    def idle(self) -> dict[str, Any]:
        """Blocks while nothing happens: what the machine itself does."""
        beats = Heartbeat()
        self.wait(lambda: False, 3.0)
        return figures(beats.stop())

    def redraw(self, widget: Any) -> float:
        """Milliseconds to redraw a widget, median; with it the whole window is composed anew.

        Where OpenGL is done by the CPU, this takes as long as the picture is large; no widget of
        a napari window can be painted in less.
        """
        times = []
        for _ in range(30):
            begun = time.perf_counter()
            widget.repaint()
            times.append(time.perf_counter() - begun)
            self.wait(lambda: False, 0.03)
        return ms(statistics.median(times))

    @property
    def canvas(self) -> Any:
        """The widget that the picture is drawn in; there is no public way to it."""
        return self.viewer.window._qt_viewer.canvas.native


def figures(blocks: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    """The longest block, and that which 99 of 100 beats stay below."""
    return {
        "beats": len(blocks),
        "block_p50_ms": ms(float(np.median(blocks))),
        "block_p99_ms": ms(float(np.percentile(blocks, 99))),
        "block_longest_ms": ms(float(blocks.max())),
    }


def ms(seconds: float) -> float:
    """Milliseconds, rounded."""
    return round(1000 * seconds, 1)
