"""Removed pixels filled in from those that are kept."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["filled_in"]

# Sweeps of relaxation after the pyramid has given a start.
SWEEPS = 16


def filled_in(x: Tensor, kept: Tensor, mean: Tensor) -> Tensor:
    """Images whose removed pixels continue the kept ones smoothly; kept pixels stay.

    The membrane through the kept pixels (Laplace's equation, free at the border): a start from a
    pyramid of weighted means, coarse to fine, then sweeps in which each removed pixel becomes the
    mean of its four neighbours. After Gortler et al., 'The Lumigraph', SIGGRAPH 1996 (pull and
    push), and Rong et al., 'A Consistent and Efficient Evaluation Strategy for Attribution
    Methods' (linear imputation), arXiv 2202.00449; the number of sweeps is our definition.

    Parameters
    ----------
    x : (N, C, H, W) tensor
    kept : (N, 1 or C, H, W) bool tensor
    mean : (1 or N, C, 1, 1) tensor
        What fills in an image of which nothing is kept.
    """
    kept = kept.expand_as(x)
    image = torch.where(kept, x, _from_pyramid(x, kept.to(x.dtype), mean))
    for _ in range(SWEEPS):
        padded = functional.pad(image, (1, 1, 1, 1), mode="replicate")
        around = (
            padded[:, :, :-2, 1:-1]
            + padded[:, :, 2:, 1:-1]
            + padded[:, :, 1:-1, :-2]
            + padded[:, :, 1:-1, 2:]
        )
        image = torch.where(kept, x, around / 4)
    return image


def _from_pyramid(x: Tensor, weights: Tensor, mean: Tensor) -> Tensor:
    """Means of the kept pixels, each over the smallest part of the image that has some."""
    height, width = x.shape[2:]
    if height == width == 1:
        return torch.where(weights > 0, x, mean)
    padding = (0, width % 2, 0, height % 2)
    sums = 4 * functional.avg_pool2d(functional.pad(x * weights, padding), 2)
    counts = 4 * functional.avg_pool2d(functional.pad(weights, padding), 2)
    means = sums / counts.clamp(min=torch.finfo(x.dtype).tiny)
    coarse = _from_pyramid(means, counts.clamp(max=1), mean)
    fine = functional.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)[
        :, :, :height, :width
    ]
    return weights * x + (1 - weights) * fine
