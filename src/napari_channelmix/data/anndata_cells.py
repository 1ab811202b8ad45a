"""Cells of an AnnData object: a row of ``obs`` each, at the places in ``obsm``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["column_of", "observations", "own_keys", "places_of", "with_places"]

# The name of the observations where their index has none.
NAME = "obs_name"


def observations(adata: Any, name: str) -> pd.DataFrame:
    """The table ``obs``, its index named.

    Raises
    ------
    DataError
        No AnnData object, or one without observations.
    """
    import pandas as pd

    rows = getattr(adata, "obs", None)
    if not isinstance(rows, pd.DataFrame) or not hasattr(adata, "obsm"):
        hint = "; cm.open reads .h5ad files" if isinstance(adata, (str, bytes)) else ""
        raise DataError(f"{name}: takes an AnnData object, not {type(adata).__name__}{hint}")
    if not len(rows):
        raise DataError(f"{name}: there are no observations")
    return rows.rename_axis(index=str(rows.index.name or NAME))


def places_of(adata: Any, spatial: str, count: int, name: str) -> npt.NDArray[np.float64]:
    """Places (N, 2) as y, x in pixels, of ``obsm[spatial]``, which holds x, then y.

    Raises
    ------
    DataError
        No such entry, another shape, gaps.
    """
    if spatial not in adata.obsm:
        known = listed(map(str, adata.obsm.keys())) or "nothing"
        raise DataError(
            f"{name}: there is no obsm[{quoted(spatial)}] (obsm has {known}); name it as spatial="
        )
    try:
        places = np.asarray(adata.obsm[spatial], dtype=np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{name}: obsm[{quoted(spatial)}] holds no numbers") from None
    if places.ndim != 2 or places.shape != (count, 2):
        raise DataError(
            f"{name}: obsm[{quoted(spatial)}] is {places.shape}, not x and y of each of {count} "
            "cells"
        )
    if not np.isfinite(places).all():
        raise DataError(f"{name}: obsm[{quoted(spatial)}] has gaps; fill them in")
    return places[:, ::-1]


def column_of(rows: pd.DataFrame, column: str | None, what: str, name: str) -> Any:
    """A column of ``obs`` that the user names; None where none is named.

    Raises
    ------
    DataError
        No such column.
    """
    if column is None:
        return None
    if column not in rows.columns:
        raise DataError(
            f"{name}: obs has no column {quoted(column)} for the {what}; it has "
            f"{listed(map(str, rows.columns), 12)}"
        )
    return rows[column]


def own_keys(rows: pd.DataFrame, keys: Sequence[str], name: str) -> Mapping[str, Any]:
    """The names of the observations, and the columns that the user wants to keep."""
    columns = {str(rows.index.name): rows.index}
    return columns | {key: column_of(rows, key, "keys", name) for key in keys}


def with_places(
    rows: pd.DataFrame, places: npt.NDArray[np.float64]
) -> tuple[pd.DataFrame, tuple[str, str]]:
    """The table with two columns more, and what they are called: y and x."""
    names = [f"{axis} of obsm" for axis in "yx"]
    while set(names) & set(map(str, rows.columns)):
        names = [f"{name} (pixels)" for name in names]
    y, x = names
    return rows.assign(**{y: places[:, 0], x: places[:, 1]}), (y, x)
