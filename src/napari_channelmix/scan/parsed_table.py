"""A table of another program as it was understood, before its files are looked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    from napari_channelmix.scan.questions import Choice, LeftOut
    from napari_channelmix.scan.roles import Role

__all__ = ["ParsedTable", "is_given", "text_of"]


@dataclass(frozen=True, eq=False)
class ParsedTable:
    """A table of another program, with what is known of its columns.

    Attributes
    ----------
    style : str
        Shown to a person: ``"CellProfiler objects"``.
    path : Path
    rows : pandas.DataFrame
        Texts; a row for each object or image. The index holds the lines of the file.
    roles : mapping of str to Role
        Of the columns that are known by the format. The others are looked at by name.
    separator : str
        What divides the columns: it tells whether a comma may be a decimal sign.
    channels : mapping of str to str
        Columns of files and the channels they stand for, where there are several.
    folders : mapping of str to str
        Columns of files, and the columns that hold their folders.
    masks : tuple of str
        Columns of label images, one of which may be the right one.
    proposed_mask : str or None
        The right one, where several are.
    micrometres : bool
        x and y are micrometres from the corner of the first pixel.
    unit_asked : bool
        Whether they are pixels or micrometres cannot be told from the table.
    corner : bool
        x and y count from the corner of the first pixel, not from its middle.
    sides : (N,) float array or None
        Longer sides of the boxes that the rows are, in pixels.
    measurements : int
        Columns that hold measurements and are left out already.
    drawn : mapping of str to callable
        Label images to be drawn, by their paths relative to the folder of the table.
    twice : frozenset of str
        Names that several columns of the file have.
    choices, left_out, notes
        As in `Scan`.
    """

    style: str
    path: Path
    rows: pd.DataFrame
    roles: Mapping[str, Role] = field(default_factory=dict)
    separator: str = ","
    channels: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    masks: tuple[str, ...] = ()
    proposed_mask: str | None = None
    micrometres: bool = False
    unit_asked: bool = False
    corner: bool = False
    measurements: int = 0
    sides: npt.NDArray[np.float64] | None = None
    drawn: Mapping[str, Callable[[], npt.NDArray[Any]]] = field(default_factory=dict)
    twice: frozenset[str] = frozenset()
    choices: tuple[Choice, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


# How programs write that there is no value.
NO_VALUES = frozenset({"", "nan", "na", "none", "null"})


def is_given(texts: pd.Series[str]) -> pd.Series[bool]:
    """Rows in which a text is a value, not one of the ways in which programs write none."""
    # Looked at once each, and only where the first letter may begin one: columns may be long.
    kinds = dict.fromkeys(texts.to_numpy(dtype=object))
    none = [text for text in kinds if (not text or text[0] in "nN" or text[0].isspace())]
    return ~texts.isin([text for text in none if text.strip().casefold() in NO_VALUES])


def text_of(value: float) -> str:
    """A number as a table holds it: short, and the same number when it is read again."""
    return repr(int(value)) if float(value).is_integer() else repr(round(float(value), 6))
