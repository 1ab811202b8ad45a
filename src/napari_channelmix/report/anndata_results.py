"""Results of cells as AnnData (``.h5ad``), for scanpy, squidpy, SpatialData and the like.

| where | what |
|---|---|
| ``obs`` | a row per cell: the table of cells; its index ``cell`` is the position in the data set |
| ``obs["region"]``, ``obs["instance_id"]`` | field of view, and id of the object in it |
| ``X``, ``var`` | latents where there are some, else probabilities |
| ``obsm["probabilities"]``, ``uns["classes"]`` | (n, K) by class of the classifier |
| ``obsm["latents"]``, ``uns["latents"]`` | (n, Z), their names and badges |
| ``obsm["spatial"]`` | x, y in pixels of the field of view; pixel centres are whole numbers |
| ``obsm["spatial_um"]`` | the same in micrometres, where all fields of view state a pixel size |
| ``uns["channel_importance"]`` | shares with their spread and range over the repeats, verdict |
| ``uns["spatialdata_attrs"]`` | region and instance keys, for `spatialdata.models.TableModel` |
| ``uns["columns"]`` | ``key`` and ``name`` of columns whose names AnnData or SpatialData refuse |
| ``uns["channelmix"]`` | versions, data set, units, provenance as JSON text |
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import written_whole
from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.provenance import provenance
from napari_channelmix.report.anndata_encoding import (
    distinct_keys,
    write_array,
    write_dataframe,
    write_root,
    write_uns,
)
from napari_channelmix.report.cell_columns import Column, columns_of
from napari_channelmix.wording import path_shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix import ChannelImportance
    from napari_channelmix.report.results_by_cell import ResultsByCell

__all__ = [
    "about_of",
    "instance_ids",
    "region_names",
    "require_h5py",
    "write_anndata_job",
    "write_obs",
]

SCHEMA = "napari-channelmix/cells/1"
REGION, INSTANCE = "region", "instance_id"


def require_h5py(path: Path, what: str) -> Any:
    """The package h5py.

    Raises
    ------
    DataError
        It is not installed.
    """
    try:
        import h5py
    except ImportError:
        raise DataError(
            f"{path_shown(path)}: {what} needs h5py; install it with: "
            "pip install 'napari-channelmix[anndata]'"
        ) from None
    return h5py


def write_anndata_job(results: ResultsByCell, path: Path) -> Job[Path]:
    """Write an AnnData file; a job. See `report.cell_results.write_cells`.

    Raises
    ------
    DataError
        h5py is not installed.
    SaveError
        Disk full, folder read-only and the like.
    """
    h5py = require_h5py(path, "AnnData")
    with written_whole(path) as neighbour:
        try:
            with h5py.File(neighbour, "w") as file:
                yield from _fill(file, results)
        except RuntimeError as error:
            # h5py's word for a disk that is full when a file is closed.
            raise SaveError(f"could not save {path_shown(path)}: {error}") from error
    return path


def _fill(file: Any, results: ResultsByCell) -> Job[None]:
    cells, rows = results.cells, results.positions
    write_root(file)
    yield Progress(0, 10, "writing the table")
    yield from write_obs(file, results)
    yield Progress(6, 10, "writing probabilities and latents")
    places = cells.centres[rows][:, ::-1]
    write_array(file["obsm"], "spatial", np.ascontiguousarray(places))
    sizes = micrometres_of(cells)
    if sizes is not None:
        fields = cells.table["field"].to_numpy(np.int64)[rows]
        write_array(file["obsm"], "spatial_um", places * sizes[fields][:, ::-1])
    yield Progress(7, 10, "writing probabilities and latents")
    named: tuple[Sequence[str], npt.NDArray[Any]] | None = None
    if results.probabilities is not None:
        values = np.asarray(results.probabilities[rows], np.float32)
        write_array(file["obsm"], "probabilities", values)
        write_uns(file["uns"], "classes", tuple(results.classes))
        named = results.classes, values
    yield Progress(8, 10, "writing probabilities and latents")
    if results.latents is not None:
        values = np.asarray(results.latents.values[rows], np.float32)
        write_array(file["obsm"], "latents", values)
        write_uns(file["uns"], "latents", _about_latents(results.latents))
        named = results.latents.names, values
    yield Progress(9, 10, "writing probabilities and latents")
    write_dataframe(file, "var", () if named is None else named[0], {}, "_index")
    if named is not None:
        write_array(file, "X", named[1])
    if results.importance is not None:
        write_uns(file["uns"], "channel_importance", importance_of(results.importance))
    write_uns(file["uns"], "channelmix", about_of(results, sizes is not None))


def write_obs(
    file: Any, results: ResultsByCell, more: Mapping[str, Column] | None = None
) -> Job[None]:
    """The table ``obs`` of an AnnData file, with the keys of SpatialData.

    Parameters
    ----------
    file : h5py.File
    results : ResultsByCell
    more : mapping of str to Column, optional
        Further columns.
    """
    cells, rows = results.cells, results.positions
    fields = cells.table["field"].to_numpy(np.int64)[rows]
    regions = region_names(cells)
    # The index, and `obsm`: by their full names, which no column of the user's has.
    elsewhere = {"cell"}
    if results.probabilities is not None:
        elsewhere |= {f"probability of {name}" for name in results.classes}
    if results.latents is not None:
        elsewhere |= {f"latent {name}" for name in results.latents.names}
    columns: dict[str, Column] = {}
    for column in columns_of(results):
        yield Progress(0, 10, "writing the table")
        if column.name not in elsewhere:
            columns[column.name] = column
    own = {
        REGION: Column(REGION, *_used(fields, regions)),
        INSTANCE: Column(INSTANCE, instance_ids(cells)[rows]),
        **(more or {}),
    }
    keys = distinct_keys(columns, [*own, "cell"])
    named = {**{key: columns[name] for name, key in keys.items()}, **own}
    fill = write_dataframe(file, "obs", (str(cell) for cell in rows.tolist()), named, "cell")
    for done, name in enumerate(named):
        yield Progress(1 + 5 * done / len(named), 10, "writing the table")
        fill(name)
    renamed = {key: name for name, key in keys.items() if key != name}
    if renamed:
        # Pairs, since these names are no keys.
        write_uns(file["uns"], "columns", {"key": list(renamed), "name": list(renamed.values())})
    used = list(own[REGION].categories or ())
    attributes = {
        # A list of one would be an array to those that read it, where SpatialData wants a text.
        "region": used[0] if len(used) == 1 else used,
        "region_key": REGION,
        "instance_key": INSTANCE,
    }
    write_uns(file["uns"], "spatialdata_attrs", attributes)


def region_names(cells: Cells) -> tuple[str, ...]:
    """A name of each field of view that SpatialData allows: letters, digits, ``_``, ``-``, ``.``.

    Examples
    --------
    >>> from napari_channelmix.data.samples import synthetic_plate
    >>> region_names(synthetic_plate(wells=2, cells_per_well=2, side=64, crop=16).cells)
    ('A01', 'B01')
    """
    names = cells.field_names
    keys = distinct_keys(names)
    return tuple(keys[name] for name in names)


def instance_ids(cells: Cells) -> npt.NDArray[np.int64]:
    """Id of each cell (N,) among those of its field of view.

    The id of its object; where the cells of a field have none, or not all, the position in the
    data set plus 1.
    """
    ids = cells.table["object"].to_numpy(np.int64)
    fields = cells.table["field"].to_numpy(np.int64)
    without = np.zeros(len(cells.fields), bool)
    without[fields[ids <= 0]] = True
    return np.where(without[fields], np.arange(1, len(ids) + 1), ids)


def micrometres_of(cells: Cells) -> npt.NDArray[np.float64] | None:
    """Pixel size of each field of view (F, 2), y and x in micrometres; None if one is not known."""
    sizes = [in_micrometres(field.pixel_size, field.unit) for field in cells.fields]
    if not sizes or any(size is None for size in sizes):
        return None
    return np.array(sizes, dtype=np.float64)


def importance_of(importance: ChannelImportance) -> dict[str, Any]:
    """Channel importance for ``uns``: a value for each channel, in the order of ``channel``.

    ``share``, ``share_sd`` (over the repeats), ``share_low`` and ``share_high`` (smallest and
    largest of the repeats), ``shapley``, ``shapley_sd``, ``control`` (share of the negative
    control), ``p_value``; and ``verdict``, ``reason``, ``shares_readable``, ``repeats``,
    ``n_train``, ``n_test``, and the balanced accuracy of either network with its 95 % interval.
    """
    shares = np.array(importance.share_of_seed, dtype=np.float64).reshape(-1, len(importance.share))
    content: dict[str, Any] = {
        "channel": list(importance.channels),
        "share": np.array(importance.share),
        "share_sd": np.array(importance.share_sd),
        "share_low": shares.min(axis=0) if len(shares) else None,
        "share_high": shares.max(axis=0) if len(shares) else None,
        **{
            key: None if values is None else np.array(values, dtype=np.float64)
            for key, values in (
                ("shapley", importance.shapley),
                ("shapley_sd", importance.shapley_sd),
                ("control", importance.decoy),
                ("p_value", importance.p_value),
            )
        },
        "repeats": len(importance.seeds),
        "n_train": importance.n_train,
        "n_test": importance.n_test,
        "verdict": importance.verdict,
        "reason": importance.gate,
        "shares_readable": importance.shares_readable,
    }
    for kind, name in (("mixed", "channel_mixing"), ("plain", "all_channel")):
        estimate = importance.estimates.get(kind)
        content[f"accuracy_{name}"] = importance.accuracy.get(kind)
        if estimate is not None:
            content[f"accuracy_{name}_low"] = estimate.low
            content[f"accuracy_{name}_high"] = estimate.high
    return content


def _about_latents(latents: Any) -> dict[str, Any]:
    badges = getattr(latents, "badges", None) or [
        entry.badge for entry in getattr(latents, "trust", ())
    ]
    return {"names": list(latents.names), "badges": list(badges) or None}


def about_of(results: ResultsByCell, in_um: bool) -> dict[str, Any]:
    """How a file was made, for ``uns["channelmix"]``."""
    cells = results.cells
    units = {"spatial": "pixel", **({"spatial_um": "micrometer"} if in_um else {})}
    about = results.about or provenance()
    return {
        "schema": SCHEMA,
        "data": cells.name,
        "channels": list(cells.channels),
        "crop": cells.crop,
        "units": units,
        "cells_in_data_set": len(cells),
        "provenance": json.dumps(dict(about), ensure_ascii=False, default=str),
    }


def _used(
    codes: npt.NDArray[np.int64], categories: Sequence[str]
) -> tuple[npt.NDArray[np.int64], tuple[str, ...]]:
    """Codes into the categories that are used."""
    used, new = np.unique(codes, return_inverse=True)
    return new.reshape(-1).astype(np.int64), tuple(categories[code] for code in used.tolist())
