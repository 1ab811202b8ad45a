"""Files of what is known of each cell, as other programs read them."""

from __future__ import annotations

from pathlib import Path

from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.report.results_by_cell import CellResults
from napari_channelmix.wording import listed, path_shown

__all__ = ["SUFFIXES", "CellResults", "write_cells", "write_cells_job"]

#: The files that `write_cells` writes, by their suffix.
SUFFIXES = (".csv", ".parquet", ".h5ad", ".h5sc", ".zarr")


def write_cells(
    results: CellResults, path: str | Path, *, name: str = "channelmix"
) -> tuple[Path, ...]:
    """Write what is known of each cell into a file, by its suffix.

    Parameters
    ----------
    results : CellResults
    path : path
        ``.csv`` or ``.parquet``: a row per cell, the columns of `report.cell_table`; ``.h5ad``:
        AnnData, see `report.anndata_results`; ``.h5sc``: the same with the crops themselves, see
        `report.crop_results`; ``.zarr``: label images and a feature table beside the images of the
        OME-Zarr plate or image that the cells lie in, see `report.zarr_results`.
    name : str
        What these label images and this table are called.

    Returns
    -------
    tuple of path
        The files that were written.

    Raises
    ------
    DataError
        Another suffix, or a package that the format needs and that is not installed.
    SaveError
        Disk full, folder read-only and the like; a file that was there is intact.

    Examples
    --------
    >>> import tempfile
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=2, cells_per_well=2, side=64, crop=16).cells
    >>> path = Path(tempfile.mkdtemp()) / "cells.csv"
    >>> [file.name for file in write_cells(CellResults(cells), path)]
    ['cells.csv']
    """
    return drain(write_cells_job(results, path, name))


def write_cells_job(
    results: CellResults, path: str | Path, name: str = "channelmix"
) -> Job[tuple[Path, ...]]:
    """`write_cells` as a job."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            f"{path_shown(path)}: cells are written to files that end in {listed(SUFFIXES)}"
        )
    if suffix == ".zarr":
        from napari_channelmix.report.zarr_results import write_zarr_job

        return ((yield from write_zarr_job(results, path, name)),)
    if path.is_dir():
        raise SaveError(f"{path_shown(path)}: is a folder; name a file")
    if suffix == ".h5ad":
        from napari_channelmix.report.anndata_results import write_anndata_job

        file = yield from write_anndata_job(results, path)
    elif suffix == ".h5sc":
        from napari_channelmix.report.crop_results import write_crops_job

        file = yield from write_crops_job(results, path)
    else:
        from napari_channelmix.report.table_results import write_csv_job, write_parquet_job

        write = write_csv_job if suffix == ".csv" else write_parquet_job
        file = yield from write(results, path)
    return (file,)
