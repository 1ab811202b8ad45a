"""Where the annotations of a data set are kept: beside its file, else in the user's folder."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.annotations import earlier_centres, field_names

if TYPE_CHECKING:
    from napari_channelmix.data import Cells

__all__ = ["Places", "set_aside"]


class Places:
    """The files that annotations of some cells may lie in, the best place first.

    Attributes
    ----------
    files : tuple of Path
        Beside the data-set file where there is one; then in the user's data folder.
    names : tuple of str
        Names of the fields of view in these files.
    """

    def __init__(self, cells: Cells, source: str) -> None:
        beside = _data_set_file(source)
        folder = None if beside is None else beside.parent
        self.names = field_names(cells, folder)
        every = (cells.centres, *earlier_centres(cells))
        paths = [
            _user_folder() / f"{_signature(cells, self.names, centres)}.csv" for centres in every
        ]
        # Earlier versions named them by the middles of the crops: such files are still found.
        own = (paths[0], *(path for path in paths[1:] if path != paths[0] and path.is_file()))
        self._own = own
        self.files: tuple[Path, ...] = (
            own if beside is None else (beside.with_name(f"{beside.stem}.annotations.csv"), *own)
        )

    @property
    def latest_file(self) -> Path | None:
        """The file that was written last, if there is any."""
        there = [path for path in self.files if path.is_file()]
        return max(there, key=lambda path: path.stat().st_mtime, default=None)

    def written(self) -> dict[Path, int]:
        """When each file that is there was written, in nanoseconds."""
        return {path: path.stat().st_mtime_ns for path in self.files if path.is_file()}

    def in_words(self, path: Path) -> str:
        """Where a file lies, short enough for a dock."""
        return "your own data folder" if path in self._own else path.name

    def without(self, path: Path) -> None:
        """Leave a file alone from now on."""
        self.files = tuple(file for file in self.files if file != path)


def set_aside(path: Path, why: str, *, copied: bool = False) -> Path:
    """Give an annotation file another name, or a copy of it, and the one beside it.

    Raises
    ------
    OSError
        It cannot be renamed.
    """
    new = path.with_name(f"{path.stem}.{why}{path.suffix}")
    if not copied:
        new = path.with_name(f"{path.stem}.{why}-{datetime.now():%Y%m%d-%H%M%S}{path.suffix}")
    for suffix in (".json", path.suffix):
        old = path.with_suffix(suffix)
        if not old.is_file():
            continue
        if copied:
            shutil.copyfile(old, new.with_suffix(suffix))
        else:
            old.rename(new.with_suffix(suffix))
    return new


def _data_set_file(source: str) -> Path | None:
    try:
        path = Path(source).absolute()
        return path if path.suffix.lower() == ".toml" and path.is_file() else None
    except (OSError, ValueError):
        # A source in words may be no name of a file at all.
        return None


def _user_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("napari-channelmix", appauthor=False) / "annotations"


def _signature(cells: Cells, names: Sequence[str], centres: npt.NDArray[np.float64]) -> str:
    """The same for the same cells, whatever classes they have; no pixel is read for it.

    From the middles of the cells, not their boxes: another size of crop is the same cells.
    """
    description = repr((tuple(names), tuple(field.shape for field in cells.fields)))
    signature = hashlib.sha256(description.encode())
    signature.update(cells.table[["field", "object"]].to_numpy(np.int64).tobytes())
    signature.update(np.floor(centres + 0.5).astype(np.int64).tobytes())
    return signature.hexdigest()[:20]
