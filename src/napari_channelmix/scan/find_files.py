"""Find the files that a table names, where its paths are those of another computer."""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

import numpy as np

from napari_channelmix.data.paths import path_of_text
from napari_channelmix.data.values import BLANKS
from napari_channelmix.errors import DataError
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.parsed_table import ParsedTable

__all__ = ["MOST_FILES", "FileFinder", "rows_with_files"]

# Files and folders that are looked through, and how deep.
MOST_FILES, DEEPEST = 100_000, 8


class FileFinder:
    """Finds files by what a table says of them, then by their names below a folder.

    Parameters
    ----------
    folder : path
        That of the table, or of the images. Nothing outside it is looked through.

    Attributes
    ----------
    by_name : int
        How many texts were found by the name of their file only.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.by_name = 0
        self.cut_off = False
        self._known: dict[tuple[str, str], Path | str] = {}
        self._names: dict[str, list[Path]] | None = None

    def path(self, text: str, folder_text: str = "") -> Path:
        """The file or OME-Zarr folder that a table names.

        Parameters
        ----------
        text : str
            A path, or the name of a file.
        folder_text : str
            Its folder, where the table has it in a column of its own.

        Raises
        ------
        DataError
            No such file, or several of its name.
        """
        key = (text, folder_text)
        if key not in self._known:
            try:
                self._known[key] = self._found(text, folder_text)
            except DataError as error:
                self._known[key] = str(error)
        result = self._known[key]
        if isinstance(result, str):
            raise DataError(result)
        return result

    def _found(self, text: str, folder_text: str) -> Path:
        if not text.strip(BLANKS):
            raise DataError("no file is named")
        joined = f"{folder_text.rstrip('/').rstrip(chr(92))}/{text}" if folder_text else ""
        first: DataError | None = None
        # Addresses write blanks as %20.
        for spelling in filter(None, dict.fromkeys([joined, text, unquote(joined), unquote(text)])):
            try:
                return path_of_text(spelling, self.folder, may_be_folder=True)
            except DataError as error:
                first = first or error
        parts = _parts(joined or text)
        same = self._called(parts[-1]) if parts else []
        if parts and not same:
            parts = [unquote(part) for part in parts]
            same = self._called(parts[-1])
        # Of files of one name in several folders, the one whose folders agree furthest.
        best = max((_agreement(path, parts) for path in same), default=0)
        paths = [path for path in same if _agreement(path, parts) == best]
        if len(paths) == 1:
            self.by_name += 1
            return paths[0]
        if len(paths) > 1:
            raise DataError(
                f"{quoted(parts[-1])} is the name of {len(paths)} files below {self.folder} "
                f"(such as {quoted(paths[0].relative_to(self.folder).as_posix())} and "
                f"{quoted(paths[1].relative_to(self.folder).as_posix())})"
            )
        if first is not None and not parts:
            raise first
        raise DataError(f"no file {quoted(parts[-1])} below {self.folder}")

    def _called(self, name: str) -> list[Path]:
        if self._names is None:
            self._names = defaultdict(list)
            for count, path in enumerate(self._below()):
                if count >= MOST_FILES:
                    self.cut_off = True
                    break
                self._names[_key(path.name)].append(path)
        return self._names.get(_key(name), [])

    def _below(self) -> Iterator[Path]:
        base = len(self.folder.parts)
        for folder, folders, files in os.walk(self.folder):
            folders.sort()
            here = Path(folder)
            deep = len(here.parts) - base >= DEEPEST
            for name in sorted(files):
                yield here / name
            for name in list(folders):
                if name.lower().endswith(".zarr"):
                    yield here / name
                    folders.remove(name)
                elif deep or name.startswith("."):
                    folders.remove(name)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _parts(text: str) -> list[str]:
    return [part for part in PurePosixPath(text.strip().replace("\\", "/")).parts if part != "/"]


def _agreement(path: Path, parts: list[str]) -> int:
    """How many of the last parts of two paths are the same; at least 1, the name itself."""
    count = 0
    for own, other in zip(reversed(path.parts), reversed(parts), strict=False):
        if _key(own) != _key(other):
            break
        count += 1
    return count


def rows_with_files(
    parsed: ParsedTable,
    finder: FileFinder,
    images: Sequence[str],
    files: Sequence[str],
    left_out: list[LeftOut],
) -> pd.DataFrame:
    """Rows of a table whose files are there, with paths relative to the folder of the finder.

    Parameters
    ----------
    parsed : ParsedTable
    finder : FileFinder
    images, files : sequence of str
        Columns of images, and all columns of files.
    left_out : list of LeftOut
        What is not there is added to it.

    Raises
    ------
    DataError
        None of them is.
    """
    rows = parsed.rows
    columns: dict[str, list[str | None]] = {}
    missing: dict[str, tuple[int, int, str]] = {}
    for column in files:
        folder = parsed.folders.get(column)
        folders = rows[folder].tolist() if folder else [""] * len(rows)
        pairs = list(zip(rows[column].tolist(), folders, strict=True))
        paths, why = _paths(finder, pairs, parsed.drawn)
        columns[column] = [paths.get(pair) for pair in pairs]
        if why:
            row = next(row for row, pair in enumerate(pairs) if pair in why)
            missing[column] = row, len(why), why[pairs[row]]
    # A column of which no file is there says where others came from, where there are others.
    gone = [name for name in files if not any(columns[name])]
    if not set(images) <= set(gone):
        for name in gone:
            reason = f"none of its files is there: {missing.pop(name)[2]}"
            left_out.append(LeftOut(f"column {quoted(name)}", reason))
            del columns[name]
        rows = rows.drop(columns=gone)
    there = np.array([all(paths) for paths in zip(*columns.values(), strict=True)], dtype=bool)
    if missing:
        count = sum(number for _, number, _ in missing.values())
        row, column = min((value[0], name) for name, value in missing.items())
        where = f"{rows.index.name or 'line'} {rows.index[row]}, column {quoted(column)}"
        reason = f"(first: {where}: {missing[column][2]})"
        if not there.any():
            raise DataError(
                f"{parsed.path}: none of its {counted(count, 'image')} is there {reason}; "
                "put the table beside its images, or name their folder (images=...)"
            )
        verb = "is" if count == 1 else "are"
        left_out.append(
            LeftOut(
                parsed.path.name,
                f"{counted(int((~there).sum()), 'row')} of {counted(count, 'file')} that "
                f"{verb} not there or not told apart {reason}",
            )
        )
    found = {name: [path or "" for path in paths] for name, paths in columns.items()}
    return rows.assign(**found)[there]


def _paths(
    finder: FileFinder, pairs: Sequence[tuple[str, str]], drawn: Collection[str]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """Files relative to the folder by their texts and folders, and why others are not there."""
    paths: dict[tuple[str, str], str] = {}
    why: dict[tuple[str, str], str] = {}
    for pair in dict.fromkeys(pairs):
        if pair[0] in drawn:
            paths[pair] = pair[0]
            continue
        try:
            paths[pair] = _relative(finder.path(*pair), finder.folder)
        except DataError as error:
            why[pair] = str(error)
    return paths, why


def _relative(path: Path, folder: Path) -> str:
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return str(path.absolute())
