"""Real cells of the data set that can stand for a removed pixel: which, and their pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.classify.training_cells import crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.phenotypes.held_out import YES

if TYPE_CHECKING:
    from napari_channelmix.classify.training_cells import TrainingCells

__all__ = ["LEAST", "MOST", "CellPool", "PooledCells", "StoredCells", "usable_cells"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Cells of each kind, and the fewest cells a data set must have for there to be any.
MOST, LEAST = 64, 12
# Fewer than this many of the wanted cells are too much alike: the others are taken as well.
ENOUGH = 8
# Cells come from so many fields, or as many as hold enough cells: each that is read costs time.
FIELDS = 24
# Bytes of pixels that are kept of each kind; ENOUGH cells are kept in any case.
BYTES = 32 * 1024**2
SEED = 0


@dataclass(frozen=True, eq=False)
class StoredCells:
    """Cells and their pixels.

    Attributes
    ----------
    numbers : (P,) int64 array
        Their positions in the data set or array.
    crops : (P, C, H, W) float32 array
        Raw units.
    """

    numbers: IntArray
    crops: FloatArray

    def only(self, which: npt.NDArray[np.bool_]) -> StoredCells:
        """Those that are marked (P,)."""
        return StoredCells(self.numbers[which], self.crops[which])


@dataclass(frozen=True, eq=False)
class PooledCells:
    """Real cells on the scale of a subject, and which of them are the explained ones.

    Attributes
    ----------
    x : (P, C, H, W) tensor
    own : (N,) int64 tensor
        Position of each explained cell in ``x``; -1 where it is not there.
    """

    x: Tensor
    own: Tensor

    def drawn(self, index: int) -> Tensor:
        """A real cell for each explained cell (N, C, H, W), never the cell itself.

        The cell ``index`` for all of them; an explained cell that is this very one gets the next.
        """
        count = len(self.x)
        index %= count
        return self.x[torch.where(self.own == index, (index + 1) % count, index)]

    def __getitem__(self, some: slice) -> PooledCells:
        """The same for some of the explained cells."""
        return PooledCells(self.x, self.own[some])


class CellPool:
    """Real cells of a data set: some for the methods, others for the scores; read when needed.

    Which they are depends on the data set and the classifier alone, so that what a cell gets does
    not depend on the cells it is explained with. The methods get training cells, the scores cells
    that were not trained on, where that is known and there are eight of them. No cell is of both
    kinds. A data set of fewer than 12 cells has neither. Cells that cannot be read, or have NaN or
    infinite pixels, are left out.

    Parameters
    ----------
    cells : Cells or (M, C, H, W) float32 array
        The data set, of M cells.
    training : TrainingCells or None
        What is known of the cells the classifier was trained on.
    prepare : callable
        Crops in raw units to tensors on the scale of the subject.
    """

    def __init__(
        self,
        cells: Cells | FloatArray,
        training: TrainingCells | None,
        prepare: Callable[[FloatArray], Tensor],
    ) -> None:
        self._cells, self._training, self._prepare = cells, training, prepare

    @classmethod
    def of_stored(
        cls,
        stored: tuple[StoredCells, StoredCells] | None,
        prepare: Callable[[FloatArray], Tensor],
    ) -> CellPool:
        """A pool whose pixels are known, for another subject or in another process."""
        pool = cls(np.zeros((0, 1, 1, 1), np.float32), None, prepare)
        pool.__dict__["stored"] = stored
        return pool

    @cached_property
    def stored(self) -> tuple[StoredCells, StoredCells] | None:
        """The cells for the methods and those for the scores; None where there are too few."""
        drawn = _drawn(self._cells)
        if drawn is None:
            return None
        pair = [usable_cells(self._cells, numbers) for numbers in drawn]
        if self._training is not None:
            for index, wanted in enumerate((True, False)):
                marks = self._training.marks(crop_digests(pair[index].crops))
                fitting = pair[index].only(np.asarray((marks == YES) == wanted, dtype=np.bool_))
                if len(fitting.numbers) >= ENOUGH:
                    pair[index] = fitting
        # An explained cell needs another one.
        if min(len(stored.numbers) for stored in pair) < 2:
            return None
        return pair[0], pair[1]

    @cached_property
    def _tensors(self) -> tuple[Tensor, Tensor] | None:
        if self.stored is None:
            return None
        # Gradients may be taken through what no inference mode has touched.
        with torch.inference_mode(False), torch.no_grad():
            solving, reported = (self._prepare(stored.crops) for stored in self.stored)
        return solving, reported

    def solving(self, numbers: IntArray) -> PooledCells | None:
        """Cells for the methods, beside the explained ones (N,); None where there are none."""
        return self._pooled(0, numbers)

    def reported(self, numbers: IntArray) -> PooledCells | None:
        """Cells for the scores, beside the explained ones (N,); None where there are none."""
        return self._pooled(1, numbers)

    def _pooled(self, which: int, numbers: IntArray) -> PooledCells | None:
        if self.stored is None or self._tensors is None:
            return None
        x, known = self._tensors[which], self.stored[which].numbers
        same = numbers[:, None] == known[None]
        own = np.where(same.any(axis=1), same.argmax(axis=1), -1)
        return PooledCells(x, torch.from_numpy(own).to(x.device))

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a pool goes to another process as `stored`")


def _drawn(cells: Cells | FloatArray) -> tuple[IntArray, IntArray] | None:
    """Positions of the cells for the methods and of those for the scores, at random."""
    import pandas as pd

    count = len(cells)
    if count < LEAST:
        return None
    order = np.random.default_rng(SEED).permutation(count)
    if isinstance(cells, Cells):
        # Numbered as they come; it does not sort, which takes seconds for a slide of many cells.
        numbers, _ = pd.factorize(cells.table["field"].to_numpy()[order])
        needed = int(np.searchsorted(np.bincount(numbers).cumsum(), 2 * MOST)) + 1
        order = order[numbers < max(FIELDS, needed)]
    each = min(MOST, len(order) // 2, max(ENOUGH, BYTES // (4 * int(np.prod(cells.shape[1:])))))
    return order[:each], order[each : 2 * each]


def usable_cells(cells: Cells | FloatArray, numbers: IntArray) -> StoredCells:
    """The pixels of some cells; those that cannot be read or are not finite are left out."""
    if not isinstance(cells, Cells):
        stored = StoredCells(numbers, cells[numbers])
    else:
        try:
            stored = StoredCells(numbers, cells.read(numbers))
        except (DataError, OSError):
            stored = _read_singly(cells, numbers)
    usable: npt.NDArray[np.bool_] = np.asarray(np.isfinite(stored.crops).all(axis=(1, 2, 3)))
    return stored.only(usable)


def _read_singly(cells: Cells, numbers: IntArray) -> StoredCells:
    crops, readable = [np.zeros((0, *cells.shape[1:]), np.float32)], []
    for number in numbers:
        try:
            crops.append(cells.read(np.array([number])))
        except (DataError, OSError):
            continue
        readable.append(number)
    return StoredCells(np.array(readable, np.int64), np.concatenate(crops))
