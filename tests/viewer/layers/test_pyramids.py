"""Large planes are shown in levels, of which a part is read; contrast needs a part of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from napari.components import ViewerModel

from napari_channelmix.data import Cells, Field
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.viewer.layers import field_job, is_filling, show_field, stop_filling
from napari_channelmix.viewer.layers.planes import full_resolution, plane_of
from napari_channelmix.viewer.layers.pyramids import Levels, Overview, shown_plane

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

SIDE = 16_384


class Slide:
    """A plane of 512 MiB that holds no pixels: each is its row plus its column, divided by 64."""

    shape, dtype, ndim = (SIDE, SIDE), np.dtype(np.uint16), 2

    def __init__(self, levels: tuple[Any, ...] = (), step: int = 1) -> None:
        if levels:
            self.levels = levels
        self.step = step
        self.shape = (SIDE // step, SIDE // step)
        self.read = 0

    def __getitem__(self, region: tuple[slice, slice]) -> np.ndarray[Any, Any]:
        y, x = (np.arange(n)[part] for n, part in zip(self.shape, region, strict=True))
        self.read += len(y) * len(x)
        return (((y[:, None] + x) * self.step) // 64).astype(np.uint16)


def cells_of(*planes: Any) -> Cells:
    box = {"y0": 4000, "x0": 4000, "y1": 4032, "x1": 4032}
    rows = [{"field": 0, "object": 1, "label": -1, "split": "", "group": "a", **box}]
    field = Field("slide", planes)
    names = tuple("ABCDEF"[: len(planes)])
    table = pd.DataFrame(rows).assign(y=4015.5, x=4015.5)
    return Cells("slide", names, (), 32, (field,), table)


def test_a_small_plane_is_an_array() -> None:
    plane = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert np.array_equal(shown_plane(plane), plane)


def test_levels_of_the_file_are_shown_and_only_the_small_ones_are_read() -> None:
    coarser = (Slide(step=4), Slide(step=16))
    slide = Slide(coarser)
    levels = shown_plane(slide)
    assert isinstance(levels, Levels) and levels.overview is None
    assert [level.shape[0] for level in levels] == [SIDE, SIDE // 4, SIDE // 16]
    assert slide.read == coarser[0].read == 0
    # napari reads in the event loop: what the whole slide is seen in is there before.
    assert isinstance(levels[2], np.ndarray) and coarser[1].read == coarser[1].shape[0] ** 2
    assert levels[0][6400:6402, 6400:6401].compute().tolist() == [[200], [200]]


def test_an_overview_holds_the_means_of_squares() -> None:
    rng = np.random.default_rng(0)
    plane = rng.integers(0, 60_000, (2056, 2050)).astype(np.uint16)
    overview = Overview(plane)
    drain(overview.fill())
    (level,) = overview.levels
    assert level.shape == (514, 513)
    assert level[3, 5] == plane[12:16, 20:24].astype(int).sum() // 16
    # At the right edge two columns are there.
    assert level[0, 512] == np.pad(plane[:4, 2048:], [(0, 0), (0, 2)], mode="edge").sum() // 16
    floats = Overview((plane / 7).astype(np.float32))
    drain(floats.fill())
    assert floats.levels[0][3, 5] == pytest.approx(plane[12:16, 20:24].mean() / 7, rel=1e-5)


def test_an_overview_goes_on_where_it_was_stopped() -> None:
    slide = Slide()
    overview = Overview(slide)
    job = overview.fill()
    for _ in range(3):
        next(job)
    job.close()
    assert not overview.complete and 0 < slide.read < SIDE**2 / 10
    drain(overview.fill())
    assert overview.complete and slide.read == SIDE**2
    # Each pixel of it is the mean of 16 x 16 pixels; their mean place is 7.5 further.
    assert abs(int(overview.levels[1][500, 300]) - (800 * 16 + 15) // 64) <= 1


def test_contrast_of_a_large_field_is_measured_on_a_small_part_of_it() -> None:
    slide = Slide((Slide(step=16),))
    pixels = drain(field_job(cells_of(slide), 0))
    assert slide.read < SIDE**2 / 500
    low, high = pixels.limits[0]
    # Squares in the middle and in each quarter: from a quarter to three quarters of both axes.
    assert SIDE // 2 // 64 - 8 <= low < high <= 3 * SIDE // 2 // 64 + 8


def test_a_large_field_is_a_layer_of_levels_and_its_channels_are_read_at_full_resolution() -> None:
    viewer = ViewerModel()
    cells = cells_of(Slide((Slide(step=16),)), Slide((Slide(step=16),)))
    shown = show_field(viewer, cells, drain(field_job(cells, 0)))
    layer = shown.images["A"]
    assert layer.multiscale and len(layer.data) == 2
    assert full_resolution(layer).shape == (SIDE, SIDE)
    plane = plane_of(layer, viewer.dims.point)
    assert plane.shape == (SIDE, SIDE)
    assert int(plane[6400:6401, 6400:6401][0, 0]) == 200


def test_a_small_field_takes_the_place_of_a_large_one() -> None:
    viewer = ViewerModel()
    large = cells_of(Slide((Slide(step=16),)))
    show_field(viewer, large, drain(field_job(large, 0)))
    small = cells_of(np.full((4096, 4096), 9, np.uint16))
    shown = show_field(viewer, small, drain(field_job(small, 0)))
    assert not shown.images["A"].multiscale and shown.images["A"].data[7, 7] == 9
    assert [layer.name for layer in viewer.layers].count("A") == 1


def test_an_overview_is_filled_while_the_window_lives(qtbot: QtBot) -> None:
    viewer = ViewerModel()
    cells = cells_of(Slide(), Slide())
    pixels = drain(field_job(cells, 0))
    # One channel is hidden, and so is not read.
    shown = show_field(viewer, cells, pixels)
    shown.images["B"].visible = False
    qtbot.waitUntil(lambda: not is_filling(viewer))
    overviews = [levels.overview for levels in pixels.planes if isinstance(levels, Levels)]
    assert overviews[0] is not None and overviews[0].complete
    assert int(shown.images["A"].data[2][500, 300]) > 0
    shown.images["B"].visible = True
    qtbot.waitUntil(lambda: is_filling(viewer))
    stop_filling(viewer)
    qtbot.waitUntil(lambda: not is_filling(viewer))


def test_pixels_that_cannot_be_read_end_the_filling_of_their_layer_alone(qtbot: QtBot) -> None:
    class Broken(Slide):
        def __getitem__(self, region: Any) -> Any:
            if region[0].start >= 8192 and region[1].start == 0:
                raise DataError("slide.tif: tile 17 cannot be decoded")
            return super().__getitem__(region)

    viewer = ViewerModel()
    cells = cells_of(Broken(), Slide())
    pixels = drain(field_job(cells, 0))
    show_field(viewer, cells, pixels)
    qtbot.waitUntil(lambda: not is_filling(viewer))
    done = [levels.overview.complete for levels in pixels.planes]
    assert done == [False, True]
