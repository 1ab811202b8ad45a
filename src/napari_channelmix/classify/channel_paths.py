"""Orders of channels walked pair by pair: Shapley values where there are too many subsets.

A pair is a cell and the donor of its absent channels. Every pair has an order of the players
(channels, or groups of channels) of its own, which is walked forwards and backwards: the average
over the two has no error from what is merely additive (antithetic sampling; Mitchell et al. 2022,
JMLR 23, 43, section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_channelmix.classify.channel_games import BATCH, LEAST
from napari_channelmix.classify.networks import SmallNetwork

__all__ = [
    "drawn_orders",
    "equal_pairs",
    "exchanged_scores",
    "member_table",
    "pairs_within",
    "walked_at_once",
    "walked_masks",
    "walked_scores",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Pairs of a class, where the budget would be less; and how many times the budget that may cost.
FEWEST_PAIRS, MOST_BUDGETS = 64, 2
# How often a cell is used, once all cells of its class were.
MOST_DRAWS = 32
# Bytes of windows of the first convolution that are held at once.
WINDOW_BYTES = 64 * 2**20


def pairs_within(forwards: int, players: int, classes: int) -> int:
    """How many pairs of a cell and a donor to walk: each costs ``2 (players - 1)`` crops.

    As many as ``forwards`` pays for, but 64 for each class unless that costs more than twice as
    much: with more channels a pair costs more, and so does the whole, up to twice.

    Examples
    --------
    >>> pairs_within(20_000, 14, 7), pairs_within(20_000, 39, 7), pairs_within(20_000, 200, 7)
    (769, 448, 100)
    """
    cost = 2 * max(players - 1, 1)
    spent = max(forwards, min(FEWEST_PAIRS * classes * cost, MOST_BUDGETS * forwards))
    return max(1, spent // cost)


def equal_pairs(
    labels: IntArray, count: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """About ``count`` cells and the donor of each: two (P,) arrays of positions in ``labels``.

    Every class comes equally often, as far as it has cells: a cell comes again only after all
    others of its class, and at most 32 times; what a rare class leaves is for the others. To the
    cells of a class every class donates equally often (but for one).

    Examples
    --------
    >>> import numpy as np
    >>> labels = np.repeat([0, 1], [20, 2])
    >>> cells, donors = equal_pairs(labels, 12, np.random.default_rng(0))
    >>> np.bincount(labels[cells]).tolist(), np.bincount(cells[labels[cells] == 1])[20:].tolist()
    ([6, 6], [3, 3])
    """
    classes = [np.flatnonzero(labels == code) for code in np.unique(labels)]
    count = max(count, 4 * len(classes))
    room, sizes = count, dict.fromkeys(range(len(classes)), 0)
    by_size = sorted(sizes, key=lambda place: len(classes[place]))
    for left, place in zip(range(len(classes), 0, -1), by_size, strict=True):
        sizes[place] = min(room // left, MOST_DRAWS * len(classes[place]))
        room -= sizes[place]
    cells = np.concatenate([_dealt(classes[place], sizes[place], rng) for place in sizes])
    turns = [
        rng.permutation((np.arange(size) + rng.integers(len(classes))) % len(classes))
        for size in sizes.values()
    ]
    giver = np.concatenate(turns)
    donors = np.empty(len(cells), np.int64)
    for place, members in enumerate(classes):
        receivers = np.flatnonzero(giver == place)
        donors[receivers] = _dealt(members, len(receivers), rng)
    return cells, donors


def _dealt(members: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """``count`` of the members, none again before all others were dealt."""
    packs = np.tile(members, (-(-count // len(members)), 1))
    return rng.permuted(packs, axis=1).flatten()[:count]


def drawn_orders(pairs: int, players: int, rng: np.random.Generator) -> IntArray:
    """A random order of the players for each pair, (P, players)."""
    return rng.permuted(np.tile(np.arange(players), (pairs, 1)), axis=1)


def member_table(players: Sequence[Sequence[int]]) -> IntArray:
    """Positions of each player's channels (players, most), filled with -1.

    Examples
    --------
    >>> member_table([(0,), (1, 2)]).tolist()
    [[0, -1], [1, 2]]
    """
    table = np.full((len(players), max(map(len, players))), -1, np.int64)
    for row, members in enumerate(players):
        table[row, : len(members)] = members
    return table


def walked_masks(orders: IntArray, table: IntArray, channels: int) -> Iterator[BoolArray]:
    """Which channels (n, C) are the cell's own after each step of an order, but for the last.

    Examples
    --------
    >>> import numpy as np
    >>> walk = walked_masks(np.array([[1, 0]]), member_table([(0,), (1, 2)]), 3)
    >>> [mask.astype(int).tolist() for mask in walk]
    [[[0, 1, 1]]]
    """
    rows = np.arange(len(orders))
    present = np.zeros((len(orders), channels), bool)
    for step in range(orders.shape[1] - 1):
        for members in table[orders[:, step]].T:
            there = members >= 0
            present[rows[there], members[there]] = True
        yield present.copy()


def walked_at_once(network: nn.Module, crop: Tensor, table: IntArray) -> int:
    """How many pairs to walk at once; ``crop`` (1, C, H, W) is one of them.

    Memory does not grow with the number of channels, but for the crops themselves.
    """
    if not isinstance(network, SmallNetwork):
        return BATCH // 2
    fitting = network.inference().at_once(crop) // 2
    window = 9 * table.shape[1] * crop.shape[2] * crop.shape[3] * crop.element_size()
    return int(np.clip(WINDOW_BYTES // window, 1, np.clip(fitting, LEAST, BATCH)))


def walked_scores(
    network: SmallNetwork, x: Tensor, absent: Tensor, orders: IntArray, table: IntArray
) -> Iterator[tuple[Tensor, Tensor]]:
    """Scores along an order of each pair, and along its reverse.

    The first convolution is linear in the channels: a step is what one player of each pair changes
    in it, computed once for both ways, since the sets of the reverse are what the order leaves.

    Parameters
    ----------
    network : SmallNetwork
    x, absent : (n, C, H, W) tensors
        Normalised crops, and those of their donors.
    orders : (n, players) int array
        Of each pair.
    table : (players, most) int array
        See `member_table`.

    Yields
    ------
    (n, K), (n, K) tensors
        After each step but the last: the first players are the cell's own and the others the
        donor's; the first players are the donor's and the others the cell's own.
    """
    with torch.inference_mode():
        known = network.inference()
        forwards, backwards = known.stem(absent), known.stem(x)
    for step in range(orders.shape[1] - 1):
        with torch.inference_mode():
            change = _changes(known.layers[0][0], x, absent, table[orders[:, step]], known.padding)
            forwards, backwards = forwards + change, backwards - change
            scores = known.after_stem(torch.cat([forwards, backwards]))
        yield scores[: len(x)], scores[len(x) :]


def exchanged_scores(
    network: SmallNetwork, x: Tensor, absent: Tensor, table: IntArray
) -> Iterator[Tensor]:
    """Scores (n, K) with one player after the other taken from the donor, all others kept."""
    with torch.inference_mode():
        known = network.inference()
        whole = known.stem(x)
    for members in table:
        there = members[members >= 0].tolist()
        with torch.inference_mode():
            kernel = known.layers[0][0][:, there]
            change = functional.conv2d(
                x[:, there] - absent[:, there], kernel, padding=known.padding
            )
            scores = known.after_stem(whole - change)
        yield scores


def _changes(kernel: Tensor, x: Tensor, absent: Tensor, members: IntArray, padding: int) -> Tensor:
    """What other channels (n, most) of each crop change in the first convolution, (n, O, H, W)."""
    where = torch.from_numpy(np.maximum(members, 0)).to(x.device)
    there = torch.from_numpy(members >= 0).to(x.device)
    rows = torch.arange(len(x), device=x.device)[:, None]
    difference = (x[rows, where] - absent[rows, where]) * there[:, :, None, None]
    windows = functional.unfold(difference, kernel.shape[2:], padding=padding)
    weights = kernel.transpose(0, 1)[where].permute(0, 2, 1, 3, 4).flatten(2)
    return torch.bmm(weights, windows).view(len(x), -1, *x.shape[2:])
