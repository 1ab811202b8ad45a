"""Whether each edit does what its name says, as a table beside the answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from napari_channelmix.whatif.stored import TABLES

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.whatif.axes import Axis
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["purity_table"]


def purity_table(axes: Sequence[Axis], crops: CellCrops) -> pd.DataFrame:
    """How far each axis moves its own feature, and others; see `result.WhatIf.purity`."""
    import pandas as pd

    return pd.DataFrame([], columns=list(TABLES["purity"]))
