"""PCIM against a classifier that only answers: a linear fit to random masks, then a search."""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_channelmix.classify.callables import is_out_of_memory
from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.batch import Maps, Problem
from napari_channelmix.pcim.batch_size import BLACKBOX_BYTES
from napari_channelmix.pcim.masks import in_spreads, kept_share, thresholds
from napari_channelmix.pcim.references import SOLVING, Reference, blurred, border_median

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["room", "solve", "steps"]

# Pairs of a mask and its opposite between two yields.
PAIRS = 10
# Images in one call of the classifier: calls cost time of their own, many images memory.
IMAGES_AT_ONCE = 64
# Softness of a mask's edge, in spreads of what it is cut from.
SOFTNESS = 0.3

# Lengths are shares of the side: the answers are as many for a large crop as for a small one.
MASK_SIGMA = 0.025
# Scales on which evidence per unit of contrast is smooth.
SCALES = (0.05, 0.15)
# Share of the evidence that has nothing to do with contrast.
PLAIN = 0.02
# Noise in the answers, in units of what a mask moves: references, and pixels that interact.
NOISE = 0.8
# Groups of masks that are left out in turn for the standard error.
GROUPS = 10

# The search: length of a trial and of a step, in spreads of the fitted map.
TRIAL = 0.3
RATE = 0.03
MOMENTUM = 0.9
TRIAL_SIGMAS = (0.05, 0.1)


# Copies of a matrix and of an image that are there at the same time, as measured.
MATRICES, FEATURES, IMAGES = 5, 2, 10


def _pairs(forwards: int) -> int:
    return max(1, forwards // 2)


def _fitted(rounds: int, sharp: bool) -> int:
    """How many of the rounds of `PAIRS` go into the linear fit."""
    return rounds if sharp else -(-rounds // 2)


def steps(forwards: int) -> int:
    """How many maps `solve` yields for a number of images it may ask about."""
    return -(-_pairs(forwards) // PAIRS)


def room(
    shape: tuple[int, ...], forwards: int, *, sharp: bool = False, separate: bool = False
) -> int:
    """Bytes `solve` needs for one cell, about, beside what the classifier needs.

    The fit holds a matrix (pairs, pairs) and another (pairs, cosines); the first makes it grow
    with the square of ``forwards``.

    Parameters
    ----------
    shape : (C, H, W)
    forwards : int
    sharp, separate : bool

    Raises
    ------
    ModelError
        More ``forwards`` than have their matrices in 1 GiB.
    """
    channels, height, width = shape
    weights = channels + (channels if separate else 1)
    cosines = weights * len(_frequencies((height, width), torch.zeros(1))[0])

    def matrices(forwards: int) -> int:
        pairs = min(_pairs(forwards), PAIRS * _fitted(steps(forwards), sharp))
        return 4 * pairs * (MATRICES * pairs + FEATURES * cosines)

    if matrices(forwards) > BLACKBOX_BYTES:
        most = 1 + bisect_right(range(2, forwards), BLACKBOX_BYTES, key=matrices)
        raise ModelError(
            f"forwards {forwards}: for each cell the black box would hold matrices of "
            f"{matrices(forwards) / 2**30:.1f} GiB; use at most {most} (1 GiB)"
        )
    return matrices(forwards) + 4 * IMAGES * weights * height * width


def solve(problem: Problem, *, sharp: bool) -> Iterator[Maps]:
    """Rank the pixels of each cell by answers alone.

    First a linear fit: random masks m keep about half of the pixels, and the answers are
    ``log_odds(keep) - log_odds(drop)`` with ``keep = r + (x - r) m``, ``drop = x + (r - x) m``.
    The map is the mean of a Gaussian process given the answers (see `_Fit`); its pixels sum to
    the log odds of the image above those of the reference.

    Then, unless ``sharp``, half of the images go into a search for a better ranking. It climbs
    the loss of `solver.solve`: a random trial z is added to and taken from the ranking theta,
    and theta moves along z by how much better the one mask did than the other.

    After Petsiuk et al., 'RISE' (arXiv 1806.07421) and Spall, 'Multivariate stochastic
    approximation using a simultaneous perturbation gradient approximation' (1992); the pairs,
    the process and the loss are our definition.

    Parameters
    ----------
    problem : Problem
    sharp : bool
        The linear fit alone, on all images. It keeps to the pixels that count by themselves.

    Yields
    ------
    Maps
        In log odds. The standard error is that of the linear fit.
    """
    fit = _Fit(problem)
    pairs = _pairs(problem.forwards)
    rounds = [min(PAIRS, pairs - done) for done in range(0, pairs, PAIRS)]
    fitted = _fitted(len(rounds), sharp)
    maps = Maps(torch.zeros_like(problem.x[:, :1]))
    for many in rounds[:fitted]:
        fit.ask(many)
        maps = fit.maps()
        yield maps
    search = _Search(fit, maps.values)
    for many in rounds[fitted:]:
        # Each trial takes two pairs: of one pair that is left over nothing is learnt.
        if many > 1:
            search.step(many // 2)
        yield Maps(search.values, standard_error=maps.standard_error)


class _Questions:
    """What both phases ask the classifier, with one stream of random numbers.

    Draws are the same for all cells: what a cell gets does not depend on its company.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.draws = torch.Generator().manual_seed(problem.seed)
        self.references = Reference(problem.x, problem.mean, self.draws)
        self.done = 0
        # Pairs in one call.
        self.at_once = max(1, IMAGES_AT_ONCE // (2 * len(problem.x)))

    def reference(self) -> Tensor:
        """The next reference (N, C, H, W), of all kinds in turn."""
        self.done += 1
        return self.references.draw(SOLVING[self.done % len(SOLVING)])

    def answers(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        """Log odds (len(pairs), 2, N) of what each mask keeps, and of what it leaves.

        Parameters
        ----------
        pairs : sequence of (reference (N, C, H, W), mask (N or 1, P, H, W)) tensors
            As many are asked about in one call as `IMAGES_AT_ONCE` and memory allow.
        """
        results: list[Tensor] = []
        while len(results) < len(pairs):
            some = pairs[len(results) : len(results) + self.at_once]
            try:
                results += self._answers_of(some)
            except Exception as error:
                if not is_out_of_memory(error) or self.at_once == 1:
                    raise
                # Fewer cells at once, which is the caller's part, comes only after this.
                self.at_once = max(1, self.at_once // 2)
        return torch.stack(results)

    def _answers_of(self, pairs: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
        x = self.problem.x
        images = []
        for r, m in pairs:
            kept = (x - r) * m
            images += [r + kept, x - kept]
        target = self.problem.target.repeated(len(images))
        with torch.inference_mode():
            odds = target.log_odds(self.problem.subject.scores(torch.cat(images)).float())
        # What was made under inference mode cannot take part in anything later.
        return odds.clone().view(len(pairs), 2, len(x))

    def noise(self, planes: int, sigma: float) -> Tensor:
        """Smooth noise (1, planes, H, W) of mean square 1; sigma as a share of the side."""
        height, width = self.problem.size
        drawn = torch.randn(1, planes, height, width, generator=self.draws)
        smooth = blurred(drawn, sigma * (height * width) ** 0.5)
        smooth = smooth / smooth.square().mean(dim=(2, 3), keepdim=True).sqrt().clamp_min(1e-6)
        return smooth.to(self.problem.x.device)


class _Fit:
    """Gaussian process of the map: evidence per unit of contrast is smooth.

    A pixel can only count as far as it differs from what replaces it. So the map is
    ``sum over c of d_c w_c`` with the contrast d_c = x_c - r_c and smooth, unknown w_c, which is
    what a gradient times input would be, plus a little that is smooth by itself. Each w is a sum
    of cosines, fewer for the fine ones; the answer to a mask is linear in them.

    Attributes
    ----------
    weights : (N, F, H, W) tensor
        What each smooth w is multiplied with.
    """

    def __init__(self, problem: Problem) -> None:
        x = problem.x
        self.questions = _Questions(problem)
        self.planes = x.shape[1] if problem.separate else 1
        plain = torch.full_like(x[:, : self.planes], PLAIN**0.5)
        self.weights = torch.cat([plain, _contrast(x, problem.mean)], dim=1)
        self.cosines = [_cosines(length).to(x) for length in problem.size]
        self.frequencies, self.sizes = _frequencies(problem.size, x)
        self.features = x.new_zeros(len(x), 0, self.weights.shape[1] * len(self.frequencies))
        self.gram = x.new_zeros(len(x), 0, 0)
        self.differences = x.new_zeros(len(x), 0)
        self.fresh: list[Tensor] = []

    def ask(self, count: int) -> None:
        """Ask about more masks and their opposites."""
        pairs = []
        for _ in range(count):
            m = torch.sigmoid(self.questions.noise(self.planes, MASK_SIGMA) / SOFTNESS)
            pairs.append((self.questions.reference(), m))
        answers = self.questions.answers(pairs)
        self.differences = torch.cat([self.differences, (answers[:, 0] - answers[:, 1]).T], dim=1)
        rows, columns = self.cosines
        for _, m in pairs:
            # With a mask for each channel, the plain part and the contrast each meet all of them.
            tilted = torch.cat([2 * m - 1] * 2, dim=1) if self.planes > 1 else 2 * m - 1
            spectrum = rows @ (tilted * self.weights) @ columns.T
            self.fresh.append((spectrum.flatten(2)[:, :, self.frequencies] * self.sizes).flatten(1))

    def maps(self) -> Maps:
        """The map given all answers so far, with the error a jackknife over groups finds."""
        self._grow()
        count = self.gram.shape[1]
        level = self.gram.diagonal(dim1=1, dim2=2).mean(dim=1).clamp_min(1e-12)
        noisy = self.gram + NOISE * level[:, None, None] * torch.eye(count).to(self.gram)
        inverse = torch.cholesky_inverse(torch.linalg.cholesky(noisy))
        whole = (inverse @ self.differences[:, :, None])[:, :, 0]
        values = self._map_of(whole)
        groups = min(GROUPS, count)
        spread = torch.zeros_like(values)
        for first in range(groups):
            # The fit without a group follows from the whole one: no second solve is needed.
            out = torch.arange(first, count, groups, device=values.device)
            columns = inverse[:, :, out]
            change = torch.linalg.solve(columns[:, out], whole[:, out, None])
            spread += self._map_of((columns @ change)[:, :, 0]).square()
        return Maps(values, standard_error=(spread * max(groups - 1, 1) / groups).sqrt())

    def assembled(self, smooth: Tensor) -> Tensor:
        """Maps (N, P, H, W) from the smooth w (N or 1, F, H, W)."""
        parts = self.weights * smooth
        if self.planes == 1:
            return parts.sum(dim=1, keepdim=True)
        return parts[:, : self.planes] + parts[:, self.planes :]

    def _grow(self) -> None:
        new = torch.stack(self.fresh, dim=1)
        self.fresh = []
        across = self.features @ new.transpose(1, 2)
        top = torch.cat([self.gram, across], dim=2)
        bottom = torch.cat([across.transpose(1, 2), new @ new.transpose(1, 2)], dim=2)
        self.gram = torch.cat([top, bottom], dim=1)
        self.features = torch.cat([self.features, new], dim=1)

    def _map_of(self, shares: Tensor) -> Tensor:
        """The map (N, P, H, W) of a sum of masks; ``shares`` (N, K)."""
        coefficients = (shares[:, None] @ self.features).view(*self.weights.shape[:2], -1)
        spectrum = torch.zeros_like(self.weights).flatten(2)
        spectrum[:, :, self.frequencies] = coefficients * self.sizes
        rows, columns = self.cosines
        return self.assembled(rows.T @ spectrum.view_as(self.weights) @ columns)


class _Search:
    """Steps to a better ranking from the map of a fit; trials look like maps of that fit."""

    def __init__(self, fit: _Fit, start: Tensor) -> None:
        self.fit, self.start = fit, start
        self.spread = start.flatten(1).std(dim=1, correction=0).view(-1, 1, 1, 1)
        self.moved = torch.zeros_like(start)
        self.velocity = torch.zeros_like(start)
        self.squares = start.new_zeros(len(start))
        self.done = 0

    @property
    def values(self) -> Tensor:
        """The map so far, in the units of the start."""
        return self.start + self.spread * self.moved

    def step(self, count: int) -> None:
        """Try some directions, both ways, each at one share of the image.

        All are tried around the same ranking, so that they are asked about together; the ranking
        then moves along one after the other.
        """
        questions, theta = self.fit.questions, in_spreads(self.start) + self.moved
        directions, pairs = [], []
        for number in range(self.done, self.done + count):
            sigma = TRIAL_SIGMAS[number % len(TRIAL_SIGMAS)]
            z = in_spreads(self.fit.assembled(questions.noise(self.fit.weights.shape[1], sigma)))
            directions.append(z)
            # Steps that are a golden section apart fill 0..1 evenly, however many there will be.
            area = torch.tensor([number * 0.6180339887 % 1.0], device=z.device)
            r = questions.reference()
            for tried in (theta + TRIAL * z, theta - TRIAL * z):
                pairs.append((r, kept_share(tried, thresholds(tried, area)[0], SOFTNESS)))
        odds = torch.sigmoid(questions.answers(pairs) / 2)
        gains = odds[:, 0] - odds[:, 1]
        for z, forth, back in zip(directions, gains[0::2], gains[1::2], strict=True):
            better = forth - back
            self.done += 1
            self.squares += better**2
            typical = (self.squares / self.done).sqrt().clamp_min(1e-12)
            pull = (better / typical)[:, None, None, None] * z
            self.velocity = MOMENTUM * self.velocity + (1 - MOMENTUM) * pull
            self.moved = self.moved + RATE * self.velocity


def _contrast(x: Tensor, mean: Tensor) -> Tensor:
    """How far each pixel and channel is from a reference, of mean square 1 over an image."""
    d = x - (border_median(x) + blurred(x, 6.0) + mean) / 3
    spread = d.std(dim=(2, 3), keepdim=True, correction=0)
    d = d / torch.where(spread > 1e-6, spread, torch.inf)
    square = d.square().sum(dim=1, keepdim=True).mean(dim=(2, 3), keepdim=True)
    return d / square.sqrt().clamp_min(1e-6)


def _cosines(length: int) -> Tensor:
    """The orthonormal cosine transform (DCT-II) as a matrix (frequency, place)."""
    places = torch.arange(length)
    waves: Tensor = torch.cos(torch.pi * (places + 0.5) * places[:, None] / length)
    waves[0] *= 0.5**0.5
    waves *= (2 / length) ** 0.5
    return waves


def _frequencies(size: tuple[int, int], like: Tensor) -> tuple[Tensor, Tensor]:
    """Positions (D,) of the cosines smooth enough to matter, and the spread of each (D,)."""
    height, width = size
    fast, slow = ((torch.pi * torch.arange(n) / n) ** 2 for n in size)
    squared = height * width * (fast[:, None] + slow).flatten()
    variance = torch.stack([s**2 * torch.exp(-squared * s**2) for s in SCALES]).sum(dim=0)
    variance = variance / variance[0]
    indices = (variance > 1e-3).nonzero()[:, 0]
    return indices.to(like.device), variance[indices].sqrt().to(like)
