"""A cell that was opened for edits: its pixels, its axes, and what the classifier says of it.

It knows no Qt. `edited` is what a slider costs: an edit of one crop and a question about it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.whatif.asking import Asker
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops, Scope
    from napari_channelmix.whatif.smallest_change import CellChanges

__all__ = ["AxisRange", "OpenedCell", "axis_range", "in_order", "smallest_text", "verdict"]

FloatArray = npt.NDArray[np.float32]

# Share of the real range that a slider goes beyond it on each side: what no cell shows can be
# tried, and is said to be so.
BEYOND = 0.35
# Changes of a probability that are no change.
NOTHING = 0.005
# Sentences about changes that flip a cell, at most.
SENTENCES = 3
# In which order axes are applied: what was resampled is exposed and blurred as a whole.
ORDER = ("channel", "shape", "surroundings", "acquisition", "sham")


@dataclass(frozen=True, eq=False)
class AxisRange:
    """How far a slider goes for one cell, and where real cells are.

    Attributes
    ----------
    axis : Axis
    low, high : float
        Amounts at the ends of the slider.
    real : (float, float) or None
        Amounts that bring the cell to the ends of the data's own range; None where the axis has no
        feature that says so.
    """

    axis: Axis
    low: float
    high: float
    real: tuple[float, float] | None = None

    @property
    def name(self) -> str:
        """Of the axis."""
        return self.axis.name

    @property
    def switch(self) -> bool:
        """Whether there is nothing between its two ends."""
        return self.axis.unit.startswith("on")

    def outside(self, amount: float) -> bool:
        """Whether no such cell is in the data."""
        if self.real is None or amount == self.axis.neutral:
            return False
        return not self.real[0] <= amount <= self.real[1]


def axis_range(axis: Axis, own: float, span: tuple[float, float] | None) -> AxisRange:
    """The range of an axis for a cell.

    Parameters
    ----------
    axis : Axis
    own : float
        The cell's own feature; NaN where it has none.
    span : (float, float) or None
        The feature on the data's own range; None where nothing measures it.
    """
    least, most = float(axis.low), float(axis.high)
    real = None
    if axis.to_level is not None and span is not None and np.isfinite([own, *span]).all():
        value = np.array([own], np.float32)
        ends = [float(np.asarray(axis.to_level(value, end)).reshape(-1)[0]) for end in span]
        if np.isfinite(ends).all():
            first, last = sorted(min(max(end, least), most) for end in ends)
            if last > first:
                real = first, last
    if real is None:
        return AxisRange(axis, least, most)
    first, last = min(real[0], axis.neutral), max(real[1], axis.neutral)
    more = BEYOND * (last - first)
    return AxisRange(axis, max(least, first - more), min(most, last + more), real)


def in_order(axes: tuple[Axis, ...], moves: Mapping[str, float]) -> tuple[Axis, ...]:
    """The axes that are moved, in the order in which they are applied."""
    moved = [axis for axis in axes if moves.get(axis.name, axis.neutral) != axis.neutral]
    return tuple(sorted(moved, key=lambda axis: ORDER.index(axis.family)))


@dataclass(frozen=True, eq=False)
class OpenedCell:
    """A cell that can be edited.

    Attributes
    ----------
    cell : int
        Its position in the cells of the session.
    name : str
        The id by which the user knows it.
    field_number : int
        Its field of view.
    box : (int, int, int, int)
        Where its crop lies in the field: top, left, bottom, right.
    asker : Asker
        The classifier.
    crops : CellCrops
        This one cell.
    ranges : tuple of AxisRange
        One for each axis.
    before : (K,) float32 array
        Probabilities of the cell as it is.
    sham : float
        Largest change of a probability by edits that must not matter: turned, shifted, resampled.
    seconds : float
        That one question takes.
    training : str
        Whether the classifier was trained on the cell; see `classify.training_cells`.
    lines : tuple of str
        What must be known before its edits are read.
    """

    cell: int
    name: str
    field_number: int
    box: tuple[int, int, int, int]
    asker: Asker = field(repr=False)
    crops: CellCrops = field(repr=False)
    ranges: tuple[AxisRange, ...] = field(repr=False)
    before: FloatArray = field(repr=False)
    sham: float = 0.0
    seconds: float = 0.0
    training: str = ""
    lines: tuple[str, ...] = ()

    @cached_property
    def scoped(self) -> dict[Scope, CellCrops]:
        """The cell in each scope: what is worked out of its outlines is so once."""
        from napari_channelmix.whatif.crops import SCOPES

        return {scope: self.crops.scoped(scope) for scope in SCOPES}

    @property
    def axes(self) -> tuple[Axis, ...]:
        """All axes of the cell."""
        return tuple(bounds.axis for bounds in self.ranges)

    @property
    def classes(self) -> tuple[str, ...]:
        """Classes of the classifier."""
        return self.asker.classes

    @property
    def called(self) -> str:
        """The class that the cell is called as it is."""
        return self.classes[int(self.before.argmax())]

    def range_of(self, name: str) -> AxisRange:
        """The range of an axis by its name."""
        return next(bounds for bounds in self.ranges if bounds.name == name)

    def edited(self, moves: Mapping[str, float], scope: Scope = "cell") -> CellCrops:
        """The cell with amounts of some axes, by their names.

        Raises
        ------
        ModelError
            As `whatif.axes.Axis`.
        """
        crops = self.scoped[scope]
        for axis in in_order(self.axes, moves):
            crops = axis(crops, moves[axis.name])
        return crops

    def outside(self, moves: Mapping[str, float]) -> tuple[str, ...]:
        """Axes whose amount no cell in the data has."""
        return tuple(
            bounds.name
            for bounds in self.ranges
            if bounds.name in moves and bounds.outside(moves[bounds.name])
        )


def verdict(opened: OpenedCell, after: FloatArray, moves: Mapping[str, float]) -> str:
    """What an edit did to the call, in one sentence, and how it must be read."""
    if not in_order(opened.axes, moves):
        return f"Predicted as {opened.called}. Move a slider to change the cell."
    now = opened.classes[int(after.argmax())]
    change = float(np.abs(after - opened.before).max())
    if now != opened.called:
        text = f"Would be predicted as {now} instead of {opened.called}"
        if change <= opened.sham:
            return f"{text}, but turning or shifting the cell changes it as much."
    elif change < NOTHING:
        return f"Still {now}: nothing changes."
    elif change <= opened.sham:
        return f"Still {now}: no more change than by turning or shifting the cell."
    else:
        text = f"Still predicted as {now}"
    outside = opened.outside(moves)
    return f"{text}; no such cell in the data." if outside else f"{text}."


def smallest_text(changes: CellChanges, classes: Sequence[str]) -> tuple[str, ...]:
    """What flips a cell, the smallest change first, in sentences."""
    if not changes.changes:
        line = changes.sentence(classes)
        return (f"{line[:1].upper()}{line[1:]}.",)
    lines, before = [], -1
    for change in changes.changes[:SENTENCES]:
        again = change.to_class == before
        begin = "Or" if again else f"Would be predicted as {classes[change.to_class]}"
        rare = ""
        if change.real_cells and change.plausible == 0:
            rare = f"; none of {counted(change.real_cells, 'such cell')} lies as far out"
        lines.append(f"{begin} if {change.words}{rare}.")
        before = change.to_class
    return tuple(lines)
