"""Which columns of a table are the positions of cells, and in which unit."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, quoted

__all__ = ["PointColumns", "point_columns"]

# A column of row positions, by the words of its name, and its fellow.
FELLOWS = {"y": "x", "Y": "X"}
# Names that programs give to the axes of points in the order rows, columns.
NUMBERED = (("axis-0", "axis-1"), ("centroid-0", "centroid-1"), ("centroid_0", "centroid_1"))
# Of several pairs, those that name the middle of a cell are its position.
MIDDLES = {"centroid", "center", "centre", "location"}
WORD = re.compile(r"µm|μm|[A-Z]?[a-z]+|[A-Z]+|\d+")
PIXELS = {"px", "pixel", "pixels"}


@dataclass(frozen=True)
class PointColumns:
    """Columns of positions.

    Attributes
    ----------
    y, x : str
    unit : str
        As the names of the columns say it; empty where they do not: pixels.
    """

    y: str
    x: str
    unit: str = ""

    @property
    def text(self) -> str:
        """The columns with their unit, for messages."""
        return f"y from {quoted(self.y)}, x from {quoted(self.x)}, in {self.unit or 'pixels'}"


def point_columns(
    names: Sequence[str], where: str = "the table", chosen: tuple[str, str] | None = None
) -> PointColumns:
    """The columns of y and x.

    Pairs of names that differ in the word y or x only, such as ``y`` and ``x``, ``Centroid Y µm``
    and ``Centroid X µm``, ``Location_Center_Y``; or ``axis-0`` and ``axis-1``. Of several, plain
    ``y`` and ``x`` count, then the only pair that names a centroid, centre or location.

    Parameters
    ----------
    names : sequence of str
    where : str
        For messages.
    chosen : (str, str), optional
        The columns of y and of x, where the user says so.

    Raises
    ------
    DataError
        No pair, several that fit, or columns that are not there.

    Examples
    --------
    >>> point_columns(["id", "Centroid X µm", "Centroid Y µm"])
    PointColumns(y='Centroid Y µm', x='Centroid X µm', unit='µm')
    """
    if chosen is not None:
        missing = [name for name in chosen if name not in names]
        if missing:
            raise DataError(f"{where} has no column {quoted(missing[0])}; it has {listed(names)}")
        return PointColumns(*chosen, _unit(chosen[0]))
    pairs = [(y, x) for y in names for x in names if _fellows(y, x)]
    pairs += [(y, x) for y, x in NUMBERED if y in names and x in names]
    plain = [pair for pair in pairs if pair[0].casefold() == "y"]
    middles = [pair for pair in pairs if {word.casefold() for word in _words(pair[0])} & MIDDLES]
    for some in (plain, pairs, middles):
        if len(some) == 1:
            return PointColumns(*some[0], _unit(some[0][0]))
    if not pairs:
        raise DataError(
            f"{where} has no columns of positions (y and x, in pixels or µm); it has "
            f"{listed(names)}"
        )
    raise DataError(
        f"{where} has several pairs of positions ({listed(f'{y} and {x}' for y, x in pairs)}); "
        "say which of them are meant, or call them y and x"
    )


def _words(name: str) -> list[str]:
    return WORD.findall(name)


def _fellows(y: str, x: str) -> bool:
    """Whether two names are the same but for y and x as a word of its own."""
    ours, theirs = _words(y), _words(x)
    if len(ours) != len(theirs):
        return False
    differ = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    return len(differ) == 1 and FELLOWS.get(differ[0][0]) == differ[0][1]


def _unit(name: str) -> str:
    """The unit that a column's name states, where it is one of length; empty for pixels."""
    for word in _words(name):
        if word.casefold() in PIXELS:
            return ""
        # These are rather words: the m of an axis is no metre.
        if word.casefold() not in ("m", "in") and in_micrometres((1.0, 1.0), word) is not None:
            return word
    return ""
