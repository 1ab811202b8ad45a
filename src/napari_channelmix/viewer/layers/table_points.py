"""A table of points and classes, as a Points layer over an image layer."""

from __future__ import annotations

from pathlib import Path, PureWindowsPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Points

from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.data.point_columns import PointColumns, point_columns
from napari_channelmix.data.table_files import decimal_comma_of, read_table
from napari_channelmix.data.values import number
from napari_channelmix.errors import DataError
from napari_channelmix.viewer.layers.geometry import like, plane_axes
from napari_channelmix.viewer.layers.planes import axes_of
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.table_files import TextTable

__all__ = ["POSITIONS", "points_of_table"]

# Key in a layer's metadata: how the positions were read, in words.
POSITIONS = "napari-channelmix positions"
IMAGE_SUFFIXES = (".tif", ".tiff", ".png", ".jpg", ".jpeg", ".zarr", ".czi", ".nd2", ".lif", ".svs")


def points_of_table(
    path: str | Path,
    reference: Any,
    *,
    columns: tuple[str, str] | None = None,
    channel: int | None = None,
) -> Points:
    r"""Cells of a table as points over an image layer; all other columns are their features.

    Parameters
    ----------
    path : path
        CSV or TSV. Where one of its columns names images, only rows of the layer's file count;
        rows outside the image are left out, and counted.
    reference : napari Image layer
        Whose pixels the positions are of; the points lie where its rows and columns lie.
    columns : (str, str), optional
        Columns of y and x; default: by their names, see `data.point_columns`.
    channel : int, optional
        Channel axis of the reference.

    Returns
    -------
    napari Points layer
        Not added yet. Its metadata say under `POSITIONS` how the positions were read.

    Raises
    ------
    DataError
        A table that cannot be read, no positions or several, positions that are no numbers, micro-
        metres over a layer whose pixel size is not known, rows of several images.

    Examples
    --------
    >>> from napari.layers import Image
    >>> table = folder / "cells.csv"
    >>> _ = table.write_text("pos x,pos y,type\n12,5,live\n30,7,dead\n")
    >>> points = points_of_table(table, Image(np.zeros((20, 40))))
    >>> points.data.tolist(), points.features["type"].tolist()
    ([[5.0, 12.0], [7.0, 30.0]], ['live', 'dead'])
    """
    table = read_table(path, ("y", "x"))
    names = [str(name) for name in table.rows.columns]
    where = point_columns(names, str(table.path), columns)
    rows, of_image = _of_the_image(table, reference)
    positions = np.stack([_numbers(table, rows, name) for name in (where.y, where.x)], axis=1)
    axes = plane_axes(reference, channel)
    text = where.text + of_image
    if where.unit:
        positions = positions / _pixel_size(reference, axes, where, table.path)
    lengths = [axes_of(reference)[axis].length for axis in axes]
    within = (positions >= -0.5) & (positions <= np.array(lengths) - 0.5)
    inside = within[:, 0] & within[:, 1]
    beyond = int((~inside).sum())
    if beyond == len(positions):
        raise DataError(
            f"{table.path}: none of its {counted(len(positions), 'position')} lies in layer "
            f"{reference.name!r} of {lengths[0]} x {lengths[1]} pixels ({text}); is it of another "
            "image, or in another unit?"
        )
    if beyond:
        text += f"; {counted(beyond, 'row')} outside the image left out"
        positions, rows = positions[inside], rows.loc[inside]
    features = _features(rows.drop(columns=[where.y, where.x]))
    return Points(
        positions,
        name=Path(table.path).name.split(".")[0],
        features=features,
        size=max(2.0, 0.01 * max(lengths)),
        face_color="transparent",
        border_color="white",
        metadata={POSITIONS: text},
        **like(reference, axes),
    )


def _of_the_image(table: TextTable, reference: Any) -> tuple[pd.DataFrame, str]:
    """The rows of the layer's image, where a column names images, and what was left out."""
    rows = table.rows
    source = getattr(reference.source, "path", None)
    own = "" if not source else Path(source).name
    for name in rows.columns:
        files = rows[name].astype(str).map(lambda value: PureWindowsPath(value).name)
        if not files.str.lower().str.endswith(IMAGE_SUFFIXES).all():
            continue
        matching = (files == own).to_numpy()
        if matching.all() or files.nunique() == 1:
            return rows, ""
        if not matching.any():
            raise DataError(
                f"{table.path}: column {quoted(str(name))} names {files.nunique():,} images, and "
                f"the file of layer {reference.name!r} is none of them; open one of them, or the "
                "table as a data set"
            )
        left = len(rows) - int(matching.sum())
        return rows[matching], f"; {counted(left, 'row')} of other images left out"
    return rows, ""


def _numbers(table: TextTable, rows: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    comma, _ = decimal_comma_of(table.rows[name].tolist(), table.separator)
    result = []
    for line, value in rows[name].items():
        try:
            result.append(number(value, decimal_comma=comma))
        except DataError as error:
            raise DataError(f"{table.path}, line {line}, column {quoted(name)}: {error}") from None
    if not result:
        raise DataError(f"{table.path}: has no rows")
    return np.array(result, dtype=np.float64)


def _pixel_size(
    reference: Any, axes: tuple[int, int], where: PointColumns, path: Path | str
) -> npt.NDArray[np.float64]:
    """Size of a pixel (y, x) in the unit of the columns."""
    place = like(reference, axes)
    own = in_micrometres(tuple(map(float, place["scale"])), str(place["units"][0]))  # type: ignore[arg-type]
    theirs = in_micrometres((1.0, 1.0), where.unit)
    if own is None or theirs is None:
        raise DataError(
            f"{path}: its positions are in {where.unit} ({where.text}), and the pixel size of "
            f"layer {reference.name!r} is not known; set scale and units of the layer, or give "
            "positions in pixels"
        )
    return np.array(own) / theirs[0]


def _features(rows: pd.DataFrame) -> pd.DataFrame:
    """Columns as numbers where all of their values are, else as texts."""
    import pandas as pd

    features = rows.reset_index(drop=True)
    for name in features.columns:
        texts = features[name].astype(str).str.strip()
        values = pd.to_numeric(texts.where(texts != ""), errors="coerce")
        if values.notna().any() and not values[texts != ""].isna().any():
            whole = values.notna().all() and bool((values % 1 == 0).all())
            features[name] = values.astype(np.int64) if whole else values
        else:
            features[name] = texts
    return features
