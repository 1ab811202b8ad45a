"""The jobs of the page Classifier; PyTorch is imported where one begins, never with the page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.jobs import Job, Progress
from napari_channelmix.viewer.session.session import Predictions, Trained

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.classify import Classifier, Evaluation, ForeignClassifier
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.settings import ClassifierSettings

__all__ = ["evaluation_job", "load_job", "predict_job", "train_job"]


def train_job(cells: Cells, chosen: ClassifierSettings) -> Job[Trained]:
    """Hold groups back, train on the others, measure on those held back."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify.evaluated_training import measured_training_job

    classifier = yield from measured_training_job(cells, settings=chosen)
    return _measured(classifier, f"trained on {cells.name}")


def _measured(classifier: Classifier | ForeignClassifier, source: str) -> Trained:
    """A classifier with its figures on the cells that were held out, where it has any."""
    held_out = getattr(classifier, "record", {}).get("held_out")
    if not held_out:
        return Trained(classifier, source)
    recall = {
        name: np.nan if value is None else value for name, value in held_out["recall"].items()
    }
    return Trained(
        classifier,
        source,
        held_out["balanced_accuracy"],
        held_out["chance"],
        recall,
        held_out["n_train"],
        held_out["n_test"],
        getattr(classifier, "accuracy", None),
    )


def predict_job(trained: Trained, cells: Cells, prior: PriorChoice = None) -> Job[Predictions]:
    """Class probabilities of all cells, what speaks against them, and fractions in groups."""
    from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of

    classifier: Any = trained.classifier
    # A choice that was made for another classifier means nothing to one made elsewhere.
    prior = prior if hasattr(classifier, "temperature") else None
    result = yield from classifier.call_job(cells, prior=prior)
    adjusted = fractions_of(
        grouping_of(cells),
        result.codes,
        classifier.classes,
        balanced=result.balanced.argmax(axis=1),
        held_out=getattr(classifier, "held_out_calls", None),
    ).adjusted
    return Predictions(
        classifier.classes,
        result.probabilities,
        trained.source,
        result.lines,
        result.prior,
        result.balanced,
        adjusted,
        tuple(result.training.tolist()),
        trained,
    )


def evaluation_job(trained: Trained, cells: Cells, prior: PriorChoice = None) -> Job[Evaluation]:
    """How well a classifier does on the cells that have a class."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify import evaluate_job

    prior = prior if hasattr(trained.classifier, "temperature") else None
    return (yield from evaluate_job(trained.classifier, cells, prior=prior))


def load_job(source: str | Path, **options: Any) -> Job[Trained]:
    """Open a model file."""
    yield Progress(0, 1, "loading PyTorch")
    from napari_channelmix.classify import load_model

    return _measured(load_model(source, **options), str(source))
