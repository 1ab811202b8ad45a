"""Bundles (``.cmx``): a classifier in one sealed file; see `bundle_file`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from napari_channelmix.classify.bundle_file import FORMAT, SCHEMA, BundleAbout, bundle_hash
from napari_channelmix.classify.classifier import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.classify.training_cells import TrainingCells
from napari_channelmix.classify.training_data import TrainingData
from napari_channelmix.classify.weights_file import described, read_sealed, refuse_other_tensors
from napari_channelmix.errors import BundleError, ModelError
from napari_channelmix.wording import shown_error

__all__ = ["FORMAT", "SCHEMA", "bundle_hash", "load_bundle", "save_bundle"]


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
    about, weights = read_sealed(path, FORMAT, SCHEMA, "bundle")
    description = described(about, BundleAbout, path=path)
    spec = NetworkSpec(**description.network.model_dump())
    try:
        # Only its shapes: nothing is held in memory for a network that the file does not fill.
        with torch.device("meta"):
            needed = spec.build().state_dict()
    except (TypeError, ValueError, RuntimeError) as error:
        if isinstance(error, ModelError):
            raise
        raise BundleError(
            f"{path}: does not describe its network ({shown_error(error)})"
        ) from error
    refuse_other_tensors(weights, needed, path=path, what="bundle")
    network = spec.build()
    network.load_state_dict(weights)
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
        # Bundles of earlier versions do not know it.
        None
        if description.data is None
        else TrainingData.from_dict(description.data, description.channels),
        None if description.trained_on is None else TrainingCells.from_dict(description.trained_on),
    )
