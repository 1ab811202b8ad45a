"""What is known of each cell, and the files that other programs read it from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.wording import listed, path_shown

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance

__all__ = ["SUFFIXES", "CellResults", "NamedValues", "write_cells", "write_cells_job"]

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float32]

#: The files that `write_cells` writes, by their suffix.
SUFFIXES = (".csv", ".parquet", ".h5ad")


class NamedValues(Protocol):
    """Numbers of each cell (N, Z) with a name for each of the Z columns, as `Latents` are."""

    @property
    def names(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def values(self) -> FloatArray: ...  # noqa: D102


@dataclass(frozen=True, eq=False)
class CellResults:
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
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> cells = synthetic_plate(wells=2, cells_per_well=2, side=64, crop=16).cells
    >>> results = CellResults(cells, np.full((4, 2), 0.5, "float32"), cells.classes)
    >>> len(results), results.positions.tolist()
    (4, [0, 1, 2, 3])
    """

    cells: Cells
    probabilities: FloatArray | None = field(default=None, repr=False)
    classes: Sequence[str] = ()
    training: Sequence[str] | npt.NDArray[np.str_] | None = field(default=None, repr=False)
    latents: NamedValues | None = field(default=None, repr=False)
    importance: ChannelImportance | None = field(default=None, repr=False)
    chosen: npt.NDArray[Any] | None = field(default=None, repr=False)
    about: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        count = len(self.cells)
        arrays = {
            "probabilities": self.probabilities,
            "training marks": self.training,
            "latents": None if self.latents is None else self.latents.values,
        }
        for name, values in arrays.items():
            if values is not None and len(values) != count:
                raise DataError(
                    f"{self.cells.name}: {name} of {len(values):,} cells for {count:,} cells"
                )
        if self.probabilities is not None and self.probabilities.shape[1] != len(self.classes):
            raise DataError(
                f"{self.cells.name}: probabilities of {self.probabilities.shape[1]} classes, "
                f"named are {len(self.classes)}"
            )
        positions = self.positions
        if len(positions) and not 0 <= positions.min() <= positions.max() < count:
            raise DataError(f"{self.cells.name}: chosen cells must be among its {count:,} cells")

    def __len__(self) -> int:
        return len(self.positions)

    @property
    def positions(self) -> IntArray:
        """Positions of the cells that are written (n,), in the data set."""
        if self.chosen is None:
            return np.arange(len(self.cells))
        chosen = np.asarray(self.chosen)
        if chosen.dtype == bool:
            if len(chosen) != len(self.cells):
                raise DataError(
                    f"{self.cells.name}: marks of {len(chosen):,} cells for {len(self.cells):,}"
                )
            return np.flatnonzero(chosen)
        return chosen.astype(np.int64)


def write_cells(results: CellResults, path: str | Path) -> tuple[Path, ...]:
    """Write what is known of each cell into a file, by its suffix.

    Parameters
    ----------
    results : CellResults
    path : path
        ``.csv`` or ``.parquet``: a row per cell, the columns of `report.cell_table`; ``.h5ad``:
        AnnData, see `report.anndata_results`.

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
    return drain(write_cells_job(results, path))


def write_cells_job(results: CellResults, path: str | Path) -> Job[tuple[Path, ...]]:
    """`write_cells` as a job."""
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise DataError(
            f"{path_shown(path)}: cells are written to files that end in {listed(SUFFIXES)}"
        )
    if path.is_dir():
        raise SaveError(f"{path_shown(path)}: is a folder; name a file")
    if suffix == ".h5ad":
        from napari_channelmix.report.anndata_results import write_anndata_job

        file = yield from write_anndata_job(results, path)
    else:
        from napari_channelmix.report.table_results import write_csv_job, write_parquet_job

        write = write_csv_job if suffix == ".csv" else write_parquet_job
        file = yield from write(results, path)
    return (file,)
