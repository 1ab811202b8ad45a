"""What makes a classifier that one and no other, as a hash."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.classify.bundle import bundle_hash
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.model_files import function_name
from napari_channelmix.classify.opened_model import OpenedModel

if TYPE_CHECKING:
    from napari_channelmix.classify.foreign import ForeignClassifier

__all__ = ["earlier_hashes", "model_hash"]


def model_hash(model: Classifier | ForeignClassifier) -> str:
    """SHA-256 of what decides the answers of a classifier: weights, channels, scale, temperature.

    A model made elsewhere is known by the content of its file, wherever that lies; a Python
    function by its name, and by the content of its file where it was named with that. A model that
    was handed over in Python is known by its weights, a plain function by its code and by what it
    refers to (`function_digest`). A function of which that is not known is another one each time
    that it is wrapped.
    """
    if isinstance(model, Classifier):
        facts = [*_about(model), model.spec.as_dict()]
        if model.temperature != 1.0:
            facts.append(model.temperature)
        about = json.dumps(facts)
        return bundle_hash(about, model.network.state_dict())
    if not isinstance(model.function, OpenedModel) and _inside(model) != model.token:
        # Wherever it lies, and whatever it was called.
        return _digest(model, "", model.output, None, _inside(model))
    path = _file(model)
    source = model.source if path is None else path.name
    return _digest(model, source, model.output, path, _inside(model))


def earlier_hashes(model: Classifier | ForeignClassifier) -> tuple[str, ...]:
    """What `model_hash` gave for the same model in an earlier version, for configs of that time.

    It held the path as it was given then, so it is the same only where that is.
    """
    if isinstance(model, Classifier):
        return ()
    words = {"auto": ("scores",), "logits": ("scores",)}.get(model.output, (model.output,))
    path = Path(model.source) if Path(model.source).is_file() else None
    return tuple(_digest(model, model.source, word, path) for word in words)


def _about(model: Classifier | ForeignClassifier) -> list[Any]:
    return [model.channels, model.classes, [model.mean.tolist(), model.std.tolist()]]


def _file(model: ForeignClassifier) -> Path | None:
    """The file a model made elsewhere is in."""
    name = function_name(model.source)
    path = Path(model.source if name is None else name[0])
    return path if path.is_file() else None


def _inside(model: ForeignClassifier) -> str:
    """What a model that is not in a file is known by; empty where the file says it all."""
    if isinstance(model.model, OpenedModel):
        return model.model.digest() if model.model.is_classifier else ""
    return model.model.digest() or model.token


def _digest(
    model: ForeignClassifier, source: str, output: str, path: Path | None, inside: str = ""
) -> str:
    about = [*_about(model), source, output]
    if model.select is not None:
        about.append(str(model.select))
    if model.resize:
        about.append(["resized", *model.sides])
    if inside:
        about.append(inside)
    digest = hashlib.sha256(json.dumps(about).encode())
    if path is not None:
        with path.open("rb") as file:
            for block in iter(lambda: file.read(2**20), b""):
                digest.update(block)
    return digest.hexdigest()
