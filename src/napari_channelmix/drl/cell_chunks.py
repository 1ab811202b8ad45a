"""Cells drawn and encoded chunk by chunk, in this process or by workers; what is done is kept."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_whole
from napari_channelmix.classify.weights_file import seal
from napari_channelmix.cluster import chunks_job
from napari_channelmix.data.pixel_facts import files_of_chunks_job
from napari_channelmix.drl.cell_drawing import FRAME_SIDE, DrawnCell, Preparation, drawn_cells
from napari_channelmix.jobs import Job, Progress, mapped, part
from napari_channelmix.provenance import package_version

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.drl.autoencoder import NamedAutoencoder
    from napari_channelmix.settings import ClusterSettings

__all__ = [
    "CellTask",
    "DrawnChunk",
    "EncodedChunk",
    "PicturesOfChunk",
    "cell_chunks",
    "drawn_chunk_job",
    "encoded_chunk_job",
    "kept_chunks_job",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Chunk = TypeVar("Chunk")
Result = TypeVar("Result", "DrawnChunk", "EncodedChunk")

# Cells of a chunk: seconds of work. They depend on the cells alone.
CHUNK = 256
# Cells that are encoded together: numbers depend on it in the last place, so it is always the same.
TOGETHER = 64


@dataclass(frozen=True, eq=False)
class CellTask:
    """What all chunks share; it goes to each worker once.

    Attributes
    ----------
    cells : Cells
    how : Preparation
    of : NamedAutoencoder or None
        Encodes the cells; None: they are drawn only.
    keeps : bool
        Whether pictures that are drawn are given back.
    """

    cells: Cells
    how: Preparation
    of: NamedAutoencoder | None
    keeps: bool

    @property
    def key(self) -> str:
        """A hash of all that a chunk depends on beside its positions."""
        of = self.of
        facts = {
            "version": package_version("napari-channelmix"),
            "cells": self.cells.fingerprint,
            "how": self.how.as_dict(),
            "keeps": self.keeps,
            "of": None if of is None else seal(of.name, of.network.state_dict(), ""),
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True, eq=False)
class DrawnChunk:
    """Cells of a chunk that are drawn.

    Attributes
    ----------
    positions : (n,) int64 array
    features : (n, F) float64 array
    names : (F,) array of str
        Of the features.
    outlined : (n,) bool array
    cut_off : (n,) bool array
        Whether a cell is larger than the frame.
    pictures : (n, depth, 64, 64) uint8 array
        (0, depth, 64, 64) where they are not kept.
    values, spread : (n, Z) float32 arrays
        The posterior; (0, 0) where nothing encodes.
    """

    positions: IntArray
    features: npt.NDArray[np.float64] = field(repr=False)
    names: npt.NDArray[np.str_]
    outlined: npt.NDArray[np.bool_] = field(repr=False)
    cut_off: npt.NDArray[np.bool_] = field(repr=False)
    pictures: npt.NDArray[np.uint8] = field(repr=False)
    values: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)


@dataclass(frozen=True, eq=False)
class EncodedChunk:
    """The posterior of cells of a chunk: (n,) positions, (n, Z) means and standard deviations."""

    positions: IntArray
    values: FloatArray = field(repr=False)
    spread: FloatArray = field(repr=False)


@dataclass(frozen=True, eq=False)
class PicturesOfChunk:
    """Cells that are to be encoded, with their pictures where these are there."""

    positions: IntArray
    pictures: npt.NDArray[np.uint8] | None = field(default=None, repr=False)


def cell_chunks(cells: Cells) -> list[IntArray]:
    """Positions of the cells of each chunk, in the order in which images are read best."""
    order = cells.reading_order
    return [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]


def drawn_chunk_job(task: CellTask, positions: IntArray) -> Job[DrawnChunk]:
    """Draw and measure the cells of a chunk; encode them where something does that."""
    frame = np.ones((FRAME_SIDE, FRAME_SIDE), dtype=bool)
    frame[1:-1, 1:-1] = False
    cells: list[DrawnCell] = []
    # Cells of their own: what is looked up for all cells takes time for each of them.
    for drawn in drawn_cells(task.cells.subset(positions), task.how):
        cells.append(drawn)
        yield Progress(len(cells), len(positions), "cutting out the cells")
    shape = (0, task.how.view.depth, FRAME_SIDE, FRAME_SIDE)
    pictures = np.stack([one.picture for one in cells]) if cells else np.zeros(shape, np.uint8)
    values, spread = (np.zeros((0, 0), np.float32),) * 2
    if task.of is not None:
        job = _posterior(task.of, pictures)
        stage = partial(replace, done=len(positions), total=len(positions))
        values, spread = yield from mapped(job, stage)
    return DrawnChunk(
        positions[[one.position for one in cells]],
        np.array([list(one.features.values()) for one in cells]),
        np.array(list(cells[0].features) if cells else [], dtype=str),
        np.array([one.outlined for one in cells], bool),
        np.asarray((pictures[..., frame] > 0).any(axis=(1, 2)), bool),
        pictures if task.keeps else np.zeros(shape, np.uint8),
        values,
        spread,
    )


def encoded_chunk_job(task: CellTask, chunk: PicturesOfChunk) -> Job[EncodedChunk]:
    """Encode the cells of a chunk; those that come without pictures are drawn for it."""
    assert task.of is not None
    pictures = chunk.pictures
    if pictures is None:
        count = len(chunk.positions)
        shape = (count, task.how.view.depth, FRAME_SIDE, FRAME_SIDE)
        pictures = np.zeros(shape, np.uint8)
        some = drawn_cells(task.cells.subset(chunk.positions), task.how, measured=False)
        for done, drawn in enumerate(some):
            pictures[drawn.position] = drawn.picture
            yield Progress(done, count + 1, "encoding the cells")
    values, spread = yield from _posterior(task.of, pictures)
    return EncodedChunk(chunk.positions, values, spread)


def _posterior(
    of: NamedAutoencoder, pictures: npt.NDArray[np.uint8]
) -> Job[tuple[FloatArray, FloatArray]]:
    means, spreads = [], []
    for start in range(0, len(pictures), TOGETHER):
        mean, spread = of.posterior(pictures[start : start + TOGETHER])
        means.append(mean)
        spreads.append(spread)
        yield Progress(start, len(pictures), "encoding the cells")
    return np.concatenate(means), np.concatenate(spreads)


class _Parts:
    """Chunks that are done, a file each in a folder; one of another run counts as missing."""

    def __init__(self, folder: Path | None, keys: Sequence[str], kind: type) -> None:
        self._folder, self._keys, self._kind = folder, keys, kind

    def put(self, index: int, chunk: Any) -> None:
        """Keep a chunk, whole or not at all."""
        if self._folder is None:
            return

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, key=np.array(self._keys[index]), **vars(chunk))

        self._folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._folder / f"{index:06d}.npz", write)

    def read(self, index: int, positions: IntArray) -> Any:
        """The chunk, or None."""
        if self._folder is None:
            return None
        try:
            with np.load(self._folder / f"{index:06d}.npz", allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
            if str(arrays.pop("key")) != self._keys[index]:
                return None
            chunk = self._kind(**arrays)
        # A file that is missing, cut off, or something else.
        except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile):
            return None
        return chunk if np.array_equal(chunk.positions, positions) else None


def kept_chunks_job(
    work: Callable[[CellTask, Chunk], Job[Result]],
    task: CellTask,
    chunks: Sequence[Chunk],
    positions: Sequence[IntArray],
    take: Callable[[Result], object],
    *,
    kind: type[Result],
    stage: str,
    cluster: ClusterSettings,
    parts: Path | None = None,
) -> Job[None]:
    """Compute the chunks that are missing, and hand over all; a job.

    Parameters
    ----------
    work : callable
        `drawn_chunk_job` or `encoded_chunk_job`.
    task : CellTask
    chunks : sequence
        What ``work`` takes, made when it is asked for.
    positions : sequence of (n,) int64 array
        Of the cells of each chunk.
    take : callable
        Called here with each result, in any order.
    kind : type
        Of the results.
    stage : str
    cluster : ClusterSettings
    parts : path, optional
        Folder in which finished chunks are kept, and found again.

    Raises
    ------
    DataError
        Chunks that could not be computed; where they are kept, the others are.
    ClusterError
        As `chunks_job`.
    """
    keys: list[str] = []
    if parts is not None:
        # Of images that were changed since, or are there again, nothing is taken.
        files = yield from part(files_of_chunks_job(task.cells, positions), 0, 0, 1)
        shared = task.key
        keys = [f"{shared} {of_chunk}" for of_chunk in files]
    kept = _Parts(parts, keys, kind)
    missing, done, total = list[int](), 0, sum(map(len, positions))
    for index, some in enumerate(positions):
        chunk = kept.read(index, some)
        if chunk is None:
            missing.append(index)
            continue
        take(chunk)
        done += len(some)
        yield Progress(done, total, "taken from an earlier run")
    if parts is None and not (cluster.workers or cluster.scheduler):
        # Nothing would be gained by going on after a failure.
        for index in missing:
            size = len(positions[index])
            take((yield from part(work(task, chunks[index]), done, size, total)))
            done += size
        return

    def keep(place: int, chunk: Result) -> None:
        kept.put(missing[place], chunk)
        take(chunk)

    job = chunks_job(
        work,
        task,
        _Chosen(chunks, missing),
        keep=keep,
        settings=cluster,
        stage=stage,
        sizes=[len(positions[index]) for index in missing],
    )
    report = yield from part(job, done, total - done, total)
    if parts is None and report.first_error is not None:
        raise report.first_error
    report.refuse_missing(
        lambda place: _words(task.cells, positions[missing[place]]), len(positions) - len(missing)
    )


def _words(cells: Cells, positions: IntArray) -> str:
    """What a chunk is called in messages: its cells lie side by side in images, not in tables."""
    return f"cell {cells.name_of(int(positions[0]))} and {len(positions) - 1} near it"


class _Chosen(Sequence[Any]):
    """Some of the chunks, made when they are asked for."""

    def __init__(self, chunks: Sequence[Any], chosen: Sequence[int]) -> None:
        self._chunks, self._chosen = chunks, chosen

    def __len__(self) -> int:
        return len(self._chosen)

    def __getitem__(self, index: Any) -> Any:
        return self._chunks[self._chosen[index]]
