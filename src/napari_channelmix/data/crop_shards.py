"""Shards of crops: files of a sharded zarr array (version 3), written and read crop by crop.

Zarr's own reader takes milliseconds for a crop out of the middle of a shard, the decoding less than
a tenth of one. So the bytes are fetched here; the files stay what any reader of zarr opens: the
codec ``sharding_indexed`` of the zarr specification, with its index at the end, and within it
Blosc and CRC-32C.
"""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

__all__ = ["ShardFormat", "ShardIndex", "ShardWriter", "chunks_of", "damaged", "read_index"]

# What the index says of a chunk that is not there: all its values are the fill value, 0.
NONE = 2**64 - 1
# Bytes of a checksum.
CHECK = 4
# Bytes of a chunk that holds several crops, and the most crops there are in one.
CHUNK_BYTES, CHUNK_CROPS = 32 * 2**10, 8
# Bytes of a shard before it is compressed, and the most crops there are in one.
SHARD_BYTES, SHARD_CROPS = 64 * 2**20, 1024

ShardIndex = npt.NDArray[np.uint64]


def _checksum(content: bytes) -> bytes:
    """CRC-32C, little endian, by the library that this version of zarr brings."""
    try:
        from google_crc32c import value
    except ImportError:
        from crc32c import crc32c as value  # type: ignore[import-not-found,no-redef]
    return int(value(content)).to_bytes(CHECK, "little")


def _codec() -> Any:
    from numcodecs import Blosc  # type: ignore[import-untyped]

    # Bytes of one weight together: whole numbers of 12 bits then take a third less room.
    return Blosc(cname="zstd", clevel=1, shuffle=Blosc.SHUFFLE)


@dataclass(frozen=True)
class ShardFormat:
    """How crops are laid out in shards.

    Attributes
    ----------
    shape : (C, H, W) tuple of int
    dtype : numpy.dtype
    in_chunk, in_shard : int
        Crops that are compressed together, and crops of a file.
    """

    shape: tuple[int, int, int]
    dtype: np.dtype[Any]
    in_chunk: int
    in_shard: int

    @classmethod
    def fitting(cls, shape: tuple[int, int, int], dtype: npt.DTypeLike) -> ShardFormat:
        """One or a few crops in a chunk, up to 1,024 crops or 64 MiB in a shard.

        Examples
        --------
        >>> ShardFormat.fitting((5, 64, 64), "uint16").in_shard
        1024
        >>> large = ShardFormat.fitting((40, 256, 256), "uint16")
        >>> large.in_chunk, large.in_shard
        (1, 12)
        """
        kind = np.dtype(dtype)
        nbytes = int(np.prod(shape)) * kind.itemsize
        in_chunk = max(1, min(CHUNK_CROPS, CHUNK_BYTES // nbytes))
        in_shard = max(1, min(SHARD_CROPS, SHARD_BYTES // nbytes))
        return cls(shape, kind, in_chunk, max(in_chunk, in_shard // in_chunk * in_chunk))

    @property
    def chunk(self) -> tuple[int, ...]:
        """Shape of a chunk."""
        return self.in_chunk, *self.shape

    @property
    def chunks(self) -> int:
        """Chunks in a shard."""
        return self.in_shard // self.in_chunk

    def decoded(self, content: bytes, path: Path, chunk: int) -> npt.NDArray[Any]:
        """Crops of a chunk of the shard at ``path``, from its bytes.

        Raises
        ------
        DataError
            Bytes that are damaged.
        """
        if len(content) <= CHECK or _checksum(content[:-CHECK]) != content[-CHECK:]:
            raise DataError(damaged(path, f"chunk {chunk}: a checksum does not fit"))
        nbytes = int(np.prod(self.chunk)) * self.dtype.itemsize
        # Before memory is asked for: the header of Blosc says how many bytes there will be.
        if int.from_bytes(content[4:8], "little") != nbytes:
            raise DataError(damaged(path, f"chunk {chunk}: it is of another size"))
        pixels = np.empty(self.chunk, self.dtype.newbyteorder("<"))
        try:
            _codec().decode(content[:-CHECK], pixels)
        # Blosc raises RuntimeError.
        except (ValueError, RuntimeError) as error:
            raise DataError(damaged(path, f"chunk {chunk}: {error}")) from error
        return pixels


class ShardWriter:
    """One shard, written chunk by chunk; it is there as a whole, or not at all.

    Use it as a context: a shard that was not finished leaves no file.
    """

    def __init__(self, path: Path, form: ShardFormat) -> None:
        self._path, self._form = path, form
        self._neighbour = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}.part")
        self._index = np.full((form.chunks, 2), NONE, dtype="<u8")
        self._place, self._chunk = 0, 0
        self._codec = _codec()
        self._left = np.empty((0, *form.shape), form.dtype.newbyteorder("<"))

    def __enter__(self) -> ShardWriter:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._neighbour.open("wb")
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        with contextlib.suppress(OSError):
            self._neighbour.unlink(missing_ok=True)

    def add(self, crops: npt.NDArray[Any]) -> None:
        """The next crops (n, C, H, W), in the dtype of the shard.

        Raises
        ------
        OSError
            Disk full and the like.
        """
        step = self._form.in_chunk
        pixels = np.concatenate([self._left, crops]) if len(self._left) else crops
        whole = len(pixels) // step * step
        for start in range(0, whole, step):
            self._put(pixels[start : start + step])
        self._left = np.array(pixels[whole:], self._left.dtype)

    def _put(self, crops: npt.NDArray[Any]) -> None:
        content = self._codec.encode(np.ascontiguousarray(crops, self._left.dtype))
        content += _checksum(content)
        self._file.write(content)
        self._index[self._chunk] = self._place, len(content)
        self._place, self._chunk = self._place + len(content), self._chunk + 1

    def finish(self) -> None:
        """Write what is left and the index; the file then has its name.

        Raises
        ------
        OSError
            Disk full and the like.
        """
        if len(self._left):
            # Chunks at the end of an array are as large as the others.
            filled = np.zeros(self._form.chunk, self._left.dtype)
            filled[: len(self._left)] = self._left
            self._put(filled)
        index = self._index.tobytes()
        self._file.write(index + _checksum(index))
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._neighbour.replace(self._path)


def read_index(file: int, form: ShardFormat, path: Path) -> ShardIndex:
    """Places and lengths (chunks, 2) of the chunks of a shard that is open, as a descriptor.

    Raises
    ------
    DataError
        A shard that is damaged.
    """
    length = 16 * form.chunks + CHECK
    size = os.fstat(file).st_size
    content = _bytes(file, size - length, length) if size >= length else b""
    if len(content) != length or _checksum(content[:-CHECK]) != content[-CHECK:]:
        raise DataError(damaged(path, "its index cannot be read"))
    index: ShardIndex = np.frombuffer(content[:-CHECK], "<u8").reshape(-1, 2).astype(np.uint64)
    held = index[index[:, 0] != NONE]
    # Apart first: a sum of any two of these numbers may begin at 0 again.
    if (held > size).any() or (held.sum(axis=1) > size - length).any():
        raise DataError(damaged(path, "its index points beyond its end"))
    return index


def chunks_of(
    file: int, form: ShardFormat, index: ShardIndex, chunks: npt.NDArray[np.int64], path: Path
) -> Iterator[npt.NDArray[Any]]:
    """Crops (in_chunk, C, H, W) of these chunks of a shard that is open, one after the other.

    Raises
    ------
    DataError
        A chunk that is damaged.
    """
    for chunk in chunks.tolist():
        place, length = (int(value) for value in index[chunk])
        if place == NONE:
            yield np.zeros(form.chunk, form.dtype)
            continue
        yield form.decoded(_bytes(file, place, length), path, chunk)


def damaged(path: Path, why: str) -> str:
    """What is said of a shard that cannot be read."""
    return (
        f"{path}: damaged ({why}); write the crop store again (--rebuild-store, or "
        "store(path, rebuild=True))"
    )


def _bytes(file: int, place: int, length: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(file, length, place)
    os.lseek(file, place, os.SEEK_SET)
    return os.read(file, length)
