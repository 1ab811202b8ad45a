"""Answers of what-if, kept block by block until all are there; see `kept_chunks`."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.report.kept_chunks import ADVICE, KeptChunks
from napari_channelmix.whatif.responses import AxisResponses, Responses
from napari_channelmix.whatif.smallest_change import CellChanges, Change
from napari_channelmix.whatif.what_if_task import ChunkOfAnswers

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from napari_channelmix.whatif.responses import AxisGrid

    IntArray = npt.NDArray[np.int64]

__all__ = ["ADVICE", "WhatIfParts"]


class WhatIfParts(KeptChunks[ChunkOfAnswers]):
    """The blocks of cells that are answered, in a folder.

    Parameters
    ----------
    folder, facts, chunks, files
        As of `KeptChunks`.
    grids : sequence of AxisGrid
        What is asked of each cell.
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
        grids: Sequence[AxisGrid],
        classes: int,
        files: Sequence[str],
    ) -> None:
        self._grids, self._classes = tuple(grids), classes
        parts = [
            f"{grid.axis.name} {grid.scope}".encode() + grid.amounts.astype("<f4").tobytes()
            for grid in self._grids
        ]
        super().__init__(folder, facts, chunks, files, order=b"".join(parts))

    def _arrays(self, chunk: ChunkOfAnswers) -> dict[str, Any]:
        arrays: dict[str, Any] = {
            "positions": chunk.responses.positions,
            "base": chunk.responses.base,
            "changes": np.array(json.dumps([_as_dict(row) for row in chunk.changes])),
        }
        for place, row in enumerate(chunk.responses.axes):
            arrays |= {f"probabilities_{place}": row.probabilities, f"inside_{place}": row.inside}
        return arrays

    def _chunk(self, arrays: dict[str, Any], positions: IntArray) -> ChunkOfAnswers | None:
        base = arrays["base"]
        if not np.array_equal(arrays["positions"], positions):
            return None
        if base.shape != (len(positions), self._classes):
            return None
        axes = []
        for place, grid in enumerate(self._grids):
            probabilities, inside = arrays[f"probabilities_{place}"], arrays[f"inside_{place}"]
            shape = len(positions), len(grid.amounts)
            if probabilities.shape != (*shape, self._classes) or inside.shape != shape:
                return None
            axes.append(
                AxisResponses(grid.axis.name, grid.scope, grid.amounts, probabilities, inside)
            )
        changes = tuple(_from_dict(row) for row in json.loads(str(arrays["changes"])))
        return ChunkOfAnswers(Responses(positions, base, tuple(axes)), changes)


def _as_dict(cell: CellChanges) -> dict[str, Any]:
    changes = [
        {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in vars(change).items()
        }
        for change in cell.changes
    ]
    return {**vars(cell), "changes": changes}


def _from_dict(content: dict[str, Any]) -> CellChanges:
    changes = tuple(
        Change(**{name: _value(value) for name, value in change.items()})
        for change in content["changes"]
    )
    return CellChanges(**{**content, "changes": changes})


def _value(value: Any) -> Any:
    if isinstance(value, list):
        return tuple(value)
    return float("nan") if value is None else value
