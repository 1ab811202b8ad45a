"""Files written whole or not at all, and hashes of what they hold."""

from __future__ import annotations

import contextlib
import json
import os
import re
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from napari_channelmix.errors import SaveError
from napari_channelmix.wording import path_shown

__all__ = [
    "file_stems",
    "refuse_no_folder",
    "refuse_odd",
    "write_bytes",
    "write_json",
    "write_text",
    "write_whole",
    "written_whole",
]


def file_stems(names: Iterable[str], unnamed: str = "layer") -> tuple[str, ...]:
    """File names without suffix, each of its own, also where capitals are not told apart.

    ``unnamed`` stands for a name of which nothing can be part of a file name.
    """
    stems: list[str] = []
    for name in names:
        stem = own = re.sub(r"[^\w.() -]+", "_", name).strip(". ") or unnamed
        taken, count = {earlier.lower() for earlier in stems}, 2
        while own.lower() in taken:
            own, count = f"{stem}-{count}", count + 1
        stems.append(own)
    return tuple(stems)


def write_whole(path: str | Path, write: Callable[[Path], object]) -> Path:
    """Write a file through a neighbour of it: ``path`` holds the old or the new, never half.

    Parameters
    ----------
    path : path
        The file to make or replace. Its folder is made if it is missing.
    write : callable
        Called with the path of the neighbour, whose suffix is not that of ``path``: nobody takes
        it for a finished file, and a writer has to be told the format.

    Raises
    ------
    SaveError
        Disk full, folder read-only and the like; the old file is then intact.
    """
    with written_whole(path) as neighbour:
        write(neighbour)
    return Path(path)


@contextlib.contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """`write_whole` for a job that writes step by step: gives the neighbour to write.

    The neighbour takes the place of ``path`` at the end of the block; where the block ends by an
    error, or the job is closed, it is deleted.

    Raises
    ------
    SaveError
        As `write_whole`.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "table.csv"
    >>> with written_whole(path) as neighbour:
    ...     _ = neighbour.write_text("cell")
    ...     path.exists()
    False
    >>> path.read_text()
    'cell'
    """
    path = Path(path)
    refuse_odd(path)
    neighbour = path.with_name(f".{path.name}-{uuid.uuid4().hex[:8]}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield neighbour
        with neighbour.open("rb+") as file:
            os.fsync(file.fileno())
        neighbour.replace(path)
    except SaveError:
        raise
    except OSError as error:
        note = "; the file that was there is intact" if path.exists() else ""
        raise SaveError(
            f"could not save {path_shown(path)}: {error.strerror or error}{note}"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            neighbour.unlink(missing_ok=True)


def refuse_odd(path: Path) -> None:
    """Refuse to write in the place of a folder, a pipe or a device, or under a name that is none.

    Raises
    ------
    SaveError
    """
    if "\0" in str(path):
        raise SaveError(f"could not save {path_shown(path)}: a name cannot hold a NUL character")
    try:
        odd = path.exists() and not path.is_file()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SaveError(f"could not save {path_shown(path)}: {reason}") from error
    if odd:
        raise SaveError(f"could not save {path_shown(path)}: there is something that is no file")


def refuse_no_folder(path: Path) -> None:
    """Refuse a folder for results that is a file, or has a name that cannot be.

    Raises
    ------
    SaveError
    """
    try:
        odd = path.exists() and not path.is_dir()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SaveError(f"--out {path_shown(path)}: {reason}") from error
    if odd:
        raise SaveError(f"--out {path_shown(path)}: is a file; name a folder")


def write_bytes(path: str | Path, content: bytes) -> Path:
    """Write bytes whole; see `write_whole`."""
    return write_whole(path, lambda neighbour: neighbour.write_bytes(content))


def write_text(path: str | Path, text: str) -> Path:
    """Write UTF-8 text whole; see `write_whole`."""
    try:
        content = text.encode("utf-8")
    except UnicodeEncodeError as error:
        odd = ascii(text[max(0, error.start - 20) : error.end + 10])
        raise SaveError(
            f"could not save {path_shown(path)}: it would hold a name that is no Unicode text "
            f"({odd}); rename that file or folder"
        ) from error
    return write_bytes(path, content)


def write_json(path: str | Path, content: dict[str, Any]) -> Path:
    """Write UTF-8 JSON whole, readable by eye; NaN is refused, since JSON has none."""
    text = json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False)
    return write_text(path, text + "\n")
