"""Where features come from: a name, a file, a folder, or what a caller gives in Python.

``efficientnet-lite0`` is an extra; a bundle is a classifier of this project, of which the layer
before the last is taken; a folder holds a vision transformer's weights as the library
'transformers' keeps them. Nothing is downloaded.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from napari_channelmix.classify import Classifier, load_bundle
from napari_channelmix.drl.efficientnet_lite import load_efficientnet_lite
from napari_channelmix.drl.feature_network import FeatureNetwork, checked
from napari_channelmix.drl.sprites import Sprites, SpriteSet
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.stored_files import parsed_json
from napari_channelmix.wording import shown_error

__all__ = ["EFFICIENTNET", "features_from"]

EFFICIENTNET = "efficientnet-lite0"
# Names a function may have that say nothing.
NAMELESS = ("<lambda>", "forward", "__call__")


def features_from(source: Any, of: SpriteSet) -> FeatureNetwork:
    """A network that gives features, checked on sprites.

    Parameters
    ----------
    source : str, path, Classifier, torch.nn.Module, callable or FeatureNetwork
        ``efficientnet-lite0``; the file of a bundle; a folder with ``config.json`` and
        ``model.safetensors`` of a vision model of the library 'transformers'; or any module or
        function of pictures (n, C, 64, 64), float32 in [0, 1], that gives (n, F).
    of : SpriteSet
        Whose sprites it is to read.

    Raises
    ------
    ModelError
        Nothing of the kind, a library or extra that is not installed, a network that does not give
        a vector for each picture; see `feature_network.checked`.
    BundleError
        A bundle that cannot be read.
    """
    return checked(_opened(source, of), of)


def _opened(source: Any, of: SpriteSet) -> FeatureNetwork:
    if isinstance(source, FeatureNetwork):
        return source
    if isinstance(source, Classifier):
        return _of_classifier(source, "", of)
    if isinstance(source, nn.Module):
        module = copy.deepcopy(source).cpu().eval()
        return FeatureNetwork(type(source).__name__, module, of.channels)
    if callable(source):
        name = str(getattr(source, "__name__", type(source).__name__))
        if name in NAMELESS:
            raise ModelError(
                "a function without a name: give FeatureNetwork(name, function), so that results "
                "can say whose features they are"
            )
        return FeatureNetwork(name, source, of.channels)
    if not isinstance(source, str | Path):
        raise ModelError(
            "features come from a name, a file, a module or a function of images, not "
            f"{type(source).__name__}"
        )
    if str(source) == EFFICIENTNET:
        network = load_efficientnet_lite()
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        return FeatureNetwork(EFFICIENTNET, network, source=EFFICIENTNET)
    path = Path(source)
    if path.is_dir():
        return _of_folder(path)
    if not path.exists():
        raise ModelError(
            f"there are no features {str(source)!r}; use {EFFICIENTNET}, the file of a bundle or "
            "the folder of a vision model"
        )
    return _of_classifier(load_bundle(path), str(path), of)


# -------------------------------------------------------------------- our own classifiers


@dataclass(frozen=True, eq=False)
class Penultimate:
    """What goes into the last linear layer of a classifier.

    Pixels are standardised with mean and standard deviation of the sprites, as those of training
    cells are with their own: raw grey values of sprites do not exist.
    """

    network: nn.Module
    last: nn.Linear
    mean: Tensor = field(repr=False)
    std: Tensor = field(repr=False)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Features (n, F) of pictures (n, C, H, W) in [0, 1]."""
        taken: list[Tensor] = []
        handle = self.last.register_forward_pre_hook(lambda _, inputs: taken.append(inputs[0]))
        try:
            # With gradients off, networks of this project take a way around their own layers.
            with torch.enable_grad():
                self.network((pictures - self.mean) / self.std)
        finally:
            handle.remove()
        return taken[-1].detach().flatten(1)


def _of_classifier(classifier: Classifier, source: str, of: SpriteSet) -> FeatureNetwork:
    network = copy.deepcopy(classifier.network).cpu().eval()
    linear = [layer for layer in network.modules() if isinstance(layer, nn.Linear)]
    name = f"classifier of {' and '.join(classifier.classes)}"
    if not linear or linear[-1].out_features != len(classifier.classes):
        raise ModelError(f"{name}: its network does not end in a linear layer; use another one")
    channels = len(classifier.channels)
    if channels not in (1, 3):
        raise ModelError(
            f"{name} takes {channels} channels; sprites have 1 or 3, so only a classifier of 1 or "
            "3 channels can give features"
        )
    generator = torch.Generator().manual_seed(1)
    sprites = Sprites(of)
    pixels = sprites.draw(sprites.random(200, generator), generator).inputs
    # One figure for all channels, so that colours stay what they are.
    mean, std = pixels.mean(), pixels.std()
    extract = Penultimate(network, linear[-1], mean, std)
    return FeatureNetwork(name, extract, channels, classifier.crop, source)


# -------------------------------------------------------------------- vision transformers


@dataclass(frozen=True, eq=False)
class ClassToken:
    """The first token after the last layer of a vision transformer; else what it pools."""

    network: Any
    mean: Tensor = field(repr=False)
    std: Tensor = field(repr=False)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Features (n, F) of pictures (n, 3, H, W) in [0, 1]."""
        given = self.network(pixel_values=(pictures - self.mean) / self.std)
        tokens: Tensor = given.last_hidden_state
        return tokens[:, 0] if tokens.ndim == 3 else tokens.mean(dim=(2, 3))


def _of_folder(path: Path) -> FeatureNetwork:
    if not (path / "config.json").is_file() or not (path / "model.safetensors").is_file():
        raise ModelError(
            f"{path}: no config.json and model.safetensors of a vision model in this folder; "
            "weights in a pickle are not read"
        )
    try:
        from transformers import AutoModel
    except ImportError:
        raise ModelError(
            f"{path}: vision models need the library 'transformers', which is not installed; "
            "install it with: pip install transformers"
        ) from None
    try:
        # Weights as plain tensors, no code from the folder, nothing from the network.
        network = AutoModel.from_pretrained(
            path, local_files_only=True, use_safetensors=True, trust_remote_code=False
        )
    except (OSError, ValueError, RuntimeError, KeyError) as error:
        raise ModelError(f"{path}: no vision model ({shown_error(error)})") from error
    about = _preprocessing(path)
    mean, std = (
        torch.tensor(np.broadcast_to(about.get(key, usual), 3), dtype=torch.float32)[:, None, None]
        for key, usual in (("image_mean", 0.5), ("image_std", 0.5))
    )
    side = getattr(getattr(network, "config", None), "image_size", None)
    side = side if isinstance(side, int) else 224
    return FeatureNetwork(path.name, ClassToken(network.eval(), mean, std), 3, side, str(path))


def _preprocessing(path: Path) -> dict[str, Any]:
    file = path / "preprocessor_config.json"
    if not file.is_file():
        return {}
    try:
        about = parsed_json(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{file}: cannot be read ({shown_error(error)})") from error
    return about if isinstance(about, dict) else {}
