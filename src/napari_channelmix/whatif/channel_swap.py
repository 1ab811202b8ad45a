"""Exchange of a channel: how often a classifier decides otherwise with another cell's channel."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_games import drawn_donors
from napari_channelmix.classify.stratified_sample import drawn_equally
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.whatif.blended_calls import Players, blend_batch, exchanged_probabilities
from napari_channelmix.whatif.group_intervals import ClassMeans, class_shares

if TYPE_CHECKING:
    from napari_channelmix.whatif.asking import Asker

__all__ = ["ChannelSwaps", "channel_swaps_job"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

MOST_DRAWS = 8


@dataclass(frozen=True, eq=False)
class ChannelSwaps:
    """Share of cells that are called otherwise with another cell's channel.

    Attributes
    ----------
    swap : tuple of ClassMeans
        (players,) donors that are called another class; by the class that the cell itself is
        called.
    sham : tuple of ClassMeans
        (players,) donors that are called the same class: what an exchange does that should not
        matter.
    """

    swap: tuple[ClassMeans, ...] = field(repr=False)
    sham: tuple[ClassMeans, ...] = field(repr=False)


def channel_swaps_job(
    asker: Asker,
    pixels: FloatArray,
    called: IntArray,
    groups: npt.NDArray[Any],
    *,
    forwards: int,
    seed: int = 0,
    players: Players | None = None,
) -> Job[ChannelSwaps]:
    """Take each channel, or group of channels, of some cells from another; a job.

    The classifier is asked again. The donor is called another class (all others equally often), or,
    as the sham, the same class; it is of another group where there is one. Channels are not
    aligned: for that see `whatif.transplants`. Our definition.

    Parameters
    ----------
    asker : Asker
    pixels : (n, C, H, W) float32 array
        Raw units.
    called : (n,) int array
        Class that the classifier calls each cell.
    groups : (n,) array
    forwards : int
        About how many crops to ask about.
    seed : int
    players : sequence of sequences of int, optional
        Channels that are exchanged together; default: each by itself.
    """
    rng = np.random.default_rng(seed)
    together = [[c] for c in range(pixels.shape[1])] if players is None else players
    channels, classes = len(together), len(asker.classes)
    count = max(1, forwards // (2 * channels))
    chosen = drawn_equally(called, count, rng)
    draws = int(np.clip(count // max(len(chosen), 1), 1, MOST_DRAWS))
    cells = np.tile(chosen, draws)
    present = np.unique(called)
    # Donors of the other classes in turn, beginning anywhere.
    turn = np.repeat(np.arange(draws), len(chosen)) + np.tile(
        rng.integers(0, max(len(present) - 1, 1), len(chosen)), draws
    )
    own = np.searchsorted(present, called[cells])
    other = present[(own + 1 + turn % max(len(present) - 1, 1)) % len(present)]
    results: list[tuple[ClassMeans, ...]] = []
    for kind, wanted in enumerate((other, called[cells])):
        donors = drawn_donors(cells, wanted, called, rng, groups)
        valid = donors >= 0
        if kind == 0 and len(present) < 2:
            valid[:] = False
        rows, given = cells[valid], donors[valid]
        flips = np.zeros((channels, len(rows)), bool)
        size = blend_batch(asker, pixels[:1], 1)
        for start in range(0, len(rows), size):
            batch = slice(start, start + size)
            own_pixels, donated = pixels[rows[batch]], pixels[given[batch]]
            answers = exchanged_probabilities(asker, own_pixels, donated, together)
            for channel, probabilities in enumerate(answers):
                flips[channel, batch] = probabilities.argmax(axis=1) != called[rows[batch]]
                done = kind * len(cells) + start + len(own_pixels) * (channel + 1) / channels
                yield Progress(done, 2 * len(cells), "exchanging channels")
        results.append(
            tuple(
                class_shares(flips[c], called[rows], groups[rows], classes, rows)
                for c in range(channels)
            )
        )
    return ChannelSwaps(*results)
