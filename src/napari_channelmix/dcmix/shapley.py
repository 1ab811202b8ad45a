"""Shapley values of channels: what each adds to a classifier's accuracy, and which way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from napari_channelmix.classify.channel_games import (
    BATCH,
    EXACT_CHANNELS,
    at_once,
    blended_scores,
    donor_pairs,
    shapley_weights,
)
from napari_channelmix.classify.channel_paths import (
    equal_pairs,
    member_table,
    pairs_within,
    walked_at_once,
    walked_masks,
    walked_scores,
)
from napari_channelmix.classify.channel_values import agreement, pair_values_job, sampling_error
from napari_channelmix.classify.networks import SmallNetwork
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    from napari_channelmix.classify.crops import NormalisedCrops

__all__ = ["EXACT_CHANNELS", "ShapleyValues", "shapley_job", "shapley_weights"]

FloatArray = npt.NDArray[np.float64]
Probabilities = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

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
    direction : (K, C) array
        -1 to 1: above 0 where more light of the channel makes the class more probable; NaN where
        the channel changes nothing. See `classify.channel_values.agreement`.
    sampling_error : (K + 1, C) array
        Standard errors over pairs of orders, of each class and last of ``overall``; 0 where exact.
    """

    overall: FloatArray
    per_class: FloatArray
    whole: float
    nothing: float
    exact: bool
    direction: FloatArray
    sampling_error: FloatArray


@dataclass(frozen=True, eq=False)
class _NetworkBlends:
    """Pairs of a cell and a donor that a network is asked about; see `Blends`."""

    network: nn.Module
    crops: NormalisedCrops = field(repr=False)
    cells: IntArray
    donors: IntArray
    device: torch.device

    @property
    def _table(self) -> IntArray:
        return member_table([(place,) for place in range(len(self.crops.cells.channels))])

    def at_once(self, walking: bool) -> int:
        crop = self.crops.take(np.arange(1))
        if walking:
            return walked_at_once(self.network, crop, self._table)
        return at_once(self.network, crop)

    def _pair(self, batch: slice) -> tuple[Tensor, Tensor]:
        x, absent = (
            self.crops.take(some[batch]).to(self.device) for some in (self.cells, self.donors)
        )
        return x, absent

    def subsets(self, batch: slice) -> Callable[[BoolArray], Probabilities]:
        scores = blended_scores(self.network, *self._pair(batch))
        return lambda present: _probabilities(scores(present))

    def walked(
        self, batch: slice, orders: IntArray
    ) -> Iterator[tuple[Probabilities, Probabilities]]:
        x, absent = self._pair(batch)
        if isinstance(self.network, SmallNetwork):
            for pair in walked_scores(self.network, x, absent, orders, self._table):
                yield _probabilities(pair[0]), _probabilities(pair[1])
            return
        for present in walked_masks(orders, self._table, x.shape[1]):
            keep = torch.from_numpy(present).to(x.device)[:, :, None, None]
            mixed = torch.cat([torch.where(keep, x, absent), torch.where(keep, absent, x)])
            with torch.inference_mode():
                both = _probabilities(self.network(mixed))
            yield both[: len(x)], both[len(x) :]


def _probabilities(scores: Tensor) -> Probabilities:
    return np.asarray(scores.float().softmax(dim=1).cpu().numpy(), np.float32)


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
    Exact over all subsets for up to `EXACT_CHANNELS` channels; beyond, over a random order of each
    pair of cell and donor, taken forwards and backwards. Shapley's formula, 'A value for n-person
    games' (1953); value and donors are our definition.

    Parameters
    ----------
    network : torch.nn.Module
        Takes normalised crops.
    crops : NormalisedCrops
        Held-out cells, with classes.
    seed : int
        Decides cells, donors and orders.
    device : torch.device
    forwards : int
        About how many crops to put through the network; up to twice as many, see
        `classify.channel_paths.pairs_within`.
    """
    rng = np.random.default_rng(seed)
    channels, classes = len(crops.cells.channels), len(crops.cells.classes)
    exact = channels <= EXACT_CHANNELS
    labels = crops.cells.labels
    if exact:
        cells, donors = donor_pairs(labels, forwards // 2**channels, rng)
    else:
        cells, donors = equal_pairs(labels, pairs_within(forwards, channels, classes), rng)
    truth = labels[cells]
    # With all channels a cell is itself, and with none it is its donor: each is called once.
    used = np.unique(np.concatenate([cells, donors]))
    answers = np.zeros((len(labels), classes), np.float32)
    light = np.zeros((len(labels), channels))
    for start in range(0, len(used), BATCH):
        some = used[start : start + BATCH]
        taken = crops.take(some)
        light[some] = taken.mean(dim=(2, 3)).numpy()
        with torch.inference_mode():
            answers[some] = _probabilities(network(taken.to(device)))
        yield Progress(start + len(some), 20 * len(used), "classifying the cells")
    values = yield from part(
        pair_values_job(
            _NetworkBlends(network, crops, cells, donors, device),
            truth,
            answers[cells],
            answers[donors],
            channels,
            exact=exact,
            rng=rng,
        ),
        0.05,
        0.95,
        1,
    )
    terms, _ = agreement(values.evidence, light[cells] - light[donors], truth)
    errors = sampling_error(values.calls, truth, classes)
    per_class = _of_classes(values.calls, truth, classes)
    with np.errstate(all="ignore"):
        overall = np.nanmean(per_class, axis=0)
        nothing, everything = (
            float(np.nanmean(_of_classes(hits[:, None], truth, classes)))
            for hits in (values.nothing, values.whole)
        )
    return ShapleyValues(
        overall,
        per_class,
        everything,
        nothing,
        exact,
        _of_classes(terms, truth, classes),
        np.zeros_like(errors) if exact else errors,
    )


def _of_classes(values: FloatArray, codes: IntArray, classes: int) -> FloatArray:
    """Mean of the rows of each class (classes, ...); NaN for a class without any."""
    means = np.full((classes, values.shape[1]), np.nan)
    for code in np.unique(codes):
        means[code] = values[codes == code].mean(axis=0)
    return means
