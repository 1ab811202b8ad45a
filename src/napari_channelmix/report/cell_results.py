"""Files of what is known of each cell, as other programs read them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.report.results_by_cell import ResultsByCell
from napari_channelmix.settings.export import CellFormat
from napari_channelmix.shown_result import ShownResult
from napari_channelmix.wording import listed, path_shown, quoted

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    from matplotlib.figure import Figure

    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.result_display import Summary

__all__ = ["ENDINGS", "SUFFIXES", "CellResults", "format_of", "write_cells", "write_cells_job"]

#: How files may end, by their format; an empty ending is a folder.
ENDINGS: dict[str, tuple[str, ...]] = {
    "csv": (".csv",),
    "parquet": (".parquet",),
    "anndata": (".h5ad",),
    "crops": (".h5sc",),
    "ome-zarr": (".zarr",),
    "qupath": (".tsv", ".txt", ".csv"),
    "geojson": (".geojson", ".json", ""),
    "cellprofiler": (".csv", ".txt"),
}
# The format of a file whose name tells it.
_FORMAT_OF = {
    ".csv": "csv",
    ".parquet": "parquet",
    ".h5ad": "anndata",
    ".h5sc": "crops",
    ".zarr": "ome-zarr",
    ".tsv": "qupath",
    ".geojson": "geojson",
}
#: Endings that tell the format.
SUFFIXES = tuple(_FORMAT_OF)


@dataclass(frozen=True, eq=False, repr=False)
class CellResults(ShownResult, ResultsByCell):
    """What is known of each cell of a data set.

    Every array has a row for each of the N cells, whichever are chosen.

    Attributes
    ----------
    cells : Cells
    probabilities : (N, K) float32 array or None
        Of each class of the classifier.
    classes : tuple of K str
        Its classes.
    training : (N,) sequence of str or None
        Whether the classifier was trained on each cell: ``yes``, ``same group``, ``no`` or
        ``unknown``; see `phenotypes.held_out`.
    latents : Latents or None
        Or anything with ``names`` (Z) and ``values`` (N, Z), NaN for cells that have none.
    importance : ChannelImportance or None
    chosen : (n,) int array, (N,) bool array or None
        Positions of the cells that are written, in this order; None for all.
    about : mapping of str to object
        How it was made, ready for JSON; see `provenance`.

    Raises
    ------
    DataError
        An array of another length, or cells that do not exist.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=2, cells_per_well=2, side=64, crop=16).cells
    >>> results = CellResults(cells, np.full((4, 2), 0.5, "float32"), cells.classes)
    >>> len(results), results.positions.tolist()
    (4, [0, 1, 2, 3])
    """

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.report.result_summary import cell_results_summary

        return cell_results_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """A row per chosen cell; columns as of `report.cell_table.cell_table`."""
        from napari_channelmix.report.cell_table import cell_table

        training = None if self.training is None else [str(mark) for mark in self.training]
        table = cell_table(self.cells, self.probabilities, self.classes, self.latents, training)
        return table.iloc[self.positions].reset_index(drop=True)

    def plot(self) -> Figure:
        """Some of the chosen cells; see `Cells.plot`."""
        return self.cells.plot(self.positions[:18].tolist())

    def save(
        self, path: str | Path, *, format: CellFormat = "auto", progress: ShowProgress = None
    ) -> tuple[Path, ...]:
        """As `write_cells`: a file whose ending tells its format."""
        return write_cells(self, path, format=format, progress=progress)


def write_cells(
    results: ResultsByCell,
    path: str | Path,
    *,
    format: CellFormat = "auto",
    name: str = "channelmix",
    progress: ShowProgress = None,
) -> tuple[Path, ...]:
    """Write what is known of each cell into a file, by its suffix.

    Parameters
    ----------
    results : CellResults
    path : path
        Its ending tells the format:

        ``.csv``, ``.parquet``
            A row per cell, the columns of `report.cell_table`.
        ``.h5ad``
            AnnData, with the keys of SpatialData; see `report.anndata_results`.
        ``.h5sc``
            The same with the crops themselves, as scPortrait has them; see `report.crop_results`.
        ``.zarr``
            Label images and a feature table beside the images of the OME-Zarr plate or image that
            the cells lie in, or in a copy of it; see `report.zarr_results`.
        ``.tsv``
            Measurements of detections, as QuPath exports them; see `report.qupath_results`.
        ``.geojson``
            Detections that QuPath imports; a folder, where the cells lie in several images.
    format : str
        ``auto``, or what the ending does not tell: ``qupath`` for a ``.csv``, ``geojson`` for a
        folder, ``cellprofiler`` (a ``.csv`` of objects and one of images beside it, see
        `report.cellprofiler_results`); also ``csv``, ``parquet``, ``anndata``, ``crops``,
        ``ome-zarr``.
    name : str
        What the label images and the table beside OME-Zarr images are called.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.

    Returns
    -------
    tuple of path
        The files that were written.

    Raises
    ------
    DataError
        Another suffix, or a package that the format needs and that is not installed.
    SaveError
        Disk full, folder read-only and the like, a name that is no Unicode text; a file that was
        there is intact.

    Examples
    --------
    >>> import tempfile
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=2, cells_per_well=2, side=64, crop=16).cells
    >>> path = Path(tempfile.mkdtemp()) / "cells.csv"
    >>> [file.name for file in write_cells(CellResults(cells), path)]
    ['cells.csv']
    """
    return drain(write_cells_job(results, path, format, name), progress)


def write_cells_job(
    results: ResultsByCell, path: str | Path, format: CellFormat = "auto", name: str = "channelmix"
) -> Job[tuple[Path, ...]]:
    """`write_cells` as a job."""
    path = Path(path)
    kind = format_of(path, format)
    try:
        return (yield from _written_job(results, path, kind, name))
    except UnicodeEncodeError as error:
        from napari_channelmix.report.table_results import no_unicode

        # Each library has its own place for it: names of files need not be Unicode on Linux.
        raise no_unicode(path, error) from error


def _written_job(results: ResultsByCell, path: Path, kind: str, name: str) -> Job[tuple[Path, ...]]:
    if kind == "ome-zarr":
        from napari_channelmix.report.zarr_results import write_zarr_job

        return ((yield from write_zarr_job(results, path, name)),)
    if kind == "geojson":
        from napari_channelmix.report.qupath_results import write_geojson_job

        return (yield from write_geojson_job(results, path))
    if path.is_dir():
        raise SaveError(f"{path_shown(path)}: is a folder; name a file")
    if kind == "cellprofiler":
        from napari_channelmix.report.cellprofiler_results import write_cellprofiler_job

        return (yield from write_cellprofiler_job(results, path))
    return ((yield from _writer_of(kind)(results, path)),)


def format_of(path: Path, format: CellFormat) -> str:
    """The format that is meant, checked against the name of the file.

    Raises
    ------
    DataError
        An ending that tells no format, or another than the format's.
    """
    suffix = path.suffix.lower()
    if format == "auto":
        if suffix not in SUFFIXES:
            raise DataError(
                f"{path_shown(path)}: cells are written to files that end in {listed(SUFFIXES)}; "
                "name one, or a format"
            )
        return _FORMAT_OF[suffix]
    known = get_args(CellFormat)
    if format not in known:
        raise DataError(f"format {quoted(format)} is unknown; use {listed(known)}")
    fitting = [end for end in ENDINGS[format] if not end or end == suffix]
    if not fitting:
        raise DataError(
            f"{path_shown(path)}: a file of the format {format} ends in "
            f"{listed(end for end in ENDINGS[format] if end)}"
        )
    return format


def _writer_of(format: str) -> Callable[[ResultsByCell, Path], Job[Path]]:
    """What writes one file, imported where it is used."""
    if format == "anndata":
        from napari_channelmix.report.anndata_results import write_anndata_job

        return write_anndata_job
    if format == "crops":
        from napari_channelmix.report.crop_results import write_crops_job

        return write_crops_job
    if format == "qupath":
        from napari_channelmix.report.qupath_results import write_qupath_job

        return write_qupath_job
    from napari_channelmix.report.table_results import write_csv_job, write_parquet_job

    return write_csv_job if format == "csv" else write_parquet_job
