"""A quick signature of cells, to tell whether a data set is still the one that was worked on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from napari_channelmix.data.cells import Cells

__all__ = ["fingerprint"]

# Cells whose pixels stand for those of the data set.
LOOKED_AT = 32


def fingerprint(cells: Cells) -> str:
    """SHA-256 of the names and boxes of all cells and the pixels of 32 spread evenly.

    Much quicker than `Cells.signature`, which reads every pixel. Our definition.

    Raises
    ------
    DataError
        A file that cannot be read, or NaN or infinite pixels.
    """
    digest = cells.signing()
    if len(cells):
        some = np.unique(np.linspace(0, len(cells) - 1, LOOKED_AT).astype(np.int64))
        digest.update(cells.read(some).tobytes())
    return digest.hexdigest()
