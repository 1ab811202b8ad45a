"""A folder that holds the answers of what-if block by block until all are there.

Each block is a file that is written whole, so one that is there is done. It carries a hash of what
it depends on: what is left over from another run, or from images that were changed since, counts as
missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import shutil
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from napari_channelmix.atomic_write import write_json, write_whole
from napari_channelmix.errors import DataError
from napari_channelmix.report.prediction_parts import other_run
from napari_channelmix.stored_files import Stored, read_content
from napari_channelmix.whatif.responses import AxisResponses, Responses
from napari_channelmix.whatif.smallest_change import CellChanges, Change
from napari_channelmix.whatif.what_if_task import ChunkOfAnswers
from napari_channelmix.wording import path_shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

    from napari_channelmix.whatif.responses import AxisGrid

    IntArray = npt.NDArray[np.int64]

__all__ = ["ADVICE", "WhatIfParts"]

FACTS = "facts.json"
ADVICE = "choose another folder, or delete this one to start again"


class _Facts(Stored):
    facts: dict[str, Any]


class WhatIfParts:
    """The blocks of cells that are answered, in a folder.

    Parameters
    ----------
    folder : path
        Made with the first block.
    facts : dict
        What the answers depend on, for JSON.
    chunks : sequence of (n,) int64 array
        Positions of the cells of each block.
    grids : sequence of AxisGrid
        What is asked of each cell.
    classes : int
        Classes of the model.
    files : sequence of str
        Of each block, a hash of the image files that it is read from.

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
        self.folder, self._chunks, self._grids = folder, chunks, tuple(grids)
        self._classes, self._files = classes, files
        order = hashlib.blake2b(digest_size=16)
        for positions in chunks:
            order.update(positions.astype("<i8").tobytes())
        for grid in self._grids:
            order.update(f"{grid.axis.name} {grid.scope}".encode())
            order.update(grid.amounts.astype("<f4").tobytes())
        self._facts = json.loads(json.dumps({**facts, "order": order.hexdigest()}))
        self._key = hashlib.blake2b(
            json.dumps(self._facts, sort_keys=True).encode(), digest_size=16
        ).hexdigest()
        self._begun = self._is_begun()

    def _is_begun(self) -> bool:
        if not self.folder.exists():
            return False
        shown = path_shown(self.folder)
        try:
            theirs = read_content(self.folder / FACTS, _Facts)["facts"]
        except DataError:
            if self.folder.is_dir() and not any(self.folder.iterdir()):
                return False
            raise DataError(f"{shown} was not made by this command; {ADVICE}") from None
        if other := other_run(theirs, self._facts):
            raise DataError(f"{shown} was made with {other}; {ADVICE}")
        return True

    def missing(self) -> list[int]:
        """Blocks that are not done, rising; a damaged file counts as missing."""
        if not self._begun:
            return list(range(len(self._chunks)))
        return [index for index in range(len(self._chunks)) if self.read(index) is None]

    def put(self, index: int, chunk: ChunkOfAnswers) -> None:
        """Keep a block.

        Raises
        ------
        SaveError
            Disk full and the like; the blocks before are intact.
        """
        if not self._begun:
            write_json(self.folder / FACTS, {"facts": self._facts})
            self._begun = True
        arrays: dict[str, Any] = {
            "key": np.array(self._key),
            "files": np.array(self._files[index]),
            "positions": chunk.responses.positions,
            "base": chunk.responses.base,
            "changes": np.array(json.dumps([_as_dict(row) for row in chunk.changes])),
        }
        for place, row in enumerate(chunk.responses.axes):
            arrays |= {f"probabilities_{place}": row.probabilities, f"inside_{place}": row.inside}

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **arrays)

        write_whole(self._file(index), write)

    def read(self, index: int) -> ChunkOfAnswers | None:
        """A block that is done, or None."""
        try:
            with (
                self._file(index).open("rb") as stream,
                np.load(stream, allow_pickle=False) as file,
            ):
                arrays = {name: file[name] for name in file.files}
            chunk = self._chunk(arrays, index)
        # A file that is missing, cut off, or something else.
        except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile):
            return None
        return chunk

    def _chunk(self, arrays: dict[str, Any], index: int) -> ChunkOfAnswers | None:
        if str(arrays["key"]) != self._key or str(arrays["files"]) != self._files[index]:
            return None
        positions, base = self._chunks[index], arrays["base"]
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

    def remove(self) -> None:
        """Take the folder away: the result holds all of it."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)

    def _file(self, index: int) -> Path:
        return self.folder / f"{index:06d}.npz"


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
