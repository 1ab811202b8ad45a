"""Fills the coarse levels of large images that have none in their file, while the window is used.

1. `show_field` tells which layers have an `Overview`.
2. A thread reads pieces for the first layer that is visible and not complete.
3. Now and then the layer is drawn anew, with the pieces that came.
4. Where nothing visible is left to do the thread ends; a layer that is shown later begins a new
   one.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Mapping
from threading import Event
from typing import Any

from napari.qt.threading import create_worker

from napari_channelmix.errors import ChannelMixError
from napari_channelmix.viewer.layers.pyramids import Levels, Overview
from napari_channelmix.viewer.session.per_viewer import PerViewer
from napari_channelmix.viewer.tasks.redraw_pace import Pace
from napari_channelmix.viewer.tasks.threads import start_at_once

__all__ = ["fill_overviews", "is_filling", "stop_filling"]

# Seconds between two drawings of a layer that is being filled.
PAUSE = 0.5


class _Filling:
    """What is left to do in one viewer."""

    def __init__(self, viewer: Any) -> None:
        # Layers and their overviews, in the order they are filled; replaced, never changed.
        self.waiting: tuple[tuple[Any, Overview], ...] = ()
        self.working = False
        self._stop = Event()
        # Where the window is slow to draw, it is drawn less often.
        self._pace = Pace()
        viewer.layers.events.removed.connect(self._removed)

    def take(self, pictures: Mapping[Any, Any]) -> None:
        """Fill these, and none of those before."""
        for layer, _ in self.waiting:
            layer.events.visible.disconnect(self._begin)
        self.waiting = tuple(
            (layer, picture.overview)
            for layer, picture in pictures.items()
            if isinstance(picture, Levels) and picture.overview is not None
        )
        for layer, _ in self.waiting:
            layer.events.visible.connect(self._begin)
        self._begin()

    def stop(self) -> None:
        self._stop.set()
        self.take({})

    def next(self) -> tuple[Any, Overview] | None:
        """The first that is visible and not complete; asked in any thread."""
        pairs = self.waiting
        return next((p for p in pairs if p[0].visible and not p[1].complete), None)

    def _begin(self, event: object = None) -> None:
        if self.working or self.next() is None:
            return
        self.working, self._stop = True, Event()
        worker = create_worker(_fill, self, self._stop, _start_thread=False, _ignore_errors=True)
        worker.yielded.connect(self._draw)
        worker.finished.connect(self._ended)
        start_at_once(worker)

    def _draw(self, layer: Any) -> None:
        overview = next((overview for other, overview in self.waiting if other is layer), None)
        # At a close zoom the file's own pixels are in sight.
        if overview is None or layer.data_level == 0:
            return
        if overview.complete or self._pace.ready():
            self._pace.begin()
            layer.refresh(highlight=False, extent=False)

    def _ended(self) -> None:
        self.working = False
        self._begin()

    def _removed(self, event: Any) -> None:
        self.waiting = tuple(pair for pair in self.waiting if pair[0] is not event.value)

    def leave_out(self, layer: Any) -> None:
        """Do no more for a layer whose pixels cannot be read."""
        self.waiting = tuple(pair for pair in self.waiting if pair[0] is not layer)


_of = PerViewer(_Filling, lambda filling: filling.stop())


def fill_overviews(viewer: Any, pictures: Mapping[Any, Any]) -> None:
    """Fill the overviews of layers, in place of those that were being filled before.

    Parameters
    ----------
    viewer : napari viewer
    pictures : mapping of layer to array or Levels
        What each layer shows; those without an overview are left alone.
    """
    _of(viewer).take(pictures)


def is_filling(viewer: Any) -> bool:
    """Whether pieces are being read."""
    return _of(viewer).working


def stop_filling(viewer: Any) -> None:
    """Read no more, until layers are shown anew."""
    _of(viewer).stop()


def _fill(filling: _Filling, stop: Event) -> Generator[Any, None, None]:
    while not stop.is_set() and (taken := filling.next()) is not None:
        layer, overview = taken
        job = overview.fill()
        end = time.monotonic() + PAUSE
        try:
            # Another layer may be the first in sight by then.
            while not stop.is_set() and time.monotonic() < end:
                if next(job, None) is None:
                    break
        except ChannelMixError:
            # Said where these pixels are read at a close zoom, or by the job that needs them.
            filling.leave_out(layer)
        finally:
            job.close()
        yield layer
