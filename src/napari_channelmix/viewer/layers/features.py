"""What the features of a Labels or Points layer say of its cells.

Rows of a Labels layer are paired with labels by ids (`data.pairing`). napari keeps one row for each
point of a Points layer, so there the row is the point; a column of ids gives the name of the cell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points

from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.data.pairing import (
    Pairing,
    id_column,
    id_columns,
    ids_in_column,
    pair_rows,
)
from napari_channelmix.data.values import class_name, similar_warnings, whole_number
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.own_columns import own_columns, result_columns
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ClassColumn",
    "FeatureTable",
    "class_column_of",
    "class_names_of",
    "classes_in_column",
    "columns_of",
    "id_columns_of",
    "label_ids",
    "point_ids",
    "point_rows",
]

IntArray = npt.NDArray[np.int64]

# A column with more values than this holds measurements, not classes.
MOST_CLASSES = 30
# Words in the name of a column of classes, and of one that says where a cell is from.
CLASS_WORDS = {
    *("class", "classes", "classification", "label", "phenotype", "type", "celltype", "category"),
    *("annotation", "treatment", "condition", "genotype", "gate", "state", "population", "stage"),
}
SOURCE_WORDS = {
    *("well", "plate", "row", "column", "image", "file", "path", "field", "site", "batch", "donor"),
    *("patient", "slide", "run", "date", "name", "index", "id", "split", "parent", "sample"),
}


@dataclass(frozen=True, eq=False)
class ClassColumn:
    """Class of each object: label value (Labels) or row of the point (Points)."""

    classes: dict[int, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """A copy of a layer's features, which a job may read while the layer is changed.

    Attributes
    ----------
    table : DataFrame
    layer : str
        Name of the layer, for messages.
    points : bool
        Whether the rows are points.
    id_column : str or None
        The column of ids that the user chose.
    exclude : collection of str
        Columns that this plugin added.
    """

    table: pd.DataFrame = field(repr=False)
    layer: str
    points: bool = False
    id_column: str | None = None
    exclude: Collection[str] = ()

    @classmethod
    def of(cls, layer: Any, id_column: str | None = None) -> FeatureTable:
        """The table of a layer as it stands now."""
        import pandas as pd

        table = pd.DataFrame(layer.features).copy()
        points = isinstance(layer, Points)
        return cls(table, layer.name, points, id_column, _no_ids(layer, table))

    @property
    def title(self) -> str:
        """The table in messages."""
        return f"features of layer {self.layer!r}"

    def ids_stand_in(self) -> str | None:
        """The column of ids, or None; refuses as `id_column`."""
        return self.id_column or id_column(self.table, exclude=self.exclude, what=self.title)

    def id_column_in_use(self, column: str | None) -> str | None:
        """The column of ids while classes are read from a column; refuses as `id_column`."""
        exclude = set(self.exclude) if column is None else {*self.exclude, column}
        return self.id_column or id_column(self.table, exclude=exclude, what=self.title)

    def pair(self, ids: IntArray, values: list[str] | None = None, **options: Any) -> Pairing:
        """`pair_rows` for the labels ``ids``."""
        return pair_rows(
            self.table,
            ids,
            column=self.id_column,
            values=values,
            exclude=self.exclude,
            what=self.title,
            **options,
        )

    def classes(self, column: str, ids: IntArray, used: IntArray | None = None) -> ClassColumn:
        """Class of each object.

        Parameters
        ----------
        column : str
            Names the classes.
        ids : (N,) int array
            All labels of the layer, or the rows of all points.
        used : (M,) int array, optional
            Those that are cells, where others are not, as in one slice of a stack.

        Raises
        ------
        DataError
            A column that is not there or names no class, or rows that cannot be paired.
        """
        if column not in self.table.columns:
            raise DataError(f"layer {self.layer!r} has no features column {column!r}")
        names = [class_name(value) for value in self.table[column]]
        warnings: tuple[str, ...] = ()
        if self.points:
            rows = {row: name for row, name in enumerate(names) if name is not None}
        else:
            pairing = self.pair(ids, [column])
            warnings = pairing.warnings(self.title)
            pairs = zip(ids.tolist(), pairing.rows.tolist(), strict=True)
            named = ((number, names[row]) for number, row in pairs if row >= 0)
            rows = {number: name for number, name in named if name is not None}
            if not rows and any(names) and pairing.unknown:
                raise DataError(
                    f"{self.title}, column {pairing.column!r}: none of its ids is a label of the "
                    f"layer (first: {pairing.first_unknown}; labels are {_span(ids)}); choose "
                    "the column of ids, or correct it"
                )
        if not rows:
            raise DataError(
                f"features column {column!r} of layer {self.layer!r} names no class of a cell"
            )
        names_in_order = sorted(set(rows.values()), key=natural_key)
        order = {name: place for place, name in enumerate(names_in_order)}
        classes = dict(sorted(rows.items(), key=lambda item: order[item[1]]))
        without = len(ids if used is None else used) - sum(
            number in classes for number in (ids if used is None else used).tolist()
        )
        if without:
            have = "has" if without == 1 else "have"
            warnings += (
                f"{counted(without, 'cell')} {have} no class in column {column!r} of "
                f"{self.layer!r}",
            )
        counts = Counter(classes.values())
        return ClassColumn(classes, (*warnings, *similar_warnings(counts, "classes", "cell")))


def _no_ids(layer: Any, table: pd.DataFrame) -> frozenset[str]:
    """Columns of ours; our 'index' counts where the user has no column of ids."""
    ours = own_columns(layer)
    return ours if id_columns(table, exclude=ours) else ours - {"index"}


def _span(ids: IntArray) -> str:
    return f"{int(ids.min()):,} to {int(ids.max()):,}" if len(ids) else "none"


def label_ids(layer: Any) -> IntArray:
    """All labels of a Labels layer in order, without the background; a plane is read at a time.

    Raises
    ------
    DataError
        Labels of 2**63 and more.
    """
    import pandas as pd

    data = layer.data[0] if getattr(layer, "multiscale", False) else layer.data
    values: set[int] = set()
    for index in np.ndindex(*data.shape[:-2]):
        values.update(pd.unique(np.asarray(data[index]).ravel()).tolist())
    values.discard(0)
    # Refuses what is larger than an id may be.
    return np.array(sorted(n for v in values if (n := whole_number(v)) is not None), np.int64)


def columns_of(layer: Any, id_column: str | None = None) -> tuple[str, ...]:
    """Columns of a layer's features that may hold classes: text, or few whole numbers.

    Columns of ids are left out, and so are results of this plugin, such as predicted classes.
    """
    import pandas as pd

    features = getattr(layer, "features", None)
    if features is None:
        return ()
    table = pd.DataFrame(features)
    left_out = {id_column, *_ids_used(table, id_column, own_columns(layer)), *result_columns(layer)}
    return tuple(
        str(name)
        for name in table.columns
        if str(name) not in left_out and 0 < len(_class_names(table[name])) <= MOST_CLASSES
    )


def class_column_of(layer: Any, id_column: str | None = None) -> str | None:
    """The column that surely holds the classes of a layer's cells; None where none or several may.

    Of the columns that may hold classes (`columns_of`), with two classes or more: the one with a
    word for classes in its name (class, type, phenotype, treatment ...); else the only one of
    texts of which each is there twice on average, and whose name is no place of origin (well,
    plate, donor ...). Our definition; it is proposed and shown, never taken in silence.
    """
    import pandas as pd

    table = pd.DataFrame(layer.features)
    names = {
        name: count
        for name in columns_of(layer, id_column)
        if (count := len(_class_names(table[name]))) > 1
    }
    called = [name for name in names if _words(name) & CLASS_WORDS]
    texts = [
        name
        for name, count in names.items()
        if not pd.api.types.is_numeric_dtype(table[name])
        and 2 * count <= len(table)
        and not _words(name) & SOURCE_WORDS
    ]
    sure = called or texts
    return sure[0] if len(sure) == 1 else None


def class_names_of(layer: Any, column: str) -> tuple[str, ...]:
    """The classes that a column names, 2 before 10."""
    import pandas as pd

    return tuple(sorted(_class_names(pd.DataFrame(layer.features)[column]), key=natural_key))


def _words(name: str) -> set[str]:
    """Words of a column's name: ``CellType``, ``cell_type`` and ``Cell type`` hold 'type'."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return set(re.split(r"[\W_\d]+", apart.casefold()))


def _ids_used(table: pd.DataFrame, chosen: str | None, ours: Collection[str]) -> tuple[str, ...]:
    """Columns that are ids and so no classes: all that agree with the one in use."""
    names = id_columns(table, exclude=ours)
    if chosen is not None or len(names) < 2:
        return names if chosen is None else (chosen,)
    try:
        id_column(table, exclude=ours)
    except DataError:
        # They disagree: one of them may hold classes, but 'index' does not.
        return tuple(name for name in names if name == "index")
    return names


def _class_names(values: pd.Series[Any]) -> set[str]:
    import pandas as pd

    if pd.api.types.is_float_dtype(values) and not (values.dropna() % 1 == 0).all():
        return set()
    if pd.api.types.is_numeric_dtype(values) and values.nunique() > MOST_CLASSES:
        return set(map(str, range(MOST_CLASSES + 1)))
    return {name for value in values if (name := class_name(value)) is not None}


def id_columns_of(layer: Any) -> tuple[str, ...]:
    """Columns in which the user may say that ids stand: those with whole numbers only."""
    import pandas as pd

    table, ours = pd.DataFrame(layer.features), own_columns(layer)
    known = id_columns(table, exclude=_no_ids(layer, table))
    more = [
        str(name)
        for name in table.columns
        if name not in known
        and name not in ours
        and pd.api.types.is_numeric_dtype(table[name])
        and not pd.api.types.is_bool_dtype(table[name])
        and len(table) > 0
        and bool((table[name].dropna() % 1 == 0).all())
    ]
    return (*known, *more)


def classes_in_column(layer: Any, column: str, id_column: str | None = None) -> dict[int, str]:
    """Class of each object: label value (Labels) or row of the point (Points), and its class.

    Raises
    ------
    DataError
        As `FeatureTable.classes`.
    """
    table = FeatureTable.of(layer, id_column)
    ids = np.arange(len(table.table)) if table.points else label_ids(layer)
    return table.classes(column, ids).classes


def point_ids(layer: Any, column: str | None = None) -> tuple[IntArray, str | None]:
    """The id of each point (N,), and the column it stands in; else its row, and None.

    Parameters
    ----------
    layer : napari Points layer
    column : str, optional
        The column of ids that the user chose.

    Raises
    ------
    DataError
        A column that was chosen and does not give each point an id of its own.
    """
    import pandas as pd

    table, what = pd.DataFrame(layer.features), f"features of layer {layer.name!r}"
    rows = np.arange(len(layer.data), dtype=np.int64)
    chosen = column
    if column is None:
        try:
            column = id_column(table, exclude=own_columns(layer), what=what)
        except DataError:
            column = None
    if column is None:
        return rows, None
    try:
        ids, present = ids_in_column(table, column, what=what)
    except DataError:
        if chosen is not None:
            raise
        return rows, None
    if present.all() and len(np.unique(ids)) == len(rows):
        return ids, column
    if chosen is None:
        return rows, None
    raise DataError(
        f"{what}, column {column!r} does not give each point an id of its own; choose another "
        "column, or none"
    )


def point_rows(layer: Any, objects: IntArray, column: str | None) -> IntArray:
    """Row of each point in its layer now, (N,), or -1 where it is gone.

    Parameters
    ----------
    layer : napari Points layer
    objects : (N,) int array
        Ids from the column, or rows where there is none.
    column : str or None
    """
    import pandas as pd

    table = pd.DataFrame(layer.features)
    if column is None or column not in table.columns:
        return np.where(objects < len(layer.data), objects, -1)
    try:
        ids, _ = ids_in_column(table, column)
    except DataError:
        return np.full(len(objects), -1, dtype=np.int64)
    rows = {value: row for row, value in reversed(list(enumerate(ids.tolist())))}
    return np.array([rows.get(value, -1) for value in objects.tolist()], dtype=np.int64)
