"""Open the images that rows of a data set name, and find the cells in them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.agreement import ChannelNames, FileWarnings
from napari_channelmix.data.bounds import square_side
from napari_channelmix.data.fields import Field, check_field, outside
from napari_channelmix.data.image_formats import Decoded, ImageFile, open_image
from napari_channelmix.data.label_images import Objects, Regions
from napari_channelmix.data.mask_files import plane_of_mask
from napari_channelmix.data.masks import Mask, covered_share, read_mask
from napari_channelmix.data.row_places import RowPlaces
from napari_channelmix.data.segment import find_nuclei
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.table import Table

__all__ = ["FieldOpener"]

# What is kept of a mask, for warnings, has no pixels of its own.
_NONE = np.zeros((0, 0), np.uint8)


class FieldOpener:
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

    def first_file(self, row: int) -> str:
        """The first image file of a row, as the table names it."""
        description = self._description
        column = (
            description.image.column
            if description.image
            else next(iter(description.channels.values()))
        )
        return self._table.text(row, column)

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

    def places(self, row: int, field: int, image: Field) -> RowPlaces | None:
        """Where the cells of a row lie, or None where it holds none."""
        cells = self._description.cells
        height, width = image.shape
        objects = self._objects[field]
        if objects is not None:
            if cells.object:
                return self._object_of(row, field, objects, cells.object)
            return RowPlaces.of(objects, cells.crop) if len(objects) else None
        if cells.origin == "image":
            with self._table.naming(row):
                side = square_side(height, width, image.shape, whole=True)
            return RowPlaces.single((height - 1) / 2, (width - 1) / 2, side)
        numbers = [self._table.number(row, column) for column in cells.columns or ()]
        if cells.origin == "box":
            return self._box(row, image, *numbers)
        if cells.origin == "point":
            return self._point(row, image, RowPlaces.single(numbers[0], numbers[1], cells.crop))
        return self._tile(row, image, *numbers)

    def _box(
        self, row: int, field: Field, y0: float, x0: float, y1: float, x1: float
    ) -> RowPlaces | None:
        """A half-open range of pixels; its middle is its first and its last pixel's."""
        if y1 <= y0 or x1 <= x0:
            return None
        with self._table.naming(row):
            side = square_side(y1 - y0, x1 - x0, field.shape)
        return self._inside(
            row, field, RowPlaces.single((y0 + y1 - 1) / 2, (x0 + x1 - 1) / 2, side)
        )

    def _tile(self, row: int, field: Field, y0: float, x0: float) -> RowPlaces:
        """A square whose first pixel is given."""
        side = int(self._description.cells.size or 0)
        height, width = field.shape
        if min(y0, x0) < 0 or y0 + side > height or x0 + side > width:
            self._refuse(
                row, field, f"the tile of {side} pixels at y0={y0:g}, x0={x0:g} reaches out of"
            )
        return RowPlaces.single(y0 + (side - 1) / 2, x0 + (side - 1) / 2, side)

    def _point(self, row: int, field: Field, place: RowPlaces) -> RowPlaces:
        """A point; earlier versions took and wrote them up to the size of the image."""
        within = np.minimum(place.centres, np.array(field.shape) - 0.5)
        if (place.centres < field.shape).all() and (place.centres > within).any():
            self.beyond.append(row)
            self._inside(row, field, replace(place, centres=within))
            return place
        return self._inside(row, field, place)

    def _inside(self, row: int, field: Field, place: RowPlaces) -> RowPlaces:
        if outside(place.centres, field.shape).any():
            y, x = place.centres[0]
            self._refuse(row, field, f"the cell at y={y:g}, x={x:g} lies outside")
        return place

    def _refuse(self, row: int, field: Field, what: str) -> NoReturn:
        height, width = field.shape
        raise DataError(f"{self._table.where(row)}: {what} the image of {height} x {width} pixels")

    def _object_of(self, row: int, field: int, objects: Objects, column: str) -> RowPlaces:
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
        return RowPlaces.single(y, x, self._description.cells.crop, value, extent)
