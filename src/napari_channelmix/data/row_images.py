"""The images that rows of a data set name: each file opened once, held to the others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.agreement import ChannelNames, FileWarnings
from napari_channelmix.data.field_names import distinct_names
from napari_channelmix.data.image_formats import FilePlane, ImageFile, open_image
from napari_channelmix.data.stack_places import StackPlace, in_words
from napari_channelmix.errors import DataError
from napari_channelmix.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from napari_channelmix.data.description import Description
    from napari_channelmix.data.table import Table

__all__ = ["RowImages"]


class RowImages:
    """Image files of rows, and their planes.

    Attributes
    ----------
    channels : tuple of str
        Known from the data-set file, or from the first image on.
    warnings : FileWarnings
    """

    def __init__(self, table: Table, description: Description) -> None:
        self._table, self._description = table, description
        self._files: dict[tuple[Path, bool, bool], ImageFile] = {}
        self._last: tuple[int, list[tuple[str, Path]]] = (-1, [])
        self._names = ChannelNames()
        self.warnings = FileWarnings()
        self.channels: tuple[str, ...] = tuple(description.channels)

    def open(self, path: Path, *, alone: bool = False, mask: bool = False) -> ImageFile:
        """A file of an image or a mask, opened now or before."""
        key = (path, alone, mask)
        if key not in self._files:
            scene = self._description.chosen_scene
            self._files[key] = file = open_image(path, scene=scene, alone=alone, mask=mask)
            self.warnings.add(file, mask=mask)
            if not alone:
                self.warnings.same_image(file)
        return self._files[key]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """Columns of files, and the channel each stands for; empty for all channels."""
        description = self._description
        if description.image:
            return [(description.image.column, "")]
        return [(column, name) for name, column in description.channels.items()]

    def first_file(self, row: int) -> str:
        """The first image file of a row, as the table names it."""
        return self._table.text(row, self.columns[0][0])

    def files_of(self, row: int) -> list[tuple[str, Path]]:
        """Columns and files of a row's images: one of all channels, or one for each."""
        if self._last[0] != row:
            # Whoever opens a row asks several times.
            files = [(column, self._table.file(row, column)) for column, _ in self.columns]
            self._last = row, files
        return self._last[1]

    def lengths(self, row: int) -> dict[str, int]:
        """The axes T and Z of a row's images and how long they are; the same for all channels."""
        image = self._description.image
        lengths: dict[str, int] | None = None
        for column, path in self.files_of(row):
            with self._table.naming(row, column):
                file = self.open(path, alone=image is None)
                own = file.stacked(None if image is None else image.axes)
                if lengths is not None and own != lengths:
                    raise DataError(
                        f"{path} has {in_words(own)}, the file of the first channel "
                        f"{in_words(lengths)}; all channels of a stack must have the same planes"
                    )
            lengths = own
        return lengths or {}

    def planes(self, row: int, place: StackPlace, *, first: bool) -> tuple[FilePlane, ...]:
        """The planes of a row's channels, checked against each other where they are the first."""
        description, table = self._description, self._table
        stack = dict(place.positions)
        if description.image:
            ((column, path),) = self.files_of(row)
            with table.naming(row, column):
                file = self.open(path)
                planes = file.planes(description.image.axes, stack)
                if first:
                    self.warnings.say(path, file.reading_of_axes(description.image.axes))
            if first:
                self._agree_on_channels(row, file, len(planes))
            return planes
        opened = []
        for name, (column, path) in zip(description.channels, self.files_of(row), strict=True):
            with table.naming(row, column):
                file = self.open(path, alone=True)
                own = file.planes(None, stack)
            if len(own) != 1:
                raise DataError(
                    f"{table.where(row, column)}: {path} has {len(own)} channels, but stands "
                    f"for the one channel {name!r}; use [image] for files with a channel axis"
                )
            if first:
                with table.naming(row, column):
                    warning = self._names.of_column(name, tuple(description.channels), file)
                self.warnings.say(path, warning)
            opened.append(own[0])
        if first:
            self._say_same_file(row)
        return tuple(opened)

    def _say_same_file(self, row: int) -> None:
        """One file for two channels is mostly a mistake of copying."""
        seen: dict[Path, str] = {}
        for name, column in self._description.channels.items():
            path = self._table.file(row, column)
            other = seen.setdefault(path, name)
            if other != name:
                self.warnings.say(path, f"is the file of channel {other!r} and of {name!r} as well")

    def _distinct(self, own: Sequence[str], file: ImageFile) -> tuple[str, ...]:
        """Names of a file's channels; the second of a name gets a number, with a warning.

        So files have them whose nuclei are stained in every cycle.
        """
        names = distinct_names(own)
        renamed = [
            f"channel {place + 1}, {old}, is read as {name}"
            for place, (name, old) in enumerate(zip(names, own, strict=True))
            if name != old
        ]
        if renamed:
            line = f"some of its channels have one name ({listed(renamed)})"
            self.warnings.say(file.path, line)
        return names

    def _agree_on_channels(self, row: int, file: ImageFile, count: int) -> None:
        """Take the channel names of the file or of the user, and hold every file to them."""
        description, table = self._description, self._table
        assert description.image is not None
        where = f"{table.where(row, description.image.column)}: {file.path.name}"
        own = file.channels if count > 1 else None
        if own and not description.image.channels:
            own = self._distinct(own, file)
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
        for channel in description.cells.channels:
            if channel not in self.channels:
                raise DataError(
                    f"{where}: [cells] channel {channel!r} is not among its channels "
                    f"{', '.join(self.channels)}"
                )
