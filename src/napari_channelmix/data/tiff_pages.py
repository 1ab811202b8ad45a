"""Pages of a TIFF, checked by our own count: the chain of pages, and the segments of each."""

from __future__ import annotations

import struct
from math import ceil, prod
from pathlib import Path
from typing import Any

import numpy as np

from napari_channelmix.data.file_limits import refuse_claim
from napari_channelmix.errors import DataError

__all__ = ["chain_length", "check_page"]


def chain_length(path: Path) -> int:
    """Number of pages that the chain of a TIFF names, also those that lie beyond its end.

    Raises
    ------
    DataError
        A chain that comes back to a page it has named before.
    """
    with path.open("rb") as file:
        head = file.read(16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        if order is None or len(head) < 8:
            return 0
        big = struct.unpack(f"{order}H", head[2:4])[0] == 43
        offset_format, count_format, entry = ("Q", "Q", 20) if big else ("I", "H", 12)
        start = 8 if big else 4
        width, count_width = struct.calcsize(offset_format), struct.calcsize(count_format)
        place = head[start : start + width]
        seen: set[int] = set()
        while len(place) == width and (offset := struct.unpack(order + offset_format, place)[0]):
            if offset in seen:
                raise DataError(f"{path}: cannot be read, its chain of pages is a circle")
            seen.add(offset)
            file.seek(min(offset, 2**62))
            counted = file.read(count_width)
            if len(counted) < count_width:
                break
            entries = struct.unpack(order + count_format, counted)[0]
            file.seek(min(offset + count_width + entries * entry, 2**62))
            place = file.read(width)
        return len(seen)


def check_page(path: Path, page: Any, size: int) -> tuple[int, int]:
    """Refuse a page whose pixels are not all in the file.

    Parameters
    ----------
    page : tifffile.TiffPage or TiffFrame
    size : int
        Bytes of the file.

    Returns
    -------
    empty, expected : int
        Strips or tiles that were left out on purpose (of no length; read as 0), and all.

    Raises
    ------
    DataError
        Unknown samples, segments that are missing or lie beyond the end, or a claim that the
        file cannot hold.
    """
    key = page.keyframe
    if page.dtype is None or not prod(page.shape):
        raise DataError(
            f"{path}: has no pixels that can be read ({tuple(page.shape)} of "
            f"{key.bitspersample} bits)"
        )
    dtype = np.dtype(page.dtype)
    refuse_claim(path, prod(key.chunks) * dtype.itemsize, size, "pixels in one tile")
    needed = prod(key.shape) * dtype.itemsize
    refuse_claim(path, needed, size)
    offsets, counts = page.dataoffsets, page.databytecounts
    expected = _segments(key)
    if int(key.compression) in (6, 7) and key.jpegheader is not None:
        return 0, expected  # NDPI: segments of its own kind
    plain = int(key.compression) == 1 and key.bitspersample % 8 == 0
    if plain and key.is_contiguous and offsets and offsets[0]:
        # Read in one go; the listed lengths do not count, and some writers get them wrong.
        if offsets[0] + needed > size:
            raise _cut(path, f"{needed:,} bytes of pixels from byte {offsets[0]:,} of {size:,}")
        return 0, expected
    listed = min(len(offsets), len(counts))
    if listed < expected:
        raise _cut(path, f"{listed} of {expected} strips or tiles are listed")
    pairs = list(zip(offsets[:expected], counts[:expected], strict=True))
    beyond = sum(start + count > size for start, count in pairs)
    if beyond:
        raise _cut(path, f"{beyond} of {expected} strips or tiles lie beyond its end")
    empty = sum(not start or not count for start, count in pairs)
    if empty == expected:
        raise DataError(f"{path}: none of its {expected} strips or tiles hold data")
    if plain and not empty and sum(count for _, count in pairs) < needed:
        stored = sum(count for _, count in pairs)
        raise _cut(path, f"its strips or tiles hold {stored:,} bytes, {needed:,} are needed")
    return empty, expected


def _cut(path: Path, detail: str) -> DataError:
    return DataError(f"{path}: cannot be read, is it truncated? ({detail})")


def _segments(page: Any) -> int:
    """Number of strips or tiles of a page, by its sizes."""
    if page.is_tiled:
        number = ceil(page.imagelength / page.tilelength) * ceil(page.imagewidth / page.tilewidth)
        number *= ceil(page.imagedepth / max(page.tiledepth, 1))
    else:
        rows = page.rowsperstrip or page.imagelength
        number = ceil(page.imagelength / max(min(rows, page.imagelength), 1)) * page.imagedepth
    separate = int(page.planarconfig or 1) == 2 and page.samplesperpixel > 1
    return int(number * (page.samplesperpixel if separate else 1))
