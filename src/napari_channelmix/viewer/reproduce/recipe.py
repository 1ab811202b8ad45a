"""From a snapshot of the session to a config that does the same again, as a job.

PyTorch is imported where a job begins, never with a dock.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    from napari_channelmix.config import Config, ExplanationPart
    from napari_channelmix.viewer.explaining import Question
    from napari_channelmix.viewer.reproduce.snapshot import Snapshot

__all__ = ["UnsavedError", "changes", "config_job", "doable"]


class UnsavedError(DataError):
    """Cells that are in no data-set file as they are now."""


def doable(snapshot: Snapshot) -> str:
    """Why there is nothing that could be done again, or an empty text."""
    parts = (snapshot.trained, snapshot.importance, snapshot.latents)
    if not any(part is not None for part in parts):
        return ("Nothing to do again yet: train a classifier, or find channel importance or "
                "latents.")  # fmt: skip
    return ""


def config_job(snapshot: Snapshot) -> Job[Config]:
    """What the session did, as a config; the data-set file is opened to see that it is the same.

    Raises
    ------
    UnsavedError
        Cells of layers, or with other classes than their file has.
    DataError
        As `open_dataset`.
    """
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.classify.device import choose_device
    from napari_channelmix.config import Config
    from napari_channelmix.config.facts import (
        classifier_part,
        data_part,
        importance_part,
        latents_part,
    )
    from napari_channelmix.data import open_dataset_job
    from napari_channelmix.provenance import provenance

    cells, dataset = snapshot.cells, snapshot.dataset
    if dataset is None:
        raise UnsavedError("these cells are in no data-set file yet: save them first")
    on_disk = yield from part(open_dataset_job(dataset), 0, 90, 100, "looking at the file: ")
    yield Progress(90, 100, "comparing the cells")
    if on_disk.fingerprint != cells.fingerprint:
        raise UnsavedError(
            f"{dataset.name} holds other cells or classes than are open here: save these first"
        )
    trained, classifier, importance, latents = snapshot.trained, None, None, None
    if trained is not None:
        classifier = classifier_part(
            trained.classifier, _file(trained.source),
            snapshot.prior if hasattr(trained.classifier, "temperature") else None,
        )  # fmt: skip
    if snapshot.importance is not None:
        importance = importance_part(snapshot.importance)
    if snapshot.latents is not None:
        latents = latents_part(snapshot.latents.provenance)
    notes = [
        f"how {what} came about is not known, so it is left out"
        for what, found, known in (
            ("the classifier", trained, classifier),
            ("channel importance", snapshot.importance, importance),
            ("what is known of the latents", snapshot.latents, latents),
        )
        if found is not None and known is None
    ]
    notes += changes(snapshot)
    about = provenance()
    return Config(
        made=about["made"], versions=about["versions"], data=data_part(cells, dataset),
        # What 'auto' was here: elsewhere it may be another one.
        device=choose_device("auto").type,  # type: ignore[arg-type]
        classifier=classifier, importance=importance, latents=latents,
        explanations=_explanations(snapshot) if classifier is not None else (),
        notes=tuple(notes),
    )  # fmt: skip


def changes(snapshot: Snapshot) -> tuple[str, ...]:
    """What was found of other cells, or of these with other classes, a line each."""
    trained, importance, latents = snapshot.trained, snapshot.importance, snapshot.latents
    made: list[tuple[str, Any]] = []
    # A model from a file was never meant to be of these cells.
    if trained is not None and _file(trained.source) is None:
        about = getattr(trained.classifier, "provenance", {})
        made.append(("the classifier was trained", about))
    if importance is not None:
        made.append(("channel importance was found", importance.provenance))
    if latents is not None:
        made.append(("the latents were found", latents.provenance))
    now = snapshot.cells.fingerprint if made else ""
    return tuple(
        f"{what} before cells or classes were changed: the figures are of those, and differ when "
        "it is done again"
        for what, about in made
        if about.get("cells") not in (None, now)
    )


def _file(source: str) -> Path | None:
    path = Path(source)
    return path if path.suffix and path.is_file() else None


def _explanations(snapshot: Snapshot) -> tuple[ExplanationPart, ...]:
    """What was asked of which cells; the same question of several cells is one part."""
    from napari_channelmix.config.facts import explanation_part

    asked: dict[Question, list[int]] = {}
    abouts: dict[Question, dict[str, Any]] = {}
    for one in reversed(snapshot.explained):
        if one.attribution is not None:
            asked.setdefault(one.question, []).append(one.cell)
            abouts[one.question] = one.attribution.provenance
    return tuple(
        explanation_part(
            tuple(cells), abouts[question], target=question.target, versus=question.versus,
            separate=question.separate,
        )
        for question, cells in asked.items()
    )  # fmt: skip
