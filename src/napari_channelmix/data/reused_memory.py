"""Large blocks of memory that are used again once no array of them is left.

A system clears memory before it gives it: for crops and decoded chunks that takes about as long as
to fill them with pixels.
"""

from __future__ import annotations

import weakref
from collections import deque
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.computing import within_cap

__all__ = ["ReusedMemory", "reused_memory"]

# Bytes of blocks that wait for the next array, and the smallest block.
MOST_IDLE, SMALLEST = 128 * 2**20, 2**20


class ReusedMemory:
    """Blocks of memory that wait to be used again; threads may share it.

    Parameters
    ----------
    most : int
        Bytes of the blocks that wait, unless less is allowed; see `computing.within_cap`.

    Examples
    --------
    >>> memory = ReusedMemory()
    >>> array = memory.empty((2, 1024, 1024), np.float32)
    >>> array.shape, memory.nbytes
    ((2, 1024, 1024), 0)
    >>> part = array[0]
    >>> del array
    >>> memory.nbytes
    0
    >>> del part
    >>> memory.clear()
    8388608
    """

    def __init__(self, most: int = MOST_IDLE) -> None:
        self._most = most
        self._idle: deque[npt.NDArray[np.uint8]] = deque()

    @property
    def nbytes(self) -> int:
        """Bytes of the blocks that wait."""
        return sum(block.nbytes for block in tuple(self._idle))

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An array of any content, as `numpy.empty`.

        Its memory is used again when it and all views of it are gone.
        """
        kind = np.dtype(dtype)
        nbytes = prod(shape) * kind.itemsize
        if nbytes < SMALLEST:
            return np.empty(shape, kind)
        block = self._taken(nbytes)
        # An array of a buffer is what its views refer to, not the block.
        array = np.frombuffer(memoryview(block)[:nbytes], kind)  # type: ignore[arg-type]
        weakref.finalize(array, self._give_back, block).atexit = False
        return array.reshape(shape)

    def _taken(self, nbytes: int) -> npt.NDArray[np.uint8]:
        """A block that waits, of up to twice the size, or a new one."""
        for _ in range(len(self._idle)):
            try:
                block = self._idle.popleft()
            except IndexError:
                # Another thread took it.
                break
            if nbytes <= block.nbytes <= 2 * nbytes:
                return block
            self._idle.append(block)
        return np.empty(nbytes, np.uint8)

    def _give_back(self, block: npt.NDArray[np.uint8]) -> None:
        # It may be called in the midst of anything: no lock is taken.
        if self.nbytes + block.nbytes <= within_cap(self._most):
            self._idle.append(block)

    def clear(self) -> int:
        """Let go of the blocks that wait; gives the bytes they took."""
        freed = self.nbytes
        self._idle.clear()
        return freed


_reused = ReusedMemory()


def reused_memory() -> ReusedMemory:
    """That of this process."""
    return _reused
