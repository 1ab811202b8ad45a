"""The smallest change that flips a cell: along each axis; two together where none does alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.whatif.amount_words import condition
from napari_channelmix.whatif.cell_changes import CellChanges, Change
from napari_channelmix.whatif.data_range import DataRange, measured
from napari_channelmix.whatif.plausibility import plausibility
from napari_channelmix.whatif.responses import BATCH, AxisGrid, Responses, respond_job

if TYPE_CHECKING:
    from napari_channelmix.whatif.asking import Asker
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["CellChanges", "Change", "smallest_change", "smallest_changes_job"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Halvings of a step of the grid.
HALVINGS = 5
# Axes of which pairs are tried, and parts of the way along both.
PAIRED, PARTS = 4, (0.25, 0.5, 0.75, 1.0)
# Families of axes that are no change of the cell.
NOT_OF_CELLS = ("sham",)
# How far beyond the range of the data an edited cell may be measured, as a share of the range.
SLACK = 0.02


def smallest_change(
    asker: Asker, crops: CellCrops, grids: Sequence[AxisGrid], answers: Responses | None = None
) -> tuple[CellChanges, ...]:
    """Find the smallest change that flips each of some cells; see `smallest_changes_job`."""
    return drain(smallest_changes_job(asker, crops, grids, answers))


def smallest_changes_job(
    asker: Asker, crops: CellCrops, grids: Sequence[AxisGrid], answers: Responses | None = None
) -> Job[tuple[CellChanges, ...]]:
    """Find the smallest change that flips each of n cells; a job.

    Along each axis and on each side: the first amount of the grid that flips the cell, then the
    interval before it is halved. Only where no axis alone flips a cell within the data's own
    range, two of the axes that bring it closest are moved together.

    Parameters
    ----------
    asker : Asker
    crops : CellCrops
        n cells.
    grids : sequence of AxisGrid
        Of one scope.
    answers : Responses, optional
        Of these cells along these grids, where they were asked already.
    """
    if answers is None:
        answers = yield from respond_job(asker, crops, grids)
    search = _Search(asker, crops, grids, answers)
    total = len(search.grids) + 1
    for place in range(len(search.grids)):
        yield Progress(
            place, total, f"finding the smallest change, {search.grids[place].axis.name}"
        )
        search.bracket(place)
    yield from search.halve_job(total)
    yield from search.keep_job(total - 0.5, total, "finding the smallest change, its size")
    yield from search.pairs_job(total)
    return search.results()


@dataclass(eq=False)
class _Crossings:
    """Places where cells flip, between two parts of the way, while these are halved.

    Attributes
    ----------
    cells : (m,) int array
    edit : callable
        ``edit(crops, parts)``: crops (m,) moved along.
    near, far : (m,) float arrays
        The cell is not flipped at the first, and is at the second.
    probabilities : (m, K) array
        At ``far``.
    """

    cells: IntArray
    edit: Callable[[CellCrops, FloatArray], CellCrops]
    near: FloatArray
    far: FloatArray
    probabilities: FloatArray
    grids: tuple[AxisGrid, ...] = field(default=())
    way: tuple[FloatArray, ...] = field(default=())


class _Search:
    """The search among n cells."""

    def __init__(
        self, asker: Asker, crops: CellCrops, grids: Sequence[AxisGrid], answers: Responses
    ) -> None:
        self._asker, self._crops, self._base = asker, crops, answers.base
        self._calls = answers.calls
        known = {(row.name, row.scope): row for row in answers.axes}
        self.grids = [grid for grid in grids if grid.axis.family not in NOT_OF_CELLS]
        self._answers = [known[grid.axis.name, grid.scope] for grid in self.grids]
        self._crossings: list[_Crossings] = []
        self._features: dict[str, FloatArray | None] = {}
        self._changes: list[list[Change]] = [[] for _ in range(len(crops))]

    def bracket(self, place: int) -> None:
        """Find the first amount on each side of an axis that flips each cell."""
        grid, answers = self.grids[place], self._answers[place]
        flipped = answers.calls != self._calls[:, None]
        neutral = np.float32(grid.axis.neutral)
        for side in (1, -1):
            way = np.flatnonzero(side * (grid.amounts - neutral) > 0)
            way = way[np.argsort(np.abs(grid.amounts[way] - neutral))]
            if not len(way):
                continue
            before = np.concatenate([[neutral], grid.amounts[way[:-1]]]).astype(np.float32)
            within = np.concatenate(
                [np.ones((len(flipped), 1), bool), answers.inside[:, way[:-1]]], axis=1
            )
            first = flipped[:, way].argmax(axis=1)
            rows = np.arange(len(flipped))
            cells = np.flatnonzero(flipped[:, way].any(axis=1) & within[rows, first])
            if not len(cells):
                continue
            steps = first[cells]
            self._crossings.append(
                _Crossings(
                    cells,
                    _along(grid),
                    before[steps],
                    grid.amounts[way[steps]],
                    answers.probabilities[cells, way[steps]],
                    (grid,),
                )
            )

    def halve_job(self, total: int) -> Job[None]:
        """Halve the intervals of all crossings."""
        for turn in range(HALVINGS):
            stage = "finding the smallest change, halving the steps"
            yield Progress(total - 1 + 0.5 * turn / HALVINGS, total, stage)
            yield from self._halve(self._crossings, total - 1 + 0.5 * turn / HALVINGS, total, stage)

    def _halve(
        self, crossings: Sequence[_Crossings], done: float, total: float, stage: str
    ) -> Job[None]:
        """Halve once; several crossings are asked about together."""
        waiting: list[tuple[_Crossings, FloatArray, CellCrops]] = []
        for crossing in crossings:
            middle = np.asarray((crossing.near + crossing.far) / 2, np.float32)
            waiting.append((crossing, middle, crossing.edit(self._crops[crossing.cells], middle)))
            if sum(len(edited) for _, _, edited in waiting) >= BATCH:
                self._settle(waiting)
                waiting = []
                yield Progress(done, total, stage)
        if waiting:
            self._settle(waiting)

    def _settle(self, waiting: Sequence[tuple[_Crossings, FloatArray, CellCrops]]) -> None:
        """Ask about the middles, and keep the half in which each cell flips."""
        answers = self._asker(np.concatenate([edited.pixels for _, _, edited in waiting]))
        start = 0
        for crossing, middle, edited in waiting:
            own = answers[start : start + len(edited)]
            start += len(edited)
            flipped = own.argmax(axis=1) != self._calls[crossing.cells]
            crossing.far = np.where(flipped, middle, crossing.far)
            crossing.near = np.where(flipped, crossing.near, middle)
            crossing.probabilities = np.where(flipped[:, None], own, crossing.probabilities)

    def keep_job(self, done: float, total: float, stage: str) -> Job[None]:
        """Measure what flips the cells; changes beyond the data's own range are dropped."""
        for crossing in self._crossings:
            yield Progress(done, total, stage)
            edited = crossing.edit(self._crops[crossing.cells], crossing.far)
            to_class = crossing.probabilities.argmax(axis=1)
            within = np.ones(len(edited), bool)
            plausible = np.full(len(edited), np.nan)
            real = np.zeros(len(edited), np.int64)
            for grid in crossing.grids:
                value = measured(grid.axis, edited)
                if value is None or not grid.limits.known:
                    continue
                before = self._feature(grid)[crossing.cells]
                within &= _within(grid.limits, before, value)
                share, real = plausibility(grid.limits, value, to_class)
                plausible = np.fmin(plausible, share)
            for row in np.flatnonzero(within).tolist():
                self._changes[int(crossing.cells[row])].append(
                    _change(crossing, row, int(to_class[row]), plausible[row], int(real[row]))
                )
        self._crossings = []

    def _feature(self, grid: AxisGrid) -> FloatArray:
        """Feature (n,) of the cells as they are."""
        name = grid.axis.name
        if name not in self._features:
            self._features[name] = measured(grid.axis, self._crops)
        values = self._features[name]
        assert values is not None
        return values

    def pairs_job(self, total: float) -> Job[None]:
        """Two axes together, for cells that none flips alone."""
        left = np.array([not any(not row.technical for row in rows) for rows in self._changes])
        own = [place for place, grid in enumerate(self.grids) if not _technical(grid)]
        if not left.any() or len(own) < 2:
            return
        gain, best = self._gains(own)
        cells = np.flatnonzero(left)
        ranked = np.argsort(-gain[cells], axis=1, kind="stable")[:, :PAIRED]
        tried: dict[tuple[int, int], list[int]] = {}
        for cell, order in zip(cells.tolist(), ranked, strict=True):
            for pair in combinations(sorted(int(place) for place in order), 2):
                if gain[cell, pair[0]] > 0 and gain[cell, pair[1]] > 0:
                    tried.setdefault(pair, []).append(cell)
        done, stage = total - 0.4, "finding the smallest change, two axes together"
        for (first, second), some in tried.items():
            yield Progress(done, total, stage)
            self._try_pair(own[first], own[second], np.array(some), best[:, (first, second)])
        for _ in range(HALVINGS):
            yield Progress(done, total, stage)
            yield from self._halve(self._crossings, done, total, stage)
        yield from self.keep_job(done, total, stage)

    def _gains(self, own: Sequence[int]) -> tuple[FloatArray, FloatArray]:
        """By how much each axis brings each cell to another class, and the amount, (n, axes)."""
        count = len(self._crops)
        gains, amounts = np.zeros((2, count, len(own)), np.float32)
        rows = np.arange(count)
        for column, place in enumerate(own):
            answers = self._answers[place]
            chosen = answers.probabilities
            mine = chosen[rows, :, self._calls]
            others = chosen.copy()
            others[rows, :, self._calls] = -1
            nearer = np.where(answers.inside, others.max(axis=2) - mine, -2)
            step = nearer.argmax(axis=1)
            base = np.sort(self._base, axis=1)
            lead = base[:, -2] - base[:, -1] if base.shape[1] > 1 else -base[:, -1]
            gains[:, column] = nearer[rows, step] - lead
            amounts[:, column] = answers.amounts[step]
        return gains, amounts

    def _try_pair(self, first: int, second: int, cells: IntArray, best: FloatArray) -> None:
        """Go along both axes at once, to the amounts (n, 2) that are best of each alone."""
        grids = self.grids[first], self.grids[second]
        ways = best[cells, 0], best[cells, 1]
        near = np.zeros(len(cells), np.float32)
        far = np.full(len(cells), np.nan, np.float32)
        kept = np.zeros((len(cells), self._base.shape[1]), np.float32)
        for part in PARTS:
            open_ = np.flatnonzero(np.isnan(far))
            if not len(open_):
                break
            edit_open = _along_both(grids, (ways[0][open_], ways[1][open_]))
            edited = edit_open(self._crops[cells[open_]], np.full(len(open_), part, np.float32))
            answers = self._asker(edited.pixels)
            flipped = answers.argmax(axis=1) != self._calls[cells[open_]]
            far[open_[flipped]], kept[open_[flipped]] = part, answers[flipped]
            near[open_[~flipped]] = part
        there = np.flatnonzero(~np.isnan(far))
        if len(there):
            ways = ways[0][there], ways[1][there]
            edit = _along_both(grids, ways)
            self._crossings.append(
                _Crossings(cells[there], edit, near[there], far[there], kept[there], grids, ways)
            )

    def results(self) -> tuple[CellChanges, ...]:
        """What flips each cell."""
        rows = []
        for place, changes in enumerate(self._changes):
            code = int(self._calls[place])
            ranked = sorted(changes, key=lambda row: (row.technical, row.size))
            position = int(self._crops.positions[place])
            rows.append(CellChanges(position, code, float(self._base[place, code]), tuple(ranked)))
        return tuple(rows)


def _technical(grid: AxisGrid) -> bool:
    return grid.axis.family == "acquisition"


def _along(grid: AxisGrid) -> Callable[[CellCrops, FloatArray], CellCrops]:
    """Move cells along one axis; the part of the way is the amount."""

    def edit(crops: CellCrops, amounts: FloatArray) -> CellCrops:
        own = crops if crops.scope == grid.scope else crops.scoped(grid.scope)
        return grid.axis(own, amounts)

    return edit


def _along_both(
    grids: tuple[AxisGrid, AxisGrid], ways: tuple[FloatArray, FloatArray]
) -> Callable[[CellCrops, FloatArray], CellCrops]:
    """Move cells along two axes, each by a part of its way."""

    def edit(crops: CellCrops, parts: FloatArray) -> CellCrops:
        for grid, way in zip(grids, ways, strict=True):
            neutral = np.float32(grid.axis.neutral)
            crops = _along(grid)(crops, neutral + parts * (way - neutral))
        return crops

    return edit


def _within(limits: DataRange, before: FloatArray, after: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether edited cells lie on the data's own range, or no further out than before."""
    slack = SLACK * (limits.high - limits.low)
    low, high = np.minimum(before, limits.low) - slack, np.maximum(before, limits.high) + slack
    return np.asarray((after >= low) & (after <= high))


def _change(crossing: _Crossings, row: int, to_class: int, plausible: float, real: int) -> Change:
    """One row of crossings."""
    far = crossing.far[row]
    if crossing.way:
        amounts = tuple(
            float(grid.axis.neutral + far * (way[row] - grid.axis.neutral))
            for grid, way in zip(crossing.grids, crossing.way, strict=True)
        )
    else:
        amounts = (float(far),)
    axes = [grid.axis for grid in crossing.grids]
    sizes = [
        abs(amount - grid.axis.neutral)
        / max(float(np.abs(grid.amounts - grid.axis.neutral).max()), 1e-9)
        for grid, amount in zip(crossing.grids, amounts, strict=True)
    ]
    return Change(
        tuple(axis.name for axis in axes),
        amounts,
        tuple(axis.unit for axis in axes),
        to_class,
        float(crossing.probabilities[row, to_class]),
        float(sum(sizes)),
        float(plausible),
        real,
        " and ".join(condition(*pair) for pair in zip(axes, amounts, strict=True)),
        any(axis.family == "acquisition" for axis in axes),
    )
