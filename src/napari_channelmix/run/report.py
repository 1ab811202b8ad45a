"""The findings of a data set, from what the other commands wrote."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.classify import load_model
from napari_channelmix.classify.neighbours import prepared_alike
from napari_channelmix.classify.plausibility import plausibility_job
from napari_channelmix.classify.predictor import matched
from napari_channelmix.config import AuditPart, ClassifierPart, Config, WhatIfPart
from napari_channelmix.config.from_results import (
    audit_part,
    classifier_part,
    data_part,
    explanation_part,
    importance_part,
    latents_part,
    training_part,
    what_if_part,
)
from napari_channelmix.data.pixel_scaling import RAW, PixelScaling
from napari_channelmix.dcmix import ChannelImportance
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.pcim.caveats import call_caveats, sentences
from napari_channelmix.phenotypes.held_out import SAME_GROUP, UNKNOWN, YES
from napari_channelmix.provenance import provenance
from napari_channelmix.report import ClassifierFacts, Example, Findings, LatentsFacts
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.map_store import read_maps
from napari_channelmix.run.stored_answers import of_others, with_interventions
from napari_channelmix.run.stored_schemas import ExplainFile, LatentsFile
from napari_channelmix.stored_files import read_content
from napari_channelmix.whatif.evidence_shares import EvidenceShares
from napari_channelmix.wording import listed, shown_error

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.whatif.channel_shapley_result import ChannelShapley

__all__ = ["Sources", "findings_job"]

# Explained cells on the page, over all folders.
EXAMPLES = 12

ADVICE = "run the command again that wrote it"


@dataclass(frozen=True)
class Sources:
    """Where results lie; what is None or empty is not reported.

    Attributes
    ----------
    model : path, Classifier, ForeignClassifier or None
        A path is that of a bundle.
    importance, latents : path or None
        Folders that the commands of that name filled.
    explain : tuple of path
    name : str
        What a model that is no path is called.
    what_if : path or None
        Folder that ``whatif`` filled.
    audit : path or None
        File that ``audit`` wrote.
    prior : str, mapping of str to float, or Prior, optional
        With which prior probabilities are shown, as for `Classifier.predict_proba`.
    trained_on : str
        The data set that the model belongs to, where that is another one of the same report.
    """

    model: Path | Classifier | ForeignClassifier | None = None
    importance: Path | None = None
    explain: tuple[Path, ...] = ()
    latents: Path | None = None
    what_if: Path | None = None
    audit: Path | None = None
    name: str = ""
    prior: PriorChoice = None
    trained_on: str = ""


def findings_job(
    cells: Cells, sources: Sources, *, source: str, config: Config | None = None
) -> Job[Findings]:
    """Read what was found, and classify the cells where there is a classifier; a job.

    Parameters
    ----------
    cells : Cells
    source : str
        Path of the data-set file.
    config : Config, optional
        How to do it again; default: what the results say of it.

    Raises
    ------
    DataError
        Results that are missing, damaged, or of other cells.
    BundleError, ModelError
        A model that cannot be read, or does not fit the cells.
    """
    yield Progress(0, 100, "reading what was found")
    findings = Findings(cells, source=source, config=config)
    notes: list[str] = []
    model: Any = sources.model
    if isinstance(model, Path):
        model = load_model(model)
    if model is not None:
        name = sources.name or "as configured"
        if isinstance(sources.model, Path):
            name = sources.model.name
        facts = ClassifierFacts.of(model, name)
        called = yield from part(model.call_job(cells, prior=sources.prior), 0, 60, 100)
        against = yield from part(plausibility_job(model, cells), 60, 0, 100)
        facts = replace(facts, warnings=(*facts.warnings, *called.lines, *against))
        if not sources.trained_on:
            notes += _trained_on(facts, called.training.tolist(), cells)
        findings = replace(
            findings,
            classifier=facts,
            probabilities=called.probabilities,
            balanced=called.balanced,
            prior=called.prior,
            training=called.training.tolist(),
            classifier_of=sources.trained_on,
        )
    if sources.importance is not None:
        importance = ChannelImportance.load(sources.importance / "importance.json")
        notes += _other(importance.provenance.get("cells"), cells, "channel importance is of")
        findings = replace(findings, importance=importance)
    contents = []
    for index, folder in enumerate(sources.explain):
        yield Progress(60 + 30 * index / len(sources.explain), 100, "reading the maps")
        content = read_content(
            folder / "explain.json", ExplainFile, what="an explain.json", advice=ADVICE
        )
        contents.append(content)
        most = max(1, EXAMPLES // len(sources.explain))
        examples = _examples(folder, content, cells, most, model)
        notes += _scaled_otherwise(folder, content, cells)
        findings = replace(findings, examples=(*findings.examples, *examples), explained=content)
    if sources.latents is not None:
        yield Progress(92, 100, "reading the latents")
        latents = _latents(sources.latents)
        notes += _of_other_latents(latents.content["provenance"], cells)
        findings = replace(findings, latents=latents)
    if sources.what_if is not None or sources.audit is not None:
        yield Progress(95, 100, "reading the answers of what-if")
        own = ""
        if model is not None:
            own = matched(
                cells, model.channels, model.who, model.neighbours, model.scaling
            ).fingerprint
        findings, more = with_interventions(findings, sources.what_if, sources.audit, own)
        notes += more
    if config is None:
        config = _config(findings, sources, model, contents, source)
    return replace(findings, config=config, notes=tuple(notes))


def _trained_on(facts: ClassifierFacts, training: Sequence[str], cells: Cells) -> list[str]:
    """What must be said of a classifier of another data set.

    One that was trained on none of these cells says so beside its accuracy. That these cells have
    changed can be known only where some of them were trained on.
    """
    if facts.provenance.get("cells") in (None, cells.fingerprint):
        return []
    if all(mark == UNKNOWN for mark in training):
        return [
            "the classifier is of other cells, or of these before they changed; which cells it "
            "was trained on is not known"
        ]
    if not any(mark in (YES, SAME_GROUP) for mark in training):
        return ["the classifier was trained on none of these cells"]
    trained = np.asarray(training) == YES
    if cells.labels is None or len(trained) != len(cells.labels):
        return []
    codes = np.unique(cells.labels[trained])
    now = [cells.classes[code] for code in codes.tolist() if code >= 0]
    others = [name for name in now if name not in facts.classes]
    if not others:
        return []
    return [
        f"cells that the classifier was trained on are labelled {listed(others)} now, which it "
        "does not know: the data set has changed since"
    ]


def _other(fingerprint: object, cells: Cells, what: str) -> list[str]:
    if fingerprint is None or fingerprint == cells.fingerprint:
        return []
    if cells.scaling and fingerprint == cells.unscaled.fingerprint:
        return [f"{what} these cells with pixels as they are in the files, not scaled as here"]
    return [f"{what} other cells, or of these before they changed or were scaled otherwise"]


def _of_other_latents(about: Mapping[str, Any], cells: Cells) -> list[str]:
    """Whether latents are of these cells, or of those that a limit chooses among them."""
    fingerprint, limit = (
        about.get("cells", about.get("data")),
        about.get("settings", {}).get("limit"),
    )
    if limit:
        cells = cells.subset(chosen_cells(len(cells), limit, about.get("seed", 0)))
    return _other(fingerprint, cells, "the latents are of")


def _examples(
    folder: Path, content: Mapping[str, Any], cells: Cells, most: int, model: Any
) -> tuple[Example, ...]:
    """Some explained cells, spread evenly: not the best ones; their pixels as in the files."""
    try:
        fitting = _as_explained(cells, content, model)
        if content["provenance"]["data"] != fitting.fingerprint:
            unknown = model is None and content.get("prepared") is None
            named = "; if their classifier scales pixels, name it with --model" if unknown else ""
            raise DataError(
                f"{folder}: the maps are of other cells than {cells.name}'s; "
                f"the data set has changed since they were made{named}"
            )
        rows = np.unique(np.linspace(0, content["n"] - 1, most).astype(np.int64))
        index = np.asarray(content["cells"]["index"])[rows]
        path, shape = folder / "maps.zarr", (content["n"], cells.crop, cells.crop)
        maps = [read_maps(path, slice(row, row + 1), shape)[0] for row in rows.tolist()]
        sizes: list[Any] = [None] * len(rows)
        # A folder of an earlier version has none.
        if (folder / "magnitude.zarr").exists():
            path = folder / "magnitude.zarr"
            sizes = [read_maps(path, slice(row, row + 1), shape)[0] for row in rows.tolist()]
        shares = content.get("evidence_shares")
        crops, scores = fitting.unscaled.read(index), content.get("scores_per_cell", {})
        known = _words(content)
        # Files of earlier versions do not say which cells were trained on.
        blank = [""] * content["n"]
        return tuple(
            Example(
                cell=int(cell),
                crops=crop,
                map=attribution,
                target=content["classes"][content["target"][row]],
                probabilities=dict(
                    zip(content["classes"], content["probabilities"][row], strict=True)
                ),
                label=content["cells"]["label"][row] or "",
                group=content["cells"]["group"][row],
                words=known[row],
                scores={name: of[row] for name, of in scores.get(content["method"], {}).items()},
                method=content["method"],
                training=(content["cells"].get("training") or blank)[row],
                magnitude=size,
                shares=() if shares is None else EvidenceShares.of_row(shares, row).both(0),
            )
            for row, cell, crop, attribution, size in zip(
                rows.tolist(), index, crops, maps, sizes, strict=True
            )
        )
    except DataError:
        raise
    # A damaged store raises anything from KeyError to errors of zarr's own.
    except Exception as error:
        raise DataError(
            f"{folder}: not a folder of maps ({shown_error(error)}); {ADVICE}"
        ) from error


def _as_explained(cells: Cells, content: Mapping[str, Any], model: Any) -> Cells:
    """The cells as the classifier of the maps saw them, whether it is here or not."""
    channels, prepared = content["channels"], content.get("prepared")
    if prepared is not None:
        fitting = replace(cells.with_channels(channels), scaling=_scaling_of(content))
        return prepared_alike(fitting, str(prepared.get("neighbours", "")))
    # Files of earlier versions do not say it.
    if model is not None and list(model.channels) == list(channels):
        return matched(cells, model.channels, model.who, model.neighbours, model.scaling)
    return cells.with_channels(channels)


def _scaling_of(content: Mapping[str, Any]) -> PixelScaling:
    """How the pixels of explained cells were scaled."""
    scaling = (content.get("prepared") or {}).get("scaling")
    return RAW if scaling is None else PixelScaling.from_dict(scaling)


def _scaled_otherwise(folder: Path, content: Mapping[str, Any], cells: Cells) -> list[str]:
    """That maps are of pixels scaled otherwise than those of the data set as it was opened."""
    if content.get("prepared") is None:
        return []
    scaling = _scaling_of(content)
    if scaling.same(cells.scaling, content["channels"]):
        return []
    now = cells.scaling.of_channels(content["channels"])
    then = f"scaled ({scaling.text})" if scaling else "as they are in the files"
    here = f"scaled otherwise ({now.text})" if now else "not scaled"
    return [f"the maps in {folder} are of pixels {then}; those of the data set are {here} here"]


def _words(content: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What is to be minded of each map, a sentence each."""
    against = content.get("doubts") or [()] * content["n"]
    caveats = content.get("caveats")
    if caveats is None:
        # Of an earlier version: how close the calls are is known all the same.
        about = content["classes"], content["probabilities"], content["target"]
        caveats = call_caveats(None, *about, content.get("output") or "")
    tested = _tested_words(content)
    return [
        (*(f"Do not read this map: {doubt}." for doubt in doubts), *words, *sentences(minded))
        for doubts, words, minded in zip(against, tested, caveats, strict=True)
    ]


def _tested_words(content: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """What tests say of each map, a sentence each; none where maps were not tested."""
    tested = content.get("reliability")
    if tested is None:
        return [()] * content["n"]
    return [
        tuple(words) if readable else ("Do not read this map.", *words)
        for readable, words in zip(tested["readable"], tested["words"], strict=True)
    ]


def _latents(folder: Path) -> LatentsFacts:
    content = read_content(
        folder / "latents.json", LatentsFile, what="a latents.json", advice=ADVICE
    )
    sheet = folder / "traversals.png"
    return LatentsFacts(content, sheet.read_bytes() if sheet.is_file() else b"")


def _what_if_part(findings: Findings, classifier: ClassifierPart | None) -> WhatIfPart | None:
    if findings.what_if is None or classifier is None:
        return None
    if of_others("", findings.what_if.provenance, findings, ""):
        # Done again with this classifier, it would be another result.
        return None
    return what_if_part(
        findings.what_if.provenance,
        transplants=findings.transplants is not None,
        channels=findings.channel_shapley is not None,
        players=_players(findings.channel_shapley),
    )


def _players(result: ChannelShapley | None) -> Any:
    """Groups of channels that were exchanged together, as they were asked for."""
    settings = {} if result is None else result.provenance.get("settings")
    return settings.get("players", {}) if isinstance(settings, Mapping) else {}


def _audit_part(findings: Findings, classifier: ClassifierPart | None) -> AuditPart | None:
    if findings.audit is None or classifier is None:
        return None
    about = findings.audit.provenance
    return None if of_others("", about, findings, "") else audit_part(about)


def _request(about: Mapping[str, Any]) -> Mapping[str, Any]:
    """The settings that were asked for, from the provenance of maps."""
    request = about.get("request")
    if isinstance(request, Mapping):
        return request
    # Earlier versions did not keep their settings as one object.
    settings = about["settings"]
    return {
        "target": settings["target"],
        "versus": settings["versus"],
        "channels": settings["channels"],
        "forwards": settings["forwards"] or 1000,
        "seed": about["seed"],
    }


def _config(
    findings: Findings, sources: Sources, model: Any, contents: list[dict[str, Any]], source: str
) -> Config:
    """How to do again what was found, as far as the results say."""
    explained, notes = [], []
    for content in contents:
        whole = content["n"] == len(findings.cells)
        cells = None if whole else tuple(content["cells"]["index"])
        explanation = explanation_part(cells, content, _request(content["provenance"]))
        if explanation is None:
            notes.append("explanations are left out: how they were made is not known")
        else:
            explained.append(explanation)
    classifier: ClassifierPart | None = None
    if model is not None:
        training = training_part(getattr(model, "provenance", {}))
        file = sources.model if isinstance(sources.model, Path) and training is None else None
        classifier = classifier_part(model, file, sources.prior)
    if explained and classifier is None:
        notes.append("the explanations are left out: the report was not told of their model")
        explained = []
    about = provenance()
    return Config(
        made=about["made"],
        versions=about["versions"],
        data=data_part(findings.cells, source),
        classifier=classifier,
        importance=None if findings.importance is None else importance_part(findings.importance),
        explanations=tuple(explained),
        latents=None
        if findings.latents is None
        else latents_part(findings.latents.content["provenance"]),
        what_if=_what_if_part(findings, classifier),
        audit=_audit_part(findings, classifier),
        notes=tuple(notes),
    )
