"""The jobs that the docks start, put together from those of the rooms below.

PyTorch is imported where a job begins, never with a dock.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data import Cells, find_nuclei
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.viewer.session import Predictions, Trained

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_channelmix.classify import Classifier
    from napari_channelmix.dcmix import ChannelImportance

__all__ = [
    "ImportanceChoices",
    "TrainingChoices",
    "crops_job",
    "devices_job",
    "importance_job",
    "kept_folder",
    "load_job",
    "mixed_job",
    "nuclei_job",
    "predict_job",
    "train_job",
]

# Rows of a plane that are blended at once.
STRIPE = 256


@dataclass(frozen=True)
class TrainingChoices:
    """What the user chose in the dock 'Classifier'."""

    network: str = "small"
    epochs: int = 40
    seed: int = 0
    device: str = "auto"
    mixes: int = 0
    held_out: float = 0.25


@dataclass(frozen=True)
class ImportanceChoices:
    """What the user chose in the dock 'Channel importance'."""

    seeds: int = 4
    shapley: bool = True
    decoys: bool = True
    mixes: int = 1
    constraint: str = "softmax"
    network: str = "small"
    epochs: int = 40
    seed: int = 0
    device: str = "auto"
    held_out: float = 0.25


def train_job(cells: Cells, chosen: TrainingChoices) -> Job[Trained]:
    """Hold groups back, train on the others, measure on those held back."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify import TrainingSettings, train_classifier_job
    from napari_channelmix.classify.metrics import accuracy_of

    train, test = cells.split(test=chosen.held_out, seed=chosen.seed)
    training = train_classifier_job(
        train, mix=chosen.mixes > 0, mixes=max(1, chosen.mixes), network=chosen.network,
        settings=TrainingSettings(epochs=chosen.epochs), seed=chosen.seed, device=chosen.device,
    )  # fmt: skip
    classifier = yield from part(training, 0, 95, 100)
    guesses = yield from part(classifier.predict_job(test), 95, 5, 100, "held-out cells: ")
    found = accuracy_of(test.labels, guesses.argmax(axis=1), len(test.classes))
    recall = dict(zip(test.classes, found.recall, strict=True))
    return Trained(
        classifier, f"trained on {cells.name}", found.balanced, found.chance, recall, len(train),
        len(test),
    )  # fmt: skip


def predict_job(trained: Trained, cells: Cells) -> Job[Predictions]:
    """Class probabilities of all cells."""
    found = yield from trained.classifier.predict_job(cells)
    return Predictions(trained.classifier.classes, found, trained.source)


def kept_folder() -> Path | None:
    """Where the docks keep finished seeds of channel importance, or None where nothing can be kept.

    A folder per version: another one may find something else in the same cells.
    """
    from platformdirs import user_cache_path

    from napari_channelmix import __version__

    folder = user_cache_path("napari-channelmix", appauthor=False) / "importance" / __version__
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def importance_job(
    cells: Cells, chosen: ImportanceChoices, parts: Path | None = None
) -> Job[ChannelImportance]:
    """Hold groups back, then learn channel importance over the seeds; finished ones are kept."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify import TrainingSettings
    from napari_channelmix.dcmix import channel_importance_job

    train, test = cells.split(test=chosen.held_out, seed=chosen.seed)
    job = channel_importance_job(
        train, test, seeds=chosen.seeds, shapley=chosen.shapley, decoys=chosen.decoys,
        mixes=chosen.mixes, constraint=chosen.constraint,  # type: ignore[arg-type]
        network=chosen.network, settings=TrainingSettings(epochs=chosen.epochs),
        seed=chosen.seed, device=chosen.device, parts=parts,
    )  # fmt: skip
    return (yield from job)


def nuclei_job(plane: Any, min_area: int) -> Job[npt.NDArray[np.int32]]:
    """Find nuclei in a plane.

    Raises
    ------
    DataError
        No nucleus is found.
    """
    yield Progress(0, 2, "reading the channel")
    height, width = plane.shape
    pixels = plane[0:height, 0:width]
    yield Progress(1, 2, "finding nuclei")
    labels = find_nuclei(pixels, min_area=min_area)
    if not labels.any():
        raise DataError("no nuclei were found in this channel; choose one where they are bright")
    return labels


def crops_job(cells: Cells, chosen: Sequence[int]) -> Job[npt.NDArray[np.float32]]:
    """Read some crops, to look at."""
    yield Progress(0, 1, "reading crops")
    return cells.read(np.asarray(chosen, dtype=np.int64))


def mixed_job(classifier: Classifier, cells: Cells, field: int) -> Job[npt.NDArray[np.float32]]:
    """The blended images (mixes, Y, X) of a whole field of view, in normalised units.

    Blending is pixel by pixel, so the plane is done in stripes.

    Raises
    ------
    ModelError, DataError
        A classifier without a mixing layer, or for channels these cells lack.
    """
    from napari_channelmix.classify.classifier import matched

    cells = matched(cells, classifier.channels)
    one = cells.fields[field]
    height, width = one.shape
    stripes = []
    for top in range(0, height, STRIPE):
        box = (top, 0, min(top + STRIPE, height), width)
        stripes.append(classifier.blend(one.read(box, cells.planes)[None])[0])
        yield Progress(box[2], height, "mixing the channels")
    return np.concatenate(stripes, axis=1)


def devices_job() -> Job[dict[str, str | None]]:
    """Why each device cannot be used, or None where it can."""
    yield Progress(0, 1, "loading PyTorch")
    from napari_channelmix.classify.device import why_not

    return {name: why_not(name) for name in ("cpu", "cuda", "mps")}


def load_job(source: str | Path, **given: Any) -> Job[Trained]:
    """Open a model file."""
    yield Progress(0, 1, "loading PyTorch")
    from napari_channelmix.classify import load_model

    return Trained(load_model(source, **given), str(source))
