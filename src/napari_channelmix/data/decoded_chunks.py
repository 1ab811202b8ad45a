"""Decoded chunks of image files (tiles, strips, pictures): one cache for the whole process."""

from __future__ import annotations

import os
from collections.abc import Hashable
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.byte_cache import ByteCache
from napari_channelmix.computing import within_cap

__all__ = ["MOST_BYTES", "Chunks", "chunk_cache", "decoded_chunks"]

#: Bytes that decoded chunks take in all, unless less is allowed.
MOST_BYTES = 512 * 2**20

Chunks = ByteCache[Hashable, npt.NDArray[Any]]


def chunk_cache(limit: int = MOST_BYTES) -> Chunks:
    """A cache of decoded chunks, up to a number of bytes."""
    return ByteCache(limit, _nbytes, within_cap)


def _nbytes(pixels: npt.NDArray[Any]) -> int:
    return int(np.asarray(pixels).nbytes)


_decoded = chunk_cache()


def decoded_chunks() -> Chunks:
    """That of this process; its keys begin with what tells the file."""
    return _decoded


def _after_fork() -> None:
    # The lock of the parent's may be held by a thread that the child does not have.
    global _decoded
    _decoded = chunk_cache()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
