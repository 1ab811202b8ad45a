"""Whether each edit does what its name says, as a table beside the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_channelmix.whatif.self_consistency import self_consistency_job
from napari_channelmix.whatif.stored import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.jobs import Job
    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["purity_job", "purity_notes", "with_notes"]


# Reference cells that are edited and measured; the table is there before any answer.
SAMPLE = 60


def purity_job(axes: Sequence[Axis], crops: CellCrops) -> Job[pd.DataFrame]:
    """How far each axis moves its own feature, and others, as a job; see `result.WhatIf.purity`.

    Parameters
    ----------
    axes : sequence of Axis
    crops : CellCrops
        Real cells in random order, of which the first 60 are edited.
    """
    table = yield from self_consistency_job(axes, crops[:SAMPLE])
    return table.reindex(columns=list(TABLES["purity"]))


def purity_notes(table: pd.DataFrame) -> dict[str, str]:
    """What each axis that is not pure moves beside its own feature: ``also moves DNA rim``.

    Examples
    --------
    >>> import pandas as pd
    >>> rows = {"axis": ["size", "blur"], "pure": [False, True], "other": ["DNA rim", ""]}
    >>> purity_notes(pd.DataFrame(rows))
    {'size': 'also moves DNA rim'}
    """
    wrong = table[~table["pure"].astype(bool)] if len(table) else table
    return {
        str(axis): f"also moves {other}" if other else "does not move its own feature"
        for axis, other in zip(wrong["axis"], wrong["other"], strict=True)
    }


def with_notes(flips: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Rows of flips that say where an edit did more than its name."""
    notes = purity_notes(table)
    return flips.assign(note=[notes.get(axis, "") for axis in flips["axis"]])
