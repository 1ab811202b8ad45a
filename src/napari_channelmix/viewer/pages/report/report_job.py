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
from napari_channelmix.viewer.pages.report.config_job import (
    UnsavedError,
    changes,
    config_job,
    doable,
)

if TYPE_CHECKING:
    from napari_channelmix.drl import Latents
    from napari_channelmix.report import ClassifierFacts, Example, Findings, LatentsFacts
    from napari_channelmix.viewer.pages.report.snapshot import Snapshot
    from napari_channelmix.viewer.session.explanation import Explanation
    from napari_channelmix.viewer.session.session import Trained

__all__ = ["findings_job", "page_file_job"]


def findings_job(snapshot: Snapshot) -> Job[Findings]:
    """All that the session has found; with a config, where its cells are in data-set files."""
    yield Progress(0, 100, "loading PyTorch")
    shown = snapshot.recorded if snapshot in snapshot.recorded else (snapshot, *snapshot.recorded)
    several = len(shown) > 1
    findings = []
    for at, one in enumerate(shown):
        job = _of_one_job(one, snapshot)
        found = yield from part(job, 30 * at / len(shown), 30 / len(shown), 100)
        findings.append(replace(found, name=one.title if several else ""))
    whole = replace(findings[0], others=tuple(findings[1:]))
    if not doable(snapshot):
        try:
            config = yield from part(config_job(snapshot), 30, 70, 100)
        except UnsavedError as error:
            why = f"there is no config to reproduce this: {error}"
            return replace(whole, notes=(*changes(snapshot), why))
        whole = replace(whole, config=config, notes=config.notes)
    return whole


def _of_one_job(one: Snapshot, snapshot: Snapshot) -> Job[Findings]:
    """What was found of one data set."""
    from napari_channelmix.report import Findings

    found = Findings(one.cells, one.source, importance=one.importance)
    predictions = one.predictions
    # That which gave the predictions, or the explanations; else its own.
    if predictions is not None:
        used = predictions.trained or one.trained
    else:
        used = (one.explained_by if one.explained else None) or one.classifier
    if used is not None:
        yield Progress(10, 100, "reading the classifier")
        found = replace(found, classifier=_classifier(used))
        owner = snapshot.owner_of(used)
        if owner is not None and owner is not one:
            found = replace(found, classifier_of=owner.title)
        if one.classifier is not None and one.classifier is not used:
            found = replace(found, own_classifier=_classifier(one.classifier))
    if (
        predictions is not None
        and found.classifier is not None
        and predictions.classes == found.classifier.classes
    ):
        facts = replace(
            found.classifier, warnings=(*found.classifier.warnings, *predictions.warnings)
        )
        found = replace(
            found,
            probabilities=predictions.probabilities,
            classifier=facts,
            balanced=predictions.balanced,
            prior=predictions.prior,
            training=predictions.training,
        )
    if one.explained:
        examples = tuple(_example(each, one) for each in one.explained if each.map is not None)
        warnings = dict.fromkeys(
            line for each in one.explained for line in (*each.doubts, *each.warnings)
        )
        about = one.explained[0].attribution
        explained: dict[str, Any] = {"n": len(examples), "warnings": list(warnings)}
        if about is not None:
            explained["provenance"] = about.provenance
        found = replace(found, examples=examples, explained=explained)
    if one.latents is not None:
        yield Progress(50, 100, "drawing the traversals")
        found = replace(found, latents=_latents(one.latents))
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
            "balanced_accuracy": trained.accuracy,
            "chance": trained.chance,
            "recall": recall,
            "n_train": trained.n_train,
            "n_test": trained.n_test,
        }
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
        scores = {
            name: float(getattr(one.fidelity, name)[0]) for name in ("srg", "insertion", "deletion")
        }
    return Example(
        cell=one.cell,
        crops=one.crops,
        map=one.map,
        target=one.classes[one.target],
        probabilities={
            name: float(value) for name, value in zip(one.classes, one.probabilities, strict=True)
        },
        label=cells.classes[label] if label >= 0 else "",
        group=str(cells.groups[one.cell]),
        words=one.caveats if one.reliability is None else one.reliability.words(0),
        scores=scores,
        method=one.question.method,
    )


def _latents(latents: Latents) -> LatentsFacts:
    from napari_channelmix.report import LatentsFacts

    with tempfile.TemporaryDirectory() as folder:
        latents.save(folder)
        sheet = (Path(folder) / "traversals.png").read_bytes()
    return LatentsFacts(latents.as_dict(), sheet)
