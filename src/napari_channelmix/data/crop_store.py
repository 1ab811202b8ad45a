"""Crops of a data set, written once into a folder: sharded zarr that is read in any order.

1. See what the pixels come from: a store is used for the same cells of the same images only.
2. Begin the folder: an empty array, and a table of which cell each row is of, in the order in which
   the images are read best.
3. Write shard by shard; a small JSON file after each says that it is done, so that a run that was
   killed is gone on with.
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_json, write_whole
from napari_channelmix.cluster import chunks_job
from napari_channelmix.data.cell_boxes import CellBoxes
from napari_channelmix.data.crop_shards import ShardFormat, ShardWriter
from napari_channelmix.data.pixel_facts import crop_keys, pixel_facts_job, stored_dtype
from napari_channelmix.data.pixel_scaling import RAW
from napari_channelmix.data.stored_crops import (
    ARRAY,
    CELLS,
    CropKeys,
    StoredCrops,
    shard_path,
    stated,
    stored_keys,
)
from napari_channelmix.errors import ChannelMixError, DataError, SaveError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.locks import NAME, in_use
from napari_channelmix.stored_files import Stored, read_content
from napari_channelmix.wording import brief, path_shown

if TYPE_CHECKING:
    from napari_channelmix.settings import ClusterSettings

__all__ = ["bytes_of_store", "store_job", "write_shard_job"]

C = TypeVar("C", bound=CellBoxes)

SCHEMA = "napari-channelmix/crop-store/1"
# How a message names what must not differ.
WORDS = {
    "schema": "a newer version of this program",
    "channels": "other channels",
    "crop": "crops of {} instead of {} pixels",
    "neighbours": "neighbours {} instead of {}",
    "n": "{} cells instead of {}",
    "cells": "other cells",
    "dtype": "pixels of {} instead of {}",
}
# Bytes of float32 crops that are read in a step.
STEP = 16 * 2**20


def store_job(
    cells: C,
    path: str | Path,
    *,
    rebuild: bool = False,
    cluster: ClusterSettings | None = None,
) -> Job[C]:
    """`Cells.store` as a job: writes what is missing; closing it leaves what is done."""
    if not len(cells):
        raise DataError(f"{cells.name}: there are no cells to store")
    # Workers may have another current folder.
    folder = Path(path).absolute()
    _refuse_other_folder(folder)
    looking = max(1, len(cells) // 100)
    job = pixel_facts_job(cells)
    crops, pixels = yield from part(job, 0, looking, len(cells) + looking, "crop store: ")
    facts = {"schema": SCHEMA, **crops, **pixels}
    target = _begun(folder, cells, facts, rebuild)
    if target is None or target.missing:
        with in_use(folder):
            # Looked at again: another run may just have ended.
            target = _begun(folder, cells, facts, rebuild) or _begin(folder, cells, facts)
            filling = _filled(target, replace(cells, crop_store=None, scaling=RAW), cluster)
            yield from part(filling, looking, len(cells), len(cells) + looking)
    stored = StoredCrops(
        folder, target.run, cells.fields, cells.planes, cells.crop, cells.neighbours
    )
    return replace(cells, crop_store=stored)


def bytes_of_store(cells: CellBoxes) -> int:
    """Bytes of a store before it is compressed: it takes no more."""
    return int(np.prod(cells.shape, dtype=np.int64)) * stored_dtype(cells).itemsize


@dataclass(frozen=True)
class Target:
    """A store that is being written.

    Attributes
    ----------
    folder : Path
    run : str
    form : ShardFormat
    count : int
        Cells in all.
    """

    folder: Path
    run: str
    form: ShardFormat
    count: int

    @property
    def shards(self) -> int:
        """Shards in all."""
        return -(-self.count // self.form.in_shard)

    @property
    def missing(self) -> tuple[int, ...]:
        """Shards that are not done."""
        return tuple(shard for shard in range(self.shards) if not self._done(shard))

    def rows(self, shard: int) -> slice:
        """Rows of a shard."""
        start = shard * self.form.in_shard
        return slice(start, min(start + self.form.in_shard, self.count))

    def mark(self, shard: int) -> None:
        """Say that a shard is done."""
        size = shard_path(self.folder, shard).stat().st_size
        write_json(self._mark(shard), {"run": self.run, "bytes": size})

    def _done(self, shard: int) -> bool:
        try:
            mark = read_content(self._mark(shard), _Mark)
            size = shard_path(self.folder, shard).stat().st_size
        except (DataError, OSError):
            return False
        return bool((mark["run"], mark["bytes"]) == (self.run, size))

    def _mark(self, shard: int) -> Path:
        return self.folder / "parts" / f"{shard:05d}.json"


class _Mark(Stored):
    run: str
    bytes: int


def _refuse_other_folder(folder: Path) -> None:
    """Refuse a folder that holds something else, before a pixel is read."""
    if folder.is_file():
        raise DataError(f"{path_shown(folder)}: is a file; name a folder for the crop store")
    try:
        names = {entry.name for entry in folder.iterdir()} if folder.is_dir() else set()
    except OSError as error:
        raise DataError(f"{path_shown(folder)}: {error.strerror or error}") from error
    # What a run that was killed at its very beginning left counts for nothing.
    others = {name for name in names if name != NAME and not _is_half(name)}
    if others and not names & {ARRAY, CELLS}:
        raise DataError(
            f"{path_shown(folder)}: holds other files and no crop store; name a new folder"
        )


def _is_half(name: str) -> bool:
    """Whether a file or folder of a store was being written when the program was killed."""
    return name.endswith(".part") and name.startswith((f".{ARRAY}.", f".{CELLS}-"))


def _begun(folder: Path, cells: CellBoxes, facts: dict[str, Any], rebuild: bool) -> Target | None:
    """The store of a folder, where it is of these cells; None where it is to be begun."""
    if not (folder / ARRAY).exists():
        return None
    run, theirs = stated(folder)
    other = [
        WORDS[name].format(brief(theirs.get(name)), brief(facts[name]))
        for name in WORDS
        if theirs.get(name) != facts[name]
    ]
    if other:
        raise DataError(
            f"{path_shown(folder)}: is the crop store of other data ({', '.join(other)}); choose "
            "another folder, or delete this one"
        )
    if rebuild:
        return None
    if theirs != facts:
        raise DataError(
            f"{path_shown(folder)}: the images were changed since this crop store was written; "
            "write it again (--rebuild-store, or store(path, rebuild=True))"
        )
    return Target(folder, run, _form(cells), len(cells))


def _form(cells: CellBoxes) -> ShardFormat:
    _, *shape = cells.shape
    return ShardFormat.fitting((shape[0], shape[1], shape[2]), stored_dtype(cells))


def _begin(folder: Path, cells: CellBoxes, facts: dict[str, Any]) -> Target:
    """Begin a store: the table of cells, and an array without pixels; what was there is deleted."""
    import zarr
    from zarr.codecs import BloscCodec, Crc32cCodec

    run, form = uuid.uuid4().hex, _form(cells)
    keys = crop_keys(cells)[cells.reading_order]
    half = folder / f".{ARRAY}.part"
    try:
        for left in [entry for entry in folder.iterdir() if _is_half(entry.name)]:
            shutil.rmtree(left) if left.is_dir() else left.unlink()
        if (folder / ARRAY).exists():
            # It goes at once: half deleted, it would not be told from the folder of another.
            (folder / ARRAY).rename(half)
        for left in (half, folder / "parts"):
            if left.exists():
                shutil.rmtree(left)
        write_whole(folder / CELLS, lambda path: _save(path, keys))
        zarr.create_array(
            half,
            shape=cells.shape,
            dtype=form.dtype,
            chunks=form.chunk,
            shards=(form.in_shard, *form.shape),
            # As `ShardWriter` compresses.
            compressors=[
                BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=form.dtype.itemsize),
                Crc32cCodec(),
            ],
            fill_value=0,
            dimension_names=("cell", "channel", "y", "x"),
            attributes={"run": run, "facts": facts},
        )
        # It comes last: it says that all is there.
        half.rename(folder / ARRAY)
    except OSError as error:
        raise _not_saved(folder, error) from error
    return Target(folder, run, form, len(cells))


def _save(path: Path, keys: npt.NDArray[np.int64]) -> None:
    with path.open("wb") as file:
        np.save(file, keys, allow_pickle=False)


def _not_saved(folder: Path, error: OSError) -> SaveError:
    return SaveError(
        f"could not save the crop store {path_shown(folder)}: {error.strerror or error}; what is "
        "done stays, and the same call or command goes on with it"
    )


def _filled(target: Target, cells: CellBoxes, cluster: ClusterSettings | None) -> Job[None]:
    """Write the shards that are missing."""
    keys = stored_keys(target.folder)
    # By what the crops are: another version of this program may read in another order.
    positions = CropKeys(crop_keys(cells)).rows(keys)
    if len(keys) != len(cells) or (positions < 0).any():
        raise DataError(
            f"{target.folder / CELLS}: damaged (other cells); delete this folder, or write the "
            "store again (--rebuild-store, or store(path, rebuild=True))"
        )
    missing = target.missing
    for shard in missing:
        # What a run that was killed had half written takes room.
        for left in shard_path(target.folder, shard).parent.glob(".*.part"):
            left.unlink(missing_ok=True)
    done = len(cells) - sum(len(positions[target.rows(shard)]) for shard in missing)
    chunks = [(shard, positions[target.rows(shard)]) for shard in missing]
    if cluster is not None and (cluster.workers or cluster.scheduler):
        working = chunks_job(
            write_shard_job,
            (cells, target),
            chunks,
            keep=lambda _, shard: target.mark(shard),
            settings=cluster,
            stage="writing the crop store",
            sizes=[len(chosen) for _, chosen in chunks],
        )
        report = yield from part(working, done, len(cells) - done, len(cells))
        report.refuse_missing(lambda index: f"shard {missing[index]}")
        return
    for shard, chosen in chunks:
        job = write_shard_job((cells, target), (shard, chosen))
        target.mark((yield from part(job, done, len(chosen), len(cells))))
        done += len(chosen)


def write_shard_job(
    shared: tuple[CellBoxes, Target], chunk: tuple[int, npt.NDArray[np.int64]]
) -> Job[int]:
    """Write one shard, in this process or in a worker, as a job; gives its number.

    Parameters
    ----------
    shared : Cells and Target
    chunk : int and (n,) int64 array
        The number of the shard, and the cells of its rows, in order.

    Raises
    ------
    SaveError
        Disk full and the like; the other shards are intact.
    DataError
        A file that cannot be read.
    """
    (cells, target), (shard, positions) = shared, chunk
    nbytes = 4 * int(np.prod(cells.shape[1:]))
    size = max(1, min(256, STEP // nbytes))
    try:
        with ShardWriter(shard_path(target.folder, shard), target.form) as writer:
            done = 0
            for chosen, crops in _in_order(cells, positions, size):
                writer.add(_narrowed(cells, chosen, crops, target.form.dtype))
                done += len(chosen)
                yield Progress(done, len(positions), "writing the crop store")
            writer.finish()
    except ChannelMixError:
        # `SaveError` is an `OSError` too.
        raise
    except OSError as error:
        raise _not_saved(target.folder, error) from error
    return shard


def _in_order(
    cells: CellBoxes, positions: npt.NDArray[np.int64], size: int
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]]:
    """Crops of cells in this order, some at a time, with their positions."""
    done = 0
    for chosen, crops in cells.passes(size, positions):
        if not np.array_equal(chosen, positions[done : done + len(chosen)]):
            # The store was begun by a version that reads in another order.
            break
        yield chosen, crops
        done += len(chosen)
    for start in range(done, len(positions), size):
        rest = positions[start : start + size]
        yield rest, cells.read_images(rest)


def _narrowed(
    cells: CellBoxes,
    positions: npt.NDArray[np.int64],
    crops: npt.NDArray[np.float32],
    dtype: np.dtype[Any],
) -> npt.NDArray[Any]:
    """Crops in the type of the store.

    Raises
    ------
    DataError
        Pixels that it cannot hold, but for those beyond the border of an image.
    """
    if dtype == crops.dtype:
        return crops
    bounds = np.iinfo(dtype)
    pixels = np.clip(crops, bounds.min, bounds.max).astype(dtype)
    wrong = (pixels != crops).any(axis=(1, 2, 3)) & ~cells.at_border[positions]
    if wrong.any():
        field = int(cells.table["field"].iloc[int(positions[np.argmax(wrong)])])
        raise DataError(f"{cells.fields[field].name}: has pixels that are no {dtype.name}")
    return pixels
