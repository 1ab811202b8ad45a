"""Files that are mapped into memory, and the memory that what was read of them takes."""

from __future__ import annotations

import mmap
import os
import threading
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path

from napari_channelmix.data.open_files import FileStamp, open_files

__all__ = ["MappedMemory", "mapped_memory", "mapping"]

# Bytes that stay mapped in all: those that were read last. To map them again takes longer than to
# copy pixels out of them.
MOST_MAPPED = 64 * 2**20


def mapping(file: FileStamp) -> AbstractContextManager[mmap.mmap]:
    """A file as memory, while it is used."""
    return open_files().using(("mapped", file), lambda: _map(file.path), _unmap)


def _map(path: Path) -> mmap.mmap:
    with path.open("rb") as file:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _unmap(mapped: mmap.mmap) -> None:
    # An array of it may still be in use; it is unmapped with the last one.
    with suppress(BufferError):
        mapped.close()


class MappedMemory:
    """About how many bytes of which files are mapped; threads may share it.

    Parameters
    ----------
    most : int
        Where it is more, all of them are given back.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "pixels"
    >>> _ = path.write_bytes(bytes(100))
    >>> memory = MappedMemory(50)
    >>> memory.read([FileStamp.of(path)], 40)
    >>> memory.nbytes
    40
    >>> memory.read([FileStamp.of(path)], 40)
    >>> memory.nbytes
    0
    """

    def __init__(self, most: int = MOST_MAPPED) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._files: OrderedDict[FileStamp, None] = OrderedDict()
        self._nbytes = 0

    @property
    def nbytes(self) -> int:
        """Bytes that were read since memory was last given back."""
        return self._nbytes

    def read(self, files: Sequence[FileStamp], nbytes: int) -> None:
        """Count what was read of files, and give the memory back where it is much."""
        with self._lock:
            self._files.update(dict.fromkeys(files))
            self._nbytes += nbytes
            if self._nbytes <= self._most:
                return
            given_back, self._files, self._nbytes = self._files, OrderedDict(), 0
        # Where the system knows no such thing, it takes the memory back when it needs it.
        if hasattr(mmap, "MADV_DONTNEED"):
            for file in given_back:
                # Of one that was closed meanwhile nothing is mapped.
                with open_files().using_open(("mapped", file)) as mapped:
                    if mapped is not None:
                        mapped.madvise(mmap.MADV_DONTNEED)

    def after_fork(self) -> None:
        """Take a lock that no thread of the parent holds."""
        self._lock = threading.Lock()


mapped_memory = MappedMemory()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=mapped_memory.after_fork)
