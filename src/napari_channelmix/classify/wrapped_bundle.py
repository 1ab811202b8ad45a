"""Bundles of models made elsewhere: weights of a network with a name, or an ONNX model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn

from napari_channelmix.bounds import Finite, Flag, Index, Name, Positive
from napari_channelmix.classify.bundle_file import FORMAT, MOST, NetworkAbout
from napari_channelmix.classify.mixing import MixedNetwork
from napari_channelmix.classify.network_libraries import bare
from napari_channelmix.classify.networks import NetworkSpec, network_names
from napari_channelmix.classify.onnx_function import OnnxFunction
from napari_channelmix.classify.weights_file import write_sealed
from napari_channelmix.errors import ModelError
from napari_channelmix.provenance import provenance
from napari_channelmix.settings.model_output import Output
from napari_channelmix.stored_files import Origin, Stored, checked_as

__all__ = ["ONNX_BYTES", "WRAPPED_SCHEMA", "WrappedAbout", "is_wrapped", "save_wrapped"]

# Earlier versions know no such bundles: they say that it is too new.
WRAPPED_SCHEMA = 2
# The tensor that holds the bytes of an ONNX model.
ONNX_BYTES = "onnx"
# Side of the random crops on which a network is compared with its description.
TRIED_SIDE = 64
# Largest difference of scores, as a share of the largest.
ALIKE = 1e-4

Side = Annotated[int, Field(strict=True, ge=1, le=MOST)]


class WrappedAbout(Stored):
    """What a bundle of a model made elsewhere says of itself; see `ForeignClassifier`."""

    wrapped: Literal["network", "onnx"]
    network: NetworkAbout | None = None
    channels: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    classes: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    mean: Annotated[tuple[Finite, ...], Field(max_length=MOST)]
    std: Annotated[tuple[Positive, ...], Field(max_length=MOST)]
    output: Output = "auto"
    select: Index | Name | None = None
    size: tuple[Side, Side] | None = None
    resize: Flag = False
    notes: tuple[Name, ...] = ()
    source: Name = ""
    provenance: Annotated[dict[str, Any], checked_as(Origin)]

    @model_validator(mode="after")
    def _matching(self) -> WrappedAbout:
        if (self.wrapped == "network") != (self.network is not None):
            raise ValueError(f"a bundle of kind {self.wrapped} with another description")
        for name in ("mean", "std"):
            if len(getattr(self, name)) != len(self.channels):
                raise ValueError(f"{name} has not a number for each channel")
        for what, names in (("channels", self.channels), ("classes", self.classes)):
            if len(set(names)) < len(names):
                raise ValueError(f"two of its {what} have the same name")
        if self.network is not None and self.network.channels != len(self.channels):
            raise ValueError("another number of channels than its network takes")
        return self


def is_wrapped(about: str) -> bool:
    """Whether the description of a bundle, JSON text, is of a model made elsewhere."""
    try:
        content = json.loads(about)
    except (ValueError, RecursionError):
        return False
    return isinstance(content, dict) and "wrapped" in content


def save_wrapped(model: Any, path: str | Path, network: str = "") -> Path:
    """Write a model made elsewhere as a bundle, where that needs no pickle.

    Parameters
    ----------
    model : ForeignClassifier
    path : path
    network : str
        The name under which its network is built; default: it is found among ours.

    Raises
    ------
    ModelError
        A model that cannot be saved so; the line names the way.
    SaveError
        Disk full and the like; a file that was there is intact.
    """
    content = model.model.onnx_bytes()
    about: dict[str, Any] = {
        "channels": model.channels,
        "classes": model.classes,
        "mean": model.mean.tolist(),
        "std": model.std.tolist(),
        "output": model.output,
        "select": model.select,
        "size": model.size,
        "resize": model.resize,
        "notes": model.notes,
        "source": model.source,
        "provenance": provenance(),
    }
    if content is not None:
        # As it is in the bundle: without files beside it.
        try:
            OnnxFunction(content, len(model.channels), model.source)
        except ModelError as error:
            raise ModelError(
                f"{model.source}: cannot be saved as one file ({error}); export it with its "
                "weights inside (external_data=False)"
            ) from error
        weights = {ONNX_BYTES: torch.frombuffer(bytearray(content), dtype=torch.uint8)}
        about["wrapped"] = "onnx"
    else:
        spec, weights = _described_network(model, network)
        about |= {"wrapped": "network", "network": spec.as_dict()}
    return write_sealed(path, FORMAT, WRAPPED_SCHEMA, json.dumps(about), weights)


def _described_network(model: Any, name: str) -> tuple[NetworkSpec, dict[str, Tensor]]:
    """How the network of a model is built again, and its weights.

    Raises
    ------
    ModelError
        One that is not built by a name, or not the one with this name.
    """
    module, kind = model.model.module, model.model.inner.kind
    if kind != "module" or module is None:
        raise ModelError(
            f"{model.source}: {_WHY.get(kind, 'this model')} cannot be saved without a pickle; "
            f"{_WAY.get(kind, _KEEP)}"
        )
    for tried in (name,) if name else _likely(module):
        spec = _spec(module, tried, model)
        if spec is None:
            continue
        built = spec.build()
        bare(built).load_state_dict(module.state_dict())
        if _answers_alike(built, module, model):
            weights = {
                key: value.detach().cpu().contiguous() for key, value in built.state_dict().items()
            }
            return spec, weights
        raise ModelError(f"{model.source}: it answers otherwise than network {tried!r} does")
    which = f"is not network {name!r}" if name else "is none of the networks with a name"
    raise ModelError(
        f"{model.source}: {which}, so it cannot be saved without a pickle; say which it is "
        "(save(path, network='timm:resnet18')), export it (torch.onnx.export) and wrap the ONNX "
        f"file, or {_KEEP}"
    )


_KEEP = "wrap it in a Python file and name that: file.py:name"
_WHY = {
    "torchscript": "TorchScript",
    "export": "an exported program",
    "estimator": "an estimator",
    "function": "a function",
}
_EXPORT = f"export the network (torch.onnx.export) and wrap the ONNX file, or {_KEEP}"
_WAY = {
    "torchscript": _EXPORT,
    "export": _EXPORT,
    "estimator": f"convert it to ONNX (skl2onnx) and wrap that, or {_KEEP}",
}


def _likely(module: nn.Module) -> list[str]:
    """Names under which a network may be built."""
    inner = module.network if isinstance(module, MixedNetwork) else module
    facts = getattr(inner, "pretrained_cfg", None) or getattr(inner, "default_cfg", None)
    own = facts.get("architecture", "") if isinstance(facts, dict) else ""
    return [*network_names(), *([f"timm:{own}"] if own else [])]


def _spec(module: nn.Module, name: str, model: Any) -> NetworkSpec | None:
    """A description that gives a network of the same class with tensors of the same shapes."""
    mixing = module.mixing if isinstance(module, MixedNetwork) else None
    mixes, constraint = (mixing.mixes, mixing.constraint) if mixing else (0, "softmax")
    weights = module.state_dict()
    for classes in dict.fromkeys((len(model.classes), 1)):
        spec = NetworkSpec(name, len(model.channels), classes, mixes, constraint)
        try:
            built = bare(spec.build())
        # One that needs a library which is not there is not it.
        except ModelError:
            if name not in network_names():
                raise
            return None
        needed = built.state_dict()
        same = list(needed) == list(weights) and all(
            needed[key].shape == value.shape for key, value in weights.items()
        )
        if same and type(built).__qualname__ == type(module).__qualname__:
            return spec
    return None


def _answers_alike(built: nn.Module, module: nn.Module, model: Any) -> bool:
    """Whether both give the same scores for random crops."""
    height, width = model.size or (TRIED_SIDE, TRIED_SIDE)
    generator = torch.Generator().manual_seed(0)
    crops = torch.randn(2, len(model.channels), height, width, generator=generator).numpy()
    other = model.with_module(built)
    one, same = model.raw_answers(crops), other.raw_answers(crops)
    room = ALIKE * float(one.abs().max().clamp_min(1.0))
    return one.shape == same.shape and float((one - same).abs().max()) <= room
