"""Where the cells of a table lie: its columns of x and y as pixels from the middle of the first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.column_values import numbers_of, trimmed
from napari_channelmix.data.table_files import decimal_comma_of
from napari_channelmix.data.values import BLANKS, number
from napari_channelmix.errors import DataError
from napari_channelmix.scan.parsed_table import ParsedTable, is_given, text_of
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.table_cells import in_pixels
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Places", "places_in_pixels", "with_places"]

# y and x of the rows in pixels, (N,) each.
Places = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def with_places(
    parsed: ParsedTable, rows: pd.DataFrame, roles: Mapping[str, Role], left_out: list[LeftOut]
) -> pd.DataFrame:
    """The rows without those of points that have no place, which are added to ``left_out``.

    A label image and an id are a place.
    """
    by_role = {role: name for name, role in roles.items()}
    if not {Role.X, Role.Y} <= set(by_role) or {Role.MASK, Role.OBJECT} <= set(by_role):
        return rows
    given = is_given(rows[by_role[Role.X]]) & is_given(rows[by_role[Role.Y]])
    if given.all() or not given.any():
        return rows
    first = f"{rows.index.name or 'line'} {rows.index[~given][0]}"
    what = counted(int((~given).sum()), "row")
    left_out.append(LeftOut(parsed.path.name, f"{what} without a place (first: {first})"))
    return rows[given]


def places_in_pixels(
    parsed: ParsedTable,
    rows: pd.DataFrame,
    roles: Mapping[str, Role],
    sizes: Mapping[str, tuple[float, float] | None] | None,
    notes: list[str],
) -> tuple[pd.DataFrame, Places | None, list[str]]:
    """The rows with x and y in pixels, both as numbers, and why they cannot be.

    Parameters
    ----------
    parsed : ParsedTable
    rows : pandas.DataFrame
        Of texts.
    roles : mapping of str to Role
    sizes : mapping of str to tuple of float, or None
        Micrometres of a pixel (y, x) of each image, where the table is in micrometres.
    notes : list of str
        How a comma was read is added to it.

    Returns
    -------
    rows : pandas.DataFrame
    places : pair of (N,) float64 arrays, or None
        None where the table has none.
    problems : list of str

    Raises
    ------
    DataError
        A text that is no number, with its line.
    """
    import pandas as pd

    by_role = {role: name for name, role in roles.items()}
    if not {Role.X, Role.Y} <= set(by_role):
        return rows, None, []
    image = by_role[Role.IMAGE]
    result: dict[str, list[str]] = {}
    places = {}
    for axis, role in enumerate((Role.Y, Role.X)):
        column = by_role[role]
        values, note = _numbers(parsed, rows, column)
        notes += note
        side = None
        if sizes is not None:
            kinds, paths = pd.factorize(rows[image].to_numpy(dtype=object))
            own = [sizes.get(str(path)) for path in paths]
            unknown = [path for path, size in zip(paths, own, strict=True) if not size]
            if unknown:
                return rows, None, [_no_pixel_size(str(unknown[0]), len(unknown))]
            side = np.array([size[axis] for size in own if size], dtype=np.float64)[kinds]
        places[role] = in_pixels(values, side, corner=parsed.corner)
        if parsed.corner or side is not None:
            result[column] = [text_of(value) for value in places[role]]
        else:
            # Decimal commas are not read from a table in memory.
            texts = rows[column].tolist()
            if any("," in text for text in texts):
                texts = [
                    text if "," not in text else text_of(value)
                    for text, value in zip(texts, values, strict=True)
                ]
            result[column] = texts
    return rows.assign(**result), (places[Role.Y], places[Role.X]), []


def _numbers(
    parsed: ParsedTable, rows: pd.DataFrame, column: str
) -> tuple[npt.NDArray[np.float64], list[str]]:
    """The numbers of a column, NaN for none, and a note where a comma may be meant otherwise."""
    path, texts = parsed.path, rows[column]
    given = is_given(texts)
    try:
        comma, doubtful = decimal_comma_of(texts[given].tolist(), parsed.separator)
    except DataError as error:
        raise DataError(f"{path}, column {quoted(column)}: {error}") from None
    notes = []
    if doubtful:
        value = number(doubtful, decimal_comma=True)
        notes.append(f"column {quoted(column)}: {quoted(doubtful)} is read as {value:g}")
    own = trimmed(texts.to_numpy(dtype=object), BLANKS)
    values = numbers_of(own, decimal_comma=comma)
    there = given.to_numpy(dtype=bool)
    values[~there] = np.nan
    wrong = there & np.isnan(values)
    if wrong.any():
        row = int(wrong.argmax())
        try:
            number(own[row], decimal_comma=comma)
        except DataError as error:
            line = f"{rows.index.name or 'line'} {rows.index[row]}"
            raise DataError(f"{path}, {line}, column {quoted(column)}: {error}") from None
    return values, notes


def _no_pixel_size(image: str, count: int) -> str:
    more = f" (nor do {count - 1} more)" if count > 1 else ""
    return (
        f"centres are in micrometres, and {quoted(image, 80)} does not state its pixel size{more}; "
        "give it (image_pixel_size=0.5, or --image-pixel-size 0.5), or export centres in pixels"
    )
