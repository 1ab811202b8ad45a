"""Where the cells of rows of a data set lie in their images: all rows at once, as columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.bounds import far_too_large, square_side
from napari_channelmix.data.cell_boxes import BOX
from napari_channelmix.data.fields import Field, outside, square_boxes
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.label_images import Objects
    from napari_channelmix.data.row_fields import Refusals, RowFields
    from napari_channelmix.data.table import Table

__all__ = ["RowPlaces", "places_of_rows"]

Doubles = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class RowPlaces:
    """Where the cells of pairs of rows and fields of view lie; a pair may hold none, or many.

    Attributes
    ----------
    pairs : (n,) int64 array
        The pair of each cell, ascending.
    centres : (n, 2) float64 array
        y and x in pixels.
    sides : (n,) int64 array
        Of the squares around them.
    ids : (n,) int64 array
        Of their objects, 0 for none.
    extents : (n,) float64 array
        Sizes of their outlines, NaN where they have none; see `Cells`.
    beyond : (P,) bool array
        Pairs whose point lies beyond the image, but by less than earlier versions allowed.
    """

    pairs: IntArray
    centres: Doubles
    sides: IntArray
    ids: IntArray
    extents: Doubles
    beyond: Bools

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Columns (n,) of the table of cells: the square around each, its object and its centre."""
        y, x = (np.ascontiguousarray(centre) for centre in self.centres.T)
        edges = square_boxes(y, x, self.sides).T
        boxes = {name: np.ascontiguousarray(edge) for name, edge in zip(BOX, edges, strict=True)}
        return {**boxes, "object": self.ids, "y": y, "x": x, "extent": self.extents}

    def of(self, chosen: Bools) -> RowPlaces:
        """Some of the cells."""
        return RowPlaces(
            self.pairs[chosen],
            self.centres[chosen],
            self.sides[chosen],
            self.ids[chosen],
            self.extents[chosen],
            self.beyond,
        )


def places_of_rows(
    table: Table,
    description: Description,
    fields: Sequence[Field],
    objects: Sequence[Objects | None],
    pairs: RowFields,
    meant: Bools,
    refusals: Refusals,
) -> RowPlaces:
    """Where the cells of rows lie in their fields of view.

    Parameters
    ----------
    table, description : Table, Description
    fields : sequence of Field
    objects : sequence of (Objects or None)
        Of the label image of each field of view.
    pairs : RowFields
        P of them.
    meant : (P,) bool array
        Pairs that count: what is wrong with others is not said.
    refusals : Refusals
        Takes what is wrong: places outside their images, objects that are not there.
    """
    cells = description.cells
    if cells.origin in ("mask", "segment"):
        if cells.object:
            return _of_ids(table, cells.object, cells.crop, objects, pairs, meant, refusals)
        return _of_objects(cells.crop, objects, pairs)
    shapes = np.array([field.shape for field in fields], dtype=np.int64).reshape(-1, 2)
    if cells.origin == "image":
        return _of_images(table, shapes, pairs, meant, refusals)
    columns = np.empty((len(pairs), len(cells.columns or ())))
    for place, column in enumerate(cells.columns or ()):
        columns[:, place] = table.numbers(column)[pairs.rows]
    own = shapes[pairs.fields]
    if cells.origin == "box":
        return _of_boxes(table, columns, own, pairs, meant, refusals)
    if cells.origin == "tile":
        return _of_tiles(table, columns, own, int(cells.size or 0), pairs, meant, refusals)
    return _of_points(table, columns, own, cells.crop, pairs, meant, refusals)


def _single(pairs: IntArray, centres: Doubles, sides: IntArray | int, beyond: Bools) -> RowPlaces:
    """One cell without an outline in each of these pairs."""
    count = len(pairs)
    return RowPlaces(
        pairs,
        centres,
        np.array(np.broadcast_to(sides, count), dtype=np.int64),
        np.zeros(count, dtype=np.int64),
        np.full(count, np.nan),
        beyond,
    )


def _none(pairs: RowFields) -> Bools:
    return np.zeros(len(pairs), dtype=bool)


def _of_points(
    table: Table,
    centres: Doubles,
    shapes: IntArray,
    crop: int,
    pairs: RowFields,
    meant: Bools,
    refusals: Refusals,
) -> RowPlaces:
    """Points; earlier versions took and wrote them up to the size of the image."""
    within = np.minimum(centres, shapes - 0.5)
    beyond = (centres < shapes).all(axis=1) & (centres > within).any(axis=1) & meant
    looked_at = np.where(beyond[:, None], within, centres)
    _refuse_outside(table, looked_at, shapes, pairs, meant, refusals)
    return _single(np.arange(len(pairs)), centres, crop, beyond)


def _of_boxes(
    table: Table,
    edges: Doubles,
    shapes: IntArray,
    pairs: RowFields,
    meant: Bools,
    refusals: Refusals,
) -> RowPlaces:
    """Half-open ranges of pixels; the middle of one is that of its first and its last pixel."""
    sizes = edges[:, 2:] - edges[:, :2]
    area = (sizes > 0).all(axis=1)
    longer = np.where(area, sizes.max(axis=1), 1.0)

    def refuse_size(pair: int) -> None:
        height, width = sizes[pair].tolist()
        with table.naming(int(pairs.rows[pair])):
            square_side(height, width, tuple(shapes[pair].tolist()))

    refusals.note(far_too_large(longer, shapes) & area & meant, refuse_size)
    centres = (edges[:, :2] + edges[:, 2:] - 1) / 2
    _refuse_outside(table, centres, shapes, pairs, area & meant, refusals)
    sides = np.maximum(4, np.floor(np.minimum(longer, 2.0**31) + 0.5)).astype(np.int64)
    return _single(np.flatnonzero(area), centres[area], sides[area], _none(pairs))


def _of_tiles(
    table: Table,
    first: Doubles,
    shapes: IntArray,
    side: int,
    pairs: RowFields,
    meant: Bools,
    refusals: Refusals,
) -> RowPlaces:
    """Squares whose first pixel is given."""

    def refuse(pair: int) -> None:
        y0, x0 = first[pair].tolist()
        what = f"the tile of {side} pixels at y0={y0:g}, x0={x0:g} reaches out of"
        _refuse(table, int(pairs.rows[pair]), shapes[pair], what)

    refusals.note(((first < 0) | (first + side > shapes)).any(axis=1) & meant, refuse)
    return _single(np.arange(len(pairs)), first + (side - 1) / 2, side, _none(pairs))


def _of_images(
    table: Table, shapes: IntArray, pairs: RowFields, meant: Bools, refusals: Refusals
) -> RowPlaces:
    """Whole images."""
    sides, wrong = np.zeros(len(shapes), dtype=np.int64), np.zeros(len(shapes), dtype=bool)
    for index, (height, width) in enumerate(shapes.tolist()):
        try:
            sides[index] = square_side(height, width, (height, width), whole=True)
        except DataError:
            wrong[index] = True

    def refuse(pair: int) -> None:
        height, width = shapes[pairs.fields[pair]].tolist()
        with table.naming(int(pairs.rows[pair])):
            square_side(height, width, (height, width), whole=True)

    refusals.note(wrong[pairs.fields] & meant, refuse)
    centres = (shapes[pairs.fields] - 1) / 2
    return _single(np.arange(len(pairs)), centres, sides[pairs.fields], _none(pairs))


def _of_ids(
    table: Table,
    column: str,
    crop: int,
    objects: Sequence[Objects | None],
    pairs: RowFields,
    meant: Bools,
    refusals: Refusals,
) -> RowPlaces:
    """The one object that each row names."""
    ids = table.identifiers(column).values[pairs.rows]
    there = np.zeros(len(pairs), dtype=bool)
    centres, extents = np.zeros((len(pairs), 2)), np.full(len(pairs), np.nan)
    # Field by field, so that memory goes with the objects of one.
    order = np.argsort(pairs.fields, kind="stable")
    edges = np.flatnonzero(np.diff(pairs.fields[order], prepend=-1, append=-1))
    for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        some = order[start:end]
        own = objects[int(pairs.fields[some[0]])]
        if own is None or not len(own):
            continue
        places = np.minimum(np.searchsorted(own.ids, ids[some]), len(own) - 1)
        has = own.ids[places] == ids[some]
        there[some] = has
        centres[some[has]] = own.centres[places[has]]
        extents[some[has]] = own.extents[places[has]]

    def refuse(pair: int) -> None:
        row = int(pairs.rows[pair])
        raise DataError(
            f"{table.where(row, column)}: the mask has no object of the value "
            f"{table.text(row, column)}"
        )

    # An object need not be in every plane of a stack, but in one.
    refusals.note(~there & meant & ~pairs.several, refuse)
    _refuse_nowhere(pairs, meant, there, refuse, refusals)
    count = int(there.sum())
    return RowPlaces(
        np.flatnonzero(there),
        centres[there],
        np.full(count, crop, dtype=np.int64),
        ids[there],
        extents[there],
        _none(pairs),
    )


def _of_objects(crop: int, objects: Sequence[Objects | None], pairs: RowFields) -> RowPlaces:
    """All objects of the label images."""
    known = [objects[index] for index in pairs.fields.tolist()]
    sizes = np.array([0 if own is None else len(own) for own in known], dtype=np.int64)
    some = [own for own in known if own is not None and len(own)]
    return RowPlaces(
        np.repeat(np.arange(len(pairs)), sizes),
        np.concatenate([np.zeros((0, 2)), *(own.centres for own in some)]),
        np.full(int(sizes.sum()), crop, dtype=np.int64),
        np.concatenate([np.zeros(0, np.int64), *(own.ids for own in some)]),
        np.concatenate([np.zeros(0), *(own.extents for own in some)]),
        _none(pairs),
    )


def _refuse_nowhere(
    pairs: RowFields,
    meant: Bools,
    there: Bools,
    refuse: Callable[[int], None],
    refusals: Refusals,
) -> None:
    """Refuse ids that no plane of their stack has, as one of a single plane is."""
    if not pairs.several.any():
        return
    _, row_of = np.unique(pairs.rows, return_inverse=True)
    missing = np.bincount(row_of, meant & ~there) > 0
    nowhere = missing & (np.bincount(row_of, meant & there) == 0)
    # The last pair of a row: all its planes have been looked at. The first must lack the object.
    first = np.diff(pairs.rows, prepend=-1) != 0
    last = np.diff(pairs.rows, append=-1) != 0
    lacks = np.bincount(row_of, first & ~there) > 0
    refusals.note(last & (nowhere & lacks)[row_of] & pairs.several, refuse)


def _refuse_outside(
    table: Table,
    centres: Doubles,
    shapes: IntArray,
    pairs: RowFields,
    meant: Bools,
    refusals: Refusals,
) -> None:
    def refuse(pair: int) -> None:
        y, x = centres[pair].tolist()
        what = f"the cell at y={y:g}, x={x:g} lies outside"
        _refuse(table, int(pairs.rows[pair]), shapes[pair], what)

    refusals.note(outside(centres, shapes) & meant, refuse)


def _refuse(table: Table, row: int, shape: IntArray, what: str) -> None:
    height, width = shape.tolist()
    raise DataError(f"{table.where(row)}: {what} the image of {height} x {width} pixels")
