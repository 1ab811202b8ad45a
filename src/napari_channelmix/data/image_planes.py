"""An image file as lazy 2-D planes, with what the file says of its axes, channels and sizes."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.chunk_reading import read_region
from napari_channelmix.data.file_limits import guarded
from napari_channelmix.data.pixel_sources import PixelSource, all_pixels
from napari_channelmix.errors import DataError

__all__ = [
    "KNOWN_AXES",
    "STACKED",
    "FilePlane",
    "ImageFile",
    "MaximumPlane",
    "Plane",
    "with_maximum",
    "without_single_axes",
]

PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")

KNOWN_AXES = "TZCYX"
# Axes along which planes are chosen or projected.
STACKED = "TZ"


class Plane(Protocol):
    """Anything 2-D that gives pixels by slices: NumPy, dask and zarr arrays, and `FilePlane`."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    def __getitem__(self, region: Any, /) -> Any: ...


@dataclass(frozen=True)
class ImageFile:
    """What a file says of itself, and a way to its pixels. It can be pickled.

    Attributes
    ----------
    path : Path
    shape : tuple of int
        In the order of ``axes``; axes of length 1 other than Y and X are dropped.
    dtype : numpy.dtype
    axes : str or None
        Letters T, Z, C, Y, X; ``S`` for the samples of an RGB picture; None where the file does
        not say.
    channels : tuple of str or None
        Channel names, where the file has them.
    pixel_size : tuple of float or None
        Size of a pixel (y, x) in ``unit``, where the file has it.
    unit : str or None
    source : PixelSource
        Where its pixels come from; it holds no open file.
    warnings : tuple of str
        What was left out or is read otherwise than one may expect; details in brackets at the end.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    axes: str | None
    channels: tuple[str, ...] | None
    pixel_size: tuple[float, float] | None
    unit: str | None
    source: PixelSource = field(repr=False, compare=False)
    # The shape with its axes of length 1, which the user's axes may name.
    whole: tuple[int, ...] = field(default=(), repr=False, compare=False)
    warnings: tuple[str, ...] = ()
    # Which picture of the file this is.
    part: Hashable = field(default=None, repr=False, compare=False)
    # The values as labels, where they differ from the values as intensities.
    label_source: PixelSource | None = field(default=None, repr=False, compare=False)
    # Compressed with loss: neighbouring values blur.
    lossy: bool = field(default=False, repr=False, compare=False)

    def planes(
        self, axes: str | None, stack: Mapping[str, int] | None = None
    ) -> tuple[FilePlane, ...]:
        """Lazy 2-D planes of the file, one a channel.

        Parameters
        ----------
        axes : str or None
            Axes as the user names them (``"CYX"``, ``"YXC"``, ``"YX"``); None takes the file's own.
        stack : mapping of str to int, optional
            Of a stack, the position along its axes T and Z, or `PROJECT` for the maximum.

        Raises
        ------
        DataError
            Axes unknown, not fitting the shape, RGB not asked for, or more than two dimensions
            and channels without a place along them.
        """
        letters = self._axes_to_use(axes)
        where = tuple((axis, index) for axis, index in (stack or {}).items() if axis in letters)
        extra = [letter for letter in letters if letter not in {*"CYX", *dict(where)}]
        if extra:
            first = extra[0].lower() if extra[0] in STACKED else "z"
            raise DataError(
                f"{self.path}: axes {letters} {self.shape}: only 2-D images are read; "
                f"choose one plane or project along {', '.join(extra)}: say so under [planes] of "
                f'the data-set file, as {first} = "each", {first} = "maximum" or {first} = 0'
            )
        if "C" not in letters:
            return (FilePlane(self, letters, None, where),)
        count = self.shape[letters.index("C")]
        return tuple(FilePlane(self, letters, c, where) for c in range(count))

    def stacked(self, axes: str | None) -> dict[str, int]:
        """Lengths of the axes T and Z of a stack, in the file's order; ``axes`` as of `planes`.

        Raises
        ------
        DataError
            As `planes`.
        """
        letters = self._axes_to_use(axes)
        return {
            axis: length
            for axis, length in zip(letters, self.shape, strict=True)
            if axis in STACKED
        }

    def _axes_to_use(self, stated: str | None) -> str:
        if stated is not None and stated != self.axes:
            letters = self._fitting(stated)
            self._refuse_contradiction(letters)
        elif self.axes is None:
            raise DataError(
                f"{self.path}: the file does not say what its axes {self.shape} are; "
                'name them in the data-set file, such as axes = "CYX" under [image]'
            )
        elif "S" in self.axes:
            count = self.shape[self.axes.index("S")]
            what = {2: "a grey image with transparency", 3: "an RGB image"}.get(
                count, f"an image with {count} samples per pixel"
            )
            raise DataError(
                f"{self.path}: this is {what} {self.shape}, not separate channels; if its "
                f"{'colours' if count == 3 else 'samples'} are to be the channels, use [image] "
                f'with axes = "{self.axes.replace("S", "C")}" and channels = [{count} names]; '
                "a grey picture is read when it is saved with one channel"
            )
        else:
            letters = self.axes
        if (
            letters.count("Y") != 1
            or letters.count("X") != 1
            or any(letters.count(axis) > 1 for axis in "CTZ")
        ):
            raise DataError(
                f"{self.path}: axes {letters!r} must have one Y, one X, at most one C, T and Z"
            )
        return letters

    def _fitting(self, stated: str) -> str:
        """The user's axes without those of length 1."""
        letters = stated.upper()
        if len(letters) == len(self.whole) > len(self.shape):
            letters = without_single_axes(self.whole, letters)[1]
        # One plane of a set whose other files have several.
        if len(letters) == len(self.shape) + 1 and "C" in letters:
            letters = letters.replace("C", "")
        if len(letters) != len(self.shape):
            raise DataError(
                f"{self.path}: axes {stated!r} name {len(stated)} dimensions, "
                f"the file has {len(self.shape)} {self.shape}"
            )
        return letters

    def _refuse_contradiction(self, letters: str) -> None:
        stated = (self.axes or "").replace("S", "C")
        # Two axes are what any picture has; only of more does a file say which is which.
        if len(stated) < 3 or stated == letters or set(letters) - set(KNOWN_AXES):
            return
        moved = [a for a in "YX" if a in letters and letters.index(a) != stated.find(a)]
        if moved or sorted(letters) == sorted(stated):
            raise DataError(
                f"{self.path}: its axes are {stated} {self.shape} by its own account, "
                f"{letters} by the data-set file; "
                f'use axes = "{stated}" or correct the file'
            )

    def reading_of_axes(self, asked: str | None) -> str | None:
        """A warning where the user's axes give another meaning to an axis than the file."""
        stated = (self.axes or "").replace("S", "C")
        if asked is None or len(stated) < 3:
            return None
        letters = self._fitting(asked)
        if letters == stated:
            return None
        return f"its axes are {stated} by its own account, they are read as {letters}"

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded picture."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    @cached_property
    def levels(self) -> tuple[ImageFile, ...]:
        """The picture, and its smaller copies in the file, the smallest last."""
        smaller = guarded(self.path, self.source.levels)
        files = [replace(self, shape=level.shape, source=level, whole=()) for level in smaller]
        return self, *files

    def all_pixels(self) -> npt.NDArray[Any]:
        """The whole picture, decoded now."""
        return guarded(self.path, lambda: all_pixels(self.source))

    def all_labels(self) -> npt.NDArray[Any]:
        """The same, its values as labels."""
        source = self.label_source or self.source
        return guarded(self.path, lambda: all_pixels(source))


@dataclass(frozen=True)
class FilePlane:
    """One 2-D plane of an image file; slicing it reads the pixels."""

    file: ImageFile
    axes: str
    channel: int | None
    # Of a stack: where along its axes, or `PROJECT`.
    stack: tuple[tuple[str, int], ...] = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.file.shape[self.axes.index("Y")], self.file.shape[self.axes.index("X")]

    @property
    def dtype(self) -> np.dtype[Any]:
        """The file's own dtype."""
        return self.file.dtype

    @property
    def ndim(self) -> int:
        """Always 2; with ``shape`` and ``dtype`` it lets dask wrap the plane."""
        return 2

    @property
    def levels(self) -> tuple[FilePlane, ...]:
        """The plane and its smaller copies in the file, the smallest last.

        They show the same part of the sample in larger pixels. Looked up when they are wanted;
        only the plane itself where the file has no others. Crops are always cut out of the plane.

        Examples
        --------
        >>> import tempfile, tifffile
        >>> from napari_channelmix.data.image_formats import open_image
        >>> path = f"{tempfile.mkdtemp()}/slide.ome.tif"
        >>> pixels = np.zeros((2, 64, 96), np.uint8)
        >>> with tifffile.TiffWriter(path) as writer:
        ...     options = {"tile": (16, 16), "photometric": "minisblack"}
        ...     _ = writer.write(pixels, subifds=1, metadata={"axes": "CYX"}, **options)
        ...     _ = writer.write(pixels[:, ::4, ::4], subfiletype=1, **options)
        >>> [level.shape for level in open_image(path).planes(None)[1].levels]
        [(64, 96), (16, 24)]
        """
        return tuple(replace(self, file=file) for file in self.file.levels)

    @cached_property
    def index(self) -> tuple[int | None, ...]:
        """Where the plane lies: for each axis a position, `PROJECT`, or None for Y and X."""
        by_axis = {"Y": None, "X": None, "C": self.channel, **dict(self.stack)}
        return tuple(by_axis[axis] for axis in self.axes)

    @property
    def turned(self) -> bool:
        """Whether columns come before rows in the file."""
        return self.axes.index("X") < self.axes.index("Y")

    def __getitem__(self, region: tuple[slice, slice]) -> npt.NDArray[Any]:
        """Pixels of a region, as (rows, columns)."""
        return guarded(
            self.file.path, lambda: read_region(self.file.source, self, self.shape, region)
        )


@dataclass(frozen=True)
class MaximumPlane(FilePlane):
    """The maximum of planes that lie in files of their own; otherwise as the first of them."""

    others: tuple[FilePlane, ...] = ()

    @property
    def parts(self) -> tuple[FilePlane, ...]:
        """The planes it is made of."""
        return FilePlane(self.file, self.axes, self.channel, self.stack), *self.others

    @property
    def levels(self) -> tuple[FilePlane, ...]:
        """As of `FilePlane`, where all of its parts have the same."""
        levels = [part.levels for part in self.parts]
        if len({tuple(level.shape for level in each) for each in levels}) > 1:
            return (self,)
        return tuple(
            MaximumPlane(first.file, first.axes, first.channel, first.stack, tuple(others))
            for first, *others in zip(*levels, strict=True)
        )

    def made(self, pixels: Sequence[npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Its pixels from those of its parts."""
        result = pixels[0]
        for other in pixels[1:]:
            result = np.maximum(result, other)
        return result

    def __getitem__(self, region: tuple[slice, slice]) -> npt.NDArray[Any]:
        """Pixels of a region, as (rows, columns)."""
        return self.made([part[region] for part in self.parts])


def with_maximum(
    planes: tuple[FilePlane, ...], others: tuple[FilePlane, ...]
) -> tuple[FilePlane, ...]:
    """Planes that also hold the maximum with others, channel by channel.

    Raises
    ------
    DataError
        Other channels, or another size.
    """
    if len(planes) != len(others) or planes[0].shape != others[0].shape:
        raise DataError(
            f"{others[0].file.path}: has {len(others)} channels of {others[0].shape} pixels, "
            f"{planes[0].file.path.name} of the same stack {len(planes)} of {planes[0].shape}"
        )
    return tuple(
        MaximumPlane(
            plane.file,
            plane.axes,
            plane.channel,
            plane.stack,
            (*getattr(plane, "others", ()), other),
        )
        for plane, other in zip(planes, others, strict=True)
    )


def without_single_axes(shape: tuple[int, ...], axes: str) -> tuple[tuple[int, ...], str]:
    """Shape and axes without the axes of length 1 other than Y and X."""
    remaining = [
        i for i, (n, axis) in enumerate(zip(shape, axes, strict=True)) if n != 1 or axis in "YX"
    ]
    return tuple(shape[i] for i in remaining), "".join(axes[i] for i in remaining)
