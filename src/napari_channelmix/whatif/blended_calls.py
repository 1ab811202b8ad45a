"""What a classifier calls cells of which some channels are another cell's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.networks import SmallNetwork
    from napari_channelmix.whatif.asking import Asker

__all__ = [
    "AskedBlends",
    "blend_batch",
    "blended_probabilities",
    "exchanged_probabilities",
    "probabilities_job",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]
Players = Sequence[Sequence[int]]
BATCH = 256
# Crops of a batch, their donors' and their mixtures, where a model takes pixels; in bytes.
MOST_BYTES, COPIES = 2**28, 6


def _ours(asker: Asker) -> tuple[Classifier, SmallNetwork] | None:
    """The classifier and its network, where its first convolution can be computed by channel."""
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.networks import SmallNetwork

    model = asker.model
    if isinstance(model, Classifier) and isinstance(model.network, SmallNetwork):
        return model, model.network
    return None


def blended_probabilities(
    asker: Asker, pixels: FloatArray, donors: FloatArray, players: Players | None = None
) -> Callable[[BoolArray], FloatArray]:
    """Probabilities of crops in which the channels outside a subset are those of donors.

    Any model is asked about the blended crops; where the network is one of ours, its first
    convolution is computed once for each channel (`classify.channel_games.blended_scores`).

    Parameters
    ----------
    asker : Asker
    pixels, donors : (n, C, H, W) float32 arrays
        Raw units.
    players : sequence of sequences of int, optional
        Channels that are exchanged together; default: each by itself.

    Returns
    -------
    callable
        From a subset (players,) that is the cell's own to probabilities (n, K).
    """
    from napari_channelmix.classify.channel_games import blended_scores, channels_of

    members = [[c] for c in range(pixels.shape[1])] if players is None else players
    ours = _ours(asker)
    if ours is None:

        def of_crops(present: BoolArray) -> FloatArray:
            own = channels_of(present, members, pixels.shape[1])
            return asker(np.where(own[:, None, None], pixels, donors))

        return of_crops
    model, network = ours
    scores = blended_scores(network, model.normalise(pixels), model.normalise(donors), members)

    def of_sums(present: BoolArray) -> FloatArray:
        asker.asked += len(pixels)
        return asker.prior.applied(model.balanced(scores(present)))

    return of_sums


def exchanged_probabilities(
    asker: Asker, pixels: FloatArray, donors: FloatArray, players: Players
) -> Iterator[FloatArray]:
    """Probabilities (n, K) with one player after the other taken from donors, all others kept.

    Parameters
    ----------
    asker, pixels, donors, players
        As of `blended_probabilities`.
    """
    from napari_channelmix.classify.channel_paths import exchanged_scores, member_table

    ours = _ours(asker)
    if ours is None:
        for members in players:
            crops = pixels.copy()
            crops[:, list(members)] = donors[:, list(members)]
            yield asker(crops)
        return
    model, network = ours
    x, absent = model.normalise(pixels), model.normalise(donors)
    for scores in exchanged_scores(network, x, absent, member_table(players)):
        asker.asked += len(pixels)
        yield asker.prior.applied(model.balanced(scores))


@dataclass(frozen=True, eq=False)
class AskedBlends:
    """Pairs of a cell and a donor whose mixtures a classifier is asked about; see `Blends`.

    Attributes
    ----------
    asker : Asker
    pixels : (N, C, H, W) float32 array
        Raw units.
    cells, donors : (P,) int arrays
        Positions among the N.
    players : sequence of sequences of int
        Channels that are exchanged together.
    """

    asker: Asker
    pixels: FloatArray = field(repr=False)
    cells: IntArray
    donors: IntArray
    players: Players

    def at_once(self, walking: bool) -> int:
        """How many pairs to ask about at once."""
        from napari_channelmix.classify.channel_paths import member_table, walked_at_once

        if not walking:
            return blend_batch(self.asker, self.pixels[:1], len(self.players))
        ours = _ours(self.asker)
        if ours is None:
            return max(1, _fitting(self.pixels[:1]) // 2)
        model, network = ours
        crop = model.normalise(self.pixels[:1])
        return walked_at_once(network, crop, member_table(self.players))

    def subsets(self, batch: slice) -> Callable[[BoolArray], FloatArray]:
        """From a subset (players,) that is the cell's own to probabilities (n, K)."""
        own, donated = self.pixels[self.cells[batch]], self.pixels[self.donors[batch]]
        return blended_probabilities(self.asker, own, donated, self.players)

    def walked(self, batch: slice, orders: IntArray) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Probabilities (n, K) along orders (n, players) and along their reverses."""
        from napari_channelmix.classify.channel_paths import (
            member_table,
            walked_masks,
            walked_scores,
        )

        own, donated = self.pixels[self.cells[batch]], self.pixels[self.donors[batch]]
        table, asker = member_table(self.players), self.asker
        ours = _ours(asker)
        if ours is None:
            for present in walked_masks(orders, table, own.shape[1]):
                keep = present[:, :, None, None]
                crops = [np.where(keep, own, donated), np.where(keep, donated, own)]
                both = asker(np.concatenate(crops))
                yield both[: len(own)], both[len(own) :]
            return
        model, network = ours
        x, absent = model.normalise(own), model.normalise(donated)
        for pair in walked_scores(network, x, absent, orders, table):
            asker.asked += 2 * len(own)
            first, second = (asker.prior.applied(model.balanced(scores)) for scores in pair)
            yield first, second


def blend_batch(asker: Asker, crop: FloatArray, players: int | None = None) -> int:
    """How many cells to blend at once; ``crop`` (1, C, H, W) is one of them."""
    from napari_channelmix.classify.channel_games import at_once
    from napari_channelmix.classify.classifier import Classifier

    if not isinstance(asker.model, Classifier):
        return _fitting(crop)
    return at_once(asker.model.network, asker.model.normalise(crop), players)


def _fitting(crop: FloatArray) -> int:
    """How many crops of this size a batch may have."""
    return int(np.clip(MOST_BYTES // (COPIES * crop[0].nbytes), 1, BATCH))


def probabilities_job(
    asker: Asker, pixels: FloatArray, stage: str = "classifying the cells"
) -> Job[FloatArray]:
    """Probabilities (n, K) of crops as they are, as a job: a step for each batch."""
    parts = [np.zeros((0, len(asker.classes)), np.float32)]
    for start in range(0, len(pixels), BATCH):
        parts.append(asker(pixels[start : start + BATCH]))
        yield Progress(min(start + BATCH, len(pixels)), len(pixels), stage)
    return np.concatenate(parts)
