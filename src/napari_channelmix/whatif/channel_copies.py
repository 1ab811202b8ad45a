"""Channels that are copies of others in some crops: what a class owes to both is split."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.channel_figures import COPY, likeness, pixels_of
from napari_channelmix.wording import fraction, listed

__all__ = ["copy_lines"]

# Crops that are looked at.
MOST_CROPS = 400
# What is brighter than this percentile of a channel counts as that, as in notes on channels.
HIGH = 99.9


def copy_lines(
    channels: Sequence[str],
    crops: npt.NDArray[np.float32],
    players: Sequence[Sequence[int]],
) -> tuple[str, ...]:
    """Say in one line which channels are copies of others; none where there is none.

    A copy correlates with a channel before it by .98 or more over pixels, as in `channel_notes`.
    Copies that are exchanged together are not said: they have one value.

    Parameters
    ----------
    channels : sequence of str
    crops : (n, C, H, W) float32 array
    players : sequence of sequences of int
        Channels that are exchanged together.

    Examples
    --------
    >>> crops = np.random.default_rng(0).normal(size=(20, 3, 8, 8)).astype(np.float32)
    >>> crops[:, 2] = 2 * crops[:, 0] + 1
    >>> copy_lines(["AF", "CD8", "AF-2"], crops, [[0], [1], [2]])[0][:40]
    'AF-2 is a copy of AF (r = 1.00): what is'
    >>> copy_lines(["AF", "CD8", "AF-2"], crops, [[0, 2], [1]])
    ()
    """
    if not len(crops):
        return ()
    some = crops[:: -(-len(crops) // MOST_CROPS)]
    high = np.percentile(some, HIGH, axis=(0, 2, 3))
    alike = likeness(
        np.stack([pixels_of(some[:, place], high[place]) for place in range(len(channels))])
    )
    player_of = {place: number for number, members in enumerate(players) for place in members}
    pairs = []
    for place, name in enumerate(channels):
        originals = np.flatnonzero(alike[place, :place] >= COPY)
        if len(originals) and player_of[place] != player_of[int(originals[0])]:
            value = fraction(float(alike[place, originals[0]]))
            pairs.append(f"{name} is a copy of {channels[originals[0]]} (r = {value})")
    if not pairs:
        return ()
    return (
        f"{listed(pairs, 6)}: what is owed to a channel and its copy is split between them, and "
        "neither may have to be there; leave one out, or ask about both as a group",
    )
