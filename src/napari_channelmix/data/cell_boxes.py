"""A table of boxes over fields of view, read crop by crop: what cells are, and choosing some."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.arrays import positions_of
from napari_channelmix.data.borders import over_border, without_fill_line
from napari_channelmix.data.box_reading import chunk_bytes
from napari_channelmix.data.chunk_reading import UnreadableChunk
from napari_channelmix.data.crop_reading import NotFiniteError, pass_order, read_crops
from napari_channelmix.data.cut_cells import cut_off_warning, reach_over_crop, without_cut_line
from napari_channelmix.data.decoded_chunks import MOST_BYTES
from napari_channelmix.data.fields import Field, middles
from napari_channelmix.data.neighbours import HIDE, KEEP, Neighbours
from napari_channelmix.data.pass_visits import PassVisit
from napari_channelmix.data.statistics import ChannelStatistics, statistics_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain

if TYPE_CHECKING:
    # Imported where it is needed: a dock that opens before there are cells need not wait for it.
    from typing import Self

    import pandas as pd

    from napari_channelmix.data.stored_crops import StoredCrops

__all__ = ["BOX", "CellBoxes"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

#: Columns of a box in the table of cells, half open.
BOX = ["y0", "x0", "y1", "x1"]
# Cells whose pixels stand for those of the data set in its fingerprint.
FINGERPRINTED = 32
# Rows of the table that become text at once.
BLOCK = 50_000
# Bytes of the crops that a pass gives at a time.
MOST_AT_A_TIME = 256 * 2**20
# Fields of view whose chunks stand for those of all.
MOST_LOOKED_AT = 100


@dataclass(frozen=True, eq=False)
class CellBoxes:
    """A table of boxes over fields of view; immutable, and read crop by crop. See `Cells`.

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
        ``keep``; or ``hide``: other objects within a crop are filled with its background, see
        `without_neighbours`.
    crop_store : StoredCrops or None
        Where crops were written, to be read from in any order; see `Cells.store`. Cells that are
        not in it, or whose fields of view or crops were changed since, are read from their images.
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
    def shape(self) -> tuple[int, int, int, int]:
        """Shape (N, C, H, W) of all crops together."""
        return len(self), len(self.channels), self.crop, self.crop

    @cached_property
    def signature(self) -> str:
        """SHA-256 over names, table and all pixels of the crops: the same for the same data.

        The pixels are read for it, unless `signing` has seen them. Our definition.
        """
        signature = self.signing()
        for crops in self.batches():
            signature.update(crops.tobytes())
        return signature.hexdigest()

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the names and boxes of all cells and the pixels of 32 spread evenly.

        Much quicker than `signature`, which reads every pixel: it tells whether a data set is still
        the one that was worked on. Our definition.

        Raises
        ------
        DataError
            A file that cannot be read, or NaN or infinite pixels.
        """
        digest = self.signing()
        if len(self):
            some = np.unique(np.linspace(0, len(self) - 1, FINGERPRINTED).astype(np.int64))
            digest.update(self.read(some).tobytes())
        return digest.hexdigest()

    def same_pixels(self, other: CellBoxes) -> bool:
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
        where = ["field", *BOX]
        return self.table is other.table or bool(self.table[where].equals(other.table[where]))

    def signing(self) -> hashlib._Hash:
        """A signature begun: whoever reads all crops in order may update it with their bytes."""
        signature = hashlib.sha256(repr((self.channels, self.classes, self.crop)).encode())
        # Sets of earlier versions keep theirs.
        if self.neighbours != KEEP:
            signature.update(self.neighbours.encode())
        import pandas as pd

        rows = self.table[["field", *BOX, "label", "group", "split"]]
        # A field of view without cells is nothing the cells are made of, and is not saved either.
        rows = rows.assign(field=pd.factorize(rows["field"])[0])
        # The text of the whole table, block by block.
        for start in range(0, max(len(rows), 1), BLOCK):
            block = rows.iloc[start : start + BLOCK]
            signature.update(block.to_csv(index=False, header=not start).encode())
        return signature

    # ---------------------------------------------------------------- pixels

    def read(self, indices: npt.ArrayLike | slice | None = None) -> FloatArray:
        """Crops of the chosen cells.

        Parameters
        ----------
        indices : int array, bool array, slice or None
            Which cells; None reads all.

        Returns
        -------
        (n, C, H, W) float32 array
            Raw units of the files.

        Raises
        ------
        DataError
            A file that cannot be read, or NaN or infinite pixels.
        """
        return self._read(self._positions(indices))

    def _read(self, chosen: IntArray, visit: PassVisit | None = None) -> FloatArray:
        """Crops of cells; ``visit`` is the pass that they are a part of."""
        rows = None if self._stored_rows is None else self._stored_rows[chosen]
        if rows is None or self.crop_store is None or (rows < 0).all():
            return self.read_images(chosen, visit)
        stored = rows >= 0
        boxes = self.table[["field", *BOX]].to_numpy(np.int64)[chosen[stored]]
        crops = self.crop_store.read(rows[stored], self.planes, boxes)
        if stored.all():
            return crops
        every = np.empty((len(chosen), *self.shape[1:]), dtype=np.float32)
        every[stored], every[~stored] = crops, self.read_images(chosen[~stored], visit)
        return every

    def _places(self, chosen: IntArray) -> IntArray:
        """Field and box of some cells (n, 5)."""
        # Column by column: a table of all cells is not copied for some of them.
        columns = [self.table[name].to_numpy(np.int64)[chosen] for name in ("field", *BOX)]
        return np.stack(columns, axis=1)

    @cached_property
    def _stored_rows(self) -> IntArray | None:
        """Row of each cell in the crop store, -1 for none; None without a store of such crops."""
        store = self.crop_store
        if store is None or not store.holds(self.fields, self.planes, self.crop, self.neighbours):
            return None
        from napari_channelmix.data.stored_crops import keys_of

        return store.rows(keys_of(self.table, self.neighbours))

    @property
    def is_stored(self) -> bool:
        """Whether all crops are read from a crop store; see `Cells.store`."""
        rows = self._stored_rows
        return rows is not None and bool((rows >= 0).all())

    def read_images(self, chosen: IntArray, visit: PassVisit | None = None) -> FloatArray:
        """Crops (n, C, H, W) of the cells at these positions, from the images; see `read`.

        ``visit`` is the pass that they are a part of.
        """
        ids = self.table["object"].to_numpy(np.int64)[chosen] if self.neighbours == HIDE else None
        try:
            boxes = self._places(chosen)
            return read_crops(self.fields, self.planes, boxes, self.crop, ids, visit)
        except NotFiniteError as error:
            raise self._not_finite(int(chosen[error.row]), error.place) from error
        except UnreadableChunk as error:
            cells = [int(chosen[row]) for row in error.rows]
            names = ", ".join(self.name_of(cell) for cell in cells[:3])
            more = f" and {len(cells) - 3:,} more" if len(cells) > 3 else ""
            what = "cell" if len(cells) == 1 else "cells"
            raise DataError(f"{error}; {what} {names}{more} reach into it") from error

    def batches(self, size: int = 256) -> Iterator[FloatArray]:
        """All crops in order, ``size`` at a time."""
        for start in range(0, len(self), size):
            yield self.read(slice(start, start + size))

    @cached_property
    def reading_order(self) -> IntArray:
        """All cells in the order in which one pass over their pixels costs least (N,) int64.

        Field by field, then along the chunks of its image: whatever the order of the table, a pass
        decodes each of them once (see `data.crop_reading.pass_order`). With a crop store, as it
        holds them.
        """
        order = pass_order(self.fields, self.planes, self.table[["field", *BOX]].to_numpy(np.int64))
        if self._stored_rows is not None:
            order = order[np.argsort(self._stored_rows[order], kind="stable")]
        return order

    def passes(
        self, size: int = 256, indices: npt.ArrayLike | slice | None = None
    ) -> Iterator[tuple[IntArray, FloatArray]]:
        """All crops, or the chosen ones, in `reading_order`: where their order does not matter.

        Parameters
        ----------
        size : int
            Cells at a time, at most; fewer where they would take more than 256 MiB.
        indices : int array, bool array, slice or None
            Which cells; None reads all.

        Yields
        ------
        positions : (n,) int64 array
            Positions of the cells in this data set, to put results back by.
        crops : (n, C, H, W) float32 array
            See `read`.

        Raises
        ------
        DataError
            As `read`.

        Examples
        --------
        >>> from napari_channelmix.data import Cells
        >>> plane = np.arange(64.0 * 64).reshape(64, 64)
        >>> cells = Cells.from_points([plane], ["DNA"], [(50, 9), (9, 50), (9, 9)], crop=8)
        >>> brightest = np.zeros(len(cells))
        >>> for positions, crops in cells.passes(size=2):
        ...     brightest[positions] = crops.max(axis=(1, 2, 3))
        >>> brightest.tolist()
        [3404.0, 821.0, 780.0]
        """
        order = self.reading_order
        if indices is not None:
            chosen = self._positions(indices)
            ranks = np.empty(len(self), np.int64)
            ranks[order] = np.arange(len(self))
            order = chosen[np.argsort(ranks[chosen], kind="stable")]
        most = max(1, MOST_AT_A_TIME // (4 * max(1, int(np.prod(self.shape[1:])))))
        size = max(1, min(size, most))
        together = max(size, most) if self._decoded_often else size
        visit = PassVisit(self._places(order))
        for start in range(0, len(order), together):
            positions = order[start : start + together]
            visit.done = start + len(positions)
            crops = self._read(positions, visit)
            for first in range(0, len(positions), size):
                yield positions[first : first + size], crops[first : first + size]

    @property
    def _decoded_often(self) -> bool:
        """Whether single chunks are so large that each batch would decode them anew.

        As of whole pages in one strip, compressed.
        """
        sizes = {
            chunk_bytes([field.planes[plane] for plane in self.planes])
            for field in self.fields[:MOST_LOOKED_AT]
        }
        return max(sizes, default=0) > MOST_BYTES // 2

    def statistics(self) -> ChannelStatistics:
        """Mean, standard deviation and range of each channel over all pixels of all crops."""
        return drain(self.statistics_job())

    def statistics_job(self) -> Job[ChannelStatistics]:
        """`statistics` as a job."""
        return statistics_job(self.passes(), len(self), self.channels)

    def _not_finite(self, cell: int, place: tuple[int, int, int]) -> DataError:
        channel, y, x = place
        row = self.table.iloc[cell]
        return DataError(
            f"{self.fields[int(row['field'])].name}: channel {self.channels[channel]!r} has NaN or "
            f"infinite pixels in cell {self.name_of(cell)} (near y={row['y0'] + y}, "
            f"x={row['x0'] + x}); replace them or leave the cell out"
        )

    # ---------------------------------------------------------------- choosing

    def _positions(self, indices: npt.ArrayLike | slice | None) -> IntArray:
        everything = np.arange(len(self))
        if indices is None:
            return everything
        if isinstance(indices, slice):
            return everything[indices]
        requested = np.asarray(indices)
        # An empty list becomes an array of floats, which is no index.
        chosen: IntArray = everything[requested if requested.size else requested.astype(np.int64)]
        return np.atleast_1d(chosen)

    def subset(self, indices: npt.ArrayLike | slice) -> Self:
        """The chosen cells, as a data set of its own with the same classes."""
        table = self.table.iloc[self._positions(indices)].reset_index(drop=True)
        return replace(self, table=table)

    def without_border(self) -> Self:
        """The cells whose crops lie within their images; see `at_border`.

        Raises
        ------
        DataError
            There is none.
        """
        inside = ~self.at_border
        if not inside.any():
            raise DataError(
                f"{self.name}: all {len(self):,} cells reach over the border of their image; "
                "none is left"
            )
        left = replace(self.subset(inside), warnings=tuple(without_fill_line(self.warnings)))
        return left.with_cut_line()

    def without_neighbours(self) -> Self:
        """The same cells; other objects within a crop are filled with its background.

        The level of the background is, in each channel, the median of the outermost pixels of the
        crop that belong to no object; see `data.neighbours`. Only what the label image outlines is
        hidden: cells it does not hold, light beyond an outline, and the shape of the outlines
        themselves stay. A classifier learns crops as they are prepared, so cells must be
        prepared as its training cells were.

        Raises
        ------
        DataError
            Cells without outlines (points, boxes, tiles, whole images).

        Examples
        --------
        >>> from napari_channelmix.data import Cells
        >>> labels = np.zeros((32, 32), int)
        >>> labels[10:16, 8:14], labels[10:16, 15:21] = 1, 2
        >>> cells = Cells.from_labels([100.0 * (labels > 0)], ["DNA"], labels, crop=16)
        >>> crops = [one.read([0]) for one in (cells, cells.without_neighbours())]
        >>> [int((crop > 0).sum()) for crop in crops]  # with a part of the other object, without
        [60, 36]
        """
        used = self.table["field"].to_numpy(np.int64)
        unknown = self.table["object"].to_numpy(np.int64) <= 0
        unknown |= np.array([field.labels is None for field in self.fields], bool)[used]
        if unknown.any():
            raise DataError(
                f"{self.name}: neighbours can be hidden only where cells have outlines; "
                f"{int(unknown.sum()):,} of {len(self):,} cells have none (use a label image, or "
                'from = "mask" or "segment" in a data-set file)'
            )
        return replace(self, neighbours=HIDE)

    def labelled(self) -> Self:
        """The cells that have a class."""
        return self.subset(self.labels >= 0)

    def with_channels(self, names: Sequence[str]) -> Self:
        """The same cells with these channels, in this order.

        Raises
        ------
        DataError
            A channel the data set does not have.
        """
        missing = [name for name in names if name not in self.channels]
        if missing:
            raise DataError(
                f"{self.name} has no channel {missing[0]!r}; it has {', '.join(self.channels)}"
            )
        planes = tuple(self.planes[self.channels.index(name)] for name in names)
        return replace(self, channels=tuple(names), planes=planes)

    def with_labels(self, labels: npt.ArrayLike, classes: Sequence[str]) -> Self:
        """The same cells with other classes: (N,) positions in ``classes``, -1 for none."""
        codes = positions_of(labels, classes, len(self), self.name)
        return replace(self, table=self.table.assign(label=codes), classes=tuple(classes))
