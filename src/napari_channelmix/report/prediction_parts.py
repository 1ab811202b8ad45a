"""Predictions of a data set, kept chunk by chunk until all are there; see `kept_chunks`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.prediction_chunks import ChunkOfPredictions
from napari_channelmix.data.crop_profile import MeasuredCrops
from napari_channelmix.report.kept_chunks import KeptChunks

__all__ = ["PredictionParts"]

IntArray = npt.NDArray[np.int64]

# The fact that needs the pixels of some cells, which may lie in an image that is damaged for now.
PIXELS = "cells"
# Before the names of what `MeasuredCrops` holds.
MEASURED = "measured_"


class PredictionParts(KeptChunks[ChunkOfPredictions]):
    """The chunks of a data set that are classified, in a folder.

    Parameters
    ----------
    folder, chunks, files
        As of `KeptChunks`.
    facts : dict
        What the predictions depend on, for JSON; ``cells`` is empty where their pixels cannot be
        read.
    classes : int
        Classes of the model.

    Raises
    ------
    DataError
        A folder of another run, or that is none of ours.
    """

    def __init__(
        self,
        folder: Path,
        facts: dict[str, Any],
        chunks: Sequence[IntArray],
        classes: int,
        files: Sequence[str],
    ) -> None:
        self._classes = classes
        super().__init__(folder, facts, chunks, files, passing=PIXELS)

    def _arrays(self, chunk: ChunkOfPredictions) -> dict[str, Any]:
        arrays: dict[str, Any] = {
            "positions": chunk.positions,
            "balanced": chunk.balanced,
            "digests": chunk.digests,
        }
        if chunk.measured is not None:
            measured = vars(chunk.measured)
            arrays |= {f"{MEASURED}{name}": values for name, values in measured.items()}
        return arrays

    def _chunk(self, arrays: dict[str, Any], positions: IntArray) -> ChunkOfPredictions | None:
        measured = {
            name.removeprefix(MEASURED): arrays.pop(name)
            for name in list(arrays)
            if name.startswith(MEASURED)
        }
        chunk = ChunkOfPredictions(
            **arrays, measured=MeasuredCrops(**measured) if measured else None
        )
        fits = (
            np.array_equal(chunk.positions, positions)
            and chunk.balanced.shape == (len(positions), self._classes)
            and len(chunk.digests) in (0, len(positions))
        )
        return chunk if fits else None
