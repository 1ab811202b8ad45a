"""Gradients on the way from real cells to the explained one: Expected Gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from napari_channelmix.errors import ModelError
from napari_channelmix.pcim.cell_pool import LEAST, PooledCells

if TYPE_CHECKING:
    from napari_channelmix.pcim.batch import Problem

__all__ = ["expected_gradients", "pooled_of"]


def pooled_of(problem: Problem, name: str) -> PooledCells:
    """Real cells to start from.

    Raises
    ------
    ModelError
        None are known.
    """
    if problem.pooled is None:
        raise ModelError(
            f"method {name!r} starts from other cells of the data set, and there are too few; "
            f"give {LEAST} cells or more"
        )
    return problem.pooled


def expected_gradients(problem: Problem, count: int, name: str = "expected-gradients") -> Tensor:
    """Mean of ``(x - r) * d log_odds / d z`` at ``z = r + t (x - r)``, r a real cell: (N, C, H, W).

    One gradient for each draw of r and t. Draws are the same for all cells, so that what a cell
    gets does not depend on its company: r goes through the pool in a random order, again and
    again, and t takes the middles of ``count`` equal parts of 0 to 1 in a random order.

    Source: Erion et al., 'Improving performance of deep learning models with axiomatic attribution
    priors and expected gradients', arXiv 1906.10670, equation 5; the even spread of t is our
    choice. A cell is never its own start.

    Parameters
    ----------
    problem : Problem
    count : int
        Gradients, for each cell.
    name : str
        What messages call the method.

    Raises
    ------
    ModelError
        There are no other cells, or the network gives no gradient.
    """
    pooled, x = pooled_of(problem, name), problem.x
    size, draws = len(pooled.x), torch.Generator().manual_seed(problem.seed)
    rounds = -(-count // size)
    order = torch.cat([torch.randperm(size, generator=draws) for _ in range(rounds)])
    parts = (torch.randperm(count, generator=draws) + 0.5) / count
    total = torch.zeros_like(x)
    for index, t in zip(order[:count].tolist(), parts.tolist(), strict=True):
        r = pooled.drawn(index)
        with problem.subject.differentiated():
            z = (r + t * (x - r)).detach().requires_grad_(True)
            odds = problem.target.log_odds(problem.subject.scores(z).float())
            (gradient,) = torch.autograd.grad(odds.sum(), z)
        total += gradient * (x - r)
    return total / count
