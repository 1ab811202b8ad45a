"""Cells can be handed to another process: nothing in them is open."""

from __future__ import annotations

import multiprocessing
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import pytest
import tifffile
import zarr
from PIL import Image

from napari_channelmix.data import Cells
from napari_channelmix.data.array_planes import ArrayPlane
from napari_channelmix.data.image_formats import open_image

PIXELS = np.random.default_rng(0).integers(0, 255, (2, 40, 48)).astype(np.uint8)
POINTS = [(20, 20), (10, 30), (2, 3)]


def tiled(folder: Path) -> Any:
    about = {"axes": "CYX"}
    tifffile.imwrite(folder / "a.tif", PIXELS, tile=(16, 16), compression="zlib", metadata=about)
    return open_image(folder / "a.tif").planes(None)


def mapped(folder: Path) -> Any:
    tifffile.imwrite(folder / "a.tif", PIXELS, photometric="minisblack", metadata={"axes": "CYX"})
    return open_image(folder / "a.tif").planes(None)


def pictures(folder: Path) -> Any:
    planes: list[Any] = []
    for name, pixels in zip("ab", PIXELS, strict=True):
        Image.fromarray(pixels).save(folder / f"{name}.png")
        planes += open_image(folder / f"{name}.png").planes(None)
    return planes


def ome_zarr(folder: Path) -> Any:
    group = zarr.open_group(folder / "a.zarr", mode="w", zarr_format=2)
    group.create_array("0", data=PIXELS, chunks=(1, 16, 16))
    axes = [{"name": name} for name in "cyx"]
    group.attrs["multiscales"] = [{"axes": axes, "datasets": [{"path": "0"}]}]
    return open_image(folder / "a.zarr").planes(None)


def lazy(folder: Path) -> Any:
    stack = da.from_array(PIXELS, chunks=(1, 16, 16))
    return [ArrayPlane(stack, (channel, None, None)) for channel in range(2)]


@pytest.mark.parametrize("planes", [tiled, mapped, pictures, ome_zarr, lazy])
def test_cells_come_back_from_a_pickle_and_read_the_same(
    tmp_path: Path, planes: Callable[[Path], Any]
) -> None:
    cells = Cells.from_points(planes(tmp_path), ["a", "b"], POINTS, crop=16)
    before = cells.read()
    np.testing.assert_array_equal(before[0], PIXELS[:, 12:28, 12:28])
    again = pickle.loads(pickle.dumps(cells))
    np.testing.assert_array_equal(again.read(), before)


def _sent(connection: Any, cells: Cells) -> None:
    connection.send(cells.read().tobytes())


def test_a_forked_process_reads_files_that_are_open_here(tmp_path: Path) -> None:
    cells = Cells.from_points(tiled(tmp_path), ["a", "b"], POINTS, crop=16)
    before: npt.NDArray[Any] = cells.read([0])
    here, there = multiprocessing.get_context("fork").Pipe()
    worker = multiprocessing.get_context("fork").Process(target=_sent, args=(there, cells))
    worker.start()
    assert here.poll(60)
    assert here.recv() == cells.read().tobytes()
    worker.join(60)
    np.testing.assert_array_equal(cells.read([0]), before)
