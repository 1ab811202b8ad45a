"""Tables of the groups of a data set: classes in each of them, and dose-responses."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.atomic_write import write_text
from napari_channelmix.data.csv_text import csv_text
from napari_channelmix.phenotypes.responses import curves_frame, levels_frame, with_conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from napari_channelmix.phenotypes.fractions import Fractions
    from napari_channelmix.phenotypes.responses import Response

__all__ = ["write_doses", "write_groups"]


def write_groups(fractions: Fractions, conditions: pd.DataFrame | None, folder: Path) -> Path:
    """Write ``groups.csv``: a row per group with its classes, and what is known of it, as doses.

    Parameters
    ----------
    fractions : Fractions
    conditions : pandas.DataFrame or None
        See `Cells.conditions`.
    folder : path

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    frame = fractions.to_frame()
    if fractions.grouping.kind == "group":
        frame = with_conditions(frame, fractions.groups, conditions)
    return write_text(folder / "groups.csv", csv_text(frame))


def write_doses(responses: Sequence[Response], folder: Path) -> tuple[Path, ...]:
    """Write ``dose-response.csv`` (a row per class) and ``doses.csv`` (a row per class and dose).

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    tables = {"dose-response.csv": curves_frame(responses), "doses.csv": levels_frame(responses)}
    return tuple(
        write_text(folder / name, csv_text(table.set_index("class"), index=True))
        for name, table in tables.items()
    )
