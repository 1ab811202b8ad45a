"""What a layer's features say of the cells of each slice: their classes, and columns to join on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.identifier_columns import key_columns
from napari_channelmix.data.pairing import ids_in_column
from napari_channelmix.data.plane_rows import PlaneRows, plane_column, rows_by_plane
from napari_channelmix.data.values import class_name
from napari_channelmix.errors import DataError
from napari_channelmix.viewer import layers
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.viewer.pages.data.chosen_channels import ChosenChannels

__all__ = ["SliceRows", "keys_of_rows", "slice_rows"]

IntArray = npt.NDArray[np.int64]

# Columns of texts and whole numbers that are looked at for names of cells.
MOST_COLUMNS = 60


@dataclass(frozen=True, eq=False)
class SliceRows:
    """A table of features with a row for each label in each slice.

    Attributes
    ----------
    table : FeatureTable
    axis : int
        Of the channels: the one whose slices the rows name.
    planes : PlaneRows
    id_column : str
    """

    table: layers.FeatureTable
    axis: int
    planes: PlaneRows = field(repr=False)
    id_column: str

    def rows(self, position: int, ids: IntArray, columns: Sequence[str]) -> IntArray:
        """The row of each label of a slice (n,), or -1.

        Raises
        ------
        DataError
            Rows of one label in one slice that contradict each other in some columns.
        """
        own = self.planes.rows(position)
        if not len(own):
            return np.full(len(ids), -1, np.int64)
        part = replace(
            self.table,
            table=self.table.table.iloc[own].reset_index(drop=True),
            id_column=self.id_column,
        )
        rows = part.pair(ids, list(columns)).rows
        return np.where(rows >= 0, own[np.maximum(rows, 0)], -1)

    def classes(
        self, column: str, positions: Sequence[int], ids: Sequence[IntArray]
    ) -> tuple[list[dict[int, str]], list[str]]:
        """Class of each label, slice by slice, and what is to be said.

        Raises
        ------
        DataError
            No class of any cell, or rows that contradict each other.
        """
        values = self.table.table[column]
        result: list[dict[int, str]] = []
        for position, own in zip(positions, ids, strict=True):
            rows = self.rows(position, own, [column])
            pairs = zip(own.tolist(), rows.tolist(), strict=True)
            named = {number: class_name(values.iloc[row]) for number, row in pairs if row >= 0}
            result.append({number: name for number, name in named.items() if name is not None})
        found = sum(map(len, result))
        if not found:
            raise DataError(
                f"features column {column!r} of layer {self.table.layer!r} names no class of a "
                "cell in its slice"
            )
        lines = [self.planes.text(self.table.title)]
        without = sum(map(len, ids)) - found
        if without:
            lines.append(
                f"{counted(without, 'cell', 'have')} no class in column {column!r} of "
                f"{self.table.layer!r}"
            )
        return result, lines


def slice_rows(
    table: layers.FeatureTable, layer: Any, chosen: ChosenChannels, column: str | None
) -> SliceRows | None:
    """The table as rows of slices, where it has several rows for a label; else None.

    Parameters
    ----------
    table : FeatureTable
    layer : napari Labels layer
    chosen : ChosenChannels
    column : str, optional
        That of the classes.

    Raises
    ------
    DataError
        A column of slices that does not fit the labels.
    """
    ids = table.id_column_in_use(column)
    if ids is None or layer.ndim < 3:
        return None
    numbers, there = ids_in_column(table.table, ids, what=table.title)
    if len(np.unique(numbers[there])) == int(there.sum()):
        # A row for each label: it is of all its slices.
        return None
    names = table.table.drop(columns=[name for name in (ids, column) if name is not None])
    names = names.drop(columns=[name for name in table.exclude if name in names])
    axes = {
        axis.number: named
        for axis in layers.axes_of(chosen.reference)
        if axis.number in _sliced(chosen)
        and axis.length > 1
        and (named := plane_column(names, axis.label)) is not None
    }
    if len(axes) != 1:
        return None
    ((axis, by_slice),) = axes.items()
    slices = _ids_of(layer, chosen, axis)
    planes = rows_by_plane(table.table, by_slice, ids, slices, what=table.title)
    return SliceRows(table, axis, planes, ids)


def _sliced(chosen: ChosenChannels) -> set[int]:
    """Axes along which the channels are taken at a slice, or at every one."""
    return {
        axis
        for axis, index in enumerate(chosen.planes[0].index)
        if axis != chosen.channel
        and index is not None
        and (index != layers.PROJECT or axis in chosen.every)
    }


def _ids_of(layer: Any, chosen: ChosenChannels, axis: int) -> Mapping[int, IntArray]:
    """The labels that lie in each slice of an axis."""
    length = layers.axes_of(chosen.reference)[axis].length
    result = {}
    for position in range(length):
        plane = chosen.planes[0].moved({axis: position})
        marked = layers.label_plane(layer, chosen.reference, plane, chosen.channel)
        parts = tuple(
            slice(None) if index is None or index == layers.PROJECT else index
            for index in marked.index
        )
        values = np.unique(np.asarray(marked.data[parts]))
        result[position] = values[values > 0].astype(np.int64)
    return result


def keys_of_rows(
    table: layers.FeatureTable, rows: IntArray, column: str | None, cells: Cells
) -> Cells:
    """The cells with the columns of a layer's features that name them, to join tables on.

    Parameters
    ----------
    table : FeatureTable
    rows : (N,) int64 array
        The row of each cell, or -1.
    column : str, optional
        That of the classes, which is left out.
    cells : Cells
    """
    import pandas as pd

    from napari_channelmix.data.frame_table import table_of_frame

    # napari's own name for the label, which is the id of the cell anyhow.
    left_out = {column, "index", *table.exclude}
    names = [name for name in table.table.columns if str(name) not in left_out]
    some = [name for name in names if _may_name(table.table[name])][:MOST_COLUMNS]
    if not some or not (rows >= 0).any():
        return cells
    texts = table_of_frame(table.table[some], table.title).rows
    always = {str(table.id_column)} if table.id_column is not None else set()
    chosen = key_columns(texts, (), always=always)
    if not chosen:
        return cells
    values = {
        name: np.where(rows >= 0, texts[name].to_numpy(object)[np.maximum(rows, 0)], "")
        for name in chosen
    }
    return cells.with_keys(pd.DataFrame(values))


def _may_name(values: Any) -> bool:
    """Whether a column may name cells: decimals measure them, and take long to write out."""
    if getattr(values, "ndim", 1) != 1:
        return False
    if getattr(values.dtype, "kind", "O") != "f":
        return True
    present = values.dropna()
    return bool((present % 1 == 0).all())
