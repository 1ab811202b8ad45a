"""A classifier in a file: trained, measured, saved, with its figures beside it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.atomic_write import write_json
from napari_channelmix.classify.evaluated_training import measured_training_job
from napari_channelmix.locks import in_use

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job
    from napari_channelmix.settings import ClassifierSettings

__all__ = ["SCHEMA", "train_into_job"]

SCHEMA = "napari-channelmix/train/1"


def train_into_job(
    cells: Cells, out: Path, settings: ClassifierSettings
) -> Job[tuple[Classifier, Path]]:
    """Train a classifier, measure it on held-out cells, save both; a job.

    Parameters
    ----------
    cells : Cells
    out : path
        The bundle (``.cmx``) to write; its figures go into a ``.json`` of the same name. A training
        that was stopped goes on from ``.cmx.partial``.
    settings : ClassifierSettings

    Raises
    ------
    DataError, ModelError, SaveError
    InUseError
        Another run that writes this bundle.
    """
    with in_use(out, is_file=True):
        return (yield from _trained_job(cells, out, settings))


def _trained_job(
    cells: Cells, out: Path, settings: ClassifierSettings
) -> Job[tuple[Classifier, Path]]:
    checkpoint = out.with_suffix(".cmx.partial")
    classifier = yield from measured_training_job(cells, settings=settings, checkpoint=checkpoint)
    classifier.save(out)
    beside = write_json(
        out.with_suffix(".json"),
        {
            "schema": SCHEMA,
            "channels": list(classifier.channels),
            "classes": list(classifier.classes),
            **classifier.record,
            "provenance": classifier.provenance,
        },
    )
    # Last: a run that is killed before has little to do again.
    checkpoint.unlink(missing_ok=True)
    return classifier, beside
