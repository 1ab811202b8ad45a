"""What the classifier says of cells that were edited: every axis, every amount, every cell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.whatif.data_range import DataRange, inside, measured

if TYPE_CHECKING:
    from napari_channelmix.whatif.asking import Asker
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops, Scope

__all__ = ["AxisGrid", "AxisResponses", "Responses", "respond_job"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

# Crops that are edited and asked about at once, and their bytes at most.
BATCH, BATCH_BYTES = 256, 64 * 2**20


@dataclass(frozen=True, eq=False)
class AxisGrid:
    """Amounts at which the cells are edited along an axis.

    Attributes
    ----------
    axis : Axis
    scope : {"cell", "crop", "neighbours"}
    amounts : (A,) float32 array
        Sorted; the neutral amount among them.
    limits : DataRange
        Of the feature that the axis moves, over real cells.
    """

    axis: Axis
    scope: Scope
    amounts: FloatArray = field(repr=False)
    limits: DataRange = field(repr=False)

    @property
    def changes(self) -> npt.NDArray[np.int64]:
        """Positions of the amounts that change something."""
        return np.flatnonzero(self.amounts != np.float32(self.axis.neutral))


@dataclass(frozen=True, eq=False)
class AxisResponses:
    """Answers along one axis.

    Attributes
    ----------
    name : str
    scope : str
    amounts : (A,) float32 array
    probabilities : (n, A, K) float32 array
    inside : (n, A) bool array
        Whether there are such cells in the data; see `data_range.inside`.
    """

    name: str
    scope: Scope
    amounts: FloatArray = field(repr=False)
    probabilities: FloatArray = field(repr=False)
    inside: Mask = field(repr=False)

    @property
    def calls(self) -> npt.NDArray[np.int64]:
        """Called class (n, A)."""
        return np.asarray(self.probabilities.argmax(axis=2), np.int64)


@dataclass(frozen=True, eq=False)
class Responses:
    """Answers of the classifier about n cells, as they are and edited.

    Attributes
    ----------
    positions : (n,) int array
        Of the cells in their data set.
    base : (n, K) float32 array
        Probabilities of the cells as they are.
    axes : tuple of AxisResponses
    """

    positions: npt.NDArray[np.int64] = field(repr=False)
    base: FloatArray = field(repr=False)
    axes: tuple[AxisResponses, ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def calls(self) -> npt.NDArray[np.int64]:
        """Called class (n,) of the cells as they are."""
        return np.asarray(self.base.argmax(axis=1), np.int64)

    @classmethod
    def together(cls, parts: Sequence[Responses]) -> Responses:
        """Answers about several blocks of cells, asked at the same amounts."""
        axes = tuple(
            AxisResponses(
                rows[0].name,
                rows[0].scope,
                rows[0].amounts,
                np.concatenate([row.probabilities for row in rows]),
                np.concatenate([row.inside for row in rows]),
            )
            for rows in zip(*(part.axes for part in parts), strict=True)
        )
        return cls(
            np.concatenate([part.positions for part in parts]),
            np.concatenate([part.base for part in parts]),
            axes,
        )


def respond_job(
    asker: Asker, crops: CellCrops, grids: Sequence[AxisGrid], base: FloatArray | None = None
) -> Job[Responses]:
    """Edit cells along axes and ask the classifier about each of them; a job.

    A crop that an edit leaves as it was, or as the same edit of the cell alone has made it, is not
    asked about again.

    Parameters
    ----------
    asker : Asker
    crops : CellCrops
        A block of n cells.
    grids : sequence of AxisGrid
        Where an axis is there for the cell and for all cells of the crop, the cell comes first.
    base : (n, K) array, optional
        Probabilities of the cells as they are, where they are known.

    Raises
    ------
    ModelError
        An edit that gives NaN; as `Asker`.
    """
    base = asker(crops.pixels) if base is None else base
    answers: list[AxisResponses] = []
    work = sum(len(grid.changes) for grid in grids) or 1
    done, features = 0, {}
    alone: _AlongAxis | None = None
    for grid in grids:
        name = grid.axis.name
        if name not in features:
            features[name] = None if grid.limits.declared else measured(grid.axis, crops)
        along = _AlongAxis(asker, crops, grid, base, features[name])
        if alone is not None and alone.is_of(grid.axis, grid.amounts):
            along.alone = alone
        for start in range(0, len(grid.changes), along.at_once):
            yield Progress(done, work, f"editing the cells, {name}")
            places = grid.changes[start : start + along.at_once]
            along.ask(places)
            done += len(places)
        answers.append(along.responses())
        alone = along if grid.scope == "cell" else None
    return Responses(crops.positions, base, tuple(answers))


class _AlongAxis:
    """Edits and answers of one axis while they are collected."""

    def __init__(
        self,
        asker: Asker,
        crops: CellCrops,
        grid: AxisGrid,
        base: FloatArray,
        before: FloatArray | None,
    ) -> None:
        self._asker, self._grid, self._base, self._before = asker, grid, base, before
        self._crops = crops if crops.scope == grid.scope else crops.scoped(grid.scope)
        self.at_once = max(1, min(BATCH, BATCH_BYTES // max(1, crops.pixels[:1].nbytes)))
        self.at_once //= max(1, len(crops))
        self.at_once = max(1, self.at_once)
        shape = len(crops), len(grid.amounts)
        self.probabilities = np.repeat(base[:, None], shape[1], axis=1)
        needed = before is not None and grid.axis.to_level is None
        self._after = np.repeat(before[:, None], shape[1], axis=1) if needed else None  # type: ignore[index]
        #: The same edits of the cell alone.
        self.alone: _AlongAxis | None = None

    def is_of(self, axis: Axis, amounts: FloatArray) -> bool:
        """Whether it is of an axis, at these amounts."""
        return self._grid.axis is axis and np.array_equal(self._grid.amounts, amounts)

    def edited(self, places: npt.NDArray[np.int64]) -> CellCrops:
        """The cells at some of the amounts, amount by amount: (len(places) * n) of them."""
        count = len(self._crops)
        repeated = np.tile(np.arange(count), len(places))
        crops = self._crops if len(places) == 1 else self._crops[repeated]
        return self._grid.axis(crops, np.repeat(self._grid.amounts[places], count))

    def ask(self, places: npt.NDArray[np.int64]) -> None:
        """Edit the cells by some of the amounts, and ask."""
        count = len(self._crops)
        edited = self.edited(places)
        pixels = edited.pixels.reshape(len(places), count, -1)
        rows, cells = np.nonzero((pixels != self._crops.pixels.reshape(count, -1)).any(axis=2))
        if self.alone is not None and len(rows):
            same = self.alone.edited(places).pixels.reshape(len(places), count, -1)
            equal = (pixels[rows, cells] == same[rows, cells]).all(axis=1)
            here = places[rows[equal]]
            self.probabilities[cells[equal], here] = self.alone.probabilities[cells[equal], here]
            rows, cells = rows[~equal], cells[~equal]
        if len(rows):
            asked = edited.pixels[rows * count + cells]
            self.probabilities[cells, places[rows]] = self._asker(asked)
        if self._after is not None:
            values = measured(self._grid.axis, edited)
            assert values is not None
            self._after[:, places] = values.reshape(len(places), count).T

    def responses(self) -> AxisResponses:
        """What was answered."""
        grid = self._grid
        if self._before is None:
            within = np.ones(self.probabilities.shape[:2], bool)
        else:
            within = inside(grid.axis, grid.limits, grid.amounts, self._before, self._after)
        within[:, grid.amounts == np.float32(grid.axis.neutral)] = True
        return AxisResponses(grid.axis.name, grid.scope, grid.amounts, self.probabilities, within)
