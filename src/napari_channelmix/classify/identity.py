"""What makes a classifier that one and no other, as a hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.classify.bundle import bundle_hash
from napari_channelmix.classify.classifier import Classifier

if TYPE_CHECKING:
    from napari_channelmix.classify.foreign import ForeignClassifier

__all__ = ["model_hash"]


def model_hash(model: Classifier | ForeignClassifier) -> str:
    """SHA-256 of what decides the answers of a classifier: weights, channels, normalisation.

    A model made elsewhere is known by its file; a Python function only by its name.
    """
    scale = [model.mean.tolist(), model.std.tolist()]
    about: list[Any] = [model.channels, model.classes, scale]
    if isinstance(model, Classifier):
        about.append(model.spec.as_dict())
        return bundle_hash(json.dumps(about), model.network.state_dict())
    digest = hashlib.sha256(json.dumps([*about, model.source, model.output]).encode())
    if Path(model.source).is_file():
        with Path(model.source).open("rb") as file:
            for block in iter(lambda: file.read(2**20), b""):
                digest.update(block)
    return digest.hexdigest()
