"""Shapley values of channels: what each adds to a classifier's accuracy, over all subsets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_channelmix.classify.metrics import recall_of
from napari_channelmix.classify.networks import SmallNetwork
from napari_channelmix.dcmix.stratified_sample import drawn_equally
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.classify.crops import NormalisedCrops

__all__ = ["EXACT_CHANNELS", "ShapleyValues", "shapley_job", "shapley_weights"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

# Up to here all 2^C subsets are tried; beyond, random orders of the channels are drawn.
EXACT_CHANNELS = 8
# Crops put through the network in all; decides how many cells and how many donors are used.
FORWARDS = 30_000
MOST_DRAWS = 8
# Crops at once: small steps, so that the job can be stopped at any moment.
BATCH = 256
LEAST = 8
# Maps of the first convolution that are kept, as a share of what is computed at once: a sum and a
# change for each channel.
CACHED_MAPS = 2


@dataclass(frozen=True, eq=False)
class ShapleyValues:
    """Shapley values of C channels, in units of recall.

    Attributes
    ----------
    overall : (C,) array
        For balanced accuracy; sums to ``whole - nothing``.
    per_class : (K, C) array
        For the recall of each class; NaN for a class with no cell. Its mean over the classes that
        occur is ``overall``.
    whole, nothing : float
        Balanced accuracy with all channels and with none.
    exact : bool
        Over all subsets (or over sampled orders).
    """

    overall: FloatArray
    per_class: FloatArray
    whole: float
    nothing: float
    exact: bool


def shapley_weights(channels: int) -> FloatArray:
    """Weight of a subset of size s that a channel joins: ``1 / (C * binom(C - 1, s))``, (C,)."""
    return np.array([1.0 / (channels * comb(channels - 1, size)) for size in range(channels)])


def shapley_job(
    network: nn.Module,
    crops: NormalisedCrops,
    *,
    seed: int,
    device: torch.device,
    forwards: int = FORWARDS,
) -> Job[ShapleyValues]:
    """Shapley values of the channels of a trained network, as a job.

    The value of a subset is the recall of each class when the channels outside the subset are
    replaced by those of another cell; one donor replaces all absent channels at once, and donors
    are drawn so that every class donates equally often, so that no channel at all means chance.
    Exact over all subsets for up to `EXACT_CHANNELS` channels; beyond, over random orders taken
    forwards and backwards. Shapley's formula, 'A value for n-person games' (1953); value and
    donors are our definition.

    Parameters
    ----------
    network : torch.nn.Module
        Takes normalised crops.
    crops : NormalisedCrops
        Held-out cells, with classes.
    seed : int
        Decides cells and donors.
    device : torch.device
    forwards : int
        About how many crops to put through the network.
    """
    rng = np.random.default_rng(seed)
    channels = len(crops.cells.channels)
    exact = channels <= EXACT_CHANNELS
    subsets, combine = _all_subsets(channels) if exact else _orders(channels, rng)
    labels = crops.cells.labels
    cells, donors = _pairs(labels, forwards // len(subsets), rng)
    truth = labels[cells]
    hits = np.zeros((len(subsets), len(cells)))
    # With all channels a cell is itself, and with none it is its donor: each is called once.
    used = np.unique(np.concatenate([cells, donors]))
    inner = range(1, len(subsets) - 1)
    total = len(used) + len(inner) * len(cells)
    stage = "Shapley values of the channels"
    called = np.full(len(labels), -1)
    for start in range(0, len(used), BATCH):
        some = used[start : start + BATCH]
        with torch.inference_mode():
            called[some] = network(crops.take(some).to(device)).argmax(dim=1).cpu().numpy()
        yield Progress(start + len(some), total, stage)
    hits[0], hits[-1] = called[donors] == truth, called[cells] == truth
    # Orders are nested as they come.
    order = sorted(inner, key=lambda one: np.flatnonzero(subsets[one]).tolist()) if exact else inner
    size, done = _at_once(network, crops), len(used)
    for start in range(0, len(cells), size):
        batch = slice(start, start + size)
        x, absent = (crops.take(of[batch]).to(device) for of in (cells, donors))
        scores = _blended_scores(network, x, absent)
        for number in order:
            guess = scores(subsets[number]).argmax(dim=1).cpu().numpy()
            hits[number, batch] = guess == truth[batch]
            done += len(x)
            yield Progress(done, total, stage)
    recalls = np.stack([_recall(row, truth, len(crops.cells.classes)) for row in hits])
    per_class = combine(recalls)
    with np.errstate(all="ignore"):
        overall = np.nanmean(per_class, axis=0)
        nothing, everything = (float(np.nanmean(recalls[i])) for i in (0, -1))
    return ShapleyValues(overall, per_class, everything, nothing, exact)


def _at_once(network: nn.Module, crops: NormalisedCrops) -> int:
    """How many cells to blend at once: the sums of our networks are to stay in a cache."""
    if not isinstance(network, SmallNetwork):
        return BATCH
    fitting = network.inference().at_once(crops.take(np.arange(1)))
    return int(
        np.clip(CACHED_MAPS * fitting // len(crops.cells.channels), LEAST, min(fitting, BATCH))
    )


def _blended_scores(network: nn.Module, x: Tensor, absent: Tensor) -> Callable[[BoolArray], Tensor]:
    """Scores (n, K) of crops in which the channels outside a subset are those of others.

    The first convolution of our networks is linear in the channels: it is computed once for the
    others, and once for what each channel changes in it, and a subset is a sum of these. Sums are
    kept from one subset to the next, so a subset with one channel more is one addition.

    Parameters
    ----------
    network : torch.nn.Module
    x, absent : (n, C, H, W) tensors
        Crops, and those that stand in for their absent channels.
    """
    if not isinstance(network, SmallNetwork):

        def of_any(present: BoolArray) -> Tensor:
            keep = torch.from_numpy(present).to(x.device)[:, None, None]
            with torch.inference_mode():
                scores: Tensor = network(torch.where(keep, x, absent))
            return scores

        return of_any
    with torch.inference_mode():
        known = network.inference()
        kernel, _ = known.layers[0]
        without = known.stem(absent)
        changes = [
            functional.conv2d(
                (x - absent)[:, channel : channel + 1],
                kernel[:, channel : channel + 1],
                padding=known.padding,
            )
            for channel in range(x.shape[1])
        ]
    # Channels in the order in which they were added, and the sums after each.
    path: list[int] = []
    sums = [without]

    def of_sums(present: BoolArray) -> Tensor:
        kept = next((at for at, channel in enumerate(path) if not present[channel]), len(path))
        del path[kept:], sums[kept + 1 :]
        with torch.inference_mode():
            for channel in np.flatnonzero(present).tolist():
                if channel in path:
                    continue
                path.append(channel)
                sums.append(sums[-1] + changes[channel])
            return known.after_stem(sums[-1])

    return of_sums


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


def _pairs(labels: IntArray, count: int, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
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


def _recall(hits: FloatArray, truth: npt.NDArray[np.int64], classes: int) -> FloatArray:
    right = np.bincount(truth, weights=hits, minlength=classes)
    return recall_of(right, np.bincount(truth, minlength=classes))
