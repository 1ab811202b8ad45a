"""Residual drawings on disk: one safetensors file, half precision, beside the result they draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import torch
from pydantic import ConfigDict, Field

from napari_channelmix.bounds import Name
from napari_channelmix.classify.weights_file import (
    described,
    read_sealed,
    refuse_other_tensors,
    seal,
    write_sealed,
)
from napari_channelmix.drl.residual_drawing import ResidualDrawing
from napari_channelmix.drl.residual_network import ResidualNetwork, ResidualSettings
from napari_channelmix.errors import BundleError, ModelError
from napari_channelmix.stored_files import Stored
from napari_channelmix.wording import shown_error

if TYPE_CHECKING:
    from napari_channelmix.drl.disentangler import Disentangler

__all__ = ["DRAWING_FILE", "load_drawing", "save_drawing"]

#: Name of the file in the folder of a result.
DRAWING_FILE = "drawing.safetensors"
FORMAT = "napari-channelmix drawing"
SCHEMA = 1


def save_drawing(drawing: ResidualDrawing, path: str | Path) -> Path:
    """Write a residual drawing to a file, whole or not at all; weights in half precision.

    Raises
    ------
    SaveError
        Disk full and the like; a file that was there is intact.
    """
    weights = {
        name: value.half().detach().cpu().contiguous()
        for name, value in drawing.network.state_dict().items()
    }
    about = {
        "source": drawing.source.name,
        "sealed": _sealed(drawing.source),
        "network": drawing.network.settings.as_dict(),
        "about": drawing.about,
    }
    return write_sealed(path, FORMAT, SCHEMA, json.dumps(about), weights)


def load_drawing(path: str | Path, source: Disentangler) -> ResidualDrawing:
    """A residual drawing from a file, for the disentangler that it was learnt beside.

    Raises
    ------
    BundleError
        File missing, altered, from a newer version, or no residual drawing.
    ModelError
        It was learnt beside another disentangler, whose latents mean something else.
    """
    path = Path(path)
    text, weights = read_sealed(path, FORMAT, SCHEMA, "drawing")
    description = described(text, _Described, path=path)
    if description.sealed != _sealed(source):
        raise ModelError(
            f"{path}: was learnt beside other weights ({description.source}); load those with it"
        )
    try:
        settings = ResidualSettings(**description.network.model_dump())
        if (settings.channels, settings.named) != (source.shape[0], len(source.names)):
            raise ValueError(f"its images are not those of {source.name}")
        with torch.device("meta"):
            needed = ResidualNetwork(settings).state_dict()
    except (ModelError, TypeError, ValueError, RuntimeError) as error:
        raise BundleError(
            f"{path}: does not describe its network ({shown_error(error)})"
        ) from error
    floats = {key: value.float() for key, value in weights.items()}
    refuse_other_tensors(floats, needed, path=path, what="drawing")
    network = ResidualNetwork(settings)
    network.load_state_dict(floats)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return ResidualDrawing(source, network.eval(), description.about)


def _sealed(source: Any) -> str:
    """What tells weights from others; a copy in half precision counts as the same."""
    halves = {
        name: value.half() if value.is_floating_point() else value
        for name, value in source.network.state_dict().items()
    }
    return seal(source.name, halves, "")


class _Network(Stored):
    """As of `ResidualSettings.as_dict`."""

    model_config = ConfigDict(extra="forbid")

    channels: Annotated[int, Field(strict=True, ge=1, le=64)]
    named: Annotated[int, Field(strict=True, ge=1, le=1024)]
    maps: Annotated[int, Field(strict=True, ge=1, le=1024)]
    filters: Annotated[int, Field(strict=True, ge=4, le=4096)]
    hidden: Annotated[int, Field(strict=True, ge=1, le=65_536)]
    expansion: Annotated[int, Field(strict=True, ge=1, le=1024)]


class _Described(Stored):
    """What a file says of itself."""

    source: Name
    sealed: Name
    network: _Network
    about: dict[str, Any]
