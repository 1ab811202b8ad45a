"""Is a map better than random ones? A test of single cells, with the answers of the classifier.

1. Put the best pixels of the map into a reference, and take them out of the image; the area between
   the two curves is what the map gains (SRG).
2. Do the same with random smooth maps. The gain of a map's negative is minus its own, since the
   best pixels of one are the worst of the other: each random map counts twice, and chance gains 0.
3. Judge by the references with which the prediction is another one somewhere on the way, by
   whatever map: where it stays the same whatever is replaced, no map can gain anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import torch
from scipy import stats

from napari_channelmix.classify.training_cells import crop_digests
from napari_channelmix.jobs import Job, part
from napari_channelmix.pcim.measure import measure_job
from napari_channelmix.pcim.references import blurred

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.classify.training_cells import Digests
    from napari_channelmix.pcim.cell_source import Source
    from napari_channelmix.pcim.scores import Fidelity

__all__ = ["MAPS", "ChanceTest", "chance_test_job", "curves_job", "random_maps"]

Doubles = npt.NDArray[np.float64]
FloatArray = npt.NDArray[np.float32]

# Random maps that are asked about; with their negatives there are twice as many.
MAPS = 12
# The third is one that methods work with, so it flatters their maps a little; it is there for
# classes that a blank picture already looks like.
REFERENCES = ("background", "smooth", "mean")
# Symmetric, so that inserting by a map is deleting by its negative.
SHARES = (0, 0.02, 0.08, 0.25, 0.5, 0.75, 0.92, 0.98, 1)
# A random map passes in one case of so many, by a normal law around 0 ...
LEVEL = 0.05
# ... and never with less than this gain: a smaller one nobody can see in the answers.
SEEN_GAIN = 0.05
# Below this probability of the target the prediction is another one.
GONE = 0.5


@dataclass(frozen=True, eq=False)
class ChanceTest:
    """What N maps gain, beside random ones.

    Attributes
    ----------
    gain : (N,) float64 array
        SRG of the maps, mean over the references that count; -1 to 1.
    random : (M, N) float64 array
        The same of the random maps; their negatives, with the opposite gain, are not listed.
    answer_range : (N,) float64 array
        How far the probability of the target moves, 0 to 1, as the maps' pixels come and go.
    """

    gain: Doubles
    random: Doubles
    answer_range: Doubles

    @classmethod
    def of(cls, own: Fidelity, others: Sequence[Fidelity]) -> ChanceTest:
        """From the curves of the maps and those of random ones; see `curves_job`."""
        lowest = np.min([_lowest(fidelity) for fidelity in (own, *others)], axis=0)
        weights = (lowest < GONE).astype(np.float64)
        weights[:, weights.sum(axis=0) == 0] = 1
        weights /= weights.sum(axis=0)
        gains = [(weights * fidelity.srg_by_reference).sum(axis=0) for fidelity in (own, *others)]
        curves = np.stack([own.inserting, own.deleting]).astype(np.float64)
        moved = curves.max(axis=(0, 1, 3)) - curves.min(axis=(0, 1, 3))
        return cls(gains[0], np.stack(gains[1:]), moved)

    @property
    def spread(self) -> Doubles:
        """Standard deviation of what random maps gain (N,); their mean is 0."""
        spread: Doubles = np.sqrt(np.mean(self.random**2, axis=0))
        return spread

    @property
    def n(self) -> int:
        """Random maps that were asked about, with their negatives."""
        return 2 * len(self.random)

    @property
    def p_value(self) -> Doubles:
        """How often a random map would gain as much (N,); by the t distribution of `better`."""
        scale = np.maximum(self.spread, np.finfo(np.float64).tiny)
        return np.asarray(stats.t.sf(self.gain / scale, len(self.random)), dtype=np.float64)

    @property
    def better(self) -> npt.NDArray[np.bool_]:
        """Whether each map (N,) is better than random ones.

        Above .05, and above what one random map in twenty gains, by a t distribution with as many
        degrees of freedom as there are random maps. Our definition.
        """
        limit = stats.t.ppf(1 - LEVEL, len(self.random)) * self.spread
        result: npt.NDArray[np.bool_] = self.gain > np.maximum(limit, SEEN_GAIN)
        return result


def chance_test_job(
    source: Source,
    maps: FloatArray,
    target: Any,
    versus: Any = None,
    *,
    seed: int = 0,
) -> Job[ChanceTest]:
    """Hold maps against random ones of the same cells; a job with a step for each of these.

    Parameters
    ----------
    source : Source
    maps : (N, H, W) float32 array
    target, versus
        As for `explain`.
    seed : int
        Of the random maps.
    """
    own = yield from part(curves_job(source, maps, target, versus), 0, 1, MAPS + 1)
    others = []
    digests = crop_digests(source.crops())
    for index, some in enumerate(random_maps(maps.shape, MAPS, seed, digests), start=1):
        job = curves_job(source, some, target, versus)
        others.append((yield from part(job, index, 1, MAPS + 1)))
    return ChanceTest.of(own, others)


def curves_job(source: Source, maps: FloatArray, target: Any, versus: Any = None) -> Job[Fidelity]:
    """Insertion and deletion curves on the references and shares of this test, as a job."""
    return measure_job(
        source.model, source, maps, target, versus, references=REFERENCES, shares=SHARES
    )


def _lowest(of: Fidelity) -> FloatArray:
    """The lowest probability of the target on the way (R, N)."""
    lowest: FloatArray = np.minimum(of.inserting, of.deleting).min(axis=2)
    return lowest


def random_maps(
    shape: tuple[int, ...], count: int, seed: int, digests: Digests | None = None
) -> list[FloatArray]:
    """Maps (N, H, W) of smooth noise, as smooth as real ones (sigma 3 pixels). Our definition.

    Those of a cell are drawn from a digest of its pixels, so that they are the same whichever cells
    it is tested with.

    Parameters
    ----------
    shape : (N, H, W)
    count : int
    seed : int
    digests : (N,) uint64 array, optional
        See `crop_digests`; default: the numbers of the maps.
    """
    own = range(shape[0]) if digests is None else digests.tolist()
    noise = np.empty((count, *shape), np.float32)
    for row, digest in enumerate(own):
        draws = np.random.default_rng([seed, digest])
        noise[:, row] = draws.standard_normal((count, *shape[1:]), np.float32)
    return [blurred(torch.from_numpy(maps)[:, None], 3.0)[:, 0].numpy() for maps in noise]
