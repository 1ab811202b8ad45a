"""Short names of fields of view: readable, each of its own, to join tables on.

1. Plate, well and site, where the table has such columns: ``B03_2``.
2. Else the names of the files, without what all of them begin and end with: ``ctrl_07``.
3. Behind it the plane of a stack: ``B03_2_z4``. Of equal names the second gets ``-2``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["distinct_names", "file_name", "names_of_files", "short_field_names"]

# Names of columns that say where a field of view lies, in small letters and digits.
PLATES = ("plate", "plateid", "platename", "metadataplate", "imagemetadataplate")
WELLS = ("well", "wellid", "wellname", "metadatawell", "imagemetadatawell")
SITES = ("site", "field", "fieldofview", "fov", "metadatasite", "metadatafield")
# Where a word of a file name ends.
BOUNDARY = re.compile(r"[\s_.\-/]")


def short_field_names(
    rows: pd.DataFrame, files: Sequence[str], planes: Sequence[str] = ()
) -> tuple[str, ...]:
    """A short name for each of F fields of view. Our definition, see the module.

    Parameters
    ----------
    rows : pandas.DataFrame
        F rows of texts: what the table says of each field.
    files : sequence of F str
        The first image file of each, as the table names it.
    planes : sequence of F str
        Its plane, such as ``z4``; empty where its file holds one.
    """
    places = list(planes) or [""] * len(files)
    names = _of_wells(rows)
    # A field without a site of its own in its well is told apart by its file.
    if names is None or len(set(zip(names, places, strict=True))) < len(files):
        names = names_of_files(files)
    return distinct_names("_".join(filter(None, pair)) for pair in zip(names, places, strict=True))


def names_of_files(files: Sequence[str]) -> list[str]:
    """The files' names without suffix, and without the words that all begin and end with.

    Files of one name in several folders keep the folders that tell them apart.
    """
    stems = [file_name(file) for file in files]
    if len(set(stems)) < len(set(files)):
        stems = [_with_folders(file) for file in files]
    different = list(dict.fromkeys(stems))
    if len(different) < 2:
        return [stem.rpartition("/")[2] for stem in stems]
    first = _common(different)
    last = _common([stem[first:][::-1] for stem in different])
    short = [stem[first : len(stem) - last] for stem in stems]
    if not all(part.strip(" _.-/") for part in short):
        short = stems
    return [re.sub(r"\s*/\s*", "_", part.strip(" _.-/")) for part in short]


def distinct_names(names: Iterable[str]) -> tuple[str, ...]:
    """The same names; the second of a name gets ``-2`` behind it, unless another is called so."""
    every = list(names)
    taken, seen, result = set(every), Counter[str](), []
    for name in every:
        seen[name] += 1
        own = name
        while seen[name] > 1:
            own = f"{name}-{seen[name]}"
            if own not in taken:
                break
            seen[name] += 1
        taken.add(own)
        result.append(own)
    return tuple(result)


def file_name(path: str) -> str:
    """The name of a file without its suffixes of image formats."""
    return re.sub(r"(\.ome)?\.[A-Za-z]{2,5}\d?$", "", PurePath(path.replace("\\", "/")).name)


def _with_folders(path: str) -> str:
    folder, _, _ = path.replace("\\", "/").rpartition("/")
    return f"{folder}/{file_name(path)}"


def _common(texts: Sequence[str]) -> int:
    """Letters that all texts begin with, up to the end of a word."""
    first, last = min(texts), max(texts)
    same = 0
    while same < min(len(first), len(last)) and first[same] == last[same]:
        same += 1
    # A whole text that others begin with ends a word as well where a boundary follows.
    ends = [match.end() for match in BOUNDARY.finditer(first[:same])]
    return ends[-1] if ends else 0


def _of_wells(rows: pd.DataFrame) -> list[str] | None:
    columns = {re.sub(r"[^a-z0-9]", "", str(name).lower()): name for name in rows.columns}
    plate, well, site = (
        next((columns[name] for name in names if name in columns), None)
        for names in (PLATES, WELLS, SITES)
    )
    if well is None or not all(str(text).strip() for text in rows[well]):
        return None
    parts = [well]
    if plate is not None and rows[plate].nunique() > 1:
        parts.insert(0, plate)
    if site is not None:
        parts.append(site)
    texts = [rows[name].astype(str).tolist() for name in parts]
    return ["_".join(filter(None, values)) for values in zip(*texts, strict=True)]
