"""Memory of crops is used again, and never while an array of it is left."""

from __future__ import annotations

import numpy as np

from napari_channelmix.computing import Computing, computing_with
from napari_channelmix.data import Cells
from napari_channelmix.data.reused_memory import ReusedMemory, reused_memory

MIB = 2**20


def test_memory_is_used_again_once_the_last_view_is_gone() -> None:
    memory = ReusedMemory()
    first = memory.empty((2, MIB), np.float32)
    first[...] = 1
    address = first.ctypes.data
    view = first[1][::2].reshape(2, -1)
    del first
    second = memory.empty((2, MIB), np.float32)
    second[...] = 2
    assert second.ctypes.data != address
    assert (view == 1).all()
    del view
    assert memory.empty((MIB, 2), np.uint32).ctypes.data == address


def test_what_waits_is_bounded_and_much_smaller_arrays_do_not_take_it() -> None:
    memory = ReusedMemory(5 * MIB)
    arrays = [memory.empty((4 * MIB,), np.uint8) for _ in range(3)]
    del arrays
    assert memory.nbytes == 4 * MIB
    small = memory.empty((MIB,), np.uint8)
    assert memory.nbytes == 4 * MIB
    del small
    with computing_with(Computing(memory=1 / 1024)):
        large = memory.empty((4 * MIB,), np.uint8)
        del large
    assert memory.nbytes == MIB


def test_batches_that_are_kept_stay_as_they_were() -> None:
    pixels = np.random.default_rng(0).integers(0, 60000, (2, 300, 300)).astype(np.uint16)
    points = np.random.default_rng(1).integers(40, 260, (400, 2))
    cells = Cells.from_points(list(pixels), ["a", "b"], points, crop=64)
    reused_memory().clear()
    for _ in range(2):
        kept = list(cells.passes(100))
        for positions, crops in kept:
            np.testing.assert_array_equal(crops, cells.read(positions))
        del kept, crops
        assert reused_memory().nbytes > 0
