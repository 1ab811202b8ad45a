"""A classifier that is trained and then measured on cells it never saw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from napari_channelmix.classify.calibration import held_out_calibration, scaled, scores_of
from napari_channelmix.classify.held_out_record import held_out_record
from napari_channelmix.classify.train import train_classifier_job
from napari_channelmix.classify.training import TrainingSettings
from napari_channelmix.jobs import Job, part

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.mixing import Constraint
    from napari_channelmix.data import Cells

__all__ = ["measured_training_job"]


def measured_training_job(
    cells: Cells,
    *,
    network: str = "small",
    epochs: int = 40,
    settings: TrainingSettings | None = None,
    seed: int = 0,
    device: str = "auto",
    mixes: int = 0,
    constraint: Constraint = "softmax",
    held_out: float = 0.25,
    checkpoint: Path | None = None,
) -> Job[Classifier]:
    """Hold groups back, train on the others, measure on those held back; a job.

    The classifier's ``record`` gets ``held_out`` (see `held_out_record`) and ``calibration`` (see
    `held_out_calibration`); its ``provenance`` gets what is needed to do the same again.

    Parameters
    ----------
    cells : Cells
    seed : int
        Of the split and of the training.
    mixes : int
        Blended images in front of the network; 0 for a plain one.
    held_out : float
        Share of the cells that training never sees; a split column of the data set is kept.
    network, device, constraint, checkpoint
        As for `train_classifier`; the checkpoint is left in place.
    epochs, settings
        Most epochs, or all of how to train.

    Raises
    ------
    DataError, ModelError
        As `train_classifier` and `Cells.split`.
    """
    train, test = cells.split(test=held_out, seed=seed)
    training = train_classifier_job(
        train, mix=mixes > 0, mixes=max(1, mixes), constraint=constraint, network=network,
        settings=settings or TrainingSettings(epochs=epochs), seed=seed, device=device,
        checkpoint=checkpoint,
    )  # fmt: skip
    classifier = yield from part(training, 0, 95, 100)
    called = classifier.predict_job(test, prior="balanced")
    scores = scores_of((yield from part(called, 95, 5, 100, "held-out cells: ")))
    prior = classifier.prior_of()
    calibration = held_out_calibration(scores, test.labels, test.groups, test.classes,
                                       prior.shares, prior=prior.text(), seed=seed)  # fmt: skip
    guesses = scaled(scores, calibration.temperature)
    measured = held_out_record(guesses, test.labels, test.groups, test.classes, len(train))
    again = {
        "split": {"held_out": held_out, "seed": seed},
        "device": classifier.device.type,
        "threads": torch.get_num_threads(),
        "cells": cells.fingerprint,
    }
    return replace(
        classifier,
        record={**classifier.record, "held_out": measured, "calibration": calibration.as_dict()},
        provenance={**classifier.provenance, **again},
    )  # fmt: skip
