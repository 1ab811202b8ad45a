"""What is known of each cell of a data set, and which of the cells are meant."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["NamedValues", "ResultsByCell"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class _Values:
    names: tuple[str, ...]
    values: FloatArray = field(repr=False)
    badges: tuple[str, ...] = ()


class NamedValues(Protocol):
    """Numbers of each cell (N, Z) with a name for each of the Z columns, as `Latents` are."""

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def values(self) -> FloatArray: ...  # noqa: D102


@dataclass(frozen=True, eq=False, repr=False)
class ResultsByCell:
    """What is known of each cell of a data set.

    Every array has a row for each of the N cells, whichever are chosen.

    Attributes
    ----------
    cells : Cells
    probabilities : (N, K) float32 array or None
        Of each class of the classifier.
    classes : tuple of K str
        Its classes.
    training : (N,) sequence of str or None
        Whether the classifier was trained on each cell: ``yes``, ``same group``, ``no`` or
        ``unknown``; see `phenotypes.held_out`.
    latents : Latents or None
        Or anything with ``names`` (Z) and ``values`` (N, Z), NaN for cells that have none.
    importance : ChannelImportance or None
    chosen : (n,) int array, (N,) bool array or None
        Positions of the cells that are written, in this order; None for all.
    about : mapping of str to object
        How it was made, ready for JSON; see `provenance`.

    Raises
    ------
    DataError
        An array of another length, or cells that do not exist.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=2, cells_per_well=2, side=64, crop=16).cells
    >>> results = ResultsByCell(cells, np.full((4, 2), 0.5, "float32"), cells.classes)
    >>> len(results), results.positions.tolist()
    (4, [0, 1, 2, 3])
    """

    cells: Cells
    probabilities: FloatArray | None = field(default=None, repr=False)
    classes: Sequence[str] = ()
    training: Sequence[str] | npt.NDArray[np.str_] | None = field(default=None, repr=False)
    latents: NamedValues | None = field(default=None, repr=False)
    importance: ChannelImportance | None = field(default=None, repr=False)
    chosen: npt.NDArray[Any] | None = field(default=None, repr=False)
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        count = len(self.cells)
        arrays = {
            "probabilities": self.probabilities,
            "training marks": self.training,
            "latents": None if self.latents is None else self.latents.values,
        }
        for name, values in arrays.items():
            if values is not None and len(values) != count:
                raise DataError(
                    f"{self.cells.name}: {name} of {len(values):,} cells for {count:,} cells"
                )
        if self.probabilities is not None and self.probabilities.shape[1] != len(self.classes):
            raise DataError(
                f"{self.cells.name}: probabilities of {self.probabilities.shape[1]} classes, "
                f"named are {len(self.classes)}"
            )
        positions = self.positions
        if len(positions) and not 0 <= positions.min() <= positions.max() < count:
            raise DataError(f"{self.cells.name}: chosen cells must be among its {count:,} cells")

    @property
    def class_codes(self) -> tuple[IntArray, tuple[str, ...]]:
        """Class of each of the N cells, -1 for none, and the classes: the predicted, else given."""
        if self.probabilities is not None:
            return self.probabilities.argmax(axis=1).astype(np.int64), tuple(self.classes)
        return self.cells.labels, self.cells.classes

    def subset(self, positions: npt.ArrayLike) -> Self:
        """The results of some cells, as results of a data set of their own.

        Parameters
        ----------
        positions : (n,) int array
            In the data set.
        """
        rows = np.asarray(positions, dtype=np.int64)
        latents = self.latents
        return replace(
            self,
            cells=self.cells.subset(rows),
            probabilities=None if self.probabilities is None else self.probabilities[rows],
            training=None if self.training is None else np.asarray(self.training)[rows],
            latents=None
            if latents is None
            else _Values(tuple(latents.names), latents.values[rows]),
            chosen=None,
        )

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def positions(self) -> IntArray:
        """Positions of the cells that are written (n,), in the data set."""
        if self.chosen is None:
            return np.arange(len(self.cells))
        chosen = np.asarray(self.chosen)
        if chosen.dtype == bool:
            if len(chosen) != len(self.cells):
                raise DataError(
                    f"{self.cells.name}: marks of {len(chosen):,} cells for {len(self.cells):,}"
                )
            return np.flatnonzero(chosen)
        return chosen.astype(np.int64)
