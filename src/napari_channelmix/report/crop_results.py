"""Crops of cells as scPortrait's single-cell image data set (``.h5sc``), with their results.

An AnnData file: ``obs`` as of `report.anndata_results` with a ``cell_id``, ``var`` a row for each
mask and channel, the pixels in ``obsm["single_cell_images"]``: (n, masks + C, H, W) float16, a
chunk for each picture. Masks come first: the outline of the cell, 0 or 1, where all cells have one.

Channels are scaled to 0..1, each by its range over the cells that are written, as scPortrait's
are; the range is kept, so that ``low + value * (high - low)`` are the units of the files, as far
as 11 bits go. Nothing is hidden outside the outlines, other than scPortrait does it: a crop is what
a classifier gets.

Source: scPortrait 1.8, https://mannlabs.github.io/scPortrait, 'Single-cell image datasets', and
``scportrait.io.numpy_to_h5sc``.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import written_whole
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.report.anndata_encoding import (
    write_array,
    write_dataframe,
    write_root,
    write_uns,
)
from napari_channelmix.report.anndata_results import about_of, require_h5py, write_obs
from napari_channelmix.report.cell_columns import Column
from napari_channelmix.wording import path_shown

if TYPE_CHECKING:
    from pathlib import Path

    from napari_channelmix.data import Cells
    from napari_channelmix.report.results_by_cell import ResultsByCell

__all__ = ["write_crops_job"]

IMAGES = "single_cell_images"
MASK = "segmentation"
# zlib's quickest level.
LEVEL = 1
# Crops read at once; a step of the job.
BATCH = 64


def write_crops_job(results: ResultsByCell, path: Path) -> Job[Path]:
    """Write crops of the chosen cells; a job. See `report.cell_results.write_cells`.

    The pixels are read twice: for the range of each channel, and to be written.

    Raises
    ------
    DataError
        h5py is not installed, there are no cells, files that cannot be read.
    SaveError
        Disk full, folder read-only and the like.
    """
    h5py = require_h5py(path, "a file of crops")
    cells = results.cells.subset(results.positions)
    if not len(cells):
        raise DataError(f"{path_shown(path)}: there are no cells to write")
    ranges = yield from part(_ranges_job(cells), 0, 40, 100)
    with written_whole(path) as neighbour:
        try:
            with h5py.File(neighbour, "w") as file:
                yield from part(_fill_job(file, results, cells, ranges), 40, 60, 100)
        except RuntimeError as error:
            # h5py's word for a disk that is full when a file is closed.
            raise SaveError(f"could not save {path_shown(path)}: {error}") from error
    return path


def _ranges_job(cells: Cells) -> Job[npt.NDArray[np.float64]]:
    """Smallest and largest value of each channel (C, 2)."""
    low = np.full(len(cells.channels), np.inf)
    high, done = -low, 0
    for positions, crops in cells.passes(BATCH):
        low = np.minimum(low, crops.min(axis=(0, 2, 3)))
        high = np.maximum(high, crops.max(axis=(0, 2, 3)))
        done += len(positions)
        yield Progress(done, len(cells), "ranges of the channels")
    return np.stack([low, high], axis=1)


def _fill_job(
    file: Any, results: ResultsByCell, cells: Cells, ranges: npt.NDArray[np.float64]
) -> Job[None]:
    masked = _outlined(cells)
    names = [*[MASK] * masked, *cells.channels]
    kinds = ["mask"] * masked + ["image_channel"] * len(cells.channels)
    write_root(file)
    more = {"cell_id": Column("cell_id", cell_ids(cells))}
    yield from part(write_obs(file, results, more), 0, 10, 100)
    columns = {
        name: Column(name, np.array([places.index(text) for text in texts]), tuple(places))
        for name, texts in (("channels", names), ("channel_mapping", kinds))
        for places in [list(dict.fromkeys(texts))]
    }
    fill = write_dataframe(file, "var", map(str, range(len(names))), columns, "_index")
    for name in columns:
        fill(name)
    about: dict[str, Any] = {
        "n_cells": len(cells),
        "n_channels": len(names),
        "n_masks": int(masked),
        "n_image_channels": len(cells.channels),
        "image_size_x": cells.crop,
        "image_size_y": cells.crop,
        "channel_names": names,
        "channel_mapping": kinds,
        "compression": "gzip",
    }
    scale = {
        "normalization": True,
        "normalization_range_lower": ranges[:, 0],
        "normalization_range_upper": ranges[:, 1],
    }
    write_uns(file["uns"], IMAGES, {**about, **scale})
    write_uns(file["uns"], "channelmix", about_of(results, False))
    write_array(file["obsm"], "spatial", np.ascontiguousarray(cells.centres[:, ::-1]))
    images = file["obsm"].create_dataset(
        IMAGES,
        shape=(len(cells), len(names), cells.crop, cells.crop),
        chunks=(1, 1, cells.crop, cells.crop),
        compression="gzip",
        compression_opts=LEVEL,
        dtype="<f2",
    )
    images.attrs["encoding-type"], images.attrs["encoding-version"] = "array", "0.2.0"
    for name, value in about.items():
        texts = isinstance(value, list)
        images.attrs[name] = np.array([text.encode() for text in value]) if texts else value
    low = ranges[:, 0].astype(np.float32)[None, :, None, None]
    span = np.maximum(ranges[:, 1] - ranges[:, 0], np.finfo(np.float32).tiny)
    span = span.astype(np.float32)[None, :, None, None]
    done = 0
    for positions, crops in cells.passes(BATCH):
        scaled = ((crops - low) / span).astype(np.float16)
        for position, picture in zip(positions.tolist(), scaled, strict=True):
            if masked:
                _write_picture(images, position, 0, outline_in_crop(cells, position))
            for channel, plane in enumerate(picture, start=int(masked)):
                _write_picture(images, position, channel, plane)
        done += len(positions)
        yield Progress(10 + 90 * done / len(cells), 100, "writing the crops")


def _write_picture(images: Any, cell: int, channel: int, picture: npt.NDArray[Any]) -> None:
    """Write a chunk as it lies in the file: HDF5's own way takes about twice as long."""
    content = np.ascontiguousarray(picture, dtype="<f2").tobytes()
    images.id.write_direct_chunk((cell, channel, 0, 0), zlib.compress(content, LEVEL))


def cell_ids(cells: Cells) -> npt.NDArray[np.uint64]:
    """A number of each cell (N,): the id of its object where no two are the same, else 1 to N."""
    ids = cells.table["object"].to_numpy(np.int64)
    if (ids <= 0).any() or len(np.unique(ids)) < len(ids):
        ids = np.arange(1, len(ids) + 1)
    return ids.astype(np.uint64)


def outline_in_crop(cells: Cells, cell: int) -> npt.NDArray[np.bool_]:
    """Pixels of a cell's object (H, W), in its crop; the nearest ones where crops are resampled."""
    y0, x0, y1, x1 = cells.boxes[cell].tolist()
    labels = cells.fields[int(cells.table["field"].iloc[cell])].labels
    assert labels is not None
    height, width = labels.shape
    top, left = max(y0, 0), max(x0, 0)
    part_of = np.asarray(labels[top : min(y1, height), left : min(x1, width)])
    inside = np.zeros((y1 - y0, x1 - x0), bool)
    inside[top - y0 : top - y0 + part_of.shape[0], left - x0 : left - x0 + part_of.shape[1]] = (
        part_of == int(cells.table["object"].iloc[cell])
    )
    if inside.shape == (cells.crop, cells.crop):
        return inside
    rows, columns = (
        ((np.arange(cells.crop) + 0.5) * side / cells.crop).astype(np.int64)
        for side in inside.shape
    )
    return np.asarray(inside[rows][:, columns])


def _outlined(cells: Cells) -> bool:
    used = np.unique(cells.table["field"].to_numpy(np.int64)).tolist()
    every = all(cells.fields[field].labels is not None for field in used)
    return every and bool((cells.table["object"].to_numpy(np.int64) > 0).all())
