"""Disentanglers on disk: one safetensors file, half precision, with JSON in its header and a hash.

The shipped ones lie in the package, under `weights`.
"""

from __future__ import annotations

import json
from importlib import resources
from pathlib import Path

import torch

from napari_channelmix.classify.sealed import read_sealed, write_sealed
from napari_channelmix.drl.code import Code
from napari_channelmix.drl.disentangler import Disentangler
from napari_channelmix.drl.network import NetworkSettings, VariationalAutoencoder
from napari_channelmix.drl.sprites import SIDE, sprite_set
from napari_channelmix.errors import BundleError, ModelError

__all__ = ["SUFFIX", "load_disentangler", "save_disentangler", "shipped"]

FORMAT = "napari-channelmix disentangler"
SCHEMA = 1
SUFFIX = ".safetensors"


def shipped() -> tuple[str, ...]:
    """Names of the disentanglers that come with the package."""
    folder = resources.files("napari_channelmix.drl") / "weights"
    return tuple(sorted(one.name.removesuffix(SUFFIX) for one in folder.iterdir()
                        if one.name.endswith(SUFFIX)))  # fmt: skip


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
        raise ModelError(
            f"there is no disentangler {str(name)!r}; use {', '.join(shipped())} or a file"
        )
    return _read(path)


def _read(path: Path) -> Disentangler:
    text, weights = read_sealed(path, FORMAT, SCHEMA, "disentangler")
    try:
        said = json.loads(text)
        network = VariationalAutoencoder(NetworkSettings(**said["network"]))
        network.load_state_dict({
            key: value.float() if value.is_floating_point() else value
            for key, value in weights.items()
        })  # fmt: skip
        of = sprite_set(said["sprites"])
        if (network.settings.channels, network.settings.side) != (of.channels, SIDE):
            raise ValueError(f"its pictures are not those of {of.name}")
        if said.get("drawn", of.as_dict()) != of.as_dict():
            raise ValueError(f"it was trained on other {of.name} than this version draws")
        code = Code(of, network.settings.latents)
        about = dict(said["about"])
    except (KeyError, TypeError, ValueError, RuntimeError, ModelError) as error:
        raise BundleError(f"{path}: does not describe its network ({error})") from error
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Disentangler(network.eval(), code, about)
