"""Explanations that were made before: a second click on a cell is answered at once."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from napari_channelmix.viewer.session.explanation import Explanation

__all__ = ["ExplanationCache"]


class ExplanationCache:
    """Finished explanations by cell and question; those not asked for longest make room.

    They hold for one classifier and one set of cells: whoever changes those calls `clear`.
    """

    def __init__(self, limit: int = 64 * 2**20) -> None:
        self._limit = limit
        self._kept: OrderedDict[Hashable, Explanation] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def nbytes(self) -> int:
        """Memory of all, about."""
        return sum(one.nbytes for one in self._kept.values())

    def get(self, key: Hashable) -> Explanation | None:
        """What is known of a cell and question."""
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
        return found

    def put(self, key: Hashable, found: Explanation) -> None:
        """Keep an explanation whose map is finished."""
        self._kept[key] = found
        self._kept.move_to_end(key)
        while len(self._kept) > 1 and self.nbytes > self._limit:
            self._kept.popitem(last=False)

    def resize(self, limit: int) -> None:
        """Keep no more than ``limit`` bytes; the answer asked for last stays in any case."""
        self._limit = limit
        while len(self._kept) > 1 and self.nbytes > limit:
            self._kept.popitem(last=False)

    def clear(self) -> None:
        """Forget all."""
        self._kept.clear()
