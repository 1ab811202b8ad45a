"""The classes of a whole data set: probabilities of each cell, fractions in each group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.atomic_write import refuse_no_folder, write_json, write_text
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of
from napari_channelmix.phenotypes.responses import PREDICTED, responses_of
from napari_channelmix.provenance import provenance
from napari_channelmix.report.cell_table import cell_table
from napari_channelmix.report.group_tables import write_doses, write_groups
from napari_channelmix.report.text import training_in_words

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells

__all__ = ["SCHEMA", "Predicted", "predict_cells", "predict_cells_job", "predicted_text"]

SCHEMA = "napari-channelmix/predict/1"


@dataclass(frozen=True)
class Predicted:
    """A data set that is classified.

    Attributes
    ----------
    content : dict
        What predictions.json holds.
    files : tuple of path
        ``cells.csv``, ``groups.csv``, ``predictions.json``; with doses ``dose-response.csv`` and
        ``doses.csv``.
    """

    content: dict[str, Any]
    files: tuple[Path, ...]


def predict_cells(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: str | Path,
    *,
    prior: PriorChoice = None,
) -> Predicted:
    """Classify the cells of a data set, and write what is found into a folder.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
    out : path
        Folder for ``cells.csv`` (a row per cell), ``groups.csv`` (a row per group, with fractions
        adjusted for the confusion where it is known, and the columns of the data set's table that
        tell of groups), ``predictions.json`` (which prior, which model, what speaks against it),
        and where there is a column of doses ``dose-response.csv`` and ``doses.csv``.
    prior : str, mapping of str to float, or Prior, optional
        As for `Classifier.predict_proba`.

    Returns
    -------
    Predicted

    Raises
    ------
    ModelError
        As `Classifier.predict_proba`.
    SaveError
        Disk full, folder read-only and the like.
    InUseError
        Another run that works in the folder.
    """
    return drain(predict_cells_job(model, cells, Path(out), prior))


def predict_cells_job(
    model: Classifier | ForeignClassifier, cells: Cells, out: Path, prior: PriorChoice = None
) -> Job[Predicted]:
    """`predict_cells` as a job."""
    refuse_no_folder(out)
    with in_use(out):
        called = yield from part(model.call_job(cells, prior=prior), 0, 95, 100)
        yield Progress(95, 100, "counting")
        held_out = getattr(model, "held_out_calls", None)
        groups = fractions_of(
            grouping_of(cells),
            called.codes,
            model.classes,
            balanced=called.balanced.argmax(axis=1),
            held_out=held_out,
            training=called.training,
        )
        counts = np.bincount(called.codes, minlength=len(model.classes)).tolist()
        adjusted = groups.adjusted
        accuracy = getattr(model, "accuracy", None)
        content = {
            "schema": SCHEMA,
            "data": cells.name,
            "n": len(cells),
            "classes": list(model.classes),
            "called": dict(zip(model.classes, counts, strict=True)),
            "mean_probability": dict(
                zip(
                    model.classes,
                    called.probabilities.mean(axis=0).astype(float).tolist(),
                    strict=True,
                )
            )
            if len(cells)
            else {},
            "prior": {**called.prior.as_dict(), "text": called.prior.text()},
            "accuracy": None
            if accuracy is None
            else {**accuracy.as_dict(), "text": accuracy.text()},
            "calibrated": getattr(model, "calibration_text", ""),
            "adjusted": "no held-out predictions are known for this model"
            if adjusted is None
            else adjusted.why_not or adjusted.note,
            "training": training_in_words(called.training.tolist()),
            "data_shift": called.shift.as_dict(),
            "warnings": list(called.lines),
            "provenance": provenance(model=model_hash(model), data=cells.fingerprint),
        }
        table = cell_table(
            cells, called.probabilities, model.classes, training=called.training.tolist()
        )
        yield Progress(97, 100, "writing")
        labelled = (
            fractions_of(groups.grouping, cells.labels, cells.classes) if cells.classes else None
        )
        responses = responses_of(cells.conditions, groups, PREDICTED, labelled)
        files = (
            write_text(out / "cells.csv", csv_text(table)),
            write_groups(groups, cells.conditions, out),
            *(write_doses(responses, out) if responses else ()),
            write_json(out / "predictions.json", content),
        )
    return Predicted(content, files)


def predicted_text(predicted: Predicted) -> str:
    """What was called, for a terminal."""
    content = predicted.content
    called = ", ".join(f"{name} {count}" for name, count in content["called"].items())
    means = ", ".join(
        f"{name} {100 * of:.1f} %" for name, of in content["mean_probability"].items()
    )
    lines = [
        f"{content['n']} cells of {content['data']}: {called}",
        f"mean probability: {means}",
        f"probabilities: {content['prior']['text']}",
    ]
    if content["accuracy"]:
        lines.append(f"when it was trained: {content['accuracy']['text']}")
    lines += [content[name] for name in ("calibrated", "training") if content[name]]
    if content["adjusted"]:
        lines.append(f"adjusted fractions: {content['adjusted']}")
    return "\n".join([*lines, *(f"note: {line}" for line in content["warnings"])])
