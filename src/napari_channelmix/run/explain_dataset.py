"""Explain all cells of a data set: maps in zarr, chunk by chunk, with scores and a report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.atomic_write import refuse_no_folder, write_json, write_text, write_whole
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.plausibility import plausibility_job
from napari_channelmix.classify.predictor import data_shift_job
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.explain_chunks import all_maps_job, all_scores_job, staged
from napari_channelmix.run.explain_reliability import all_reliability_job
from napari_channelmix.run.explain_report import (
    SCHEMA,
    maps_picture_job,
    read_report,
    report_content,
)
from napari_channelmix.run.explain_run import CHUNK, ExplainRun
from napari_channelmix.run.explained_cells import explained_table
from napari_channelmix.run.explained_channels import channels_picture_job
from napari_channelmix.settings import ExplainSettings, merged, takes_settings
from napari_channelmix.whatif.evidence_shares import cell_parts_job

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.classify.foreign import ForeignClassifier
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = [
    "CHUNK",
    "SCHEMA",
    "ExplainSettings",
    "Explained",
    "chosen_cells",
    "explain_cells",
    "explain_cells_job",
    "model_hash",
]


# The cells in the channels that contribute most to their class.
CHANNELS_PICTURE = "explain-channels.png"


@dataclass(frozen=True)
class Explained:
    """A data set that is explained.

    Attributes
    ----------
    content : dict
        What explain.json holds.
    files : tuple of path
    worked : bool
        Whether anything was still missing.
    again : int
        Chunks that were begun more than once, since a worker died or was lost.
    """

    content: dict[str, Any]
    files: tuple[Path, ...]
    worked: bool
    again: int = 0


@takes_settings(ExplainSettings, leave_out=("cells",))
def explain_cells(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: str | Path,
    *,
    settings: ExplainSettings | None = None,
    device: str = "auto",
    batch: int | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Explained:
    """Explain the cells of a data set, and keep what is found in a folder.

    As `explain`, but memory does not grow with the number of cells: maps are kept 64 at a time, by
    this process or by several (``workers``, ``scheduler``), and the same call goes on where an
    earlier one was stopped, or killed.

    Parameters
    ----------
    model : Classifier or ForeignClassifier
        See `load_model`.
    cells : Cells
    out : path
        Folder for the maps, see `explain_cells_job`.
    settings : ExplainSettings, optional
    device, batch
        As for `explain`.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, which win, such as ``method="saliency"``; see `ExplainSettings`.

    Returns
    -------
    Explained
        What ``explain.json`` holds, and the files that were written.

    Raises
    ------
    DataError, ModelError, ClusterError, InUseError
        As `explain_cells_job`.

    Examples
    --------
    >>> import zarr
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.data.samples import graded_channels
    >>> cells = graded_channels((1.5, 0.0), count=24, side=12).cells
    >>> model = cm.train_classifier(cells, network="tiny", epochs=1, device="cpu")
    >>> explained = cm.explain_cells(model, cells, folder / "maps", only="all", check=False)
    >>> zarr.open_array(folder / "maps" / "maps.zarr", mode="r").shape
    (24, 12, 12)
    >>> explained.content["method"], len(explained.content["target"])
    ('pcim', 24)
    """
    resolved = merged(ExplainSettings, settings, options)
    return drain(
        explain_cells_job(model, cells, Path(out), resolved, device=device, batch=batch), progress
    )


def explain_cells_job(
    model: Classifier | ForeignClassifier,
    cells: Cells,
    out: Path,
    settings: ExplainSettings | None = None,
    *,
    device: str = "auto",
    batch: int | None = None,
) -> Job[Explained]:
    """Explain the cells of a data set, and keep what is found in a folder; a job.

    Find the cells that the model was not trained on; explain 64 cells and keep their maps; when
    all are done, measure and test them where that is asked; write the picture and the report.
    What an earlier run has kept is not done again. Memory does not grow with the number of cells,
    but for the numbers of the report.

    Parameters
    ----------
    out : path
        Folder for ``maps.zarr`` and ``magnitude.zarr`` (N, Y, X), ``explain.json``,
        ``cells.csv`` (a row per map), ``explain.png`` and ``parts``; with separate channels also
        ``channel_maps.zarr`` (N, C, Y, X), and with contributions of these ``explain-channels.png``
        (cells in the eight channels that contribute most); for a black box also
        ``standard_error.zarr`` (N, Y, X). Pixels not yet explained are NaN.
    settings : ExplainSettings, optional
        Also where the chunks are computed: by default in this process. The maps are the same to
        the bit where PyTorch has as many threads; workers have one each.
    device, batch
        As for `pcim.explain`; at most 64 cells go together.

    Raises
    ------
    DataError
        Chunks that could not be explained or measured, such as those of a damaged image: the
        others are kept, and the same call again does those that are missing. Maps in the folder
        that were made with another model, other cells or other settings; maps not finished that an
        earlier version began without their magnitude.
    ModelError
        As for `pcim.explain`.
    InUseError
        Another run that works in the folder.
    """
    refuse_no_folder(out)
    with in_use(out):
        run = yield from ExplainRun.of(
            model, cells, out, settings or ExplainSettings(), device, batch
        )
        return (yield from _explained_job(run, out))


def _explained_job(run: ExplainRun, out: Path) -> Job[Explained]:
    prior = yield from staged(
        run.model.prior_job(run.cells, run.settings.prior), 0, run.steps, "estimating the prior"
    )
    run = replace(run, prior=prior)
    run, uncounted = yield from _with_parts(run)
    reports = [(yield from all_maps_job(run))]
    if run.settings.score:
        reports.append((yield from all_scores_job(run)))
    if run.settings.reliability:
        reports.append((yield from all_reliability_job(run)))
    worked = any(report.total for report in reports)
    report = out / "explain.json"
    table = out / "cells.csv"
    files = (*run.store.paths, table, out / "explain.png", report)
    if not worked and table.exists():
        stored = read_report(report, run)
        if stored is not None:
            return Explained(stored, files, False)
    parts = [run.store.part(index) or {} for index in range(len(run.chunks))]
    probabilities = np.array([row for chunk in parts for row in chunk["probabilities"]], np.float32)
    # Once for all cells, also those that an earlier run has explained.
    shift = yield from staged(
        data_shift_job(
            run.model, run.cells, probabilities, run.chosen, CHUNK, prior.removed(probabilities)
        ),
        run.steps - 1,
        run.steps,
        "comparing with training",
    )
    lines = (*(yield from _implausible(run)), *uncounted)
    content = report_content(run, shift, lines)
    drawing = run.steps - 1, run.steps, "drawing the maps"
    picture = yield from staged(maps_picture_job(run, content), *drawing)
    write_whole(out / "explain.png", lambda path: picture.savefig(path, dpi=150, format="png"))
    maps_of = (
        (lambda row: run.store.maps(slice(row, row + 1), "channel_maps")[0])
        if "channel_maps" in run.arrays
        else None
    )
    by_channel = yield from staged(
        channels_picture_job(run.cells, run.chosen, content, run.name_of, maps_of), *drawing
    )
    if by_channel is not None:
        path = out / CHANNELS_PICTURE
        write_whole(path, lambda half: by_channel.savefig(half, dpi=150, format="png"))
        files = (*files, path)
    write_text(table, csv_text(explained_table(run.cells, run.chosen, content)))
    write_json(report, content)
    return Explained(content, files, True, sum(len(report.again) for report in reports))


def _with_parts(run: ExplainRun) -> Job[tuple[ExplainRun, tuple[str, ...]]]:
    """The run with what tells cells from their surroundings, or a line why that is not known."""
    if all(run.part(index) is not None for index in range(len(run.chunks))):
        return run, ()
    cells = run.source().known
    assert cells is not None
    try:
        parts = yield from staged(cell_parts_job(cells), 0, run.steps, "reading outlines")
    except DataError as error:
        # Said of the chunk that needs it, too; the others are explained all the same.
        return run, (f"where the evidence lies is not counted: {error}",)
    return replace(run, parts=parts), ()


def _implausible(run: ExplainRun) -> Job[tuple[str, ...]]:
    """What the labels of the data set say against the model."""
    if not run.settings.check:
        return ()
    job = plausibility_job(run.model, run.cells, seed=run.settings.seed)
    return (yield from part(job, run.steps, 0, run.steps))
