"""A small network as it is computed where nothing is learnt: fewer passes over fewer pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["InferenceNetwork", "for_inference", "halved"]

# Bytes of the largest map that is computed at once on a CPU: what a cache holds. Larger maps are
# written to memory and read again by every layer.
CACHE_BYTES = 8 * 2**20
LEAST = 8


def halved(x: Tensor) -> Tensor:
    """The maximum of each 2 x 2 pixels, as `torch.nn.functional.max_pool2d`, in half the time.

    Parameters
    ----------
    x : (N, C, H, W) tensor

    Returns
    -------
    (N, C, H // 2, W // 2) tensor

    Examples
    --------
    >>> import torch
    >>> halved(torch.tensor([[[[1.0, 5.0, 0.0], [2.0, 3.0, 9.0], [7.0, 7.0, 7.0]]]])).tolist()
    [[[[5.0]]]]
    """
    height, width = (2 * (side // 2) for side in x.shape[2:])
    rows = torch.maximum(x[:, :, 0:height:2, :width], x[:, :, 1:height:2, :width])
    return torch.maximum(rows[..., 0::2], rows[..., 1::2])


@dataclass(frozen=True, eq=False)
class InferenceNetwork:
    """Convolutions that hold their batch normalisation, each followed by halving and ReLU.

    The same function as the network it was made of, but for rounding: with the mean m, variance v,
    weight g and bias b of batch normalisation, ``g (w * x - m) / sqrt(v + eps) + b`` is one
    convolution; and ReLU of a maximum is the maximum of ReLUs, over a quarter of the pixels.

    Attributes
    ----------
    layers : sequence of (weight (O, I, k, k), bias (O,)) tensors
        The first is the stem.
    padding : int
    head : (weight (K, 2 O), bias (K,)) tensors
        From mean and maximum of the last map to class scores.
    """

    layers: Sequence[tuple[Tensor, Tensor]]
    padding: int
    head: tuple[Tensor, Tensor]

    @classmethod
    def of(
        cls,
        kernels: Sequence[Tensor],
        norms: Sequence[nn.BatchNorm2d],
        padding: int,
        head: nn.Linear,
    ) -> InferenceNetwork:
        """Of convolutions without bias and the normalisation behind each."""
        layers = []
        for kernel, norm in zip(kernels, norms, strict=True):
            assert norm.running_mean is not None and norm.running_var is not None
            scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
            weight = (kernel * scale[:, None, None, None]).contiguous(
                memory_format=torch.channels_last
            )
            layers.append((weight.detach(), (norm.bias - norm.running_mean * scale).detach()))
        return cls(layers, padding, (head.weight.detach(), head.bias.detach()))

    def at_once(self, x: Tensor) -> int:
        """How many of these crops (N, C, H, W) to compute at once."""
        if x.device.type != "cpu":
            return max(1, len(x))
        largest = max(weight.shape[0] / 4**depth for depth, (weight, _) in enumerate(self.layers))
        return max(LEAST, int(CACHE_BYTES / (largest * x.shape[2] * x.shape[3] * x.element_size())))

    def stem(self, x: Tensor) -> Tensor:
        """What the first convolution gives (N, O, H, W): linear in the channels, but for a bias."""
        return functional.conv2d(x, *self.layers[0], padding=self.padding)

    def after_stem(self, maps: Tensor) -> Tensor:
        """Class scores (N, K) of what the stem gave."""
        for weight, bias in self.layers[1:]:
            # Its gradient is as quick as it is.
            smaller = functional.max_pool2d(maps, 2) if maps.requires_grad else halved(maps)
            maps = functional.conv2d(smaller.relu_(), weight, bias, padding=self.padding)
        maps = torch.relu(maps)
        pooled = torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)
        return functional.linear(pooled, *self.head)

    def __call__(self, x: Tensor) -> Tensor:
        """Class scores (N, K) of normalised crops (N, C, H, W), as many at once as fit."""
        parts = x.split(self.at_once(x))
        return torch.cat([self.after_stem(self.stem(part)) for part in parts])


class _Inferring(nn.Module):
    """An `InferenceNetwork` as a module, without parameters."""

    def __init__(self, network: InferenceNetwork) -> None:
        super().__init__()
        self._network = network

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, K) of normalised crops (N, C, H, W)."""
        return self._network(x)


def for_inference(network: nn.Module) -> nn.Module:
    """A network as it is now, for scores and for gradients of pixels; ours are faster so.

    Parameters
    ----------
    network : torch.nn.Module
        Of a classifier, with or without a mixing layer. One that is none of ours is given back.

    Returns
    -------
    torch.nn.Module
        The same function to rounding, in evaluation mode. It has no parameters and does not learn;
        what later becomes of the network is not seen.

    Examples
    --------
    >>> from napari_channelmix.classify import NetworkSpec
    >>> import torch
    >>> for_inference(NetworkSpec("tiny", 2, 3).build())(torch.zeros(1, 2, 24, 24)).shape
    torch.Size([1, 3])
    """
    known = getattr(network, "inference", None)
    made = known() if known is not None else None
    return network if made is None else _Inferring(made)
