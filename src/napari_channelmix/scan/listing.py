"""The files of a folder, listed without opening any: images, and what is left out with a reason."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from napari_channelmix.data.natural_order import natural_key
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

TABLES = (".csv", ".tsv", ".txt", ".geojson", ".h5ad", ".csv.gz", ".tsv.gz")
_THUMBNAIL = re.compile(r"(^|[_\s.-])thumb(nail)?s?($|[_\s.\d-])", re.IGNORECASE)
_SYSTEM = {"thumbs.db", "desktop.ini", "ehthumbs.db", "icon\r", "__macosx"}
# Kinds of images that are known and not read here.
_FOREIGN = {
    ".czi": "Zeiss CZI",
    ".nd2": "Nikon ND2",
    ".lif": "Leica LIF",
    ".flex": "Opera FLEX",
    ".vsi": "Olympus VSI",
    ".oib": "Olympus OIB",
    ".oif": "Olympus OIF",
    ".ims": "Imaris",
    ".svs": "Aperio SVS",
    ".c01": "Cellomics C01",
    ".dib": "Cellomics DIB",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".h5": "HDF5",
    ".jp2": "JPEG 2000",
}


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
    while walk.waiting:
        walk.next_entries()
        yield Progress(walk.count, walk.count + STEP, f"listing {walk.count:,} files")
    if walk.error is not None and not walk.count:
        raise DataError(f"{path_shown(folder)}: cannot be listed ({walk.error})")
    notes = []
    if walk.count >= MOST_FILES:
        notes.append(
            f"only the first {MOST_FILES:,} files are listed; scan a folder below this one"
        )
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
        self.error: str | None = None
        self.waiting: list[tuple[str, str, int]] = [(str(folder), "", 0)]
        self._seen = {os.path.realpath(folder)}
        self._open: Iterator[os.DirEntry[str]] | None = None
        self._start = ("", 0)

    def next_entries(self) -> None:
        """List up to a step's entries of the folder in hand."""
        if self._open is None:
            path, start, depth = self.waiting[-1]
            try:
                self._open = os.scandir(path)
            except OSError as error:
                self.error = error.strerror or str(error)
                self.left_out.append(LeftOut(start or ".", f"cannot be listed ({self.error})"))
                self.waiting.pop()
                return
            self._start = (start, depth)
        folder = self.waiting.pop()
        below: list[tuple[str, str, int]] = []
        for _ in range(STEP):
            entry = next(self._open, None)
            if entry is None:
                self._open.close()  # type: ignore[attr-defined]
                self._open = None
                break
            self.count += 1
            if self.count >= MOST_FILES:
                self.waiting.clear()
                return
            self._take(entry, below)
        if self._open is None:
            self.waiting += below
        else:
            self.waiting = [*self.waiting, *below, folder]

    def _take(self, entry: os.DirEntry[str], below: list[tuple[str, str, int]]) -> None:
        start, depth = self._start
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
            self._take_folder(entry, path, below, depth)
        elif lower.endswith(SUFFIXES):
            if entry.is_symlink() and not Path(entry.path).exists():
                self.left_out.append(LeftOut(path, "a link that leads to no file"))
            else:
                self.images.append(path)
        elif lower.endswith(TABLES):
            self.tables.append(path)
        else:
            kind = _FOREIGN.get(f".{lower.rpartition('.')[2]}")
            self.left_out.append(
                LeftOut(
                    path, f"{kind} files are not read; export them as TIFF" if kind else "no image"
                )
            )

    def _take_folder(
        self, entry: os.DirEntry[str], path: str, below: list[tuple[str, str, int]], depth: int
    ) -> None:
        if entry.name.casefold().endswith(".zarr") or _is_zarr(entry.path):
            (self.plates if is_plate(entry.path) else self.images).append(path)
            return
        if depth >= DEPTH:
            self.deep.append(path)
            return
        if entry.is_symlink():
            real = os.path.realpath(entry.path)
            if real in self._seen:
                self.left_out.append(LeftOut(path, "a link to a folder that is listed already"))
                return
            self._seen.add(real)
        below.append((entry.path, path, depth + 1))


def _odd(name: str) -> str:
    """Why a file or folder is none of the data, or nothing."""
    if name.casefold() in _SYSTEM:
        return "a file of the system"
    if name.startswith("."):
        return "hidden"
    if name.startswith("~$") or name.casefold().endswith((".part", ".tmp", ".bak")):
        return "a temporary file"
    if _THUMBNAIL.search(name):
        return "a thumbnail"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "its name is no Unicode text"
    return ""


def _is_zarr(path: str) -> bool:
    return any(Path(path, name).exists() for name in (".zattrs", ".zgroup"))


def is_plate(path: str | Path) -> bool:
    """Whether the metadata of an OME-Zarr folder name a plate."""
    for name in ("zarr.json", ".zattrs"):
        try:
            with Path(path, name).open(encoding="utf-8") as file:
                return '"plate"' in file.read(2**20)
        except (OSError, ValueError):
            continue
    return False
