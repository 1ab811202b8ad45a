"""One run for each output: a second one is told, and a run that was killed stands in nobody's way.

A small file in the folder says who works there. The operating system holds a lock on it for as long
as the process lives, so one that was killed leaves the file behind, but no lock.
"""

from __future__ import annotations

import contextlib
import glob
import json
import logging
import os
import re
import socket
import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from napari_channelmix.errors import InUseError, SaveError
from napari_channelmix.wording import path_shown

__all__ = ["in_use"]

LOG = logging.getLogger(__name__)

# The name of the file in a folder.
NAME = ".channelmix-in-use"
HALF = re.compile(r"\..+-[0-9a-f]{8}\.part")
# Bytes of it that are read.
MOST = 1000


@contextlib.contextmanager
def in_use(output: str | Path, *, is_file: bool = False) -> Iterator[None]:
    """Work in a folder, or on a file, that no other run may work in meanwhile.

    Parameters
    ----------
    output : path
        Made where it is missing, with its parents; taken away again where it stays empty.
    is_file : bool
        Whether ``output`` is a file; the mark then stands beside it.

    Raises
    ------
    InUseError
        Another run, of this process or another one, works there.
    SaveError
        A folder that cannot be made or written.
    """
    output = Path(output)
    folder = output.parent if is_file else output
    path = folder / (f".{output.name}.in-use" if is_file else NAME)
    made = _made(folder)
    try:
        descriptor = _taken(path, output)
        try:
            yield
        finally:
            # Taken away before it is let go: nobody can have it in between.
            with contextlib.suppress(OSError):
                path.unlink()
            os.close(descriptor)
    finally:
        for directory in reversed(made):
            with contextlib.suppress(OSError):
                directory.rmdir()


def _made(folder: Path) -> list[Path]:
    """Make a folder; those that were missing, outermost first."""
    missing = []
    try:
        directory = folder
        while not directory.exists():
            missing.append(directory)
            directory = directory.parent
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise SaveError(f"could not save in {path_shown(folder)}: {reason}") from error
    return missing[::-1]


def _taken(path: Path, output: Path) -> int:
    """Open and lock the file; its descriptor."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
        except OSError as error:
            raise SaveError(
                f"could not save in {path_shown(path.parent)}: {error.strerror or error}"
            ) from error
        locked = _locked(descriptor)
        owner = _read_owner(descriptor)
        if locked is False or (locked is None and _lives(owner)):
            os.close(descriptor)
            raise InUseError(
                f"{path_shown(output)} is in use by another run ({_who(owner)}); wait until it "
                "ends, or choose another --out"
            )
        if not _same(descriptor, path):
            # The run before has just ended, and took the file with it.
            os.close(descriptor)
            continue
        if owner:
            LOG.warning(
                "%s: going on after a run that did not end (%s)", path_shown(output), _who(owner)
            )
            _clear(path, output)
        with contextlib.suppress(OSError):
            # On a full disk the lock holds all the same, only without a name.
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, _own(), 0) if hasattr(os, "pwrite") else _rewritten(descriptor)
        return descriptor


def _clear(path: Path, output: Path) -> None:
    """Delete what a killed run had half written; see `atomic_write.write_whole`."""
    if path.name != NAME:
        for left in path.parent.glob(f".{glob.escape(output.stem)}.*.part"):
            if HALF.fullmatch(left.name):
                left.unlink(missing_ok=True)
        return
    for folder, inside, names in os.walk(output):
        # Zarr arrays see to themselves; in other folders other runs may be at work.
        inside[:] = [
            name
            for name in inside
            if not name.endswith(".zarr") and not (Path(folder) / name / NAME).exists()
        ]
        for name in filter(HALF.fullmatch, names):
            with contextlib.suppress(OSError):
                (Path(folder) / name).unlink()


def _rewritten(descriptor: int) -> int:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.write(descriptor, _own())


def _own() -> bytes:
    about = {
        "process": os.getpid(),
        "host": socket.gethostname(),
        "since": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    return json.dumps(about).encode()


def _locked(descriptor: int) -> bool | None:
    """Whether this process has the lock now; None where the file system knows no locks."""
    try:
        if sys.platform == "win32":
            import msvcrt

            # Far behind the text, which others may then still read.
            os.lseek(descriptor, 2**20, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _same(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except OSError:
        return False


def _read_owner(descriptor: int) -> dict[str, Any]:
    """Who works there, or worked there; empty where that cannot be read."""
    try:
        os.lseek(descriptor, 0, os.SEEK_SET)
        content = json.loads(os.read(descriptor, MOST).decode())
        return {
            "process": int(content["process"]),
            "host": str(content["host"])[:100],
            "since": str(content["since"])[:40],
        }
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _lives(owner: dict[str, Any]) -> bool:
    """Whether the process that is named may still be there, where there are no locks to ask."""
    if not owner:
        return False
    if owner["host"] != socket.gethostname() or sys.platform == "win32":
        return True
    try:
        os.kill(owner["process"], 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _who(owner: dict[str, Any]) -> str:
    if not owner:
        return "which one is not known"
    where = "" if owner["host"] == socket.gethostname() else f" on {owner['host']}"
    return f"process {owner['process']}{where}, since {owner['since'].replace('T', ' ')}"
