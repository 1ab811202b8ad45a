"""Reading while scrolling: the newest request, each cell its own pixels, memory that is bounded."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from qtpy.QtGui import QImage

from napari_channelmix.data import Cells, Field
from napari_channelmix.data.crop_rendering import Look
from napari_channelmix.viewer.pages.phenotypes.crop_cache import CachedCrop, CropCache
from napari_channelmix.viewer.pages.phenotypes.crop_reader import CropBatch, CropReader

from ...phenotype_cases import cells

LOOKS = (Look(Look.of_color("#FFFFFF").table, 0.0, 255.0), None)


@pytest.fixture
def reading(qtbot: Any) -> Any:
    """A reader and what arrived."""
    arrived: list[CropBatch] = []
    reader = CropReader(arrived.append)
    yield reader, arrived
    reader.stop()
    qtbot.waitUntil(lambda: not reader.busy)


def kept_of(arrived: list[CropBatch]) -> dict[int, CachedCrop]:
    return {cell: kept for one in arrived for cell, kept in one.crops.items()}


def test_each_cell_gets_its_own_pixels(reading: Any, qtbot: Any) -> None:
    reader, arrived = reading
    reader.ask(cells(100), LOOKS, [40, 3, 99], {})
    qtbot.waitUntil(lambda: len(kept_of(arrived)) == 3 and not reader.busy)
    for cell, kept in kept_of(arrived).items():
        assert (kept.pixels == cell).all()
        assert kept.picture.pixelColor(4, 4).red() == cell
    # An idle reader has no thread, and begins again when it is asked.
    reader.ask(cells(100), LOOKS, [7], {})
    qtbot.waitUntil(lambda: 7 in kept_of(arrived))


class Slow:
    """A plane that waits until it may be read, and notes what was."""

    dtype = np.dtype(np.float32)
    shape = (64, 64)

    def __init__(self) -> None:
        self.gate, self.begun = threading.Event(), threading.Event()
        self.rows: list[int] = []

    def __getitem__(self, index: Any) -> Any:
        self.begun.set()
        assert self.gate.wait(10)
        self.rows.append(index[0].start)
        return np.zeros((64, 64), np.float32)[index]


def on(plane: Any, count: int = 56) -> Cells:
    import pandas as pd

    y0 = np.arange(count)
    table = pd.DataFrame(
        {
            "field": 0,
            "y0": y0,
            "x0": 0,
            "y1": y0 + 8,
            "x1": 8,
            "label": -1,
            "group": "",
            "split": "",
            "object": 0,
        }
    )
    return Cells("slow", ("DNA",), (), 8, (Field("field", (plane,)),), table)


def test_what_was_scrolled_past_is_not_read(reading: Any, qtbot: Any) -> None:
    reader, arrived = reading
    plane = Slow()
    of = on(plane)
    reader.ask(of, LOOKS[:1], list(range(40)), {})
    assert plane.begun.wait(10)
    reader.ask(of, LOOKS[:1], [50, 51], {})
    plane.gate.set()
    qtbot.waitUntil(lambda: {50, 51} <= set(kept_of(arrived)))
    # The batch at hand was finished, the rest of the old request was dropped.
    assert len(set(plane.rows)) < 20


def test_a_reader_that_is_stopped_says_nothing(reading: Any, qtbot: Any) -> None:
    reader, arrived = reading
    plane = Slow()
    reader.ask(on(plane), LOOKS[:1], list(range(40)), {})
    assert plane.begun.wait(10)
    reader.stop()
    plane.gate.set()
    qtbot.waitUntil(lambda: not reader.busy)
    assert not arrived
    reader.ask(on(plane), LOOKS[:1], [1], {})
    assert not reader.busy


def test_a_cell_that_cannot_be_read_does_not_spoil_the_others(reading: Any, qtbot: Any) -> None:
    reader, arrived = reading
    crops = np.zeros((4, 1, 8, 8), np.float32)
    crops[2, 0, 1, 1] = np.nan
    reader.ask(Cells.from_array(crops, ["DNA"]), LOOKS[:1], range(4), {})
    qtbot.waitUntil(lambda: len(kept_of(arrived)) == 4)
    found = kept_of(arrived)
    assert found[2].picture is None and "NaN" in found[2].failed
    assert all(found[cell].picture is not None for cell in (0, 1, 3))


def test_known_pixels_are_only_coloured_anew(reading: Any, qtbot: Any) -> None:
    reader, arrived = reading
    plane = Slow()
    known = {3: np.full((1, 8, 8), 255, np.float32)}
    reader.ask(on(plane), LOOKS[:1], [3], known)
    qtbot.waitUntil(lambda: 3 in kept_of(arrived))
    assert not plane.begun.is_set()
    assert kept_of(arrived)[3].picture.pixelColor(0, 0).red() == 255


def test_other_cells_have_contrast_of_their_own(reading: Any, qtbot: Any) -> None:
    reader, arrived = reading
    own = (Look.of_color("#FFFFFF"),)
    bright = []
    for scale in (1.0, 100.0):
        arrived.clear()
        crops = scale * np.random.default_rng(4).random((3, 1, 8, 8)).astype(np.float32)
        reader.ask(Cells.from_array(crops, ["DNA"]), own, [0], {})
        qtbot.waitUntil(lambda: 0 in kept_of(arrived) and not reader.busy)
        picture = kept_of(arrived)[0].picture
        bright.append([picture.pixelColor(at, 3).red() for at in range(8)])
    assert bright[0] == pytest.approx(bright[1], abs=1)


def test_the_cache_lets_go_of_what_was_not_looked_at() -> None:
    pixels = np.zeros((1, 10, 10), np.float32)
    image = QImage(10, 10, QImage.Format.Format_RGB32)
    one = CachedCrop(pixels, image, LOOKS)
    cache = CropCache(most=5 * one.size)
    for cell in range(5):
        cache.put(cell, one)
    assert cache.get(0) is one
    cache.put(5, one)
    assert 0 in cache and 1 not in cache and len(cache) == 5
    cache.put(5, one)
    assert cache.nbytes == 5 * one.size
    cache.clear()
    assert cache.nbytes == 0 and 0 not in cache
