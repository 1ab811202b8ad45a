"""Games of channels: what a classifier answers where some channels are another cell's.

A subset of the channels is a cell's own, the others are those of a donor. Shapley values, and the
exchange of a single channel, are made of such answers. No training is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import comb
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_channelmix.classify.networks import SmallNetwork
from napari_channelmix.classify.stratified_sample import drawn_equally

__all__ = [
    "BATCH",
    "EXACT_CHANNELS",
    "at_once",
    "blended_scores",
    "channels_of",
    "donor_pairs",
    "drawn_donors",
    "shapley_subsets",
    "shapley_weights",
]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Up to here all 2^C subsets are tried; beyond, random orders of the channels are drawn.
EXACT_CHANNELS = 8
MOST_DRAWS = 8
# Crops at once: small steps, so that the job can be stopped at any moment.
BATCH = 256
LEAST = 8
# Maps of the first convolution that are kept, as a share of what is computed at once: a sum and a
# change for each channel.
CACHED_MAPS = 2


def shapley_weights(channels: int) -> FloatArray:
    """Weight of a subset of size s that a channel joins: ``1 / (C * binom(C - 1, s))``, (C,).

    Examples
    --------
    >>> [round(float(weight), 3) for weight in shapley_weights(3)]
    [0.333, 0.167, 0.333]
    """
    return np.array([1.0 / (channels * comb(channels - 1, size)) for size in range(channels)])


def at_once(network: nn.Module, crop: Tensor, players: int | None = None) -> int:
    """How many cells to blend at once: the sums of our networks are to stay in a cache.

    ``crop`` (1, C, H, W) is one of them; ``players`` are the channels, or groups of them.
    """
    if not isinstance(network, SmallNetwork):
        return BATCH
    fitting = network.inference().at_once(crop)
    kept = players or crop.shape[1]
    return int(np.clip(CACHED_MAPS * fitting // kept, LEAST, min(fitting, BATCH)))


def blended_scores(
    network: nn.Module,
    x: Tensor,
    absent: Tensor,
    players: Sequence[Sequence[int]] | None = None,
) -> Callable[[BoolArray], Tensor]:
    """Scores (n, K) of crops in which the channels outside a subset are those of others.

    The first convolution of our networks is linear in the channels: it is computed once for the
    others, and once for what each channel changes in it, and a subset is a sum of these. Sums are
    kept from one subset to the next, so a subset with one channel more is one addition.

    Parameters
    ----------
    network : torch.nn.Module
    x, absent : (n, C, H, W) tensors
        Normalised crops, and those that stand in for their absent channels.
    players : sequence of sequences of int, optional
        Channels that are present or absent together; default: each by itself.

    Returns
    -------
    callable
        From a subset (players,) that are present to scores.
    """
    members = [[c] for c in range(x.shape[1])] if players is None else [list(p) for p in players]
    if not isinstance(network, SmallNetwork):

        def of_any(present: BoolArray) -> Tensor:
            channels = channels_of(present, members, x.shape[1])
            keep = torch.from_numpy(channels).to(x.device)[:, None, None]
            with torch.inference_mode():
                scores: Tensor = network(torch.where(keep, x, absent))
            return scores

        return of_any
    with torch.inference_mode():
        known = network.inference()
        kernel, _ = known.layers[0]
        without = known.stem(absent)
        changes = [
            functional.conv2d((x - absent)[:, channels], kernel[:, channels], padding=known.padding)
            for channels in members
        ]
    # Players in the order in which they were added, and the sums after each.
    path: list[int] = []
    sums = [without]

    def of_sums(present: BoolArray) -> Tensor:
        kept = next((i for i, player in enumerate(path) if not present[player]), len(path))
        del path[kept:], sums[kept + 1 :]
        with torch.inference_mode():
            for player in np.flatnonzero(present).tolist():
                if player in path:
                    continue
                path.append(player)
                sums.append(sums[-1] + changes[player])
            return known.after_stem(sums[-1])

    return of_sums


def channels_of(present: BoolArray, players: Sequence[Sequence[int]], channels: int) -> BoolArray:
    """Channels (C,) of the players (players,) that are present.

    Examples
    --------
    >>> import numpy as np
    >>> channels_of(np.array([False, True]), [(0,), (1, 2)], 3).tolist()
    [False, True, True]
    """
    result = np.zeros(channels, bool)
    result[
        [channel for player in np.flatnonzero(present).tolist() for channel in players[player]]
    ] = True
    return result


def shapley_subsets(
    channels: int, rng: np.random.Generator, exact: bool | None = None
) -> tuple[BoolArray, Callable[[FloatArray], FloatArray]]:
    """Subsets of channels whose values are needed, and how to make Shapley values of these.

    Shapley, 'A value for n-person games' (1953): all subsets for up to `EXACT_CHANNELS` channels;
    beyond, subsets along random orders and their reverses.

    Parameters
    ----------
    channels : int
    rng : Generator
        Of the orders.
    exact : bool, optional
        All subsets, however many channels there are.

    Returns
    -------
    (S, C) bool array
        From none to all.
    callable
        From values (S, n) to Shapley values (n, C).

    Examples
    --------
    >>> import numpy as np
    >>> subsets, combine = shapley_subsets(2, np.random.default_rng(0))
    >>> subsets.astype(int).tolist()
    [[0, 0], [1, 0], [0, 1], [1, 1]]
    >>> combine(np.array([[0.0], [1.0], [0.0], [3.0]])).tolist()
    [[2.0, 1.0]]
    """
    if exact is None:
        exact = channels <= EXACT_CHANNELS
    return _all_subsets(channels) if exact else _orders(channels, rng)


def _all_subsets(channels: int) -> tuple[BoolArray, Callable[[FloatArray], FloatArray]]:
    """All subsets (2^C, C), from none to all, and how to make Shapley values of their values."""
    codes = np.arange(2**channels)
    subsets = (codes[:, None] >> np.arange(channels)) & 1 == 1
    weights = shapley_weights(channels)

    def combine(values: FloatArray) -> FloatArray:
        result = np.empty((values.shape[1], channels))
        for channel in range(channels):
            without = codes[~subsets[:, channel]]
            gain = values[without | (1 << channel)] - values[without]
            result[:, channel] = weights[subsets[without].sum(axis=1)] @ gain
        return result

    return subsets, combine


def _orders(
    channels: int, rng: np.random.Generator, pairs: int = 16
) -> tuple[BoolArray, Callable[[FloatArray], FloatArray]]:
    """Subsets along random orders and their reverses, and how to average the gains."""
    drawn = [rng.permutation(channels) for _ in range(pairs)]
    orders = [order for permutation in drawn for order in (permutation, permutation[::-1])]
    subsets = [np.zeros(channels, dtype=bool)]
    for order in orders:
        for size in range(1, channels):
            subset = np.zeros(channels, dtype=bool)
            subset[order[:size]] = True
            subsets.append(subset)
    subsets.append(np.ones(channels, dtype=bool))

    def combine(values: FloatArray) -> FloatArray:
        result = np.zeros((values.shape[1], channels))
        for number, order in enumerate(orders):
            inner = values[1 + number * (channels - 1) : 1 + (number + 1) * (channels - 1)]
            path = np.concatenate([values[:1], inner, values[-1:]])
            result[:, order] += np.diff(path, axis=0).T / len(orders)
        return result

    return np.stack(subsets), combine


def donor_pairs(
    labels: IntArray, count: int, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Cells and the donor of each, about ``count``: two (P,) arrays of positions in ``labels``.

    Every class comes as often as the others, as far as it has cells and no cell comes more than
    8 times: the recalls of all classes weigh the same, and so does their chance error. To the
    cells of a class every class donates equally often (but for one), and no cell donates again
    before all others of its class have.
    """
    classes = np.unique(labels)
    chosen = drawn_equally(labels, max(4 * len(classes), count), rng)
    own = [chosen[labels[chosen] == code] for code in classes]
    draws = [int(np.clip(count // (len(classes) * len(of)), 1, MOST_DRAWS)) for of in own]
    cells = np.concatenate([np.tile(of, times) for of, times in zip(own, draws, strict=True)])
    giver = np.concatenate(
        [
            rng.permutation(
                (np.arange(len(of) * times) + rng.integers(len(classes))) % len(classes)
            )
            for of, times in zip(own, draws, strict=True)
        ]
    )
    donors = np.empty(len(cells), dtype=np.int64)
    for number, code in enumerate(classes):
        members, receivers = np.flatnonzero(labels == code), np.flatnonzero(giver == number)
        packs = np.tile(members, (-(-len(receivers) // len(members)), 1))
        donors[receivers] = rng.permuted(packs, axis=1).flatten()[: len(receivers)]
    return cells, donors


def drawn_donors(
    receivers: IntArray,
    classes: npt.ArrayLike,
    labels: IntArray,
    rng: np.random.Generator,
    groups: npt.NDArray[Any] | None = None,
) -> IntArray:
    """A donor of a given class for each receiver: never itself, and of another group if there is.

    Parameters
    ----------
    receivers : (P,) int array
        Positions among the N cells.
    classes : (P,) int array
        Class of each donor.
    labels : (N,) int array
    rng : Generator
    groups : (N,) array, optional

    Returns
    -------
    (P,) int array
        Positions among the N cells; -1 where the class has no other cell.

    Examples
    --------
    >>> import numpy as np
    >>> labels, rng = np.array([0, 0, 1]), np.random.default_rng(0)
    >>> drawn_donors(np.array([0, 1, 2]), [0, 0, 1], labels, rng).tolist()
    [1, 0, -1]
    """
    wanted = np.broadcast_to(np.asarray(classes, np.int64), receivers.shape)
    donors = np.full(len(receivers), -1, np.int64)
    codes = np.zeros(len(labels), np.int64)
    if groups is not None:
        codes = np.unique(groups, return_inverse=True)[1]
    for label in np.unique(wanted):
        members = np.flatnonzero(labels == label)
        rows = np.flatnonzero(wanted == label)
        for group in np.unique(codes[receivers[rows]]):
            here = rows[codes[receivers[rows]] == group]
            free = members[codes[members] != group]
            if groups is not None and len(free):
                donors[here] = _dealt(free, len(here), rng)
                continue
            # Only its own group has such cells: any but itself. A shift of a shuffled list by at
            # least one place never meets itself.
            own = np.isin(receivers[here], members)
            donors[here[~own]] = _dealt(members, int((~own).sum()), rng)
            if len(members) > 1 and own.any():
                order = rng.permutation(members)
                place = np.empty(len(labels), np.int64)
                place[order] = np.arange(len(order))
                step = rng.integers(1, len(order), int(own.sum()))
                donors[here[own]] = order[(place[receivers[here[own]]] + step) % len(order)]
    return donors


def _dealt(members: IntArray, count: int, rng: np.random.Generator) -> IntArray:
    """``count`` of the members, none again before all others were dealt."""
    if not len(members) or not count:
        return np.full(count, -1, np.int64)
    packs = np.tile(members, (-(-count // len(members)), 1))
    return rng.permuted(packs, axis=1).flatten()[:count]
