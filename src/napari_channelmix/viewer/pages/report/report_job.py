"""From a snapshot of the session to the findings of a report, as a job.

PyTorch is imported where a job begins, never with a page.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

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
    from napari_channelmix.viewer.session.what_if_answers import WhatIfAnswers

__all__ = ["findings_job", "page_file_job"]


def findings_job(snapshot: Snapshot) -> Job[Findings]:
    """All that the session has found; with a config, where its cells are in data-set files."""
    yield Progress(0, 100, "loading PyTorch")
    shown = snapshot.recorded if snapshot in snapshot.recorded else (snapshot, *snapshot.recorded)
    several = len(shown) > 1
    findings = []
    for index, data_set in enumerate(shown):
        job = _data_set_findings_job(data_set, snapshot)
        result = yield from part(job, 30 * index / len(shown), 30 / len(shown), 100)
        findings.append(replace(result, name=data_set.title if several else ""))
    whole = replace(findings[0], others=tuple(findings[1:]))
    if not doable(snapshot):
        try:
            config = yield from part(config_job(snapshot), 30, 70, 100)
        except UnsavedError as error:
            why = f"there is no config to reproduce this: {error}"
            return replace(whole, notes=(*whole.notes, *changes(snapshot), why))
        whole = replace(whole, config=config, notes=(*whole.notes, *config.notes))
    return whole


def _data_set_findings_job(data_set: Snapshot, snapshot: Snapshot) -> Job[Findings]:
    """What was found of one data set."""
    from napari_channelmix.report import Findings

    findings = Findings(
        data_set.cells, data_set.source, importance=data_set.importance, display=data_set.display
    )
    predictions = data_set.predictions
    # That which gave the predictions, or the explanations; else its own.
    if predictions is not None:
        used = predictions.trained or data_set.trained
    else:
        used = (data_set.explained_by if data_set.explained else None) or data_set.classifier
        if used is None and data_set.what_if is not None:
            used = data_set.what_if.trained
    if used is not None:
        yield Progress(10, 100, "reading the classifier")
        findings = replace(findings, classifier=_classifier(used))
        owner = snapshot.owner_of(used)
        if owner is not None and owner is not data_set:
            findings = replace(findings, classifier_of=owner.title)
        if data_set.classifier is not None and data_set.classifier is not used:
            findings = replace(findings, own_classifier=_classifier(data_set.classifier))
    if (
        predictions is not None
        and findings.classifier is not None
        and predictions.classes == findings.classifier.classes
    ):
        facts = replace(
            findings.classifier, warnings=(*findings.classifier.warnings, *predictions.warnings)
        )
        findings = replace(
            findings,
            probabilities=predictions.probabilities,
            classifier=facts,
            balanced=predictions.balanced,
            prior=predictions.prior,
            training=predictions.training,
        )
    if data_set.explained:
        examples = tuple(
            _example(each, data_set) for each in data_set.explained if each.map is not None
        )
        warnings = dict.fromkeys(
            line for each in data_set.explained for line in (*each.doubts, *each.warnings)
        )
        about = data_set.explained[0].attribution
        explained: dict[str, Any] = {"n": len(examples), "warnings": list(warnings)}
        if about is not None:
            explained["provenance"] = about.provenance
        findings = replace(findings, examples=examples, explained=explained)
    if data_set.latents is not None:
        yield Progress(50, 100, "drawing the traversals")
        findings = replace(findings, latents=_latents(data_set.latents))
    if data_set.what_if is not None:
        findings = _with_what_if(findings, data_set.what_if, used)
    return findings


def _with_what_if(findings: Findings, answers: WhatIfAnswers, used: Trained | None) -> Findings:
    """All that was asked about changed cells, and whether another classifier answered."""
    findings = replace(
        findings,
        what_if=answers.result,
        transplants=answers.transplants,
        channel_shapley=answers.channels,
        channel_means=answers.means,
        audit=answers.audit,
    )
    if answers.trained is used:
        return findings
    line = "the answers of what-if are of another classifier than the one described here"
    return replace(findings, notes=(*findings.notes, line))


def page_file_job(snapshot: Snapshot, path: Path) -> Job[Path]:
    """Bring everything together and write the report.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    DataError
        Pixels that cannot be read.
    """
    findings = yield from part(findings_job(snapshot), 0, 70, 100)
    from napari_channelmix.report import report_job

    return (yield from part(report_job(findings, path), 70, 30, 100))


def _classifier(trained: Trained) -> ClassifierFacts:
    from napari_channelmix.report import ClassifierFacts

    held_out: dict[str, Any] = {}
    if trained.accuracy is not None:
        recall = {
            name: None if np.isnan(value) else value
            for name, value in (trained.recall or {}).items()
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


def _unscaled_crop(explanation: Explanation) -> npt.NDArray[np.float32]:
    """The crop in the units of the files: pictures of cells have one contrast in these."""
    attribution = explanation.attribution
    seen = None if attribution is None else attribution.source.known
    if seen is None or not seen.scaling:
        return explanation.crops
    return np.asarray(seen.unscaled.read([explanation.cell])[0])


def _example(explanation: Explanation, snapshot: Snapshot) -> Example:
    from napari_channelmix.report import Example

    cells = snapshot.cells
    assert (
        explanation.map is not None
        and explanation.probabilities is not None
        and explanation.target is not None
    )
    label = int(cells.labels[explanation.cell])
    scores = {}
    if explanation.fidelity is not None:
        scores = {
            name: float(getattr(explanation.fidelity, name)[0])
            for name in ("srg", "insertion", "deletion")
        }
    return Example(
        cell=explanation.cell,
        crops=_unscaled_crop(explanation),
        map=explanation.map,
        target=explanation.classes[explanation.target],
        probabilities={
            name: float(value)
            for name, value in zip(explanation.classes, explanation.probabilities, strict=True)
        },
        label=cells.classes[label] if label >= 0 else "",
        group=str(cells.groups[explanation.cell]),
        words=explanation.caveats
        if explanation.reliability is None
        else explanation.reliability.words(0),
        scores=scores,
        method=explanation.question.method,
        magnitude=explanation.magnitude,
        shares=() if explanation.shares is None else explanation.shares.both(0),
    )


def _latents(latents: Latents) -> LatentsFacts:
    from napari_channelmix.report import LatentsFacts

    with tempfile.TemporaryDirectory() as folder:
        latents.save(folder)
        sheet = (Path(folder) / "traversals.png").read_bytes()
    return LatentsFacts(latents.as_dict(), sheet)
