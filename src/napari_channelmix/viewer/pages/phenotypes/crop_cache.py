"""Crops that were read, and their pictures; those not looked at for longest are let go."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["CropCache", "Kept"]

# Bytes: thousands of cells of two channels and 48 pixels. Garbage collection slows with the number.
MOST = 128 * 2**20


@dataclass(frozen=True, eq=False)
class Kept:
    """A cell's pixels (C, H, W), its picture, and how its channels were drawn.

    ``picture`` is None where the pixels cannot be read; ``failed`` says why.
    """

    pixels: npt.NDArray[np.float32] | None
    picture: Any
    looks: Any
    failed: str = ""

    @property
    def size(self) -> int:
        """Bytes."""
        pixels = 0 if self.pixels is None else self.pixels.nbytes
        return pixels + (0 if self.picture is None else self.picture.sizeInBytes())


class CropCache:
    """Cells by their positions; used on the main thread only."""

    def __init__(self, most: int = MOST) -> None:
        self.most = most
        self.size = 0
        self._kept: OrderedDict[int, Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def __contains__(self, cell: int) -> bool:
        return cell in self._kept

    def get(self, cell: int) -> Kept | None:
        """What is kept of a cell; it counts as looked at."""
        found = self._kept.get(cell)
        if found is not None:
            self._kept.move_to_end(cell)
        return found

    def put(self, cell: int, kept: Kept) -> None:
        """Keep a cell."""
        before = self._kept.pop(cell, None)
        self.size += kept.size - (0 if before is None else before.size)
        self._kept[cell] = kept
        while self.size > self.most and len(self._kept) > 1:
            self.size -= self._kept.popitem(last=False)[1].size

    def clear(self) -> None:
        """Let go of everything: other cells are shown."""
        self._kept.clear()
        self.size = 0
