"""A folder of maps that is filled chunk by chunk, and never mixed with maps of another kind."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import zarr

from napari_channelmix.atomic_write import write_json
from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.stored_files import (
    MIB,
    Stored,
    parsed_json,
    read_content,
    read_text,
    validated,
)
from napari_channelmix.wording import brief, shown_error

__all__ = ["METHOD_VERSION", "MapStore", "opened_array", "read_maps"]

FloatArray = npt.NDArray[np.float32]

AXES = {
    "maps": ("cell", "y", "x"),
    "magnitude": ("cell", "y", "x"),
    "channel_maps": ("cell", "channel", "y", "x"),
    "standard_error": ("cell", "y", "x"),
}
# The fact that tells maps of a method from those it gave before; folders of earlier versions have
# none: they are read when they are finished, and not gone on with.
METHOD_VERSION = "method version"
# The largest crop there is.
LARGEST = 4096
# Bytes of what the attributes say of the cells; beyond, the table beside the maps says it alone.
LONGEST_ABOUT = 4 * MIB
TABLE = "cells.csv"
# How a message names what must not differ; the rest by its own name.
WORDS = {
    "model": "another model",
    "cells": "other cells (or other pixels in them)",
    "n": "{} cells instead of {}",
    "version": "napari-channelmix {} instead of {}",
}


@dataclass
class MapStore:
    """Maps in zarr arrays (version 3), and beside them a JSON file for each finished chunk.

    The file of a chunk is written last: a chunk without one is not done, whatever its pixels say.
    All carry the id of the run that began the folder, so files that are left over from another
    one count as missing.

    Attributes
    ----------
    folder : path
    facts : dict
        What the maps depend on; kept in the attributes of each array.
    run : str or None
        Id of the run; None while nothing is kept.
    cells : dict
        Which cell each map is of, for whoever opens ``maps.zarr`` alone; kept in its attributes.
    earlier : bool
        Whether the maps that are kept are of an earlier version of the method.
    """

    folder: Path
    facts: dict[str, Any]
    run: str | None = None
    cells: dict[str, Any] = field(default_factory=dict, repr=False)
    earlier: bool = False

    @classmethod
    def opened(
        cls, folder: Path, facts: dict[str, Any], cells: dict[str, Any] | None = None
    ) -> MapStore:
        """Look into a folder, which may be missing or empty.

        Raises
        ------
        DataError
            Maps that do not come from the same model, cells and settings.
        """
        folder = Path(folder)
        path = folder / "maps.zarr"
        if not path.exists() or _is_begun_only(path):
            left = [
                name
                for name in AXES
                if (folder / f"{name}.zarr").exists()
                and not _is_begun_only(folder / f"{name}.zarr")
            ]
            if left:
                raise DataError(f"{folder / left[0]}.zarr is there without maps.zarr; {_ADVICE}")
            return cls(folder, facts, cells=cells or {})
        try:
            about = validated(
                parsed_json(read_text(path / "zarr.json", most=16 * MIB)), _Array, where=str(path)
            ).attributes
        except ValueError as error:
            # So is `DataError`.
            raise DataError(f"{path} was not made by this command; {_ADVICE}") from error
        run, theirs = about.run, about.facts
        earlier = METHOD_VERSION in facts and METHOD_VERSION not in theirs
        other = [
            WORDS.get(name, f"{name} {{}} instead of {{}}").format(
                brief(theirs.get(name)), brief(facts[name])
            )
            for name in facts
            if theirs.get(name) != facts[name] and not (earlier and name == METHOD_VERSION)
        ]
        if other:
            raise DataError(f"{path} was made with {', '.join(other)}; {_ADVICE}")
        return cls(folder, facts, run, cells or {}, earlier)

    @property
    def paths(self) -> tuple[Path, ...]:
        """The arrays that are there."""
        every = [self.folder / f"{name}.zarr" for name in AXES]
        return tuple(path for path in every if path.exists())

    def refuse_without(self, names: Iterable[str]) -> None:
        """Refuse to go on in a folder that was begun without some of the arrays.

        Raises
        ------
        DataError
            An array that an earlier version did not keep, or that was deleted since; maps of an
            earlier version of the method.
        """
        if self.earlier:
            raise DataError(
                f"{self.folder} is not finished, and its maps are of an earlier version of the "
                f"method, which gave others; {_ADVICE}"
            )
        lacking = {f"{name}.zarr" for name in names} - {path.name for path in self.paths}
        if self.run is not None and lacking:
            gone = ", ".join(sorted(lacking))
            raise DataError(f"{self.folder} is not finished, but has no {gone}; {_ADVICE}")

    def put(
        self,
        index: int,
        rows: slice,
        count: int,
        arrays: dict[str, FloatArray],
        about: dict[str, Any],
    ) -> None:
        """Keep the maps of a chunk.

        Parameters
        ----------
        index : int
            Which chunk; all but the last have as many rows as the first.
        rows : slice
        count : int
            Rows in all.
        arrays : dict of str to float32 array
            ``maps`` (n, Y, X) and what else there is, see ``AXES``.
        about : dict
            For `part`.

        Raises
        ------
        SaveError
            Disk full and the like; the chunks before are intact.
        """
        try:
            # Whichever chunk is kept first: the last, which may be smaller, does not decide.
            self._begin(arrays, count, rows.start // index if index else rows.stop)
            for name, values in arrays.items():
                self._forget(index, name)
                path, shape = self.folder / f"{name}.zarr", (count, *values.shape[1:])
                opened_array(path, shape, mode="r+")[rows] = values
        except OSError as error:
            raise SaveError(f"could not save {self.folder}: {error.strerror or error}") from error
        write_json(self._file(index), {"run": self.run, **about})

    def _forget(self, index: int, name: str) -> None:
        """Delete pixels of a chunk that is not done: what a killed run left may not be readable."""
        left = self.folder / f"{name}.zarr" / "c" / str(index)
        if left.is_dir():
            shutil.rmtree(left)

    def _begin(self, arrays: dict[str, FloatArray], count: int, size: int) -> None:
        """Make the arrays with the first chunk: a run that fails before leaves nothing behind."""
        if self.run is not None:
            return
        run = uuid.uuid4().hex
        self.folder.mkdir(parents=True, exist_ok=True)
        for left in self.folder.glob(".*.zarr.part"):
            shutil.rmtree(left)
        # maps.zarr comes last: it says that all are there. Each is made under another name, so
        # that a run that is killed meanwhile leaves none that is half made.
        for name in sorted(arrays, key=lambda name: name == "maps"):
            first, path = arrays[name], self.folder / f"{name}.zarr"
            half = self.folder / f".{name}.zarr.part"
            zarr.create_array(
                half,
                shape=(count, *first.shape[1:]),
                dtype="float32",
                chunks=(size, *first.shape[1:]),
                fill_value=np.nan,
                dimension_names=AXES[name],
                attributes={"run": run, "facts": self.facts, **self._about(name)},
            )
            if path.exists():
                # Of a run that was killed before maps.zarr: see `opened`.
                shutil.rmtree(path)
            half.rename(path)
        self.run = run

    def _about(self, name: str) -> dict[str, Any]:
        """Attributes of an array that say which cell each row is."""
        if name != "maps" or not self.cells:
            return {}
        if len(json.dumps(self.cells)) > LONGEST_ABOUT:
            return {"table": TABLE}
        return {"table": TABLE, "cells": self.cells}

    def maps(self, rows: slice, name: str = "maps") -> FloatArray:
        """Maps (n, Y, X) that are kept, or the array ``magnitude``.

        Raises
        ------
        DataError
            An array that is damaged.
        """
        return read_maps(self.folder / f"{name}.zarr", rows)

    def part(self, index: int, method: str = "") -> dict[str, Any] | None:
        """What is kept of a chunk, or of its scores by a method; None where it is not done."""
        if self.run is None:
            return None
        try:
            content = read_content(self._file(index, method), _Part)
        except DataError:
            return None
        return content if content["run"] == self.run else None

    def put_scores(self, index: int, method: str, scores: dict[str, Any]) -> None:
        """Keep the scores of a chunk by a method, or under ``left_out`` why there are none."""
        write_json(self._file(index, method), {"run": self.run, **scores})

    def left_out(self, methods: Iterable[str], chunks: int) -> dict[str, tuple[int, str]]:
        """Methods that cannot be measured with this model: from which chunk on, and why."""
        reasons = {}
        for name in methods:
            for index in range(chunks):
                scores = self.part(index, name)
                if scores is not None and "left_out" in scores:
                    reasons[name] = index, str(scores["left_out"])
                    break
        return reasons

    def _file(self, index: int, method: str = "") -> Path:
        return self.folder / "parts" / f"{index:05d}{'-' if method else ''}{method}.json"


def opened_array(
    path: Path, shape: tuple[int, ...] | None = None, *, mode: Literal["r", "r+"] = "r"
) -> Any:
    """An array of a store, of this shape where one is given.

    Raises
    ------
    DataError
        None, or one that would be read in pieces larger than a crop can be.
    """
    try:
        array: Any = zarr.open_array(path, mode=mode)
    # A damaged store raises anything from KeyError to errors of zarr's own.
    except Exception as error:
        raise DataError(f"{path}: damaged ({shown_error(error)}); {_ADVICE}") from error
    if shape is not None and array.shape != shape:
        raise DataError(f"{path}: its shape is {array.shape}, not {shape}; {_ADVICE}")
    # Before memory is asked for: a description can say anything.
    if any(size > LARGEST for size in array.shape[1:]) or any(
        chunk > max(size, 1) for chunk, size in zip(array.chunks, array.shape, strict=True)
    ):
        raise DataError(f"{path}: damaged (chunks of {array.chunks} pixels); {_ADVICE}")
    return array


def read_maps(path: Path, rows: slice, shape: tuple[int, ...] | None = None) -> FloatArray:
    """Maps (n, Y, X) of an array; see `opened_array`."""
    array = opened_array(path, shape)
    try:
        return np.asarray(array[rows], dtype=np.float32)
    except Exception as error:
        raise DataError(f"{path}: damaged ({shown_error(error)}); {_ADVICE}") from error


def _is_begun_only(path: Path) -> bool:
    """Whether an array of ours holds no pixels: a run was killed before it kept the first of them.

    Such an array is as good as none, for whatever cells it was begun; so is one whose description
    was not finished. One that says it is something else is not ours.
    """
    if not path.is_dir() or path.is_symlink():
        return False
    if not all(entry.name.startswith("zarr.") for entry in path.iterdir()):
        return False
    try:
        content = parsed_json(read_text(path / "zarr.json", most=16 * MIB))
    except ValueError:
        # So is `DataError`.
        return True
    try:
        validated(content, _Array, where=str(path))
    except DataError:
        return False
    return True


class _Part(Stored):
    run: str


class _Attributes(Stored):
    run: str
    facts: dict[str, Any]


class _Array(Stored):
    """The ``zarr.json`` of an array of ours."""

    attributes: _Attributes


_ADVICE = "choose another folder, or delete this one to start again"
