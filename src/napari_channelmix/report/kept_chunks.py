"""A folder that holds a long result chunk by chunk until all are there; never of another run.

Each chunk is a file that is written whole, so one that is there is done. It carries a hash of what
it depends on and of its image files: what is left over from another run, or from images that were
changed since, counts as missing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from napari_channelmix.atomic_write import write_json, write_whole
from napari_channelmix.errors import DataError
from napari_channelmix.stored_files import Stored, read_content
from napari_channelmix.wording import brief, path_shown

__all__ = ["ADVICE", "KeptChunks", "other_run"]

IntArray = npt.NDArray[np.int64]
Chunk = TypeVar("Chunk")

FACTS = "facts.json"
ADVICE = "choose another folder, or delete this one to start again"
# How a message names what must not differ; the rest by its own name.
WORDS = {
    "model": "another model",
    "cells": "other cells (or other pixels in them)",
    "n": "{} cells instead of {}",
    "boxes": "other cells (or other pixels in them)",
    "order": "other cells (or other pixels in them)",
    "version": "napari-channelmix {} instead of {}",
}


class _Facts(Stored):
    facts: dict[str, Any]


class KeptChunks(Generic[Chunk]):
    """Chunks of cells that are done, in a folder.

    Parameters
    ----------
    folder : path
        Made with the first chunk.
    facts : dict
        What the result depends on, for JSON.
    chunks : sequence of (n,) int64 array
        Positions of the cells of each chunk.
    files : sequence of str
        Of each chunk, a hash of the image files that it is read from: one whose images were changed
        since, or are there again, is computed anew.
    order : bytes
        What else tells one run from another.
    passing : str
        A fact that may be empty where it could not be known; it is not compared then.

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
        files: Sequence[str],
        order: bytes = b"",
        passing: str = "",
    ) -> None:
        self.folder, self._chunks, self._files, self._passing = folder, chunks, files, passing
        digest = hashlib.blake2b(digest_size=16)
        for positions in chunks:
            digest.update(positions.astype("<i8").tobytes())
        digest.update(order)
        self._facts = json.loads(json.dumps({**facts, "order": digest.hexdigest()}))
        lasting = {name: value for name, value in self._facts.items() if name != passing}
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
        if self._passing and (not theirs.get(self._passing, "-") or not ours[self._passing]):
            # It could not be known then, or cannot be now.
            ours[self._passing] = theirs.get(self._passing)
        if other := other_run(theirs, ours):
            raise DataError(f"{shown} was made with {other}; {ADVICE}")
        return True

    def missing(self) -> list[int]:
        """Chunks that are not done, rising; a damaged file counts as missing."""
        if not self._begun:
            return list(range(len(self._chunks)))
        return [index for index in range(len(self._chunks)) if self.read(index) is None]

    def put(self, index: int, chunk: Chunk) -> None:
        """Keep a chunk.

        Raises
        ------
        SaveError
            Disk full and the like; the chunks before are intact.
        """
        if not self._begun:
            write_json(self.folder / FACTS, {"facts": self._facts})
            self._begun = True
        arrays = {
            "key": np.array(self._key),
            "files": np.array(self._files[index]),
            **self._arrays(chunk),
        }

        def write(path: Path) -> None:
            with path.open("wb") as file:
                np.savez(file, **arrays)

        write_whole(self._file(index), write)

    def read(self, index: int) -> Chunk | None:
        """A chunk that is done, or None."""
        try:
            with (
                self._file(index).open("rb") as stream,
                np.load(stream, allow_pickle=False) as file,
            ):
                arrays = {name: file[name] for name in file.files}
            mine = str(arrays.pop("key")) == self._key
            if not mine or str(arrays.pop("files")) != self._files[index]:
                return None
            return self._chunk(arrays, self._chunks[index])
        # A file that is missing, cut off, or something else.
        except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile):
            return None

    def _arrays(self, chunk: Chunk) -> dict[str, Any]:
        """What is kept of a chunk, by name."""
        raise NotImplementedError

    def _chunk(self, arrays: dict[str, Any], positions: IntArray) -> Chunk | None:
        """A chunk of these arrays, or None where they are not of these cells."""
        raise NotImplementedError

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
