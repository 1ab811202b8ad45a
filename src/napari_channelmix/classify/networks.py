"""Networks by name: small ones built in, larger ones from MONAI and other libraries."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from napari_channelmix.bounds import hold
from napari_channelmix.classify.inference import InferenceNetwork
from napari_channelmix.classify.mixing import ChannelMix, Constraint, MixedNetwork
from napari_channelmix.classify.network_libraries import (
    LIBRARIES,
    library_names,
    library_network,
    library_of,
)
from napari_channelmix.errors import ModelError

__all__ = ["NetworkSpec", "SmallNetwork", "network_names"]


class SmallNetwork(nn.Module):
    """Convolutions with batch normalisation for crops of 24 to 128 pixels and any channel count.

    Each stage is a 3 x 3 convolution, batch normalisation, ReLU, and a halving by maximum (but for
    the last). Mean and maximum over the last map meet in one linear layer, so the size of the crop
    is free. Halving comes before ReLU, which gives the same on a quarter of the pixels.
    """

    def __init__(self, channels: int, classes: int, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.stem = nn.Conv2d(channels, widths[0], 3, padding=1, bias=False)
        rest: list[nn.Module] = []
        for before, width in pairwise(widths):
            rest += [
                nn.BatchNorm2d(before),
                nn.MaxPool2d(2),
                nn.ReLU(inplace=True),
                nn.Conv2d(before, width, 3, padding=1, bias=False),
            ]
        rest += [nn.BatchNorm2d(widths[-1]), nn.ReLU(inplace=True)]
        self.features = nn.Sequential(*rest)
        self.head = nn.Linear(2 * widths[-1], classes)

    def inference(self, kernel: Tensor | None = None) -> InferenceNetwork:
        """The network as it computes where nothing is learnt, with its statistics as they are now.

        Parameters
        ----------
        kernel : (O, C, 3, 3) tensor, optional
            Of the stem, in place of its own.
        """
        kernels = [self.stem.weight if kernel is None else kernel]
        kernels += [layer.weight for layer in self.features if isinstance(layer, nn.Conv2d)]
        norms = [layer for layer in self.features if isinstance(layer, nn.BatchNorm2d)]
        return InferenceNetwork.of(kernels, norms, 1, self.head)

    def with_kernel(self, x: Tensor, kernel: Tensor) -> Tensor:
        """Class scores (N, K), with another kernel (O, C, 3, 3) in the stem."""
        tracing = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
        exported = tracing or torch.compiler.is_compiling()
        if self.training or torch.is_grad_enabled() or exported:
            return self.after_stem(functional.conv2d(x, kernel, padding=1))
        return self.inference(kernel)(x)

    def after_stem(self, x: Tensor) -> Tensor:
        """Class scores (N, K) of what the stem gave."""
        maps = self.features(x)
        pooled = torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)
        scores: Tensor = self.head(pooled)
        return scores

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, K) of normalised crops (N, C, H, W)."""
        return self.with_kernel(x, self.stem.weight)


def _monai(name: str) -> Callable[[int, int], nn.Module]:
    def build(channels: int, classes: int) -> nn.Module:
        try:
            from monai.networks import nets
        except ImportError:
            raise ModelError(
                f"network {name!r} comes from MONAI, which is not installed; "
                "install it with: pip install 'napari-channelmix[zoo]'"
            ) from None
        if name.startswith("resnet"):
            network: nn.Module = getattr(nets, name)(
                spatial_dims=2, n_input_channels=channels, num_classes=classes
            )
        elif name.startswith("densenet"):
            network = nets.DenseNet121(spatial_dims=2, in_channels=channels, out_channels=classes)
        else:
            network = nets.EfficientNetBN(
                name, pretrained=False, spatial_dims=2, in_channels=channels, num_classes=classes
            )
        return network

    return build


_BUILDERS: dict[str, Callable[[int, int], nn.Module]] = {
    "tiny": lambda channels, classes: SmallNetwork(channels, classes, (8, 16, 32)),
    "small": lambda channels, classes: SmallNetwork(channels, classes, (16, 32, 64, 64)),
    "medium": lambda channels, classes: SmallNetwork(channels, classes, (32, 64, 128, 128, 256)),
    **{name: _monai(name) for name in ("resnet18", "resnet50", "densenet121", "efficientnet-b0")},
}


def network_names(library: str | None = None) -> tuple[str, ...]:
    """Names of the networks that can be asked for.

    Parameters
    ----------
    library : {"timm", "torchvision", "transformers"}, optional
        List the networks of a library that is installed; default: those that need none, and last
        the four of the extra ``zoo``.

    Raises
    ------
    ModelError
        A library that is not known or not installed.

    Examples
    --------
    >>> network_names()[:3]
    ('tiny', 'small', 'medium')
    """
    return tuple(_BUILDERS) if library is None else library_names(library)


def _builder(name: str) -> Callable[[int, int], nn.Module]:
    if library_of(name):
        return partial(library_network, name)
    if name not in _BUILDERS:
        libraries = ", ".join(f"{library}:NAME" for library in LIBRARIES)
        raise ModelError(
            f"network {name!r} is unknown; use {', '.join(_BUILDERS)}, or one of a library "
            f"({libraries})"
        )
    return _BUILDERS[name]


@dataclass(frozen=True)
class NetworkSpec:
    """Everything needed to build a network again, before its weights are put in.

    Attributes
    ----------
    name : str
        One of `network_names`, of a library too: ``timm:resnet18``.
    channels, classes : int
    mixes : int
        Number of blended images in front of the network; 0 for the all-channel network.
    constraint : str
        See `ChannelMix`.
    """

    name: str
    channels: int
    classes: int
    mixes: int = 0
    constraint: Constraint = "softmax"

    def build(self, seed: int = 0) -> nn.Module:
        """The network, with fresh weights from the seed; torch's own random state is left alone.

        Raises
        ------
        ModelError
            An unknown name or constraint, a negative number of mixes, a library that is not
            installed.
        """
        make = _builder(self.name)
        hold(mixes=self.mixes or None)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            if not self.mixes:
                return make(self.channels, self.classes)
            mixing = ChannelMix(self.channels, self.mixes, self.constraint)
            return MixedNetwork(mixing, make(self.mixes, self.classes))

    def trial(self, crop: int) -> nn.Module:
        """A network to try things on, after a look whether it can take crops of this side.

        Raises
        ------
        ModelError
            As `build`, or where crops of ``crop`` pixels vanish within the network.
        """
        network = self.build().eval()
        try:
            with torch.inference_mode():
                network(torch.zeros(2, self.channels, crop, crop))
        except (RuntimeError, ValueError, AssertionError) as error:
            if library_of(self.name):
                reason = " ".join(str(error).split())[:200] or type(error).__name__
                raise ModelError(
                    f"network {self.name!r} cannot take crops of {crop} pixels ({reason}); make "
                    "the cells with the crop size that it takes, or use another network"
                ) from error
            raise ModelError(
                f"network {self.name!r} cannot take crops of {crop} pixels; "
                "use a larger crop or a smaller network"
            ) from error
        return network

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)
