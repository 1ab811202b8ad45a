"""What a file may ask for: only regular files are opened, and memory only for what a file holds."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from napari_channelmix.errors import ChannelMixError, DataError

__all__ = ["CLAIM_FLOOR", "CLAIM_RATIO", "guarded", "refuse_claim", "refuse_special"]

# A claim of fewer bytes is harmless, whatever the file holds.
CLAIM_FLOOR = 256 * 2**20
# Deflate packs at most 1032 bytes into one; real images are far below.
CLAIM_RATIO = 1100

Result = TypeVar("Result")


def refuse_special(path: Path, *, folder: bool = False) -> None:
    """Refuse what is no regular file (nor, with ``folder``, a folder), before it is opened.

    A pipe, device or socket would block for ever or never end. Links are followed.

    Raises
    ------
    DataError
        Nothing there, a special file, or a file that may not be read.
    """
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        raise DataError(f"{_short(path)}: no such file") from None
    except (OSError, ValueError) as error:
        # A name too long, a NUL in it, a loop of links, a folder that may not be entered.
        reason = getattr(error, "strerror", None) or str(error)
        raise DataError(f"{_short(path)}: cannot be read ({reason})") from None
    if stat.S_ISDIR(mode):
        if folder:
            return
        raise DataError(f"{path}: is a folder, not an image file")
    if not stat.S_ISREG(mode):
        raise DataError(f"{path}: is a pipe, device or socket, not a file")
    if not os.access(path, os.R_OK):
        raise DataError(f"{path}: cannot be read (no permission)")


def _short(path: Path) -> str:
    # Surrogates and control characters in a name would break the line or the terminal.
    text = str(path).encode("utf-8", "backslashreplace").decode()
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)
    return text if len(text) <= 200 else f"{text[:100]}...{text[-40:]}"


def refuse_claim(path: Path, claimed: int, stored: int, what: str = "pixels") -> None:
    """Refuse a file that claims far more bytes than it could hold.

    Parameters
    ----------
    claimed : int
        Bytes of the decoded pixels, as the file's header has it.
    stored : int
        Bytes that the file or folder takes on disk.

    Raises
    ------
    DataError
        More than 256 MiB are claimed, and more than 1100 for each byte held. Our definition.
    """
    if claimed > CLAIM_FLOOR and claimed > CLAIM_RATIO * stored:
        raise DataError(
            f"{path}: claims {claimed:,} bytes of {what} but holds {stored:,}; "
            "its header is damaged or its data are missing"
        )


def guarded(path: Path, read: Callable[[], Result], where: str = "") -> Result:
    """Turn whatever a reader raises on a broken file into one line that names the file.

    ``where`` is the part of the file that is read, such as one of its tiles.
    """
    try:
        return read()
    except ChannelMixError:
        raise
    except MemoryError as error:
        raise DataError(f"{path}: too large to be read into memory") from error
    except PermissionError as error:
        raise DataError(f"{path}: cannot be read (no permission)") from error
    # The readers raise anything from zlib.error to KeyError on a damaged file.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error).strip() else type(error).__name__
        if "imagecodecs" in reason:
            raise DataError(
                f"{path}: its compression needs imagecodecs; "
                "install it with: pip install 'napari-channelmix[io]'"
            ) from error
        reason = reason if len(reason) <= 200 else f"{reason[:200]}..."
        part = f"{where}: " if where else ""
        raise DataError(f"{path}: cannot be read, is it truncated? ({part}{reason})") from error
