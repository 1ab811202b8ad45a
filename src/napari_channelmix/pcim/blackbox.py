"""PCIM against a classifier that only answers: random masks, running sums, a standard error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from napari_channelmix.pcim.problem import Maps, Problem
from napari_channelmix.pcim.references import SOLVING, reference

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["solve", "steps"]

# Pairs of a mask and its opposite between two yields.
PAIRS = 10
NODES = 9


def steps(forwards: int) -> int:
    """How many maps `solve` yields for a number of images it may ask about."""
    return max(1, -(-forwards // (2 * PAIRS)))


def solve(problem: Problem, *, sharp: bool) -> Iterator[Maps]:
    """Rank the pixels by answers alone."""
    draws = torch.Generator().manual_seed(problem.seed)
    x, mean, target = problem.x, problem.mean, problem.target
    total = torch.zeros_like(x[:, :1])
    squares = torch.zeros_like(total)
    done = 0
    for _ in range(steps(problem.forwards)):
        for _ in range(PAIRS):
            m = _mask(problem.size, draws).to(x.device, x.dtype)
            r = reference(SOLVING[done % len(SOLVING)], x, mean, draws)
            with torch.inference_mode():
                kept = target.log_odds(problem.subject.scores(r + (x - r) * m))
                dropped = target.log_odds(problem.subject.scores(x + (r - x) * m))
            one = (kept - dropped)[:, None, None, None] * (m - 0.5)
            total += one
            squares += one**2
            done += 1
        average = total / done
        error = ((squares / done - average**2).clamp_min(0) / done).sqrt()
        yield Maps(average, standard_error=error)


def _mask(size: tuple[int, int], draws: torch.Generator) -> Tensor:
    """A random mask (1, 1, H, W) on a coarse grid with a random shift, half of it kept."""
    height, width = size
    step = -(-max(size) // NODES)
    nodes = (torch.rand(1, 1, NODES + 1, NODES + 1, generator=draws) < 0.5).float()
    large = functional.interpolate(nodes, scale_factor=step, mode="bilinear", align_corners=False)
    top, left = torch.randint(step, (2,), generator=draws).tolist()
    return large[:, :, top : top + height, left : left + width]
