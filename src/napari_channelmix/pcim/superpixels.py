"""Superpixels that are taken away: feature ablation and KernelSHAP, by captum."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from skimage.segmentation import slic
from torch import Tensor, nn

if TYPE_CHECKING:
    from napari_channelmix.pcim.batch import Problem

__all__ = ["SAMPLES", "SUPERPIXELS", "feature_ablation", "kernel_shap", "superpixels"]

# Superpixels of a cell, about; and sets of them that KernelSHAP asks about.
SUPERPIXELS = 50
SAMPLES = 200
# Images at once.
AT_ONCE = 32


def superpixels(image: Tensor, count: int = SUPERPIXELS) -> Tensor:
    """SLIC segments of an image (C, H, W), numbered from 0: (H, W) int64.

    Each channel is brought to 0..1 first. Achanta et al., 'SLIC superpixels compared to
    state-of-the-art superpixel methods' (2012), as in scikit-image, compactness 0.1.
    """
    pixels = image.detach().cpu().numpy().astype(np.float64)
    low, high = (of(axis=(1, 2), keepdims=True) for of in (pixels.min, pixels.max))
    scaled = (pixels - low) / np.where(high > low, high - low, 1)
    segments = slic(
        scaled, n_segments=count, compactness=0.1, channel_axis=0, start_label=0, sigma=1
    )
    # Numbers without gaps: captum counts features by the highest.
    return torch.from_numpy(np.unique(segments, return_inverse=True)[1].reshape(segments.shape))


def feature_ablation(attr: Any, odds: _OddsOf, problem: Problem, r: Tensor) -> Tensor:
    """What the log odds lose as one superpixel becomes the reference, spread over its pixels.

    (N, C, H, W). A call for each superpixel (and channel, where maps are separate).
    """
    ablation = attr.FeatureAblation

    def one(cell: nn.Module, x: Tensor, reference: Tensor, features: Tensor) -> Tensor:
        result: Tensor = ablation(cell).attribute(
            x, baselines=reference, feature_mask=features, perturbations_per_eval=AT_ONCE
        )
        return result

    return _of_each_cell(one, odds, problem, r)


def kernel_shap(attr: Any, odds: _OddsOf, problem: Problem, r: Tensor) -> Tensor:
    """Shapley values of the superpixels, fitted to `SAMPLES` random sets of them: (N, C, H, W).

    Lundberg and Lee, 'A unified approach to interpreting model predictions', arXiv 1705.07874.
    """
    shap = attr.KernelShap

    def one(cell: nn.Module, x: Tensor, reference: Tensor, features: Tensor) -> Tensor:
        # captum draws from torch's common generator; each cell begins with the same seed.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(problem.seed)
            result: Tensor = shap(cell).attribute(
                x,
                baselines=reference,
                feature_mask=features,
                n_samples=SAMPLES,
                perturbations_per_eval=AT_ONCE,
            )
        return result

    return _of_each_cell(one, odds, problem, r)


_OddsOf = Callable[[slice], nn.Module]


def _of_each_cell(
    one: Callable[[nn.Module, Tensor, Tensor, Tensor], Tensor],
    odds: _OddsOf,
    problem: Problem,
    r: Tensor,
) -> Tensor:
    """The attribution of the superpixels of each cell, divided evenly among their values."""
    parts = []
    for index in range(len(problem.x)):
        cell = slice(index, index + 1)
        x = problem.x[cell]
        segments = superpixels(x[0]).to(x.device)
        if problem.separate:
            first = torch.arange(x.shape[1], device=x.device)[:, None, None]
            features = segments + first * (segments.max() + 1)
        else:
            features = segments.expand(x.shape[1:])
        attribution = one(odds(cell), x, r[cell], features[None])
        sizes = torch.bincount(features.flatten())[features]
        parts.append(attribution / sizes)
    return torch.cat(parts)
