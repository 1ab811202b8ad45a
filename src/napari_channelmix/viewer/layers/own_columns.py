"""Which columns in the features of a user's layer are this plugin's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = [
    "CLASSES_PART",
    "CLASS_COLUMN",
    "WrittenColumns",
    "own_columns",
    "result_columns",
    "written_to",
]

# The column of classes that the user gave, and the part of the plugin that writes it.
CLASS_COLUMN, CLASSES_PART = "class", "classes"


@dataclass(eq=False)
class WrittenColumns:
    """What stands in a layer's table by us: the values of each column, and whose they are."""

    table: pd.DataFrame | None = None
    values: dict[str, npt.NDArray[Any]] = field(default_factory=dict)
    # For each part of the plugin: what its columns are called here.
    names: dict[str, dict[str, str]] = field(default_factory=dict)


_WRITTEN: WeakKeyDictionary[Any, WrittenColumns] = WeakKeyDictionary()


def written_to(layer: Any) -> WrittenColumns:
    """The record of a layer, empty where nothing was written yet; `columns` keeps it."""
    return _WRITTEN.setdefault(layer, WrittenColumns())


def own_columns(layer: Any) -> frozenset[str]:
    """Names of the columns in a layer's features that this plugin added.

    A column of that name in a table that the user put in its place is the user's.
    """
    written = _WRITTEN.get(layer)
    if written is None:
        return frozenset()
    table = layer.features
    if written.table is table:
        return frozenset(written.values)
    return frozenset(
        name
        for name, values in written.values.items()
        if name in table.columns and _equal(table[name].to_numpy(), values)
    )


def result_columns(layer: Any) -> frozenset[str]:
    """Own columns that hold results, not the classes that the user gave."""
    written = _WRITTEN.get(layer)
    class_column = (
        None if written is None else written.names.get(CLASSES_PART, {}).get(CLASS_COLUMN)
    )
    return own_columns(layer) - {class_column}


def _equal(first: npt.NDArray[Any], other: npt.NDArray[Any]) -> bool:
    import pandas as pd

    if first.shape != other.shape:
        return False
    return bool(pd.Series(first, dtype=object).equals(pd.Series(other, dtype=object)))
