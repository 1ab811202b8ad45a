"""Crops of cells with their outlines, ready to be edited."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.crop_outlines import DISC, LABELLED, LightScale, crop_outlines
from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.data.required_cells import refuse_no_cells
from napari_channelmix.errors import DataError, ModelError
from napari_channelmix.whatif.compartments import background_of, nuclei_of, reach_of, soft_edge

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["SCOPES", "CellCrops", "Scope", "batches_of", "cell_crops", "pixel_digests"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Scope = Literal["cell", "crop", "neighbours"]
T = TypeVar("T")

#: What an edit is made to: the cell in the middle, all cells in the crop, all but the middle one.
SCOPES: tuple[Scope, ...] = ("cell", "crop", "neighbours")
BATCH = 256
# What is worked out of outlines alone, and so is the same for edited pixels.
_OF_OUTLINES = ("mask", "reach", "region", "soft")


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
    spread : (C,) float32 array or None
        How far the brightest pixels of the data set lie from its background, raw units; the unit
        of edits that are made to all channels at once.
    two_sided : (C,) bool array or None
        Channels in which cells are darker as well as brighter than the background, such as bright
        field; None: none.
    seeds : (n,) uint64 array or None
        What is drawn at random for a cell is drawn from its own: a digest of its pixels before any
        edit, so that it is the same whichever cells it is with. None: of ``pixels`` as they are.
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
    spread: FloatArray | None = field(default=None, repr=False)
    two_sided: npt.NDArray[np.bool_] | None = field(default=None, repr=False)
    seeds: npt.NDArray[np.uint64] | None = field(default=None, repr=False)
    _stored: dict[str, object] = field(default_factory=dict, repr=False, init=False)
    _of_outlines: dict[str, object] = field(default_factory=dict, repr=False, init=False)

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
            seeds=None if self.seeds is None else self.seeds[some],
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

    def with_pixels(self, pixels: FloatArray, background: FloatArray | None = None) -> CellCrops:
        """The same outlines around other pixels, upon another background."""
        level = self.background if background is None else background
        other = replace(self, pixels=pixels, background=level)
        kept = {name: self.__dict__[name] for name in _OF_OUTLINES if name in self.__dict__}
        other.__dict__.update(kept, _of_outlines=self._of_outlines)
        return other

    def stored(self, name: str, make: Callable[[], T], *, of_outlines: bool = False) -> T:
        """What ``make`` gives, made once for these crops: many edits need the same.

        ``of_outlines``: made of outlines alone, and so the same for edited pixels.
        """
        known = self._of_outlines if of_outlines else self._stored
        if name not in known:
            known[name] = make()
        return known[name]  # type: ignore[return-value]

    @property
    def nuclear_channel(self) -> str | None:
        """The channel that shows nuclei, by its name; see `data.nuclear_channel`."""
        return nuclear_channel(self.channels)

    @property
    def disc(self) -> npt.NDArray[np.bool_]:
        """Cells (n,) for whose outline a disc stands."""
        return np.asarray(self.origin == DISC)

    @property
    def labelled(self) -> npt.NDArray[np.bool_]:
        """Cells (n,) whose outlines, and those of others in the crop, are of a label image."""
        return np.asarray(self.origin == LABELLED)

    @cached_property
    def mask(self) -> Mask:
        """Pixels (n, H, W) within the outlines of what the scope names."""
        return self._in_scope(self.cell, self.others)

    @cached_property
    def reach(self) -> tuple[Mask, Mask]:
        """Pixels (n, H, W) of the cell, and of others, with the rings around nuclei."""
        return reach_of(self.cell, self.others, self.nuclei, self.labelled)

    @cached_property
    def region(self) -> Mask:
        """Pixels (n, H, W) that an edit is made to: `mask` with the rings around nuclei.

        Where no label image tells which pixels are of other cells, scope ``crop`` is the whole
        crop, and ``neighbours`` all of it but the cell.
        """
        return self._in_scope(*self.reach)

    @cached_property
    def soft(self) -> FloatArray:
        """Weights (n, H, W) of an edit: 1 in `region`, 0.5 one pixel beside it, 0 beyond."""
        own, others = self.reach
        hard = {"cell": others, "neighbours": own, "crop": None}[self.scope]
        return soft_edge(self.region, hard)

    def _in_scope(self, own: Mask, others: Mask) -> Mask:
        if self.scope == "cell":
            return own
        unknown = ~self.labelled[:, None, None]
        if self.scope == "neighbours":
            return others | (unknown & ~own)
        return own | others | unknown


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
        A file that cannot be read, NaN; a position that is none; no `Cells`.
    """
    refuse_no_cells(cells)
    chosen = np.arange(len(cells)) if positions is None else np.asarray(positions, np.int64)
    outside = chosen[(chosen < 0) | (chosen >= len(cells))]
    if len(outside):
        raise DataError(
            f"{cells.name} has no cell {outside[0]}; its cells are 0 to {len(cells) - 1}"
        )
    pixels = cells.read(chosen) if crops is None else np.asarray(crops, np.float32)
    scale = scale or LightScale.of_cells(cells)
    outlines = crop_outlines(cells, chosen, pixels, scale)
    nuclear = nuclear_channel(cells.channels)
    place = 0 if nuclear is None else cells.channels.index(nuclear)
    return CellCrops(
        pixels,
        tuple(cells.channels),
        outlines.cell,
        outlines.others,
        outlines.origin,
        None if nuclear is None else nuclei_of(pixels[:, place], scale, place),
        background_of(pixels, outlines, scale),
        chosen,
        spread=np.abs(scale.spread),
        two_sided=scale.two_sided,
        seeds=pixel_digests(pixels),
    )


def pixel_digests(pixels: FloatArray) -> npt.NDArray[np.uint64]:
    """A number (n,) of each crop's own pixels (n, C, H, W): the same pixels, the same number."""
    digests = (
        hashlib.blake2b(np.ascontiguousarray(crop, np.float32).tobytes(), digest_size=8).digest()
        for crop in pixels
    )
    return np.array([int.from_bytes(digest, "little") for digest in digests], np.uint64)


def batches_of(cells: Cells, positions: npt.ArrayLike, size: int = BATCH) -> Iterator[CellCrops]:
    """The same, ``size`` cells at a time, in the order of ``positions``."""
    scale, chosen = LightScale.of_cells(cells), np.asarray(positions, np.int64)
    for start in range(0, len(chosen), size):
        yield cell_crops(cells, chosen[start : start + size], scale=scale)
