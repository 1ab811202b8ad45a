"""Crops that were read, and their pictures; those not looked at for longest are let go."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from napari_channelmix.byte_cache import ByteCache

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["CachedCrop", "CropCache"]

# Bytes: thousands of cells of two channels and 48 pixels. Garbage collection slows with the number.
MOST = 128 * 2**20


@dataclass(frozen=True, eq=False)
class CachedCrop:
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


class CropCache(ByteCache[int, CachedCrop]):
    """Cells by their positions, up to so many bytes."""

    def __init__(self, most: int = MOST) -> None:
        super().__init__(most, lambda crop: crop.size)
