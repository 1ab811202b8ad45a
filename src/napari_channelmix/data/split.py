"""Splits that never divide a group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import hold
from napari_channelmix.errors import DataError, TooFewGroupsError

if TYPE_CHECKING:
    from napari_channelmix.data.cells import Cells

__all__ = ["held_out", "refuse_unlearnt", "split_cells"]

Flags = npt.NDArray[np.bool_]


def split_cells(cells: Cells, *, test: float = 0.25, seed: int = 0) -> tuple[Cells, Cells]:
    """Divide labelled cells into training and held-out ones.

    A data set with its own split column keeps it: rows of ``test`` are held out (of ``val``, where
    there is no ``test``), and ``test`` and ``seed`` say nothing. Otherwise whole groups are drawn
    so that each class has about the share ``test`` of its cells held out.

    Parameters
    ----------
    cells : Cells
        Cells without a class are left out.
    test : float
        Share of the cells to hold out, between 0 and 1.
    seed : int

    Returns
    -------
    train, test : Cells

    Raises
    ------
    DataError
        One class only, a class with fewer than two cells, or groups that cannot be divided so
        that each side has every class.
    """
    cells = cells.labelled()
    own = cells.table["split"].to_numpy(dtype=str)
    if (own != "").any():
        name = "test" if (own == "test").any() else "val"
        flags = own == name
        if not flags.any() or flags.all():
            raise DataError(
                f"{cells.name}: the split column must name both 'train' rows and "
                f"'test' rows; it has {', '.join(sorted(set(own)))}"
            )
        _refuse_one_class(cells)
        refuse_unlearnt(cells, flags, name)
    else:
        flags = held_out(cells, share=test, seed=seed)
    return cells.subset(~flags), cells.subset(flags)


def refuse_unlearnt(cells: Cells, flags: Flags, name: str) -> None:
    """Refuse a class that is only among the cells held back: it could never be learnt."""
    learnt = set(cells.labels[~flags].tolist())
    for code in sorted(set(cells.labels[flags].tolist()) - learnt):
        raise DataError(
            f"{cells.name}: class {cells.classes[code]!r} is only among the rows called {name!r}; "
            "it needs 'train' rows too"
        )


def held_out(cells: Cells, *, share: float, seed: int) -> Flags:
    """Which cells to hold out (N,): whole groups, every class on both sides.

    Groups are tried in many random orders; the draw whose class counts come nearest to ``share``
    of each class is kept. Our definition; scikit-learn's stratified group folds are coarser, as
    they must cut all folds at once.
    """
    hold(DataError, held_out=share, seed=seed)
    _refuse_one_class(cells)
    labels, groups = cells.labels, cells.groups
    names, group_of = np.unique(groups, return_inverse=True)
    counts = np.zeros((len(names), len(cells.classes)))
    np.add.at(counts, (group_of, labels), 1)
    present = counts.sum(axis=0) > 0
    spread = (counts > 0).sum(axis=0)
    for code in np.flatnonzero(present & (spread < 2)):
        raise TooFewGroupsError(
            f"{cells.name}: class {cells.classes[code]!r} is in one group only "
            f"({names[np.flatnonzero(counts[:, code])[0]]}), so it cannot be both trained on and "
            "held out; give it a second group"
        )
    wanted = np.maximum(counts.sum(axis=0) * share, 1)[present]
    rng = np.random.default_rng(seed)
    best: tuple[float, Flags] | None = None
    for _ in range(64):
        chosen = _draw(counts[:, present], wanted, rng)
        got, left = counts[chosen][:, present].sum(axis=0), counts[~chosen][:, present].sum(axis=0)
        if (got > 0).all() and (left > 0).all():
            cost = float((np.abs(got - wanted) / wanted).sum())
            if best is None or cost < best[0]:
                best = cost, chosen
            if cost < 0.02:
                break
    if best is None:
        raise TooFewGroupsError(
            f"{cells.name}: no division of its {len(names)} groups leaves every class on both "
            "sides; give the classes more groups"
        )
    flags: Flags = best[1][group_of]
    return flags


def _draw(
    counts: npt.NDArray[np.float64], wanted: npt.NDArray[np.float64], rng: np.random.Generator
) -> Flags:
    """Take a group of each class, then others as long as they bring the counts nearer to wanted.

    Groups come in random order, and none is taken that would leave a class without a group.
    """
    if (counts.sum(axis=1) == 1).all():
        # Every group is one cell: draw from each class at once.
        chosen = np.zeros(len(counts), dtype=bool)
        for code, number in enumerate(wanted):
            members = np.flatnonzero(counts[:, code])
            take = min(max(1, round(number)), len(members) - 1)
            chosen[rng.choice(members, size=take, replace=False)] = True
        return chosen
    chosen = np.zeros(len(counts), dtype=bool)
    got, left = np.zeros(counts.shape[1]), counts.sum(axis=0)
    order = rng.permutation(len(counts))
    # First whatever brings a class that is not there yet, then what improves the shares.
    for covering in (True, False):
        for group in order:
            after, rest = got + counts[group], left - counts[group]
            new = ((got == 0) & (counts[group] > 0)).any()
            nearer = (np.abs(after - wanted) / wanted).sum() < (np.abs(got - wanted) / wanted).sum()
            if not chosen[group] and (rest > 0).all() and (new if covering else nearer):
                chosen[group], got, left = True, after, rest
    return chosen


def _refuse_one_class(cells: Cells) -> None:
    counts = {name: number for name, number in cells.class_counts.items() if number}
    if not counts:
        raise DataError(f"{cells.name}: no cell has a class; give the cells at least two classes")
    if len(counts) == 1:
        raise DataError(
            f"{cells.name}: all cells are of class {next(iter(counts))!r}; "
            "a classifier needs at least two"
        )
    for name, number in counts.items():
        if number < 2:
            raise DataError(
                f"{cells.name}: class {name!r} has one cell only here; it needs one to train on "
                "and one to hold back (three in the whole set, as part is held out first)"
            )
