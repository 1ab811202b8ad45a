"""Crops that are kept in a folder: which cells they are of, and their pixels, in any order.

A crop is known by what its pixels depend on: its field of view, its box and, where neighbours are
hidden, its object. So a subset of the cells, with other classes or fewer channels, reads from the
same store, and a cell that is not in it is read from its image.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.byte_cache import ByteCache
from napari_channelmix.data.crop_shards import (
    ShardFormat,
    ShardIndex,
    chunks_of,
    damaged,
    read_index,
)
from napari_channelmix.data.neighbours import KEEP, Neighbours, background_level
from napari_channelmix.errors import DataError
from napari_channelmix.stored_files import MIB, Stored, parsed_json, read_text, validated
from napari_channelmix.wording import shown_error

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.fields import Field

__all__ = [
    "ARRAY",
    "CELLS",
    "CropKeys",
    "StoredCrops",
    "key_hashes",
    "keys_of",
    "shard_path",
    "stated",
    "stored_keys",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

#: The array of crops in the folder, and the table of which cell each is of.
ARRAY, CELLS = "crops.zarr", "cells.npy"
#: Columns of that table.
KEY = ("field", "y0", "x0", "y1", "x1", "object")
# Bytes of keys and of indices of shards that a process keeps at hand.
KEPT_KEYS, KEPT_INDICES = 256 * MIB, 32 * MIB


def shard_path(folder: Path, shard: int) -> Path:
    """The file of a shard, as zarr names it."""
    return folder / ARRAY / "c" / str(shard) / "0" / "0" / "0"


def keys_of(table: pd.DataFrame, neighbours: Neighbours) -> IntArray:
    """What the pixels of each crop depend on, (N, 6): field, box, and the id of its object.

    The id is 0 where it changes nothing: neighbours are kept.
    """
    keys = table[list(KEY)].to_numpy(np.int64, copy=True)
    if neighbours == KEEP:
        keys[:, -1] = 0
    return keys


def key_hashes(keys: IntArray) -> npt.NDArray[np.uint64]:
    """A number for each row of keys (N, 6): alike for equal rows, and hardly ever for others.

    Examples
    --------
    >>> hashes = key_hashes(np.array([[0, 1, 2, 3, 4, 0], [0, 1, 2, 3, 5, 0], [0, 1, 2, 3, 4, 0]]))
    >>> bool(hashes[0] == hashes[2]), bool(hashes[0] == hashes[1])
    (True, False)
    """
    hashes = np.zeros(len(keys), dtype=np.uint64)
    for column in np.asarray(keys, np.int64).T:
        # The steps of splitmix64 (Steele et al. 2014), one for each column.
        hashes = (hashes ^ np.ascontiguousarray(column).view(np.uint64)) + np.uint64(
            0x9E3779B97F4A7C15
        )
        hashes = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        hashes = (hashes ^ (hashes >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        hashes ^= hashes >> np.uint64(31)
    return hashes


class CropKeys:
    """Which row of a store holds the crop of a cell; see ``KEY``."""

    def __init__(self, keys: IntArray) -> None:
        self._keys = keys
        hashes = key_hashes(keys)
        self._order = np.argsort(hashes, kind="stable")
        self._sorted = hashes[self._order]

    def __len__(self) -> int:
        return len(self._keys)

    @property
    def nbytes(self) -> int:
        """Bytes it takes."""
        return self._keys.nbytes + self._order.nbytes + self._sorted.nbytes

    def rows(self, keys: IntArray) -> IntArray:
        """Row of each of these keys (n, 6), as (n,); -1 for those that are not there."""
        if not len(self) or not len(keys):
            return np.full(len(keys), -1, dtype=np.int64)
        place = np.searchsorted(self._sorted, key_hashes(keys))
        rows = self._order[np.minimum(place, len(self) - 1)]
        # Two keys of one hash: the second counts as not there, and is read from its image.
        return np.where((self._keys[rows] == keys).all(axis=1), rows, -1)


@dataclass(frozen=True)
class _Opened:
    """A store as this process knows it."""

    run: str
    form: ShardFormat
    keys: CropKeys


# Of this process, by folder; and by shard and what its file is.
_OPENED: ByteCache[Path, _Opened] = ByteCache(KEPT_KEYS, lambda opened: opened.keys.nbytes)
_INDICES: ByteCache[tuple[str, int, int, int], ShardIndex] = ByteCache(
    KEPT_INDICES, lambda index: index.nbytes
)


@dataclass(frozen=True, eq=False)
class StoredCrops:
    """Crops of a data set in a folder; it holds no open file, and can be handed to other processes.

    Attributes
    ----------
    path : Path
    run : str
        Id of the run that wrote the store: another one is refused.
    fields : tuple of Field
        Those that the keys count.
    planes : tuple of int
        The channels of the crops, as positions among the planes of the fields.
    crop : int
    neighbours : str
        As of `CellBoxes`.
    """

    path: Path
    run: str
    fields: tuple[Field, ...] = field(repr=False)
    planes: tuple[int, ...]
    crop: int
    neighbours: Neighbours

    def holds(
        self,
        fields: tuple[Field, ...],
        planes: tuple[int, ...],
        crop: int,
        neighbours: Neighbours,
    ) -> bool:
        """Whether crops of these fields and channels, prepared like this, are in it."""
        return (
            # By identity: fields hold arrays, which compare element by element.
            fields is self.fields
            and set(planes) <= set(self.planes)
            and (crop, neighbours) == (self.crop, self.neighbours)
        )

    def rows(self, keys: IntArray) -> IntArray:
        """Row of each of these cells (n, 6), as (n,); -1 for those that are not in the store."""
        return self._opened().keys.rows(keys)

    def read(self, rows: IntArray, planes: tuple[int, ...], boxes: IntArray) -> FloatArray:
        """Crops (n, C, H, W) of these rows, in raw units of the files.

        Parameters
        ----------
        rows : (n,) int array
            Of the store, in any order.
        planes : tuple of int
            Which channels, as positions among the planes of the fields.
        boxes : (n, 5) int array
            Field and box of each: what lies beyond the border of an image is filled.

        Raises
        ------
        DataError
            A store that is damaged, was deleted, or was written again since.
        """
        opened = self._opened()
        form = opened.form
        missing = sorted(set(planes) - set(self.planes))
        if missing:
            raise DataError(
                f"{self.path}: the crop store has no plane {missing[0]} of its images; "
                "open the data set again"
            )
        channels = [self.planes.index(plane) for plane in planes]
        every = channels == list(range(form.shape[0]))
        crops = np.empty((len(rows), len(planes), *form.shape[1:]), dtype=np.float32)
        order = np.argsort(rows, kind="stable")
        chunks, first = np.unique(rows[order] // form.in_chunk, return_index=True)
        bounds = np.append(first, len(rows))
        for shard in np.unique(chunks // form.chunks).tolist():
            here = np.flatnonzero(chunks // form.chunks == shard)
            path = shard_path(self.path, shard)
            with _file(path) as file:
                index = _index(form, file, path)
                pieces = chunks_of(file, form, index, chunks[here] % form.chunks, path)
                for which, pixels in zip(here.tolist(), pieces, strict=True):
                    for position in order[bounds[which] : bounds[which + 1]].tolist():
                        crop = pixels[rows[position] % form.in_chunk]
                        crops[position] = crop if every else crop[channels]
        self._fill(crops, boxes)
        return crops

    def _fill(self, crops: FloatArray, boxes: IntArray) -> None:
        """Fill what lies beyond the image with background, as `Field.read` does.

        The level is a median, which may lie between two whole numbers; so it is not stored.
        """
        shapes = np.array([image.shape for image in self.fields], np.int64).reshape(-1, 2)
        shape, edges = shapes[boxes[:, 0]], boxes[:, 1:]
        # Boxes of another side are resized, and were stored as they are read.
        own = (edges[:, 2:] - edges[:, :2] == self.crop).all(axis=1)
        beyond = (edges[:, :2] < 0).any(axis=1) | (edges[:, 2:] > shape).any(axis=1)
        for position in np.flatnonzero(own & beyond & (self.neighbours == KEEP)).tolist():
            (y0, x0), (height, width) = edges[position, :2], shape[position]
            rows = slice(max(-y0, 0), min(height - y0, self.crop))
            columns = slice(max(-x0, 0), min(width - x0, self.crop))
            inside = crops[position, :, rows, columns].copy()
            crops[position] = background_level(inside)[:, None, None]
            crops[position, :, rows, columns] = inside

    def _opened(self) -> _Opened:
        opened = _OPENED.get(self.path)
        if opened is None or opened.run != self.run:
            opened = _open(self.path)
            if opened.run != self.run:
                raise DataError(
                    f"{self.path}: the crop store was written again since; open the data set again"
                )
            shape = (len(self.planes), self.crop, self.crop)
            if opened.form.shape != shape:
                raise DataError(damaged(self.path, f"crops of {opened.form.shape}, not {shape}"))
            _OPENED.put(self.path, opened)
        return opened


class _Attributes(Stored):
    run: str
    facts: dict[str, Any]


class _Array(Stored):
    """The ``zarr.json`` of a crop store."""

    attributes: _Attributes


def stated(folder: Path) -> tuple[str, dict[str, Any]]:
    """Run and facts of a store.

    Raises
    ------
    DataError
        A folder that is no crop store.
    """
    path = folder / ARRAY / "zarr.json"
    try:
        content = validated(parsed_json(read_text(path, most=MIB)), _Array, where=str(path))
    except ValueError as error:
        # So is `DataError`.
        raise DataError(
            f"{folder}: is no crop store (no {ARRAY} of this program in it); choose another folder"
        ) from error
    return content.attributes.run, content.attributes.facts


def stored_keys(folder: Path) -> IntArray:
    """The table (N, 6) of which cell each row is of.

    Raises
    ------
    DataError
        A table that is missing or damaged.
    """
    try:
        keys = np.asarray(np.load(folder / CELLS, allow_pickle=False, mmap_mode=None))
    except (OSError, ValueError, EOFError) as error:
        raise DataError(damaged(folder / CELLS, shown_error(error))) from error
    if keys.ndim != 2 or keys.shape[1] != len(KEY) or keys.dtype != np.int64:
        raise DataError(damaged(folder / CELLS, f"{keys.dtype} {keys.shape}"))
    return keys


def _open(folder: Path) -> _Opened:
    import zarr

    run, _ = stated(folder)
    keys = stored_keys(folder)
    path = folder / ARRAY
    try:
        array: Any = zarr.open_array(path, mode="r")
        count, channels, height, width = array.shape
        form = ShardFormat((channels, height, width), array.dtype, array.chunks[0], array.shards[0])
        plain = array.dtype.kind in "uif" and array.dtype.itemsize <= 4
    # A damaged store raises anything from KeyError to errors of zarr's own.
    except Exception as error:
        raise DataError(damaged(path, shown_error(error))) from error
    if not plain or count != len(keys) or form != ShardFormat.fitting(form.shape, form.dtype):
        raise DataError(damaged(path, f"{array.dtype} {array.shape} in {array.shards}"))
    return _Opened(run, form, CropKeys(keys))


@contextlib.contextmanager
def _file(path: Path) -> Any:
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise DataError(damaged(path, error.strerror or str(error))) from error
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _index(form: ShardFormat, file: int, path: Path) -> ShardIndex:
    """The index of a shard, read again where the file is another one."""
    facts = os.fstat(file)
    key = str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns
    index = _INDICES.get(key)
    if index is None:
        index = read_index(file, form, path)
        _INDICES.put(key, index)
    return index
