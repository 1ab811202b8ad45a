"""Reads crops while the gallery is scrolled: the newest request first, none that is out of date."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from napari.qt.threading import create_worker
from qtpy.QtGui import QImage

from napari_channelmix.data.crop_rendering import Look, composed, settled
from napari_channelmix.data.display_limits import display_limits_job
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.pages.phenotypes.crop_cache import CachedCrop
from napari_channelmix.viewer.tasks.threads import start_at_once

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["CropBatch", "CropReader", "CropRequest"]

Looks = tuple[Look | None, ...]

# Cells that are read between two looks at the newest request; as many as are read in this time.
FIRST, MOST = 8, 128
SECONDS = 0.03


@dataclass(frozen=True, eq=False)
class CropRequest:
    """Cells that are requested, those first that are in sight, and the pixels that are known."""

    generation: int
    cells: Cells
    looks: Looks
    cell_indices: tuple[int, ...]
    known: dict[int, Any]


@dataclass(frozen=True)
class CropBatch:
    """Some cells of a request."""

    generation: int
    crops: dict[int, CachedCrop]


class _Requests:
    """The request at hand; a new one takes its place, what was left of it is dropped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._request: CropRequest | None = None
        self._done = 0
        # Of channels that no layer shows: the same contrast for all crops.
        # By fields of view, which are kept so that no others take their identity, and looks.
        self.settled: dict[tuple[int, Looks], tuple[Any, Looks]] = {}

    def put(self, request: CropRequest | None) -> None:
        with self._lock:
            self._request, self._done = request, 0

    def take(self, count: int) -> tuple[CropRequest, tuple[int, ...]] | None:
        with self._lock:
            request = self._request
            if request is None or self._done >= len(request.cell_indices):
                return None
            cells = request.cell_indices[self._done : self._done + count]
            self._done += count
            return request, cells


class CropReader:
    """Not a `Task`: nobody starts or cancels it, and no other dock has to know of it.

    The worker ends when nothing is wanted, so that an idle gallery has no thread.

    Parameters
    ----------
    arrived : callable
        Gets a `CropBatch`, on the main thread.
    """

    def __init__(self, arrived: Callable[[CropBatch], object]) -> None:
        self._arrived: Callable[[CropBatch], object] | None = arrived
        self._requests = _Requests()
        self._working = False
        self.generation = 0

    @property
    def busy(self) -> bool:
        """Whether crops are being read."""
        return self._working

    def ask(
        self, cells: Cells, looks: Looks, requested: Sequence[int], known: dict[int, Any]
    ) -> None:
        """Have these cells read; what was asked for before is not wanted any more."""
        if self._arrived is None:
            return
        self.generation += 1
        # Pictures have the contrast of the layers, which show the pixels of the files.
        request = CropRequest(self.generation, cells.unscaled, looks, tuple(requested), known)
        self._requests.put(request)
        if requested and not self._working:
            self._start()

    def _start(self) -> None:
        self._working = True
        worker = create_worker(_reading, self._requests, _start_thread=False, _ignore_errors=True)
        worker.yielded.connect(self._hand_over)
        worker.finished.connect(self._finished)
        start_at_once(worker)

    def _hand_over(self, batch: CropBatch) -> None:
        if self._arrived is not None:
            self._arrived(batch)

    def _finished(self) -> None:
        self._working = False
        # A request that came while the worker was ending.
        left = self._requests.take(0)
        if left is not None and self._arrived is not None:
            self._start()

    def drop(self) -> None:
        """Nothing is wanted any more."""
        self._requests.put(None)

    def stop(self) -> None:
        """Read nothing any more, for good."""
        self._arrived = None
        self.drop()


def _reading(requests: _Requests) -> Generator[CropBatch, None, None]:
    count = FIRST
    while (taken := requests.take(count)) is not None:
        request, requested = taken
        begun = time.perf_counter()
        yield CropBatch(request.generation, _read(request, requested, requests.settled))
        spent = time.perf_counter() - begun
        if spent < SECONDS / 2:
            count = min(2 * count, MOST)
        elif spent > 2 * SECONDS:
            count = max(1, count // 2)


def _read(
    request: CropRequest,
    requested: Sequence[int],
    settled_before: dict[tuple[int, Looks], tuple[Any, Looks]],
) -> dict[int, CachedCrop]:
    pixels = {cell: request.known[cell] for cell in requested if cell in request.known}
    new = [cell for cell in requested if cell not in pixels]
    failed: dict[int, str] = {}
    if new:
        try:
            pixels |= dict(zip(new, request.cells.read(np.asarray(new)), strict=True))
        except ChannelMixError:
            # One of them cannot be read: the others can.
            for cell in new:
                try:
                    pixels[cell] = request.cells.read([cell])[0]
                except ChannelMixError as error:
                    failed[cell] = str(error)
    results = {cell: CachedCrop(None, None, request.looks, why) for cell, why in failed.items()}
    if pixels:
        crops = np.stack(list(pixels.values()))
        key = id(request.cells.fields), request.looks
        if key not in settled_before:
            settled_before[key] = request.cells.fields, _settled(request)
        pictures = composed(crops, settled_before[key][1])
        for (cell, crop), picture in zip(pixels.items(), pictures, strict=True):
            # A copy: a slice would keep the whole batch in memory.
            results[cell] = CachedCrop(np.array(crop), _image(picture), request.looks)
    return results


def _settled(request: CropRequest) -> Looks:
    """The looks of a request; crops are sampled only where a channel has no limits of its own."""
    if all(look is None or look.low is not None for look in request.looks):
        return request.looks
    return settled(drain(display_limits_job(request.cells)), request.looks)


def _image(picture: np.ndarray[Any, np.dtype[np.uint8]]) -> QImage:
    height, width, _ = picture.shape
    rows = np.ascontiguousarray(picture).tobytes()
    return QImage(rows, width, height, 3 * width, QImage.Format.Format_RGB888).convertToFormat(
        QImage.Format.Format_RGB32
    )
