"""What whatif.json holds, as a schema: files are not trusted."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, model_validator

from napari_channelmix.bounds import Index, LongText, Name
from napari_channelmix.stored_files import Origin, Stored, checked_as

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SCHEMA", "TABLES", "WhatIfFile", "frame_of", "table_of"]

SCHEMA = "napari-channelmix/whatif/1"
MOST = 100_000
ROWS = 10_000_000

#: Kinds of columns.
TEXT, NUMBER, WHOLE, FLAG = "text", "number", "whole number", "flag"
_TEXTS = "scope axis unit from_class to_class class_name family of name axis_2 unit_2 sentence"
_MORE = "feature other moves_too note"
_KINDS = {
    **dict.fromkeys(f"{_TEXTS} {_MORE}".split(), TEXT),
    **dict.fromkeys(("n", "groups", "cell", "rank", "real_cells"), WHOLE),
    **dict.fromkeys(("above_sham", "inside", "technical", "pure"), FLAG),
}


def _columns(*names: str) -> dict[str, str]:
    return {name: _KINDS.get(name, NUMBER) for name in names}


#: Columns of each table, and their kinds.
TABLES: dict[str, dict[str, str]] = {
    "curves": _columns(
        "scope",
        "axis",
        "amount",
        "unit",
        "from_class",
        "class_name",
        "probability",
        "low",
        "high",
        "called",
        "called_low",
        "called_high",
        "n",
        "outside",
        "sham",
    ),
    "flips": _columns(
        "scope",
        "axis",
        "family",
        "amount",
        "unit",
        "from_class",
        "to_class",
        "share",
        "low",
        "high",
        "n",
        "groups",
        "to_share",
        "reachable",
        "sham",
        "sham_low",
        "sham_high",
        "difference",
        "difference_low",
        "difference_high",
        "p_value",
        "above_sham",
        "note",
    ),
    "transitions": _columns("scope", "axis", "from_class", "to_class", "share", "low", "high", "n"),
    "smallest": _columns(
        "cell",
        "rank",
        "axis",
        "amount",
        "unit",
        "axis_2",
        "amount_2",
        "unit_2",
        "from_class",
        "to_class",
        "probability",
        "size",
        "plausible",
        "real_cells",
        "inside",
        "technical",
        "sentence",
    ),
    "robustness": _columns("axis", "amount", "unit", "of", "name", "changed", "low", "high", "n"),
    "purity": _columns(
        "axis",
        "feature",
        "amount",
        "unit",
        "moved",
        "other",
        "other_moved",
        "purity",
        "pure",
        "n",
        "moves_too",
    ),
}

Table = Annotated[dict[Name, tuple[Any, ...]], Field(max_length=100)]


class WhatIfFile(Stored):
    """As of `WhatIf.as_dict`."""

    form: Literal["napari-channelmix/whatif/1"] = Field(alias="schema")
    classes: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    channels: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MOST)]
    n: Index
    groups: Index
    group_kind: Name
    scope: Literal["cell", "crop", "neighbours"]
    curves: Table
    flips: Table
    transitions: Table
    smallest: Table
    robustness: Table
    purity: Table
    lines: Annotated[tuple[LongText, ...], Field(max_length=MOST)]
    warnings: Annotated[tuple[LongText, ...], Field(max_length=MOST)]
    provenance: Annotated[dict[str, Any], checked_as(Origin)]

    @model_validator(mode="after")
    def _whole(self) -> WhatIfFile:
        for name, columns in TABLES.items():
            _refuse_table(name, getattr(self, name), columns)
        return self


def _refuse_table(name: str, table: Mapping[str, Sequence[Any]], columns: dict[str, str]) -> None:
    """Refuse a table with a column that is missing, of another length or of another kind."""
    lengths = set()
    for column, kind in columns.items():
        if column not in table:
            raise ValueError(f"{name} has no column {column!r}")
        values = table[column]
        lengths.add(len(values))
        if not all(_fits(value, kind) for value in values):
            raise ValueError(f"{name}: column {column!r} holds something else than {kind}s")
    if len(lengths) > 1 or max(lengths) > ROWS:
        raise ValueError(f"{name}: its columns have different lengths, or too many rows")


def _fits(value: Any, kind: str) -> bool:
    if kind == TEXT:
        return isinstance(value, str)
    if kind == FLAG:
        return isinstance(value, bool)
    if isinstance(value, bool):
        return False
    if kind == WHOLE:
        return isinstance(value, int) and value >= 0
    # No number, where there is none, is null.
    return value is None or isinstance(value, int | float)


def table_of(frame: pd.DataFrame) -> dict[str, list[Any]]:
    """A data frame for JSON: a list for each column, None for what is no number.

    Examples
    --------
    >>> import pandas as pd
    >>> table_of(pd.DataFrame({"share": [0.5, float("nan")]}))
    {'share': [0.5, None]}
    """
    table = {}
    for name in frame.columns:
        values = frame[name].tolist()
        table[str(name)] = [
            None if isinstance(value, float) and not math.isfinite(value) else value
            for value in values
        ]
    return table


def frame_of(table: Mapping[str, Sequence[Any]], columns: dict[str, str]) -> pd.DataFrame:
    """A data frame from JSON, its columns in order and of their kinds."""
    import pandas as pd

    kinds = {TEXT: object, NUMBER: "float64", WHOLE: "int64", FLAG: "bool"}
    return pd.DataFrame(
        {
            name: pd.Series(list(table[name]), dtype=kinds[kind])  # type: ignore[call-overload]
            for name, kind in columns.items()
        }
    )
