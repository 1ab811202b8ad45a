"""What cells are and where they lie: a table of boxes over fields of view; no pixel is read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.borders import over_border
from napari_channelmix.data.cut_cells import cut_off_warning, reach_over_crop, without_cut_line
from napari_channelmix.data.fields import Field, middles
from napari_channelmix.data.neighbours import KEEP, Neighbours
from napari_channelmix.data.pixel_scaling import RAW, PixelScaling
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    # Imported where it is needed: a dock that opens before there are cells need not wait for it.
    from typing import Self

    import pandas as pd

    from napari_channelmix.data.stored_crops import StoredCrops

__all__ = ["BOX", "CellPlaces"]

IntArray = npt.NDArray[np.int64]

#: Columns of a box in the table of cells, half open.
BOX = ["y0", "x0", "y1", "x1"]
# Rows of the table that become text at once.
BLOCK = 50_000


@dataclass(frozen=True, eq=False)
class CellPlaces:
    """A table of boxes over fields of view; immutable. See `Cells`.

    Attributes
    ----------
    name : str
    channels : tuple of str
        Channel names, in the order of the crops' first axis.
    classes : tuple of str
        Class names; ``labels`` are positions in it.
    crop : int
        Side of the square crops, in pixels.
    fields : tuple of Field
    table : pandas.DataFrame
        A row per cell: ``field`` (position in ``fields``), the box ``y0, x0, y1, x1`` in pixels
        (half open; it may reach beyond the border), ``label`` (position in ``classes``, -1 for
        none), ``group``, ``split``, ``object`` (its id in the label image, 0 for none), and its
        centre ``y``, ``x`` (pixel centres are whole numbers; by default the middle of the box),
        where cells have outlines ``extent`` (longer side of the box around the outline, in pixels;
        NaN for none); and columns of the user's, see ``keys``.
    warnings : tuple of str
        What the user should know of this set, a line each.
    conditions : pandas.DataFrame or None
        What the table of the data set says of whole groups, such as a dose: a row per group, named
        by it, and a column of texts for each column that is the same throughout every group.
    neighbours : str
        ``keep``; ``hide``: other objects within a crop are filled with its background, see
        `without_neighbours`; or ``alone`` with a margin: all but the cell is, see
        `without_surroundings`.
    crop_store : StoredCrops or None
        Where crops were written, to be read from in any order; see `Cells.store`. Cells that are
        not in it, or whose fields of view or crops were changed since, are read from their images.
    group_of_channel : mapping of str to str
        Group of channels that have one, as of a panel table; see `channel_groups`.
    scaling : PixelScaling
        What is done to pixels when they are read; see `Cells.scaled`.
    """

    name: str
    channels: tuple[str, ...]
    classes: tuple[str, ...]
    crop: int
    fields: tuple[Field, ...] = field(repr=False)
    table: pd.DataFrame = field(repr=False)
    warnings: tuple[str, ...] = ()
    # Positions of ``channels`` among the planes of the fields.
    planes: tuple[int, ...] = field(default=(), repr=False)
    conditions: pd.DataFrame | None = field(default=None, repr=False)
    neighbours: Neighbours = KEEP
    crop_store: StoredCrops | None = field(default=None, repr=False)
    group_of_channel: Mapping[str, str] = field(default_factory=dict, repr=False)
    scaling: PixelScaling = field(default=RAW, repr=False)

    def __post_init__(self) -> None:
        if not self.planes:
            object.__setattr__(self, "planes", tuple(range(len(self.channels))))
        if not {"y", "x"} <= set(self.table.columns):
            y, x = middles(self.table[BOX].to_numpy()).T
            object.__setattr__(self, "table", self.table.assign(y=y, x=x))

    # ---------------------------------------------------------------- what the cells are

    def __len__(self) -> int:
        return len(self.table)

    @property
    def labels(self) -> IntArray:
        """Class of each cell (N,) int64, a position in ``classes``; -1 where it has none."""
        return self.table["label"].to_numpy(np.int64)

    @property
    def groups(self) -> npt.NDArray[np.str_]:
        """Group of each cell (N,), such as its well; a split never divides a group."""
        return self.table["group"].to_numpy(dtype=str)

    @property
    def centres(self) -> npt.NDArray[np.float64]:
        """Centre of each cell (N, 2), y and x in pixels of its image.

        Pixel centres are whole numbers. It is what the cell was found by: the point that was
        given, or the middle of its object, box, tile or image.
        """
        return self.table[["y", "x"]].to_numpy(np.float64)

    @property
    def boxes(self) -> IntArray:
        """Box of each cell (N, 4) int64, ``y0, x0, y1, x1`` in pixels, half open; see `table`."""
        return self.table[BOX].to_numpy(np.int64)

    @property
    def at_border(self) -> npt.NDArray[np.bool_]:
        """Whether the crop of each cell reaches over the border of its image, (N,).

        What lies beyond it is filled with background; see `Field.read`.
        """
        shapes = np.array([field.shape for field in self.fields], dtype=np.int64).reshape(-1, 2)
        return over_border(self.boxes, shapes[self.table["field"].to_numpy(np.int64)])

    @property
    def cut_off(self) -> npt.NDArray[np.bool_]:
        """Whether the outline of each cell reaches beyond its crop, (N,); False without one."""
        extents, sides = self._extents
        return reach_over_crop(extents, sides)

    @property
    def _extents(self) -> tuple[npt.NDArray[np.float64], IntArray]:
        """Sizes of outlines, NaN for none, and sides of boxes (N,), in pixels of the images."""
        sides = self.boxes[:, 2] - self.boxes[:, 0]
        if "extent" not in self.table.columns:
            return np.full(len(self), np.nan), sides
        return self.table["extent"].to_numpy(np.float64), sides

    def with_cut_line(self) -> Self:
        """The same cells, with a warning of those that their crops cut off; see `cut_off`."""
        extents, sides = self._extents
        fields = self.table["field"].to_numpy(np.int64)
        shortest = np.array([min(field.shape) for field in self.fields], dtype=np.int64)
        # Pixels of the crop, where crops are resampled.
        most = int((shortest[fields] * self.crop // sides).min(initial=np.iinfo(np.int64).max))
        line = cut_off_warning(extents, sides, self.crop, most)
        return replace(self, warnings=(*without_cut_line(self.warnings), *line))

    @property
    def keys(self) -> pd.DataFrame:
        """The user's own columns that name each cell, such as well or ImageNumber; may be none.

        A row per cell, texts; see `data.identifier_columns`.
        """
        from napari_channelmix.data.identifier_columns import key_table

        return key_table(self.table)

    def with_keys(self, keys: pd.DataFrame) -> Self:
        """The same cells with more columns of the user's: a row per cell, in their order.

        Columns of names that are there already are replaced; see `keys`.

        Parameters
        ----------
        keys : pandas.DataFrame
            Its index does not count.

        Raises
        ------
        DataError
            Another number of rows.
        """
        from napari_channelmix.data.identifier_columns import with_key_columns

        if len(keys) != len(self):
            raise DataError(f"{self.name}: {len(keys)} rows of keys for {len(self)} cells")
        return replace(self, table=with_key_columns(self.table, keys))

    @cached_property
    def field_names(self) -> tuple[str, ...]:
        """A short name of each field of view, different from all others: to join tables on.

        Plate, well and site, or the name of the file; see `data.field_names`.
        """
        from napari_channelmix.data.field_names import distinct_names

        return distinct_names(field.short or field.name for field in self.fields)

    def name_of(self, cell: int) -> str:
        """What a cell is called: the id of its label or point, as the user knows it.

        Its position in the data set where the cells of its image have none.
        """
        fields, ids = (self.table[name].to_numpy(np.int64) for name in ("field", "object"))
        return str(ids[cell] if self._fields_with_ids[fields[cell]] else cell)

    @cached_property
    def _fields_with_ids(self) -> npt.NDArray[np.bool_]:
        """Whether any cell of each field of view has an id (F,)."""
        has = np.zeros(len(self.fields), dtype=bool)
        has[
            self.table["field"].to_numpy(np.int64)[self.table["object"].to_numpy(np.int64) != 0]
        ] = 1
        return has

    @property
    def class_counts(self) -> dict[str, int]:
        """Number of cells of each class."""
        counts = np.bincount(self.labels[self.labels >= 0], minlength=len(self.classes))
        return dict(zip(self.classes, (int(n) for n in counts), strict=True))

    @property
    def channel_groups(self) -> dict[str, tuple[str, ...]]:
        """Channels of each group, in their order, such as those of a panel; may be empty."""
        groups: dict[str, list[str]] = {}
        for name in self.channels:
            if group := self.group_of_channel.get(name):
                groups.setdefault(group, []).append(name)
        return {group: tuple(names) for group, names in groups.items()}

    @property
    def unscaled(self) -> Self:
        """The same cells with the pixels of the files, as layers show them; see `Cells.scaled`."""
        return replace(self, scaling=RAW) if self.scaling else self

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape (N, C, H, W) of all crops together."""
        return len(self), len(self.channels), self.crop, self.crop

    def same_pixels(self, other: CellPlaces) -> bool:
        """Whether other cells have the same crops, seen without reading one.

        The same boxes of the same channels of the same fields; classes, groups and names may
        differ.
        """
        # By identity: fields hold arrays, which compare element by element.
        if self.fields is not other.fields or len(self) != len(other):
            return False
        if (self.planes, self.channels, self.crop, self.neighbours) != (
            other.planes,
            other.channels,
            other.crop,
            other.neighbours,
        ):
            return False
        if not self.scaling.same(other.scaling, self.channels):
            return False
        where = ["field", *BOX]
        return self.table is other.table or bool(self.table[where].equals(other.table[where]))

    def signing(self) -> hashlib._Hash:
        """A signature begun: whoever reads all crops in order may update it with their bytes."""
        signature = hashlib.sha256(repr((self.channels, self.classes, self.crop)).encode())
        # Sets of earlier versions keep theirs.
        if self.neighbours != KEEP:
            signature.update(self.neighbours.encode())
        if scaling := self.scaling.of_channels(self.channels):
            signature.update(repr([(n, s.steps) for n, s in scaling.channels.items()]).encode())
        import pandas as pd

        rows = self.table[["field", *BOX, "label", "group", "split"]]
        # A field of view without cells is nothing the cells are made of, and is not saved either.
        rows = rows.assign(field=pd.factorize(rows["field"])[0])
        # The text of the whole table, block by block.
        for start in range(0, max(len(rows), 1), BLOCK):
            block = rows.iloc[start : start + BLOCK]
            signature.update(block.to_csv(index=False, header=not start).encode())
        return signature
