"""Read a table of images or cells that was not made for us: what its columns say, and its files.

1. Understand the format: CellProfiler, QuPath, AnnData, GeoJSON, or any table with image files.
2. Find the files it names, also where its paths are those of another computer.
3. Say what the remaining columns are, by name and content.
4. Hold its cells against the images: ids against label images, points against sizes.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.bounds import BOUNDS
from napari_channelmix.data.crop_size import crop_for_outlines, limit
from napari_channelmix.data.natural_order import natural_key
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, drain, part
from napari_channelmix.scan.asking import ONE_CHANNEL
from napari_channelmix.scan.cellprofiler import parse_cellprofiler
from napari_channelmix.scan.find_files import MOST_FILES, FileFinder, rows_with_files
from napari_channelmix.scan.imagej import parse_imagej
from napari_channelmix.scan.long_table import read_scanned_table_job
from napari_channelmix.scan.looked_at import LookedAt, look_at_job
from napari_channelmix.scan.pictures import Pictures, look_job
from napari_channelmix.scan.plain_table import parse_plain
from napari_channelmix.scan.plane_numbers import plane_numbers
from napari_channelmix.scan.plate_layout import read_layout
from napari_channelmix.scan.questions import Choice, LeftOut
from napari_channelmix.scan.qupath import parse_qupath
from napari_channelmix.scan.roles import Role
from napari_channelmix.scan.scan import Scan
from napari_channelmix.scan.table_cells import (
    CheckedCells,
    checked_points,
    checked_rows_of_masks,
)
from napari_channelmix.scan.table_columns import columns_of
from napari_channelmix.scan.table_places import Places, places_in_pixels, with_places
from napari_channelmix.scan.vocabulary import is_channel
from napari_channelmix.scan.well_classes import with_layout
from napari_channelmix.settings.fields import takes_settings
from napari_channelmix.settings.scan import ScanSettings
from napari_channelmix.wording import counted, path_shown, quoted

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data.table_files import TextTable
    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.scan.parsed_table import ParsedTable

__all__ = ["scan_table", "scan_table_job"]

OUTLINES = (".geojson", ".json")
ANNDATA = (".h5ad",)
# All GeoJSON files of a folder: one for each image.
EVERY_OUTLINE = "*.geojson"
# Answers to the questions of a table.
NO_MASK, NO_CLASS = "none of them", "no class"
PIXELS, MICROMETRES = "pixels", "micrometres"
# Side of the smallest crop that a data set may have, in pixels.
SMALLEST_CROP = int(BOUNDS["crop"].least)


@takes_settings(ScanSettings)
def scan_table(
    table: str | Path | pd.DataFrame,
    *,
    images: str | Path | None = None,
    progress: ShowProgress = None,
    **settings: Any,
) -> Scan:
    """Understand a table of images or cells that was not made for us.

    Parameters
    ----------
    table : path or pandas.DataFrame
        CSV or TSV: objects or images of CellProfiler, detections of QuPath (also as GeoJSON),
        regions of scikit-image, any table that names image files; an AnnData file (``.h5ad``);
        ``"folder/*.geojson"`` for the outlines of several images.
    images : path, optional
        The folder below which its files are looked for by their names; default: that of the
        table, and for a DataFrame the working folder.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **settings
        See `ScanSettings`.

    Returns
    -------
    Scan
        A row for each cell or image. Its questions are answered by ``with_choice``.

    Raises
    ------
    DataError
        One line: a table that cannot be read, names no images, or whose images are not there.

    Examples
    --------
    Of a table with columns ``path``, ``x``, ``y`` and ``phenotype`` in the folder ``folder``:

    >>> scan = scan_table(folder / "cells.csv", crop=16)
    >>> scan.style, str(scan.roles["phenotype"])
    ('table of cells', 'class')
    >>> len(scan.cells())
    2
    """
    return drain(scan_table_job(table, ScanSettings(**settings), images=images), progress)


def scan_table_job(
    table: str | Path | pd.DataFrame,
    settings: ScanSettings | None = None,
    *,
    images: str | Path | None = None,
) -> Job[Scan]:
    """`scan_table` as a job: a step for every image and label image."""
    if settings is not None and settings.pattern is not None:
        raise DataError("a pattern is for the names of a folder's files, and this is a table")
    folder = None if images is None else Path(images)
    if folder is not None and not folder.is_dir():
        raise DataError(f"{path_shown(folder)}: is no folder; name the one that holds the images")
    parsed = yield from part(_parsed_job(table, folder), 0, 0.1, 1)
    own = Path(table).parent if isinstance(table, (str, Path)) else Path.cwd()
    source, settings = _Source(parsed, FileFinder(folder or own)), settings or ScanSettings()
    scan = yield from source.scan_job(settings)
    return scan if settings.wells is None else with_layout(scan, read_layout(Path(settings.wells)))


def _parsed_job(table: str | Path | pd.DataFrame, images: Path | None) -> Job[ParsedTable]:
    """The table of whatever program, understood by its content."""
    if not isinstance(table, (str, Path)):
        from napari_channelmix.data.frame_table import table_of_frame

        # The name of a DataFrame is what messages call it.
        texts = table_of_frame(table, "the table")
        texts.rows.index.name = texts.rows.index.name or "row"
        return _of_texts(replace(texts, path=Path("table")))
    path = Path(table)
    suffix = path.suffix.lower()
    if path.name == EVERY_OUTLINE:
        from napari_channelmix.scan.geojson import parse_geojson_files

        paths = sorted(path.parent.glob(path.name), key=lambda one: natural_key(one.name))
        if not paths:
            raise DataError(f"{path_shown(path.parent)}: holds no GeoJSON files")
        return parse_geojson_files(paths, images or path.parent)
    if suffix in OUTLINES:
        from napari_channelmix.scan.geojson import parse_geojson

        return parse_geojson(path, images or path.parent)
    if suffix in ANNDATA:
        from napari_channelmix.scan.anndata_files import parse_anndata

        return parse_anndata(path)
    return _of_texts((yield from read_scanned_table_job(path)))


def _of_texts(texts: TextTable) -> ParsedTable:
    if texts.rows.empty:
        raise DataError(f"{texts.path}: has no rows")
    parsers = (parse_cellprofiler, parse_qupath, parse_imagej)
    parsed = next(filter(None, (parse(texts) for parse in parsers)), None) or parse_plain(texts)
    return replace(parsed, twice=texts.twice)


@dataclass(eq=False)
class _Source:
    """A table that is read again whenever one of its questions is answered; files are kept."""

    parsed: ParsedTable
    finder: FileFinder
    looked: LookedAt = field(default_factory=LookedAt)
    pictures: Pictures | None = None

    def again(self, settings: ScanSettings) -> Scan:
        """The scan with other settings."""
        return drain(self.scan_job(settings))

    def scan_job(self, settings: ScanSettings) -> Job[Scan]:
        """The scan of the table."""
        parsed, answers = self.parsed, dict(settings.choices or {})
        mask_choice = _mask_choice(parsed, answers)
        masks = [mask_choice.chosen] if mask_choice and mask_choice.chosen in parsed.masks else []
        images = [name for name, role in parsed.roles.items() if role is Role.IMAGE]
        if not images:
            raise DataError(f"{path_shown(parsed.path)}: names no image files, only label images")
        files = [*images, *map(str, masks)]
        left_out = [*parsed.left_out]
        rows = rows_with_files(parsed, self.finder, images, files, left_out)
        images = [name for name in images if name in rows]
        masks = [name for name in masks if name in rows]
        files = [*images, *map(str, masks)]
        roles = {**parsed.roles, **dict.fromkeys(map(str, masks), Role.MASK)}
        roles |= {name: Role.IGNORE for name in parsed.masks if name not in masks}
        drawn = parsed.drawn
        for path in {path for name in masks for path in rows[str(name)].unique()} & set(drawn):
            self.looked.add_labels(path, drawn[path])
        yield from part(
            look_at_job(
                self.looked,
                self.finder.folder,
                rows[images[0]].unique(),
                (path for name in masks for path in rows[str(name)].unique()),
            ),
            0.1,
            0.8,
            1,
        )
        notes, problems = [*parsed.notes], self._unreadable(rows, files)
        if self.finder.by_name:
            names = "its name" if self.finder.by_name == 1 else "their names"
            notes.append(
                f"{counted(self.finder.by_name, 'file', 'were')} found by {names} below "
                f"{path_shown(self.finder.folder)}"
            )
        if self.finder.cut_off:
            notes.append(
                f"only the first {MOST_FILES:,} files below {path_shown(self.finder.folder)} were "
                "looked through; name the folder of the images (images=...)"
            )
        if parsed.corner:
            notes.append(
                "centres count from the corner of the first pixel and are moved by half a pixel"
            )
        columns = columns_of(rows, {name: role for name, role in roles.items() if name in rows})
        count = columns.measurements + parsed.measurements
        if count:
            what, verb = counted(count, "column"), "is" if count == 1 else "are"
            notes.append(f"{what} of measurements {verb} left out")
        class_choice = _class_choice(columns.classes, answers)
        unit_choice = self._unit_choice(rows[images[0]], answers)
        micrometres = parsed.micrometres or (
            unit_choice is not None and unit_choice.chosen == MICROMETRES
        )
        roles = {**columns.roles}
        if class_choice and class_choice.chosen in rows:
            roles[str(class_choice.chosen)] = Role.CLASS
        self._refuse_twice(roles)
        rows = with_places(parsed, rows, roles, left_out)
        rows, plane_choices = self._counted_from_0(rows, roles, answers, notes)
        sizes = {
            path: _square(settings.image_pixel_size) or self.looked.pixel_sizes.get(path)
            for path in rows[images[0]].unique()
        }
        rows, places, problem = places_in_pixels(
            parsed, rows, roles, sizes if micrometres else None, notes
        )
        problems += problem
        if places is not None and not (masks or parsed.corner or micrometres):
            notes.append("x and y are taken for pixels from the middle of the first, y down")
        checked = self._checked(rows, roles, places, settings)
        problems += [*checked.problems]
        left_out += [LeftOut(self.parsed.path.name, reason) for reason in checked.left_out]
        kept = [name for name in rows if roles.get(str(name), Role.IGNORE) is not Role.IGNORE]
        entries = rows.loc[checked.kept, kept].reset_index(drop=True)
        if self.pictures is None:
            paths = {name: entries[name].unique().tolist() for name in images}
            self.pictures = yield from part(look_job(self.finder.folder, paths), 0.9, 0.1, 1)
        keys: dict[str, Any] = {} if checked.crop is None else {"crop": checked.crop}
        if Role.MASK in roles.values() and Role.OBJECT in roles.values():
            keys["min_area"] = 1
        asked = (mask_choice, class_choice, unit_choice, *plane_choices)
        choices = tuple(choice for choice in asked if choice)
        return Scan.of(
            parsed.path,
            parsed.style,
            entries,
            self.finder.folder,
            {name: role for name, role in roles.items() if name in entries},
            _with_channels(settings, parsed.channels, images, self.pictures),
            choices=(*parsed.choices, *choices),
            left_out=tuple(left_out),
            notes=tuple(notes),
            problems=tuple(problems),
            pictures=self.pictures,
            reread=self.again,
            cell_keys=keys,
            drawn=dict(parsed.drawn),
            of_table=True,
        )

    def _counted_from_0(
        self,
        rows: pd.DataFrame,
        roles: Mapping[str, Role],
        answers: Mapping[str, str],
        notes: list[str],
    ) -> tuple[pd.DataFrame, list[Choice]]:
        """The rows with planes within files as these number them, and what is asked for it."""
        image = next(name for name, role in roles.items() if role is Role.IMAGE)
        choices = []
        for numbers in plane_numbers(rows, roles, image, self.looked.stacks):
            answered = replace(numbers, choice=_answered(numbers.choice, answers))
            choices.append(answered.choice)
            if answered.from_1:
                notes.append(answered.note())
                rows = rows.assign(**{answered.column: answered.texts(rows)})
        return rows, choices

    def _refuse_twice(self, roles: Mapping[str, Role]) -> None:
        """Refuse a name that two columns have where the column says something of the cells."""
        for name, role in roles.items():
            if name in self.parsed.twice and role not in (Role.KEY, Role.IGNORE):
                raise DataError(
                    f"{self.parsed.path}: two columns are called {quoted(name)}, which is taken "
                    f"for the {role}; rename one of them"
                )

    def _unreadable(self, rows: pd.DataFrame, files: list[str]) -> list[str]:
        paths = dict.fromkeys(path for name in files for path in rows[name].unique())
        errors = [self.looked.errors[path] for path in paths if path in self.looked.errors]
        if not errors:
            return []
        return [f"{len(errors)} of {counted(len(paths), 'image')} cannot be read: {errors[0]}"]

    def _unit_choice(self, paths: pd.Series[str], answers: Mapping[str, str]) -> Choice | None:
        """Pixels, where no image states another unit that the table may be in."""
        if not self.parsed.unit_asked:
            return None
        sizes = [self.looked.pixel_sizes.get(path) for path in paths.unique()]
        proposed = None if any(sizes) else PIXELS
        text = "The table does not say in which unit x and y are: which?"
        return _answered(Choice("unit", text, (PIXELS, MICROMETRES), proposed), answers)

    def _crop_of_boxes(
        self, sides: npt.NDArray[np.float64], images: pd.Series[str], scales: Mapping[str, float]
    ) -> int:
        """The side of tiles that are all alike, else what holds 99 % of the boxes."""
        # Rows were left out since the table was understood; their numbers are the same.
        sides = sides[self.parsed.rows.index.get_indexer(images.index)]
        sides = (sides * images.map(scales).to_numpy(np.float64)).round(6)
        if (sides == sides[0]).all():
            return max(SMALLEST_CROP, math.ceil(float(sides[0])))
        shapes = self.looked.shapes
        limits = [limit(shapes[path], scales[path]) for path in scales if path in shapes]
        # Where no image can be read, that is the problem that is said.
        most = min(limits, default=max(SMALLEST_CROP, *sides))
        return crop_for_outlines(sides, int(most)).side

    def _checked(
        self,
        rows: pd.DataFrame,
        roles: Mapping[str, Role],
        places: Places | None,
        settings: ScanSettings,
    ) -> CheckedCells:
        by_role: dict[Role, str] = {}
        for name, role in roles.items():
            by_role.setdefault(role, name)
        everything = CheckedCells(np.ones(len(rows), dtype=bool))
        image, mask = by_role[Role.IMAGE], by_role.get(Role.MASK)
        scales = self.looked.scales(rows[image].unique(), settings)
        if mask is not None:
            number_column = by_role.get(Role.OBJECT)
            return checked_rows_of_masks(
                rows, self.looked, image, mask, number_column, places, scales
            )
        if places is not None:
            points = checked_points(rows, self.looked, image, places, scales)
            sides = self.parsed.sides
            if sides is None:
                return points
            return replace(points, crop=self._crop_of_boxes(sides, rows[image], scales))
        return everything


def _square(side: float | None) -> tuple[float, float] | None:
    return None if side is None else (side, side)


def _mask_choice(parsed: ParsedTable, answers: Mapping[str, str]) -> Choice | None:
    """Which label images belong to the objects: proposed where only one can."""
    if not parsed.masks:
        return None
    proposed = parsed.masks[0] if len(parsed.masks) == 1 else parsed.proposed_mask
    choice = Choice(
        "label image",
        "Which label images hold these objects?",
        (*parsed.masks, NO_MASK),
        proposed,
    )
    return _answered(choice, answers)


def _class_choice(columns: tuple[str, ...], answers: Mapping[str, str]) -> Choice | None:
    if not columns:
        return None
    proposed = columns[0] if len(columns) == 1 else None
    choice = Choice("class", "Which column is the class?", (*columns, NO_CLASS), proposed)
    return _answered(choice, answers)


def _answered(choice: Choice, answers: Mapping[str, str]) -> Choice:
    if choice.name in answers:
        return replace(choice, chosen=choice.option(answers[choice.name]))
    return choice


def _with_channels(
    settings: ScanSettings, channels: Mapping[str, str], images: list[str], pictures: Pictures
) -> ScanSettings:
    """The names that columns of files are shown by; those that were given come first."""
    channels = {column: name for column, name in channels.items() if column in images}
    if len(channels) < 2:
        names = [name for column, name in channels.items() if _names_a_channel(column, name)]
        first = pictures.first
        if not names or first is None or first.channel_count != 1 or first.channels:
            return settings
        channels = {ONE_CHANNEL: names[0]}
    return replace(settings, channels={**channels, **(settings.channels or {})})


def _names_a_channel(column: str, name: str) -> bool:
    """Whether the only column of files names its channel: ``FileName_DNA``, ``gfp_path``."""
    return column.startswith("FileName_") or (name != column and is_channel(name))
