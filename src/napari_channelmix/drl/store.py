"""Disentanglers on disk: one safetensors file, half precision, with JSON in its header and a hash.

The shipped ones lie in the package, under `weights`.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import ConfigDict, Field
from torch import nn

from napari_channelmix.bounds import Finite, Flag, Name, Tuning
from napari_channelmix.classify.weights_file import (
    described,
    read_sealed,
    refuse_other_tensors,
    write_sealed,
)
from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.feature_autoencoder import EXACT, FeatureAutoencoder, FeatureSettings
from napari_channelmix.drl.feature_disentangler import FeatureDisentangler
from napari_channelmix.drl.feature_network import refuse_another_network
from napari_channelmix.drl.feature_sources import features_from
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.network import NetworkSettings, VariationalAutoencoder
from napari_channelmix.drl.objective import Objective
from napari_channelmix.drl.sprites import SIDE, sprite_set
from napari_channelmix.errors import BundleError, ModelError
from napari_channelmix.stored_files import Stored, checked_as
from napari_channelmix.wording import path_shown, quoted, shown_error

__all__ = ["SUFFIX", "finetuned_from", "load_disentangler", "save_disentangler", "shipped"]

FORMAT = "napari-channelmix disentangler"
# The newest one. Earlier versions cannot read weights of features, but those of pixels.
SCHEMA = 2
OF_PIXELS = 1
SUFFIX = ".safetensors"


def shipped() -> tuple[str, ...]:
    """Names of the disentanglers that come with the package."""
    folder = resources.files("napari_channelmix.drl") / "weights"
    return tuple(
        sorted(
            entry.name.removesuffix(SUFFIX)
            for entry in folder.iterdir()
            if entry.name.endswith(SUFFIX)
        )
    )


def save_disentangler(disentangler: Disentangler, path: str | Path) -> Path:
    """Write a disentangler to a file, whole or not at all; weights are rounded to half precision.

    Raises
    ------
    SaveError
        Disk full and the like; a file that was there is intact.
    """
    weights = {
        name: (value.half() if value.is_floating_point() and name not in EXACT else value)
        .detach()
        .cpu()
        .contiguous()
        for name, value in disentangler.network.state_dict().items()
    }
    about: dict[str, Any] = {
        "sprites": disentangler.code.of.name,
        "drawn": disentangler.code.of.as_dict(),
        "network": disentangler.network.settings.as_dict(),
        "about": disentangler.about,
    }
    schema = OF_PIXELS
    if isinstance(disentangler, FeatureDisentangler):
        of = disentangler.features
        about["features"] = {"name": of.name, "source": of.source}
        schema = SCHEMA
    return write_sealed(path, FORMAT, schema, json.dumps(about), weights)


def load_disentangler(name: str | Path = "texture-sprites", features: Any = None) -> Disentangler:
    """A shipped disentangler by its name, or one from a file.

    Parameters
    ----------
    name : str or path
        ``texture-sprites`` (colour, or several channels in colours), ``cell-sprites`` (one
        fluorescence channel), or a file that `save_disentangler` wrote.
    features : str, path, module or callable, optional
        For weights learnt from features: the network that gives them, see `features_from`. One
        that has a name or lies in a file is found again where it was.

    Raises
    ------
    ModelError
        No such name; a network of features that is missing, or another one than was learnt from.
    BundleError
        File missing, altered, from a newer version, or no disentangler at all.

    Examples
    --------
    >>> cm.load_disentangler("cell-sprites").shape[0]
    1
    """
    if str(name) in shipped():
        inside = resources.files("napari_channelmix.drl") / "weights" / f"{name}{SUFFIX}"
        with resources.as_file(inside) as path:
            return _read(path)
    path = Path(name)
    if not path.suffix and not path.exists():
        raise ModelError(f"there is no encoder {str(name)!r}; use {', '.join(shipped())} or a file")
    return _read(path, features)


def finetuned_from(path: Path) -> dict[str, Any] | None:
    """What fine-tuned weights in a file were made from, as they say; None where they do not.

    Raises
    ------
    BundleError
        As `load_disentangler`.
    """
    text, _ = read_sealed(path, FORMAT, SCHEMA, "disentangler")
    made = described(text, _Described, path=path).about.get("finetuned", {}).get("made_from")
    return made if isinstance(made, dict) else None


def _read(path: Path, features: Any = None) -> Disentangler:
    text, weights = read_sealed(path, FORMAT, SCHEMA, "disentangler")
    description = described(text, _Described, path=path)
    try:
        of_features = description.features
        kind = NetworkSettings if of_features is None else FeatureSettings
        settings = kind(**description.network.model_dump())
        of = sprite_set(description.sprites)
        if (settings.channels, settings.side) != (of.channels, SIDE):
            raise ValueError(f"its images are not those of {of.name}")
        if (of.as_dict() if description.drawn is None else description.drawn) != of.as_dict():
            raise ValueError(f"it was trained on other {of.name} than this version draws")
        code = Code(of, settings.latents)
        taught = description.about.get("recipe", {}).get("objective")
        if taught:
            Objective.from_dict(taught)
        # Only its shapes: nothing is held in memory for a network that the file does not fill.
        with torch.device("meta"):
            needed = _built(settings).state_dict()
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise BundleError(
            f"{path}: does not describe its network ({shown_error(error)})"
        ) from error
    whole = {
        key: value.float() if value.is_floating_point() else value for key, value in weights.items()
    }
    refuse_other_tensors(whole, needed, path=path, what="disentangler")
    network = _built(settings)
    network.load_state_dict(whole)
    if isinstance(network, FeatureAutoencoder):
        assert of_features is not None
        source = features or of_features.source
        if not source:
            raise ModelError(
                f"{path_shown(path)}: its weights were learnt from the features of "
                f"{quoted(of_features.name)}, which was given in Python; give it again (features=)"
            )
        opened = features_from(source, of)
        refuse_another_network(opened, of, network.probe.numpy())
        return FeatureDisentangler(network.eval(), code, description.about, features=opened)
    assert isinstance(network, VariationalAutoencoder)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Disentangler(network.eval(), code, description.about)


def _built(settings: NetworkSettings | FeatureSettings) -> nn.Module:
    if isinstance(settings, FeatureSettings):
        return FeatureAutoencoder(settings)
    return VariationalAutoencoder(settings)


class _Network(Stored):
    """As of `NetworkSettings.as_dict`; what is absent is as it is there, the rest not known."""

    model_config = ConfigDict(extra="forbid")

    side: Annotated[int, Field(strict=True, ge=8, le=1024)] = 64
    channels: Annotated[int, Field(strict=True, ge=1, le=64)] = 3
    filters: Annotated[int, Field(strict=True, ge=4, le=4096)] = 64
    latents: Annotated[int, Field(strict=True, ge=1, le=1024)] = 10
    hidden: Annotated[int, Field(strict=True, ge=0, le=65_536)] = 128
    expansion: Annotated[int, Field(strict=True, ge=0, le=1024)] = 7
    summary: Flag = True
    logits: Flag = True


class _FeatureNetwork(Stored):
    """As of `FeatureSettings.as_dict`."""

    model_config = ConfigDict(extra="forbid")

    width: Annotated[int, Field(strict=True, ge=2, le=1_000_000)]
    channels: Annotated[int, Field(strict=True, ge=1, le=64)]
    latents: Annotated[int, Field(strict=True, ge=1, le=1024)]
    hidden: Annotated[int, Field(strict=True, ge=1, le=65_536)]
    drop: Annotated[float, Field(ge=0, lt=1)] = 0.1
    side: Annotated[int, Field(strict=True, ge=8, le=1024)] = 64


class _Features(Stored):
    """Whose features they are, and how to get that network again."""

    name: Name
    source: str = ""


class _Recipe(Stored):
    objective: dict[str, Any] | None = None


class _Card(Stored):
    association: dict[Name, Finite] = Field(default_factory=dict)


class _Finetuned(Stored):
    """See `finetune_job`; ``made_from`` is the command line's."""

    epochs: Tuning
    error: tuple[Finite, Finite]
    made_from: dict[str, Any] | None = None


class _About(Stored):
    """What readers rely on of `Disentangler.about`."""

    recipe: _Recipe = _Recipe()
    card: _Card = _Card()
    finetuned: _Finetuned | None = None


class _Described(Stored):
    """What a file says of itself."""

    sprites: Name
    drawn: dict[str, Any] | None = None
    network: _Network | _FeatureNetwork
    features: _Features | None = None
    about: Annotated[dict[str, Any], checked_as(_About)]
