"""Layouts of the TIFF pictures that were read last: where their pixels lie is looked up once."""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from napari_channelmix.data.tiff_layouts import Layout

__all__ = ["layouts"]

# Each takes some kilobytes; of a slide with many tiles a megabyte.
MOST_LAYOUTS = 256


class _Layouts:
    """Layouts of the pictures read last; threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, Layout] = OrderedDict()

    def get(self, key: Hashable) -> Layout | None:
        """That of a picture, where it is known."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
            return self._values.get(key)

    def put(self, key: Hashable, layout: Layout) -> None:
        """Remember one."""
        with self._lock:
            self._values[key] = layout
            while len(self._values) > MOST_LAYOUTS:
                self._values.popitem(last=False)

    def after_fork(self) -> None:
        """Take a lock that no thread of the parent holds."""
        self._lock = threading.Lock()


layouts = _Layouts()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=layouts.after_fork)
