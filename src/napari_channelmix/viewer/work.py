"""The jobs that the docks start, put together from those of the rooms below.

PyTorch is imported where a job begins, never with a dock.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data import Cells, find_nuclei
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.session.preferences import PREFERENCES
from napari_channelmix.viewer.session.session import Predictions, Trained

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from napari_channelmix.classify import Classifier, Evaluation, ForeignClassifier
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.settings import ClassifierSettings, ImportanceSettings

__all__ = [
    "crops_job",
    "devices_job",
    "evaluation_job",
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


def train_job(cells: Cells, chosen: ClassifierSettings) -> Job[Trained]:
    """Hold groups back, train on the others, measure on those held back."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify.evaluated_training import measured_training_job

    classifier = yield from measured_training_job(cells, settings=chosen)
    return _measured(classifier, f"trained on {cells.name}")


def _measured(classifier: Classifier | ForeignClassifier, source: str) -> Trained:
    """A classifier with its figures on the cells that were held out, where it has any."""
    found = getattr(classifier, "record", {}).get("held_out")
    if not found:
        return Trained(classifier, source)
    recall = {name: np.nan if one is None else one for name, one in found["recall"].items()}
    return Trained(
        classifier, source, found["balanced_accuracy"], found["chance"], recall,
        found["n_train"], found["n_test"], getattr(classifier, "accuracy", None),
    )  # fmt: skip


def predict_job(trained: Trained, cells: Cells, prior: PriorChoice = None) -> Job[Predictions]:
    """Class probabilities of all cells, what speaks against them, and fractions in groups."""
    from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of

    classifier: Any = trained.classifier
    # A choice that was made for another classifier means nothing to one made elsewhere.
    prior = prior if hasattr(classifier, "temperature") else None
    found = yield from classifier.call_job(cells, prior=prior)
    adjusted = fractions_of(
        grouping_of(cells), found.codes, classifier.classes,
        balanced=found.balanced.argmax(axis=1),
        held_out=getattr(classifier, "held_out_calls", None),
    ).adjusted  # fmt: skip
    return Predictions(classifier.classes, found.probabilities, trained.source, found.lines,
                       found.prior, found.balanced, adjusted,
                       tuple(found.training.tolist()), trained)  # fmt: skip


def evaluation_job(trained: Trained, cells: Cells, prior: PriorChoice = None) -> Job[Evaluation]:
    """How well a classifier does on the cells that have a class."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify import evaluate_job

    prior = prior if hasattr(trained.classifier, "temperature") else None
    return (yield from evaluate_job(trained.classifier, cells, prior=prior))


def kept_folder() -> Path | None:
    """Where the docks keep finished repeats of channel importance, or None where nothing is kept.

    A folder per version: another one may find something else in the same cells. None where the
    preferences say so, or where it cannot be made.
    """
    if not PREFERENCES.now.keep:
        return None
    from platformdirs import user_cache_path

    from napari_channelmix.provenance import package_version

    folder = user_cache_path("napari-channelmix", appauthor=False) / "importance"
    folder = folder / (package_version("napari-channelmix") or "0+unknown")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder


def importance_job(
    cells: Cells, chosen: ImportanceSettings, parts: Path | None = None
) -> Job[ChannelImportance]:
    """Learn channel importance over the repeats; finished ones are kept."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.dcmix.importance_of_dataset import divided_importance_job

    return (yield from divided_importance_job(cells, settings=chosen, parts=parts))


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

    return _measured(load_model(source, **given), str(source))
