"""A DataFrame as a table of texts, read by the same rules as a table in a file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.table_files import TextTable
from napari_channelmix.data.table_records import BLOCK, TextColumn
from napari_channelmix.data.values import BLANKS
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["free_name", "table_of_frame", "table_of_frame_job"]


def table_of_frame(frame: pd.DataFrame, name: str) -> TextTable:
    """The texts of a DataFrame.

    Parameters
    ----------
    frame : pandas.DataFrame
        Missing values (None, NaN, NA, NaT) become empty texts; whole numbers that pandas keeps as
        floats, because others are missing, are written without a decimal part. Rows are called by
        the index where each value of it is there once, else by their position from 0.
    name : str
        What the table is called in messages.

    Raises
    ------
    DataError
        Anything but a DataFrame, one without rows, or one with several levels of columns.
    """
    return drain(table_of_frame_job(frame, name))


def table_of_frame_job(frame: pd.DataFrame, name: str) -> Job[TextTable]:
    """`table_of_frame` as a job, a step for each column."""
    import pandas as pd

    if not isinstance(frame, pd.DataFrame):
        raise DataError(f"{name}: must be a pandas DataFrame, not {type(frame).__name__}")
    if frame.columns.nlevels > 1:
        raise DataError(
            f"{name}: its columns have {frame.columns.nlevels} levels; give each one name"
        )
    names = [str(column).strip(BLANKS) for column in frame.columns]
    own: list[str] = []
    for column in names:
        own.append(free_name(column, own))
    twice = frozenset(column for column, count in Counter(names).items() if count > 1)
    index = frame.index
    if index.nlevels > 1 or not index.is_unique:
        index = pd.RangeIndex(len(frame))
    texts = {}
    for place, column in enumerate(own):
        yield Progress(place, len(own), "reading the table")
        texts[column] = _texts(frame.iloc[:, place])
    return TextTable(Path(name), pd.DataFrame(texts, index=index, dtype=object), ",", twice)


def free_name(name: str, taken: Collection[str]) -> str:
    """A name that no column has: the same, or with a number behind it."""
    own, again = name, 0
    while own in taken:
        again += 1
        own = f"{name}.{again}"
    return own


def _texts(column: pd.Series[Any]) -> npt.NDArray[np.object_]:
    missing = column.isna().to_numpy()
    whole = False
    if column.dtype.kind == "f":
        known = column.to_numpy(dtype=np.float64, na_value=np.nan)[~missing]
        whole = bool(np.isfinite(known).all() and (known == np.round(known)).all())
    # A text that comes again is kept once, as of a table in a file.
    texts = TextColumn()
    for start in range(0, len(column), BLOCK):
        some = slice(start, start + BLOCK)
        texts.extend(_as_texts(column.iloc[some].tolist(), missing[some], whole=whole))
    return texts.values()


def _as_texts(values: list[Any], missing: npt.NDArray[np.bool_], *, whole: bool) -> list[str]:
    if not missing.any():
        kinds = set(map(type, values))
        if kinds <= {str}:
            return values
        if kinds <= {int}:
            return list(map(str, values))
    return [
        "" if gap else str(int(value)) if whole else _text(value)
        for value, gap in zip(values, missing.tolist(), strict=True)
    ]


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value) if not isinstance(value, PurePath) else value.as_posix()
