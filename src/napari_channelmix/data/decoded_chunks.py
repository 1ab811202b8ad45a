"""Decoded chunks of image files (tiles, strips, pictures): one cache for the whole process."""

from __future__ import annotations

import os
from collections.abc import Hashable
from itertools import count
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.byte_cache import ByteCache
from napari_channelmix.computing import within_cap
from napari_channelmix.data.reused_memory import reused_memory

__all__ = [
    "MOST_BYTES",
    "Chunks",
    "DecodedChunks",
    "KeptChunks",
    "PlaceChunks",
    "by_itself",
    "chunk_cache",
    "decoded_chunks",
]

#: Bytes that decoded chunks take in all, unless less is allowed.
MOST_BYTES = 512 * 2**20

# Chunks that are remembered to have been decoded.
MOST_SEEN = 100_000

# Chunks of at least so many bytes in all share a block of memory when they are kept, which may have
# been used before.
SHARED_FROM = 2**20

#: Chunks of several channels at one row and column of them, by their position along other axes.
PlaceChunks = dict[tuple[int, ...], npt.NDArray[Any]]
Chunks = ByteCache[Hashable, PlaceChunks]


def chunk_cache(limit: int = MOST_BYTES) -> Chunks:
    """A cache of decoded chunks, up to a number of bytes."""
    return ByteCache(limit, _nbytes, within_cap)


def by_itself(chunk: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A chunk without what was decoded with it, which would stay in memory as long as the chunk.

    Examples
    --------
    >>> together = np.zeros((4, 8, 8))
    >>> by_itself(together[0]).base is None, by_itself(together[:3]).base is together
    (True, True)
    """
    whole = chunk
    while isinstance(whole.base, np.ndarray):
        whole = whole.base
    return chunk.copy() if whole.nbytes > 2 * chunk.nbytes else chunk


def _nbytes(chunks: PlaceChunks) -> int:
    return sum(int(chunk.nbytes) for chunk in chunks.values())


class KeptChunks:
    """Chunks at one row and column of them that are to be kept: they come and go together.

    Parameters
    ----------
    most : int
        How many there will be, where that is known.

    Examples
    --------
    >>> kept = KeptChunks(2)
    >>> chunk = kept.keep((0,), np.ones((1024, 1024), np.int64))
    >>> _ = kept.keep((1,), np.ones((1024, 1024), np.int64))
    >>> int(chunk.sum()), list(kept.chunks), kept.chunks[0,].base is kept.chunks[1,].base
    (1048576, [(0,), (1,)], True)
    """

    def __init__(self, most: int) -> None:
        self.chunks: PlaceChunks = {}
        self._most = most
        self._memory: npt.NDArray[Any] | None = None

    def keep(self, lead: tuple[int, ...], chunk: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Keep a chunk; gives that which is kept."""
        if not self.chunks and self._most * chunk.nbytes >= SHARED_FROM:
            self._memory = reused_memory().empty((self._most, *chunk.shape), chunk.dtype)
        memory = self._memory
        if memory is None or memory.shape[1:] != chunk.shape or memory.dtype != chunk.dtype:
            kept = by_itself(chunk)
        else:
            kept = memory[len(self.chunks)]
            kept[...] = chunk
        self.chunks[lead] = kept
        return kept


class DecodedChunks(ByteCache[Hashable, PlaceChunks]):
    """Those of the process. A pass over all cells leaves in it what it decodes a second time."""

    def __init__(self) -> None:
        super().__init__(MOST_BYTES, _nbytes, within_cap)
        self._seen: set[Hashable] = set()
        self._numbers: dict[Hashable, int] = {}
        self._counter = count()

    def number_of(self, picture: Hashable) -> int:
        """A number for what tells a picture: keys of its chunks are then quickly looked up."""
        return self._numbers.setdefault(picture, next(self._counter))

    def worth_keeping(self, key: Hashable, size: int) -> bool:
        """Whether a chunk that a pass needs no more is kept for the next pass.

        It is where it was decoded before, and nothing has to leave for it: a pass over more than
        fits would put out what it needs next, and memory that is kept costs time to fill.
        """
        if key in self._seen:
            return self.nbytes + size <= within_cap(MOST_BYTES)
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(key)
        return False

    def clear(self) -> int:
        """Let go of all of them; gives the bytes they took."""
        self._seen.clear()
        return super().clear()


_decoded = DecodedChunks()


def decoded_chunks() -> DecodedChunks:
    """The cache of this process; its keys begin with what tells the file."""
    return _decoded


def _after_fork() -> None:
    # The lock of the parent's may be held by a thread that the child does not have.
    global _decoded
    _decoded = DecodedChunks()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
