"""From results to the parts of a config: all of it is read from their provenance."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.config.schema import (
    AuditPart,
    ClassifierPart,
    DataPart,
    ExplanationPart,
    ImportancePart,
    LatentsPart,
    ModelChannelsPart,
    PredictionsPart,
    TrainingPart,
    TransplantsPart,
    WhatIfPart,
)
from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.classify.priors import Prior
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance

__all__ = [
    "audit_part",
    "classifier_part",
    "data_part",
    "explanation_part",
    "importance_part",
    "latents_part",
    "model_channels_part",
    "predictions_part",
    "prior_choice",
    "training_part",
    "transplants_part",
    "what_if_part",
]

LEARNING = ("epochs", "patience", "batch", "rate", "decay", "clip")
BLENDING = ("network", "mixes", "constraint", "shapley", "decoys")
# Which cells are explained, which a config says by their positions, and whether maps are measured.
CHOOSING = ("limit", "only", "score", "cells")
# Of a provenance that is not complete.
UNKNOWN = (KeyError, TypeError, ValueError, ModelError)


def data_part(
    cells: Cells, dataset: str | Path, name: str = "", *, as_in_file: bool = False
) -> DataPart:
    """The cells of a data-set file; some of their pixels are read for the fingerprint.

    ``name``: another than that of the cells, where two data sets have the same. ``as_in_file``:
    the file says of itself how their pixels are scaled, also where that was chosen, as it does
    when they were saved since.
    """
    # Channels that are left out may be the only ones that are scaled.
    scaling = cells.scaling.of_channels(cells.channels)
    return DataPart(
        dataset=str(Path(dataset).resolve()),
        name=name or cells.name,
        n=len(cells),
        fingerprint=cells.fingerprint,
        channels=cells.channels,
        classes=cells.classes,
        scaling=scaling.lines[0] if scaling else None,
        scaled_as=None if as_in_file else cells.scaling.chosen or None,
    )


def training_part(provenance: Mapping[str, Any]) -> TrainingPart | None:
    """How a classifier was trained, or None where its provenance does not say all of it."""
    try:
        request = provenance.get("request") or _earlier_training(provenance)
        # What 'auto' was.
        place = {"device": provenance["device"], "threads": provenance["threads"]}
        if request.get("weights"):
            place["weights"] = _resolved(request["weights"])
        return TrainingPart(**{**request, **place})
    except UNKNOWN:
        return None


def _earlier_training(provenance: Mapping[str, Any]) -> dict[str, Any]:
    """The same from bundles that did not keep their settings as one object."""
    network = provenance["network"]
    learning = {name: provenance["settings"][name] for name in LEARNING}
    return {
        **learning,
        "network": network["name"],
        "mixes": network["mixes"],
        "constraint": network["constraint"],
        "held_out": provenance["split"]["held_out"],
        "seed": provenance["seed"],
    }


def classifier_part(
    model: Any, file: str | Path | None = None, prior: Any = None
) -> ClassifierPart | None:
    """How to come by a classifier: from its file where it was opened from one, else by training.

    None where neither is known, as for a function that was handed over in Python. ``prior`` is
    that which was asked for, None for the usual one.
    """
    from napari_channelmix.classify import Classifier
    from napari_channelmix.classify.model_hash import model_hash

    record = getattr(model, "record", {})
    accuracy = record.get("held_out", {}).get("balanced_accuracy")
    known: dict[str, Any] = {}
    if isinstance(model, Classifier):
        if file is not None and Path(file).is_file():
            known = {"file": str(Path(file).resolve())}
    else:
        source = _reachable(model.source if file is None else str(file))
        if source is not None:
            known = {"file": source}
        # A classifier that a Python file made says the rest itself.
        if source is not None and not getattr(model.function, "is_classifier", False):
            known |= {
                "channels": model.channels,
                "classes": model.classes,
                "mean": tuple(model.mean),
                "std": tuple(model.std),
                "output": model.output,
                "select": model.select,
                "size": model.size,
                "resize": model.resize,
            }
    if known:
        return ClassifierPart(accuracy=accuracy, sha256=model_hash(model), prior=prior, **known)
    training = training_part(getattr(model, "provenance", {}))
    if training is None:
        return None
    return ClassifierPart(training=training, accuracy=accuracy, prior=prior)


def _reachable(source: str) -> str | None:
    """Where a model made elsewhere can be loaded from again: a whole path, or a function's name."""
    from napari_channelmix.classify.model_files import function_name

    name = function_name(source)
    if name is None:
        return str(Path(source).resolve()) if Path(source).is_file() else None
    return f"{Path(name[0]).resolve()}:{name[1]}" if name[0].endswith(".py") else source


def importance_part(importance: ChannelImportance) -> ImportancePart | None:
    """How channel importance was found, or None where its provenance does not say all of it."""
    about = importance.provenance
    try:
        settings = about["settings"]
        split = about.get("split", {"held_out": 0.25})
        request = about.get("request") or {
            **{name: settings[name] for name in (*LEARNING, *BLENDING)},
            "held_out": split["held_out"],
            "scaled_per": about.get("scaled_per", ""),
            # Earlier versions, and cells that were handed over divided, had one split.
            "one_split": split.get("one_split", True),
        }
        known = {
            # Those that are done, of a run that was stopped.
            "seeds": len(importance.seeds),
            "seed": importance.seeds[0],
            "split_seed": split.get("seed", importance.seeds[0]),
            "device": settings["device"],
            "threads": about.get("threads", 0),
            "share": dict(zip(importance.channels, importance.share, strict=True)),
        }
        return ImportancePart(**{**request, **known})
    except UNKNOWN:
        return None


def prior_choice(prior: Prior | None) -> Any:
    """How a prior is asked for again: by its name or as shares; None where it is not known."""
    if prior is None or prior.kind == "own":
        return None
    shares = dict(zip(prior.classes, prior.shares, strict=True))
    return shares if prior.kind == "given" else prior.kind


def predictions_part(
    prior: Prior | None, called: Mapping[str, int], classifier: str | None = None
) -> PredictionsPart:
    """How cells were classified: by the classifier of which data set, with which prior."""
    return PredictionsPart(classifier=classifier, prior=prior_choice(prior), called=dict(called))


def explanation_part(
    cells: tuple[int, ...] | None,
    about: Mapping[str, Any],
    request: Mapping[str, Any],
    *,
    classifier: str | None = None,
    prior: Any = None,
) -> ExplanationPart | None:
    """How cells were explained, or None where the request is not one of this version.

    Parameters
    ----------
    cells : tuple of int or None
        Positions in the data set; None: all.
    about : mapping
        With the ``method`` and ``mode`` that were used, such as the provenance of an `Attribution`.
    request : mapping
        Settings of a `Question`, or more.
    """
    settings = {name: value for name, value in request.items() if name not in CHOOSING}
    known = {
        "cells": cells,
        "method": about["method"],
        "mode": about["mode"],
        "classifier": classifier,
        "prior": prior,
    }
    try:
        return ExplanationPart(**{**settings, **known})
    except UNKNOWN:
        return None


def latents_part(about: Mapping[str, Any]) -> LatentsPart | None:
    """How latents were found, from their provenance, or None where it does not say."""
    try:
        settings = about["settings"]
        request = about.get("request") or {
            "finetune": settings["finetune"],
            "pixels": settings.get("pixels", False),
            "seed": about["seed"],
            "limit": settings.get("limit"),
        }
        known = {
            "model": _resolved(about.get("disentangler") or about["model"]),
            # Of all channels that were looked at, also of one alone.
            "channel": None,
            "view": settings["view"],
            "threads": about.get("threads", 0),
        }
        if request.get("features"):
            known["features"] = _resolved(request["features"])
        return LatentsPart(**{**request, **known})
    except UNKNOWN:
        return None


def what_if_part(
    about: Mapping[str, Any], *, classifier: str | None = None, **more: Any
) -> WhatIfPart | None:
    """How cells were edited, from the provenance of a `WhatIf`, or None where it does not say.

    ``more``: ``transplants`` and ``channels``, where these were asked for as well, and ``players``.
    """
    try:
        known = {"classifier": classifier, "prior": _prior_of(about), **more}
        return WhatIfPart(**{**about["settings"], **known})
    except UNKNOWN:
        return None


def transplants_part(
    about: Mapping[str, Any], *, classifier: str | None = None
) -> TransplantsPart | None:
    """How parts of cells were exchanged, from the provenance of `Transplants`, or None."""
    try:
        known = {"classifier": classifier, "prior": _prior_of(about)}
        return TransplantsPart(**{**about["settings"], **known})
    except UNKNOWN:
        return None


def model_channels_part(
    about: Mapping[str, Any], *, classifier: str | None = None
) -> ModelChannelsPart | None:
    """How the channels of a classifier were measured, from that of a `ChannelShapley`, or None."""
    try:
        known = {"classifier": classifier, "prior": _prior_of(about)}
        return ModelChannelsPart(**{**about["settings"], **known})
    except UNKNOWN:
        return None


def audit_part(about: Mapping[str, Any], *, classifier: str | None = None) -> AuditPart | None:
    """How a classifier was audited, from the provenance of an `Audit`, or None."""
    try:
        known = {"classifier": classifier, "mapped": tuple(about.get("mapped") or ())}
        return AuditPart(**{**about["settings"], **known})
    except UNKNOWN:
        return None


def _prior_of(about: Mapping[str, Any]) -> Any:
    """The prior that was asked for; None where it is that of training, or a model's own."""
    prior = about["prior"]
    if prior["kind"] == "given":
        return prior["shares"]
    return prior["kind"] if prior["kind"] in ("balanced", "estimated") else None


def _resolved(model: str) -> str:
    """A file or folder by its whole path; the name of a shipped model stays."""
    path = Path(model)
    return str(path.resolve()) if path.is_dir() or (path.suffix and path.is_file()) else model
