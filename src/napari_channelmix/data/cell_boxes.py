"""Cells read crop by crop in any order, and choosing some of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.arrays import positions_of
from napari_channelmix.data.borders import without_fill_line
from napari_channelmix.data.box_reading import chunk_bytes
from napari_channelmix.data.cell_places import BOX, CellPlaces
from napari_channelmix.data.channel_choice import chosen_channels, refuse_twice, refuse_unknown
from napari_channelmix.data.chunk_reading import UnreadableChunk
from napari_channelmix.data.crop_reading import NotFiniteError, pass_order, read_crops
from napari_channelmix.data.decoded_chunks import MOST_BYTES
from napari_channelmix.data.neighbours import HIDE, KEEP, Neighbours, alone, margin_of
from napari_channelmix.data.pass_visits import PassVisit
from napari_channelmix.data.statistics import ChannelStatistics, statistics_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain
from napari_channelmix.wording import counted, listed

if TYPE_CHECKING:
    # Imported where it is needed: a dock that opens before there are cells need not wait for it.
    from typing import Self

    from napari_channelmix.data.panel_table import PanelTable

__all__ = ["BOX", "CellBoxes"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Cells whose pixels stand for those of the data set in its fingerprint.
FINGERPRINTED = 32
# Bytes of the crops that a pass gives at a time: as many as are taken from memory that was used
# before; more would be new memory each time, which has to be cleared. And of those that are read
# together where each chunk is very large.
MOST_AT_A_TIME = 30 * 2**20
MOST_TOGETHER = 256 * 2**20
# Fields of view whose chunks stand for those of all.
MOST_LOOKED_AT = 100


@dataclass(frozen=True, eq=False)
class CellBoxes(CellPlaces):
    """Cells that are read crop by crop, and of which some are chosen. See `Cells`.

    `CellPlaces` has the attributes.
    """

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
            Raw units of the files; scaled where the cells are, see `Cells.scaled`.

        Raises
        ------
        DataError
            A file that cannot be read, or NaN or infinite pixels.
        """
        return self._read(self._positions(indices))

    def _read(
        self,
        chosen: IntArray,
        visit: PassVisit | None = None,
        boxes: IntArray | None = None,
    ) -> FloatArray:
        """Crops of cells; ``visit`` is the pass that they are a part of, ``boxes`` are theirs."""
        return self.scaling.apply(self._read_raw(chosen, visit, boxes), self.channels)

    def _read_raw(
        self, chosen: IntArray, visit: PassVisit | None, boxes: IntArray | None
    ) -> FloatArray:
        rows = None if self._stored_rows is None else self._stored_rows[chosen]
        if rows is None or self.crop_store is None or (rows < 0).all():
            return self.read_images(chosen, visit, boxes)
        stored = rows >= 0
        boxes = self._places(chosen) if boxes is None else boxes
        crops = self.crop_store.read(rows[stored], self.planes, boxes[stored])
        if stored.all():
            return crops
        every = np.empty((len(chosen), *self.shape[1:]), dtype=np.float32)
        every[stored] = crops
        every[~stored] = self.read_images(chosen[~stored], visit, boxes[~stored])
        return every

    def _places(self, chosen: IntArray) -> IntArray:
        """Field and box of some cells (n, 5)."""
        # Column by column: a table of all cells is not copied for some of them.
        return np.stack([column[chosen] for column in self._box_columns], axis=1)

    @cached_property
    def _box_columns(self) -> tuple[IntArray, ...]:
        """Columns of the table as they are: each takes longer to look up than to read."""
        return tuple(self.table[name].to_numpy(np.int64) for name in ("field", *BOX))

    def __getstate__(self) -> dict[str, Any]:
        # Views of the table here, copies in a pickle.
        return {name: value for name, value in self.__dict__.items() if name != "_box_columns"}

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

    def read_images(
        self,
        chosen: IntArray,
        visit: PassVisit | None = None,
        boxes: IntArray | None = None,
    ) -> FloatArray:
        """Crops (n, C, H, W) of the cells at these positions, from the images; see `read`.

        ``visit`` is the pass that they are a part of; ``boxes`` are their fields and boxes (n, 5),
        where they were looked up before.
        """
        ids = self.table["object"].to_numpy(np.int64)[chosen] if self.neighbours != KEEP else None
        try:
            boxes = self._places(chosen) if boxes is None else boxes
            margin = margin_of(self.neighbours)
            return read_crops(self.fields, self.planes, boxes, self.crop, ids, visit, margin)
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
            Cells at a time, at most; fewer where they would take more than 30 MiB.
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
        each = 4 * max(1, int(np.prod(self.shape[1:])))
        size = max(1, min(size, MOST_AT_A_TIME // each))
        together = max(size, MOST_TOGETHER // each) if self._decoded_often else size
        boxes = self._places(order)
        visit = PassVisit(boxes)
        for start in range(0, len(order), together):
            positions = order[start : start + together]
            visit.done = start + len(positions)
            crops = self._read(positions, visit, boxes[start : start + together])
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
        return self._hidden(HIDE, "neighbours")

    def without_surroundings(self, margin: int = 3) -> Self:
        """The same cells, each alone: all but the cell and a margin is filled with background.

        The level of the background is that of `without_neighbours`. What a classifier then learns
        lies in the cell, and in its shape. A classifier that was trained so prepares the cells
        that it is asked about likewise; see `ClassifierSettings`.

        Parameters
        ----------
        margin : int
            Pixels of the image around the outline that stay, 0 or more.

        Raises
        ------
        DataError
            Cells without outlines (points, boxes, tiles, whole images); another margin.

        Examples
        --------
        >>> from napari_channelmix.data import Cells
        >>> labels = np.zeros((32, 32), int)
        >>> labels[10:16, 8:14] = 1
        >>> plane = np.arange(32 * 32.0).reshape(32, 32)
        >>> cells = Cells.from_labels([plane], ["DNA"], labels, crop=16)
        >>> [len(np.unique(one.read([0]))) for one in (cells, cells.without_surroundings(0))]
        [256, 37]
        """
        if isinstance(margin, bool) or not isinstance(margin, (int, np.integer)) or margin < 0:
            raise DataError(f"margin must be a whole number of pixels, 0 or more, not {margin!r}")
        return self._hidden(alone(int(margin)), "surroundings")

    def _hidden(self, neighbours: Neighbours, what: str) -> Self:
        used = self.table["field"].to_numpy(np.int64)
        unknown = self.table["object"].to_numpy(np.int64) <= 0
        unknown |= np.array([field.labels is None for field in self.fields], bool)[used]
        if unknown.any():
            raise DataError(
                f"{self.name}: {what} can be hidden only where cells have outlines; "
                f"{int(unknown.sum()):,} of {len(self):,} cells have none (use a label image, or "
                'from = "mask" or "segment" in a data-set file)'
            )
        return replace(self, neighbours=neighbours)

    def labelled(self) -> Self:
        """The cells that have a class."""
        return self.subset(self.labels >= 0)

    def with_channels(self, names: Sequence[str]) -> Self:
        """The same cells with these channels, in this order.

        Raises
        ------
        DataError
            Channels the data set does not have, or a channel twice.
        """
        refuse_unknown(names, self.channels, self.name)
        refuse_twice(names, self.name)
        planes = tuple(self.planes[self.channels.index(name)] for name in names)
        return replace(self, channels=tuple(names), planes=planes)

    def without_channels(self, names: Sequence[str]) -> Self:
        """The same cells without these channels; the others stay in their order.

        Raises
        ------
        DataError
            Channels the data set does not have, or all of them.
        """
        return self.with_channels(chosen_channels(self.channels, drop=names, who=self.name))

    def with_panel(self, panel: PanelTable) -> Self:
        """The same cells with the channels that a panel table uses, called by their markers.

        Parameters
        ----------
        panel : PanelTable
            See `data.panel_table.read_panel_table`. Channels without a row stay, with a warning.

        Raises
        ------
        DataError
            Rows of channels the data set does not have, names that would not differ.
        """
        names, used = panel.names_in(self.channels), panel.used(self.channels)
        chosen = self.with_channels(used)
        rest, warnings = panel.without_row(used), self.warnings
        if rest:
            warnings += (
                f"{panel.name} has no row for {counted(len(rest), 'channel')}, which stay: "
                f"{listed(rest, 6)}",
            )
        groups = {names[own]: group for own, group in self.group_of_channel.items() if own in used}
        return replace(
            chosen,
            channels=tuple(names[name] for name in used),
            group_of_channel={**groups, **panel.groups},
            scaling=chosen.scaling.of_channels(used).renamed(names),
            warnings=warnings,
        )

    def with_labels(self, labels: npt.ArrayLike, classes: Sequence[str]) -> Self:
        """The same cells with other classes: (N,) positions in ``classes``, -1 for none."""
        codes = positions_of(labels, classes, len(self), self.name)
        return replace(self, table=self.table.assign(label=codes), classes=tuple(classes))
