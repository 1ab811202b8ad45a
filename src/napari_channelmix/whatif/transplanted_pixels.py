"""Crops with a channel, or a part of it, of another cell that lies as they do."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.whatif.alignment import aligned, warp_sources
from napari_channelmix.whatif.compartments import grown

if TYPE_CHECKING:
    from napari_channelmix.whatif.crops import CellCrops

__all__ = ["Pairs", "compartments_of", "transplanted"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

# Width of the ring around nuclei, in radii of the cell and in pixels at least.
RING, LEAST_RING = 0.6, 2.0


@dataclass(frozen=True, eq=False)
class Pairs:
    """Cells and their aligned donors.

    Attributes
    ----------
    cells, donors, view : (P,) int arrays
        Positions among the crops, and flip and turn of the donor; see `alignment.aligned`.
    overlap : (P,) float32 array
    """

    cells: IntArray = field(repr=False)
    donors: IntArray = field(repr=False)
    view: IntArray = field(repr=False)
    overlap: FloatArray = field(repr=False)

    def __len__(self) -> int:
        return len(self.cells)


def compartments_of(crops: CellCrops) -> dict[str, Mask]:
    """Parts (n, H, W) of crops that can be exchanged alone, by name.

    ``nucleus`` (of all cells in the crop; ``cell`` where no channel shows nuclei), ``ring`` (0.6
    of the radius of the cell around them, 2 pixels at least) and ``background``, which is neither
    these nor within the outline of a cell. Our definition.
    """
    inner: Mask = np.asarray(crops.cell | crops.others, bool)
    if crops.nuclei is not None:
        known = np.asarray(crops.nuclei.any(axis=(1, 2)))[:, None, None]
        inner = np.asarray(np.where(known, crops.nuclei, inner), bool)
    radius = np.sqrt(crops.cell.sum(axis=(1, 2)) / np.pi)
    near = np.stack(
        [
            grown(mask, max(LEAST_RING, RING * float(size)))
            for mask, size in zip(inner, radius, strict=True)
        ]
    )
    name = "cell" if crops.nuclei is None else "nucleus"
    background = ~(near | crops.cell | crops.others)
    return {name: inner, "ring": near & ~inner, "background": background}


def transplanted(
    crops: CellCrops,
    pairs: Pairs,
    channel: int,
    region: Mask | None = None,
    *,
    warp: bool = False,
) -> FloatArray:
    """Crops (P, C, H, W) of cells with a channel of their donors, raw units.

    Parameters
    ----------
    crops : CellCrops
    pairs : Pairs
    channel : int
    region : (n, H, W) bool array, optional
        Part of each cell that is exchanged; default: all of the crop.
    warp : bool
        Stretch the donor to the outline of the cell; see `alignment.warp_sources`.
    """
    pixels = crops.pixels[pairs.cells]
    given = aligned(crops.pixels[pairs.donors, channel], pairs.view).astype(np.float32)
    if warp:
        own = _nucleus_or_cell(crops)
        outlines = own[pairs.cells]
        of_donors = aligned(own[pairs.donors], pairs.view).astype(bool)
        given = _moved(given, warp_sources(outlines, of_donors))
    if region is None:
        pixels[:, channel] = given
    else:
        pixels[:, channel] = np.where(region[pairs.cells], given, pixels[:, channel])
    return pixels


def _nucleus_or_cell(crops: CellCrops) -> Mask:
    """The outline (n, H, W) of a label image, else the nucleus within that of the light.

    An outline by light changes with the very channel that is exchanged; one of the stain of nuclei
    does not.
    """
    if crops.nuclei is None:
        return crops.cell
    nucleus = crops.cell & crops.nuclei
    known = ~crops.labelled & nucleus.any(axis=(1, 2))
    return np.where(known[:, None, None], nucleus, crops.cell)


def _moved(planes: FloatArray, sources: FloatArray) -> FloatArray:
    """Planes (n, H, W) taken from other places (n, H, W, 2), bilinear; borders go on."""
    import torch

    height, width = planes.shape[1:]
    scale = np.array([2 / max(width - 1, 1), 2 / max(height - 1, 1)], np.float32)
    with torch.inference_mode():
        moved = torch.nn.functional.grid_sample(
            torch.from_numpy(np.ascontiguousarray(planes[:, None])),
            torch.from_numpy(sources * scale - 1),
            align_corners=True,
            padding_mode="border",
        )
    return np.asarray(moved[:, 0].numpy(), np.float32)
