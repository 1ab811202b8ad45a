"""What the pixels of a data set come from, in a few figures: whether they are still the same.

Classes, groups and splits are not in it: cells that are annotated stay the cells they are.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.neighbours import KEEP
from napari_channelmix.data.stored_crops import keys_of
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.data.cell_boxes import CellBoxes

__all__ = ["crop_keys", "files_of_chunks_job", "pixel_facts_job", "stored_dtype"]

# Cells whose pixels are looked at, spread evenly.
LOOKED_AT = 32
# The same where there is neither a file nor an array in memory that can be looked at itself.
LOOKED_AT_LAZY = 256
# Bytes of an array that are hashed in a step.
STEP = 32 * 2**20
# Files in a folder that is an image (OME-Zarr) that are looked at; of larger ones, the first.
MOST_FILES = 20_000
# What results are written into beside the pixels of an OME-Zarr image, and what describes them.
BESIDE = {"labels", "tables"}
DESCRIBING = {"zarr.json", ".zattrs", ".zgroup", ".zmetadata"}


def crop_keys(cells: CellBoxes) -> npt.NDArray[np.int64]:
    """What the pixels of each crop depend on, (N, 6); see `keys_of`."""
    return keys_of(cells.table, cells.neighbours)


def stored_dtype(cells: CellBoxes) -> np.dtype[Any]:
    """Type that holds all crops exactly: that of the files where they share one, else float32.

    Whole numbers of up to 16 bits, of crops that are neither resampled nor have their neighbours
    hidden; what is filled beyond the border of an image is made again when they are read.
    """
    wide = np.dtype(np.float32)
    boxes, side = cells.boxes, cells.crop
    if cells.neighbours != KEEP or (boxes[:, 2:] - boxes[:, :2] != side).any():
        return wide
    kinds = {
        np.dtype(cells.fields[index].planes[plane].dtype).newbyteorder("=")
        for index in np.unique(cells.table["field"].to_numpy(np.int64)).tolist()
        for plane in cells.planes
    }
    kind = kinds.pop() if len(kinds) == 1 else wide
    return kind if kind.kind in "ui" and kind.itemsize <= 2 else wide


def pixel_facts_job(cells: CellBoxes) -> Job[tuple[dict[str, Any], dict[str, Any]]]:
    """Which crops these are, and where their pixels come from, as a job; both for JSON.

    Returns
    -------
    crops : dict
        Channels, side, number and boxes of the cells.
    pixels : dict
        Name, size and time of the image files (of arrays in memory, their content), and the pixels
        of some cells.

    Raises
    ------
    DataError
        A file that is not there, or that cannot be read.
    """
    keys = crop_keys(cells)
    crops = {
        "channels": list(cells.channels),
        "crop": cells.crop,
        "neighbours": cells.neighbours,
        "n": len(cells),
        "cells": hashlib.sha256(keys.astype("<i8").tobytes()).hexdigest(),
        "dtype": stored_dtype(cells).name,
    }
    digest, known, lazy = hashlib.sha256(), dict[Any, str](), False
    used = np.unique(keys[:, 0]).tolist()
    for done, index in enumerate(used):
        image = cells.fields[index]
        arrays = [image.planes[plane] for plane in cells.planes]
        if cells.neighbours != KEEP and image.labels is not None:
            arrays.append(image.labels)
        for plane in arrays:
            for step in _facts(plane, known):
                if step is None:
                    yield Progress(done, len(used), "looking at the images")
                    continue
                lazy |= step == ["lazy"]
                digest.update(json.dumps(step).encode())
        yield Progress(done + 1, len(used), "looking at the images")
    some = np.unique(
        np.linspace(0, len(cells) - 1, LOOKED_AT_LAZY if lazy else LOOKED_AT).astype(np.int64)
    )
    pixels = hashlib.sha256()
    for start in range(0, len(some), 8):
        pixels.update(cells.read_images(some[start : start + 8]).tobytes())
        yield Progress(start, len(some), "looking at the cells")
    return crops, {"files": digest.hexdigest(), "pixels": pixels.hexdigest()}


def files_of_chunks_job(
    cells: CellBoxes, chunks: Sequence[npt.NDArray[np.int64]]
) -> Job[list[str]]:
    """Which image files each chunk of cells is read from, in a hash of names, sizes and times.

    A file that is missing is one of its own: the chunk is another one once it is there again.
    Nothing is read; of arrays in memory nothing is told.
    """
    known, of_field = dict[Any, str](), dict[int, str]()
    numbers = cells.table["field"].to_numpy(np.int64)
    hashes = []
    for done, positions in enumerate(chunks):
        yield Progress(done, len(chunks), "looking at the images")
        digest = hashlib.sha256()
        for index in np.unique(numbers[positions]).tolist():
            if index not in of_field:
                image = cells.fields[index]
                files = [path for plane in cells.planes for path in _files(image.planes[plane])]
                of_field[index] = "\n".join(_file_or_none(path, known) for path in files)
            digest.update(f"{index}: {of_field[index]}\n".encode())
        hashes.append(digest.hexdigest())
    return hashes


def _files(plane: Any) -> Iterator[Path]:
    """The files that a plane is read from."""
    if hasattr(plane, "file"):
        yield Path(plane.file.path)
        for other in getattr(plane, "others", ()):
            yield from _files(other)
    elif hasattr(plane, "plane"):
        yield from _files(plane.plane)
    elif not isinstance(plane, np.ndarray) and hasattr(plane, "data") and hasattr(plane, "index"):
        yield from _files(plane.data)


def _file_or_none(path: Path, known: dict[Any, str]) -> str:
    try:
        return _file_facts(path, known)
    except DataError:
        return f"{path.name} is missing"


def _facts(plane: Any, known: dict[Any, str]) -> Iterator[list[Any] | None]:
    """What a plane depends on, piece by piece; None says that time has passed."""
    if hasattr(plane, "file"):
        yield ["file", _file_facts(Path(plane.file.path), known)]
        yield ["part", repr([getattr(plane, name, None) for name in ("axes", "channel", "stack")])]
        for other in getattr(plane, "others", ()):
            yield from _facts(other, known)
    elif hasattr(plane, "plane"):
        yield ["scaled", getattr(plane, "factor", None), getattr(plane, "offset", None)]
        yield from _facts(plane.plane, known)
    elif hasattr(plane, "data") and hasattr(plane, "index"):
        yield ["slice", repr(plane.index)]
        yield from _facts(plane.data, known)
    elif isinstance(plane, np.ndarray):
        if id(plane) not in known:
            digest = hashlib.sha256(f"{plane.dtype.str}{plane.shape}".encode())
            rows = max(1, STEP * len(plane) // max(plane.nbytes, 1)) if plane.ndim else 1
            for start in range(0, len(plane) if plane.ndim else 0, rows):
                digest.update(np.ascontiguousarray(plane[start : start + rows]).tobytes())
                yield None
            known[id(plane)] = digest.hexdigest()
        yield ["array", known[id(plane)]]
    else:
        yield ["lazy"]


def _file_facts(path: Path, known: dict[Any, str]) -> str:
    """Name, bytes and time of a file; of a folder, of all files in it."""
    if path not in known:
        try:
            facts = path.stat()
            size, time = (facts.st_size, facts.st_mtime_ns) if path.is_file() else _folder(path)
        except OSError as error:
            raise DataError(f"{path}: {error.strerror or error}") from error
        known[path] = f"{path.name} {size} {time}"
    return known[path]


def _folder(path: Path) -> tuple[int, int]:
    """Bytes of the chunks in a folder of zarr, and the time when one of them was changed last."""
    size, time, count = 0, 0, 0
    for folder, inside, names in os.walk(path):
        inside[:] = sorted(set(inside) - BESIDE)
        for name in sorted(set(names) - DESCRIBING):
            facts = Path(folder, name).stat()
            size, time, count = size + facts.st_size, max(time, facts.st_mtime_ns), count + 1
            if count == MOST_FILES:
                return size, time
    return size, time
