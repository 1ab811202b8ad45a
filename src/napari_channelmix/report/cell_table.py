"""A row per cell: where it is, its class, what the classifier says of it, its latents."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_text, write_whole
from napari_channelmix.data.cell_columns import columns_of_cells
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.data.identifier_columns import named_keys
from napari_channelmix.phenotypes.held_out import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from napari_channelmix.data import Cells
    from napari_channelmix.report.results_by_cell import NamedValues

__all__ = ["cell_table", "margins", "why_no_parquet", "write_table"]

FloatArray = npt.NDArray[np.float32]


def cell_table(
    cells: Cells,
    probabilities: FloatArray | None = None,
    classes: Sequence[str] = (),
    latents: NamedValues | None = None,
    training: Sequence[str] | None = None,
) -> pd.DataFrame:
    """All that is known of each cell.

    Parameters
    ----------
    cells : Cells
    probabilities : (N, K) float32 array, optional
        By class of the classifier.
    classes : sequence of str
        Its classes.
    latents : Latents, optional
        Of the same cells.
    training : sequence of N str, optional
        Whether the classifier was trained on each cell; see `phenotypes.held_out`.

    Returns
    -------
    pandas.DataFrame
        ``cell``, ``field``, ``field_name`` (see `Cells.field_names`), ``object``, ``y`` and ``x``
        (its centre in pixels; pixel centres are whole numbers), ``at_border`` (its crop reaches
        over the border of the image), ``group``, ``label``; with probabilities ``training`` (yes,
        same group, no, unknown), ``prediction``, ``margin`` and a column ``probability of CLASS``
        each; with latents a column ``latent NAME`` each; then the user's own columns, see
        `data.identifier_columns`.
    """
    import pandas as pd

    columns = columns_of_cells(cells)
    if probabilities is not None:
        columns["training"] = [UNKNOWN] * len(cells) if training is None else list(training)
        columns["prediction"] = [classes[code] for code in probabilities.argmax(axis=1).tolist()]
        columns["margin"] = margins(probabilities)
        for code, name in enumerate(classes):
            columns[f"probability of {name}"] = probabilities[:, code]
    if latents is not None:
        for index, name in enumerate(latents.names):
            columns[f"latent {name}"] = latents.values[:, index]
    return pd.DataFrame({**columns, **named_keys(cells.keys, columns)})


def margins(probabilities: FloatArray) -> FloatArray:
    """Highest minus second highest probability of each cell (N,): how sure the classifier is."""
    if probabilities.shape[1] < 2:
        return np.ones(len(probabilities), np.float32)
    two = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(two[:, 1] - two[:, 0], dtype=np.float32)


def why_no_parquet() -> str:
    """Why a table cannot be written as Parquet, or an empty text where it can."""
    if find_spec("pyarrow") is not None or find_spec("fastparquet") is not None:
        return ""
    return "Parquet needs pyarrow: pip install pyarrow"


def write_table(table: pd.DataFrame, stem: str | Path) -> tuple[tuple[Path, ...], str]:
    """Write a table as CSV, and as Parquet where that is possible.

    Returns
    -------
    files : tuple of path
    left_out : str
        Why there is no Parquet file, or an empty text.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    stem = Path(stem)
    files = [write_text(stem.with_name(f"{stem.name}.csv"), csv_text(table))]
    left_out = why_no_parquet()
    if not left_out:
        files.append(
            write_whole(
                stem.with_name(f"{stem.name}.parquet"),
                lambda path: table.to_parquet(path, index=False),
            )
        )
    return tuple(files), left_out
