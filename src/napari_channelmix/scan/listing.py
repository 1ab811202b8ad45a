"""The files of a folder, listed without opening any: images, and what is left out with a reason."""

from __future__ import annotations

import importlib.util
import os
import re
import unicodedata
from collections import deque
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.data.vendor_files import CONVERTED, READERS
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.scan.pattern import SUFFIXES
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.wording import path_shown

__all__ = ["DEPTH", "MOST_FILES", "Listing", "is_plate", "list_job"]

# Folders below folders, and entries, that are looked at.
DEPTH, MOST_FILES = 8, 200_000
# Entries of a step.
STEP = 2000

TABLES = (".csv", ".tsv", ".geojson", ".h5ad", ".csv.gz", ".tsv.gz")
_THUMBNAIL = re.compile(r"(^|[_\s.-])thumb(nail)?s?($|[_\s.\d-])", re.IGNORECASE)
_SYSTEM = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx"}
# Pictures of other programs, or of our own kinds of data, that are not read here.
_PICTURES = (".bmp", ".gif", ".jp2", ".c01", ".dib", ".psd", ".webp", ".heic")


@dataclass(frozen=True)
class Listing:
    """What lies in a folder; paths are relative to it, with ``/`` between folders.

    Attributes
    ----------
    folder : Path
    images, tables : tuple of str
        In natural order.
    plates : tuple of str
        Folders of OME-Zarr that hold a plate.
    left_out : tuple of LeftOut
    notes : tuple of str
        What was cut off.
    """

    folder: Path
    images: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    plates: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def list_job(folder: str | Path) -> Job[Listing]:
    """List a folder and those below it.

    Raises
    ------
    DataError
        No folder, or one that cannot be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        what = "is a file, not a folder" if folder.exists() else "no such folder"
        raise DataError(f"{path_shown(folder)}: {what}")
    if _is_zarr(str(folder)):
        raise DataError(
            f"{path_shown(folder)}: is an OME-Zarr image or a part of one; scan the folder above"
        )
    walk = _Walk(folder)
    while walk.waiting and walk.count < MOST_FILES:
        yield from walk.one_folder_job()
    if walk.error and not walk.count:
        raise DataError(f"{path_shown(folder)}: cannot be listed ({walk.error})")
    notes = []
    if walk.count >= MOST_FILES:
        notes.append(f"only the first {MOST_FILES:,} files are listed; scan a folder below this")
    if walk.deep:
        notes.append(
            f"folders more than {DEPTH} deep are not looked into (first: {walk.deep[0]}); scan one "
            "of them"
        )
    return Listing(
        folder,
        tuple(sorted(walk.images, key=natural_key)),
        tuple(sorted(walk.tables, key=natural_key)),
        tuple(sorted(walk.plates, key=natural_key)),
        tuple(walk.left_out),
        tuple(notes),
    )


class _Walk:
    """Folders that wait to be listed, and what was met so far."""

    def __init__(self, folder: Path) -> None:
        self.images: list[str] = []
        self.tables: list[str] = []
        self.plates: list[str] = []
        self.left_out: list[LeftOut] = []
        self.deep: list[str] = []
        self.count = 0
        self.error = ""
        # Path, path below the first folder, depth. Links come last: they may lead to the others.
        self.waiting: deque[tuple[str, str, int]] = deque([(str(folder), "", 0)])
        self._seen: set[str] = set()

    def one_folder_job(self) -> Job[None]:
        """List the next folder; a step for some thousand entries, and one for each folder."""
        path, start, depth = self.waiting.pop()
        real = os.path.realpath(path)
        if real in self._seen:
            self.left_out.append(LeftOut(start, "leads to a folder that is listed already"))
            return
        self._seen.add(real)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    self.count += 1
                    self._take(entry, start, depth)
                    if self.count >= MOST_FILES:
                        return
                    if self.count % STEP == 0:
                        yield self._progress()
        except OSError as error:
            self.error = error.strerror or str(error)
            self.left_out.append(LeftOut(start or ".", f"cannot be listed ({self.error})"))
        yield self._progress()

    def _progress(self) -> Progress:
        return Progress(self.count, self.count + STEP, f"listing {self.count:,} files")

    def _take(self, entry: os.DirEntry[str], start: str, depth: int) -> None:
        name = entry.name
        path = f"{start}/{name}" if start else name
        reason = _odd(name)
        if reason:
            self.left_out.append(LeftOut(path, reason))
            return
        lower = name.casefold()
        try:
            is_folder = entry.is_dir()
        except OSError as error:
            self.left_out.append(LeftOut(path, f"cannot be read ({error.strerror or error})"))
            return
        if is_folder:
            self._take_folder(entry, path, depth)
        elif lower.endswith(SUFFIXES):
            lacking = _lacking_reader(lower)
            if lacking:
                self.left_out.append(LeftOut(path, lacking))
            elif entry.is_symlink() and not Path(entry.path).exists():
                self.left_out.append(LeftOut(path, "a link that leads to no file"))
            else:
                self.images.append(path)
        elif lower.endswith(TABLES):
            self.tables.append(path)
        else:
            self.left_out.append(LeftOut(path, _no_image(lower)))

    def _take_folder(self, entry: os.DirEntry[str], path: str, depth: int) -> None:
        if entry.name.casefold().endswith(".zarr") or _is_zarr(entry.path):
            (self.plates if is_plate(entry.path) else self.images).append(path)
        elif depth >= DEPTH:
            self.deep.append(path)
        elif entry.is_symlink():
            self.waiting.appendleft((entry.path, path, depth + 1))
        else:
            self.waiting.append((entry.path, path, depth + 1))


def _odd(name: str) -> str:
    """Why a file or folder is none of the data, or nothing."""
    if name.casefold() in _SYSTEM:
        return "a file of the system"
    if name.startswith("."):
        return "hidden"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "its name holds a control character"
    if name.startswith("~$") or name.casefold().endswith((".part", ".tmp", ".bak")):
        return "a temporary file"
    if _THUMBNAIL.search(name):
        return "a thumbnail"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is no Unicode text"
    return ""


def _no_image(name: str) -> str:
    suffix = f".{name.rpartition('.')[2]}"
    if suffix in CONVERTED:
        return f"{suffix} files are not read; convert them to OME-TIFF (Bio-Formats)"
    if suffix in _PICTURES:
        return f"{suffix} files are not read; save them as TIFF or PNG"
    return "no image"


@cache
def _reader_is_there(module: str) -> bool:
    return importlib.util.find_spec(module) is not None


def _lacking_reader(name: str) -> str:
    """What to install for a file of a microscope's maker, or nothing."""
    suffix = f".{name.rpartition('.')[2]}"
    if suffix not in READERS or _reader_is_there(READERS[suffix]):
        return ""
    return f"needs a reader: pip install 'napari-channelmix[{suffix[1:]}]'"


def _is_zarr(path: str) -> bool:
    return any(Path(path, name).exists() for name in (".zattrs", ".zgroup", "zarr.json"))


def is_plate(path: str | Path) -> bool:
    """Whether the metadata of an OME-Zarr folder name a plate."""
    for name in ("zarr.json", ".zattrs"):
        try:
            with Path(path, name).open(encoding="utf-8") as file:
                return '"plate"' in file.read(2**20)
        except (OSError, ValueError):
            continue
    return False
