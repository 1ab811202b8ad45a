"""Crops of cells with their outlines, ready to be edited."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_outlines import DISC, LightScale, crop_outlines
from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.errors import ModelError
from napari_channelmix.whatif.compartments import background_of, nuclei_of

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["SCOPES", "CellCrops", "Scope", "batches_of", "cell_crops"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Scope = Literal["cell", "crop", "neighbours"]

#: What an edit is made to: the cell in the middle, all cells in the crop, all but the middle one.
SCOPES: tuple[Scope, ...] = ("cell", "crop", "neighbours")
BATCH = 256


@dataclass(frozen=True, eq=False)
class CellCrops:
    """Crops of n cells in raw units, and what lies where in them.

    Attributes
    ----------
    pixels : (n, C, H, W) float32 array
        Raw units.
    channels : tuple of str
        C names.
    cell : (n, H, W) bool array
        The cell in the middle.
    others : (n, H, W) bool array
        Other objects in the crop, as far as the label image has them.
    origin : (n,) str array
        Where the outline comes from: ``label``, ``light``, or ``disc`` for one that is not known;
        see `data.crop_outlines`.
    nuclei : (n, H, W) bool array or None
        Pixels of nuclei, of all cells in the crop; None where no channel is named as one of
        nuclei.
    background : (n, C) float32 array
        Level of each channel where there is no cell, raw units.
    positions : (n,) int array
        Of the cells in their data set.
    scope : {"cell", "crop", "neighbours"}
        What an edit is made to.
    """

    pixels: FloatArray = field(repr=False)
    channels: tuple[str, ...]
    cell: Mask = field(repr=False)
    others: Mask = field(repr=False)
    origin: npt.NDArray[np.str_] = field(repr=False)
    nuclei: Mask | None = field(repr=False)
    background: FloatArray = field(repr=False)
    positions: npt.NDArray[np.int64] = field(repr=False)
    scope: Scope = "cell"

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, some: slice | npt.NDArray[np.int64] | npt.NDArray[np.bool_]) -> CellCrops:
        """Some of the cells."""
        return replace(
            self,
            pixels=self.pixels[some],
            cell=self.cell[some],
            others=self.others[some],
            origin=self.origin[some],
            nuclei=None if self.nuclei is None else self.nuclei[some],
            background=self.background[some],
            positions=self.positions[some],
        )

    def channel(self, name: str) -> int:
        """Index of a channel.

        Raises
        ------
        ModelError
            There is none of that name.
        """
        if name not in self.channels:
            raise ModelError(
                f"there is no channel {name!r}; the cells have {', '.join(self.channels)}"
            )
        return self.channels.index(name)

    def scoped(self, scope: Scope) -> CellCrops:
        """The same crops, edited within another scope.

        Raises
        ------
        ModelError
            An unknown scope.
        """
        if scope not in SCOPES:
            raise ModelError(f"scope {scope!r} is unknown; use {', '.join(SCOPES)}")
        return replace(self, scope=scope)

    def with_pixels(self, pixels: FloatArray) -> CellCrops:
        """The same outlines around other pixels."""
        return replace(self, pixels=pixels)

    @property
    def nuclear_channel(self) -> str | None:
        """The channel that shows nuclei, by its name; see `data.nuclear_channel`."""
        return nuclear_channel(self.channels)

    @property
    def disc(self) -> npt.NDArray[np.bool_]:
        """Cells (n,) for whose outline a disc stands."""
        return np.asarray(self.origin == DISC)

    @cached_property
    def mask(self) -> Mask:
        """Pixels (n, H, W) of what the scope names."""
        if self.scope == "cell":
            return self.cell
        return self.others if self.scope == "neighbours" else self.cell | self.others


def cell_crops(
    cells: Cells,
    positions: npt.ArrayLike | None = None,
    *,
    scale: LightScale | None = None,
    crops: FloatArray | None = None,
) -> CellCrops:
    """Read cells with their outlines.

    Parameters
    ----------
    cells : Cells
    positions : (n,) int array, optional
        Which cells; default: all. All are held in memory.
    scale : LightScale, optional
        Of the data set, where it is known; made of some of its cells otherwise.
    crops : (n, C, H, W) float32 array, optional
        Their pixels, where they were read already.

    Raises
    ------
    DataError
        A file that cannot be read, NaN.
    """
    chosen = np.arange(len(cells)) if positions is None else np.asarray(positions, np.int64)
    pixels = cells.read(chosen) if crops is None else np.asarray(crops, np.float32)
    scale = scale or LightScale.of_cells(cells)
    outlines = crop_outlines(cells, chosen, pixels, scale)
    nuclear = nuclear_channel(cells.channels)
    return CellCrops(
        pixels,
        tuple(cells.channels),
        outlines.cell,
        outlines.others,
        outlines.origin,
        None if nuclear is None else nuclei_of(pixels[:, cells.channels.index(nuclear)], outlines),
        background_of(pixels, outlines, scale),
        chosen,
    )


def batches_of(cells: Cells, positions: npt.ArrayLike, size: int = BATCH) -> Iterator[CellCrops]:
    """The same, ``size`` cells at a time, in the order of ``positions``."""
    scale, chosen = LightScale.of_cells(cells), np.asarray(positions, np.int64)
    for start in range(0, len(chosen), size):
        yield cell_crops(cells, chosen[start : start + size], scale=scale)
