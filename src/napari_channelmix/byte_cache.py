"""A cache of so many bytes: what was asked for least recently makes room."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

__all__ = ["ByteCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class ByteCache(Generic[K, V]):
    """Values by key, up to a number of bytes; threads may share it.

    The value that was put or asked for last stays in any case, however large it is.

    Parameters
    ----------
    limit : int
        Bytes.
    size_of : callable
        Bytes of a value, measured once, when it is put.
    room : callable, optional
        What is left of ``limit`` where all of the process is capped; see `computing.within_cap`.
    """

    def __init__(
        self, limit: int, size_of: Callable[[V], int], room: Callable[[int], int] | None = None
    ) -> None:
        self._limit, self._size_of, self._room = limit, size_of, room
        self._values: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._nbytes = 0
        self._lock = threading.RLock()

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: K) -> bool:
        return key in self._values

    @property
    def nbytes(self) -> int:
        """Bytes of all values, about."""
        return self._nbytes

    def get(self, key: K) -> V | None:
        """The value of a key, which now counts as asked for; None where there is none."""
        with self._lock:
            entry = self._values.get(key)
            if entry is None:
                return None
            self._values.move_to_end(key)
            return entry[0]

    def put(self, key: K, value: V) -> None:
        """Keep a value."""
        size = self._size_of(value)
        with self._lock:
            before = self._values.pop(key, None)
            self._nbytes += size - (0 if before is None else before[1])
            self._values[key] = value, size
            self._make_room()

    def resize(self, limit: int) -> None:
        """Keep no more than ``limit`` bytes from now on."""
        with self._lock:
            self._limit = limit
            self._make_room()

    def clear(self) -> int:
        """Let go of all of them; gives the bytes they took."""
        with self._lock:
            freed, self._nbytes = self._nbytes, 0
            self._values.clear()
        return freed

    def _make_room(self) -> None:
        limit = self._limit if self._room is None else self._room(self._limit)
        while self._nbytes > limit and len(self._values) > 1:
            _, (_, size) = self._values.popitem(last=False)
            self._nbytes -= size
