"""The mixing layer: all channels blended into one image, or a few, with trainable weights.

It stands with the networks, because a classifier may carry it and a bundle must bring it back;
`napari_channelmix.dcmix` learns channel importance with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_channelmix.errors import ModelError
from napari_channelmix.settings import Constraint

if TYPE_CHECKING:
    from napari_channelmix.classify.inference import InferenceNetwork

__all__ = ["ChannelMix", "Constraint", "MixedNetwork"]


class ChannelMix(nn.Module):
    """Blend C channels into ``mixes`` images: ``z_k = sum_c alpha_kc xn_c``, alpha never negative.

    Siegismund et al., 'Learning Channel Importance for High Content Imaging with Interpretable
    Deep Input Channel Mixing' (DCMIX), arXiv 2308.16637: channels are blended by alpha compositing
    with non-negative trainable weights in front of a classifier. The three ways below of keeping
    the weights non-negative are our definition; all start with equal alphas.

    Parameters
    ----------
    channels : int
        Number C of channels.
    mixes : int
        Number of blended images.
    constraint : {"softmax", "nonneg", "over"}
        ``softmax``: the alphas of a mix sum to 1. ``nonneg``: ``softplus(w)``, no sum. ``over``:
        Porter and Duff's 'over', channel 0 in front; it depends on the order of the channels.

    Notes
    -----
    The alphas mean something only for channels that were normalised alike: a channel's gain trades
    against its alpha.
    """

    def __init__(self, channels: int, mixes: int = 1, constraint: Constraint = "softmax") -> None:
        super().__init__()
        if constraint not in get_args(Constraint):
            raise ModelError(
                f"constraint {constraint!r} is unknown; use {', '.join(get_args(Constraint))}"
            )
        if channels < 1 or mixes < 1:
            raise ModelError(f"a mixing layer of {channels} channels and {mixes} mixes is none")
        self.channels, self.mixes, self.constraint = channels, mixes, constraint
        start = torch.zeros(mixes, channels)
        if constraint == "nonneg":
            start += torch.log(torch.expm1(torch.tensor(1.0 / channels)))
        elif constraint == "over":
            # Opacity 1 / (C + 1 - c) gives every channel the same visible share, 1 / (C + 1).
            start += torch.logit(1.0 / (channels + 1.0 - torch.arange(channels)))
        if mixes > 1:
            # Mixes that start alike would stay alike.
            fixed = torch.Generator().manual_seed(0)
            start += 0.5 * torch.randn(mixes, channels, generator=fixed)
        self.weight = nn.Parameter(start)

    @property
    def alpha(self) -> Tensor:
        """Weights of the channels in each mix, (mixes, C), not negative."""
        if self.constraint == "softmax":
            return torch.softmax(self.weight, dim=1)
        if self.constraint == "nonneg":
            return functional.softplus(self.weight)
        opacity = torch.sigmoid(self.weight)
        behind = torch.cumprod(1.0 - opacity, dim=1)
        in_front = torch.cat([torch.ones_like(behind[:, :1]), behind[:, :-1]], dim=1)
        return opacity * in_front

    def forward(self, x: Tensor) -> Tensor:
        """Blend (N, C, H, W) normalised channels into (N, mixes, H, W)."""
        # A 1 x 1 convolution is the weighted sum, done in one pass over the pixels.
        return functional.conv2d(x, self.alpha.to(x.dtype)[:, :, None, None])


class MixedNetwork(nn.Module):
    """A mixing layer in front of a network of ``mixing.mixes`` channels.

    Where the network takes another kernel for its first convolution (ours do), blending and that
    convolution are done as one: ``w * (sum_c alpha_c x_c) = sum_c (alpha_c w) * x_c``. That is the
    same function, but spares the gradient with respect to the blended image, which costs more than
    the blending itself.
    """

    def __init__(self, mixing: ChannelMix, network: nn.Module) -> None:
        super().__init__()
        self.mixing, self.network = mixing, network

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, K) of normalised crops (N, C, H, W)."""
        with_kernel = getattr(self.network, "with_kernel", None)
        scores: Tensor
        if with_kernel is None:
            scores = self.network(self.mixing(x))
        else:
            scores = with_kernel(x, self._kernel())
        return scores

    def inference(self) -> InferenceNetwork | None:
        """Both as they compute where nothing is learnt; None where the network is none of ours."""
        known = getattr(self.network, "inference", None)
        return None if known is None else known(self._kernel())

    def _kernel(self) -> Tensor:
        """Of blending and first convolution together, (O, C, k, k)."""
        stem: Tensor = self.network.stem.weight  # type: ignore[union-attr, assignment]
        return torch.einsum("okyx,kc->ocyx", stem, self.mixing.alpha)
