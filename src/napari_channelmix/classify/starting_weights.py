"""Weights that a training starts from, out of a file that the user names; never downloaded."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from napari_channelmix.classify.mixing import MixedNetwork
from napari_channelmix.classify.model_files import refuse_weights
from napari_channelmix.classify.network_libraries import bare
from napari_channelmix.errors import ModelError
from napari_channelmix.stored_files import MIB, regular_file
from napari_channelmix.wording import path_shown, shown_error

__all__ = ["start_from", "weights_digest"]

LARGEST = 8192 * MIB
# Tensors that a message lists.
LISTED = 3


def start_from(network: nn.Module, path: str | Path) -> None:
    """Put the weights of a safetensors file into a network; all of them, or none.

    Behind a mixing layer it is the network alone that the file is of.

    Raises
    ------
    ModelError
        A file that cannot be read, or whose tensors are not those of the network: one line with
        the first that differ.
    BundleError
        A pickle.
    """
    target = bare(network.network if isinstance(network, MixedNetwork) else network)
    weights, needed = _read(path), target.state_dict()
    differing = _differing(weights, needed)
    if differing:
        more = len(differing) - LISTED
        text = "; ".join(differing[:LISTED]) + (f"; and {more} more" if more > 0 else "")
        raise ModelError(
            f"{path_shown(path)}: these are the weights of another network: {text}; use a file "
            "that was saved of the same network with as many channels and classes"
        )
    target.load_state_dict({name: weights[name] for name in needed})


def weights_digest(path: str | Path) -> str:
    """SHA-256 of a file of weights.

    Raises
    ------
    ModelError
        A file that cannot be read.
    """
    file = regular_file(path, most=LARGEST, error=ModelError, name="the file of weights")
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _read(path: str | Path) -> dict[str, Tensor]:
    file = regular_file(path, most=LARGEST, error=ModelError, name="the file of weights")
    refuse_weights(file)
    try:
        with safe_open(file, framework="pt") as tensors:
            return {name: tensors.get_tensor(name) for name in tensors.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise ModelError(
            f"{path_shown(path)}: not a readable safetensors file ({shown_error(error)})"
        ) from error


def _differing(weights: Mapping[str, Tensor], needed: Mapping[str, Tensor]) -> list[str]:
    """What does not agree, in the order of the network."""
    lines = []
    for name, want in needed.items():
        have = weights.get(name)
        if have is None:
            lines.append(f"{name} {_shape(want)} is missing")
        elif have.shape != want.shape:
            lines.append(f"{name} is {_shape(have)}, the network has {_shape(want)}")
        elif have.is_floating_point() and not bool(torch.isfinite(have).all()):
            lines.append(f"{name} has NaN or infinite values")
    lines += [
        f"{name} {_shape(weights[name])} is unknown" for name in weights if name not in needed
    ]
    return lines


def _shape(tensor: Tensor) -> str:
    return str(tuple(tensor.shape))
