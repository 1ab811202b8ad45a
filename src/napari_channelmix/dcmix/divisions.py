"""How the cells are divided in each repeat: into folds, by one split, or as handed over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import hold
from napari_channelmix.classify.pixels import Pixels, Selection
from napari_channelmix.data.split import cross_validation_folds, has_own_split
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["Division", "Sides", "divided", "given"]

BoolArray = npt.NDArray[np.bool_]
Kind = Literal["folds", "one split", "split column", "given"]

# Deals that are tried for one that was not there before.
TRIES = 16


@dataclass(frozen=True, eq=False)
class Sides:
    """The cells a repeat learns from, and those it is measured on."""

    train: Selection
    test: Selection


@dataclass(frozen=True, eq=False)
class Division:
    """How the cells are divided in each repeat.

    Attributes
    ----------
    sides : tuple of Sides
        One for each repeat.
    kind : str
        ``folds``: repeats hold out different groups, each group in one of ``folds`` repeats.
        ``one split``, ``split column`` (the data set says who is held out) and ``given``: all
        repeats hold out the same cells.
    folds : int
        1 where all repeats hold out the same cells.
    held_out : float or None
        The share that was asked for.
    split_seed : int or None
    warnings : tuple of str
    """

    sides: tuple[Sides, ...]
    kind: Kind
    folds: int
    held_out: float | None = None
    split_seed: int | None = None
    warnings: tuple[str, ...] = ()

    @property
    def pixels(self) -> tuple[Pixels, ...]:
        """What has to be read."""
        return tuple(
            {
                id(side.pixels): side.pixels
                for repeat in self.sides
                for side in (repeat.train, repeat.test)
            }.values()
        )

    @property
    def held_out_labels(self) -> npt.NDArray[np.int64]:
        """Classes of the cells that are held out in any repeat, each cell once."""
        labels = {
            row: label
            for repeat in self.sides
            for row, label in zip(
                repeat.test.rows.tolist(), repeat.test.cells.labels.tolist(), strict=True
            )
        }
        return np.array(list(labels.values()), dtype=np.int64)

    def rounded(self, repeats: int) -> int:
        """How many of the first repeats hold out every group equally often.

        All of them before the first round of folds is complete.
        """
        return repeats - repeats % self.folds if repeats >= self.folds else repeats

    @property
    def words(self) -> str:
        """What was held out, in a line."""
        groups = _held_out(self.sides)
        if self.kind == "folds":
            rounds = len(self.sides) / self.folds
            often = {1.0: "once", 2.0: "twice"}.get(rounds, f"{rounds:.3g} times")
            if len(self.sides) < self.folds:
                return f"{len(self.sides)} of {self.folds} folds; {groups} held out"
            return f"{self.folds} folds; each of {groups} held out {often}"
        why = {
            "one split": "one split",
            "split column": "the data set's own split",
            "given": "one split, as it was handed over",
        }[self.kind]
        return f"{why}; the same {groups} held out in every repeat"

    def facts(self) -> dict[str, Any]:
        """For the provenance: what is needed to divide the cells likewise."""
        return {
            "kind": self.kind,
            "folds": self.folds,
            "held_out": self.held_out,
            "seed": self.split_seed,
        }


def given(train: Cells, test: Cells, repeats: int) -> Division:
    """The same two sets in every repeat."""
    sides = Sides(*(Selection.whole(Pixels(cells.labelled())) for cells in (train, test)))
    return Division((sides,) * repeats, "given", 1)


def divided(
    cells: Cells,
    repeats: int,
    *,
    held_out: float = 0.25,
    split_seed: int = 0,
    one_split: bool = False,
) -> Division:
    """Divide a whole data set for each repeat.

    Repeats hold out the folds of a cross-validation in turn: as many folds as ``held_out`` goes
    into 1, and another deal of the groups when all were held out. The data set's own split column
    is kept instead.

    Parameters
    ----------
    cells : Cells
        Cells without a class are left out.
    repeats : int
    held_out : float
        Share of the cells in a fold, between 0 and 1.
    split_seed : int
        Of the deals, or of the split.
    one_split : bool
        Hold out the same cells in every repeat.

    Raises
    ------
    DataError
        As `cross_validation_folds` and `split_cells`.
    """
    hold(DataError, held_out=held_out, seed=split_seed)
    cells = cells.labelled()
    if one_split or has_own_split(cells):
        return _once(cells, repeats, held_out, split_seed)
    n_folds = max(2, round(1 / held_out))
    pixels = Pixels(cells)
    sides: list[Sides] = []
    seen: set[bytes] = set()
    while len(sides) < repeats:
        folds = _new_folds(cells, n_folds, (split_seed, len(sides)), seen)
        for flags in folds[: repeats - len(sides)]:
            train, test = (Selection(pixels, np.flatnonzero(side)) for side in (~flags, flags))
            sides.append(Sides(train, test))
    warnings = []
    if len(folds) < n_folds:
        warnings.append(f"{len(folds)} folds instead of {n_folds}: {_fewest(cells)}")
    if repeats < len(folds):
        covered = _held_out(sides)
        warnings.append(
            f"{counted(repeats, 'repeat')} for {len(folds)} folds: only {covered} were ever held "
            "out; "
            f"with {len(folds)} repeats all are"
        )
    return Division(tuple(sides), "folds", len(folds), held_out, split_seed, tuple(warnings))


def _once(cells: Cells, repeats: int, held_out: float, split_seed: int) -> Division:
    kind: Kind = "split column" if has_own_split(cells) else "one split"
    train, test = cells.split(test=held_out, seed=split_seed)
    sides = Sides(*(Selection.whole(Pixels(side)) for side in (train, test)))
    why = "the data set has a split column" if kind == "split column" else "one split was asked for"
    warning = (
        f"{why}: all repeats hold out the same cells, so the error bars hold the chance of "
        "training, but not that of the choice of cells"
    )
    return Division((sides,) * repeats, kind, 1, held_out, split_seed, (warning,))


def _new_folds(
    cells: Cells, folds: int, seed: tuple[int, int], seen: set[bytes]
) -> list[BoolArray]:
    """Folds of a deal that was not there before, where there is another; ``seen`` grows."""
    for attempt in range(TRIES):
        # The first deal is that of the seed itself.
        later = np.random.SeedSequence([*seed, attempt]).generate_state(1)[0]
        flags = cross_validation_folds(cells, folds, int(later) if seed[1] else seed[0])
        marks = {fold.tobytes() for fold in flags}
        if not marks & seen:
            break
    seen |= marks
    return flags


def _fewest(cells: Cells) -> str:
    """Which class has fewest groups."""
    groups, labels = cells.groups, cells.labels
    spread = {code: len(set(groups[labels == code].tolist())) for code in set(labels.tolist())}
    code = min(spread, key=lambda label: (spread[label], label))
    return f"class {cells.classes[code]} is in {counted(spread[code], 'group')} only"


def _held_out(sides: Sequence[Sides]) -> str:
    """Number of groups that are held out, or of cells where each is its own."""
    groups = {group for repeat in sides for group in repeat.test.cells.groups.tolist()}
    cells = {row for repeat in sides for row in repeat.test.rows.tolist()}
    known = len(groups) < len(cells)
    return counted(len(groups), "group") if known else counted(len(cells), "cell")
