"""The file of a bundle (``.cmx``): what it says of itself, checked; see `weights_file`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import ConfigDict, Field, model_validator

from napari_channelmix.bounds import Crop, Finite, Index, Name, PlainMixes, Positive
from napari_channelmix.classify.accuracy import StoredAccuracy
from napari_channelmix.classify.calibration import StoredCalibration
from napari_channelmix.classify.mixing import Constraint
from napari_channelmix.classify.training_cells import TrainingCells
from napari_channelmix.classify.training_data import TrainingData
from napari_channelmix.classify.weights_file import seal, write_sealed
from napari_channelmix.phenotypes.adjusted import StoredCalls
from napari_channelmix.stored_files import Origin, Stored, checked_as

if TYPE_CHECKING:
    from torch import Tensor, nn

__all__ = ["FORMAT", "SCHEMA", "BundleAbout", "bundle_hash", "write_bundle"]

FORMAT = "napari-channelmix bundle"
SCHEMA = 1

# Channels, classes, epochs.
MOST = 100_000


class HeldOutAbout(Stored):
    """How well a classifier does on held-out cells; see `measured`."""

    balanced_accuracy: Finite
    chance: Finite
    recall: dict[Name, Finite | None]
    estimate: StoredAccuracy | None = None
    confusion: tuple[tuple[Index, ...], ...] | None = None
    n_train: Index
    n_test: Index
    calls: StoredCalls | None = None


class RecordAbout(Stored):
    """What happened in training; see `TrainingRecord`."""

    history: Annotated[tuple[dict[Name, Finite], ...], Field(max_length=MOST)] = ()
    warnings: tuple[str, ...] = ()
    held_out: HeldOutAbout | None = None
    calibration: StoredCalibration | None = None


class NetworkAbout(Stored):
    """As of `NetworkSpec.as_dict`; an option that is not known would make another network."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    channels: Annotated[int, Field(strict=True, ge=1, le=MOST)]
    classes: Annotated[int, Field(strict=True, ge=1, le=MOST)]
    mixes: PlainMixes = 0
    constraint: Constraint = "softmax"


class BundleAbout(Stored):
    """What a bundle says of itself; see `Classifier`."""

    network: NetworkAbout
    channels: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    classes: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    mean: Annotated[tuple[Finite, ...], Field(max_length=MOST)]
    std: Annotated[tuple[Positive, ...], Field(max_length=MOST)]
    crop: Crop
    provenance: Annotated[dict[str, Any], checked_as(Origin)]
    record: Annotated[dict[str, Any], checked_as(RecordAbout)]
    data: dict[str, Any] | None = None
    trained_on: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _matching(self) -> BundleAbout:
        channels, classes = len(self.channels), len(self.classes)
        if channels != self.network.channels:
            raise ValueError(f"{channels} channels for a network of {self.network.channels}")
        if classes != self.network.classes:
            raise ValueError(f"{classes} classes for a network of {self.network.classes}")
        for what, names in (("channels", self.channels), ("classes", self.classes)):
            if len(set(names)) < len(names):
                raise ValueError(f"two of its {what} have the same name")
        for name in ("mean", "std"):
            count = len(getattr(self, name))
            if count != channels:
                raise ValueError(f"{name} has {count} numbers for {channels} channels")
        if self.data is not None:
            # What does not fit is said as any other fault of the description.
            TrainingData.from_dict(self.data, self.channels)
        if self.trained_on is not None:
            # A `DataError` is a `ValueError`.
            TrainingCells.from_dict(self.trained_on)
        counts = (self.record.get("held_out") or {}).get("confusion") or []
        if counts and (len(counts) != classes or any(len(row) != classes for row in counts)):
            raise ValueError(f"record.held_out.confusion is not {classes} x {classes}")
        record = RecordAbout.model_validate(self.record)
        if record.held_out is not None and record.held_out.calls is not None:
            record.held_out.calls.refuse_others(classes)
        if record.held_out is not None and record.held_out.estimate is not None:
            record.held_out.estimate.refuse_others(self.classes)
        return self


def write_bundle(path: str | Path, about: dict[str, Any], network: nn.Module) -> Path:
    """Write what `BundleAbout` describes, with the weights of a network.

    Raises
    ------
    SaveError
        Disk full and the like; a file that was there is intact.
    """
    weights = {
        name: value.detach().cpu().contiguous() for name, value in network.state_dict().items()
    }
    return write_sealed(path, FORMAT, SCHEMA, json.dumps(about), weights)


def bundle_hash(about: str, weights: dict[str, Tensor], schema: str = str(SCHEMA)) -> str:
    """SHA-256 over schema, description and every tensor; see `weights_file.seal`."""
    return seal(about, weights, schema)
