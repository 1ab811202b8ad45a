"""Explanations that were made before: a second click on a cell is answered at once."""

from __future__ import annotations

from collections.abc import Hashable

from napari_channelmix.byte_cache import ByteCache
from napari_channelmix.viewer.session.explanation import Explanation

__all__ = ["ExplanationCache"]


class ExplanationCache(ByteCache[Hashable, Explanation]):
    """Finished explanations by cell and question; those not asked for longest make room.

    They hold for one classifier and one set of cells: whoever changes those calls `clear`.
    """

    def __init__(self, limit: int = 64 * 2**20) -> None:
        super().__init__(limit, lambda explanation: explanation.nbytes)
