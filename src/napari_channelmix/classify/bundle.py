"""Bundles (``.cmx``): a classifier in one sealed file; see `sealed`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.sealed import read_sealed, seal, write_sealed
from napari_channelmix.classify.training_data import TrainingData
from napari_channelmix.errors import BundleError, ModelError

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
    return write_sealed(path, FORMAT, SCHEMA, _described(classifier), weights)


def _described(classifier: Classifier) -> str:
    content = {
        "network": classifier.spec.as_dict(),
        "channels": classifier.channels,
        "classes": classifier.classes,
        "mean": classifier.mean.tolist(),
        "std": classifier.std.tolist(),
        "crop": classifier.crop,
        "provenance": classifier.provenance,
        "record": classifier.record,
    }
    if classifier.training_data is not None:
        content["data"] = classifier.training_data.as_dict()
    return json.dumps(content)


def bundle_hash(about: str, weights: dict[str, Tensor], schema: str = str(SCHEMA)) -> str:
    """SHA-256 over schema, description and every tensor; see `sealed.seal`."""
    return seal(about, weights, schema)


def load_bundle(path: str | Path) -> Classifier:
    """Read a classifier from a file.

    Raises
    ------
    BundleError
        File missing, truncated, altered, from a newer version, or no bundle at all.
    """
    about, weights = read_sealed(path, FORMAT, SCHEMA, "bundle")
    try:
        return _rebuilt(json.loads(about), weights)
    except (KeyError, TypeError, ValueError, RuntimeError, ModelError) as error:
        if isinstance(error, ModelError):
            raise
        raise BundleError(f"{path}: the bundle does not describe its network ({error})") from error


def _rebuilt(about: dict[str, Any], weights: dict[str, Tensor]) -> Classifier:
    spec = NetworkSpec(**about["network"])
    network = spec.build()
    network.load_state_dict(weights)
    channels, data = tuple(about["channels"]), about.get("data")
    return Classifier(
        network.eval(),
        spec,
        channels,
        tuple(about["classes"]),
        np.asarray(about["mean"], dtype=np.float64),
        np.asarray(about["std"], dtype=np.float64),
        int(about["crop"]),
        dict(about["provenance"]),
        dict(about["record"]),
        # Bundles of earlier versions do not know it.
        None if data is None else TrainingData.from_dict(data, channels),
    )
