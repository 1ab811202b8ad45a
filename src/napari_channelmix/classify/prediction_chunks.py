"""Cells that are classified chunk by chunk, here or by workers, and put together again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.device import choose_device
from napari_channelmix.classify.training_cells import Digests, TrainingCells, crop_digests
from napari_channelmix.data import Cells
from napari_channelmix.data.crop_profile import MeasuredCrops
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    from napari_channelmix.classify.shift import Observer

__all__ = [
    "BATCH",
    "ChunkOfPredictions",
    "CollectedPredictions",
    "PredictionTask",
    "pass_order",
    "predict_chunk_job",
    "prediction_chunks",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Crops that are read at once, and their bytes at most.
BATCH, BATCH_BYTES = 256, 256 * 2**20
# Batches of a chunk, and chunks there should be before chunks become larger.
LARGEST, MANY = 4, 8


class Predicts(Protocol):
    """What is needed of a model."""

    @property
    def classes(self) -> tuple[str, ...]: ...
    @property
    def training_cells(self) -> TrainingCells | None: ...


@dataclass(frozen=True, eq=False)
class PredictionTask:
    """What all chunks share; fit for pickling, as one object.

    Attributes
    ----------
    model : Classifier or ForeignClassifier
    source : Cells or (N, C, H, W) float32 array
        With the channels of the model, in its order.
    observer : Observer or None
        That has seen nothing; None: nothing is compared with training.
    batch : int
        Crops computed at once.
    device : str
        Where workers compute: ``auto``, ``cpu``, ``cuda``, ``mps``; empty: where the model is.
    """

    model: Any
    source: Cells | FloatArray
    observer: Observer | None = None
    batch: int = BATCH
    device: str = ""

    def __setstate__(self, state: dict[str, Any]) -> None:
        """In another process, on the device that is there."""
        vars(self).update(state)
        if self.device and hasattr(self.model, "to"):
            self.model.to(choose_device(self.device))


@dataclass(frozen=True, eq=False)
class ChunkOfPredictions:
    """What was found of n cells.

    Attributes
    ----------
    positions : (n,) int64 array
        Of the cells in the data set.
    balanced : (n, K) float32 array
        Probabilities with the balanced prior.
    digests : (n,) uint64 array
        See `classify.training_cells`; (0,) where the model knows no training cells.
    measured : MeasuredCrops or None
        For the comparison with training; None where nothing is compared.
    """

    positions: IntArray
    balanced: FloatArray = field(repr=False)
    digests: Digests = field(repr=False)
    measured: MeasuredCrops | None = field(default=None, repr=False)


def pass_order(source: Cells | FloatArray, chosen: IntArray | None = None) -> IntArray:
    """Rows of the chosen cells, or of all, in the order in which reading them costs least (n,)."""
    count = len(source) if chosen is None else len(chosen)
    if not isinstance(source, Cells):
        return np.arange(count)
    if chosen is None:
        return source.reading_order
    ranks = np.empty(len(source), np.int64)
    ranks[source.reading_order] = np.arange(len(source))
    return np.asarray(np.argsort(ranks[chosen], kind="stable"), dtype=np.int64)


def crops_at_once(source: Cells | FloatArray, batch: int) -> int:
    """Crops of a batch, fewer where they are large."""
    each = 4 * int(np.prod(source.shape[1:]))
    return max(1, min(batch, BATCH_BYTES // max(each, 1)))


def prediction_chunks(source: Cells | FloatArray, batch: int = BATCH) -> list[IntArray]:
    """Positions of the cells of each chunk; they depend on the cells alone."""
    order, step = pass_order(source), crops_at_once(source, batch)
    batches = -(-len(order) // step)
    size = step * min(max(batches // MANY, 1), LARGEST)
    return [order[start : start + size] for start in range(0, len(order), size)]


def predict_chunk_job(task: PredictionTask, positions: IntArray) -> Job[ChunkOfPredictions]:
    """Classify a chunk of cells; pixels are read once for all that is to be known."""
    model, source = task.model, task.source
    step = crops_at_once(source, task.batch)
    balanced: list[FloatArray] = []
    digests: list[Digests] = [np.zeros(0, np.uint64)]
    measured = []
    for start in range(0, len(positions), step):
        some = positions[start : start + step]
        crops = source.read(some) if isinstance(source, Cells) else source[some]
        balanced.append(model._probabilities(crops))
        if task.observer is not None:
            measured.append(task.observer.measured(crops, some))
            if model.training_cells is not None:
                digests.append(crop_digests(crops))
        done, count = start + len(some), len(positions)
        yield Progress(done, count, f"classifying the cells, {done:,} of {count:,}")
    parts = [part for part in measured if part is not None]
    return ChunkOfPredictions(
        positions,
        np.concatenate(balanced),
        np.concatenate(digests),
        MeasuredCrops.together(parts) if parts else None,
    )


class CollectedPredictions:
    """What was found of all cells, from chunks in any order.

    Parameters
    ----------
    model : Predicts
    observer : Observer or None
    count : int
        Cells in all.
    """

    def __init__(self, model: Predicts, observer: Observer | None, count: int) -> None:
        self.observer = observer
        self.balanced: FloatArray = np.zeros((count, len(model.classes)), np.float32)
        knows = observer is not None and model.training_cells is not None
        #: Of each cell; None where the model knows no training cells.
        self.digests: Digests | None = np.zeros(count, np.uint64) if knows else None

    def take(self, chunk: ChunkOfPredictions) -> None:
        """Put a chunk in its place."""
        self.balanced[chunk.positions] = chunk.balanced
        if self.digests is not None:
            self.digests[chunk.positions] = chunk.digests
        if self.observer is not None:
            self.observer.take(chunk.measured)

    def take_all(self, chunks: Iterable[ChunkOfPredictions]) -> Job[None]:
        """Put all chunks in their places; a job with a step for each."""
        for index, chunk in enumerate(chunks):
            self.take(chunk)
            yield Progress(index, index + 1, "putting the predictions together")
