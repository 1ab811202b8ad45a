"""From a snapshot of the session to the findings of a report, as a job.

PyTorch is imported where a job begins, never with a dock.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.viewer.reproduce.recipe import UnsavedError, changes, config_job, doable

if TYPE_CHECKING:
    from napari_channelmix.drl import Latents
    from napari_channelmix.report import ClassifierFacts, Example, Findings, LatentsFacts
    from napari_channelmix.viewer.explaining import Explanation
    from napari_channelmix.viewer.reproduce.snapshot import Snapshot
    from napari_channelmix.viewer.session import Trained

__all__ = ["findings_job", "page_file_job"]


def findings_job(snapshot: Snapshot) -> Job[Findings]:
    """All that the session has found; with a config, where its cells are in a data-set file."""
    yield Progress(0, 100, "loading PyTorch")
    from napari_channelmix.report import Findings

    found = Findings(snapshot.cells, snapshot.source, importance=snapshot.importance)
    if snapshot.trained is not None:
        yield Progress(10, 100, "looking at the classifier")
        found = replace(found, classifier=_classifier(snapshot.trained))
    said = snapshot.predictions
    if said is not None and found.classifier and said.classes == found.classifier.classes:
        facts = replace(found.classifier, warnings=(*found.classifier.warnings, *said.warnings))
        found = replace(found, probabilities=said.probabilities, classifier=facts,
                        balanced=said.balanced, prior=said.prior)  # fmt: skip
    if snapshot.explained:
        examples = tuple(
            _example(one, snapshot) for one in snapshot.explained if one.map is not None
        )
        warnings = dict.fromkeys(
            line for one in snapshot.explained for line in (*one.doubts, *one.warnings)
        )
        about = snapshot.explained[0].attribution
        explained: dict[str, Any] = {"n": len(examples), "warnings": list(warnings)}
        if about is not None:
            explained["provenance"] = about.provenance
        found = replace(found, examples=examples, explained=explained)
    if snapshot.latents is not None:
        yield Progress(20, 100, "drawing the traversals")
        found = replace(found, latents=_latents(snapshot.latents))
    if not doable(snapshot):
        try:
            config = yield from part(config_job(snapshot), 30, 70, 100)
        except UnsavedError as error:
            why = f"there is no config to do this again: {error}"
            return replace(found, notes=(*changes(snapshot), why))
        found = replace(found, config=config, notes=config.notes)
    return found


def page_file_job(snapshot: Snapshot, path: Path) -> Job[Path]:
    """Bring everything together and write the report.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    DataError
        Pixels that cannot be read.
    """
    found = yield from part(findings_job(snapshot), 0, 70, 100)
    from napari_channelmix.report import report_job

    return (yield from part(report_job(found, path), 70, 30, 100))


def _classifier(trained: Trained) -> ClassifierFacts:
    from napari_channelmix.report import ClassifierFacts

    held_out: dict[str, Any] = {}
    if trained.accuracy is not None:
        recall = {
            name: None if np.isnan(one) else one for name, one in (trained.recall or {}).items()
        }
        held_out = {
            "balanced_accuracy": trained.accuracy, "chance": trained.chance, "recall": recall,
            "n_train": trained.n_train, "n_test": trained.n_test,
        }  # fmt: skip
        if trained.estimate is not None:
            held_out["estimate"] = trained.estimate.as_dict()
    return ClassifierFacts.of(trained.classifier, trained.source, held_out)


def _example(one: Explanation, snapshot: Snapshot) -> Example:
    from napari_channelmix.report import Example

    cells = snapshot.cells
    assert one.map is not None and one.probabilities is not None and one.target is not None
    label = int(cells.labels[one.cell])
    scores = {}
    if one.fidelity is not None:
        scores = {name: float(getattr(one.fidelity, name)[0])
                  for name in ("srg", "insertion", "deletion")}  # fmt: skip
    return Example(
        cell=one.cell, crops=one.crops, map=one.map, target=one.classes[one.target],
        probabilities={name: float(value) for name, value in
                       zip(one.classes, one.probabilities, strict=True)},
        label=cells.classes[label] if label >= 0 else "", group=str(cells.groups[one.cell]),
        words=one.reliability.words(0) if one.reliability is not None else (),
        scores=scores, method=one.question.method,
    )  # fmt: skip


def _latents(latents: Latents) -> LatentsFacts:
    from napari_channelmix.report import LatentsFacts

    with tempfile.TemporaryDirectory() as folder:
        latents.save(folder)
        sheet = (Path(folder) / "traversals.png").read_bytes()
    return LatentsFacts(latents.as_dict(), sheet)
