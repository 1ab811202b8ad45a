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
from napari_channelmix.whatif.compartments import RING, is_nucleus

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
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
# Margin around the outline of a cell, in its radii, for a little light beyond it; and the least, in
# pixels. Our choice.
AROUND_CELL = 0.3
LEAST_MARGIN = 2.0
# Width of the soft edge of what is filled, in pixels.
SOFT = 1.0


def outlines_are_nuclei(crops: CellCrops) -> bool:
    """Whether the label images outline nuclei: those of most cells do; see `is_nucleus`.

    False where no channel shows nuclei, and where the outlines are no labels.
    """
    known = crops.labelled
    if crops.nuclei is None or not known.any():
        return False
    return bool(is_nucleus(crops.cell, crops.nuclei)[known].mean() >= 0.5)


def removal_margin(crops: CellCrops) -> float:
    """How far from its outline light belongs to a cell, in pixels.

    Outlines of cells: 0.3 of the radius of the median outline (of a disc of its area). Outlines
    of nuclei: as far as the cytoplasm reaches, 2.5 radii; see `compartments`. 2 pixels or more. Our
    definition.
    """
    if not len(crops):
        return LEAST_MARGIN
    radius = float(np.sqrt(np.median(crops.cell.sum(axis=(1, 2))) / np.pi))
    return max(LEAST_MARGIN, (RING if outlines_are_nuclei(crops) else AROUND_CELL) * radius)


def territories(crops: CellCrops, margin: float, cells: Cells | None = None) -> tuple[Mask, Mask]:
    """Pixels (n, H, W) of the middle cell, and of the others, each with its margin.

    Within ``margin`` pixels of an outline; what is near both belongs to the nearer one.

    Parameters
    ----------
    crops : CellCrops
    margin : float
    cells : Cells, optional
        The data set of the crops: then others that lie outside a crop, and whose margin reaches
        into it, are known too.
    """
    from scipy.ndimage import distance_transform_edt

    own, others = np.zeros_like(crops.cell), np.zeros_like(crops.others)
    edge = int(np.ceil(margin))
    around = None if cells is None else _Surroundings(cells, edge)
    for place, (cell, other) in enumerate(zip(crops.cell, crops.others, strict=True)):
        inner = slice(None), slice(None)
        wide = None if around is None else around.of(int(crops.positions[place]))
        if wide is not None and crops.labelled[place]:
            cell, other = wide
            inner = slice(edge, -edge), slice(edge, -edge)
        if not other.any():
            own[place] = (distance_transform_edt(~cell) <= margin)[inner]
            continue
        to_cell, to_other = distance_transform_edt(~cell), distance_transform_edt(~other)
        own[place] = ((to_cell <= margin) & (to_cell <= to_other))[inner]
        others[place] = ((to_other <= margin) & (to_other < to_cell))[inner]
    return own, others


class _Surroundings:
    """Label images around the boxes of cells."""

    def __init__(self, cells: Cells, edge: int) -> None:
        self._cells, self._edge, self._boxes = cells, edge, cells.boxes
        self._fields, self._objects = (
            cells.table[name].to_numpy(np.int64) for name in ("field", "object")
        )

    def of(self, position: int) -> tuple[Mask, Mask] | None:
        """The cell and the others in its box and ``edge`` pixels around it.

        None where there is no label image, or the crop is resampled.
        """
        labels, edge = self._cells.fields[int(self._fields[position])].labels, self._edge
        y0, x0, y1, x1 = self._boxes[position].tolist()
        side = (self._cells.crop, self._cells.crop)
        if labels is None or edge < 1 or (y1 - y0, x1 - x0) != side:
            return None
        top, left, bottom, right = y0 - edge, x0 - edge, y1 + edge, x1 + edge
        window = np.zeros((bottom - top, right - left), np.int64)
        rows = slice(max(top, 0), min(bottom, labels.shape[0]))
        columns = slice(max(left, 0), min(right, labels.shape[1]))
        inside = (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )
        window[inside] = labels[rows, columns]
        cell = window == int(self._objects[position])
        return cell, (window > 0) & ~cell


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
