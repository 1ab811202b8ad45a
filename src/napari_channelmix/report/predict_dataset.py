"""The classes of a whole data set: probabilities of each cell, fractions in each group."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import refuse_no_folder, write_json
from napari_channelmix.classify.model_hash import earlier_hashes, model_hash
from napari_channelmix.classify.prediction_chunks import (
    CollectedPredictions,
    predict_chunk_job,
    prediction_chunks,
)
from napari_channelmix.cluster import chunks_job
from napari_channelmix.cluster.chunks import refuse_both
from napari_channelmix.data.cell_names import cell_name
from napari_channelmix.data.pixel_facts import files_of_chunks_job
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.phenotypes.fractions import fractions_of, grouping_of
from napari_channelmix.phenotypes.held_out import held_out_of
from napari_channelmix.phenotypes.responses import PREDICTED, responses_of
from napari_channelmix.provenance import package_version, provenance
from napari_channelmix.report.cell_results import SUFFIXES, CellResults, write_cells_job
from napari_channelmix.report.group_tables import write_doses, write_groups
from napari_channelmix.report.kept_chunks import ADVICE
from napari_channelmix.report.prediction_parts import PredictionParts
from napari_channelmix.report.text import training_in_words
from napari_channelmix.settings import PredictSettings, merged, takes_settings
from napari_channelmix.stored_files import Stored, read_json
from napari_channelmix.wording import path_shown

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.classify.predictor import Called
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["SCHEMA", "Predicted", "predict_cells", "predict_cells_job", "predicted_text"]

SCHEMA = "napari-channelmix/predict/1"
# Endings of files that look like a table, but are none that is written; a folder may end in others.
NO_TABLES = (".xlsx", ".xls", ".ods", ".feather", ".arrow", ".pq", ".h5", ".hdf5", ".gz", ".zip")
# What some tables need, and the extra that brings it.
PACKAGES = {
    ".parquet": ("pyarrow", "parquet"),
    ".h5ad": ("h5py", "anndata"),
    ".h5sc": ("h5py", "anndata"),
}


@dataclass(frozen=True)
class Predicted:
    """A data set that is classified.

    Attributes
    ----------
    content : dict
        What predictions.json holds.
    files : tuple of path
        The table of cells alone; or ``cells.csv``, ``groups.csv``, ``predictions.json``, with
        doses ``dose-response.csv`` and ``doses.csv``.
    """

    content: dict[str, Any]
    files: tuple[Path, ...]


@takes_settings(PredictSettings, leave_out=("prior",))
def predict_cells(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: str | Path,
    *,
    prior: PriorChoice = None,
    settings: PredictSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Predicted:
    """Classify the cells of a data set, and write what is found into a folder, or a table.

    Cells are classified chunk by chunk, and each chunk is kept beside the result until all are
    done: the same call goes on where an earlier one was stopped, or killed.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
    cells : Cells
    out : path
        A file that ends in ``.csv``, ``.parquet`` or ``.h5ad``, for a row per cell alone, or in
        another ending of `report.cell_results.write_cells`. Or a folder, for ``cells.csv`` (a row
        per cell), ``groups.csv`` (a row per group, with fractions adjusted for the confusion where
        it is known, and the columns of the data set's table that tell of groups),
        ``predictions.json`` (which prior, which model, what speaks against it), and where there
        is a column of doses ``dose-response.csv`` and ``doses.csv``.
    prior : str, mapping of str to float, or Prior, optional
        As for `Classifier.predict_proba`.
    settings : PredictSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, which win: ``only`` (``all``, or ``held-out``: the cells that the model was
        not trained on), ``workers``, ``scheduler`` and ``retries``, see `ClusterSettings`.

    Returns
    -------
    Predicted

    Raises
    ------
    ModelError
        As `Classifier.predict_proba`.
    DataError
        Chunks that could not be computed, after all others were; a folder with the results of
        another model or of other cells; a package that the file needs and that is missing.
    ClusterError
        A scheduler that cannot be reached or is lost, workers that do not fit.
    SaveError
        Disk full, folder read-only and the like.
    InUseError
        Another run that works in the folder, or on the file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=4, cells_per_well=4, side=64, crop=16).cells
    >>> model = cm.train_classifier(cells, network="tiny", epochs=1)
    >>> table = Path(tempfile.mkdtemp()) / "cells.csv"
    >>> [file.name for file in cm.predict_cells(model, cells, table, only="all").files]
    ['cells.csv']
    """
    if prior is not None:
        options["prior"] = prior
    chosen = merged(PredictSettings, settings, options)
    return drain(predict_cells_job(model, cells, Path(out), settings=chosen), progress)


def predict_cells_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: Path,
    prior: PriorChoice = None,
    settings: PredictSettings | None = None,
    device: str = "",
) -> Job[Predicted]:
    """`predict_cells` as a job.

    Parameters
    ----------
    model, cells, out, prior, settings
        As for `predict_cells`; ``prior`` wins.
    device : str
        Where workers compute: ``auto`` and so on; empty: on the CPU.
    """
    settings = merged(PredictSettings, settings, {} if prior is None else {"prior": prior})
    refuse_both(settings)
    is_file = out.suffix.lower() in SUFFIXES
    if is_file:
        _refuse_file(out)
    else:
        if out.suffix.lower() in NO_TABLES and not out.is_dir():
            raise SaveError(
                f"--out {path_shown(out)}: tables end in .csv, .parquet or .h5ad; "
                f"{out.suffix} is not written"
            )
        refuse_no_folder(out)
    with in_use(out, is_file=is_file):
        facts = _facts(model, cells)
        if not is_file:
            _refuse_other_results(out / "predictions.json", model, facts)
        # A file has its parts beside it.
        folder = out.with_name(f"{out.name}.parts") if is_file else out / "parts"
        collected, parts = yield from _collected_job(model, cells, folder, facts, settings, device)
        yield Progress(92, 100, "comparing with training")
        called = model.called(collected, cells.groups.tolist(), settings.prior)
        del collected
        yield Progress(94, 100, "counting")
        only = held_out_of(called.training, "predictions are", settings.only)
        chosen = np.flatnonzero(only.chosen) if settings.only == "held-out" else None
        results = CellResults(
            cells,
            called.probabilities,
            model.classes,
            called.training,
            chosen=chosen,
            about=provenance(model=facts["model"], data=facts["cells"]),
        )
        content = _content(model, called, results, settings, only.line)
        if is_file:
            yield Progress(95, 100, "writing")
            files = yield from part(write_cells_job(results, out), 95, 5, 100)
        else:
            files = yield from part(_folder_job(model, called, results, content, out), 95, 5, 100)
        parts.remove()
    return Predicted(content, tuple(files))


def _refuse_file(out: Path) -> None:
    """Refuse a table that cannot be written, before anything is computed."""
    # A plate gets its results beside its images.
    if out.is_dir() and out.suffix.lower() != ".zarr":
        raise SaveError(f"--out {path_shown(out)}: is a folder; name a file")
    package, extra = PACKAGES.get(out.suffix.lower(), ("", ""))
    if package and find_spec(package) is None:
        raise DataError(
            f"{path_shown(out)} needs {package}: pip install 'napari-channelmix[{extra}]'"
        )


def _facts(model: Classifier | ForeignClassifier, cells: Cells) -> dict[str, Any]:
    """What the predictions depend on; not where they are computed, nor the prior."""
    try:
        fingerprint = cells.fingerprint
    except DataError:
        # Of some cells, one of which is in a damaged image: its chunk will be named, after the
        # others are done.
        fingerprint = ""
    return {
        "version": package_version("napari-channelmix"),
        "model": model_hash(model),
        "cells": fingerprint,
        "boxes": cells.signing().hexdigest(),
        "n": len(cells),
    }


class _Origin(Stored):
    model: str | None = None
    data: str | None = None


class _Results(Stored):
    """What is compared of an earlier ``predictions.json``."""

    provenance: _Origin


def _refuse_other_results(
    path: Path, model: Classifier | ForeignClassifier, facts: dict[str, Any]
) -> None:
    """Refuse to write over the results of another model, or of other cells."""
    if not path.exists():
        return
    try:
        theirs = read_json(path, _Results).provenance
    except DataError as error:
        raise DataError(f"{path_shown(path)} was not made by this command; {ADVICE}") from error
    known = {facts["model"], *earlier_hashes(model)}
    other = []
    if theirs.model is not None and theirs.model not in known:
        other.append("another model")
    if facts["cells"] and theirs.data not in (None, facts["cells"]):
        other.append("other cells (or other labels)")
    if other:
        raise DataError(f"{path_shown(path)} was made with {' and '.join(other)}; {ADVICE}")


def _collected_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    folder: Path,
    facts: dict[str, Any],
    settings: PredictSettings,
    device: str,
) -> Job[tuple[CollectedPredictions, PredictionParts]]:
    """Classify the chunks that are missing; then all chunks together."""
    task = model.prediction_task(cells, prior=settings.prior, device=device)
    source = task.source
    assert task.observer is not None and not isinstance(source, np.ndarray)
    chunks = prediction_chunks(source)
    files = yield from part(files_of_chunks_job(source, chunks), 0, 0, 100)
    parts = PredictionParts(folder, facts, chunks, len(model.classes), files)
    missing = parts.missing()
    if missing:
        job = chunks_job(
            predict_chunk_job,
            task,
            [chunks[index] for index in missing],
            keep=lambda index, chunk: parts.put(missing[index], chunk),
            settings=settings.cluster,
            stage="classifying the cells",
            sizes=[len(chunks[index]) for index in missing],
        )
        report = yield from part(job, 0, 88, 100)
        report.refuse_missing(
            lambda index: _chunk_name(cells, chunks[missing[index]]), len(chunks) - len(missing)
        )
    collected = CollectedPredictions(model, task.observer, len(cells))
    for index in range(len(chunks)):
        yield Progress(88 + 4 * index / len(chunks), 100, "putting the predictions together")
        chunk = parts.read(index)
        if chunk is None:
            raise DataError(
                f"{path_shown(folder)}: a chunk was deleted or damaged meanwhile; the same command "
                "again computes only what is missing"
            )
        collected.take(chunk)
    return collected, parts


def _chunk_name(cells: Cells, positions: npt.NDArray[np.int64]) -> str:
    """Which cells a chunk has: how many, and the first."""
    return f"{len(positions):,} cells from {cell_name(cells, int(positions[0]))} on"


def _content(
    model: Classifier | ForeignClassifier,
    called: Called,
    results: CellResults,
    settings: PredictSettings,
    line: str,
) -> dict[str, Any]:
    """What predictions.json holds, without what is known of groups."""
    rows = slice(None) if results.chosen is None else results.positions
    probabilities, cells = called.probabilities[rows], results.cells
    counts = np.bincount(called.codes[rows], minlength=len(model.classes)).tolist()
    accuracy = getattr(model, "accuracy", None)
    means = probabilities.mean(axis=0).astype(float).tolist() if len(probabilities) else []
    content = {
        "schema": SCHEMA,
        "data": cells.name,
        "n": len(results),
        "classes": list(model.classes),
        "called": dict(zip(model.classes, counts, strict=True)),
        "mean_probability": dict(zip(model.classes, means, strict=False)),
        "prior": {**called.prior.as_dict(), "text": called.prior.text()},
        "accuracy": None if accuracy is None else {**accuracy.as_dict(), "text": accuracy.text()},
        "calibrated": getattr(model, "calibration_text", ""),
        "adjusted": "",
        "training": training_in_words(called.training.tolist()),
        "data_shift": called.shift.as_dict(),
        "warnings": list(called.lines),
        "provenance": dict(results.about),
    }
    if settings.only != "all":
        content |= {"only": settings.only, "left_out": line}
    return content


def _folder_job(
    model: Classifier | ForeignClassifier,
    called: Called,
    results: CellResults,
    content: dict[str, Any],
    out: Path,
) -> Job[tuple[Path, ...]]:
    """Tables of cells, groups and doses, and what is known of them."""
    cells = results.cells
    groups = fractions_of(
        grouping_of(cells),
        called.codes,
        model.classes,
        balanced=called.balanced.argmax(axis=1),
        held_out=getattr(model, "held_out_calls", None),
        training=called.training,
    )
    adjusted = groups.adjusted
    content["adjusted"] = (
        "no held-out predictions are known for this model"
        if adjusted is None
        else adjusted.why_not or adjusted.note
    )
    labelled = fractions_of(groups.grouping, cells.labels, cells.classes) if cells.classes else None
    responses = responses_of(cells.conditions, groups, PREDICTED, labelled)
    tables = yield from part(write_cells_job(results, out / "cells.csv"), 0, 9, 10)
    yield Progress(9, 10, "writing")
    return (
        *tables,
        write_groups(groups, cells.conditions, out),
        *(write_doses(responses, out) if responses else ()),
        write_json(out / "predictions.json", content),
    )


def predicted_text(predicted: Predicted) -> str:
    """What was called, for a terminal."""
    content = predicted.content
    called = ", ".join(f"{name} {count:,}" for name, count in content["called"].items())
    means = ", ".join(
        f"{name} {100 * of:.1f} %" for name, of in content["mean_probability"].items()
    )
    lines = [
        f"{content['n']:,} cells of {content['data']}: {called}",
        f"mean probability: {means}",
        f"probabilities: {content['prior']['text']}",
    ]
    if content["accuracy"]:
        lines.append(f"when it was trained: {content['accuracy']['text']}")
    if content["calibrated"]:
        lines.append(content["calibrated"])
    if content.get("left_out"):
        # Predictions of the cells that were trained on, which 'training' warns of, are not there.
        lines.append(f"only held-out cells: {content['left_out']}")
    elif content["training"]:
        lines.append(content["training"])
    if content["adjusted"]:
        lines.append(f"adjusted fractions: {content['adjusted']}")
    return "\n".join([*lines, *(f"note: {line}" for line in content["warnings"])])
