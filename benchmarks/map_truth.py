"""What can be known of a map by asking the classifier very often: a strong test, for benchmarks.

It shares nothing with the test that speaks to users (`pcim.map_reliability`): other random maps (as
smooth as the map itself, 200 instead of a few), other references (the border's median; a blur of
an eighth of the side; the pixels of cells of other classes), another grid of shares, a rank instead
of a standard deviation.

A reference tells something of a cell only where the call is another one with some of the pixels
replaced, by whatever map, and still the same with a tenth of them replaced at random: a network
that loses the class with any change at all treats all maps alike. Where no reference does, it
cannot be told whether the map is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from napari_channelmix.pcim.references import blurred, border_median

if TYPE_CHECKING:
    from napari_channelmix.pcim import Attribution

# Random maps, half of them the negatives of the other half: these need no answers of their own.
MAPS = 200
# Symmetric, so that inserting by a map is deleting by its negative.
SHARES = np.array([0, 0.02, 0.1, 0.3, 0.7, 0.9, 0.98, 1])
# Of 200 random maps: at most so many are as good as a map that is better than random, and at
# least so many as good as one that is not.
BETTER, NOT_BETTER = 0.01, 0.05
# A difference in the probability that nobody would call one.
NO_DIFFERENCE = 0.01


@dataclass(frozen=True, eq=False)
class Truth:
    """What the strong test gives for N maps; R references.

    Attributes
    ----------
    telling : (N, R) bool array
        References that tell something of a cell.
    srg : (N,) array
        Symmetric relevance gain of each map, mean over the references that tell something; NaN
        where none does.
    random : (N, 200) array
        The same of the random maps.
    p : (N,) array
        Share of the random maps and the map itself that are at least as good as the map.
    flip, random_flip : (N,) arrays
        Share of the pixels after whose deletion the call is another one, mean over these
        references (1 where it never is); of the map, and the mean over the random maps.
    """

    telling: np.ndarray
    srg: np.ndarray
    random: np.ndarray
    p: np.ndarray
    flip: np.ndarray
    random_flip: np.ndarray

    @property
    def verdicts(self) -> list[str]:
        """For each map 'yes' (better than random ones), 'no' or 'cannot be told'.

        Yes: at most 1 % of the random maps are as good, and the call does not stand longer against
        the map's deletion than against that of random maps. No: 5 % of the random maps or more
        are as good, or the gain is below .01.
        """
        return [self._verdict(cell) for cell in range(len(self.srg))]

    def _verdict(self, cell: int) -> str:
        if not self.telling[cell].any():
            return "cannot be told"
        if self.p[cell] >= NOT_BETTER or self.srg[cell] < NO_DIFFERENCE:
            return "no"
        if self.p[cell] <= BETTER and self.flip[cell] <= self.random_flip[cell]:
            return "yes"
        return "cannot be told"


def truth_of(
    attribution: Attribution, donors: np.ndarray, maps: np.ndarray | None = None, seed: int = 12345
) -> Truth:
    """Hold maps against random ones as smooth as they are.

    Parameters
    ----------
    attribution : Attribution
    donors : (N, D, C, H, W) array
        For each cell D crops of other classes, in raw units.
    maps : (N, H, W) array, optional
        Other maps of the same cells.
    """
    source = attribution.source.read()
    maps = attribution.maps if maps is None else maps
    rows = []
    with source.subject.at_rest():
        problem, _ = source.problem(np.arange(len(source)), attribution.target, attribution.versus)
        x = problem.x
        flat = source.subject.prepare(donors.reshape(-1, *donors.shape[2:]).astype(np.float32))
        others = flat.view(*donors.shape)
        fixed = [border_median(x).expand_as(x), blurred(x, min(x.shape[2:]) / 8)]
        for cell in range(len(x)):
            refs = torch.stack([*(one[cell] for one in fixed), *others[cell]])
            chance = as_smooth(maps[cell], MAPS // 2, seed + cell)
            some = np.concatenate([maps[cell][None], chance])
            rows.append(
                _of_a_cell(problem.subject, x[cell], refs, problem.target[cell : cell + 1], some)
            )
    inserting, deleting = (np.stack([row[at] for row in rows]) for at in range(2))
    return _truth(inserting, deleting)


def _truth(inserting: np.ndarray, deleting: np.ndarray) -> Truth:
    """From curves (N, 101, R, S): the map's own first."""
    tenth = int(np.flatnonzero(SHARES == 0.1)[0])
    lowest = np.minimum(inserting, deleting)[..., 1:-1].min(axis=(1, 3))
    lowest = np.minimum(lowest, inserting[:, 0, :, 0])
    telling = (lowest < 0.5) & (deleting[:, 1:, :, tenth].mean(axis=1) > 0.5)
    weights = telling / np.maximum(telling.sum(axis=1, keepdims=True), 1)
    weights[~telling.any(axis=1)] = np.nan
    gain = inserting - deleting
    area = ((gain[..., 1:] + gain[..., :-1]) / 2) @ np.diff(SHARES)
    area = np.einsum("nmr,nr->nm", area, weights)
    own, half = area[:, 0], area[:, 1:]
    random = np.concatenate([half, -half], axis=1)
    p = (1 + (random >= own[:, None]).sum(axis=1)) / (1 + random.shape[1])
    gone = deleting < 0.5
    first = np.where(gone.any(axis=-1), SHARES[gone.argmax(axis=-1)], 1.0)
    first = np.einsum("nmr,nr->nm", first, weights)
    return Truth(telling, own, random, p, first[:, 0], first[:, 1:].mean(axis=1))


def _of_a_cell(
    subject: Any, x: torch.Tensor, refs: torch.Tensor, target: Any, maps: np.ndarray
) -> np.ndarray:
    """Curves (2, M, R, S), insertion and deletion, of M maps of a cell (C, H, W)."""
    ranks = np.argsort(np.argsort(-maps.reshape(len(maps), -1), axis=1, kind="stable"), axis=1)
    ranks = torch.from_numpy(ranks.reshape(len(maps), 1, *maps.shape[1:]))
    pixels = maps[0].size
    curves = np.empty((2, len(maps), len(refs), len(SHARES)))
    for at, share in enumerate(SHARES):
        best = ranks < round(share * pixels)
        for of, r in enumerate(refs):
            pair = torch.where(best, x, r), torch.where(best, r, x)
            with torch.inference_mode():
                for which, images in enumerate(pair):
                    if at in (0, len(SHARES) - 1):
                        images = images[:1]
                    asked = target.repeated(len(images))
                    p = asked.probability(subject.scores(images.contiguous()).float())
                    curves[which, :, of, at] = p.cpu().numpy()
    return curves


def as_smooth(one: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Random maps (count, H, W) with the power spectrum of a map, their phases drawn anew."""
    rng = np.random.default_rng(seed)
    size = np.abs(np.fft.fft2(one - one.mean()))
    phases = np.angle(np.fft.fft2(rng.standard_normal((count, *one.shape))))
    return np.fft.ifft2(size * np.exp(1j * phases)).real.astype(np.float32)
