"""AnnData files (``.h5ad``): the table of cells ``obs``, and their places ``obsm['spatial']``.

Of the HDF5 file only these two are read, by h5py: no expression matrix, no pickle, and no link
that leads out of the file.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import guarded, refuse_special
from napari_channelmix.data.frame_table import table_of_frame
from napari_channelmix.errors import DataError
from napari_channelmix.scan.parsed_table import ParsedTable, text_of
from napari_channelmix.scan.plain_table import parse_plain
from napari_channelmix.scan.roles import Role
from napari_channelmix.wording import path_shown, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parse_anndata"]

# Cells and columns, as of tables in text.
MOST_CELLS, MOST_COLUMNS = 3_000_000, 2_000
SPATIAL = "spatial"


def parse_anndata(path: Path) -> ParsedTable:
    """Understand an AnnData file: a row per cell, whose image a column of ``obs`` names.

    ``obsm['spatial']`` holds x and y in pixels of the image, in this order; where it is absent,
    columns of ``obs`` are taken.

    Parameters
    ----------
    path : path

    Raises
    ------
    DataError
        h5py is not installed, no AnnData, or no column of ``obs`` names image files.
    """
    refuse_special(path)
    try:
        import h5py
    except ImportError:
        raise DataError(
            f"{path_shown(path)}: AnnData needs h5py; install it with: "
            "pip install 'napari-channelmix[anndata]'"
        ) from None

    def read() -> tuple[pd.DataFrame, npt.NDArray[np.float64] | None]:
        with h5py.File(path, "r") as file:
            if _attribute(file, "encoding-type") != "anndata" and "obs" not in file:
                raise DataError(f"{path_shown(path)}: is HDF5, but no AnnData (it has no 'obs')")
            rows = _frame(path, _inside(path, file, "obs"))
            return rows, _spatial(path, file, len(rows))

    rows, spatial = guarded(path, read)
    texts = replace(table_of_frame(rows, str(path)), path=path)
    texts.rows.index.name = "cell"
    parsed = parse_plain(texts)
    notes = [*parsed.notes]
    frame, roles = parsed.rows, dict(parsed.roles)
    if spatial is not None:
        places = {f"{SPATIAL} {axis}": spatial[:, column] for column, axis in enumerate("xy")}
        frame = frame.assign(
            **{name: [text_of(value) for value in values] for name, values in places.items()}
        )
        roles |= {f"{SPATIAL} x": Role.X, f"{SPATIAL} y": Role.Y}
        notes.append(
            "places are those of obsm['spatial']: x, then y, in pixels from the middle of the first"
        )
    style = "AnnData images" if parsed.style == "table of images" else "AnnData cells"
    return replace(parsed, style=style, rows=frame, roles=roles, notes=tuple(notes))


def _spatial(path: Path, file: Any, count: int) -> npt.NDArray[np.float64] | None:
    import h5py

    if "obsm" not in file or SPATIAL not in _inside(path, file, "obsm"):
        return None
    places = _inside(path, file["obsm"], SPATIAL)
    if isinstance(places, h5py.Group):
        frame = _frame(path, places)
        values = frame.iloc[:, :2].to_numpy()
    else:
        if places.ndim != 2 or places.shape[0] != count or places.shape[1] < 2:
            raise DataError(
                f"{path_shown(path)}: obsm['spatial'] is {places.shape}, not x and y of each of "
                f"{count} cells"
            )
        values = places[:, :2]
    try:
        result = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{path_shown(path)}: obsm['spatial'] holds no numbers") from None
    if not np.isfinite(result).all():
        raise DataError(f"{path_shown(path)}: obsm['spatial'] has gaps; fill them in")
    return result


def _frame(path: Path, group: Any) -> pd.DataFrame:
    """A table as AnnData stores it: a dataset for each column, the index among them."""
    import h5py
    import pandas as pd

    if not isinstance(group, h5py.Group):
        raise DataError(
            f"{path_shown(path)}: its 'obs' is of a form that AnnData wrote before 0.7; open and "
            "write it with AnnData again"
        )
    index = str(_attribute(group, "_index") or "_index")
    listed = group.attrs.get("column-order")
    order = [_text(name) for name in listed] if listed is not None else list(group)
    names = [name for name in order if name != index and not name.startswith("__")]
    if len(names) > MOST_COLUMNS:
        raise DataError(f"{path_shown(path)}: {len(names):,} columns of 'obs' are too many")
    columns = {name: _column(path, group, name) for name in names}
    own = "cell" if index in ("_index", "index") else index
    if index in group and own not in columns:
        columns = {own: _column(path, group, index), **columns}
    return pd.DataFrame(columns)


def _column(path: Path, group: Any, name: str) -> Any:
    import h5py
    import pandas as pd

    item = _inside(path, group, name)
    if isinstance(item, h5py.Dataset):
        values = _values(path, item)
        old = group.get("__categories")
        if old is not None and name in old:
            return _of_codes(values, _values(path, _inside(path, old, name)))
        return values
    if "codes" in item and "categories" in item:
        categories = item["categories"]
        # Categories of a nullable kind are a group of values and mask.
        if isinstance(categories, h5py.Group):
            categories = categories["values"]
        return _of_codes(_values(path, item["codes"]), _values(path, categories))
    if "values" in item and "mask" in item:
        nullable = pd.Series(_values(path, item["values"]), dtype=object)
        return nullable.where(~_values(path, item["mask"]).astype(bool), None)
    raise DataError(f"{path_shown(path)}: column {quoted(name)} of 'obs' is of a kind not known")


def _values(path: Path, data: Any) -> npt.NDArray[Any]:
    if data.ndim != 1 or data.shape[0] > MOST_CELLS:
        raise DataError(f"{path_shown(path)}: {quoted(data.name)} is {data.shape}, not a column")
    values = data[()]
    if values.dtype.kind in "OS":
        return np.array([_text(value) for value in values], dtype=object)
    result: npt.NDArray[Any] = values
    return result


def _of_codes(codes: npt.NDArray[Any], categories: npt.NDArray[Any]) -> list[Any]:
    listed = categories.tolist()
    return [listed[code] if 0 <= code < len(listed) else None for code in codes.tolist()]


def _inside(path: Path, group: Any, name: str) -> Any:
    """A member of a group; a link to another file is refused."""
    import h5py

    if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
        raise DataError(f"{path_shown(path)}: {quoted(name)} in it is a link to another file")
    return group[name]


def _attribute(group: Any, name: str) -> str | None:
    value = group.attrs.get(name)
    return None if value is None else _text(value)


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
