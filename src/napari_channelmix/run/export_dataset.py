"""What was found of the cells of a data set, into the files of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.locks import in_use
from napari_channelmix.phenotypes.held_out import held_out_of
from napari_channelmix.provenance import provenance
from napari_channelmix.report.cell_results import CellResults, format_of, write_cells_job
from napari_channelmix.run.stored_results import read_latents, read_predictions
from napari_channelmix.settings import ExportSettings, merged, takes_settings

if TYPE_CHECKING:
    from napari_channelmix.classify import Classifier, ForeignClassifier
    from napari_channelmix.classify.priors import PriorChoice
    from napari_channelmix.data import Cells
    from napari_channelmix.progress_bar import ShowProgress

__all__ = ["export_cells", "export_cells_job"]


@takes_settings(ExportSettings)
def export_cells(
    cells: Cells,
    out: str | Path,
    *,
    model: Classifier | ForeignClassifier | None = None,
    predictions: str | Path | None = None,
    latents: str | Path | None = None,
    importance: str | Path | None = None,
    prior: PriorChoice = None,
    settings: ExportSettings | None = None,
    progress: ShowProgress = None,
    **options: Any,
) -> tuple[Path, ...]:
    r"""Write what was found of the cells into files that other programs open.

    Parameters
    ----------
    cells : Cells
    out : path
        Its ending tells the format: ``.csv``, ``.parquet``, ``.h5ad`` (AnnData), ``.h5sc``
        (scPortrait, with the crops), ``.zarr`` (beside the images of an OME-Zarr plate), ``.tsv``
        (QuPath), ``.geojson``; see `report.cell_results.write_cells`.
    model : Classifier or ForeignClassifier, optional
        Classifies the cells now.
    predictions : path, optional
        In its place: the table or folder that `predict` wrote of these cells.
    latents, importance : path, optional
        Folders that the commands of that name filled.
    prior : str, mapping of str to float, or Prior, optional
        With ``model``, as for `Classifier.predict_proba`.
    settings : ExportSettings, optional
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Single settings, which win: ``format``, ``only``, ``name``.

    Returns
    -------
    tuple of path
        What was written.

    Raises
    ------
    DataError
        Results of other cells, another ending, a package that is missing.
    ModelError
        As `Classifier.predict_proba`.
    SaveError
        Disk full, folder read-only and the like; what was there is intact.
    InUseError
        Another run that writes there.

    Examples
    --------
    >>> import tempfile
    >>> import napari_channelmix as cm
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=4, cells_per_well=4, side=64, crop=16).cells
    >>> model = cm.train_classifier(cells, network="tiny", epochs=1)
    >>> folder = Path(tempfile.mkdtemp())
    >>> files = cm.export_cells(cells, folder / "detections.tsv", model=model)
    >>> files[0].read_text(encoding="utf-8").split("\t")[:3]
    ['Image', 'Object ID', 'Object type']
    """
    chosen = merged(ExportSettings, settings, options)
    job = export_cells_job(
        cells,
        Path(out),
        model=model,
        predictions=predictions,
        latents=latents,
        importance=importance,
        prior=prior,
        settings=chosen,
    )
    return drain(job, progress)


def export_cells_job(
    cells: Cells,
    out: Path,
    *,
    model: Classifier | ForeignClassifier | None = None,
    predictions: str | Path | None = None,
    latents: str | Path | None = None,
    importance: str | Path | None = None,
    prior: PriorChoice = None,
    settings: ExportSettings | None = None,
) -> Job[tuple[Path, ...]]:
    """`export_cells` as a job."""
    settings = settings or ExportSettings()
    # What cannot be written is told before anything is computed.
    kind = format_of(out, settings.format)
    if model is not None and predictions is not None:
        raise DataError("give a model or predictions, not both")
    with in_use(out, is_file=kind != "geojson" or bool(out.suffix)):
        results = yield from part(
            _results_job(cells, model, predictions, latents, importance, prior, settings),
            0,
            60,
            100,
        )
        job = write_cells_job(results, out, settings.format, settings.name)
        return (yield from part(job, 60, 40, 100))


def _results_job(
    cells: Cells,
    model: Classifier | ForeignClassifier | None,
    predictions: str | Path | None,
    latents: str | Path | None,
    importance: str | Path | None,
    prior: PriorChoice,
    settings: ExportSettings,
) -> Job[CellResults]:
    """What is known of the cells, read or computed now."""
    known: dict[str, Any] = {}
    about: dict[str, Any] = {"data": cells.fingerprint}
    yield Progress(0, 100, "reading what was found")
    if predictions is not None:
        stored = read_predictions(predictions, cells)
        known = {
            "probabilities": stored.probabilities,
            "classes": stored.classes,
            "training": stored.training,
        }
        if not stored.there.all():
            known["chosen"] = stored.there
    if latents is not None:
        known["latents"] = read_latents(latents, cells)
    if importance is not None:
        from napari_channelmix.dcmix import ChannelImportance

        known["importance"] = ChannelImportance.load(Path(importance) / "importance.json")
    if model is not None:
        from napari_channelmix.classify.model_hash import model_hash

        called = yield from part(model.call_job(cells, prior=prior), 3, 97, 100)
        known |= {
            "probabilities": called.probabilities,
            "classes": model.classes,
            "training": called.training,
        }
        about |= {"model": model_hash(model), "prior": called.prior.as_dict()}
    if settings.only == "held-out":
        if "training" not in known:
            raise DataError(
                "only held-out cells: which cells were trained on is known with a model or "
                "predictions; give one of them"
            )
        chosen = held_out_of(known["training"], "cells are", settings.only).chosen
        known["chosen"] = chosen & known.get("chosen", True)
    return CellResults(cells, about=provenance(**about), **known)
