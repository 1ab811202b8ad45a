"""Open a data-set file: its table, its images, its cells."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.agreement import ChannelNames, FileWarnings, warnings_of_fields
from napari_channelmix.data.borders import filled_warning, left_out_warning
from napari_channelmix.data.bounds import square_side
from napari_channelmix.data.cells import BOX, Cells
from napari_channelmix.data.conditions import conditions_of
from napari_channelmix.data.description import Description, read_description
from napari_channelmix.data.fields import Field, check_field, outside, square_boxes
from napari_channelmix.data.identifier_columns import key_columns, with_keys
from napari_channelmix.data.image_formats import Decoded, ImageFile, open_image
from napari_channelmix.data.label_images import Objects, Regions
from napari_channelmix.data.mask_files import plane_of_mask
from napari_channelmix.data.masks import Mask, covered_share, mask_warnings, read_mask
from napari_channelmix.data.resampling import at_pixel_size
from napari_channelmix.data.row_objects import RowObjects
from napari_channelmix.data.segment import find_nuclei
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.wording import counted

if TYPE_CHECKING:
    from napari_channelmix.data.table import Table

__all__ = ["open_dataset", "open_dataset_job"]

# Rows of one image that are taken in a step.
STEP = 500
# What is kept of a mask, for warnings, has no pixels of its own.
_NONE = np.zeros((0, 0), np.uint8)


def open_dataset(path: str | Path, *, pixel_size: float | None = None) -> Cells:
    """Open a data set.

    Parameters
    ----------
    path : path
        A data-set file (``dataset.toml``); the paths in it are relative to it.
    pixel_size : float, optional
        Resample the crops so that their pixels have this side in micrometres; default: the key
        ``pixel_size`` of the file, or the pixels as they are.

    Returns
    -------
    Cells
        Everything but the pixels is read and checked; pixels are read crop by crop.

    Raises
    ------
    DataError
        One line that names the file, row and column that is wrong.
    """
    return drain(open_dataset_job(path, pixel_size=pixel_size))


def open_dataset_job(path: str | Path, *, pixel_size: float | None = None) -> Job[Cells]:
    """`open_dataset` as a job: a step for every image.

    Read the description, then the table; open the image of each row; find the row's cells in it;
    put all cells into one table.
    """
    import pandas as pd

    from napari_channelmix.data.table import Table

    path = Path(path)
    description = read_description(path)
    table = Table.read(path, description)
    labels, classes, of_classes = table.classes()
    opener, objects_of_rows = _Opener(table, description), RowObjects(table, description, labels)
    fields: dict[tuple[str, ...], int] = {}
    field_list: list[Field] = []
    rows: list[int] = []
    field_of: list[int] = []
    all_places: list[_Places] = []
    skipped: list[int] = []
    for row in range(len(table.rows)):
        key = opener.files_of(row)
        if key not in fields:
            fields[key] = len(field_list)
            with table.naming(row):
                field_list.append(opener.open_field(row))
            yield Progress(row, len(table.rows), "opening the images")
        elif row % STEP == 0:
            yield Progress(row, len(table.rows), "finding the cells")
        if not objects_of_rows.counts(row, key):
            continue
        places = opener.places(row, fields[key], field_list[fields[key]])
        if places is None:
            skipped.append(row)
            continue
        rows += [row] * len(places.ids)
        field_of += [fields[key]] * len(places.ids)
        all_places.append(places)
    if not rows:
        first = f" (first: {table.where(skipped[0])})" if skipped else ""
        why = ""
        if skipped and description.cells.origin == "box":
            order = ", ".join(description.cells.columns or ())
            why = f"; no box has an area: its first corner comes first ({order})"
        raise DataError(f"{path}: no cells were found in any of {len(table.rows)} rows{first}{why}")
    cells = pd.DataFrame(np.concatenate([part.boxes() for part in all_places]), columns=BOX)
    cells.insert(0, "field", field_of)
    centres = np.concatenate([part.centres for part in all_places])
    cells = cells.assign(
        label=[labels[row] for row in rows],
        group=[table.text(row, description.group) or str(row) for row in rows],
        split=[table.text(row, description.split) for row in rows],
        object=np.concatenate([part.ids for part in all_places]),
        y=centres[:, 0],
        x=centres[:, 1],
        extent=np.concatenate([part.extents for part in all_places]),
    )
    conditions = conditions_of(table.rows, description.group, table.columns_of_cells())
    constant = () if conditions is None else tuple(map(str, conditions.columns))
    keys = key_columns(table.rows, table.columns_of_files(), constant)
    cells = with_keys(cells, table.rows[keys], rows)
    size = description.cells.pixel_size if pixel_size is None else pixel_size
    warnings = (
        *table.warnings,
        *of_classes,
        *objects_of_rows.warnings(),
        *opener.warnings.lines(),
        *warnings_of_fields(field_list, opener.channels, resampled=size is not None),
        *mask_warnings(opener.masks, description.cells.labelled, description.cells.min_area),
        *_warnings(
            description, table, skipped, opener.beyond, shared=len(field_list) < len(all_places)
        ),
    )
    opened = Cells(
        description.name,
        opener.channels,
        classes,
        description.cells.crop,
        tuple(field_list),
        cells,
        warnings,
        conditions=conditions,
    )
    if size is not None:
        opened = at_pixel_size(opened, size)
    if description.cells.neighbours == "hide":
        opened = opened.without_neighbours()
    return _at_borders(opened, leave_out=description.cells.border == "leave_out").with_cut_line()


def _at_borders(cells: Cells, *, leave_out: bool) -> Cells:
    """Say how many cells reach over a border, or leave them out."""
    count, total = int(cells.at_border.sum()), len(cells)
    lines = left_out_warning(count, total) if leave_out else filled_warning(count, total)
    if leave_out:
        cells = cells.without_border()
    return replace(cells, warnings=(*cells.warnings, *lines))


@dataclass(frozen=True, eq=False)
class _Places:
    """Where the cells of a row lie: centres (n, 2), side of their boxes, ids (n,).

    ``extents`` (n,): sizes of their outlines, NaN where they have none; see `Cells`.
    """

    centres: npt.NDArray[np.float64]
    side: int
    ids: npt.NDArray[np.int64]
    extents: npt.NDArray[np.float64]

    @classmethod
    def single(
        cls, y: float, x: float, side: int, number: int = 0, extent: float = np.nan
    ) -> _Places:
        centre, ids = np.array([[y, x]], np.float64), np.array([number], np.int64)
        return cls(centre, side, ids, np.array([extent], np.float64))

    @classmethod
    def of(cls, objects: Objects, side: int) -> _Places:
        return cls(objects.centres, side, objects.ids, objects.extents.astype(np.float64))

    def boxes(self) -> npt.NDArray[np.int64]:
        return square_boxes(self.centres[:, 0], self.centres[:, 1], self.side)


def _warnings(
    description: Description, table: Table, skipped: list[int], beyond: list[int], *, shared: bool
) -> tuple[str, ...]:
    """What the user should know: rows left out, and images whose cells a split may divide."""
    lines = []
    if skipped:
        what = {
            "box": ("row", "have", "a box without area"),
            "segment": ("image", "hold", "no nuclei"),
            "mask": ("row", "have", "a mask without any cell"),
        }.get(description.cells.origin, ("row", "hold", "no cell"))
        first = table.where(skipped[0])
        lines.append(
            f"{counted(len(skipped), *what[:2])} {what[2]}, left out (first: {first}; "
            f"{counted(len(table.rows), 'row')} in all)"
        )
    if beyond:
        lines.append(
            f"{len(beyond)} of {len(table.rows)} points lie up to half a pixel outside their image "
            f"(first: {table.where(beyond[0])}); pixel centres are whole numbers, so that an image "
            "ends half a pixel after its last one"
        )
    if shared and not description.group and not description.split:
        lines.append(
            "cells of one image may be trained on and held out: accuracy may not hold on other "
            "images (name a group column to keep them together)"
        )
    return tuple(lines)


class _Opener:
    """Opens the images of rows and finds the cells in them, each file once."""

    def __init__(self, table: Table, description: Description) -> None:
        self._table, self._description = table, description
        self._decoded = Decoded()
        self._files: dict[tuple[Path, bool, bool], ImageFile] = {}
        self._names = ChannelNames()
        self.warnings = FileWarnings()
        # Of each field of view with a label image, in their order: where its objects lie, and
        # the same by id where rows name their cells.
        self._objects: list[Objects | None] = []
        self._by_id: dict[int, dict[int, tuple[float, float, float]]] = {}
        self.masks: list[Mask] = []
        # Rows whose points lie beyond the image, but by less than earlier versions allowed.
        self.beyond: list[int] = []
        self.channels: tuple[str, ...] = tuple(description.channels)

    def _image(self, path: Path, *, alone: bool = False, mask: bool = False) -> ImageFile:
        key = (path, alone, mask)
        if key not in self._files:
            scene = self._description.chosen_scene
            self._files[key] = file = open_image(path, scene=scene, alone=alone, mask=mask)
            self.warnings.add(file, mask=mask)
            if not alone:
                self.warnings.same_image(file)
        return self._files[key]

    def files_of(self, row: int) -> tuple[str, ...]:
        """The files of a row's images: rows with the same ones share a field of view."""
        description = self._description
        columns = (
            [description.image.column] if description.image else list(description.channels.values())
        )
        if description.cells.origin == "mask":
            columns.append(str(description.cells.column))
        return tuple(os.path.normpath(self._table.file(row, column)) for column in columns)

    def open_field(self, row: int) -> Field:
        """Open the images of a row, check them against each other, and find labelled cells."""
        description, table = self._description, self._table
        if description.image:
            path = table.file(row, description.image.column)
            with table.naming(row, description.image.column):
                file = self._image(path)
                planes = file.planes(description.image.axes, self._decoded)
                self.warnings.say(path, file.reading_of_axes(description.image.axes))
            self._agree_on_channels(row, file, len(planes))
        else:
            opened = []
            for name, column in description.channels.items():
                path = table.file(row, column)
                with table.naming(row, column):
                    file = self._image(path, alone=True)
                    stack = file.planes(None, self._decoded)
                if len(stack) != 1:
                    raise DataError(
                        f"{table.where(row, column)}: {path} has {len(stack)} channels, but stands "
                        f"for the one channel {name!r}; use [image] for files with a channel axis"
                    )
                with table.naming(row, column):
                    warning = self._names.of_column(name, tuple(description.channels), file)
                self.warnings.say(path, warning)
                opened.append(stack[0])
            planes = tuple(opened)
            self._say_same_file(row)
        field = Field(
            f"{table.where(row)}: {planes[0].file.path.name}",
            planes,
            pixel_size=planes[0].file.pixel_size,
            unit=planes[0].file.unit,
        )
        sides = {"box": 1, "image": 1, "tile": description.cells.size or 1}
        check_field(
            field, self.channels, sides.get(description.cells.origin, description.cells.crop)
        )
        labels, objects = self._labels(row, field)
        self._objects.append(objects)
        return replace(field, labels=labels)

    def _say_same_file(self, row: int) -> None:
        """One file for two channels is mostly a mistake of copying."""
        seen: dict[Path, str] = {}
        for name, column in self._description.channels.items():
            path = self._table.file(row, column)
            other = seen.setdefault(path, name)
            if other != name:
                self.warnings.say(path, f"is the file of channel {other!r} and of {name!r} as well")

    def _agree_on_channels(self, row: int, file: ImageFile, count: int) -> None:
        """Take the channel names of the file or of the user, and hold every file to them."""
        description, table = self._description, self._table
        assert description.image is not None
        where = f"{table.where(row, description.image.column)}: {file.path.name}"
        own = file.channels if count > 1 else None
        names = tuple(description.image.channels or own or ())
        if not names:
            if count > 1:
                raise DataError(
                    f"{where} has {count} channels and does not name them; "
                    "name them with channels = [...] under [image]"
                )
            names = ("image",)
        if len(names) != count:
            raise DataError(f"{where} has {count} channels, {len(names)} are named: {names}")
        if description.image.channels:
            with table.naming(row, description.image.column):
                self.warnings.say(file.path, self._names.of_file(names, file))
        if not self.channels:
            self.channels = names
        if names != self.channels:
            raise DataError(
                f"{where} has the channels {', '.join(names)}, "
                f"the files before it {', '.join(self.channels)}"
            )
        if description.cells.channel and description.cells.channel not in self.channels:
            raise DataError(
                f"{where}: [cells] channel {description.cells.channel!r} is not among its channels "
                f"{', '.join(self.channels)}"
            )

    def _labels(self, row: int, field: Field) -> tuple[npt.NDArray[Any] | None, Objects | None]:
        """Label image of a field of view and where its objects lie, where cells are found so."""
        cells = self._description.cells
        if cells.origin == "segment":
            plane = field.planes[self.channels.index(str(cells.channel))]
            labels = find_nuclei(
                plane[0 : field.shape[0], 0 : field.shape[1]], min_area=cells.min_area
            )
            objects = Regions.of(labels).objects()
            share = covered_share(labels, objects)
            if share:
                self.masks.append(Mask(field.name, _NONE, objects, covers=share))
            return labels, objects
        if cells.origin != "mask":
            return None, None
        column = str(cells.column)
        path = self._table.file(row, column)
        with self._table.naming(row, column):
            pixels = plane_of_mask(self._image(path, alone=True, mask=True))
        where = f"{self._table.where(row, column)}: {path.name}"
        if pixels.shape != field.shape:
            raise DataError(f"{where} is {pixels.shape} pixels, the image {field.shape}")
        # Rows that name their cell by its id take the mask for labelled, whatever it holds.
        labelled = True if cells.object else cells.labelled
        mask = read_mask(pixels, labelled=labelled, min_area=cells.min_area, where=where)
        # The pixels are the field's from here on, and nobody else's.
        self.masks.append(replace(mask, where=path.name, labels=_NONE))
        return mask.labels, mask.objects

    def places(self, row: int, field: int, image: Field) -> _Places | None:
        """Where the cells of a row lie, or None where it holds none."""
        cells = self._description.cells
        height, width = image.shape
        objects = self._objects[field]
        if objects is not None:
            if cells.object:
                return self._object_of(row, field, objects, cells.object)
            return _Places.of(objects, cells.crop) if len(objects) else None
        if cells.origin == "image":
            with self._table.naming(row):
                side = square_side(height, width, image.shape, whole=True)
            return _Places.single((height - 1) / 2, (width - 1) / 2, side)
        numbers = [self._table.number(row, column) for column in cells.columns or ()]
        if cells.origin == "box":
            return self._box(row, image, *numbers)
        if cells.origin == "point":
            return self._point(row, image, _Places.single(numbers[0], numbers[1], cells.crop))
        return self._tile(row, image, *numbers)

    def _box(
        self, row: int, field: Field, y0: float, x0: float, y1: float, x1: float
    ) -> _Places | None:
        """A half-open range of pixels; its middle is its first and its last pixel's."""
        if y1 <= y0 or x1 <= x0:
            return None
        with self._table.naming(row):
            side = square_side(y1 - y0, x1 - x0, field.shape)
        return self._inside(row, field, _Places.single((y0 + y1 - 1) / 2, (x0 + x1 - 1) / 2, side))

    def _tile(self, row: int, field: Field, y0: float, x0: float) -> _Places:
        """A square whose first pixel is given."""
        side = int(self._description.cells.size or 0)
        height, width = field.shape
        if min(y0, x0) < 0 or y0 + side > height or x0 + side > width:
            self._refuse(
                row, field, f"the tile of {side} pixels at y0={y0:g}, x0={x0:g} reaches out of"
            )
        return _Places.single(y0 + (side - 1) / 2, x0 + (side - 1) / 2, side)

    def _point(self, row: int, field: Field, place: _Places) -> _Places:
        """A point; earlier versions took and wrote them up to the size of the image."""
        within = np.minimum(place.centres, np.array(field.shape) - 0.5)
        if (place.centres < field.shape).all() and (place.centres > within).any():
            self.beyond.append(row)
            self._inside(row, field, replace(place, centres=within))
            return place
        return self._inside(row, field, place)

    def _inside(self, row: int, field: Field, place: _Places) -> _Places:
        if outside(place.centres, field.shape).any():
            y, x = place.centres[0]
            self._refuse(row, field, f"the cell at y={y:g}, x={x:g} lies outside")
        return place

    def _refuse(self, row: int, field: Field, what: str) -> NoReturn:
        height, width = field.shape
        raise DataError(f"{self._table.where(row)}: {what} the image of {height} x {width} pixels")

    def _object_of(self, row: int, field: int, objects: Objects, column: str) -> _Places:
        """Place of the one object that a row names."""
        if field not in self._by_id:
            places = map(tuple, np.column_stack([objects.centres, objects.extents]).tolist())
            self._by_id[field] = dict(zip(objects.ids.tolist(), places, strict=True))
        value = self._table.identifier(row, column)
        if value is None or value not in self._by_id[field]:
            text = self._table.text(row, column)
            raise DataError(
                f"{self._table.where(row, column)}: the mask has no object of the value {text}"
            )
        y, x, extent = self._by_id[field][value]
        return _Places.single(y, x, self._description.cells.crop, value, extent)
