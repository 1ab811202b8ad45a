"""Bundles (``.cmx``): a classifier in one safetensors file, with JSON in its header and a hash.

Nothing in a bundle is code: weights are plain tensors, the rest is JSON. Pickles are refused under
whatever name they come.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.errors import BundleError, ModelError
from napari_channelmix.files import write_bytes

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SCHEMA", "bundle_hash", "load_bundle", "save_bundle"]

FORMAT = "napari-channelmix bundle"
SCHEMA = 1


def save_bundle(classifier: Classifier, path: str | Path) -> Path:
    """Write a classifier to a file, whole or not at all.

    Raises
    ------
    SaveError
        Disk full and the like; a file that was there is intact.
    """
    weights = {
        name: value.detach().cpu().contiguous()
        for name, value in classifier.network.state_dict().items()
    }
    about = _described(classifier)
    metadata = {
        "format": FORMAT,
        "schema": str(SCHEMA),
        "about": about,
        "sha256": bundle_hash(about, weights),
    }
    return write_bytes(path, save(weights, metadata=metadata))


def _described(classifier: Classifier) -> str:
    return json.dumps(
        {
            "network": classifier.spec.as_dict(),
            "channels": classifier.channels,
            "classes": classifier.classes,
            "mean": classifier.mean.tolist(),
            "std": classifier.std.tolist(),
            "crop": classifier.crop,
            "provenance": classifier.provenance,
            "record": classifier.record,
        }
    )


def bundle_hash(about: str, weights: dict[str, Tensor], schema: str = str(SCHEMA)) -> str:
    """SHA-256 over schema, description and every tensor: name, dtype, shape and bytes."""
    digest = hashlib.sha256(f"{schema} {about}".encode())
    for name in sorted(weights):
        value = weights[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def load_bundle(path: str | Path) -> Classifier:
    """Read a classifier from a file.

    Raises
    ------
    BundleError
        File missing, truncated, altered, from a newer version, or no bundle at all.
    """
    path = Path(path)
    metadata, weights = _read(path)
    if metadata.get("format") != FORMAT:
        raise BundleError(f"{path}: a safetensors file, but not a ChannelMix bundle")
    schema = metadata.get("schema", "")
    if not schema.isdecimal() or int(schema) > SCHEMA:
        raise BundleError(
            f"{path}: made by a newer version (bundle schema {schema or 'unknown'}, this version "
            f"reads up to {SCHEMA}); update napari-channelmix"
        )
    about = metadata.get("about", "")
    if bundle_hash(about, weights, schema) != metadata.get("sha256"):
        raise BundleError(f"{path}: the bundle was altered after it was saved (its hash differs)")
    try:
        return _rebuilt(json.loads(about), weights)
    except (KeyError, TypeError, ValueError, RuntimeError, ModelError) as error:
        if isinstance(error, ModelError):
            raise
        raise BundleError(f"{path}: the bundle does not describe its network ({error})") from error


def _read(path: Path) -> tuple[dict[str, str], dict[str, Tensor]]:
    try:
        with path.open("rb") as file:
            head = file.read(9)
    except FileNotFoundError:
        raise BundleError(f"{path}: no such file") from None
    except OSError as error:
        raise BundleError(f"{path}: cannot be read ({error.strerror})") from error
    # A zip archive is how PyTorch writes its pickles; \x80 starts a bare one. It may also be the
    # length of a safetensors header, but behind the eight bytes of that stands the header's brace.
    if head[:2] == b"PK" or (head[:1] == b"\x80" and head[8:9] != b"{"):
        raise BundleError(
            f"{path}: this is a pickle (a PyTorch checkpoint), not a bundle; pickles can run "
            "anyone's code and are never loaded; export the model to ONNX instead"
        )
    try:
        with safe_open(path, framework="pt") as file:
            weights = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return file.metadata() or {}, weights
    except (SafetensorError, OSError, ValueError) as error:
        raise BundleError(f"{path}: truncated or no bundle at all ({error})") from error


def _rebuilt(about: dict[str, Any], weights: dict[str, Tensor]) -> Classifier:
    spec = NetworkSpec(**about["network"])
    network = spec.build()
    network.load_state_dict(weights)
    return Classifier(
        network.eval(),
        spec,
        tuple(about["channels"]),
        tuple(about["classes"]),
        np.asarray(about["mean"], dtype=np.float64),
        np.asarray(about["std"], dtype=np.float64),
        int(about["crop"]),
        dict(about["provenance"]),
        dict(about["record"]),
    )
