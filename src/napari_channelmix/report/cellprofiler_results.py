"""Results as CellProfiler's ExportToSpreadsheet writes them: a table of objects, one of images.

``ImageNumber`` and ``ObjectNumber`` are the user's own where the data set has such columns, so that
the tables join with those of CellProfiler; else fields of view are numbered from 1, and objects by
their ids. Centres count from 0 at the middle of the first pixel, as CellProfiler's do.

Source: CellProfiler 4, ExportToSpreadsheet; columns that CellProfiler does not have are called
``ChannelMix_...``, and texts ``Metadata_...``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.jobs import Job, part
from napari_channelmix.report.cell_columns import Column, columns_of
from napari_channelmix.report.field_images import channel_file, image_name
from napari_channelmix.report.table_results import write_columns_job

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from napari_channelmix.data import Cells
    from napari_channelmix.report.results_by_cell import ResultsByCell

__all__ = ["write_cellprofiler_job"]

IntArray = npt.NDArray[np.int64]

IMAGE, OBJECT = "ImageNumber", "ObjectNumber"
# Columns that are there under CellProfiler's names, or that it has no place for.
LEFT_OUT = ("field", "object", "y", "x", IMAGE, OBJECT)


def write_cellprofiler_job(results: ResultsByCell, path: Path) -> Job[tuple[Path, Path]]:
    """Write the table of objects, and the table of their images beside it; a job.

    Parameters
    ----------
    results : ResultsByCell
    path : path
        Of the objects, such as ``MyExpt_Nuclei.csv``; their images are in ``MyExpt_Image.csv``.

    Returns
    -------
    objects, images : path

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like.
    """
    cells, rows = results.cells, results.positions
    fields = cells.table["field"].to_numpy(np.int64)[rows]
    used, first = np.unique(fields, return_index=True)
    numbers = _image_numbers(cells, fields, rows)
    objects = [
        Column(IMAGE, numbers),
        Column(OBJECT, _object_numbers(cells, fields, rows)),
        Column("Location_Center_X", cells.centres[rows, 1]),
        Column("Location_Center_Y", cells.centres[rows, 0]),
        *_measured(results),
    ]
    # CellProfiler's own name of the table: what stands before the last underscore is common.
    begin, sign, name = path.stem.rpartition("_")
    beside = path.with_name(f"{begin}{sign}Image{path.suffix}")
    images = [
        Column(IMAGE, numbers[first]),
        *_files(cells, used),
        Column(f"Count_{name}", np.bincount(fields, minlength=len(cells.fields))[used]),
    ]
    yield from part(write_columns_job(objects, path), 0, 90, 100)
    yield from part(write_columns_job(images, beside), 90, 10, 100)
    return path, beside


def _image_numbers(cells: Cells, fields: IntArray, rows: IntArray) -> IntArray:
    """The user's own, where there is one for each field of view; else 1 for the first field."""
    own = _whole(cells, IMAGE, rows)
    if own is not None:
        pairs = np.unique(np.stack([fields, own], axis=1), axis=0)
        if len(pairs) == len(np.unique(fields)) == len(np.unique(own)):
            return own
    return fields + 1


def _object_numbers(cells: Cells, fields: IntArray, rows: IntArray) -> IntArray:
    """The user's own, else ids of objects, else 1 to n in each field of view."""
    for numbers in (_whole(cells, OBJECT, rows), cells.table["object"].to_numpy(np.int64)[rows]):
        if numbers is not None and (numbers > 0).all():
            pairs = np.unique(np.stack([fields, numbers], axis=1), axis=0)
            if len(pairs) == len(rows):
                return numbers
    order = np.argsort(fields, kind="stable")
    _, starts, counts = np.unique(fields[order], return_index=True, return_counts=True)
    running = np.empty(len(rows), np.int64)
    running[order] = np.arange(len(rows)) - np.repeat(starts, counts) + 1
    return running


def _whole(cells: Cells, name: str, rows: IntArray) -> IntArray | None:
    """A column of the user's as whole numbers; None where there is none, or not of these."""
    keys = cells.keys
    if name not in keys:
        return None
    texts = keys[name].to_numpy()[rows].tolist()
    if not all(re.fullmatch(r"\d{1,15}", text) for text in texts):
        return None
    return np.array([int(text) for text in texts], dtype=np.int64)


def _measured(results: ResultsByCell) -> Iterator[Column]:
    names = {
        "cell": "ChannelMix_Cell",
        "field_name": "Metadata_Field",
        "group": "Metadata_Group",
        "label": "Metadata_Class",
        "training": "Metadata_Training",
        "prediction": "Metadata_Prediction",
        "at_border": "ChannelMix_AtBorder",
        "margin": "ChannelMix_Margin",
    }
    taken: set[str] = set()
    for column in columns_of(results):
        name = column.name
        if name in LEFT_OUT:
            continue
        if name in names:
            name = names[name]
        elif column.categories is None:
            begin = "Probability" if name.startswith("probability of ") else "Latent"
            rest = name.removeprefix("probability of ").removeprefix("latent ")
            name = f"ChannelMix_{begin}_{re.sub(r'[^0-9A-Za-z]+', '_', rest).strip('_')}"
        else:
            name = name if name.startswith("Metadata_") else f"Metadata_{name}"
        while name in taken:
            name += "_2"
        taken.add(name)
        values = column.values.astype(np.int64) if column.values.dtype == bool else column.values
        yield Column(name, values, column.categories)


def _files(cells: Cells, fields: IntArray) -> Iterator[Column]:
    """Names and folders of the image files of each channel."""
    used = [cells.fields[field] for field in fields.tolist()]
    for channel, plane in zip(cells.channels, cells.planes, strict=True):
        files = [channel_file(field, plane) for field in used]
        names = [
            image_name(cells, index) if file is None else file.name
            for index, file in zip(fields.tolist(), files, strict=True)
        ]
        folders = ["" if file is None else str(file.parent) for file in files]
        key = re.sub(r"[^0-9A-Za-z_-]+", "_", channel)
        yield _texts(f"FileName_{key}", names)
        yield _texts(f"PathName_{key}", folders)
    yield _texts("Metadata_Field", [cells.field_names[field] for field in fields.tolist()])


def _texts(name: str, texts: Sequence[str]) -> Column:
    return Column(name, np.arange(len(texts)), tuple(texts))
