"""Labels dealt anew between groups, as they might have been if they said nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial, prod

import numpy as np
import numpy.typing as npt

__all__ = ["Deals", "label_deals", "ways_to_deal"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

# Up to here every way to deal the labels is tried; beyond, so many are drawn.
EXACT, DRAWS = 40_000, 4_000
# Labels that are dealt in all, at most: fewer draws for many cells.
DEALT, FEWEST_DRAWS = 40_000_000, 400
# Shares of classes that are whole numbers of cells but for rounding.
ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class Deals:
    """Labels of units, and other ways to deal them.

    Attributes
    ----------
    unit : (N,) int array
        Unit of each cell: its group where all groups have one label, else the cell itself.
    labels : (U,) int array
        Of the units, as they are.
    blocks : iterator of (B, U) int arrays
        The deals; can be taken once.
    exact : bool
        Whether these are all different ways to deal the labels, that of the data among them.
    ways : float
        How many different ways there are; infinity where they were not counted.
    """

    unit: IntArray
    labels: IntArray
    blocks: Iterator[IntArray]
    exact: bool
    ways: float


def label_deals(
    labels: IntArray,
    groups: IntArray,
    classes: int,
    rng: np.random.Generator,
    *,
    exact_up_to: int = EXACT,
    draws: int | None = None,
) -> Deals:
    """Deal labels anew, keeping the cells of a group together.

    - Where all cells of a group have one label, the labels of whole groups are dealt: all ways to
      do so where there are at most ``exact_up_to``, else random ones.
    - Where groups hold several classes, every group gets the class shares of a random group, dealt
      at random to its cells. So labels count as exchangeable between groups and between the cells
      of a group. With equal shares in all groups, that is a permutation within the groups.

    Permutation of exchangeable blocks (Winkler et al. 2015, NeuroImage 123, 253); the rule for
    groups of several classes is our definition.

    Parameters
    ----------
    labels : (N,) int array
        From 0 to ``classes`` - 1.
    groups : (N,) int array
        From 0 on, none left out.
    classes : int
    rng : Generator
    exact_up_to : int
    draws : int, optional
        Random deals, where not all are tried; default: 4000, fewer for many cells.
    """
    shares = np.zeros((int(groups.max()) + 1, classes))
    np.add.at(shares, (groups, labels), 1.0)
    shares /= shares.sum(axis=1, keepdims=True)
    if (shares.max(axis=1) < 1).any():
        count = _draws(len(labels)) if draws is None else draws
        blocks = _deals_of_shares(groups, shares, count, rng)
        return Deals(np.arange(len(labels)), labels, blocks, False, float("inf"))
    own = shares.argmax(axis=1)
    ways = ways_to_deal(np.bincount(own, minlength=classes))
    if ways <= exact_up_to:
        return Deals(groups, own, _every_deal(own, classes), True, ways)
    count = _draws(len(own)) if draws is None else draws
    return Deals(groups, own, _random_deals(own, count, rng), False, ways)


def ways_to_deal(counts: Sequence[int] | IntArray) -> float:
    """Different ways to deal so many labels of each class; infinity for more than 100 labels."""
    sizes = [int(count) for count in counts]
    if sum(sizes) > 100:
        return float("inf") if sum(count > 0 for count in sizes) > 1 else 1.0
    return factorial(sum(sizes)) // prod(map(factorial, sizes))


def _every_deal(label: IntArray, classes: int) -> Iterator[IntArray]:
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

    block: list[IntArray] = []
    for places in deals(0, tuple(range(len(label)))):
        deal = np.empty(len(label), dtype=np.int64)
        for code, units in enumerate(places):
            deal[list(units)] = code
        block.append(deal)
        if len(block) == 1000:
            yield np.stack(block)
            block = []
    if block:
        yield np.stack(block)


def _draws(units: int) -> int:
    return int(np.clip(DEALT // max(units, 1), FEWEST_DRAWS, DRAWS))


def _random_deals(label: IntArray, draws: int, rng: np.random.Generator) -> Iterator[IntArray]:
    """The labels in random order, in blocks (B, U)."""
    left, block = draws, max(1, 2_000_000 // len(label))
    while left > 0:
        size = min(left, block)
        yield rng.permuted(np.tile(label, (size, 1)), axis=1)
        left -= size


def _deals_of_shares(
    group_of: IntArray, shares: FloatArray, draws: int, rng: np.random.Generator
) -> Iterator[IntArray]:
    """Each group with the class shares of a random one, dealt to its cells at random (1, U)."""
    sizes = np.bincount(group_of)
    order = np.argsort(group_of, kind="stable")
    for _ in range(draws):
        dealt = np.empty(len(group_of), dtype=np.int64)
        source = rng.permutation(len(sizes))
        # Cells sorted by group, and at random within it, take the labels in turn.
        jumbled = order[np.lexsort((rng.random(len(group_of)), group_of[order]))]
        dealt[jumbled] = np.concatenate(
            [_filled(size, shares[of]) for size, of in zip(sizes, source, strict=True)]
        )
        yield dealt[None]


def _filled(size: int, shares: FloatArray) -> IntArray:
    """``size`` labels whose shares come as near to those given as whole numbers can."""
    exact = size * shares
    counts = np.floor(exact + ROUNDING).astype(np.int64)
    missing = size - int(counts.sum())
    counts[np.argsort(counts - exact, kind="stable")[:missing]] += 1
    return np.repeat(np.arange(len(shares)), counts)
