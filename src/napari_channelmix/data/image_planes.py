"""An image file as lazy 2-D planes, with what the file says of its axes, channels and sizes."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_channelmix.byte_cache import ByteCache
from napari_channelmix.computing import within_cap
from napari_channelmix.data.array_planes import PROJECT
from napari_channelmix.data.file_limits import guarded
from napari_channelmix.errors import DataError

__all__ = [
    "KNOWN_AXES",
    "STACKED",
    "Decoded",
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
# Larger pictures are read region by region instead of being decoded whole.
DECODE_WHOLE_BYTES = 64 * 2**20
LARGEST_FLOAT = float(np.finfo(np.float32).max)


class Plane(Protocol):
    """Anything 2-D that gives pixels by slices: NumPy, dask and zarr arrays, and `FilePlane`."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    def __getitem__(self, region: Any, /) -> Any: ...


class Decoded(ByteCache[Hashable, npt.NDArray[Any]]):
    """The pictures decoded last, up to a number of bytes; shared by the planes of one data set."""

    def __init__(self, limit: int = 2**30) -> None:
        super().__init__(limit, lambda pixels: pixels.nbytes, within_cap)

    def decoded(self, key: Hashable, decode: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Pixels of a file, or of one scene of it, decoded now or before."""
        pixels = self.get(key)
        if pixels is None:
            pixels = decode()
            self.put(key, pixels)
        return pixels


@dataclass(frozen=True)
class ImageFile:
    """What a file says of itself, and a way to its pixels.

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
    _open: Callable[[], Any] = field(repr=False, compare=False)
    # The shape with its axes of length 1, which the user's axes may name.
    whole: tuple[int, ...] = field(default=(), repr=False, compare=False)
    warnings: tuple[str, ...] = ()
    # Which picture of the file this is.
    part: Hashable = field(default=None, repr=False, compare=False)
    # The values as labels, where they differ from the values as intensities.
    open_labels: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
    # Compressed with loss: neighbouring values blur.
    lossy: bool = field(default=False, repr=False, compare=False)

    def planes(
        self, axes: str | None, decoded: Decoded, stack: Mapping[str, int] | None = None
    ) -> tuple[FilePlane, ...]:
        """Lazy 2-D planes of the file, one a channel.

        Parameters
        ----------
        axes : str or None
            Axes as the user names them (``"CYX"``, ``"YXC"``, ``"YX"``); None takes the file's own.
        decoded : Decoded
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
            return (FilePlane(self, letters, None, decoded, where),)
        count = self.shape[letters.index("C")]
        return tuple(FilePlane(self, letters, c, decoded, where) for c in range(count))

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

    def pixels(self, decoded: Decoded) -> Any:
        """All pixels, decoded where the file is small, else an array that reads by region."""
        pictures = self.path.suffix.lower() in PICTURE_SUFFIXES  # they know no regions
        if self.nbytes > DECODE_WHOLE_BYTES and not pictures:
            return self._guarded(self._open)
        key = (self.path, self.part)
        return decoded.decoded(key, lambda: self._guarded(lambda: np.asarray(self._open()[...])))

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded picture."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def _guarded(self, read: Callable[[], Any]) -> Any:
        return guarded(self.path, read)


@dataclass(frozen=True)
class FilePlane:
    """One 2-D plane of an image file; slicing it reads the pixels."""

    file: ImageFile
    axes: str
    channel: int | None
    decoded: Decoded = field(repr=False, compare=False)
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

    def __getitem__(self, region: tuple[slice, slice]) -> npt.NDArray[Any]:
        """Pixels of a region, as (rows, columns)."""
        rows, columns = region
        by_axis: dict[str, Any] = {"Y": rows, "X": columns, "C": self.channel}
        if self.stack:
            by_axis |= {axis: slice(None) if at == PROJECT else at for axis, at in self.stack}
        pixels = self.file.pixels(self.decoded)
        index = tuple(by_axis[axis] for axis in self.axes)
        plane: npt.NDArray[Any] = guarded(self.file.path, lambda: np.asarray(pixels[index]))
        if self.stack:
            left = [axis for axis in self.axes if isinstance(by_axis[axis], slice)]
            over = tuple(n for n, axis in enumerate(left) if axis not in "YX")
            plane = np.asarray(plane.max(axis=over))
        plane = plane.astype(plane.dtype.newbyteorder("="), copy=False)
        if plane.dtype == np.float64 and (np.isfinite(plane) & (abs(plane) > LARGEST_FLOAT)).any():
            raise DataError(
                f"{self.file.path}: holds values beyond 3.4e38, which 32-bit floats cannot hold; "
                "scale them first"
            )
        return plane.T if self.axes.index("X") < self.axes.index("Y") else plane


@dataclass(frozen=True)
class MaximumPlane(FilePlane):
    """The maximum of planes that lie in files of their own; otherwise as the first of them."""

    others: tuple[FilePlane, ...] = ()

    def __getitem__(self, region: tuple[slice, slice]) -> npt.NDArray[Any]:
        """Pixels of a region, as (rows, columns)."""
        pixels: npt.NDArray[Any] = super().__getitem__(region)
        for other in self.others:
            pixels = np.maximum(pixels, other[region])
        return pixels


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
            plane.decoded,
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
