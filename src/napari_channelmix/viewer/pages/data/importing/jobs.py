"""Jobs of an import: what was dropped or chosen is read, and the data set is written and opened."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from napari_channelmix.data import open_dataset_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.scan.pattern import SUFFIXES
from napari_channelmix.wording import counted, path_shown

if TYPE_CHECKING:
    from napari_channelmix.data import Cells
    from napari_channelmix.scan.pattern import Pattern
    from napari_channelmix.scan.scan import Scan

__all__ = [
    "PICTURES",
    "TABLES",
    "Kind",
    "Source",
    "open_saved_job",
    "save_job",
    "scan_job",
    "source_of",
]

Kind = Literal["data set", "folder", "table", "images"]

# Endings of tables that are read; what they hold decides.
TABLES = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".geojson", ".h5ad")
PICTURES = tuple(suffix for suffix in SUFFIXES if not suffix.endswith(".zarr"))


@dataclass(frozen=True)
class Source:
    """What was chosen or dropped.

    Attributes
    ----------
    kind : str
        ``"data set"`` (a data-set file), ``"folder"`` (also a plate), ``"table"`` or ``"images"``.
    path : Path
        The file or folder; of several images their folder.
    files : tuple of Path
        The images, where some were chosen.
    """

    kind: Kind
    path: Path
    files: tuple[Path, ...] = ()


def source_of(paths: Sequence[Path]) -> Source | None:
    """What paths are together; None where they cannot be read as one data set.

    Parameters
    ----------
    paths : sequence of Path
        One data-set file, folder or table; or images, of any number, in one folder.
    """
    if len(paths) == 1:
        path = paths[0]
        if path.suffix.lower() == ".toml":
            return Source("data set", path)
        if path.is_dir():
            return Source("folder", path)
        if path.name.lower().endswith(TABLES):
            return Source("table", path)
    images = bool(paths) and all(path.name.lower().endswith(PICTURES) for path in paths)
    if images and len({path.parent for path in paths}) == 1:
        return Source("images", paths[0].parent, tuple(sorted(paths)))
    return None


def scan_job(source: Source, pattern: Pattern | None = None) -> Job[Scan]:
    """Read a folder, a table or images; ``pattern``: how file names are read."""
    yield Progress(0, 1, f"reading {source.path.name}")
    if not source.path.exists():
        raise DataError(f"{path_shown(source.path)}: it is not there any more; open it again")
    if source.kind == "table":
        from napari_channelmix.scan.tables import scan_table_job

        return (yield from scan_table_job(source.path))
    from napari_channelmix.scan.folder import scan_folder_job

    return (yield from scan_folder_job(source.path, pattern, files=source.files or None))


def open_saved_job(scan: Scan, path: Path) -> Job[Cells]:
    """Write the data-set file of a scan and open it; where that fails, no file is left behind."""
    yield Progress(0, 1, f"writing {path.name}")
    # Files that are there already are refused; those there now are not ours.
    drawn = [path.parent / name for name in scan.drawn]
    ours = [file for file in drawn if not file.exists()]
    path = scan.save(path)
    whole = False
    try:
        cells = yield from open_dataset_job(path)
        whole = True
    except DataError as error:
        # The table goes with it: a line of it says nothing.
        table = re.escape(path.with_suffix(".csv").name)
        line = re.compile(rf"^\S.*?{table}, line [\d,]+(?:, column '[^']*')?: ")
        raise DataError(line.sub("", str(error))) from error
    finally:
        if not whole:
            for written in (path, path.with_suffix(".csv"), *ours):
                written.unlink(missing_ok=True)
    return cells


def save_job(scan: Scan, path: Path) -> Job[str]:
    """Write the data-set file of a scan; gives what was written, in a line."""
    yield Progress(0, 1, f"writing {path.name}")
    saved = scan.save(path)
    return f"{saved} is written, with a table of {counted(len(scan.table()), 'row')}."
