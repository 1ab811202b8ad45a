"""Methods of the appendix: RISE, extremal masks, variants of GradCAM, SmoothGrad.

Each gives evidence (N, C, H, W) for the log odds of the target, as the opponents do, and has its
kinds among which the pilot cells choose: references of those that take pixels away, and layers of
those that look at activations (``layer 1`` is the last ReLU, ``layer 2`` the one before it, or the
first that there is).
Written from the papers, small, and for the benchmark only.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.references import reference

if TYPE_CHECKING:
    from napari_channelmix.pcim.batch import Problem

__all__ = ["APPENDIX", "APPENDIX_KINDS", "NO_SIGN"]

REFERENCES = ("mean", "border", "blur")
LAYERS = ("layer 1", "layer 2", "layer 3", "layer 4")
# SmoothGrad: draws of noise, and its standard deviation as a share of the range of the crop.
DRAWS, NOISE = 50, 0.15
# RISE: masks, cells of their grid along a side, and how many of these are kept.
MASKS, GRID, KEPT = 1000, 7, 0.5
# Extremal masks: shares of the crop, steps for each, weight of the area, pixels of a cell of the
# grid, and the power of the norm that stands for the maximum over the grid.
AREAS, STEPS, RATE = (0.05, 0.1, 0.2, 0.4, 0.6), 80, 0.05
AREA_WEIGHT, PIXELS, POWER = 300.0, 4, 8
# Images at once.
AT_ONCE = 64


def smoothgrad(problem: Problem, kind: str) -> Tensor:
    """The mean gradient at crops with noise; ``times crop``: multiplied by what the crop adds.

    Smilkov et al., arXiv 1706.03825.
    """
    x, draws = problem.x, torch.Generator().manual_seed(problem.seed)
    spread = NOISE * (x.amax(dim=(2, 3), keepdim=True) - x.amin(dim=(2, 3), keepdim=True))
    total = torch.zeros_like(x)
    for _ in range(DRAWS):
        noise = torch.randn(x.shape[1:], generator=draws)
        total += _gradient(problem, x + spread * noise)
    total = total / DRAWS
    return total * (x - problem.mean) if kind == "times crop" else total


def _gradient(problem: Problem, x: Tensor) -> Tensor:
    with problem.subject.differentiated():
        point = x.detach().requires_grad_(True)
        odds = problem.target.log_odds(problem.subject.scores(point).float()).sum()
        (gradient,) = torch.autograd.grad(odds, point)
    return gradient


@torch.no_grad()
def rise(problem: Problem, kind: str) -> Tensor:
    """The mean of random smooth masks, each weighted by the probability that its pixels keep.

    Petsiuk et al., arXiv 1806.07421; what is not kept is the reference (published: black).
    """
    x, (height, width) = problem.x, problem.size
    r = reference(kind, x, problem.mean, problem.seed)
    draws = torch.Generator().manual_seed(problem.seed)
    up, left = -(-height // GRID), -(-width // GRID)
    total = torch.zeros_like(x[:, :1])
    many = max(1, AT_ONCE // len(x))
    for start in range(0, MASKS, many):
        count = min(many, MASKS - start)
        grid = (torch.rand(count, 1, GRID, GRID, generator=draws) < KEPT).float()
        size = (height + up, width + left)
        large = functional.interpolate(grid, size, mode="bilinear", align_corners=False)
        tops = torch.randint(up, (count,), generator=draws).tolist()
        lefts = torch.randint(left, (count,), generator=draws).tolist()
        masks = torch.stack(
            [
                one[:, top : top + height, side : side + width]
                for one, top, side in zip(large, tops, lefts, strict=True)
            ]
        )
        kept = r + (x - r) * masks[:, None]
        scores = problem.subject.scores(kept.flatten(0, 1)).float()
        p = problem.target.repeated(count).probability(scores).view(count, len(x), 1, 1, 1)
        total += (p * masks[:, None]).sum(dim=0)
    return _even(total / (MASKS * KEPT), problem)


def extremal_masks(problem: Problem, kind: str) -> Tensor:
    """The sum of the masks that keep the class best, one for each share of the crop.

    Fong et al., arXiv 1910.08485: the area is held by comparing the sorted mask with a step, the
    mask is smooth as the soft maximum of bumps on a coarse grid.
    """
    x, (height, width) = problem.x, problem.size
    r = reference(kind, x, problem.mean, problem.seed)
    rows, columns = -(-height // PIXELS), -(-width // PIXELS)
    bumps = _bumps(height, width, rows, columns) ** POWER
    total = torch.zeros_like(x[:, :1])
    for area in AREAS:
        grid = torch.full((len(x), rows * columns), 0.5, requires_grad=True)
        step = torch.zeros(height * width)
        step[round((1 - area) * height * width) :] = 1
        adam = torch.optim.Adam([grid], lr=RATE)
        for done in range(STEPS):
            mask = _soft_maximum(grid, bumps)
            apart = (mask.sort(dim=1).values - step).square().mean(dim=1)
            with problem.subject.differentiated():
                kept = r + (x - r) * mask.view(-1, 1, height, width)
                odds = problem.target.log_odds(problem.subject.scores(kept).float())
                # The area counts more and more, as published.
                loss = (functional.softplus(-odds) + _growing(done) * apart).sum()
                (grid.grad,) = torch.autograd.grad(loss, grid)
            adam.step()
            with torch.no_grad():
                grid.clamp_(0, 1)
        total += _soft_maximum(grid.detach(), bumps).view(-1, 1, height, width)
    return _even(total / len(AREAS), problem)


def _growing(done: int) -> float:
    return AREA_WEIGHT * 2.0 ** (4 * done / STEPS - 4)


def _bumps(height: int, width: int, rows: int, columns: int) -> Tensor:
    """How near each pixel is to each cell of the grid, 0 to 1: (grid, pixels)."""
    y = (torch.arange(height)[None] + 0.5) / PIXELS - torch.arange(rows)[:, None] - 0.5
    x = (torch.arange(width)[None] + 0.5) / PIXELS - torch.arange(columns)[:, None] - 0.5
    far = y.square()[:, None, :, None] + x.square()[None, :, None, :]
    return torch.exp(-0.5 * far).reshape(rows * columns, height * width)


def _soft_maximum(grid: Tensor, bumps: Tensor) -> Tensor:
    """The mask (N, pixels), 0 to 1: of all bumps about the highest, a norm of high power.

    Published: a mean with weights that are soft, which takes many times as long.
    """
    return (grid**POWER @ bumps + 1e-12) ** (1 / POWER)


def gradcam_plus(problem: Problem, kind: str) -> Tensor:
    """GradCAM with weights of each place. Chattopadhay et al., arXiv 1710.11063 (GradCAM++)."""
    maps, gradient = _activations(problem, kind)
    square = gradient.square()
    below = 2 * square + (maps * square * gradient).sum(dim=(2, 3), keepdim=True)
    alpha = torch.where(below != 0, square / torch.where(below != 0, below, 1), 0)
    weight = (alpha * gradient.relu()).sum(dim=(2, 3), keepdim=True)
    return _spread((weight * maps).sum(dim=1, keepdim=True).relu(), problem)


def layer_cam(problem: Problem, kind: str) -> Tensor:
    """Activations times their positive gradients. Jiang et al., 'LayerCAM', IEEE TIP 2021."""
    maps, gradient = _activations(problem, kind)
    return _spread((gradient.relu() * maps).sum(dim=1, keepdim=True).relu(), problem)


def score_cam(problem: Problem, kind: str) -> Tensor:
    """Activations weighted by what the crop keeps of the class under each of them.

    Wang et al., arXiv 1910.01279; what is masked becomes the mean of the data set.
    """
    maps, _ = _activations(problem, kind)
    shown = functional.interpolate(maps, problem.size, mode="bilinear", align_corners=False)
    low, high = shown.amin(dim=(2, 3), keepdim=True), shown.amax(dim=(2, 3), keepdim=True)
    masks = (shown - low) / torch.where(high > low, high - low, torch.inf)
    x, r, scores = problem.x, problem.mean.expand_as(problem.x), []
    with torch.no_grad():
        for channel in masks.split(1, dim=1):
            answer = problem.subject.scores(r + (x - r) * channel).float()
            scores.append(problem.target.probability(answer))
    weight = torch.stack(scores, dim=1).softmax(dim=1)[:, :, None, None]
    return _even((weight * shown).sum(dim=1, keepdim=True).relu(), problem)


def _activations(problem: Problem, kind: str) -> tuple[Tensor, Tensor]:
    """Maps (N, K, h, w) behind a ReLU, and the gradient of the log odds for them."""
    network, place = problem.subject.network, int(kind.removeprefix("layer "))
    layers = [] if network is None else [m for m in network.modules() if isinstance(m, nn.ReLU)]
    if not layers:
        raise ModelError("the network has no ReLU to look at")
    kept: list[Tensor] = []

    def keep(module: nn.Module, inputs: object, output: Tensor) -> None:
        kept.append(output)

    handle = layers[-min(place, len(layers))].register_forward_hook(keep)
    try:
        with problem.subject.differentiated():
            x = problem.x.detach().requires_grad_(True)
            assert network is not None
            odds = problem.target.log_odds(network(x).float()).sum()
            (gradient,) = torch.autograd.grad(odds, kept[0])
    finally:
        handle.remove()
    return kept[0].detach(), gradient


def _spread(small: Tensor, problem: Problem) -> Tensor:
    shown = functional.interpolate(small, problem.size, mode="bilinear", align_corners=False)
    return _even(shown, problem)


def _even(one: Tensor, problem: Problem) -> Tensor:
    """The same for all channels, so that their sum is the map."""
    return (one / problem.x.shape[1]).expand_as(problem.x)


APPENDIX: dict[str, Callable[[Problem, str], Tensor]] = {
    "rise": rise,
    "extremal-masks": extremal_masks,
    "gradcam++": gradcam_plus,
    "layer-cam": layer_cam,
    "score-cam": score_cam,
    "smoothgrad": smoothgrad,
}
# What the pilot cells choose from.
APPENDIX_KINDS = {
    "rise": REFERENCES,
    "extremal-masks": REFERENCES,
    "gradcam++": LAYERS,
    "layer-cam": LAYERS,
    "score-cam": LAYERS[:1],
    "smoothgrad": ("gradient", "times crop"),
}
# Methods whose evidence is never below 0.
NO_SIGN = ("gradcam", "rise", "extremal-masks", "gradcam++", "layer-cam", "score-cam")
