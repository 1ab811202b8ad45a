"""The elements of an AnnData file (HDF5), as anndata 0.7 and later write and read them.

Source: anndata, 'On-disk format', https://anndata.readthedocs.io/en/latest/fileformat-prose.html
(``encoding-type`` and ``encoding-version`` of each element). Only h5py is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from napari_channelmix.report.cell_columns import Column

__all__ = [
    "distinct_keys",
    "write_array",
    "write_column",
    "write_dataframe",
    "write_dict",
    "write_root",
    "write_uns",
]

# Chunks of compressed arrays, in bytes, and how they are compressed: lossless and quick.
CHUNK = 2**20
COMPRESSION = {"compression": "gzip", "compression_opts": 1, "shuffle": True}
# Below this compression costs more than it saves.
SMALL = 4096


def write_root(file: Any) -> None:
    """Say that a file is AnnData; its groups that stay empty are made too."""
    _encoded(file, "anndata", "0.1.0")
    for name in ("layers", "obsm", "obsp", "varm", "varp", "uns"):
        write_dict(file, name)


def write_dict(parent: Any, name: str) -> Any:
    """An empty mapping, to be filled."""
    return _encoded(parent.require_group(name), "dict", "0.1.0")


def write_array(parent: Any, name: str, values: npt.NDArray[Any]) -> Any:
    """Numbers or booleans of any shape."""
    large = values.nbytes > SMALL and values.ndim > 0
    options: dict[str, Any] = {}
    if large:
        row = max(values.nbytes // len(values), 1)
        options = {"chunks": (max(CHUNK // row, 1), *values.shape[1:]), **COMPRESSION}
        options["chunks"] = (min(options["chunks"][0], len(values)), *values.shape[1:])
    return _encoded(parent.create_dataset(name, data=values, **options), "array", "0.2.0")


def write_texts(parent: Any, name: str, texts: Iterable[str]) -> Any:
    """Texts of any length."""
    import h5py

    values = np.array([text.replace("\0", "") for text in texts], dtype=object)
    data = parent.create_dataset(name, data=values, dtype=h5py.string_dtype("utf-8"))
    return _encoded(data, "string-array", "0.2.0")


def write_column(parent: Any, column: Column, name: str | None = None) -> None:
    """A column of a table: numbers, booleans, or categories of text."""
    name = column.name if name is None else name
    if column.categories is None:
        write_array(parent, name, column.values)
        return
    group = _encoded(parent.create_group(name), "categorical", "0.2.0")
    group.attrs["ordered"] = False
    used = len(column.categories)
    codes = column.values.astype(np.int8 if used < 128 else np.int32)
    write_texts(group, "categories", column.categories)
    write_array(group, "codes", codes)


def write_dataframe(
    parent: Any, name: str, index: Iterable[str], columns: Mapping[str, Column], index_name: str
) -> Callable[[str], None]:
    """A table, filled column by column by the callable that is given back.

    Parameters
    ----------
    parent : h5py.Group
    name : str
    index : iterable of str
    columns : mapping of str to Column
        By the names they have in the file; see `distinct_keys`.
    index_name : str
    """
    group = _encoded(parent.create_group(name), "dataframe", "0.2.0")
    group.attrs["_index"] = index_name
    # An empty list would be a list of numbers.
    group.attrs["column-order"] = np.array(list(columns), dtype=_text_type())
    write_texts(group, index_name, index)
    return lambda key: write_column(group, columns[key], key)


def write_uns(parent: Any, name: str, value: Any) -> None:
    """A text, number, boolean, list of texts or of numbers, or a mapping of these.

    None, which the format does not know, is left out.
    """
    if value is None:
        return
    if isinstance(value, Mapping):
        group = write_dict(parent, name)
        for key, entry in value.items():
            write_uns(group, _key(str(key)), entry)
    elif isinstance(value, str):
        data = parent.create_dataset(name, data=value.replace("\0", ""), dtype=_text_type())
        _encoded(data, "string", "0.2.0")
    elif isinstance(value, (bool, int, float, np.number, np.bool_)):
        _encoded(parent.create_dataset(name, data=value), "numeric-scalar", "0.2.0")
    elif isinstance(value, np.ndarray):
        write_array(parent, name, value)
    elif all(isinstance(entry, str) for entry in value):
        write_texts(parent, name, value)
    else:
        write_array(parent, name, np.asarray(value))


def distinct_keys(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """A key for each name, as AnnData and SpatialData want them, each of its own.

    Letters, digits, ``_``, ``-`` and ``.``; two keys do not differ by capitals alone, since
    SpatialData makes files of them.

    Parameters
    ----------
    names : iterable of str
        That differ.
    taken : iterable of str
        Keys that are used already.

    Examples
    --------
    >>> distinct_keys(["dose (mg/l)", "dose_mg_l", "Well", "well"])
    {'dose (mg/l)': 'dose_mg_l-2', 'dose_mg_l': 'dose_mg_l', 'Well': 'Well', 'well': 'well-2'}
    """
    names = list(names)
    used = {key.lower() for key in taken}
    keys: dict[str, str] = {}
    # A name that can stay as it is stays so, whatever comes before it.
    for name in sorted(names, key=lambda name: _key(name) != name):
        key, count = _key(name), 2
        while key.lower() in used:
            key, count = f"{_key(name)}-{count}", count + 1
        used.add(key.lower())
        keys[name] = key
    return {name: keys[name] for name in names}


def _key(name: str) -> str:
    plain = "".join(letter if letter.isalnum() or letter in "_-." else " " for letter in name)
    key = "_".join(plain.split()).strip("_" if plain != name else "")
    return "column" if key in ("", ".", "..", "_index") or key.startswith("__") else key


def _encoded(element: Any, kind: str, version: str) -> Any:
    element.attrs["encoding-type"] = kind
    element.attrs["encoding-version"] = version
    return element


def _text_type() -> Any:
    import h5py

    return h5py.string_dtype("utf-8")
