"""Files of a result: its content as JSON, its table as CSV, its chart as PNG."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.atomic_write import write_json, write_text, write_whole
from napari_channelmix.data.csv_text import csv_text

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["save_result", "write_array", "write_figure"]


def save_result(
    folder: str | Path, name: str, content: dict[str, Any], frame: pd.DataFrame, figure: Figure
) -> tuple[Path, ...]:
    """Write ``NAME.json``, ``NAME.csv`` and ``NAME.png`` into a folder.

    Parameters
    ----------
    folder : path
        Made if it is missing.
    name : str
        Of the files, without an ending.
    content : dict
        For JSON; what is not finite becomes null.
    frame : pandas.DataFrame
    figure : matplotlib.figure.Figure

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like; files that were there are intact.
    """
    folder = Path(folder)
    return (
        write_json(folder / f"{name}.json", _without_nan(content)),
        write_text(folder / f"{name}.csv", csv_text(frame)),
        write_figure(folder / f"{name}.png", figure),
    )


def write_figure(path: Path, figure: Figure) -> Path:
    """Write a figure as PNG, whole or not at all."""
    return write_whole(path, lambda part: figure.savefig(part, dpi=150, format="png"))


def write_array(path: Path, values: npt.NDArray[Any]) -> Path:
    """Write an array as ``.npy``, whole or not at all; never a pickle."""

    def write(part: Path) -> None:
        with part.open("wb") as file:
            np.save(file, values, allow_pickle=False)

    return write_whole(path, write)


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _without_nan(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_nan(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
