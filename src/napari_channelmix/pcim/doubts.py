"""Doubts about a cell: why its map must not be read, however well it scores.

A map may be faithful to what a classifier does with a picture that is no cell. That says nothing
of the class, so the words about a map begin with what is known against its cell.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_profile import Profiler

if TYPE_CHECKING:
    from napari_channelmix.pcim.attribution import Attribution

__all__ = ["cell_doubts"]

Floats = npt.NDArray[np.float32]

# Where neighbouring pixels of all channels correlate less than this, a crop holds noise. Cells of
# the shared sets lie above .3 in at least one channel; scrambled pixels below .1.
STRUCTURE = 0.15

FLAT = {
    "constant": "the cell is constant",
    "saturated": "the model's probability is exactly 0 or 1, and no pixel can move it",
    "deaf": "the model's answer does not depend on the pixels",
    "small": "no pixel by itself moves the model's answer",
}
NOISE = "its pixels have no structure, as noise has none"
STRANGE = "the cell lies far outside what the classifier was trained on"
SHIFTED = "the cells differ from those the classifier was trained on"


def cell_doubts(attribution: Attribution, crops: Floats) -> tuple[tuple[str, ...], ...]:
    """What is known against each cell of an attribution, before its map is looked at.

    Parameters
    ----------
    attribution : Attribution
        Its warnings are taken into account: flat maps, cells that are strange to the classifier,
        cells that differ as a whole from those of training.
    crops : (N, C, H, W) float32 array
        Its cells, in raw units.

    Returns
    -------
    tuple of tuple of str
        For each cell the reasons, without capital and full stop; empty where nothing is known.
        Our definition.
    """
    reasons: list[list[str]] = [[] for _ in range(len(attribution))]
    rows = {int(number): row for row, number in enumerate(attribution.source.numbers)}
    for reason, cells in attribution.flat.items():
        for cell in cells:
            if cell in rows:
                reasons[rows[cell]].append(FLAT[reason])
    shift = attribution.shift
    strange = set() if shift is None else set(shift.strange)
    shifted = shift is not None and shift.whole
    noise = _without_structure(crops)
    for cell, row in rows.items():
        if noise[row] and not reasons[row]:
            reasons[row].append(NOISE)
        if cell in strange:
            reasons[row].append(STRANGE)
        elif shifted:
            reasons[row].append(SHIFTED)
    return tuple(map(tuple, reasons))


def _without_structure(crops: Floats) -> npt.NDArray[np.bool_]:
    """Which crops (N,) have no channel whose neighbouring pixels are alike."""
    profiler = Profiler(len(crops))
    profiler.add(crops)
    profile = profiler.profile()
    if profile is None:
        return np.zeros(len(crops), dtype=bool)
    return np.asarray((profile.of("smoothness") < STRUCTURE).all(axis=1))
