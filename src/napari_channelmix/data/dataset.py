"""Open a data-set file: its table, its images, its cells."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.agreement import ChannelNames, FileWarnings, warnings_of_fields
from napari_channelmix.data.bounds import square_side
from napari_channelmix.data.cells import BOX, Cells
from napari_channelmix.data.conditions import conditions_of
from napari_channelmix.data.description import Description, read_description
from napari_channelmix.data.fields import Field, check_field, square_boxes
from napari_channelmix.data.images import Decoded, ImageFile, open_image
from napari_channelmix.data.mask_files import read_mask
from napari_channelmix.data.row_objects import RowObjects
from napari_channelmix.data.segment import find_nuclei, objects, objects_of_mask
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain

if TYPE_CHECKING:
    from napari_channelmix.data.table import Table

__all__ = ["open_dataset", "open_dataset_job"]

# Rows of one image that are taken in a step.
STEP = 500


def open_dataset(path: str | Path) -> Cells:
    """Open a data set.

    Parameters
    ----------
    path : path
        A data-set file (``dataset.toml``); the paths in it are relative to it.

    Returns
    -------
    Cells
        Everything but the pixels is read and checked; pixels are read crop by crop.

    Raises
    ------
    DataError
        One line that names the file, row and column that is wrong.
    """
    return drain(open_dataset_job(path))


def open_dataset_job(path: str | Path) -> Job[Cells]:
    """`open_dataset` as a job: a step for every image.

    Read the description, then the table; open the image of each row; find the row's cells in it;
    put all cells into one table.
    """
    import pandas as pd

    from napari_channelmix.data.table import Table

    path = Path(path)
    said = read_description(path)
    table = Table.read(path, said)
    labels, classes, of_classes = table.classes()
    opener, objects_of_rows = _Opener(table, said), RowObjects(table, said, labels)
    fields: dict[tuple[str, ...], int] = {}
    found: list[Field] = []
    rows: list[int] = []
    field_of: list[int] = []
    all_boxes: list[npt.NDArray[np.int64]] = []
    all_objects: list[npt.NDArray[np.int64]] = []
    skipped: list[str] = []
    for at in range(len(table.rows)):
        key = opener.files_of(at)
        if key not in fields:
            fields[key] = len(found)
            with table.naming(at):
                found.append(opener.open_field(at))
            yield Progress(at, len(table.rows), "opening the images")
        elif at % STEP == 0:
            yield Progress(at, len(table.rows), "finding the cells")
        if not objects_of_rows.counts(at, key):
            continue
        boxes, objects_here = opener.boxes(at, found[fields[key]])
        if boxes is None or objects_here is None:
            skipped.append(table.where(at))
            continue
        rows += [at] * len(boxes)
        field_of += [fields[key]] * len(boxes)
        all_boxes.append(boxes)
        all_objects.append(objects_here)
    if not rows:
        raise DataError(f"{path}: no cells were found in any of {len(table.rows)} rows")
    cells = pd.DataFrame(np.concatenate(all_boxes), columns=BOX)
    cells.insert(0, "field", field_of)
    cells = cells.assign(
        label=[labels[at] for at in rows],
        group=[table.text(at, said.group) or str(at) for at in rows],
        split=[table.text(at, said.split) for at in rows],
        object=np.concatenate(all_objects),
    )
    return Cells(
        said.name, opener.channels, classes, said.cells.crop, tuple(found), cells,
        (
            *table.warnings,
            *of_classes,
            *objects_of_rows.warnings(),
            *opener.warnings.lines(),
            *warnings_of_fields(found, opener.channels),
            *_warnings(said, skipped, shared=len(found) < len(all_boxes)),
        ),
        conditions=conditions_of(table.rows, said.group, table.columns_of_cells()),
    )  # fmt: skip


def _warnings(said: Description, skipped: list[str], *, shared: bool) -> tuple[str, ...]:
    """What the user should know: rows left out, and images whose cells a split may divide."""
    lines = []
    if skipped:
        what = {"box": "boxes have no area", "segment": "images hold no nuclei"}.get(
            said.cells.origin, "rows hold no cell"
        )
        lines.append(f"{len(skipped)} {what} and were left out (first: {skipped[0]})")
    if shared and not said.group and not said.split:
        lines.append(
            "cells of one image may be trained on and held out: accuracy may not hold on other "
            "images (name a group column to keep them together)"
        )
    return tuple(lines)


class _Opener:
    """Opens the images of rows and finds the cells in them, each file once."""

    def __init__(self, table: Table, said: Description) -> None:
        self._table, self._said = table, said
        self._decoded = Decoded()
        self._files: dict[tuple[Path, bool, bool], ImageFile] = {}
        self._names = ChannelNames()
        self.warnings = FileWarnings()
        # Per field of view, where the object of each value of its label image lies.
        self._objects: dict[int, dict[int, tuple[float, float]]] = {}
        self.channels: tuple[str, ...] = tuple(said.channels)

    def _image(self, path: Path, *, alone: bool = False, mask: bool = False) -> ImageFile:
        key = (path, alone, mask)
        if key not in self._files:
            scene = self._said.chosen_scene
            self._files[key] = file = open_image(path, scene=scene, alone=alone, mask=mask)
            self.warnings.add(file, mask=mask)
            if not alone:
                self.warnings.same_image(file)
        return self._files[key]

    def files_of(self, at: int) -> tuple[str, ...]:
        """The files of a row's images: rows with the same ones share a field of view."""
        said = self._said
        columns = [said.image.column] if said.image else list(said.channels.values())
        if said.cells.origin == "mask":
            columns.append(str(said.cells.column))
        return tuple(os.path.normpath(self._table.file(at, column)) for column in columns)

    def open_field(self, at: int) -> Field:
        """Open the images of a row, check them against each other, and find labelled cells."""
        said, table = self._said, self._table
        if said.image:
            path = table.file(at, said.image.column)
            with table.naming(at, said.image.column):
                file = self._image(path)
                planes = file.planes(said.image.axes, self._decoded)
                self.warnings.say(path, file.reading_of_axes(said.image.axes))
            self._agree_on_channels(at, file, len(planes))
        else:
            opened = []
            for name, column in said.channels.items():
                path = table.file(at, column)
                with table.naming(at, column):
                    file = self._image(path, alone=True)
                    here = file.planes(None, self._decoded)
                if len(here) != 1:
                    raise DataError(
                        f"{table.where(at, column)}: {path} has {len(here)} channels, but stands "
                        f"for the one channel {name!r}; use [image] for files with a channel axis"
                    )
                with table.naming(at, column):
                    warning = self._names.of_column(name, tuple(said.channels), file)
                self.warnings.say(path, warning)
                opened.append(here[0])
            planes = tuple(opened)
        one = Field(
            f"{table.where(at)}: {planes[0].file.path.name}",
            planes,
            pixel_size=planes[0].file.pixel_size,
            unit=planes[0].file.unit,
        )
        sides = {"box": 1, "image": 1, "tile": said.cells.size or 1}
        check_field(one, self.channels, sides.get(said.cells.origin, said.cells.crop))
        labels = self._labels(at, one)
        return Field(one.name, one.planes, labels, one.pixel_size, one.unit)

    def _agree_on_channels(self, at: int, file: ImageFile, count: int) -> None:
        """Take the channel names of the file or of the user, and hold every file to them."""
        said, table = self._said, self._table
        assert said.image is not None
        where = f"{table.where(at, said.image.column)}: {file.path.name}"
        own = file.channels if count > 1 else None
        names = tuple(said.image.channels or own or ())
        if not names:
            if count > 1:
                raise DataError(
                    f"{where} has {count} channels and does not name them; "
                    "name them with channels = [...] under [image]"
                )
            names = ("image",)
        if len(names) != count:
            raise DataError(f"{where} has {count} channels, {len(names)} are named: {names}")
        if said.image.channels:
            with table.naming(at, said.image.column):
                self.warnings.say(file.path, self._names.of_file(names, file))
        if not self.channels:
            self.channels = names
        if names != self.channels:
            raise DataError(
                f"{where} has the channels {', '.join(names)}, "
                f"the files before it {', '.join(self.channels)}"
            )
        if said.cells.channel and said.cells.channel not in self.channels:
            raise DataError(
                f"{where}: [cells] channel {said.cells.channel!r} is not among its channels "
                f"{', '.join(self.channels)}"
            )

    def _labels(self, at: int, one: Field) -> npt.NDArray[np.int32] | None:
        cells = self._said.cells
        if cells.origin == "segment":
            plane = one.planes[self.channels.index(str(cells.channel))]
            return find_nuclei(plane[0 : one.shape[0], 0 : one.shape[1]], min_area=cells.min_area)
        if cells.origin != "mask":
            return None
        column = str(cells.column)
        path = self._table.file(at, column)
        with self._table.naming(at, column):
            mask = read_mask(self._image(path, alone=True, mask=True))
        where = f"{self._table.where(at, column)}: {path.name}"
        if mask.shape != one.shape:
            raise DataError(f"{where} is {mask.shape} pixels, the image {one.shape}")
        # Rows that name their cell by its value take the mask for labelled, whatever it holds.
        return objects_of_mask(
            mask, min_area=cells.min_area, where=where, labelled=bool(cells.object)
        )

    def boxes(
        self, at: int, one: Field
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | tuple[None, None]:
        """Boxes (n, 4) of a row's cells and their labels (n,), or None where it holds none."""
        cells, table = self._said.cells, self._table
        height, width = one.shape
        if one.labels is not None:
            if cells.object:
                return self._object_of(at, one, cells.object)
            found = objects(one.labels)
            if not len(found["label"]):
                return None, None
            return square_boxes(found["y"], found["x"], cells.crop), found["label"]
        if cells.origin == "image":
            with table.naming(at):
                side = square_side(height, width, one.shape, whole=True)
            box = square_boxes(np.array([height / 2]), np.array([width / 2]), side)
            return box, np.zeros(1, np.int64)
        numbers = [table.number(at, column) for column in cells.columns or ()]
        if cells.origin == "box":
            y0, x0, y1, x1 = numbers
            if y1 <= y0 or x1 <= x0:
                return None, None
            with table.naming(at):
                side = square_side(y1 - y0, x1 - x0, one.shape)
            y, x = (y0 + y1) / 2, (x0 + x1) / 2
        else:
            side = cells.crop if cells.origin == "point" else int(cells.size or 0)
            shift = side / 2 if cells.origin == "tile" else 0.0
            y, x = numbers[0] + shift, numbers[1] + shift
        inside = 0 <= y < height and 0 <= x < width
        if cells.origin == "tile":
            inside = min(numbers) >= 0 and y + shift <= height and x + shift <= width
        if not inside:
            raise DataError(
                f"{table.where(at)}: the cell at y={numbers[0]:g}, x={numbers[1]:g} lies outside "
                f"the image of {height} x {width} pixels"
            )
        return square_boxes(np.array([y]), np.array([x]), side), np.zeros(1, np.int64)

    def _object_of(
        self, at: int, one: Field, column: str
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Box and value of the one object that a row names."""
        if id(one) not in self._objects:
            assert one.labels is not None
            found = objects(one.labels)
            places = zip(found["y"].tolist(), found["x"].tolist(), strict=True)
            self._objects[id(one)] = dict(zip(found["label"].tolist(), places, strict=True))
        value = self._table.identifier(at, column)
        if value is None or value not in self._objects[id(one)]:
            raise DataError(
                f"{self._table.where(at, column)}: the mask has no object of the value {value}"
            )
        y, x = self._objects[id(one)][value]
        boxes = square_boxes(np.array([y]), np.array([x]), self._said.cells.crop)
        return boxes, np.array([value], np.int64)
