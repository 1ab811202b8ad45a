"""Is an accuracy above chance: labels permuted between groups, on finished predictions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial, prod

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError

__all__ = ["PermutationTest", "permutation_test"]

Whole = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

# Up to here every way to deal the labels is tried; beyond, so many are drawn.
EXACT, DRAWS = 40_000, 4_000
# Labels that are dealt in all, at most: fewer draws for many cells.
DEALT, FEWEST_DRAWS = 40_000_000, 400
# Differences of accuracies that are rounding.
ROUNDING = 1e-9


@dataclass(frozen=True)
class PermutationTest:
    """How an accuracy stands among those of permuted labels.

    Attributes
    ----------
    observed, expected : float
        Balanced accuracy, and its mean over the permutations.
    p_above, p_below : float
        One-sided: share of the permutations that are at least, or at most, as accurate.
    least : float
        The smallest p that so many groups can give.
    n_groups : int
    exact : bool
        Whether every permutation was tried.
    class_p, class_least : tuple of float or None
        ``p_above`` and ``least`` of the recall of each class; None for one without cells.
    """

    observed: float
    expected: float
    p_above: float
    p_below: float
    least: float
    n_groups: int
    exact: bool
    class_p: tuple[float | None, ...]
    class_least: tuple[float | None, ...]


def permutation_test(
    labels: npt.ArrayLike,
    predicted: npt.ArrayLike,
    groups: npt.ArrayLike,
    classes: int,
    *,
    cells: npt.ArrayLike | None = None,
    seed: int = 0,
) -> PermutationTest:
    """Test an accuracy against labels that say nothing, where cells of a group are alike.

    The predictions stay, the labels are permuted:

    - where all cells of a group have one label, the labels of whole groups are dealt anew, all
      ways to do so where there are at most 40,000, else 4,000 random ones;
    - where groups hold several classes, every group gets the class shares of a random group, dealt
      at random to its cells. So labels count as exchangeable between groups and between the cells
      of a group. With equal shares in all groups, that is a permutation within the groups; with
      one class in each, it is the permutation of the groups.

    A permutation test of predictions (Ojala and Garriga 2010, Journal of Machine Learning Research
    11, 1833), of exchangeable blocks (Winkler et al. 2015, NeuroImage 123, 253). The statistic is
    balanced accuracy; the rule for groups of several classes is our definition.

    Predictions of a cross-validation are made from the labels of the other groups, which permuting
    them afterwards cannot know: on sets without an effect p < .05 came in 5, 6 and 10 % for 8, 12
    and 24 wells. So the gate asks more than a small p; see `dcmix.gate`.

    Parameters
    ----------
    labels, predicted : (N,) int arrays
        Positions in the classes. A cell that was held out several times has a row for each.
    groups : (N,) array
    classes : int
    cells : (N,) array, optional
        Which cell a row is of; default: each row is a cell of its own.
    seed : int
        Of the random permutations.

    Raises
    ------
    DataError
        No cell, or numbers that are no positions in the classes.

    Notes
    -----
    Deals that leave a class without a cell, as groups differ in size, are left out: the labels
    as they are have them all.
    """
    truth, guess = np.asarray(labels, np.int64), np.asarray(predicted, np.int64)
    codes = np.concatenate([truth, guess])
    if not codes.size or codes.min() < 0 or codes.max() >= classes:
        raise DataError(
            f"permutation test: labels and predictions must be 0 to {classes - 1}, for one cell or "
            "more; leave out cells without a class"
        )
    _, cell = np.unique(np.arange(len(truth)) if cells is None else np.asarray(cells),
                        return_inverse=True)  # fmt: skip
    names, group = np.unique(np.asarray(groups), return_inverse=True)
    # Of each cell: its label, its group, and how often it was called each class.
    label, group_of = np.zeros((2, int(cell.max()) + 1), dtype=np.int64)
    label[cell], group_of[cell] = truth, group
    called = np.zeros((len(label), classes))
    np.add.at(called, (cell, guess), 1.0)
    shares = np.zeros((len(names), classes))
    np.add.at(shares, (group_of, label), 1.0)
    shares /= shares.sum(axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    if (shares.max(axis=1) == 1).all():
        of_group = np.zeros((len(names), classes))
        np.add.at(of_group, group_of, called)
        label, called = shares.argmax(axis=1), of_group
        ways = _ways(np.bincount(label, minlength=classes))
        exact = ways <= EXACT
        dealt = _every_deal(label, classes) if exact else _random_deals(label, rng)
    else:
        exact, dealt = False, _deals_of_shares(label, group_of, shares, rng)
    there = np.bincount(label, minlength=classes) > 0
    observed = _recalls(label[None], called)[0]
    null = np.concatenate([_recalls(some, called) for some in dealt])
    # Shares that are dealt to groups of other sizes may leave a class without cells.
    null = null[~np.isnan(null[:, there]).any(axis=1)]
    means, mean = null[:, there].mean(axis=1), float(observed[there].mean())
    # A permutation that was drawn stands beside the labels as they are.
    own = 0 if exact else 1
    count = len(null) + own

    def above(values: Floats, value: float) -> float:
        return float((np.sum(values >= value - ROUNDING) + own) / count)

    fewest = [1 / _ways(np.array([(label == code).sum(), (label != code).sum()]))
              for code in range(classes)]  # fmt: skip
    return PermutationTest(
        observed=mean,
        expected=float(means.mean()) if len(means) else mean,
        p_above=above(means, mean),
        p_below=above(-means, -mean),
        least=1 / count,
        n_groups=len(names),
        exact=exact,
        class_p=tuple(above(null[:, code], observed[code]) if there[code] else None
                      for code in range(classes)),
        class_least=tuple(max(fewest[code], 1 / count) if there[code] else None
                          for code in range(classes)),
    )  # fmt: skip


def _ways(counts: Sequence[int] | Whole) -> float:
    """Different ways to deal so many labels of each class."""
    sizes = [int(count) for count in counts]
    if sum(sizes) > 100:
        return float("inf") if sum(count > 0 for count in sizes) > 1 else 1.0
    return factorial(sum(sizes)) // prod(map(factorial, sizes))


def _recalls(dealt: Whole, called: Floats) -> Floats:
    """Recall of each class (B, K) under labels (B, U) of units that were called ``called`` (U, K).

    NaN for a class that no unit has.
    """
    classes, rows = called.shape[1], called.sum(axis=1)
    hits, total = np.zeros((2, len(dealt), classes))
    for code in range(classes):
        those = dealt == code
        hits[:, code], total[:, code] = those @ called[:, code], those @ rows
    return np.divide(hits, total, out=np.full_like(hits, np.nan), where=total > 0)


def _every_deal(label: Whole, classes: int) -> Iterator[Whole]:
    """All different ways to deal the labels to the units, in blocks (B, U)."""

    def deals(code: int, free: tuple[int, ...]) -> Iterator[list[tuple[int, ...]]]:
        size = int((label == code).sum())
        if code == classes - 1:
            yield [free]
            return
        for chosen in combinations(free, size):
            taken = set(chosen)
            rest = tuple(unit for unit in free if unit not in taken)
            for others in deals(code + 1, rest):
                yield [chosen, *others]

    block: list[Whole] = []
    for places in deals(0, tuple(range(len(label)))):
        one = np.empty(len(label), dtype=np.int64)
        for code, units in enumerate(places):
            one[list(units)] = code
        block.append(one)
        if len(block) == 1000:
            yield np.stack(block)
            block = []
    if block:
        yield np.stack(block)


def _draws(units: int) -> int:
    return int(np.clip(DEALT // max(units, 1), FEWEST_DRAWS, DRAWS))


def _random_deals(label: Whole, rng: np.random.Generator) -> Iterator[Whole]:
    """The labels in random order, in blocks (B, U)."""
    left, block = _draws(len(label)), max(1, 2_000_000 // len(label))
    while left > 0:
        size = min(left, block)
        yield rng.permuted(np.tile(label, (size, 1)), axis=1)
        left -= size


def _deals_of_shares(
    label: Whole, group_of: Whole, shares: Floats, rng: np.random.Generator
) -> Iterator[Whole]:
    """Each group with the class shares of a random one, dealt to its cells at random (1, U)."""
    sizes = np.bincount(group_of)
    order = np.argsort(group_of, kind="stable")
    for _ in range(_draws(len(label))):
        dealt = np.empty(len(label), dtype=np.int64)
        source = rng.permutation(len(sizes))
        # Cells sorted by group, and at random within it, take the labels in turn.
        jumbled = order[np.lexsort((rng.random(len(label)), group_of[order]))]
        dealt[jumbled] = np.concatenate(
            [_filled(size, shares[of]) for size, of in zip(sizes, source, strict=True)]
        )
        yield dealt[None]


def _filled(size: int, shares: Floats) -> Whole:
    """``size`` labels whose shares come as near to those given as whole numbers can."""
    exact = size * shares
    counts = np.floor(exact + ROUNDING).astype(np.int64)
    missing = size - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    return np.repeat(np.arange(len(shares)), counts)
