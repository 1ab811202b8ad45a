"""A crop store in the folder for temporary files, for as long as a job needs it."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_channelmix.data.cell_boxes import CellBoxes
from napari_channelmix.data.crop_store import bytes_of_store, store_job
from napari_channelmix.errors import SaveError

if TYPE_CHECKING:
    from napari_channelmix.jobs import Job

__all__ = ["TemporaryFolder", "temporary_store_job"]

C = TypeVar("C", bound=CellBoxes)

PREFIX = "napari-channelmix-crops-"


class TemporaryFolder:
    """A folder that is deleted with this object, or at the end of the process.

    Folders of processes of this machine that were killed are deleted when the next one is made.

    Attributes
    ----------
    path : Path
    """

    def __init__(self) -> None:
        parent = Path(tempfile.gettempdir())
        _clear(parent)
        try:
            # The process is named, so that what it leaves behind when it is killed can be told.
            self.path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{_process(os.getpid())}-"))
        except OSError as error:
            raise SaveError(
                f"could not save temporary crops in {parent}: {error.strerror or error}"
            ) from error
        self._delete = weakref.finalize(self, _deleted, self.path, os.getpid())

    def delete(self) -> None:
        """Delete it now."""
        self._delete()


def temporary_store_job(cells: C) -> Job[tuple[C, TemporaryFolder]]:
    """The same cells with their crops in a temporary store, as a job; see `Cells.store`.

    The store is there as long as the folder that comes with them; a job that is closed deletes it.

    Raises
    ------
    SaveError
        Too little room for temporary files.
    """
    folder = TemporaryFolder()
    try:
        needed, free = bytes_of_store(cells), shutil.disk_usage(folder.path).free
        if needed > free:
            raise SaveError(_too_small(cells, needed, f"has {free / 1e9:.1f} GB free"))
        try:
            stored = yield from store_job(cells, folder.path / "crops")
        except OSError as error:
            # `SaveError` is one.
            raise SaveError(_too_small(cells, needed, f"is full or fails ({error})")) from error
    except BaseException:
        folder.delete()
        raise
    return stored, folder


def _too_small(cells: CellBoxes, needed: int, what: str) -> str:
    return (
        f"{cells.name}: its {len(cells):,} crops do not fit in memory and take up to "
        f"{needed / 1e9:.1f} GB on disk, {tempfile.gettempdir()} {what}; set TMPDIR to a folder "
        "with more room, or write them once with --store (cells.store(path))"
    )


def _process(number: int) -> str:
    host = "".join(letter for letter in socket.gethostname() if letter.isalnum())
    return f"{host}-{number}"


def _deleted(path: Path, process: int) -> None:
    # A child that was forked must not delete what its parent uses.
    if os.getpid() == process:
        shutil.rmtree(path, ignore_errors=True)


def _clear(parent: Path) -> None:
    """Delete what processes of this machine left that are no more."""
    for left in parent.glob(f"{PREFIX}{_process(0)[:-1]}*"):
        number = left.name.removeprefix(PREFIX).split("-")[1]
        if number.isdigit() and not _lives(int(number)):
            shutil.rmtree(left, ignore_errors=True)


def _lives(number: int) -> bool:
    if os.name == "nt":
        # There a signal would end it.
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
