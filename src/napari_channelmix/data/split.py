"""Splits that never divide a group."""

from __future__ import annotations

from typing import TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import hold
from napari_channelmix.data.cell_boxes import CellBoxes
from napari_channelmix.errors import DataError, TooFewGroupsError
from napari_channelmix.wording import listed

__all__ = [
    "cross_validation_folds",
    "has_own_split",
    "held_out",
    "refuse_unlearnt",
    "split_cells",
]

C = TypeVar("C", bound=CellBoxes)

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]
Counts = npt.NDArray[np.float64]

# A class of at least so many groups can have two of them held out.
ENOUGH = 4
# Draws that are tried for a split.
DRAWS = 64
# Deals of the groups into folds that are tried, and steps of dealing a group in all of them.
DEALS, STEPS = 128, 20_000


def has_own_split(cells: CellBoxes) -> bool:
    """Whether the data set says itself which cells are held out."""
    return bool((cells.table["split"].to_numpy(dtype=str) != "").any())


def split_cells(cells: C, *, test: float = 0.25, seed: int = 0) -> tuple[C, C]:
    """Divide labelled cells into training and held-out ones.

    A data set with its own split column keeps it: rows of ``test`` are held out (of ``val``, where
    there is no ``test``), and ``test`` and ``seed`` say nothing. Otherwise whole groups are drawn
    so that each class has about the share ``test`` of its cells held out, and two groups at least
    where it has four or more: one held-out group would say nothing of others.

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
    if has_own_split(cells):
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
        flags = held_out(cells, share=test, seed=seed, several=True)
    return cells.subset(~flags), cells.subset(flags)


def refuse_unlearnt(cells: CellBoxes, flags: BoolArray, name: str) -> None:
    """Refuse a class that is only among the cells held back: it could never be learnt."""
    learnt = set(cells.labels[~flags].tolist())
    for code in sorted(set(cells.labels[flags].tolist()) - learnt):
        raise DataError(
            f"{cells.name}: class {cells.classes[code]!r} is only among the rows called {name!r}; "
            "it needs 'train' rows too"
        )


def held_out(cells: CellBoxes, *, share: float, seed: int, several: bool = False) -> BoolArray:
    """Which cells to hold out (N,): whole groups, every class on both sides.

    Groups are tried in many random orders; the draw whose class counts come nearest to ``share``
    of each class is kept. With ``several``, where it holds out one group of a class that has four
    or more, others are drawn that hold out two of it: what is measured on one group says nothing of
    others. Our definition; scikit-learn's stratified group folds are coarser, as they must cut all
    folds at once.
    """
    hold(DataError, held_out=share, seed=seed)
    group_of, counts = _counted(cells)
    target = np.maximum(counts.sum(axis=0) * share, 1)
    rng = np.random.default_rng(seed)
    spread = (counts > 0).sum(axis=0)
    least = np.where(several & (spread >= ENOUGH), 2, 1)
    chosen = _nearest_draw(counts, target, np.ones_like(least), rng)
    if chosen is not None and ((counts[chosen] > 0).sum(axis=0) < least).any():
        more = _nearest_draw(counts, target, least, rng)
        chosen = chosen if more is None else more
    if chosen is None:
        raise TooFewGroupsError(
            f"{cells.name}: no division of its {len(counts)} groups leaves every class on both "
            "sides; give the classes more groups"
        )
    flags: BoolArray = chosen[group_of]
    return flags


def _nearest_draw(
    counts: Counts, target: Counts, least: IntArray, rng: np.random.Generator
) -> BoolArray | None:
    """Groups (G,) with about ``target`` cells of each class, in ``least`` groups or more (K,).

    None where no draw holds out and leaves so many.
    """
    best: tuple[float, BoolArray] | None = None
    for _ in range(DRAWS):
        chosen = _draw(counts, target, least, rng)
        got, left = counts[chosen].sum(axis=0), counts[~chosen].sum(axis=0)
        if ((counts[chosen] > 0).sum(axis=0) >= least).all() and (left > 0).all():
            cost = float((np.abs(got - target) / target).sum())
            if best is None or cost < best[0]:
                best = cost, chosen
            if cost < 0.02:
                break
    return None if best is None else best[1]


def cross_validation_folds(cells: CellBoxes, folds: int, seed: int) -> list[BoolArray]:
    """Divide labelled cells so that each is held out once: for each fold, who is held out (N,).

    Whole groups are dealt, so that every class is trained on in every fold, is held out in every
    fold where that is possible, and has nearly the same share of its cells in each. Cells without
    groups are dealt class by class. There are fewer folds where a class has fewer groups than
    ``folds``. Our definition: the best of many random deals, each of which gives the next group to
    the fold that needs it most, as scikit-learn's ``StratifiedGroupKFold`` does once.

    Parameters
    ----------
    cells : Cells
        All of which have a class.
    folds : int
        2 or more.
    seed : int
        Another seed is another deal.

    Returns
    -------
    list of (N,) bool arrays
        One for each fold; every cell is True in one of them.

    Raises
    ------
    DataError
        One class only, a class with fewer than two cells, or in one group only.
    """
    hold(DataError, folds=folds, seed=seed)
    group_of, counts = _counted(cells)
    most = min(folds, int((counts > 0).sum(axis=0).min()))
    rng = np.random.default_rng(seed)
    if (counts.sum(axis=1) == 1).all():
        return _flags(_dealt_singly(counts, most, rng)[group_of], most)
    # Groups of several classes may be such that only more folds leave each to be trained on.
    for number in range(most, max(folds, 3) + 1):
        fold_of = _dealt(counts, number, rng)
        if fold_of is not None:
            return _flags(fold_of[group_of], number)
    raise TooFewGroupsError(
        f"{cells.name}: no division of its {len(counts)} groups into folds leaves every class to "
        "be trained on; give the classes more groups"
    )


def _flags(fold_of: IntArray, folds: int) -> list[BoolArray]:
    return [fold_of == fold for fold in range(folds)]


def _counted(cells: CellBoxes) -> tuple[IntArray, Counts]:
    """Group of each cell (N,), and cells of each group and class that occurs (G, K).

    Raises
    ------
    DataError
        Cells that cannot be divided, whatever the groups that are chosen.
    """
    _refuse_one_class(cells)
    names, group_of = np.unique(cells.groups, return_inverse=True)
    counts = np.zeros((len(names), len(cells.classes)))
    np.add.at(counts, (group_of, cells.labels), 1)
    present = counts.sum(axis=0) > 0
    spread = (counts > 0).sum(axis=0)
    lone = np.flatnonzero(present & (spread < 2)).tolist()
    if lone:
        where = [str(names[np.flatnonzero(counts[:, code])[0]]) for code in lone]
        pairs = list(zip((cells.classes[code] for code in lone), where, strict=True))
        raise TooFewGroupsError(f"{cells.name}: {_lone_words(pairs)}")
    return group_of.astype(np.int64), counts[:, present]


def _lone_words(pairs: list[tuple[str, str]]) -> str:
    """That classes are in one group each, (class, group), and what can be done; one line."""
    if len(pairs) == 1:
        name, group = pairs[0]
        which, they, them = f"class {name!r} is in one group only ({group})", "it", "it"
    else:
        each = listed([f"{name!r} ({group})" for name, group in pairs], 6)
        which, they, them = f"classes {each} are in one group only each", "they", "each"
    return (
        f"{which}, so {they} cannot be both trained on and held out; give {them} a second group "
        '(group = "COLUMN" in the data-set file, such as blocks of a slide), merge it with another '
        "class, or leave it out (keep = {...} in the data-set file; in the window: give its cells "
        "no class)"
    )


def _dealt_singly(counts: Counts, folds: int, rng: np.random.Generator) -> IntArray:
    """Fold of each group (G,) of one cell: every class dealt in turn, on from the last one."""
    fold_of, turn = np.zeros(len(counts), dtype=np.int64), 0
    for members in (rng.permutation(np.flatnonzero(of)) for of in counts.T):
        fold_of[members] = (turn + np.arange(len(members))) % folds
        turn += len(members)
    return fold_of


def _dealt(counts: Counts, folds: int, rng: np.random.Generator) -> IntArray | None:
    """Fold of each group (G,), the best of many deals; None where none leaves all to train on."""
    sizes = counts.sum(axis=1, keepdims=True)
    # The last column is for folds of equal size: it decides between deals equal in the classes.
    shares = np.hstack([counts / counts.sum(axis=0), 0.1 * sizes / sizes.sum()])
    best: tuple[tuple[int, float], IntArray] | None = None
    for _ in range(int(np.clip(STEPS // len(counts), 4, DEALS))):
        fold_of = _deal(shares, folds, rng)
        fold_shares = np.stack([shares[fold_of == fold].sum(axis=0) for fold in range(folds)])
        if (fold_shares[:, :-1] > 1 - 1e-9).any():
            continue
        apart = np.abs(fold_shares - shares.sum(axis=0) / folds).sum()
        cost = int((fold_shares == 0).sum()), float(apart)
        if best is None or cost < best[0]:
            best = cost, fold_of
    return None if best is None else best[1]


def _deal(shares: Counts, folds: int, rng: np.random.Generator) -> IntArray:
    """Give each group to the fold that has least of its classes; large groups about first."""
    fold_of, fold_shares = np.zeros(len(shares), dtype=np.int64), np.zeros((folds, shares.shape[1]))
    for group in np.argsort(-shares.max(axis=1) * rng.uniform(0.7, 1.0, len(shares))):
        # What the sum of the squared shares grows by, up to a constant.
        cost = fold_shares @ shares[group]
        fold = int(rng.choice(np.flatnonzero(cost <= cost.min() + 1e-12)))
        fold_of[group] = fold
        fold_shares[fold] += shares[group]
    return fold_of


def _draw(counts: Counts, target: Counts, least: IntArray, rng: np.random.Generator) -> BoolArray:
    """Take the least groups of each class, then others that bring the counts nearer to wanted.

    Groups come in random order, and none is taken that would leave a class without a group.
    """
    if (counts.sum(axis=1) == 1).all():
        # Every group is one cell: draw from each class at once.
        chosen = np.zeros(len(counts), dtype=bool)
        for code, number in enumerate(target):
            members = np.flatnonzero(counts[:, code])
            take = min(max(int(least[code]), round(number)), len(members) - 1)
            chosen[rng.choice(members, size=take, replace=False)] = True
        return chosen
    chosen = np.zeros(len(counts), dtype=bool)
    got, left = np.zeros(counts.shape[1]), counts.sum(axis=0)
    group_counts = np.zeros(counts.shape[1], dtype=np.int64)
    order = rng.permutation(len(counts))
    # First whatever brings a class that is in too few groups, then what improves the shares.
    for covering in (True, False):
        for group in order:
            after, rest = got + counts[group], left - counts[group]
            new = ((group_counts < least) & (counts[group] > 0)).any()
            nearer = (np.abs(after - target) / target).sum() < (np.abs(got - target) / target).sum()
            if not chosen[group] and (rest > 0).all() and (new if covering else nearer):
                chosen[group], got, left = True, after, rest
                group_counts += counts[group] > 0
    return chosen


def _refuse_one_class(cells: CellBoxes) -> None:
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
