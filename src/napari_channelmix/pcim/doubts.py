"""Doubts about a cell: why its map must not be read, however well it scores.

A map may be faithful to what a classifier does with a picture that is no cell. That says nothing
of the class, so the words about a map begin with what is known against its cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_profile import FEATURES, crop_features
from napari_channelmix.pcim.flatness import named_cells

if TYPE_CHECKING:
    from napari_channelmix.classify.shift import DataShift
    from napari_channelmix.pcim.attribution import Attribution

__all__ = ["cell_doubts", "doubts_of", "noise_lines", "without_structure"]

FloatArray = npt.NDArray[np.float32]

# Where neighbouring pixels of all channels correlate less than this, a crop holds noise. Cells of
# the shared sets lie above .3 in at least one channel; scrambled pixels below .1.
STRUCTURE = 0.15

FLAT = {
    "constant": "the cell is constant",
    "saturated": "the model's probability is exactly 0 or 1, and no pixel can change it",
    "deaf": "the model's output does not depend on the pixels",
    "small": "no single pixel changes the model's output",
}
NOISE = "its pixels have no structure, like noise"
STRANGE = "the cell lies far outside what the classifier was trained on"
SHIFTED = "the cells differ from those the classifier was trained on"


def cell_doubts(attribution: Attribution, crops: FloatArray) -> tuple[tuple[str, ...], ...]:
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
    numbers = attribution.source.numbers
    noise = numbers[without_structure(crops)].tolist()
    return doubts_of(numbers.tolist(), attribution.flat, attribution.shift, noise)


def doubts_of(
    numbers: Sequence[int],
    flat: Mapping[str, Iterable[int]],
    shift: DataShift | None,
    noise: Iterable[int],
) -> tuple[tuple[str, ...], ...]:
    """The same for cells by their numbers, from what is known of them.

    Parameters
    ----------
    numbers : sequence of N int
    flat : dict of str to int
        Cells with flat maps by reason; see `pcim.flatness`.
    shift : DataShift or None
    noise : int
        Cells whose pixels have no structure.
    """
    reasons: dict[int, list[str]] = {number: [] for number in numbers}
    for reason, cells in flat.items():
        for cell in cells:
            if cell in reasons:
                reasons[cell].append(FLAT[reason])
    strange = set() if shift is None else set(shift.strange)
    shifted, noisy = shift is not None and shift.whole, set(noise)
    for cell, lines in reasons.items():
        if cell in noisy and not lines:
            lines.append(NOISE)
        if cell in strange:
            lines.append(STRANGE)
        elif shifted:
            lines.append(SHIFTED)
    return tuple(tuple(reasons[number]) for number in numbers)


def without_structure(crops: FloatArray) -> npt.NDArray[np.bool_]:
    """Which crops (N, C, H, W) have no channel whose neighbouring pixels are alike, (N,)."""
    smoothness = crop_features(crops)[0][:, FEATURES.index("smoothness")]
    return np.asarray((smoothness < STRUCTURE).all(axis=1))


def noise_lines(
    noise: Sequence[int], count: int, name_of: Callable[[int], object]
) -> tuple[str, ...]:
    """What is said of cells whose pixels have no structure, of ``count`` in all; at most a line."""
    if not noise:
        return ()
    cells = [name_of(number) for number in noise]
    if len(cells) == 1:
        return (f"{named_cells(cells)}: {NOISE}; do not read its map",)
    return (
        f"{len(cells):,} of {count:,} cells ({named_cells(cells)}): their pixels have no "
        f"structure, like noise; do not read their maps",
    )
