"""A batch of cells with a question about them, and the maps that answer it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

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
    """

    subject: Subject
    x: Tensor
    mean: Tensor
    target: Target
    separate: bool = False
    seed: int = 0
    forwards: int = 1000

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
