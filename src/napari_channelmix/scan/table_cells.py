"""The cells of a table against its images: points inside them, ids that their label image has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.column_values import identifiers_of
from napari_channelmix.data.crop_size import crop_for_outlines, crop_for_points, limit
from napari_channelmix.data.fields import outside
from napari_channelmix.data.values import whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.looked_at import LookedAt

__all__ = ["CheckedCells", "checked_points", "checked_rows_of_masks", "in_pixels"]

# Share of the rows that may name no object, and of centres that may lie beside their objects.
# More are a sign of another label image. Our definition.
FEW_WITHOUT, FEW_BESIDE = 0.5, 0.02
# A centre is that of pixels, the box around them ends at pixels.
NEAR = 1.0


@dataclass(frozen=True, eq=False)
class CheckedCells:
    """What is left of the rows of a table.

    Attributes
    ----------
    kept : (N,) bool array
        Rows that can be used.
    problems : tuple of str
        Why none can.
    left_out : tuple of str
        Why some cannot, with counts.
    crop : int or None
        Side of the crops that fit, in pixels after resampling.
    """

    kept: npt.NDArray[np.bool_]
    problems: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    crop: int | None = None


def in_pixels(
    values: npt.NDArray[np.float64], side: npt.NDArray[np.float64] | None, *, corner: bool
) -> npt.NDArray[np.float64]:
    """Places along one axis in pixels from the middle of the first.

    Parameters
    ----------
    values : (N,) float array
        Micrometres where ``side`` is given, else pixels.
    side : (N,) float array or None
        Micrometres of a pixel.
    corner : bool
        Whether they count from the corner of the first pixel, half a pixel before its middle.

    Examples
    --------
    >>> import numpy as np
    >>> in_pixels(np.array([10.0]), np.array([0.5]), corner=True)
    array([19.5])
    """
    pixels = values if side is None else values / side
    return pixels - 0.5 if corner else pixels


def checked_rows_of_masks(
    rows: pd.DataFrame,
    looked: LookedAt,
    image: str,
    mask: str,
    number: str | None,
    places: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None,
    scales: Mapping[str, float],
) -> CheckedCells:
    """Rows against their label images.

    Parameters
    ----------
    rows : pandas.DataFrame
    looked : LookedAt
    image, mask : str
        Columns of files.
    number : str or None
        The column of ids; None where a row stands for all objects of its label image.
    places : pair of (N,) arrays or None
        y and x of the rows in pixels, where the table has them: they must lie in the objects. NaN
        where a row has none.
    scales : mapping of str to float
        By image, how many pixels of a resampled crop one of its pixels is.
    """
    kept = np.ones(len(rows), dtype=bool)
    wrong = _other_sizes(rows, looked, image, mask)
    if wrong:
        return CheckedCells(kept, (wrong,))
    extents, limits = [], []
    for own, path in dict.fromkeys(zip(rows[image], rows[mask], strict=True)):
        if path in looked.extents:
            extents.append(np.asarray(looked.extents[path]) * scales[own])
        if path in looked.shapes:
            limits.append(limit(looked.shapes[path], scales[own]))
    crop = None
    if sum(map(len, extents)):
        crop = crop_for_outlines(np.concatenate(extents), min(limits)).side
    if number is None:
        return CheckedCells(kept, crop=crop)
    ids = _ids(rows, number)
    there = np.ones(len(rows), dtype=bool)
    beside = np.zeros(len(rows), dtype=bool)
    for path, positions in rows.groupby(mask, sort=False).indices.items():
        objects = looked.objects.get(str(path))
        if objects is None:
            continue
        index = np.searchsorted(objects.ids, ids[positions])
        index = np.minimum(index, max(0, len(objects) - 1))
        same = objects.ids[index] == ids[positions] if len(objects) else np.zeros(len(index), bool)
        there[positions] = same
        if places is not None and len(objects):
            boxes = objects.boxes[index]
            y, x = places[0][positions], places[1][positions]
            inside = (
                (y >= boxes[:, 0] - NEAR)
                & (y <= boxes[:, 2] - 1 + NEAR)
                & (x >= boxes[:, 1] - NEAR)
                & (x <= boxes[:, 3] - 1 + NEAR)
            )
            beside[positions] = same & ~inside & ~(np.isnan(y) | np.isnan(x))
    lacking, first = int((~there).sum()), _first(rows, ~there)
    if lacking > FEW_WITHOUT * len(rows):
        return CheckedCells(
            kept,
            (
                f"{lacking:,} of {len(rows):,} ids of column {quoted(number)} are in no label "
                f"image of column {quoted(mask)} (first: {first}); choose the label images of "
                "these objects",
            ),
        )
    if beside.sum() > FEW_BESIDE * max(1, there.sum()):
        return CheckedCells(
            kept,
            (
                f"{int(beside.sum()):,} of {int(there.sum()):,} centres lie outside the object of "
                f"their id in column {quoted(mask)} (first: {_first(rows, beside)}); choose the "
                "label images of these objects, not renumbered",
            ),
        )
    lines: tuple[str, ...] = ()
    if lacking:
        lines = (
            f"{lacking:,} of {counted(len(rows), 'row')} "
            f"{'names an id' if lacking == 1 else 'name ids'} that the label image does not have, "
            f"left out (first: {first}, id {rows[number].to_numpy()[~there][0]})",
        )
    return CheckedCells(there, left_out=lines, crop=crop)


def checked_points(
    rows: pd.DataFrame,
    looked: LookedAt,
    image: str,
    places: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    scales: Mapping[str, float],
) -> CheckedCells:
    """Rows of points against the sizes of their images; ``scales`` as for label images."""
    kept = np.ones(len(rows), dtype=bool)
    beyond = np.zeros(len(rows), dtype=bool)
    crops = []
    for path, positions in rows.groupby(image, sort=False).indices.items():
        shape = looked.shapes.get(str(path))
        if shape is None:
            continue
        centres = np.column_stack([places[0][positions], places[1][positions]])
        beyond[positions] = outside(centres, shape)
        scale = scales[str(path)]
        crops.append(crop_for_points(centres * scale, limit(shape, scale)).side)
    if not beyond.any():
        return CheckedCells(kept, crop=int(np.median(crops)) if crops else None)
    row = int(np.flatnonzero(beyond)[0])
    height, width = looked.shapes[str(rows[image].iloc[row])]
    return CheckedCells(
        kept,
        (
            f"{int(beyond.sum()):,} of {len(rows):,} points lie outside their images (first: "
            f"{_first(rows, beyond)}, y={places[0][row]:g}, x={places[1][row]:g}, its image has "
            f"{height} x {width} pixels); are they pixels of these images, x to the right and y "
            "down?",
        ),
    )


def _other_sizes(rows: pd.DataFrame, looked: LookedAt, image: str, mask: str) -> str | None:
    pairs = list(dict.fromkeys(zip(rows[image], rows[mask], strict=True)))
    shapes: Mapping[str, tuple[int, int]] = looked.shapes
    wrong = [
        (one, other)
        for one, other in pairs
        if one in shapes and other in shapes and shapes[one] != shapes[other]
    ]
    if not wrong:
        return None
    one, other = wrong[0]
    sizes = "{} x {}".format(*shapes[other]), "{} x {}".format(*shapes[one])
    return (
        f"{counted(len(wrong), 'label image', 'have')} another size than the image (of "
        f"{len(pairs):,}; first: {quoted(other, 80)} {sizes[0]}, {quoted(one, 80)} {sizes[1]} "
        "pixels); choose the label images of these images"
    )


def _ids(rows: pd.DataFrame, number: str) -> npt.NDArray[np.int64]:
    texts = rows[number].to_numpy(dtype=object)
    ids = identifiers_of(texts)
    if ids.wrong.any():
        row = int(ids.wrong.argmax())
        try:
            whole_number(texts[row])
        except DataError as error:
            where = f"{rows.index.name or 'line'} {rows.index[row]}, column {quoted(number)}"
            raise DataError(f"{where}: {error}") from None
    return np.where(ids.known, ids.values, -1)


def _first(rows: pd.DataFrame, which: npt.NDArray[np.bool_]) -> str:
    return (
        f"{rows.index.name or 'line'} {rows.index[int(np.flatnonzero(which)[0])]}"
        if (which.any())
        else ""
    )
