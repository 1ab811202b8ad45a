"""What files state is held against what the user states, and against each other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.image_planes import FilePlane, ImageFile
from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from napari_channelmix.data.fields import Field

__all__ = ["ChannelNames", "FileWarnings", "warnings_of_fields"]

Names = tuple[str, ...]

# Names that writers make up where there are none, which state nothing.
_MADE_UP = re.compile(
    r"(channel|chan|ch|c|image|img|series|slice|layer|grey|gray|default|unnamed)?[\W_\d]*"
    r"|image[\W_\d]*(tiff?)?",
    re.IGNORECASE,
)
# Pixel sizes that differ by less are rounded differently, not chosen differently.
TOLERANCE = 0.01
# The samples of an RGB picture, in their order.
COLOURS = ("red", "green", "blue")


class ChannelNames:
    """Channel names that the files of a data set state, held against those of the user."""

    def __init__(self) -> None:
        self._first: tuple[Path, Names] | None = None
        self._columns: dict[str, str] = {}

    def of_file(self, names: Names, file: ImageFile) -> str | None:
        """Hold the names of a file with a channel axis against ``names``, one each.

        Returns
        -------
        str or None
            A warning where the file calls its channels something else altogether.

        Raises
        ------
        DataError
            The same names in another order: as the user's, or as those of a file before.
        """
        own = file.channels
        if own is None and file.axes and "S" in file.axes and len(names) == len(COLOURS):
            _refuse_other_colours(names, file)
        if own is None or len(own) != len(names):
            return None
        if moved := _moved(names, own):
            raise DataError(
                f"{file.path}: its channels are {_list(own)} by its own account, {_list(names)} "
                f"by the data-set file: {moved!r} is another one; correct channels = [...]"
            )
        if self._first is None:
            self._first = (file.path, own)
        elif moved := _moved(self._first[1], own):
            raise DataError(
                f"{file.path}: its channels are {_list(own)}, those of {self._first[0].name} "
                f"{_list(self._first[1])}: {moved!r} is another one; one list of channels cannot "
                "name both"
            )
        other = [(n, o) for n, o in zip(names, own, strict=True) if _stated(o) and not _same(n, o)]
        if not other:
            return None
        pairs = ", ".join(f"{o[:40]!r} is read as {n[:40]!r}" for n, o in other)
        return f"its channels have other names than those of the data-set file ({pairs})"

    def of_column(self, name: str, names: Names, file: ImageFile) -> str | None:
        """Hold the name that a file of one channel states against its column's.

        Parameters
        ----------
        name : str
            The channel that the column stands for.
        names : tuple of str
            All channels.

        Raises
        ------
        DataError
            The file states the name of another channel.
        """
        if not file.channels or len(file.channels) != 1 or not _stated(file.channels[0]):
            return None
        own = file.channels[0]
        first = self._columns.setdefault(name, own)
        if _same(own, name):
            return None
        for other in names:
            if other != name and _same(own, other):
                raise DataError(
                    f"{file.path}: is the channel {own!r:.60} by its own account, but stands for "
                    f"{name!r}; correct the columns under [channels]"
                )
            if other != name and not _same(own, first) and _same(own, self._columns.get(other, "")):
                raise DataError(
                    f"{file.path}: is the channel {own!r:.60} by its own account, the files of "
                    f"{name!r} before it are {first!r:.60}, those of {other!r} are {own!r:.60}"
                )
        return f"its channel has another name than its column ({own[:40]!r} is read as {name!r})"


def _refuse_other_colours(names: Names, file: ImageFile) -> None:
    """A picture has red first, whatever the user's list says."""
    letters = {colour[0]: colour for colour in COLOURS}
    meant = [letters.get(_key(name), _key(name)) for name in names]
    if moved := _moved(meant, COLOURS):
        raise DataError(
            f"{file.path}: its samples are red, green, blue, {_list(names)} by the data-set file: "
            f"{moved!r} is another one; correct channels = [...]"
        )


def _moved(names: Sequence[str], own: Sequence[str]) -> str | None:
    """A name that stands for another channel here than there."""
    for position, name in enumerate(names):
        elsewhere = [i for i, other in enumerate(own) if _same(name, other)]
        if elsewhere and position not in elsewhere and _stated(name):
            return name
    return None


def _same(first: str, other: str) -> bool:
    return _key(first) == _key(other)


def _key(name: str) -> str:
    return re.sub(r"[\s_\-.]+", "", name).casefold()


def _stated(name: str) -> bool:
    return _MADE_UP.fullmatch(name.strip()) is None


def _list(names: Sequence[str]) -> str:
    shown = ", ".join(name[:40] for name in names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"


class FileWarnings:
    """Warnings of many files, a line for each kind: those that agree are counted."""

    def __init__(self) -> None:
        self._files: dict[str, dict[Path, str]] = {}
        self._parts: dict[Hashable, Path] = {}

    def add(self, file: ImageFile, *, mask: bool = False) -> None:
        """Take the warnings of a file; of a mask only those that concern its values."""
        for warning in file.warnings:
            if not mask or "stored" in warning or "part of a set" in warning:
                self.say(file.path, warning)

    def same_image(self, file: ImageFile) -> None:
        """Warn where two files of one set are named: each of them is the whole of it."""
        if file.part is not None:
            first = self._parts.setdefault(file.part, file.path)
            if first != file.path:
                self.say(
                    file.path,
                    "it is of the same set as another file and is read as the same image: "
                    f"name one file of each set ({first.name})",
                )

    def say(self, path: Path, warning: str | None) -> None:
        """Take one warning; what stands in brackets at its end may differ between files."""
        if warning:
            self._files.setdefault(warning.partition(" (")[0], {}).setdefault(path, warning)

    def lines(self) -> tuple[str, ...]:
        """A line for each kind of warning."""
        lines = []
        for files in self._files.values():
            path, first = next(iter(files.items()))
            more = f" (and {len(files) - 1} more files)" if len(files) > 1 else ""
            lines.append(f"{path.name}{more}: {first}")
        return tuple(lines)


def warnings_of_fields(
    fields: Iterable[Field], channels: Names, *, resampled: bool = False
) -> tuple[str, ...]:
    """Pixel sizes and pixel types that differ within a data set, with their numbers.

    Parameters
    ----------
    fields : iterable of Field
    channels : tuple of str
        Names of their planes.
    resampled : bool
        Whether crops are brought to one pixel size, so that those of the files may differ.

    Returns
    -------
    tuple of str
        A line for pixel sizes within a field, one for sizes between fields, one for each channel
        of several types. Sizes that differ by up to 1 % are one. Our definition.
    """
    fields = list(fields)
    lines = []
    within = [(field, sizes) for field in fields if len(sizes := _sizes(field)) > 1]
    if within:
        field, sizes = within[0]
        lines.append(
            f"the channels of {len(within)} images differ in pixel size: "
            f"{_micrometres(sizes)} (first: {field.name})"
        )
    counted: Counter[tuple[float, float]] = Counter()
    for field in fields:
        size = in_micrometres(field.pixel_size, field.unit)
        if size is not None:
            counted[next((known for known in counted if _close(known, size)), size)] += 1
    if len(counted) > 1 and not resampled:
        shown = ", ".join(f"{n} of {_micrometres([size])}" for size, n in counted.most_common(5))
        common = counted.most_common(1)[0][0][0]
        lines.append(
            f"the images differ in pixel size: {shown}; cells differ in size accordingly "
            f"(pixel_size = {common:.4g} under [cells] brings them to one size)"
        )
    for position, channel in enumerate(channels):
        dtypes = Counter(str(field.planes[position].dtype) for field in fields)
        if len(dtypes) > 1:
            shown = ", ".join(f"{n} of {dtype}" for dtype, n in dtypes.most_common(5))
            lines.append(
                f"the images of channel {channel!r} differ in pixel type: {shown}; "
                "their values may not compare"
            )
    return tuple(lines)


def _sizes(field: Field) -> list[tuple[float, float]]:
    """The different pixel sizes among the planes of a field, in micrometres."""
    sizes: list[tuple[float, float]] = []
    for plane in field.planes:
        if isinstance(plane, FilePlane):
            size = in_micrometres(plane.file.pixel_size, plane.file.unit)
            if size is not None and not any(_close(known, size) for known in sizes):
                sizes.append(size)
    return sizes


def _close(first: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= TOLERANCE * max(a, b) for a, b in zip(first, other, strict=True))


def _micrometres(sizes: Sequence[tuple[float, float]]) -> str:
    return " and ".join(
        f"{y:.4g} µm" if abs(y - x) <= TOLERANCE * max(x, y) else f"{y:.4g} x {x:.4g} µm"
        for y, x in sizes
    )
