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

from napari_channelmix.bounds import Finite, Flag, Name, Tuning
from napari_channelmix.classify.weights_file import (
    described,
    read_sealed,
    refuse_other_tensors,
    write_sealed,
)
from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.latent_code import Code
from napari_channelmix.drl.network import NetworkSettings, VariationalAutoencoder
from napari_channelmix.drl.objective import Objective
from napari_channelmix.drl.sprites import SIDE, sprite_set
from napari_channelmix.errors import BundleError, ModelError
from napari_channelmix.stored_files import Stored, checked_as
from napari_channelmix.wording import shown_error

__all__ = ["SUFFIX", "load_disentangler", "save_disentangler", "shipped"]

FORMAT = "napari-channelmix disentangler"
SCHEMA = 1
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
        name: (value.half() if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in disentangler.network.state_dict().items()
    }
    about = {
        "sprites": disentangler.code.of.name,
        "drawn": disentangler.code.of.as_dict(),
        "network": disentangler.network.settings.as_dict(),
        "about": disentangler.about,
    }
    return write_sealed(path, FORMAT, SCHEMA, json.dumps(about), weights)


def load_disentangler(name: str | Path = "texture-sprites") -> Disentangler:
    """A shipped disentangler by its name, or one from a file.

    Parameters
    ----------
    name : str or path
        ``texture-sprites`` (colour, or several channels in colours), ``cell-sprites`` (one
        fluorescence channel), or a file that `save_disentangler` wrote.

    Raises
    ------
    ModelError
        No such name.
    BundleError
        File missing, altered, from a newer version, or no disentangler at all.
    """
    if str(name) in shipped():
        inside = resources.files("napari_channelmix.drl") / "weights" / f"{name}{SUFFIX}"
        with resources.as_file(inside) as path:
            return _read(path)
    path = Path(name)
    if not path.suffix and not path.exists():
        raise ModelError(f"there is no encoder {str(name)!r}; use {', '.join(shipped())} or a file")
    return _read(path)


def _read(path: Path) -> Disentangler:
    text, weights = read_sealed(path, FORMAT, SCHEMA, "disentangler")
    description = described(text, _Described, path=path)
    try:
        settings = NetworkSettings(**description.network.model_dump())
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
            needed = VariationalAutoencoder(settings).state_dict()
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError) as error:
        raise BundleError(
            f"{path}: does not describe its network ({shown_error(error)})"
        ) from error
    whole = {
        key: value.float() if value.is_floating_point() else value for key, value in weights.items()
    }
    refuse_other_tensors(whole, needed, path=path, what="disentangler")
    network = VariationalAutoencoder(settings)
    network.load_state_dict(whole)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Disentangler(network.eval(), code, description.about)


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
    network: _Network
    about: Annotated[dict[str, Any], checked_as(_About)]
