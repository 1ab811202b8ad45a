"""Cells taken out of their crops: what is taken away is filled with background.

Which pixels belong to a cell is more than its outline where light lies around it: the outline of a
nucleus has the cytoplasm around it. So each outline is widened by a margin, up to half the way to
the next one. The sham fills as large an area elsewhere in the background, where no cell is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import ModelError

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = [
    "REMOVALS",
    "Removal",
    "at_background_level",
    "filled",
    "outlines_are_nuclei",
    "removal_margin",
    "removed_area",
    "sham_area",
    "territories",
    "with_area_of_another",
    "without",
]

Mask = npt.NDArray[np.bool_]
FloatArray = npt.NDArray[np.float32]
Removal = Literal["cell", "crop", "neighbours", "surroundings"]

#: What is taken away: the cell in the middle, all cells, all but the middle one, and all that does
#: not belong to the middle one.
REMOVALS: tuple[Removal, ...] = ("cell", "crop", "neighbours", "surroundings")
# Margin around an outline, in diameters of the cell: a little light beyond the outline, or the
# cytoplasm around a nucleus. Our choice.
AROUND_CELL, AROUND_NUCLEUS = 0.15, 0.6
LEAST_MARGIN = 2.0
# An outline of which so much is nucleus is that of a nucleus.
MOSTLY_NUCLEUS = 0.6
# Width of the soft edge of what is filled, in pixels.
SOFT = 1.0


def outlines_are_nuclei(crops: CellCrops) -> bool:
    """Whether the label images outline nuclei: most of the median outline is nuclear stain.

    False where no channel shows nuclei, and where the outlines are no labels. Our definition.
    """
    known = ~crops.disc & (crops.origin == "label")
    if crops.nuclei is None or not known.any():
        return False
    inside = (crops.nuclei & crops.cell)[known].sum(axis=(1, 2))
    return bool(np.median(inside / crops.cell[known].sum(axis=(1, 2))) >= MOSTLY_NUCLEUS)


def removal_margin(crops: CellCrops) -> float:
    """How far from its outline light belongs to a cell, in pixels.

    A share of the diameter of the median outline (of a disc of its area): 0.15 for outlines of
    cells, 0.6 for outlines of nuclei; 2 pixels or more. Our definition.
    """
    if not len(crops):
        return LEAST_MARGIN
    area = float(np.median(crops.cell.sum(axis=(1, 2))))
    share = AROUND_NUCLEUS if outlines_are_nuclei(crops) else AROUND_CELL
    return max(LEAST_MARGIN, share * 2 * float(np.sqrt(area / np.pi)))


def territories(crops: CellCrops, margin: float) -> tuple[Mask, Mask]:
    """Pixels (n, H, W) of the middle cell, and of the others, each with its margin.

    Within ``margin`` pixels of an outline; what is near both belongs to the nearer one.
    """
    from scipy.ndimage import distance_transform_edt

    own, others = np.zeros_like(crops.cell), np.zeros_like(crops.others)
    for place, (cell, other) in enumerate(zip(crops.cell, crops.others, strict=True)):
        to_cell = distance_transform_edt(~cell)
        if not other.any():
            own[place] = to_cell <= margin
            continue
        to_other = distance_transform_edt(~other)
        own[place] = (to_cell <= margin) & (to_cell <= to_other)
        others[place] = (to_other <= margin) & (to_other < to_cell)
    return own, others


def without(crops: CellCrops, removal: Removal, margin: float = LEAST_MARGIN) -> CellCrops:
    """The crops with some of what they show filled with their background; see `filled`.

    Parameters
    ----------
    crops : CellCrops
    removal : {"cell", "crop", "neighbours", "surroundings"}
        See `REMOVALS`.
    margin : float
        Pixels around an outline that belong to the cell; see `removal_margin`.

    Raises
    ------
    ModelError
        An unknown removal.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> from napari_channelmix.whatif.crops import cell_crops
    >>> sample = synthetic_plate(wells=2, cells_per_well=3, side=96)
    >>> crops = cell_crops(sample.cells, [0])
    >>> empty = without(crops, "crop", margin=3)
    >>> bool(empty.pixels[0, 0, 20, 20] == empty.background[0, 0])
    True
    """
    own, others = territories(crops, margin)
    return filled(crops, removed_area(own, others, removal))


def removed_area(own: Mask, others: Mask, removal: Removal) -> Mask:
    """Pixels (n, H, W) that a removal takes away, from those of the cell and of the others."""
    areas = {"cell": own, "crop": own | others, "neighbours": others, "surroundings": ~own}
    if removal not in areas:
        raise ModelError(f"removal {removal!r} is unknown; use {', '.join(REMOVALS)}")
    return areas[removal]


def filled(crops: CellCrops, area: Mask) -> CellCrops:
    """The crops with an area (n, H, W) filled with the background level of each channel.

    Its edge is soft over about a pixel, outwards: nothing of what is filled stays. A crop of which
    nothing is filled keeps its pixels bit for bit. One level, not drawn pixels: where a background
    is smooth, as in bright field, drawn ones are noise that no classifier has seen.
    """
    from scipy.ndimage import gaussian_filter

    some = area.any(axis=(1, 2))
    pixels = crops.pixels.copy()
    if some.any():
        soft = gaussian_filter(area[some].astype(np.float32), (0, SOFT, SOFT), truncate=2.0)
        weight = np.where(area[some], np.float32(1), soft)[:, None]
        level, old = crops.background[some][:, :, None, None], crops.pixels[some]
        part = np.where(weight > 0, old + weight * (level - old), old)
        pixels[some] = np.where(weight >= 1, level, part)
    return crops.with_pixels(pixels)


def with_area_of_another(area: Mask, labels: npt.NDArray[np.int64], seed: int) -> Mask:
    """Each area (n, H, W) joined with that of a cell of another class, drawn at random.

    What is filled has a shape, and a shape may tell the class; that of two cells of two classes
    tells it no more. A cell keeps its own area where there is no other class.
    """
    rng, joined = np.random.default_rng(seed), area.copy()
    for code in np.unique(labels).tolist():
        own, others = np.flatnonzero(labels == code), np.flatnonzero(labels != code)
        if len(others):
            joined[own] |= area[rng.choice(others, len(own))]
    return joined


def sham_area(own: Mask, others: Mask, removal: Removal) -> tuple[Mask, npt.NDArray[np.bool_]]:
    """As large an area where no cell is, and the crops (n,) that have room for it.

    The background pixels that lie farthest from all cells, as many as the removal takes away.
    """
    from scipy.ndimage import distance_transform_edt

    area = removed_area(own, others, removal)
    shams, room = np.zeros_like(area), np.zeros(len(area), bool)
    for place, (wanted, objects) in enumerate(
        zip(area.sum(axis=(1, 2)).tolist(), own | others, strict=True)
    ):
        free = int((~objects).sum())
        room[place] = free >= wanted > 0
        if not room[place]:
            continue
        far = distance_transform_edt(~objects) if objects.any() else np.ones(objects.shape)
        order = np.argsort(-far, axis=None, kind="stable")[:wanted]
        shams[place].flat[order] = True
    return shams, room


def at_background_level(crops: CellCrops) -> CellCrops:
    """Crops that show nothing but the background level of each channel, the same all over."""
    level = np.broadcast_to(crops.background[:, :, None, None], crops.pixels.shape)
    return crops.with_pixels(np.ascontiguousarray(level, np.float32))
