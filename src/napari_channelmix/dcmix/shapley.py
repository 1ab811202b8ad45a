"""Shapley values of channels: what each adds to a classifier's accuracy, over all subsets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from napari_channelmix.classify.metrics import recall_of
from napari_channelmix.dcmix.stratified_sample import drawn_equally
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.classify.crops import NormalisedCrops

__all__ = ["EXACT_CHANNELS", "ShapleyValues", "shapley_job", "shapley_weights"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

# Up to here all 2^C subsets are tried; beyond, random orders of the channels are drawn.
EXACT_CHANNELS = 8
# Crops put through the network in all; decides how many cells and how many draws are used.
FORWARDS = 60_000
# Crops at once: small steps, so that the job can be stopped at any moment.
BATCH = 256


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
    chosen = drawn_equally(labels, max(len(np.unique(labels)) * 4, forwards // len(subsets)), rng)
    draws = int(np.clip(forwards // (len(subsets) * len(chosen)), 1, 8))
    donors = [_donors(labels, len(chosen), rng) for _ in range(draws)]
    batches = np.array_split(np.arange(len(chosen)), -(-len(chosen) // BATCH))
    hits = np.zeros((len(subsets), len(chosen)))
    for index, batch in enumerate(batches):
        x = crops.take(chosen[batch]).to(device)
        truth = torch.from_numpy(labels[chosen[batch]])
        for draw, donor in enumerate(donors):
            absent = crops.take(donor[batch]).to(device)
            for number, present in enumerate(subsets):
                keep = torch.from_numpy(present).to(device)[:, None, None]
                with torch.inference_mode():
                    guess = network(torch.where(keep, x, absent)).argmax(dim=1).cpu()
                hits[number, batch] += (guess == truth).numpy()
                done = (index * draws + draw) * len(subsets) + number + 1
                yield Progress(
                    done, len(batches) * draws * len(subsets), "Shapley values of the channels"
                )
    recalls = np.stack(
        [_recall(row / draws, labels[chosen], len(crops.cells.classes)) for row in hits]
    )
    per_class = combine(recalls)
    with np.errstate(all="ignore"):
        overall = np.nanmean(per_class, axis=0)
        nothing, whole = (float(np.nanmean(recalls[i])) for i in (0, -1))
    return ShapleyValues(overall, per_class, whole, nothing, exact)


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


def _donors(
    labels: npt.NDArray[np.int64], count: int, rng: np.random.Generator
) -> npt.NDArray[np.int64]:
    """Donor of each of ``count`` cells: a class at random, then a cell of it."""
    members = [np.flatnonzero(labels == code) for code in np.unique(labels)]
    return np.array([rng.choice(members[k]) for k in rng.integers(len(members), size=count)])


def _recall(hits: FloatArray, truth: npt.NDArray[np.int64], classes: int) -> FloatArray:
    right = np.bincount(truth, weights=hits, minlength=classes)
    return recall_of(right, np.bincount(truth, minlength=classes))
