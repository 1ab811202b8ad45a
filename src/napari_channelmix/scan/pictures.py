"""A few images of a scan, opened to see their sizes, channels and pixel types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.data.resampling import resampled_by
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress
from napari_channelmix.wording import listed, quoted

if TYPE_CHECKING:
    from napari_channelmix.settings.scan import ScanSettings

__all__ = ["Picture", "Pictures", "look_job"]

# Images that are opened for each channel.
SAMPLES = 6
# Channels of which images are opened.
CHANNELS = 16
# Images of one cell are at most as large, in pixels. Our definition.
SINGLE_CELL = 200


@dataclass(frozen=True)
class Picture:
    """What one image file says of itself.

    Attributes
    ----------
    path : str
    shape : tuple of int
        In the order of ``axes``.
    dtype : str
    axes : str or None
        As `data.image_formats.ImageFile` has them; ``S`` for colours.
    channels : tuple of str or None
        Names in the file.
    of : str
        The channel that the name of the file says; empty where it says none.
    pixel_size : tuple of float or None
        Micrometres, y and x, where the file states them.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str
    axes: str | None
    channels: tuple[str, ...] | None = None
    of: str = ""
    pixel_size: tuple[float, float] | None = None

    @property
    def sides(self) -> tuple[int, int] | None:
        """Height and width in pixels, where the axes are known."""
        if self.axes is None or "Y" not in self.axes:
            return None
        return self.shape[self.axes.index("Y")], self.shape[self.axes.index("X")]

    @property
    def channel_count(self) -> int | None:
        """Channels or colours in the file; None where the axes are not known."""
        if self.axes is None:
            return None
        return next((self.shape[self.axes.index(a)] for a in "CS" if a in self.axes), 1)


@dataclass(frozen=True)
class Pictures:
    """The images that were opened; those of a folder are taken to be alike.

    Attributes
    ----------
    opened : tuple of Picture
    unreadable : tuple of (str, str)
        Path, and why it could not be opened.
    """

    opened: tuple[Picture, ...] = ()
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def of_single_cells(self) -> bool:
        """Whether every image is small enough to be one cell: both sides at most 200 pixels."""
        sides = [picture.sides for picture in self.opened]
        return bool(sides) and all(pair is not None and max(pair) <= SINGLE_CELL for pair in sides)

    @property
    def first(self) -> Picture | None:
        """The first image, or None where none could be opened."""
        return self.opened[0] if self.opened else None

    def scale(self, path: str, settings: ScanSettings) -> float:
        """How many pixels of a crop, resampled as the settings say, a pixel of an image is.

        An image that was not looked at is taken to be as the first.
        """
        sizes = {picture.path: picture.pixel_size for picture in self.opened}
        side = settings.image_pixel_size
        given = None if side is None else (side, side)
        own = sizes.get(path, self.first.pixel_size if self.first else None)
        return resampled_by(settings.pixel_size, own or given)

    def names_of_channels(self) -> dict[str, str]:
        """Channels as names of files have them, and as all files looked at name them inside.

        Empty where a file has no name, two of a channel differ, or two channels share one.
        """
        names: dict[str, set[str]] = {}
        for picture in self.opened:
            inside = picture.channels or ("",)
            names.setdefault(picture.of, set()).add(inside[0] if len(inside) == 1 else "")
        one = {channel: next(iter(inside)) for channel, inside in names.items() if len(inside) == 1}
        if len(one) < len(names) or not all(one.values()) or len(set(one.values())) < len(one):
            return {}
        return one

    def not_of_one_channel(self) -> list[str]:
        """Why files that are to hold one channel each do not, in one line or none."""
        odd = [picture for picture in self.opened if picture.channel_count != 1]
        if not odd:
            return []
        first = odd[0]
        what = "colours" if first.axes and "S" in first.axes else f"axes {first.axes or 'unknown'}"
        return [
            f"{quoted(first.path, 100)} should hold one channel and has {what} {first.shape}; "
            "export one grey image for each channel, or let no part of the name be the channel"
        ]

    def notes(self) -> tuple[str, ...]:
        """Pixel types and sizes that differ, with counts, and files that cannot be read."""
        lines = []
        total = f"of {len(self.opened)} images looked at"
        types = Counter(picture.dtype for picture in self.opened)
        if len(types) > 1:
            counts = listed([f"{count} {name}" for name, count in types.most_common()])
            lines.append(f"pixel types differ ({total}: {counts})")
        sizes = Counter(picture.sides for picture in self.opened if picture.sides)
        if len(sizes) > 1:
            counts = listed([f"{count} {y} x {x}" for (y, x), count in sizes.most_common()], 4)
            lines.append(f"sizes differ ({total}: {counts} pixels)")
        if self.unreadable:
            first = self.unreadable[0]
            lines.append(
                f"{len(self.unreadable)} of {len(self.opened) + len(self.unreadable)} images "
                f"looked at cannot be read (first: {first[1]})"
            )
        return tuple(lines)


def look_job(folder: Path, files: Mapping[str, Sequence[str]]) -> Job[Pictures]:
    """Open up to six images of each channel, spread over its files.

    Parameters
    ----------
    folder : path
    files : mapping of str to sequence of str
        For each channel, its files relative to ``folder``.
    """
    chosen: list[tuple[str, str]] = []
    for channel, paths in list(files.items())[:CHANNELS]:
        step = max(1, (len(paths) - 1) // max(1, SAMPLES - 1))
        some = dict.fromkeys([*paths[::step][: SAMPLES - 1], *paths[-1:]])
        chosen += [(channel, path) for path in some]
    opened, unreadable = [], []
    for count, (channel, path) in enumerate(chosen):
        yield Progress(count, len(chosen), "looking at images")
        try:
            file = open_image(folder / path, alone=len(files) > 1)
        except DataError as error:
            unreadable.append((path, str(error)))
            continue
        dtype = str(file.dtype)
        size = in_micrometres(file.pixel_size, file.unit)
        opened.append(Picture(path, file.shape, dtype, file.axes, file.channels, channel, size))
    return Pictures(tuple(opened), tuple(unreadable))
