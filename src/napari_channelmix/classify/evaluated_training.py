"""A classifier that is trained and then measured on held-out cells."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from napari_channelmix.classify.calibrate import held_out_calibration
from napari_channelmix.classify.class_precision import precision_warnings
from napari_channelmix.classify.held_out_record import held_out_record
from napari_channelmix.classify.sampling import sampling_warnings
from napari_channelmix.classify.temperature import scaled, scores_of
from napari_channelmix.classify.train import shown_cells, train_classifier_job
from napari_channelmix.jobs import Job, part
from napari_channelmix.settings import ClassifierSettings, as_dict, merged

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.data import Cells
    from napari_channelmix.settings import TrainingSettings

__all__ = ["measured_training_job"]


def measured_training_job(
    cells: Cells,
    *,
    settings: TrainingSettings | None = None,
    checkpoint: Path | None = None,
    **options: Any,
) -> Job[Classifier]:
    """Hold groups back, train on the others, measure on those held back; a job.

    The classifier's ``record`` gets ``held_out`` (see `held_out_record`) and ``calibration`` (see
    `held_out_calibration`), and its ``warnings`` what the choice of cells leaves in doubt (see
    `sampling_warnings`); its ``provenance`` gets what is needed to do the same again.

    Parameters
    ----------
    cells : Cells
    settings : ClassifierSettings or TrainingSettings, optional
        All settings, or those of the training. ``seed`` is that of the split and of the training.
    checkpoint : path, optional
        As for `train_classifier`; it is left in place.
    **options
        Single settings; see `ClassifierSettings`.

    Raises
    ------
    DataError, ModelError
        As `train_classifier` and `Cells.split`.
    """
    resolved = merged(ClassifierSettings, settings, options)
    held_out, seed = resolved.held_out, resolved.seed
    train, test = shown_cells(cells, resolved).split(test=held_out, seed=seed)
    training = train_classifier_job(train, settings=resolved, checkpoint=checkpoint)
    classifier = yield from part(training, 0, 95, 100)
    called = classifier.predict_job(test, prior="balanced")
    scores = scores_of((yield from part(called, 95, 5, 100, "held-out cells: ")))
    prior = classifier.prior_of()
    calibration = held_out_calibration(
        scores, test.labels, test.groups, test.classes, prior.shares, prior=prior.text(), seed=seed
    )
    guesses = scaled(scores, calibration.temperature)
    measured = held_out_record(guesses, test.labels, test.groups, test.classes, len(train))
    before = classifier.record.get("warnings", ())
    limits = (
        *sampling_warnings(cells.labelled(), train, test.labels),
        *precision_warnings(
            test.labels,
            guesses.argmax(axis=1),
            prior.applied(guesses).argmax(axis=1),
            test.groups,
            test.classes,
            prior,
        ),
    )
    record = {**classifier.record, "warnings": list(dict.fromkeys([*before, *limits]))}
    again = {
        "request": as_dict(resolved),
        "split": {"held_out": held_out, "seed": seed},
        "device": classifier.device.type,
        "threads": torch.get_num_threads(),
        "cells": cells.fingerprint,
    }
    return replace(
        classifier,
        record={**record, "held_out": measured, "calibration": calibration.as_dict()},
        provenance={**classifier.provenance, **again},
    )
