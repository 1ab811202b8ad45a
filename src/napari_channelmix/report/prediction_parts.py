"""A folder that holds predictions chunk by chunk until all are there; never of another run.

Each chunk is a file that is written whole, so one that is there is done. It carries a hash of what
it depends on, of its image files, and the positions of its cells: what is left over from another
run, or from images that were changed since, counts as missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_json, write_whole
from napari_channelmix.classify.prediction_chunks import ChunkOfPredictions
from napari_channelmix.data.crop_profile import MeasuredCrops
from napari_channelmix.errors import DataError
from napari_channelmix.stored_files import Stored, read_content
from napari_channelmix.wording import brief, path_shown

__all__ = ["PredictionParts", "other_run"]

IntArray = npt.NDArray[np.int64]

FACTS, PIXELS = "facts.json", "cells"
# Before the names of what `MeasuredCrops` holds.
MEASURED = "measured_"
# How a message names what must not differ; the rest by its own name.
WORDS = {
    "model": "another model",
    "cells": "other cells (or other pixels in them)",
    "n": "{} cells instead of {}",
    "boxes": "other cells (or other pixels in them)",
    "order": "other cells (or other pixels in them)",
    "version": "napari-channelmix {} instead of {}",
}
ADVICE = "choose another folder, or delete this one to start again"


class _Facts(Stored):
    facts: dict[str, Any]


class PredictionParts:
    """The chunks of a data set that are classified, in a folder.

    Parameters
    ----------
    folder : path
        Made with the first chunk.
    facts : dict
        What the predictions depend on, for JSON; ``cells`` is empty where their pixels cannot be
        read.
    chunks : sequence of (n,) int64 array
        Positions of the cells of each chunk.
    classes : int
        Classes of the model.
    files : sequence of str
        Of each chunk, a hash of the image files that it is read from: one whose images were changed
        since, or are there again, is computed anew.

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
        self.folder, self._chunks, self._classes, self._files = folder, chunks, classes, files
        order = hashlib.blake2b(digest_size=16)
        for positions in chunks:
            order.update(positions.astype("<i8").tobytes())
        self._facts = {**facts, "order": order.hexdigest()}
        # Without the pixels of some cells, which may lie in an image that is damaged for now.
        lasting = {name: value for name, value in self._facts.items() if name != PIXELS}
        self._key = hashlib.blake2b(
            json.dumps(lasting, sort_keys=True).encode(), digest_size=16
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
        ours = dict(self._facts)
        if not theirs.get(PIXELS, "-") or not ours[PIXELS]:
            # They could not be read then, or cannot be now.
            ours[PIXELS] = theirs.get(PIXELS)
        other = other_run(theirs, ours)
        if other:
            raise DataError(f"{shown} was made with {other}; {ADVICE}")
        return True

    def missing(self) -> list[int]:
        """Chunks that are not done, rising; a damaged file counts as missing."""
        if not self._begun:
            return list(range(len(self._chunks)))
        return [index for index in range(len(self._chunks)) if self.read(index) is None]

    def put(self, index: int, chunk: ChunkOfPredictions) -> None:
        """Keep a chunk.

        Raises
        ------
        SaveError
            Disk full and the like; the chunks before are intact.
        """
        if not self._begun:
            write_json(self.folder / FACTS, {"facts": self._facts})
            self._begun = True
        arrays: dict[str, Any] = {
            "key": np.array(self._key),
            "files": np.array(self._files[index]),
            "positions": chunk.positions,
            "balanced": chunk.balanced,
            "digests": chunk.digests,
        }
        if chunk.measured is not None:
            measured = vars(chunk.measured)
            arrays |= {f"{MEASURED}{name}": values for name, values in measured.items()}

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **arrays)

        write_whole(self._file(index), write)

    def read(self, index: int) -> ChunkOfPredictions | None:
        """A chunk that is done, or None."""
        path, positions = self._file(index), self._chunks[index]
        try:
            with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
                arrays = {name: file[name] for name in file.files}
        # A file that is missing, cut off, or something else.
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile):
            return None
        measured = {
            name.removeprefix(MEASURED): arrays.pop(name)
            for name in list(arrays)
            if name.startswith(MEASURED)
        }
        try:
            if (
                str(arrays.pop("key")) != self._key
                or str(arrays.pop("files")) != self._files[index]
            ):
                return None
            chunk = ChunkOfPredictions(
                **arrays, measured=MeasuredCrops(**measured) if measured else None
            )
        except (KeyError, TypeError):
            return None
        fits = (
            np.array_equal(chunk.positions, positions)
            and chunk.balanced.shape == (len(positions), self._classes)
            and len(chunk.digests) in (0, len(positions))
        )
        return chunk if fits else None

    def remove(self) -> None:
        """Take the folder away: the result holds all of it."""
        with contextlib.suppress(OSError):
            shutil.rmtree(self.folder)

    def _file(self, index: int) -> Path:
        return self.folder / f"{index:06d}.npz"


def other_run(theirs: dict[str, Any], ours: dict[str, Any]) -> str:
    """What differs in what two runs depend on, in words; empty where nothing does."""
    words = [
        WORDS.get(name, f"{name} {{}} instead of {{}}").format(
            brief(theirs.get(name)), brief(ours[name])
        )
        for name in ours
        if theirs.get(name) != ours[name]
    ]
    return ", ".join(dict.fromkeys(words))
