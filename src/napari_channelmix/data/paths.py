"""Paths out of users' texts: of tables, of data-set files, of the command line."""

from __future__ import annotations

import os
import re
import stat
import unicodedata
from collections.abc import Iterator
from pathlib import Path

from napari_channelmix.data.values import BLANKS
from napari_channelmix.errors import DataError
from napari_channelmix.wording import quoted

__all__ = ["path_of_text", "read_bounded", "read_start"]

# What file systems take: bytes of a name, and of a whole path.
LONGEST_NAME, LONGEST_PATH = 255, 4000
# Files of a folder that are looked through for one that is written otherwise.
NEIGHBOURS = 20_000


def path_of_text(text: str, folder: Path, *, may_be_folder: bool = False) -> Path:
    """The file that a text names.

    Blanks around the text are dropped, and backslashes are read as folders, where the path as it
    stands does not exist. Our definition.

    Parameters
    ----------
    text : str
        A path, absolute or relative to ``folder``.
    folder : path
    may_be_folder : bool
        Whether a folder will do, as for OME-Zarr.

    Raises
    ------
    DataError
        No file of that name, a folder, or a text that no file can be called; no error of the
        file system escapes.
    """
    trimmed = text.strip(BLANKS)
    if not trimmed:
        raise DataError("no file is named")
    _refuse_impossible(trimmed)
    for candidate in _spellings(text, trimmed):
        path = folder / candidate
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError):
            continue
        if stat.S_ISDIR(mode) and not may_be_folder:
            raise DataError(f"{_shown(path)} is a folder, not a file")
        if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
            raise DataError(f"{_shown(path)} is a pipe or a device, not a file")
        return path
    raise DataError(_why_missing(trimmed, folder))


def read_bounded(path: Path, largest: int, *, instead: str = "") -> bytes:
    """The bytes of a file; pipes, folders and files above a bound are refused before reading.

    ``instead``: what to do where the path is that of a folder.

    Raises
    ------
    DataError
        One line that names the file.
    """
    shown = _shown(path)
    try:
        _refuse_impossible(str(path))
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DataError(f"{shown}: is a folder{instead and '; '}{instead}")
        if not stat.S_ISREG(status.st_mode):
            raise DataError(f"{shown}: is a pipe or a device, not a file")
        if status.st_size > largest:
            raise DataError(f"{shown}: {status.st_size:,} bytes are too many; at most {largest:,}")
        with path.open("rb") as file:
            content = file.read(largest + 1)
    except FileNotFoundError:
        raise DataError(f"{shown}: no such file") from None
    except MemoryError:
        raise DataError(f"{shown}: too large to be read into memory") from None
    except OSError as error:
        raise DataError(f"{shown}: cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        if isinstance(error, DataError):
            raise
        raise DataError(f"{shown}: cannot be read ({error})") from error
    if len(content) > largest:
        raise DataError(f"{shown}: grows while it is read; at most {largest:,} bytes are read")
    return content


def read_start(path: Path, count: int) -> bytes:
    """The first bytes of a regular file, at most ``count``.

    Raises
    ------
    DataError
        One line that names the file.
    """
    shown = _shown(path)
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise DataError(f"{shown}: is no regular file")
        with path.open("rb") as file:
            return file.read(count)
    except OSError as error:
        raise DataError(f"{shown}: cannot be read ({error.strerror or error})") from error


def _refuse_impossible(text: str) -> None:
    """Refuse texts that no file can be called, and addresses."""
    if "\0" in text:
        raise DataError(f"{quoted(text)} holds a NUL character; no file can be called so")
    try:
        size = len(os.fsencode(text))
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise DataError(
            f"{quoted(ascii(text)[1:-1])} holds characters that no file name can"
        ) from None
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]+://", text):
        raise DataError(
            f"{quoted(text)} is an address, not a file of this computer; download it first"
        )
    longest = max(len(os.fsencode(part)) for part in re.split(r"[\\/]", text))
    if longest > LONGEST_NAME:
        raise DataError(
            f"{quoted(text)}: a file name of {longest} bytes is too long; at most {LONGEST_NAME}"
        )
    if size > LONGEST_PATH:
        raise DataError(
            f"{quoted(text)}: a path of {size:,} bytes is too long; at most {LONGEST_PATH:,}"
        )


def _spellings(text: str, trimmed: str) -> Iterator[str]:
    """The ways in which a path may be meant, the plainest first."""
    spellings = dict.fromkeys([text, trimmed, trimmed.replace("\\", "/")])
    for spelling in spellings:
        if "\0" not in spelling:
            yield spelling
    # An accented letter is one character or two, by the system the file comes from.
    for form in ("NFC", "NFD"):
        for spelling in spellings:
            other = unicodedata.normalize(form, spelling)
            if other not in spellings:
                yield other


def _why_missing(text: str, folder: Path) -> str:
    plain = text.replace("\\", "/")
    path = folder / plain
    drive = re.match(r"[A-Za-z]:[\\/]", text)
    line = f"{_shown(path)} does not exist"
    try:
        if path.is_symlink():
            return f"{_shown(path)} is a link that leads to no file"
    except (OSError, ValueError):
        pass
    if drive and os.name != "nt":
        line = f"{quoted(text)} is on a drive of Windows, which is not here"
    hint = _alike(path)
    if hint:
        return f"{line}; there is {quoted(hint)}"
    if drive:
        beside = plain.rsplit("/", 1)[-1]
        if beside and (folder / beside).exists():
            return f"{line}; {quoted(beside)} lies beside this file: write that name"
        return f"{line}; write the path relative to this file"
    return line


def _alike(path: Path) -> str:
    """A file of the same folder whose name differs in capitals or blanks only."""
    expected = "".join(path.name.split()).casefold()
    try:
        with os.scandir(path.parent) as entries:
            for count, entry in enumerate(entries):
                if "".join(entry.name.split()).casefold() == expected:
                    return entry.name
                if count > NEIGHBOURS:
                    break
    except (OSError, ValueError):
        pass
    return ""


def _shown(path: Path) -> str:
    """A path for messages: its end where it is long, escapes where it cannot be printed."""
    text = str(path).encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
    return text if len(text) <= 300 else f"...{text[-200:]}"
