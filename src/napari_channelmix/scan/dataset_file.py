"""The text of a data-set file, paths that stay right where it is written, and its label images."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy.typing as npt

from napari_channelmix.atomic_write import write_text, write_whole
from napari_channelmix.errors import SaveError
from napari_channelmix.wording import path_shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Draw", "drawn_files", "moved_paths", "toml_text", "write_files"]

# Draws a label image, (Y, X).
Draw = Callable[[], npt.NDArray[Any]]


def write_files(path: Path, text: str, table: Path, rows: str, drawn: Mapping[str, Draw]) -> None:
    """Write a data-set file, its table and its label images: all of them, or none.

    Parameters
    ----------
    path, table : path
        Neither is there.
    text, rows : str
        What they hold.
    drawn : mapping of str to callable
        Label images: paths relative to the data-set file, and what draws them.

    Raises
    ------
    SaveError
        A label image is there already, or a file cannot be written; those written are gone again.
    """
    for name in drawn:
        target = path.parent / name
        if target.exists() or target.is_symlink():
            raise SaveError(
                f"{path_shown(target)} is there already and is not overwritten; save the data set "
                "into another folder"
            )
    written: list[Path] = []
    try:
        for name, draw in drawn.items():
            written.append(_write_labels(path.parent / name, draw()))
        written.append(write_text(table, rows))
        write_text(path, text)
    except BaseException:
        # What nothing names would be in the way of the next try.
        for file in written:
            file.unlink(missing_ok=True)
        raise


def _write_labels(path: Path, labels: npt.NDArray[Any]) -> Path:
    def write(neighbour: Path) -> None:
        import tifffile

        tifffile.imwrite(neighbour, labels, compression="zlib", metadata={"axes": "YX"})

    return write_whole(path, write)


@contextmanager
def drawn_files(
    table: pd.DataFrame, column: str | None, drawn: Mapping[str, Draw]
) -> Iterator[pd.DataFrame]:
    """The table with label images that are drawn for as long as it is opened.

    Parameters
    ----------
    table : pandas.DataFrame
    column : str or None
        The column of label images.
    drawn : mapping of str to callable
    """
    names = [] if column is None else [name for name in drawn if (table[column] == name).any()]
    if column is None or not names:
        yield table
        return
    with tempfile.TemporaryDirectory(prefix="channelmix-") as folder:
        paths = {}
        for count, name in enumerate(names):
            path = Path(folder) / str(count) / Path(name).name
            path.parent.mkdir()
            paths[name] = str(_write_labels(path, drawn[name]()))
        yield table.assign(**{column: table[column].map(lambda text: paths.get(text, text))})


def moved_paths(paths: pd.Series[str], folder: Path, target: Path) -> list[str]:
    """Paths relative to ``folder`` as paths relative to ``target``."""
    if folder.absolute() == target.absolute():
        return [Path(text).as_posix() if text else "" for text in paths]
    try:
        start = os.path.relpath(folder, target)
    except ValueError:  # another drive of Windows
        start = str(folder.absolute())
    return [Path(os.path.normpath(Path(start) / text)).as_posix() if text else "" for text in paths]


def toml_text(content: Mapping[str, Any]) -> str:
    """The data-set file as text; sections last."""
    lines = [f"{_key(key)} = {_value(value)}" for key, value in content.items() if not _part(value)]
    for key, value in content.items():
        if _part(value):
            lines += ["", f"[{_key(key)}]"]
            lines += [f"{_key(name)} = {_value(one)}" for name, one in value.items()]
    return "\n".join(lines) + "\n"


def _part(value: object) -> bool:
    return isinstance(value, Mapping)


def _key(key: str) -> str:
    plain = key.replace("_", "").replace("-", "")
    return key if plain.isascii() and plain.isalnum() else _value(key)


def _value(value: object) -> str:
    """A value of TOML; JSON's are such, but for a character that TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
