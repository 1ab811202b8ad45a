"""Layer-wise relevance propagation (LRP) through the package's own small networks, by captum."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from napari_channelmix.classify.inference import InferenceNetwork
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.pcim.batch import Problem

__all__ = ["GAMMA", "relevance"]

# Of the gamma rule: how much more a positive weight counts. captum's default.
GAMMA = 0.25
EPSILON = 1e-6


def relevance(attr: Any, network: nn.Module, problem: Problem) -> Tensor:
    """Relevance of each pixel for the log odds of the target, signed, (N, C, H, W).

    Rules: epsilon for the linear layer, the pooling and the first convolution (whose inputs are
    above and below 0), gamma for the convolutions between. The log odds are a sum of class scores
    to first order: with more than two classes the others count with their softmax. Batch
    normalisation is within the convolutions.

    Source: Bach et al., 'On pixel-wise explanations for non-linear classifier decisions by
    layer-wise relevance propagation' (2015); Montavon et al., 'Layer-wise relevance propagation:
    an overview' (2019), for the rules and where each is used.

    Parameters
    ----------
    attr : module
        `captum.attr`.
    network : torch.nn.Module
    problem : Problem

    Raises
    ------
    ModelError
        A network that is not a chain of layers with rules.
    """
    from captum.attr._utils.lrp_rules import EpsilonRule, GammaRule

    known = getattr(network, "inference", None)
    fused = None if known is None else known()
    if not isinstance(fused, InferenceNetwork):
        raise ModelError(
            "method 'lrp' cannot look into this network: it has rules for the package's own "
            "networks tiny, small and medium only"
        )
    x = problem.x
    chain = _Chain(fused, _weights(problem, fused, x), problem, x)
    for layer in chain.modules():
        if isinstance(layer, nn.Conv2d) and layer is not chain.layers[0]:
            layer.rule = GammaRule(GAMMA)
        elif isinstance(layer, (nn.Conv2d, nn.MaxPool2d, _MeanAndMaximum, _LogOdds)):
            layer.rule = EpsilonRule(EPSILON)
    result: Tensor = attr.LRP(chain).attribute(x.clone().requires_grad_(True))
    return result.detach()


def _weights(problem: Problem, fused: InferenceNetwork, x: Tensor) -> Tensor:
    """How much each class score counts in the log odds (N, K), to first order."""
    with torch.enable_grad():
        scores = fused(x).detach().requires_grad_(True)
        (weights,) = torch.autograd.grad(problem.target.log_odds(scores).sum(), scores)
    return weights


class _Chain(nn.Module):
    """A fused network as a chain of modules, the log odds (N, 1) its output."""

    def __init__(
        self, fused: InferenceNetwork, weights: Tensor, problem: Problem, x: Tensor
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for index, (weight, bias) in enumerate(fused.layers):
            if index:
                layers += [nn.MaxPool2d(2), nn.ReLU()]
            layer = nn.Conv2d(
                weight.shape[1], weight.shape[0], weight.shape[2], padding=fused.padding
            )
            # Copies: captum changes them meanwhile.
            layer.weight = nn.Parameter(weight.detach().clone())
            layer.bias = nn.Parameter(bias.detach().clone())
            layers.append(layer)
        layers += [nn.ReLU(), _MeanAndMaximum(), _LogOdds(weights, *fused.head)]
        self.layers = nn.Sequential(*layers).to(x.device)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.layers(x)
        return result


class _MeanAndMaximum(nn.Module):
    """Mean and maximum of each map, side by side (N, 2 O)."""

    def forward(self, maps: Tensor) -> Tensor:
        return torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)


class _LogOdds(nn.Module):
    """The last layer: class scores, and of these the sum that each cell's log odds are."""

    def __init__(self, weights: Tensor, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.register_buffer("rows", weights @ weight)
        self.register_buffer("biases", weights @ bias)
        self.rows: Tensor
        self.biases: Tensor

    def forward(self, features: Tensor) -> Tensor:
        return ((features * self.rows).sum(dim=1) + self.biases)[:, None]
