"""A batch of cells with a question about them, and the maps that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import Tensor

    from napari_channelmix.pcim.cell_pool import CellPool, PooledCells
    from napari_channelmix.pcim.model_adapter import Subject
    from napari_channelmix.pcim.target import Target

__all__ = ["Maps", "Problem"]


@dataclass(frozen=True, eq=False)
class Problem:
    """A batch of cells and the question about them.

    Attributes
    ----------
    subject : Subject
    x : (N, C, H, W) tensor
        Cells on the scale of the subject.
    mean : (1, C, 1, 1) tensor
        Mean of the data set on that scale.
    target : Target
    separate : bool
        Maps for each channel.
    seed : int
    forwards : int
        Images a black box may be asked about, for each cell.
    sd : (1, C, 1, 1) tensor or None
        Standard deviation of the pixels of the data set on that scale.
    real_cells : CellPool or None
        Other cells of the data set; see `pool`.
    numbers : (N,) int64 array or None
        Of the cells, in the data set.
    """

    subject: Subject
    x: Tensor
    mean: Tensor
    target: Target
    separate: bool = False
    seed: int = 0
    forwards: int = 1000
    sd: Tensor | None = None
    real_cells: CellPool | None = None
    numbers: npt.NDArray[np.int64] | None = None

    @property
    def pool(self) -> Tensor | None:
        """Real cells (P, C, H, W) of the data set, up to 64; read at the first use.

        None where there are none. An explained cell may be among them: `pooled` says where.
        """
        pooled = self.pooled
        return None if pooled is None else pooled.x

    @property
    def pooled(self) -> PooledCells | None:
        """Real cells for the methods; see `cell_pool.CellPool`."""
        if self.real_cells is None or self.numbers is None:
            return None
        return self.real_cells.solving(self.numbers)

    @property
    def other_cells(self) -> PooledCells | None:
        """Real cells for the scores; none of them is in the pool."""
        if self.real_cells is None or self.numbers is None:
            return None
        return self.real_cells.reported(self.numbers)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the cells in pixels."""
        return self.x.shape[2], self.x.shape[3]


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps so far.

    Attributes
    ----------
    values : (N, P, H, W) tensor
        Evidence for the target; P is the number of channels or 1.
    magnitude : (N, 1, H, W) tensor or None
        How much evidence there is, for or against; None: the size of ``values``.
    standard_error : (N, P, H, W) tensor or None
        Of the values, where they are means over random masks.
    """

    values: Tensor
    magnitude: Tensor | None = None
    standard_error: Tensor | None = None
