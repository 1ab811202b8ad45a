"""Is the map of a channel better than random ones of it? Tested in that channel alone.

The map of all channels says nothing of how far the map of one can be trusted. Here the pixels of
one channel are put in and taken out by its own map, and all others stay as they are:

1. The best pixels of the map are kept in the channel, the others replaced; and the other way round.
   The area between the two curves is what the map gains.
2. The same with random smooth maps of that channel; see `pcim.chance`, whose test it is.
3. A pixel becomes what it would be in an empty channel, or that of another real cell: the absence
   of a marker decides nothing unless the marker is put there.

Only channels that decide are tested, the first eight at most: where a whole channel can be
exchanged and the answer stays, no map of it can gain anything. Our definition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from napari_channelmix.classify.training_cells import crop_digests
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.pcim.chance import MAPS, REFERENCES, SHARES, ChanceTest, random_maps
from napari_channelmix.pcim.references import APART, Reference
from napari_channelmix.pcim.scores import Fidelity

if TYPE_CHECKING:
    from napari_channelmix.pcim.batch import Problem
    from napari_channelmix.pcim.cell_pool import PooledCells
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.pcim.channel_contributions import ChannelContributions

__all__ = ["TESTED", "ChannelReliability", "channel_reliability_job"]

FloatArray = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]

#: Channels of a cell that are tested at most.
TESTED = 8
# Other real cells whose channel replaces pixels, those whose light is least like the cell's.
REAL_CELLS = 4
# Numbers of a batch of crops that the classifier is asked about at once.
ASKED = 2**24


@dataclass(frozen=True, eq=False)
class ChannelReliability:
    """How far the map of each of some channels of a cell can be trusted.

    Attributes
    ----------
    channels : tuple of str
        Those that were tested, T names.
    gain : (T,) float64 array
        Area between the curves, in the channel alone; -1 to 1. Random maps gain 0.
    spread : (T,) float64 array
        Standard deviation of what random maps of the channel gain.
    p_value : (T,) float64 array
        How often a random map of the channel would gain as much.
    better : (T,) bool array
        Whether the map is better than random ones; see `ChanceTest.better`.
    n : int
        Random maps of each channel, with their negatives.
    """

    channels: tuple[str, ...]
    gain: Doubles
    spread: Doubles
    p_value: Doubles
    better: npt.NDArray[np.bool_]
    n: int

    @classmethod
    def of(cls, channels: tuple[str, ...], test: ChanceTest) -> ChannelReliability:
        """From the test of the map of each channel."""
        return cls(channels, test.gain, test.spread, test.p_value, test.better, test.n)

    @classmethod
    def of_none(cls) -> ChannelReliability:
        """No channel was tested."""
        nothing = np.zeros(0)
        return cls((), nothing, nothing, nothing, nothing.astype(bool), 2 * MAPS)

    def mark(self, channel: str) -> str:
        """A word or two for under a picture; empty where the channel was not tested."""
        if channel not in self.channels:
            return ""
        return "faithful" if self.better[self.channels.index(channel)] else "by chance"

    def line(self, channel: str) -> str:
        """What is known of the map of a channel, in words."""
        if channel not in self.channels:
            return "its map was not tested, and must not be read: the channel alone decides nothing"
        row = self.channels.index(channel)
        figures = (
            f"in this channel alone it gains {self.gain[row]:.2f}, random maps 0 ± "
            f"{self.spread[row]:.2f} (n = {self.n})"
        )
        if self.better[row]:
            return f"its map is better than random maps: {figures}"
        return f"its map is no better than random maps, and must not be read: {figures}"

    @property
    def sentence(self) -> str:
        """How many of the maps can be read."""
        if not self.channels:
            return "No map of a single channel was tested: no channel alone decides."
        good = [name for name, better in zip(self.channels, self.better, strict=True) if better]
        names = f": {', '.join(good)}" if good else ""
        return (
            f"Maps of single channels better than random ones of that channel: {len(good)} of "
            f"{len(self.channels)} that decide{names}."
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: lists of T."""
        return {
            "channels": list(self.channels),
            "gain": self.gain.round(6).tolist(),
            "spread": self.spread.round(6).tolist(),
            "p_value": self.p_value.round(6).tolist(),
            "better_than_chance": self.better.tolist(),
            "n": self.n,
        }


def channel_reliability_job(
    source: Source,
    channel_maps: FloatArray,
    contributions: ChannelContributions | None,
    target: int,
    versus: int | None = None,
    *,
    row: int = 0,
    seed: int = 0,
) -> Job[ChannelReliability]:
    """Test the maps of the channels that decide about a cell, the first eight at most.

    Parameters
    ----------
    source : Source
    channel_maps : (C, H, W) float32 array
    contributions : ChannelContributions or None
        Which channels decide; None: none is tested.
    target, versus : int
    row : int
        Which cell of the source.
    seed : int
        Of the random maps and the references.

    Raises
    ------
    DataError, ModelError
        As `pcim.explain`.
    """
    if contributions is None:
        return ChannelReliability.of_none()
    tested = [int(n) for n in contributions.order if contributions.above[n]][:TESTED]
    if not tested:
        return ChannelReliability.of_none()
    cell = source.read(np.array([row]))
    problem, _ = cell.problem(np.array([0]), target, versus)
    own = channel_maps[tested]
    # Each channel of each cell has random maps of its own.
    digests = crop_digests(np.asarray(cell.cells)) + np.array(tested, np.uint64)
    maps = np.stack([own, *random_maps(own.shape, MAPS, seed, digests)])
    with source.subject.at_rest():
        curves, kinds = yield from _curves_job(problem, maps, tested, seed)
    fidelities = [
        Fidelity(np.array(SHARES, np.float64), curves[0, :, number], curves[1, :, number], kinds)
        for number in range(len(maps))
    ]
    names = tuple(source.channels[channel] for channel in tested)
    return ChannelReliability.of(names, ChanceTest.of(fidelities[0], fidelities[1:]))


def _curves_job(
    problem: Problem, maps: FloatArray, channels: list[int], seed: int
) -> Job[tuple[FloatArray, tuple[str, ...]]]:
    """Curves (2, R, M, T, S) of maps (M, T, H, W) of some channels of one cell, and R kinds."""
    x = problem.x
    references = Reference(x, problem.mean, seed, sd=problem.sd)
    count, height, width = maps.shape[1:]
    owners = torch.tensor(channels * len(maps), device=x.device)
    ranks = _ranks(torch.from_numpy(np.ascontiguousarray(maps)).to(x.device).flatten(0, 1))
    size = max(1, ASKED // (2 * x.shape[1] * height * width))
    planes = [references.draw(kind)[0, channels] for kind in REFERENCES]
    if problem.other_cells is not None:
        planes += list(_unlike(x, problem.other_cells, channels))
    curves = np.empty((2, len(planes), len(owners), len(SHARES)), np.float32)
    for index, kind in enumerate(planes):
        drawn = kind.repeat(len(maps), 1, 1)
        for point, share in enumerate(SHARES):
            best = ranks < round(share * height * width)
            for start in range(0, len(owners), size):
                yield Progress(
                    index * len(SHARES) + point + start / len(owners),
                    len(planes) * len(SHARES),
                    "testing the map of each channel that decides",
                )
                some = slice(start, start + size)
                owner = owners[some]
                rows = torch.arange(len(owner), device=x.device)
                for which, kept in enumerate((best[some], ~best[some])):
                    images = x.repeat(len(owner), 1, 1, 1)
                    images[rows, owner] = torch.where(kept, x[0, owner], drawn[some])
                    with torch.inference_mode():
                        scores = problem.subject.scores(images).float()
                        answers = problem.target.repeated(len(owner)).probability(scores)
                    curves[which, index, some, point] = answers.cpu().numpy()
    real = (f"{APART} {n}" for n in range(1, len(planes) - len(REFERENCES) + 1))
    return curves.reshape(2, len(planes), len(maps), count, len(SHARES)), (*REFERENCES, *real)


def _unlike(x: Tensor, cells: PooledCells, channels: list[int]) -> Tensor:
    """Channels (R, T, H, W) of real cells: for each channel the cells least like this one in it."""
    usable = torch.ones(len(cells.x), dtype=torch.bool, device=x.device)
    # A cell that is explained may be one of them; it is then its own number, else -1.
    usable[cells.own[cells.own >= 0]] = False
    some = cells.x[usable][:, channels]
    apart = (some.mean(dim=(2, 3)) - x[:, channels].mean(dim=(2, 3))).abs()
    order = apart.argsort(dim=0, descending=True, stable=True)[:REAL_CELLS]
    return some[order, torch.arange(len(channels), device=x.device)]


def _ranks(maps: Tensor) -> Tensor:
    """Rank of each pixel within its map (n, H, W), 0 for the highest."""
    order = maps.flatten(1).argsort(dim=1, descending=True, stable=True)
    places = torch.arange(order.shape[1], device=maps.device).expand_as(order)
    return torch.empty_like(order).scatter_(1, order, places).view(maps.shape)
