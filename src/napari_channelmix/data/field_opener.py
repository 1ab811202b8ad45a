"""Open the images that rows of a data set name, and find the cells in them."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.fields import Field, check_field
from napari_channelmix.data.image_planes import FilePlane, with_maximum
from napari_channelmix.data.label_images import Objects, Regions
from napari_channelmix.data.label_stacks import LabelStack
from napari_channelmix.data.mask_files import stack_of_mask
from napari_channelmix.data.masks import Mask, covered_share, read_mask
from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.data.row_images import RowImages
from napari_channelmix.data.segment import find_nuclei
from napari_channelmix.data.segmentation import segment
from napari_channelmix.data.stack_places import StackPlace, places_in_stack
from napari_channelmix.data.stack_rows import StackRows
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import counted, quoted

if TYPE_CHECKING:
    from napari_channelmix.data.description import Description
    from napari_channelmix.data.image_formats import ImageFile
    from napari_channelmix.data.table import Table

__all__ = ["FieldOpener"]

IntArray = npt.NDArray[np.int64]

# What is kept of a mask, for warnings, has no pixels of its own.
_NONE = np.zeros((0, 0), np.uint8)


class FieldOpener:
    """Opens the images of rows and finds the cells in them, each file once.

    Attributes
    ----------
    fields : list of Field
        The fields of view that were opened.
    first_rows : list of int
        The row that each was opened for.
    planes : list of str
        Plane of each in its stack, such as ``t3_z0``; empty where it is in none.
    stack_rows : StackRows
        Which rows are used, and which are planes of one stack.
    images : RowImages
    notes : list of str
        What was found in label images of stacks.
    masks : list of Mask
    objects : list of (Objects or None)
        Where the objects of each field of view lie; None without a label image.
    of_other_planes : int
        Rows that are about another plane of their file than the one that is wanted.
    """

    def __init__(self, table: Table, description: Description) -> None:
        self._table, self._description = table, description
        self.images = RowImages(table, description)
        self.notes: list[str] = []
        self.fields: list[Field] = []
        self.first_rows: list[int] = []
        self.planes: list[str] = []
        self._places: list[StackPlace] = []
        self._keys: list[tuple[str, ...]] = []
        self._keys_of_rows: dict[int, tuple[str, ...]] = {}
        # Axes of stacks that were met; label images that are the same in all planes of theirs.
        self._axes: set[str] = set()
        self._flat: list[str] = []
        self._known: dict[tuple[str, ...], tuple[int, ...]] = {}
        self.objects: list[Objects | None] = []
        self.masks: list[Mask] = []
        self.of_other_planes = 0
        # Rows of points or boxes that are cells in several planes: how many, and the first.
        self._every_plane = 0
        self._first_of_every_plane = -1
        planes = description.planes
        self._choices = {} if planes is None else planes.choices
        # Columns with the plane of a row: in its file, or of its file.
        self._in_file = {} if planes is None else planes.columns
        of_files = {}
        if self._in_file:
            inside = self.images.lengths(0)
            of_files = {a: c for a, c in self._in_file.items() if a not in inside}
            self._in_file = {a: c for a, c in self._in_file.items() if a in inside}
        self._of_files = of_files
        self.stack_rows = StackRows(table, description, of_files)

    def files_of(self, row: int) -> tuple[str, ...]:
        """The files of a row's images: rows with the same ones share a field of view."""
        paths = [path for _, path in self.images.files_of(row)]
        if self._description.cells.origin == "mask":
            paths.append(self._table.file(row, str(self._description.cells.column)))
        return tuple(map(os.path.normpath, paths))

    @property
    def columns(self) -> list[str]:
        """Columns that tell which field of view a row is about: rows that agree are of one."""
        description = self._description
        of_fields = list(self.stack_rows.field_columns)
        if not of_fields:
            of_fields = [column for column, _ in self.images.columns]
            if description.cells.origin == "mask":
                of_fields.append(str(description.cells.column))
        return [*of_fields, *self._in_file.values()]

    def keys(self) -> IntArray:
        """A number for each field of view (F,): the same for those of one file and plane."""
        numbers: dict[tuple[str, ...], int] = {}
        keys = [numbers.setdefault(key, len(numbers)) for key in self._keys]
        return np.array(keys, dtype=np.int64)

    def fields_job(self, row: int, count: int) -> Job[tuple[int, ...]]:
        """The fields of view that a row is about, as positions in ``fields``; opened where new.

        ``count`` rows agree with it in ``columns``, itself among them; it is the first.
        """
        members = self.stack_rows.members(row)
        key = self._key_of_rows(members)
        if key not in self._known:
            first = len(self.fields)
            with self._table.naming(row):
                yield from self._open_job(row, members, key)
            self._known[key] = tuple(range(first, len(self.fields)))
        return self._of_rows(row, count, self._known[key])

    def _key_of_rows(self, members: list[int]) -> tuple[str, ...]:
        """All files of rows that are one field of view."""
        if len(members) == 1:
            return self.files_of(members[0])
        if members[0] not in self._keys_of_rows:
            files = dict.fromkeys(file for row in members for file in self.files_of(row))
            self._keys_of_rows[members[0]] = tuple(files)
        return self._keys_of_rows[members[0]]

    def stack_warnings(self, empty: int) -> tuple[str, ...]:
        """What the user should know of stacks; ``empty`` of their planes hold no cell."""
        lines = list(self.stack_rows.warnings())
        if self.of_other_planes:
            lines.append(f"{counted(self.of_other_planes, 'row', 'are')} of other planes, left out")
        if empty:
            lines.append(f"{counted(empty, 'plane', 'hold')} no cell, left out")
        if self._every_plane:
            count, first = self._every_plane, self._table.where(self._first_of_every_plane)
            cells = "is a cell" if count == 1 else "are cells"
            lines.append(
                f"{counted(count, 'row', 'name')} no plane and {cells} in each (first: {first})"
            )
        if self._flat:
            lines.append(
                f"{counted(len(self._flat), 'label image', 'have')} one plane: the same cells are "
                f"marked in every plane of the stack (first: {self._flat[0]})"
            )
        if self.notes:
            more = f" (and {len(self.notes) - 1:,} more)" if len(self.notes) > 1 else ""
            lines.append(f"{self.notes[0]}{more}")
        lines += [
            f"{axis.lower()} is said under [planes], but no image has planes along {axis}, and no "
            f"{axis.lower()}_column is named"
            for axis in self._choices
            if axis not in self._axes and axis not in self._of_files
        ]
        if self._description.cells.tracks:
            lines.append(
                "each track is a group: a split keeps an object together at all times, and may "
                "divide the cells of one image"
            )
        return tuple(lines)

    def _of_rows(self, row: int, count: int, indices: tuple[int, ...]) -> tuple[int, ...]:
        """Those of a stack's fields of view that a row, and all that agree with it, name."""
        for axis, column in self._in_file.items():
            choice = self._choices[axis]
            if choice == "maximum":
                continue
            number = self._table.identifier(row, column)
            if number is None:
                # Its object is looked for in every plane; a point has to name one.
                if self._description.cells.origin == "mask":
                    continue
                raise DataError(
                    f"{self._table.where(row, column)}: names no plane along {axis}; fill it in"
                )
            if isinstance(choice, int):
                if number != choice:
                    self.of_other_planes += count
                    return ()
                continue
            indices = tuple(i for i in indices if dict(self._places[i].positions)[axis] == number)
            if not indices:
                text = self._table.text(row, column)
                raise DataError(
                    f"{self._table.where(row, column)}: the image has no plane {quoted(text)} "
                    f"along {axis}; planes are numbered from 0"
                )
        if len(indices) > 1 and self._description.cells.origin in ("point", "box", "tile"):
            if not self._every_plane:
                self._first_of_every_plane = row
            self._every_plane += count
        return indices

    def _open_job(self, row: int, members: list[int], key: tuple[str, ...]) -> Job[None]:
        """Open the fields of view of a row's files, and find labelled cells in them."""
        description, table = self._description, self._table
        lengths = self.images.lengths(row)
        for axis, column in self._of_files.items():
            if axis in lengths:
                raise DataError(
                    f"{table.where(row, column)}: the image has an axis {axis}, those before it "
                    f"have none; {quoted(column)} cannot name planes in files and files of planes"
                )
        path = self.images.files_of(row)[0][1]
        places = places_in_stack(lengths, self._choices, path)
        parts = self._with_other_files(members)
        labels = self._label_images(row, parts, lengths)
        self._axes |= {*lengths}
        if labels is not None and any(axis not in labels.axes for axis in places[0].own):
            self._flat.append(labels.name)
        sides = {"box": 1, "image": 1, "tile": description.cells.size or 1}
        side = sides.get(description.cells.origin, description.cells.crop)
        for count, place in enumerate(places):
            if count:
                yield Progress(row, len(table.rows), f"opening plane {count + 1} of {len(places)}")
            planes = self.images.planes(row, place, first=not count)
            for other in parts[1:]:
                planes = with_maximum(planes, self.images.planes(other, place, first=not count))
            where = f"{table.where(row)}: {planes[0].file.path.name}"
            size, unit = self._pixel_size(planes[0].file)
            field = Field(
                ", ".join(filter(None, [where, place.text])), planes, pixel_size=size, unit=unit
            )
            check_field(field, self.images.channels, side)
            image, objects = self._labels(row, field, labels, place)
            self.objects.append(objects)
            self.fields.append(replace(field, labels=image))
            self._places.append(place)
            self._keys.append((*key, *filter(None, [place.text])))
            self.first_rows.append(row)
            self.planes.append("_".join(filter(None, [*self.stack_rows.plane(row), place.short])))

    def _pixel_size(self, file: ImageFile) -> tuple[tuple[float, float] | None, str | None]:
        """Size of a pixel and its unit: as the file states them, else as the data set does."""
        own = self._description.image_pixel_size
        if own is None or in_micrometres(file.pixel_size, file.unit) is not None:
            return file.pixel_size, file.unit
        return (own, own), "µm"

    def _with_other_files(self, members: list[int]) -> list[int]:
        """Of rows that are one field of view the first of each file."""
        firsts: dict[tuple[str, ...], int] = {}
        for member in members:
            firsts.setdefault(self.files_of(member)[: len(self.images.files_of(member))], member)
        return list(firsts.values())

    def _labels(
        self, row: int, field: Field, images: LabelStack | None, place: StackPlace
    ) -> tuple[npt.NDArray[Any] | None, Objects | None]:
        """Label image of a field of view and where its objects lie, where cells are found so."""
        cells = self._description.cells
        if cells.origin == "segment":
            labels = self._segmented(field)
            objects = Regions.of(labels).objects()
            share = covered_share(labels, objects)
            if share:
                self.masks.append(Mask(field.name, _NONE, objects, covers=share))
            return labels, objects
        if images is None:
            return None, None
        pixels, notes = images.labels(place)
        self.notes += notes
        where = ", ".join(filter(None, [images.where, place.text]))
        if pixels.shape != field.shape:
            raise DataError(
                f"{where} has {_size(pixels.shape)} pixels, its image {_size(field.shape)}"
            )
        # Rows that name their cell by its id take the mask for labelled, whatever it holds.
        labelled = True if cells.object or cells.tracks else cells.labelled
        mask = read_mask(pixels, labelled=labelled, min_area=cells.min_area, where=where)
        # The pixels are the field's from here on, and nobody else's.
        short = ", ".join(filter(None, [images.name, place.text]))
        self.masks.append(replace(mask, where=short, labels=_NONE))
        return mask.labels, mask.objects

    def _segmented(self, field: Field) -> npt.NDArray[np.int32]:
        cells = self._description.cells
        height, width = field.shape
        planes = [field.planes[self.images.channels.index(name)] for name in cells.channels]
        pixels = [plane[0:height, 0:width] for plane in planes]
        if cells.segmentation is None:
            return find_nuclei(pixels[0], min_area=cells.min_area)
        result = segment(pixels[0], cells.segmentation, *pixels[1:])
        first = planes[0]
        if isinstance(first, FilePlane):
            for line in result.warnings:
                self.images.warnings.say(first.file.path, line)
        return result.labels

    def _label_images(
        self, row: int, rows: list[int], lengths: dict[str, int]
    ) -> LabelStack | None:
        """The label images of a row's files, or of several rows that are one field of view."""
        if self._description.cells.origin != "mask":
            return None
        column = str(self._description.cells.column)
        paths = dict.fromkeys(self._table.file(member, column) for member in rows)
        stacks = []
        for path in paths:
            with self._table.naming(row, column):
                file = self.images.open(path, alone=True, mask=True)
                stacks.append(stack_of_mask(file, lengths))
        path = next(iter(paths))
        where = f"{self._table.where(row, column)}: {path.name}"
        return LabelStack.of(stacks, where, path.name)


def _size(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))
