"""Digests of the pixels of crops: by them a crop is known again, and a data set is signed."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["DIGEST_BYTES", "Digests", "pixel_digests"]

Digests = npt.NDArray[np.uint64]

#: Bytes of a digest: that any of a million cells meets one of a million others by chance has a
#: probability of 5e-8.
DIGEST_BYTES = 8


def pixel_digests(crops: npt.NDArray[Any]) -> Digests:
    """A digest (n,) uint64 of the pixels of each crop (n, C, H, W).

    The first 8 bytes of BLAKE2b over the float32 pixels in raw units, channels in order, little
    endian. Our definition.

    Examples
    --------
    >>> import numpy
    >>> crops = numpy.zeros((3, 1, 2, 2), "float32")
    >>> crops[1] = 1
    >>> first, second, third = pixel_digests(crops).tolist()
    >>> first == third, first == second
    (True, False)
    """
    rows = np.ascontiguousarray(crops, dtype="<f4")
    digests = [hashlib.blake2b(row, digest_size=DIGEST_BYTES).digest() for row in rows]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)
