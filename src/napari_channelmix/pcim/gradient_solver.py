"""PCIM against a classifier that can be differentiated: first map, then a step at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from napari_channelmix.pcim.batch import Maps, Problem
from napari_channelmix.pcim.masks import in_order_of, in_spreads, kept_share, thresholds
from napari_channelmix.pcim.references import SOLVING, Reference, blurred

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "FIDELITY",
    "LITERAL_STEPS",
    "Evidence",
    "SolverSettings",
    "literal",
    "path_evidence",
    "solve",
]


# Kinds of reference on the path. The data-set mean adds nothing to these two there.
PATH_KINDS = ("border", "blur")
# Side of the crops that the blurs of a step are for.
SIDE = 48


@dataclass(frozen=True)
class SolverSettings:
    """How `solve` looks for a map.

    Attributes
    ----------
    path : int
        Gradients averaged for the first map.
    steps : int
        Steps of the solver after it.
    areas : int
        Shares of the image tried in one step.
    rate : float
        Length of a step, in spreads of the map.
    momentum : float
    softness : float
        How soft the edge of a mask is, in spreads of the map.
    sigma : float
        Blur of the first map, in pixels.
    step_sigmas : tuple of float
        Blurs of a step, in pixels: what the map may follow in detail, and what in the large. All
        but the first are for crops of up to 48 pixels and grow with the side of larger ones.
    path_kinds, step_kinds : tuple of str
        Kinds of reference on the path and of the steps, in turn, where there are real cells to
        draw from; see `pcim.references`. Without them `PATH_KINDS` and `SOLVING` are used.
    """

    path: int = 3
    steps: int = 6
    areas: int = 1
    rate: float = 0.35
    momentum: float = 0.5
    softness: float = 0.5
    sigma: float = 1.0
    step_sigmas: tuple[float, ...] = (0.5, 2.0)
    path_kinds: tuple[str, ...] = PATH_KINDS
    step_kinds: tuple[str, ...] = ("cells", "border", "cells", "blur")

    def blurs(self, size: tuple[int, int]) -> tuple[float, ...]:
        """Blurs of a step in a crop of this height and width."""
        scale = max(1.0, min(size) / SIDE)
        return (self.step_sigmas[0], *(sigma * scale for sigma in self.step_sigmas[1:]))


FIDELITY = SolverSettings(path=6, steps=120, rate=0.1, path_kinds=("cells", "border"))


@dataclass(frozen=True, eq=False)
class Evidence:
    """What the gradients on the path from reference to image say so far.

    Attributes
    ----------
    signed : (N, C, H, W) tensor
        Evidence for the target, below 0 against it.
    magnitude : (N, 1, H, W) tensor
        How much of it there is, for or against, where all kinds of reference agree.
    """

    signed: Tensor
    magnitude: Tensor


# Blur of the magnitude, in pixels.
MAGNITUDE_SIGMA = 1.5


def path_evidence(
    problem: Problem, references: Reference, points: int, kinds: tuple[str, ...] = PATH_KINDS
) -> Iterator[Evidence]:
    """Evidence of each pixel and channel, the mean over a path from reference to image.

    ``e = (x - r) * d log_odds / d z`` at ``z = r + t (x - r)``, for ``points`` values of t and
    references of the ``kinds`` in turn; ``signed`` is the mean of e. ``magnitude`` is the mean of
    |e|, summed over the channels and blurred, in spreads, and of the kinds the lowest: what only
    one kind of reference brings in says more of that reference than of the cell.

    After Sundararajan et al., 'Axiomatic Attribution for Deep Networks' (integrated gradients,
    arXiv 1703.01365) and Erion et al., 'Improving performance of deep learning models with
    axiomatic attribution priors and expected gradients' (arXiv 1906.10670); the log odds, the
    references and the magnitude are our definition. Yields after each point.
    """
    x, total = problem.x, torch.zeros_like(problem.x)
    size: dict[str, Tensor] = {}
    for done, (t, kind) in enumerate(_stations(points, kinds), start=1):
        r = references.draw(kind)
        with problem.subject.differentiated():
            z = (r + t * (x - r)).detach().requires_grad_(True)
            odds = problem.target.log_odds(problem.subject.scores(z).float()).sum()
            (gradient,) = torch.autograd.grad(odds, z)
        evidence = gradient * (x - r)
        total = total + evidence
        size[kind] = size.get(kind, torch.zeros_like(x[:, :1])) + evidence.abs().sum(
            1, keepdim=True
        )
        agreed = torch.stack(
            [in_spreads(blurred(magnitude, MAGNITUDE_SIGMA)) for magnitude in size.values()]
        )
        yield Evidence(total / done, agreed.amin(dim=0))


def _stations(points: int, kinds: tuple[str, ...]) -> list[tuple[float, str]]:
    """Values of t, from the middle outwards so that a mean at any time is fair, and the kinds."""
    middles = sorted(((i + 0.5) / points for i in range(points)), key=lambda t: abs(t - 0.5))
    # Each kind gets as many t below the middle as above it.
    return [(t, kinds[(i + 1) // 2 % len(kinds)]) for i, t in enumerate(middles)]


def solve(problem: Problem, settings: SolverSettings) -> Iterator[Maps]:
    """Rank the pixels of each cell by how much the classifier's answer needs them.

    ``theta`` ranks the pixels. For any share a of the image it makes a mask, soft at the edge::

        alpha = sigmoid((theta - q_a) / softness)       q_a: a of the image lies above it
        keep  = r + (x - r) alpha ;  drop = x + (r - x) alpha
        L     = mean over a and r of  s(drop) - s(keep),  s = sigmoid(log_odds / 2)

    With s = p, L is minus the area between the insertion and the deletion curve, so the ranking
    is good at every share at once and no weight on the mask's area has to be chosen; the half
    keeps gradients alive where p is close to 0 or 1. ``a`` and ``r`` change with each step; every
    second r is another real cell of the data set, where it has some. A
    step is the gradient, blurred at two scales so that neighbours move together, each in units
    of its spread: a cell the classifier is sure of moves as fast as any other.

    PCIM (Siegismund et al., arXiv 2412.02275): each pixel is a channel of its own, blended by a
    mask trained against a finished classifier. The loss, the references, the ranking, the first
    map and the steps are our definition.

    ``theta`` is a rank and has no unit. The values of a map are the evidence on the path from
    references that are no real cells, in log odds, dealt out to the pixels in the order of
    ``theta``, within each channel where these are separate, times the number of pixels (our
    definition). So the mean of a channel's map is its evidence on that path, and all channels
    together have about the change of the log odds from such a reference to the cell. Real cells are
    left out there: they put the parts of another cell where this one has none, and that is no part
    of this cell.

    Yields
    ------
    Maps
        In log odds, for the whole crop; zero means no evidence. In units of its own spread where
        the path holds no evidence at all.
    """
    x, target = problem.x, problem.target
    references = Reference.of(problem)
    theta = values = torch.zeros_like(x[:, :1])
    magnitude = theta

    def planes(signed: Tensor) -> Tensor:
        summed = signed if problem.separate else signed.sum(dim=1, keepdim=True)
        # Times the pixels: the mean of the map is what all of them add, whatever the crop's size.
        return blurred(summed, settings.sigma) * (x.shape[2] * x.shape[3])

    path_kinds = settings.path_kinds
    if "cells" in path_kinds and references.pooled is None:
        path_kinds = PATH_KINDS
    with_cells = "cells" in path_kinds
    if with_cells:
        # Draws of its own: the order of the pixels shall not depend on the values.
        made = tuple(kind for kind in path_kinds if kind != "cells") or PATH_KINDS
        points = max(len(made), settings.path // 2)
        *_, evidence = path_evidence(problem, Reference.of(problem), points, made)
        values = planes(evidence.signed)
    for evidence in path_evidence(problem, references, settings.path, path_kinds):
        first, magnitude = planes(evidence.signed), evidence.magnitude
        theta, values = in_spreads(first), values if with_cells else first
        yield Maps(_in_log_odds(theta, values), magnitude)
    many, targets = settings.areas, target.repeated(2 * settings.areas)
    sign = torch.tensor([-1.0, 1.0], device=x.device).repeat_interleave(many * len(x))
    velocity = torch.zeros_like(theta)
    kinds = SOLVING if references.pooled is None else settings.step_kinds
    sigmas = settings.blurs(problem.size)
    for step in range(settings.steps):
        edge = thresholds(theta, _areas(step, many, references.draws).to(x.device))
        r = references.draw(kinds[step % len(kinds)])
        mask = kept_share(theta, edge, settings.softness)
        with problem.subject.differentiated():
            alpha = mask.detach().requires_grad_(True)
            part = (x - r) * alpha
            both = torch.cat([(r + part).flatten(0, 1), (x - part).flatten(0, 1)])
            odds = targets.log_odds(problem.subject.scores(both).float())
            loss = (sign * torch.sigmoid(odds / 2)).sum()
            (by_alpha,) = torch.autograd.grad(loss, alpha)
        # d alpha / d theta, but for the softness, which the spread of the step takes out again.
        gradient = (by_alpha * mask * (1 - mask)).sum(dim=0)
        shaped = [in_spreads(blurred(gradient, sigma)) for sigma in sigmas]
        velocity = settings.momentum * velocity - torch.stack(shaped).mean(dim=0)
        theta = theta + settings.rate * velocity
        yield Maps(_in_log_odds(theta, values), magnitude)


def _in_log_odds(theta: Tensor, values: Tensor) -> Tensor:
    """The values in the order of theta; theta itself where the path holds no evidence at all."""
    known = (in_spreads(values) != 0).flatten(1).any(dim=1).view(-1, 1, 1, 1)
    return torch.where(known, in_order_of(theta, values), theta)


def _areas(step: int, many: int, draws: torch.Generator) -> Tensor:
    """Shares of the image to try (many,), one from each part of 0..1."""
    if many == 1:
        # Steps that are a golden section apart fill 0..1 evenly, however many there will be; a
        # first one at 0 would keep nothing, and say nothing.
        return torch.tensor([((step + 1) * 0.6180339887) % 1.0])
    return (torch.arange(many) + torch.rand(many, generator=draws)) / many


LITERAL_STEPS = 20


def literal(problem: Problem) -> Iterator[Maps]:
    """The bare idea of the paper's abstract, for comparison: alphas against black, loss on keep.

    ``alpha = relu(w)``, ``w = 0.5`` at the start, cross entropy of ``alpha x``; one for each
    pixel. Black is the lowest value of each channel in the image.
    """
    x = problem.x
    black = x.amin(dim=(2, 3), keepdim=True)
    planes = x.shape[1] if problem.separate else 1
    w = torch.full((len(x), planes, *problem.size), 0.5, device=x.device, requires_grad=True)
    adam = torch.optim.Adam([w], lr=0.1)
    for _ in range(LITERAL_STEPS):
        with problem.subject.differentiated():
            keep = black + (x - black) * torch.relu(w)
            odds = problem.target.log_odds(problem.subject.scores(keep).float())
            (w.grad,) = torch.autograd.grad(functional.softplus(-odds).sum(), w)
        adam.step()
        yield Maps(torch.relu(w.detach()))
