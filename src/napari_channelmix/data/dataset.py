"""Open a data-set file: its table, its images, its cells."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from napari_channelmix.data.cells import BOX, Cells, Field, _check_field, square_boxes
from napari_channelmix.data.description import Description, read_description
from napari_channelmix.data.images import Decoded, FilePlane, ImageFile, open_image
from napari_channelmix.data.segment import find_nuclei, objects, objects_of_mask
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain

__all__ = ["open_dataset", "open_dataset_job"]


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
    path = Path(path)
    said = read_description(path)
    table = _Table.read(path, said)
    labels, classes = table.classes()
    opener = _Opener(table, said)
    fields: dict[tuple[str, ...], int] = {}
    found: list[Field] = []
    parts: list[pd.DataFrame] = []
    skipped: list[str] = []
    for at in range(len(table.rows)):
        key = opener.files_of(at)
        if key not in fields:
            fields[key] = len(found)
            with table.naming(at):
                found.append(opener.open_field(at))
            yield Progress(at, len(table.rows), "opening the images")
        boxes, object_of = opener.boxes(at, found[fields[key]])
        if boxes is None:
            skipped.append(table.where(at))
            continue
        here = pd.DataFrame(boxes, columns=BOX)
        here.insert(0, "field", fields[key])
        parts.append(here.assign(label=labels[at], group=table.text(at, said.group) or str(at),
                                 split=table.text(at, said.split), object=object_of))  # fmt: skip
    if not parts or not sum(map(len, parts)):
        raise DataError(f"{path}: no cells were found in any of {len(table.rows)} rows")
    cells = pd.concat(parts, ignore_index=True)
    return Cells(
        said.name, opener.channels, classes, said.cells.crop, tuple(found), cells,
        (*table.warnings, *_warnings(said, skipped)),
    )  # fmt: skip


def _warnings(said: Description, skipped: list[str]) -> tuple[str, ...]:
    if not skipped:
        return ()
    what = {"box": "boxes have no area", "segment": "images hold no nuclei"}.get(
        said.cells.origin, "rows hold no cell"
    )
    return (f"{len(skipped)} {what} and were left out (first: {skipped[0]})",)


@dataclass(frozen=True)
class _Table:
    """The table of a data set, after the row filter; every value is text until it is needed."""

    path: Path
    said: Description
    rows: pd.DataFrame  # its index keeps the line numbers of the file
    warnings: tuple[str, ...] = ()

    @classmethod
    def read(cls, dataset: Path, said: Description) -> _Table:
        path = dataset.parent / said.table
        try:
            separator = "\t" if path.suffix.lower() in (".tsv", ".tab") else ","
            with warnings.catch_warnings():
                # Pandas only warns of lines that are longer than the head, and drops their end.
                warnings.simplefilter("error", pd.errors.ParserWarning)
                rows = pd.read_csv(path, dtype=str, keep_default_na=False, sep=separator,
                                   index_col=False, skip_blank_lines=False)  # fmt: skip
        except pd.errors.ParserWarning:
            raise DataError(f"{path}: its lines have more columns than its first line") from None
        except FileNotFoundError:
            raise DataError(f"{dataset}: table {path} does not exist") from None
        except (OSError, ValueError) as error:
            raise DataError(f"{path}: cannot be read as a table ({error})") from error
        rows.index = pd.RangeIndex(2, len(rows) + 2)
        rows = rows[(rows != "").any(axis=1)]
        table = cls(path, said, rows)
        for column in table._columns_named():
            if column not in rows.columns:
                raise DataError(
                    f"{path}: no column {column!r}, which {dataset.name} names; "
                    f"it has {', '.join(map(str, rows.columns))}"
                )
        unknown = []
        for column, values in said.keep.items():
            texts = [str(value) for value in values]
            unknown += [f"keep asks for {text!r}, which no row of column {column!r} has"
                        for text in texts if not (table.rows[column] == text).any()]  # fmt: skip
            rows = rows[rows[column].isin(texts)]
        if rows.empty:
            raise DataError(f"{path}: no rows" + (" are left by 'keep'" if said.keep else ""))
        kept = cls(path, said, rows, tuple(unknown))
        kept._refuse_bad_groups()
        return kept

    def _columns_named(self) -> Iterable[str]:
        said = self.said
        yield from (name for name in (said.label, said.group, said.split) if name)
        yield from said.keep
        yield from said.channels.values()
        if said.image:
            yield said.image.column
        if said.cells.column:
            yield said.cells.column
        yield from said.cells.columns or ()

    def _refuse_bad_groups(self) -> None:
        """Refuse gaps in the group column, unknown parts, and groups that lie in two parts."""
        group, split = self.said.group, self.said.split
        part_of: dict[str, tuple[str, int]] = {}
        for at in range(len(self.rows)):
            name, part = self.text(at, group), self.text(at, split)
            if group and not name.strip():
                raise DataError(f"{self.where(at, group)}: the group is empty; fill it in")
            if split and part not in ("train", "val", "test"):
                raise DataError(f"{self.where(at, split)}: {part!r} is none of train, val and test")
            first, line = part_of.setdefault(name, (part, at))
            if group and split and part != first:
                raise DataError(
                    f"{self.where(at, split)}: group {name!r} is in {part!r} here and in "
                    f"{first!r} in line {self.rows.index[line]}; a group belongs to one part"
                )

    @contextlib.contextmanager
    def naming(self, at: int, column: str | None = None) -> Iterator[None]:
        """Put file, line and column before an error that does not name them yet."""
        try:
            yield
        except DataError as error:
            if str(error).startswith(f"{self.path}, line"):
                raise
            raise DataError(f"{self.where(at, column)}: {error}") from error

    def where(self, at: int, column: str | None = None) -> str:
        """File, line and column of a value, for messages."""
        place = f"{self.path}, line {self.rows.index[at]}"
        return f"{place}, column {column!r}" if column else place

    def text(self, at: int, column: str | None) -> str:
        return str(self.rows[column].iloc[at]) if column else ""

    def number(self, at: int, column: str) -> float:
        text = self.text(at, column)
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise DataError(f"{self.where(at, column)}: {text!r} is not a number")
        return value

    def file(self, at: int, column: str) -> Path:
        text = self.text(at, column)
        if not text:
            raise DataError(f"{self.where(at, column)}: no file is named")
        path = self.path.parent / text
        if not path.exists():
            raise DataError(f"{self.where(at, column)}: {path} does not exist")
        return path

    def classes(self) -> tuple[list[int], tuple[str, ...]]:
        """Class of each row and the class names, in the order of ``keep`` or sorted."""
        column = self.said.label
        if column is None:
            return [-1] * len(self.rows), ()
        values = self.rows[column]
        gaps = np.flatnonzero(values.str.strip() == "")
        if len(gaps):
            raise DataError(
                f"{self.where(int(gaps[0]), column)}: the label is empty"
                + (f" (so are {len(gaps) - 1} more)" if len(gaps) > 1 else "")
                + "; fill it in, or leave such rows out with keep"
            )
        kept = [str(value) for value in self.said.keep.get(column, ())]
        present = set(values)
        classes = [name for name in kept if name in present] or sorted(present, key=_natural)
        codes = {name: code for code, name in enumerate(classes)}
        return [codes[value] for value in values], tuple(classes)


def _natural(name: str) -> list[tuple[int, float, str]]:
    """Sort key that puts 10 after 9."""
    pieces = re.split(r"(\d+(?:\.\d+)?)", name)
    return [(0, float(p), "") if i % 2 else (1, 0.0, p) for i, p in enumerate(pieces) if p]


class _Opener:
    """Opens the images of rows and finds the cells in them, each file once."""

    def __init__(self, table: _Table, said: Description) -> None:
        self._table, self._said = table, said
        self._decoded = Decoded()
        self._files: dict[Path, ImageFile] = {}
        self.channels: tuple[str, ...] = tuple(said.channels)

    def _image(self, path: Path) -> ImageFile:
        if path not in self._files:
            self._files[path] = open_image(path)
        return self._files[path]

    def files_of(self, at: int) -> tuple[str, ...]:
        """The texts that name a row's images: rows with the same ones share a field of view."""
        said = self._said
        columns = [said.image.column] if said.image else list(said.channels.values())
        if said.cells.origin == "mask":
            columns.append(str(said.cells.column))
        return tuple(self._table.text(at, column) for column in columns)

    def open_field(self, at: int) -> Field:
        """Open the images of a row, check them against each other, and find labelled cells."""
        said, table = self._said, self._table
        if said.image:
            path = table.file(at, said.image.column)
            with table.naming(at, said.image.column):
                file = self._image(path)
                planes = file.planes(said.image.axes, self._decoded)
            self._agree_on_channels(at, file, len(planes))
        else:
            opened = []
            for name, column in said.channels.items():
                path = table.file(at, column)
                with table.naming(at, column):
                    here = self._image(path).planes(None, self._decoded)
                if len(here) != 1:
                    raise DataError(
                        f"{table.where(at, column)}: {path} has {len(here)} channels, but stands "
                        f"for the one channel {name!r}; use [image] for files with a channel axis"
                    )
                opened.append(here[0])
            planes = tuple(opened)
        one = Field(
            f"{table.where(at)}: {planes[0].file.path.name}",
            planes,
            pixel_size=planes[0].file.pixel_size,
            unit=planes[0].file.unit,
        )
        sides = {"box": 1, "image": 1, "tile": said.cells.size or 1}
        _check_field(one, self.channels, sides.get(said.cells.origin, said.cells.crop))
        labels = self._labels(at, one)
        return Field(one.name, one.planes, labels, one.pixel_size, one.unit)

    def _agree_on_channels(self, at: int, file: ImageFile, count: int) -> None:
        """Take the channel names of the file or of the user, and hold every file to them."""
        said, table = self._said, self._table
        assert said.image is not None
        where = f"{table.where(at, said.image.column)}: {file.path.name}"
        own = file.channels
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
            planes: tuple[FilePlane, ...] = self._image(path).planes(None, Decoded(0))
        where = f"{self._table.where(at, column)}: {path.name}"
        if len(planes) != 1 or planes[0].shape != one.shape:
            raise DataError(f"{where} is {planes[0].shape} pixels, the image {one.shape}")
        mask = planes[0][0 : one.shape[0], 0 : one.shape[1]]
        return objects_of_mask(mask, min_area=cells.min_area, where=where)

    def boxes(
        self, at: int, one: Field
    ) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]] | tuple[None, None]:
        """Boxes (n, 4) of a row's cells and their labels (n,), or None where it holds none."""
        cells, table = self._said.cells, self._table
        height, width = one.shape
        if one.labels is not None:
            found = objects(one.labels)
            if not len(found["label"]):
                return None, None
            return square_boxes(found["y"], found["x"], cells.crop), found["label"]
        if cells.origin == "image":
            side = max(height, width)
            box = square_boxes(np.array([height / 2]), np.array([width / 2]), side)
            return box, np.zeros(1, np.int64)
        numbers = [table.number(at, column) for column in cells.columns or ()]
        if cells.origin == "box":
            y0, x0, y1, x1 = numbers
            if y1 <= y0 or x1 <= x0:
                return None, None
            side = max(4, round(max(y1 - y0, x1 - x0)))
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
