"""Bundles (``.cmx``): a classifier in one sealed file; see `bundle_file`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from napari_channelmix.classify.bundle_file import FORMAT, SCHEMA, BundleAbout, bundle_hash
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.foreign import ForeignClassifier
from napari_channelmix.classify.model_function import ModelFunction, ModuleFunction
from napari_channelmix.classify.network_libraries import library_of
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.onnx_function import OnnxFunction
from napari_channelmix.classify.training_cells import TrainingCells
from napari_channelmix.classify.training_data import TrainingData
from napari_channelmix.classify.weights_file import described, read_sealed, refuse_other_tensors
from napari_channelmix.classify.wrapped_bundle import (
    ONNX_BYTES,
    WRAPPED_SCHEMA,
    WrappedAbout,
    is_wrapped,
)
from napari_channelmix.data.pixel_scaling import RAW, PixelScaling
from napari_channelmix.errors import BundleError, DataError, ModelError
from napari_channelmix.wording import shown_error

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["FORMAT", "SCHEMA", "bundle_hash", "load_bundle", "open_bundle", "save_bundle"]


def save_bundle(classifier: Classifier, path: str | Path) -> Path:
    """Write a classifier to a file; see `Classifier.save`."""
    return classifier.save(path)


def load_bundle(path: str | Path) -> Classifier:
    """Read a classifier from a file.

    Raises
    ------
    BundleError
        File missing, truncated, altered, from a newer version, or no bundle at all; tensors or
        numbers that do not fit its description.
    """
    about, weights = read_sealed(path, FORMAT, WRAPPED_SCHEMA, "bundle")
    if is_wrapped(about):
        raise BundleError(f"{path}: holds a model made elsewhere; open it with load_model")
    return classifier_of(about, weights, path)


def open_bundle(path: str | Path) -> Classifier | ForeignClassifier:
    """Read a classifier of either kind: one that was trained here, or made elsewhere.

    Raises
    ------
    BundleError, ModelError
        As `load_bundle`, `wrapped_of`.
    """
    about, weights = read_sealed(path, FORMAT, WRAPPED_SCHEMA, "bundle")
    if is_wrapped(about):
        return wrapped_of(about, weights, path)
    return classifier_of(about, weights, path)


def classifier_of(about: str, weights: dict[str, Tensor], path: str | Path) -> Classifier:
    """A classifier, from what its bundle holds.

    Raises
    ------
    BundleError
        Tensors or numbers that do not fit its description.
    """
    description = described(about, BundleAbout, path=path)
    spec = NetworkSpec(**description.network.model_dump())
    # Only its shapes: nothing is held in memory for a network that the file does not fill.
    # Those of libraries need not allow that.
    with torch.device("cpu" if library_of(spec.name) else "meta"):
        needed = _built(spec, path).state_dict()
    refuse_other_tensors(weights, needed, path=path, what="bundle")
    try:
        network = spec.build()
        network.load_state_dict(weights)
        data, trained_on = description.data, description.trained_on
        # Bundles of earlier versions do not know them.
        known = None if data is None else TrainingData.from_dict(data, description.channels)
        digests = None if trained_on is None else TrainingCells.from_dict(trained_on)
        PixelScaling.from_dict(description.record.get("scaling", RAW.as_dict()))
    except (DataError, TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, ModelError):
            raise
        raise BundleError(f"{path}: cannot be read ({shown_error(error)})") from error
    # As it was trained: with another order in memory, its answers differ in their last digits.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return Classifier(
        network.eval(),
        spec,
        description.channels,
        description.classes,
        np.asarray(description.mean, dtype=np.float64),
        np.asarray(description.std, dtype=np.float64),
        description.crop,
        description.provenance,
        description.record,
        known,
        digests,
    )


def _built(spec: NetworkSpec, path: str | Path) -> torch.nn.Module:
    """The network that a bundle describes, before its weights.

    Raises
    ------
    BundleError
        A description of no network; a `ModelError` of a library that is missing stays.
    """
    try:
        return spec.build()
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, ModelError):
            raise
        raise BundleError(
            f"{path}: does not describe its network ({shown_error(error)})"
        ) from error


def wrapped_of(about: str, weights: dict[str, Tensor], path: str | Path) -> ForeignClassifier:
    """A model made elsewhere, from what its bundle holds.

    Raises
    ------
    BundleError
        A description or tensors that do not fit.
    ModelError
        The network needs a library that is not installed; ONNX without onnxruntime.
    """
    description = described(about, WrappedAbout, path=path)
    function: ModelFunction
    if description.network is None:
        content = weights.get(ONNX_BYTES)
        if len(weights) != 1 or content is None or content.dtype != torch.uint8:
            raise BundleError(f"{path}: does not hold the ONNX model that it describes")
        function = OnnxFunction(content.numpy().tobytes(), len(description.channels), str(path))
    else:
        network = _built(NetworkSpec(**description.network.model_dump()), path)
        refuse_other_tensors(weights, network.state_dict(), path=path, what="bundle")
        network.load_state_dict(weights)
        function = ModuleFunction(network.eval(), str(path))
    return ForeignClassifier(
        function,
        description.channels,
        description.classes,
        np.asarray(description.mean, dtype=np.float64),
        np.asarray(description.std, dtype=np.float64),
        description.output,
        str(path),
        description.select,
        description.notes,
        description.size,
        description.resize,
    )
