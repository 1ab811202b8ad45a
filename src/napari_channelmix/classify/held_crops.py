"""Raw crops of a data set, to be had in any order: in memory where they fit, else on disk.

1. As float32 in memory, where all of them fit.
2. In memory in the whole numbers of their files, where those fit and hold them exactly.
3. Else from the crop store that the cells have; from their own arrays, where those are in memory;
   or from a temporary crop store, which is deleted with this object.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.training_cells import Digests, crop_digests
from napari_channelmix.computing import within_cap
from napari_channelmix.data.pixel_facts import stored_dtype
from napari_channelmix.data.temporary_store import TemporaryFolder, temporary_store_job
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    import hashlib
    from collections.abc import Iterator

    from napari_channelmix.data import Cells

__all__ = ["BATCH", "HeldCrops"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# More than this is held on disk.
MEMORY_BYTES = 512 * 2**20
#: Crops that are read at a time, at most.
BATCH = 256
# Bytes of the float32 crops that are read at a time, at most, but for a single one.
BATCH_BYTES = 96 * 2**20


class HeldCrops:
    """Crops of a data set in raw units; `load` once, then ask for any of them as often as needed.

    Attributes
    ----------
    cells : Cells
    digests : (N,) uint64 array or None
        Of the pixels of each crop, see `crop_digests`; None before `load`.
    """

    def __init__(self, cells: Cells) -> None:
        self.cells = cells
        self.digests: Digests | None = None
        # (N, H, W, C): picking along the first axis then keeps channels last.
        self._pixels: npt.NDArray[Any] | None = None
        # Crops that whole numbers do not hold: filled beyond the border of their image.
        self._exact: dict[int, FloatArray] = {}
        # Where crops are read from that are not in memory.
        self._source = cells
        self._folder: TemporaryFolder | None = None

    def __len__(self) -> int:
        return len(self.cells)

    def __getstate__(self) -> dict[str, Any]:
        """Without the pixels, which another process reads for itself; a temporary store is shared.

        This object must be there as long as the other process reads from that.
        """
        state = {**vars(self), "_pixels": None, "_exact": {}, "_folder": None}
        if self._folder is None:
            return {**state, "digests": None}
        return {**state, "_shared": str(self._folder.path)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        shared = state.pop("_shared", None)
        vars(self).update(state)
        if shared is not None and not Path(shared).is_dir():
            # On another machine: it is made anew there, by `load`.
            self._source, self.digests = self.cells, None

    def load(self) -> Job[None]:
        """Read all crops, hash each, and sign the cells; a job with a step for each batch.

        Raises
        ------
        DataError
            A file that cannot be read, or NaN or infinite pixels.
        SaveError
            Crops that fit neither into memory nor into the folder for temporary files.
        """
        if self.digests is not None:
            return
        kind = self._kind()
        if kind is None and not self._lies_at_hand():
            job = temporary_store_job(self.cells)
            self._source, self._folder = yield from part(job, 0, 3, 4)
            yield from part(self._read(kind), 3, 1, 4)
        else:
            yield from self._read(kind)

    def _read(self, kind: np.dtype[Any] | None) -> Job[None]:
        count, channels, height, width = self.cells.shape
        pixels = None if kind is None else np.empty((count, height, width, channels), kind)
        digests, done = np.zeros(count, np.uint64), 0
        exact: dict[int, FloatArray] = {}
        signature, in_order = self.cells.signing(), kind is None or self._ordered()
        total = count if in_order else count + count / 8
        yield Progress(0, total, f"reading the cells, 0 of {count:,}")
        for positions, crops in self._in_order() if in_order else self._source.passes(self._size):
            digests[positions] = crop_digests(crops)
            if in_order:
                signature.update(crops.tobytes())
            if pixels is not None:
                last = crops.transpose(0, 2, 3, 1)
                pixels[positions] = last if kind == np.float32 else _whole(last, pixels.dtype)
                if kind != np.float32:
                    for row in np.flatnonzero((pixels[positions] != last).any(axis=(1, 2, 3))):
                        exact[int(positions[row])] = last[row].copy()
            done += len(crops)
            yield Progress(done, total, f"reading the cells, {done:,} of {count:,}")
        self._pixels, self._exact = pixels, exact
        if not in_order:
            yield from part(self._signed(signature, np.arange(count)), count, count / 8, total)
        # Every pixel has been seen, so the cells need not be read again to be signed.
        vars(self.cells)["signature"] = signature.hexdigest()
        self.digests = digests

    def _ordered(self) -> bool:
        """Whether the images are read best in the order of the table."""
        return bool((np.diff(self._source.reading_order) > 0).all())

    def _in_order(self) -> Iterator[tuple[IntArray, FloatArray]]:
        for start in range(0, len(self), self._size):
            positions = np.arange(start, min(start + self._size, len(self)))
            yield positions, self._source.read(positions)

    def sign(self, cells: Cells, rows: IntArray) -> Job[None]:
        """Sign the cells at these positions (`Cells.signature`) from the pixels that were read."""
        signature = cells.signing()
        yield from self._signed(signature, rows)
        vars(cells)["signature"] = signature.hexdigest()

    def _signed(self, signature: hashlib._Hash, rows: IntArray) -> Job[None]:
        done = 0
        for crops in self.batches(rows):
            signature.update(crops.tobytes())
            done += len(crops)
            yield Progress(done, len(rows), f"checking the cells, {done:,} of {len(rows):,}")

    def read(self, rows: IntArray) -> FloatArray:
        """The crops at these positions, (n, C, H, W), in raw units; channels last in memory."""
        if self._pixels is None:
            return self._source.read(rows)
        crops = self._pixels[rows].astype(np.float32, copy=False)
        if self._exact:
            for place, row in enumerate(rows.tolist()):
                if row in self._exact:
                    crops[place] = self._exact[row]
        return crops.transpose(0, 3, 1, 2)

    def batches(self, rows: IntArray | None = None) -> Iterator[FloatArray]:
        """All crops in the order of the table, or those at these positions, some at a time."""
        every = np.arange(len(self)) if rows is None else rows
        for start in range(0, len(every), self._size):
            yield self.read(every[start : start + self._size])

    def given_away(self) -> FloatArray | None:
        """The crops (N, H, W, C) for the one who asks to change in place; None where not float32.

        They cannot be read here any more.
        """
        if self._pixels is None or self._pixels.dtype != np.float32:
            return None
        pixels, self._pixels = self._pixels, None
        return pixels

    @property
    def _size(self) -> int:
        return max(1, min(BATCH, BATCH_BYTES // self._nbytes))

    @property
    def _nbytes(self) -> int:
        """Bytes of a float32 crop."""
        return 4 * int(np.prod(self.cells.shape[1:]))

    def _kind(self) -> np.dtype[Any] | None:
        """The type that crops are held in memory in; None where they do not fit."""
        room, nbytes = within_cap(MEMORY_BYTES), self._nbytes
        if len(self) * nbytes <= room:
            return np.dtype(np.float32)
        kind = np.dtype(np.float32) if self.cells.scaling else stored_dtype(self.cells)
        filled = int(self.cells.at_border.sum())
        needed = len(self) * nbytes * kind.itemsize // 4 + filled * nbytes
        return kind if kind != np.float32 and needed <= room else None

    def _lies_at_hand(self) -> bool:
        """Whether the cells can be read in any order at the cost of their bytes already."""
        if self.cells.is_stored:
            return True
        used = np.unique(self.cells.table["field"].to_numpy(np.int64)).tolist()
        return all(
            isinstance(self.cells.fields[index].planes[plane], np.ndarray)
            for index in used
            for plane in self.cells.planes
        )


def _whole(crops: FloatArray, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    bounds = np.iinfo(kind)
    return np.clip(crops, bounds.min, bounds.max).astype(kind)
