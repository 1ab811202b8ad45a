"""The classifiers of a config: trained again, or opened and held against the hash of then."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.classify import Classifier, load_bundle, load_model
from napari_channelmix.classify.model_hash import earlier_hashes, model_hash
from napari_channelmix.computing import Computing, computing, computing_with
from napari_channelmix.config.from_results import training_part
from napari_channelmix.errors import BundleError, ConfigError
from napari_channelmix.run.train_to_file import train_into_job
from napari_channelmix.settings import ClassifierSettings, settings_of

if TYPE_CHECKING:
    from napari_channelmix.classify import ForeignClassifier
    from napari_channelmix.config import DataSetConfig, TrainingPart
    from napari_channelmix.data import Cells
    from napari_channelmix.jobs import Job

__all__ = ["classifier_job", "computing_as", "device_of"]


def classifier_job(
    config: DataSetConfig, cells: Cells, out: Path, device: str, allow_code: bool
) -> Job[Classifier | ForeignClassifier]:
    """The classifier of a data set: trained, or opened and compared; a job."""
    record = config.classifier
    assert record is not None
    if record.training is not None:
        with computing_as(record.training.threads):
            return (yield from _trained_job(record.training, cells, out / "model.cmx", device))
    model = load_model(
        str(record.file),
        channels=record.channels,
        classes=record.classes,
        mean=0.0 if record.mean is None else record.mean,
        std=1.0 if record.std is None else record.std,
        output=record.output,
        select=record.select,
        size=record.size,
        resize=record.resize,
        allow_code=allow_code,
    )
    known = (None, model_hash(model), *earlier_hashes(model))
    if record.sha256 not in known:
        raise ConfigError(
            f"{record.file} is not the model the config was made with (its hash differs); put that "
            "one back, or take classifier.sha256 out of the config to use this one all the same"
        )
    if isinstance(model, Classifier):
        model.save(out / "model.cmx")
    return model


def _trained_job(record: TrainingPart, cells: Cells, path: Path, device: str) -> Job[Classifier]:
    """Train, unless an earlier run has done it."""
    stored = _earlier_classifier(path, record, cells)
    if stored is not None:
        return stored
    settings = settings_of(ClassifierSettings, record, device=device_of(device, record.device))
    classifier, _ = yield from train_into_job(cells, path, settings)
    return classifier


def _earlier_classifier(path: Path, record: TrainingPart, cells: Cells) -> Classifier | None:
    """The classifier of an earlier run with the same settings and cells, or None."""
    try:
        classifier = load_bundle(path)
    except BundleError:
        return None
    its = training_part(classifier.provenance)
    if its is None or classifier.provenance.get("cells") != cells.fingerprint:
        return None
    same = replace(its, device=record.device, threads=record.threads) == record
    return classifier if same else None


def device_of(requested: str, recorded: str) -> str:
    """Where to compute: as the config says, unless the user says otherwise."""
    return recorded if requested == "auto" else requested


@contextmanager
def computing_as(threads: int) -> Iterator[None]:
    """As many threads as the config says, where it does."""
    now: Computing = computing()
    with computing_with(replace(now, threads=threads) if threads else now):
        yield
