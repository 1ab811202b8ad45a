"""Files that are dropped on napari or opened with it: data sets go to the page 'Data'.

napari asks a plugin by the name of a file whether it can read it, before it lets the plugin look
into it, and asks the user where two plugins can. So only names are claimed that napari reads
nothing of: TOML and TSV. What is no file of ours is refused when it is looked into, so that other
plugins go on. CSV files, which napari reads itself, are taken where they are dropped on a viewer
that has the workspace (`canvas_drops`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from napari_channelmix.data.description import read_description
from napari_channelmix.errors import ChannelMixError

__all__ = ["NOTHING", "get_reader", "is_data_set", "is_table"]

# What a reader gives napari where it has opened something that is no layer.
NOTHING: list[tuple[None]] = [(None,)]
# Bytes of a table that are looked into before it is opened.
HEAD = 2**16
# How a file begins that is not UTF-8.
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
SEPARATORS = ",;\t"

Reader = Callable[..., list[tuple[None]]]


def get_reader(path: str | Sequence[str]) -> Reader | None:
    """Napari's entry: a function that opens a file on the page 'Data'; None where it is not ours.

    Parameters
    ----------
    path : str or sequence of str
        Of several files none is read.
    """
    if not isinstance(path, str):
        paths = list(path)
        if len(paths) != 1:
            return None
        path = paths[0]
    file = Path(path)
    ours = is_data_set(file) if file.suffix.lower() == ".toml" else is_table(file)
    return read if ours else None


def is_data_set(path: Path) -> bool:
    """Whether a file is a data-set file, with or without mistakes in it.

    One with a mistake is ours as well: the page says what is wrong with it.
    """
    try:
        read_description(path)
    except ChannelMixError:
        return path.name.lower().endswith("dataset.toml") and path.is_file()
    return True


def is_table(path: Path) -> bool:
    """Whether a file begins like a table of several columns that is no layer napari has written.

    Only its beginning is read, since napari waits.
    """
    try:
        with path.open("rb") as file:
            head = file.read(HEAD)
    except OSError:
        return False
    text = head.decode(MARKS.get(head[:2], "utf-8"), "replace")
    if "\0" in text:
        return False
    first = next(iter(text.splitlines()), "")
    separator = max(SEPARATORS, key=first.count)
    names = [name.strip().strip('"') for name in first.split(separator)]
    # napari's own tables of points and shapes.
    return len(names) > 1 and not any(name.startswith("axis-") for name in names)


def read(path: str | Sequence[str], **_: Any) -> list[tuple[None]]:
    """Open a file on the page 'Data' of the viewer that is in front; there are no layers of it."""
    import napari

    from napari_channelmix.viewer.page_parts.open_page import open_dock

    viewer = napari.current_viewer()
    file = Path(path if isinstance(path, str) else next(iter(path)))
    if viewer is None:
        raise ChannelMixError(
            f"{file}: there is no window to open it in; use napari_channelmix.open_dataset"
        )
    open_dock(viewer, "Images and cells").files.open((file,))
    return NOTHING
