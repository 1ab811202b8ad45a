"""Files that are open: a bounded number in each process, and whether they changed on disk."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from napari_channelmix.errors import DataError

__all__ = ["MOST_OPEN", "FileStamp", "OpenFiles", "RawFile", "open_files"]

# Systems allow a process 256 open files or more.
MOST_OPEN = 64

Handle = TypeVar("Handle")


@dataclass(frozen=True)
class FileStamp:
    """What tells whether a file is still the one that was opened: its size and time.

    Attributes
    ----------
    path : Path
    size : int
        Bytes.
    modified : int
        Nanoseconds.
    """

    path: Path
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> FileStamp:
        """That of a file now."""
        status = path.stat()
        return cls(path, int(status.st_size), int(status.st_mtime_ns))

    def check(self) -> None:
        """Refuse a file that is not the one that was opened.

        Raises
        ------
        DataError
            Gone, of another size, or of another time.
        """
        try:
            status = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise DataError(
                f"{self.path}: is no longer there; put it back, or open the data set again"
            ) from None
        except OSError as error:
            reason = error.strerror or str(error)
            raise DataError(f"{self.path}: can no longer be read ({reason})") from None
        if status.st_size != self.size or status.st_mtime_ns != self.modified:
            raise DataError(f"{self.path}: changed while it was read; open the data set again")


class OpenFiles:
    """Open files by key, those used last; threads may share it.

    Parameters
    ----------
    most : int
        How many stay open. One that is being read is never closed.
    """

    def __init__(self, most: int = MOST_OPEN) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._handles: OrderedDict[Hashable, _Entry] = OrderedDict()

    def __len__(self) -> int:
        return len(self._handles)

    @contextmanager
    def using(
        self, key: Hashable, open_it: Callable[[], Handle], close: Callable[[Handle], object]
    ) -> Iterator[Handle]:
        """A handle that is open, or opened now, and stays so while it is used."""
        with self._lock:
            entry = self._handles.get(key)
            if entry is not None:
                entry.users += 1
                self._handles.move_to_end(key)
        if entry is None:
            entry = self._entered(key, _Entry(open_it(), close))
        try:
            yield entry.handle
        finally:
            with self._lock:
                entry.users -= 1
            self._close_some()

    @contextmanager
    def using_open(self, key: Hashable) -> Iterator[Any]:
        """A handle where it is open, else None."""
        with self._lock:
            entry = self._handles.get(key)
            if entry is not None:
                entry.users += 1
        try:
            yield None if entry is None else entry.handle
        finally:
            if entry is not None:
                with self._lock:
                    entry.users -= 1

    def _entered(self, key: Hashable, entry: _Entry) -> _Entry:
        with self._lock:
            other = self._handles.get(key)
            if other is None:
                self._handles[key] = entry
                return entry
            # Another thread opened it meanwhile.
            other.users += 1
        entry.close(entry.handle)
        return other

    def _close_some(self, most: int | None = None) -> None:
        limit = self._most if most is None else most
        closed = []
        with self._lock:
            surplus = len(self._handles) - limit
            if surplus > 0:
                idle = [key for key, entry in self._handles.items() if not entry.users]
                closed = [self._handles.pop(key) for key in idle[:surplus]]
        for entry in closed:
            entry.close(entry.handle)

    def close_all(self) -> None:
        """Close what nobody reads."""
        self._close_some(0)


class _Entry:
    """A handle, how it is closed, and how many read it."""

    def __init__(self, handle: Any, close: Callable[[Any], object]) -> None:
        self.handle, self.close, self.users = handle, close, 1


_open = OpenFiles()


def open_files() -> OpenFiles:
    """Those of this process."""
    return _open


def _after_fork() -> None:
    # Handles of the parent share their position with it, and its locks may be held for ever.
    global _open
    _open = OpenFiles()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class RawFile:
    """A file open for reading bytes at any place; threads may share it."""

    def __init__(self, path: Path) -> None:
        self._number = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._lock = threading.Lock()

    def read(self, offset: int, count: int) -> bytes:
        """Bytes of a part of it; fewer where the file ends."""
        if hasattr(os, "pread"):
            return os.pread(self._number, count, offset)
        with self._lock:
            os.lseek(self._number, offset, os.SEEK_SET)
            return os.read(self._number, count)

    def close(self) -> None:
        """Close it."""
        os.close(self._number)
