"""Shapley values of channels: what each adds to a classifier's accuracy, over all subsets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from napari_channelmix.classify.channel_games import (
    BATCH,
    EXACT_CHANNELS,
    at_once,
    blended_scores,
    donor_pairs,
    shapley_subsets,
    shapley_weights,
)
from napari_channelmix.classify.metrics import recall_of
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.classify.crops import NormalisedCrops

__all__ = ["EXACT_CHANNELS", "ShapleyValues", "shapley_job", "shapley_weights"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

# Crops put through the network in all; decides how many cells and how many donors are used.
FORWARDS = 30_000


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
    subsets, combine = shapley_subsets(channels, rng, exact)
    labels = crops.cells.labels
    cells, donors = donor_pairs(labels, forwards // len(subsets), rng)
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
    size, done = at_once(network, crops.take(np.arange(1))), len(used)
    for start in range(0, len(cells), size):
        batch = slice(start, start + size)
        x, absent = (crops.take(of[batch]).to(device) for of in (cells, donors))
        scores = blended_scores(network, x, absent)
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


def _recall(hits: FloatArray, truth: npt.NDArray[np.int64], classes: int) -> FloatArray:
    right = np.bincount(truth, weights=hits, minlength=classes)
    return recall_of(right, np.bincount(truth, minlength=classes))
