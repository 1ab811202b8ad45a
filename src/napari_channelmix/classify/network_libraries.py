"""Networks of other libraries by name: ``timm:NAME``, ``torchvision:NAME``, ``transformers:NAME``.

None of them is needed, and nothing is ever downloaded: a network starts from random weights, or
from a file that the user names.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from torch import Tensor, nn

from napari_channelmix.errors import ModelError
from napari_channelmix.wording import shown_error

__all__ = ["LIBRARIES", "Logits", "bare", "library_names", "library_network", "library_of"]

LIBRARIES = ("timm", "torchvision", "transformers")
# Of these, training gives scores of several heads unless that is switched off.
OF_SEVERAL_HEADS = ("googlenet", "inception_v3")
# Channels of the images that networks of torchvision take.
COLOURS = 3


class Logits(nn.Module):
    """A network of transformers with its logits as its only output."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        """Class scores (N, K) of normalised crops (N, C, H, W)."""
        scores: Tensor = self.model(x).logits
        return scores


def bare(network: nn.Module) -> nn.Module:
    """The network as its library makes it, whose weights have the names that files have."""
    return network.model if isinstance(network, Logits) else network


def library_of(name: str) -> str:
    """The library that a network's name names; empty for one of ours."""
    library, colon, _ = name.partition(":")
    return library if colon and library in LIBRARIES else ""


def library_names(library: str) -> tuple[str, ...]:
    """Names of the networks of a library, as it lists them itself.

    Raises
    ------
    ModelError
        A library that is not known or not installed.
    """
    if library not in LIBRARIES:
        raise ModelError(f"library {library!r} is unknown; use {', '.join(LIBRARIES)}")
    package = _imported(library, library)
    if library == "timm":
        names = package.list_models()
    elif library == "torchvision":
        models = import_module("torchvision.models")
        names = models.list_models(module=models)
    else:
        names = package.MODEL_FOR_IMAGE_CLASSIFICATION_MAPPING_NAMES
    return tuple(f"{library}:{name}" for name in sorted(names))


def library_network(name: str, channels: int, classes: int) -> nn.Module:
    """A network of a library, with random weights, for so many channels and classes.

    Parameters
    ----------
    name : str
        ``timm:resnet18``, ``torchvision:resnet18``, ``transformers:vit`` (a type of model, with
        the settings that the library has for it).

    Raises
    ------
    ModelError
        A library that is not installed, or a name that it does not know.
    """
    library, _, own = name.partition(":")
    package = _imported(library, name)
    # Such names are places to download from, or folders.
    if not own or any(sign in own for sign in ":/\\"):
        example = f"{library}:vit" if library == "transformers" else f"{library}:resnet18"
        raise ModelError(f"network {name!r}: name a network of {library}, such as {example}")
    try:
        if library == "timm":
            network: nn.Module = package.create_model(
                own, pretrained=False, in_chans=channels, num_classes=classes
            )
        elif library == "torchvision":
            network = _of_torchvision(own, channels, classes)
        else:
            config = package.AutoConfig.for_model(own, num_channels=channels, num_labels=classes)
            network = Logits(package.AutoModelForImageClassification.from_config(config))
    except ModelError:
        raise
    # Libraries raise anything for a name they do not know.
    except Exception as error:
        raise ModelError(
            f"network {name!r}: {library} cannot make it ({shown_error(error)})"
        ) from error
    return network


def _of_torchvision(name: str, channels: int, classes: int) -> nn.Module:
    models = import_module("torchvision.models")
    options: dict[str, Any] = {"weights": None, "num_classes": classes}
    if name in OF_SEVERAL_HEADS:
        options |= {"aux_logits": False, "init_weights": True}
    network: nn.Module = models.get_model(name, **options)
    if channels != COLOURS:
        _take_channels(network, name, channels)
    return network


def _take_channels(network: nn.Module, name: str, channels: int) -> None:
    """Give a network for colour images a first convolution for other channels."""
    for place, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d):
            if layer.in_channels != COLOURS or layer.groups != 1:
                break
            first = nn.Conv2d(
                channels,
                layer.out_channels,
                layer.kernel_size,  # type: ignore[arg-type]
                layer.stride,  # type: ignore[arg-type]
                layer.padding,  # type: ignore[arg-type]
                layer.dilation,  # type: ignore[arg-type]
                bias=layer.bias is not None,
                padding_mode=layer.padding_mode,
            )
            parent, _, child = place.rpartition(".")
            setattr(network.get_submodule(parent), child, first)
            return
    raise ModelError(
        f"network 'torchvision:{name}' has no first convolution for colour images, so it cannot "
        f"take {channels} channels"
    )


def _imported(library: str, name: str) -> Any:
    try:
        return import_module(library)
    except ImportError:
        raise ModelError(
            f"network {name!r} comes from {library}, which is not installed; install it with: "
            f"pip install 'napari-channelmix[{library}]'"
        ) from None
