"""Tables of CellProfiler: objects joined with the image table, whatever export they come from.

CellProfiler's centres count from 0 at the middle of the first pixel, x to the right and y down,
as ours do: nothing is converted.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.table_files import TextTable, read_table
from napari_channelmix.errors import DataError
from napari_channelmix.scan.parsed_table import ParsedTable, is_given
from napari_channelmix.scan.plain_table import parse_plain
from napari_channelmix.scan.questions import LeftOut
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.table_columns import image_columns
from napari_channelmix.wording import counted, listed, quoted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["is_measurement", "parse_cellprofiler"]

_FILE = re.compile(r"(?:Image_)?(Objects)?FileName_(.+)")
# Pictures that pipelines save for people, and correction functions: no channels.
_PICTURE = re.compile(r"outline|overlay|montage|tile|rgb|illum|thumb", re.IGNORECASE)
_LABELS = re.compile(r"objects?$|masks?$|labels?$|^mask|seg(mentation)?$", re.IGNORECASE)
# Names of measurements; those of places and ids are none.
_MEASUREMENT = re.compile(
    r"(?:\w+_)?(?:AreaShape|Intensity|Texture|Granularity|RadialDistribution|Correlation|Neighbors|"
    r"Count|Threshold|Children|Mean|StDev|Median|ExecutionTime|ModuleError|Height|Width|Scaling|"
    r"ImageQuality|Math|Location|MD5Digest|URL|Group|Series|Frame|Channel|ObjectSkeleton)_\w+"
)
_NO_MEASUREMENT = re.compile(r"Metadata_|Classify_|(?:Location|AreaShape)_Center_[XY]$")
_TABLES = (".csv", ".txt", ".tsv")


def parse_cellprofiler(table: TextTable) -> ParsedTable | None:
    """Understand a table of CellProfiler, or give None for one of another program.

    The exports of ExportToSpreadsheet are understood: a table per object (``MyExpt_Nuclei.csv``)
    with its image table beside it (``MyExpt_Image.csv``), several objects in one table below two
    rows of names, and one table with the names of objects in front (``Nuclei_Location_Center_X``).
    Objects with columns of files that CellProfiler does not write (``dna_path``) need no image
    table: they are read as any table is, with the object numbers as ids of their label images.

    Parameters
    ----------
    table : TextTable

    Raises
    ------
    DataError
        Objects without an image table, image numbers that it has twice or none of.
    """
    table = _one_row_of_names(table)
    rows = table.rows
    if "ImageNumber" not in rows:
        return None
    for name in ("ImageNumber", "ObjectNumber"):
        if name in table.twice:
            raise DataError(f"{table.path}: two columns are called {quoted(name)}")
    objects = _object_name(table)
    number = _object_number(rows.columns, objects)
    if number is None:
        files = [name for name in rows if _FILE.fullmatch(str(name))]
        return _parsed("CellProfiler images", table, rows, objects, None) if files else None
    parts: list[LeftOut] = []
    if not any(_FILE.fullmatch(str(name)) for name in rows):
        if any(not _is_written(name) for name in image_columns(rows)[0]):
            return _with_own_files(table, number)
        rows, parts = _with_images(table, objects)
    parsed = _parsed("CellProfiler objects", table, rows, objects, number)
    return replace(parsed, left_out=(*parts, *parsed.left_out))


def is_measurement(name: str) -> bool:
    """Whether a column of CellProfiler holds a measurement."""
    return bool(_MEASUREMENT.fullmatch(name)) and not _NO_MEASUREMENT.search(name)


def _is_written(name: str) -> bool:
    """Whether CellProfiler itself writes a column of this name, as ``Metadata_FileLocation``."""
    return is_measurement(name) or "Metadata_" in name


def _with_own_files(table: TextTable, number: str) -> ParsedTable:
    """Objects whose own columns name the files, as a plain table with ids."""
    images, masks = image_columns(table.rows)
    written = [name for name in (*images, *masks) if _is_written(name)]
    parsed = parse_plain(replace(table, rows=table.rows.drop(columns=written)))
    if not parsed.masks:
        return parsed
    roles = {**parsed.roles, number: Role.OBJECT}
    return replace(parsed, style="table of cells", roles=roles)


def _one_row_of_names(table: TextTable) -> TextTable:
    """Two rows of names become one: 'Nuclei' above 'Location_Center_X'; those of images stay."""
    rows = table.rows
    if rows.empty or "ImageNumber" in rows or "ImageNumber" not in set(rows.iloc[0]):
        return table
    objects = [re.sub(r"\.\d+$", "", str(name)) for name in rows.columns]
    names: list[str] = []
    for thing, name in zip(objects, rows.iloc[0].tolist(), strict=True):
        plain = thing in ("Image", "Experiment") or name in ("ImageNumber", "ObjectNumber")
        names.append(name.strip() if plain else f"{thing}_{name.strip()}")
    kept = [place for place, name in enumerate(names) if name not in names[:place]]
    frame = rows.iloc[1:, kept]
    frame.columns = [names[place] for place in kept]
    return TextTable(table.path, frame, table.separator, frozenset(), table.warnings)


def _object_name(table: TextTable) -> str:
    """What the objects are called: by a prefix of columns, else by the name of the file."""
    for name in map(str, table.rows.columns):
        prefix = re.fullmatch(
            r"(?!Image_)(\w+?)_(?:Number_Object_Number|Location_Center_X|AreaShape_Center_X)", name
        )
        if prefix:
            return prefix[1]
    stem = Path(table.path).name.removesuffix(".gz").rsplit(".", 1)[0]
    return stem.rsplit("_", 1)[-1]


def _object_number(columns: Iterable[object], objects: str) -> str | None:
    wanted = ("ObjectNumber", f"{objects}_Number_Object_Number", "Number_Object_Number")
    names = set(map(str, columns))
    return next((name for name in wanted if name in names), None)


def _with_images(table: TextTable, objects: str) -> tuple[pd.DataFrame, list[LeftOut]]:
    """The rows of objects with the columns of their images."""
    own = Path(table.path)
    images = _image_table(own, objects)
    path, rows = Path(images.path), table.rows
    if "ImageNumber" not in images.rows:
        raise DataError(f"{path}: has no column 'ImageNumber'; export it with CellProfiler again")
    files = [name for name in images.rows if _FILE.fullmatch(str(name))]
    if not files:
        raise DataError(f"{path}: names no image files (no column 'FileName_...')")
    numbers = images.rows["ImageNumber"].str.strip()
    again = numbers[numbers.duplicated()]
    if len(again):
        raise DataError(
            f"{path}, line {again.index[0]}: the image number {again.iloc[0]} is there already; "
            "give each run of CellProfiler a folder of its own"
        )
    new = [name for name in images.rows if name not in rows.columns]
    known = rows["ImageNumber"].str.strip().isin(set(numbers))
    if not known.any():
        raise DataError(
            f"{own}: none of its image numbers is in {path.name}; "
            "are they of the same run of CellProfiler?"
        )
    left_out = []
    if not known.all():
        first = rows.index[~known][0]
        left_out.append(
            LeftOut(
                own.name,
                f"{counted(int((~known).sum()), 'row')} with image numbers that {path.name} does "
                f"not have (first: line {first})",
            )
        )
    by_number = images.rows[new].set_index(numbers)
    kept = rows[known]
    joined = by_number.loc[kept["ImageNumber"].str.strip().tolist()]
    joined.index = kept.index
    return kept.join(joined), left_out


def _image_table(path: Path, objects: str) -> TextTable:
    """The image table beside a table of objects: of the same prefix, or the only one."""
    name = path.name.removesuffix(".gz")
    prefix = name.rsplit(".", 1)[0].removesuffix(objects)
    there = {
        entry.name.casefold(): entry
        for entry in sorted(path.parent.iterdir())
        if entry.name.lower().removesuffix(".gz").endswith(_TABLES)
    }
    for suffix in _TABLES:
        for ending in (suffix, f"{suffix}.gz"):
            entry = there.get(f"{prefix}image{ending}".casefold())
            if entry is not None and entry != path:
                return read_table(entry, ["ImageNumber"])
    others = [entry for key, entry in there.items() if re.search(r"image\.\w+(\.gz)?$", key)]
    if len(others) == 1 and others[0] != path:
        return read_table(others[0], ["ImageNumber"])
    if others:
        raise DataError(
            f"{path}: which image table is meant, {listed([entry.name for entry in others])}? "
            f"Name it {prefix}Image.csv"
        )
    raise DataError(
        f"{path}: its objects name no image files, and no image table ({prefix}Image.csv) lies "
        "beside it; copy that table of the same export into this folder"
    )


def _parsed(
    style: str, table: TextTable, rows: pd.DataFrame, objects: str, number: str | None
) -> ParsedTable:
    """What the columns of CellProfiler say; the rest is told by names."""
    roles: dict[str, Role] = {}
    channels: dict[str, str] = {}
    folders: dict[str, str] = {}
    masks: list[str] = []
    notes: list[str] = list(table.warnings)
    left_out: list[LeftOut] = []
    for column in map(str, rows.columns):
        file = _FILE.fullmatch(column)
        if file is None:
            continue
        folder = column.replace("FileName_", "PathName_")
        if folder in rows:
            folders[column], roles[folder] = folder, Role.IGNORE
        if file[1] or _LABELS.search(file[2]):
            masks.append(column)
        elif _PICTURE.search(file[2]) or not is_given(rows[column]).any():
            roles[column] = Role.IGNORE
            left_out.append(
                LeftOut(column, "named like a picture that a pipeline saves, not like a channel")
            )
        else:
            channels[column] = file[2]
    _one_file_for_all(rows, channels, folders, roles, notes)
    roles |= dict.fromkeys(channels, Role.IMAGE)
    if number is not None:
        roles[number] = Role.OBJECT
        for centre in ("Location_Center", "AreaShape_Center"):
            for prefix in (f"{objects}_", ""):
                x, y = f"{prefix}{centre}_X", f"{prefix}{centre}_Y"
                if x in rows and y in rows and Role.X not in roles.values():
                    roles |= {x: Role.X, y: Role.Y}
    roles["ImageNumber"] = Role.KEY
    rows, class_notes = _with_class(rows, roles)
    measured = [name for name in rows if is_measurement(str(name)) and name not in roles]
    rows = rows.drop(columns=measured)
    return ParsedTable(
        style,
        Path(table.path),
        rows,
        roles,
        table.separator,
        channels,
        folders,
        _of_objects(masks, objects) if number is not None else tuple(masks),
        measurements=len(measured),
        left_out=tuple(left_out),
        notes=(*notes, *class_notes),
    )


def _one_file_for_all(
    rows: pd.DataFrame,
    channels: dict[str, str],
    folders: dict[str, str],
    roles: dict[str, Role],
    notes: list[str],
) -> None:
    """Channels that are planes of one file: the file is named once."""
    first, *others = [*channels] or [""]

    def paths(column: str) -> list[tuple[str, ...]]:
        names = [column, *([folders[column]] if column in folders else [])]
        return list(zip(*(rows[name] for name in names), strict=True))

    if others and all(paths(other) == paths(first) for other in others):
        notes.append(
            f"{listed(channels.values())} are of the same files; their channels are read in the "
            "order and with the names of the files"
        )
        for other in others:
            roles[other] = Role.IGNORE
            del channels[other]


def _of_objects(masks: list[str], objects: str) -> tuple[str, ...]:
    """Label images called after the objects; all of them where none is."""
    named = [name for name in masks if objects.casefold() in name.casefold()]
    return tuple(named or masks)


def _with_class(rows: pd.DataFrame, roles: dict[str, Role]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Columns of ClassifyObjects, a 1 in one of them, become one column of classes."""
    bins = [str(name) for name in rows if re.search(r"(^|_)Classify_", str(name))]
    if len(bins) < 2 or not rows[bins].isin(["0", "1", "0.0", "1.0"]).all().all():
        return rows, ()
    ones = rows[bins].isin(["1", "1.0"])
    if (ones.sum(axis=1) > 1).any():
        return rows, ()
    names = {name: re.split(r"(?:^|_)Classify_", name, maxsplit=1)[1] for name in bins}
    classes = ones.idxmax(axis=1).map(names).where(ones.any(axis=1), "")
    roles |= dict.fromkeys(bins, Role.IGNORE)
    roles["Classify"] = Role.CLASS
    note = f"the classes are those of ClassifyObjects: {listed(names.values())}"
    return rows.assign(Classify=classes), (note,)
