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
IntArray = npt.NDArray[np.int64]
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
    moved : (A,) float32 array or None
        By how much each amount moves that feature, for an axis without ``to_level``.
    """

    axis: Axis
    scope: Scope
    amounts: FloatArray = field(repr=False)
    limits: DataRange = field(repr=False)
    moved: FloatArray | None = field(default=None, repr=False)

    @property
    def changes(self) -> IntArray:
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
    # The crops keep what many edits need, such as soft edges: one object for each scope.
    scoped = {
        scope: crops if crops.scope == scope else crops.scoped(scope)
        for scope in {grid.scope for grid in grids}
    }
    done, features = 0, {}
    alone: _AlongAxis | None = None
    for grid in grids:
        name = grid.axis.name
        if name not in features:
            features[name] = None if grid.limits.declared else measured(grid.axis, crops)
        along = _AlongAxis(asker, scoped[grid.scope], grid, base, features[name])
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
        self._asker, self._grid, self._before, self._crops = asker, grid, before, crops
        #: Amounts that are asked about together.
        self.at_once = max(1, min(BATCH, BATCH_BYTES // _bytes(crops)) // max(1, len(crops)))
        self.probabilities = np.repeat(base[:, None], len(grid.amounts), axis=1)
        #: The same edits of the cell alone.
        self.alone: _AlongAxis | None = None

    def is_of(self, axis: Axis, amounts: FloatArray) -> bool:
        """Whether it is of an axis, at these amounts."""
        return self._grid.axis is axis and np.array_equal(self._grid.amounts, amounts)

    def edited(self, place: int) -> FloatArray:
        """Pixels of the cells at one of the amounts."""
        return self._grid.axis(self._crops, float(self._grid.amounts[place])).pixels

    def ask(self, places: IntArray) -> None:
        """Edit the cells by some of the amounts, and ask."""
        pixels, cells, steps = [], [], []
        for place in places.tolist():
            edited = self.edited(place)
            open_ = _differs(edited, self._crops.pixels)
            if self.alone is not None and open_.any():
                same = open_ & ~_differs(edited, self.alone.edited(place))
                self.probabilities[same, place] = self.alone.probabilities[same, place]
                open_ &= ~same
            pixels.append(edited if open_.all() else edited[open_])
            cells.append(np.flatnonzero(open_))
            steps.append(np.full(len(cells[-1]), place))
        if sum(map(len, cells)):
            asked = pixels[0] if len(pixels) == 1 else np.concatenate(pixels)
            answers = self._asker(asked)
            self.probabilities[np.concatenate(cells), np.concatenate(steps)] = answers

    def responses(self) -> AxisResponses:
        """What was answered."""
        grid = self._grid
        if self._before is None:
            within = np.ones(self.probabilities.shape[:2], bool)
        else:
            after = None if grid.moved is None else self._before[:, None] + grid.moved
            within = inside(grid.axis, grid.limits, grid.amounts, self._before, after)
        within[:, grid.amounts == np.float32(grid.axis.neutral)] = True
        return AxisResponses(grid.axis.name, grid.scope, grid.amounts, self.probabilities, within)


def _bytes(crops: CellCrops) -> int:
    return max(1, crops.pixels[:1].nbytes)


def _differs(pixels: FloatArray, others: FloatArray) -> Mask:
    """Which crops (n,) have other pixels."""
    if pixels is others:
        return np.zeros(len(pixels), bool)
    return np.asarray((pixels != others).reshape(len(pixels), -1).any(axis=1))
