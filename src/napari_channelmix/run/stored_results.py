"""Predictions and latents that other commands wrote, brought back to the cells of a data set."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.csv_text import unescaped
from napari_channelmix.data.file_limits import guarded, refuse_special
from napari_channelmix.errors import DataError
from napari_channelmix.run.cell_choice import chosen_cells
from napari_channelmix.run.stored_schemas import LatentsFile
from napari_channelmix.stored_files import read_content
from napari_channelmix.wording import path_shown, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data import Cells

__all__ = ["StoredLatents", "StoredPredictions", "read_latents", "read_predictions"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

PROBABILITY = "probability of "
ADVICE = "run the command again that wrote it"
# Places of equal cells differ by no more, in pixels: tables have six digits or more.
SAME_PLACE = 1e-3


@dataclass(frozen=True, eq=False)
class StoredPredictions:
    """What `predict` wrote of the cells of a data set.

    Attributes
    ----------
    probabilities : (N, K) float32 array
        NaN for cells that the table has no row of.
    classes : tuple of K str
    training : (N,) array of str
        ``unknown`` where the table does not say.
    there : (N,) bool array
        Cells that the table has.
    """

    probabilities: FloatArray = field(repr=False)
    classes: tuple[str, ...]
    training: npt.NDArray[np.str_] = field(repr=False)
    there: npt.NDArray[np.bool_] = field(repr=False)


@dataclass(frozen=True, eq=False)
class StoredLatents:
    """What `latents` wrote of the cells of a data set.

    Attributes
    ----------
    names, badges : tuple of Z str
    values : (N, Z) float32 array
        NaN for cells that were not encoded.
    """

    names: tuple[str, ...]
    badges: tuple[str, ...]
    values: FloatArray = field(repr=False)


def read_predictions(path: str | Path, cells: Cells) -> StoredPredictions:
    """Read the table of cells that `predict` wrote.

    Parameters
    ----------
    path : path
        ``cells.csv``, a ``.csv`` or ``.parquet`` of ``predict --out``, or the folder that it
        filled.
    cells : Cells
        Those that were predicted.

    Raises
    ------
    DataError
        No such table, or one of other cells.
    """
    path = Path(path)
    if path.is_dir():
        path = path / "cells.csv"
    table = _read_table(path)
    classes = tuple(
        name.removeprefix(PROBABILITY)
        for name in map(str, table.columns)
        if name.startswith(PROBABILITY)
    )
    missing = [name for name in ("cell", "y", "x") if name not in table]
    if missing or not classes:
        raise DataError(
            f"{path_shown(path)}: is no table of predictions "
            f"(column {quoted(missing[0] if missing else PROBABILITY + '...')} is missing); "
            "name a table that 'predict' wrote"
        )
    numbers = _numbers(path, table, ["cell", "y", "x", *(PROBABILITY + name for name in classes)])
    rows = numbers[:, 0].astype(np.int64)
    _refuse_other_cells(path, cells, rows, numbers[:, 1:3])
    probabilities = np.full((len(cells), len(classes)), np.nan, np.float32)
    probabilities[rows] = numbers[:, 3:]
    training = np.full(len(cells), "unknown", dtype="<U10")
    if "training" in table:
        training[rows] = table["training"].to_numpy(dtype=str)
    there = np.zeros(len(cells), bool)
    there[rows] = True
    return StoredPredictions(probabilities, classes, training, there)


def read_latents(folder: str | Path, cells: Cells) -> StoredLatents:
    """Read the latents that the command of that name wrote.

    Parameters
    ----------
    folder : path
        With ``latents.json`` and ``latents.csv``.
    cells : Cells
        Those that were encoded, or among which ``--limit`` chose some.

    Raises
    ------
    DataError
        No such folder, or latents of other cells.
    """
    folder = Path(folder)
    content = read_content(
        folder / "latents.json", LatentsFile, what="a latents.json", advice=ADVICE
    )
    names = tuple(badge["name"] for badge in content["badges"])
    path = folder / "latents.csv"
    table = _read_table(path)
    missing = [name for name in ("y", "x", *names) if name not in table]
    if missing:
        raise DataError(f"{path_shown(path)}: column {quoted(missing[0])} is missing; {ADVICE}")
    about: dict[str, Any] = content["provenance"]
    limit = (about.get("settings") or {}).get("limit")
    rows = chosen_cells(len(cells), limit, about.get("seed", 0))
    if len(rows) != len(table):
        raise DataError(
            f"{path_shown(path)}: holds {len(table):,} cells, this data set "
            f"{len(rows):,}; it is of other cells"
        )
    numbers = _numbers(path, table, ["y", "x", *names])
    _refuse_other_cells(path, cells, rows, numbers[:, :2])
    values = np.full((len(cells), len(names)), np.nan, np.float32)
    values[rows] = numbers[:, 2:]
    return StoredLatents(names, tuple(badge["badge"] for badge in content["badges"]), values)


def _read_table(path: Path) -> pd.DataFrame:
    import pandas as pd

    refuse_special(path)
    if path.suffix.lower() == ".parquet":
        try:
            import pyarrow.parquet
        except ImportError:
            raise DataError(
                f"{path_shown(path)}: Parquet needs pyarrow; install it with: "
                "pip install 'napari-channelmix[parquet]'"
            ) from None
        frame: pd.DataFrame = guarded(path, lambda: pyarrow.parquet.read_table(path).to_pandas())
        return frame
    if path.suffix.lower() != ".csv":
        raise DataError(
            f"{path_shown(path)}: predictions are read from .csv and .parquet, and from the folder "
            "that 'predict' filled"
        )
    table: pd.DataFrame = guarded(
        path, lambda: pd.read_csv(path, keep_default_na=False, na_values=[""], low_memory=False)
    )
    table.columns = [unescaped(str(name)) for name in table.columns]
    return table


def _numbers(path: Path, table: pd.DataFrame, names: list[str]) -> npt.NDArray[np.float64]:
    """Columns of numbers (n, len(names)), NaN for none."""
    try:
        return np.stack([table[name].to_numpy(dtype=np.float64) for name in names], axis=1)
    except (TypeError, ValueError):
        raise DataError(f"{path_shown(path)}: holds texts in place of numbers; {ADVICE}") from None


def _refuse_other_cells(
    path: Path, cells: Cells, rows: IntArray, places: npt.NDArray[np.float64]
) -> None:
    """Refuse rows of cells that are not there, or lie elsewhere."""
    known = len(np.unique(rows)) == len(rows)
    known = known and bool(((rows >= 0) & (rows < len(cells))).all())
    if not known or not np.allclose(cells.centres[rows], places, rtol=0, atol=SAME_PLACE):
        raise DataError(
            f"{path_shown(path)}: is of other cells than those of {cells.name}, or of these before "
            "they changed"
        )
