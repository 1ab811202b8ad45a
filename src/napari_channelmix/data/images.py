"""Image files as lazy 2-D planes; axes and channel names come from the file, never from a guess."""

from __future__ import annotations

import json
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar
from xml.etree import ElementTree

import numpy as np
import numpy.typing as npt

from napari_channelmix.computing import within_cap
from napari_channelmix.errors import ChannelMixError, DataError

__all__ = ["Decoded", "FilePlane", "ImageFile", "Plane", "open_image"]

TIFF_SUFFIXES = (".tif", ".tiff", ".btf", ".stk", ".lsm")
PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg")
Result = TypeVar("Result")

KNOWN_AXES = "TZCYX"
# Larger pictures are read region by region instead of being decoded whole.
DECODE_WHOLE_BYTES = 64 * 2**20


class Plane(Protocol):
    """Anything 2-D that gives pixels by slices: NumPy, dask and zarr arrays, and `FilePlane`."""

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102
    @property
    def dtype(self) -> np.dtype[Any]: ...  # noqa: D102
    def __getitem__(self, region: Any, /) -> Any: ...


class Decoded:
    """The pictures decoded last, up to a number of bytes; shared by the planes of one data set."""

    def __init__(self, limit_bytes: int = 2**30) -> None:
        self._limit = limit_bytes
        self._held: OrderedDict[Path, npt.NDArray[Any]] = OrderedDict()
        # Workers and the layers of the viewer ask at the same time.
        self._lock = threading.Lock()

    def get(self, path: Path, decode: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Pixels of a file, decoded now or before."""
        with self._lock:
            if path in self._held:
                self._held.move_to_end(path)
                return self._held[path]
        pixels = decode()
        with self._lock:
            self._held[path] = pixels
            held = sum(one.nbytes for one in self._held.values())
            while held > within_cap(self._limit) and len(self._held) > 1:
                held -= self._held.popitem(last=False)[1].nbytes
        return pixels

    def forget(self) -> int:
        """Let go of all of them; gives the bytes they took."""
        with self._lock:
            held = sum(one.nbytes for one in self._held.values())
            self._held.clear()
        return held


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

    def planes(self, axes: str | None, decoded: Decoded) -> tuple[FilePlane, ...]:
        """Lazy 2-D planes of the file, one a channel.

        Parameters
        ----------
        axes : str or None
            Axes as the user names them (``"CYX"``, ``"YXC"``, ``"YX"``); None takes the file's own.

        Raises
        ------
        DataError
            Axes unknown, not fitting the shape, RGB not asked for, or more than two dimensions
            and channels.
        """
        axes = self._axes_to_use(axes)
        if "C" not in axes:
            return (FilePlane(self, axes, None, decoded),)
        count = self.shape[axes.index("C")]
        return tuple(FilePlane(self, axes, channel, decoded) for channel in range(count))

    def _axes_to_use(self, asked: str | None) -> str:
        if asked is not None and asked != self.axes:
            letters = asked.upper()
            if len(letters) == len(self.whole) > len(self.shape):
                letters = _without_single_axes(self.whole, letters)[1]
            # One plane of a set whose other files have several.
            if len(letters) == len(self.shape) + 1 and "C" in letters:
                letters = letters.replace("C", "")
            if len(letters) != len(self.shape):
                raise DataError(
                    f"{self.path}: axes {asked!r} name {len(asked)} dimensions, "
                    f"the file has {len(self.shape)} {self.shape}"
                )
        elif self.axes is None:
            raise DataError(
                f"{self.path}: the file does not say what its axes {self.shape} are; "
                'name them in the data-set file, such as axes = "CYX" under [image]'
            )
        elif "S" in self.axes:
            raise DataError(
                f"{self.path}: this is an RGB picture {self.shape}, not separate channels; if its "
                'colours are to be the channels, use [image] with axes = "YXC"'
            )
        else:
            letters = self.axes
        extra = [letter for letter in letters if letter not in "CYX"]
        if extra:
            raise DataError(
                f"{self.path}: axes {letters} {self.shape}: only 2-D images are read; "
                f"choose one plane or project along {', '.join(extra)} first"
            )
        if letters.count("Y") != 1 or letters.count("X") != 1 or letters.count("C") > 1:
            raise DataError(f"{self.path}: axes {letters!r} must have one Y, one X, at most one C")
        return letters

    def pixels(self, decoded: Decoded) -> Any:
        """All pixels, decoded where the file is small, else an array that reads by region."""
        pictures = self.path.suffix.lower() in PICTURE_SUFFIXES  # they know no regions
        if self.nbytes > DECODE_WHOLE_BYTES and not pictures:
            return self._guarded(self._open)
        return decoded.get(self.path, lambda: self._guarded(lambda: np.asarray(self._open()[...])))

    @property
    def nbytes(self) -> int:
        """Bytes of the decoded picture."""
        return int(np.prod(self.shape, dtype=np.int64)) * self.dtype.itemsize

    def _guarded(self, read: Callable[[], Any]) -> Any:
        return _guarded(self.path, read)


@dataclass(frozen=True)
class FilePlane:
    """One 2-D plane of an image file; slicing it reads the pixels."""

    file: ImageFile
    axes: str
    channel: int | None
    decoded: Decoded = field(repr=False, compare=False)

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
        by_axis = {"Y": rows, "X": columns, "C": self.channel}
        pixels = self.file.pixels(self.decoded)
        index = tuple(by_axis[axis] for axis in self.axes)
        plane = _guarded(self.file.path, lambda: np.asarray(pixels[index]))
        return plane.T if self.axes.index("X") < self.axes.index("Y") else plane


def open_image(path: str | Path) -> ImageFile:
    """Read what an image file says of itself; pixels are read later.

    Parameters
    ----------
    path : path
        TIFF, OME-TIFF, ImageJ TIFF, PNG, JPEG, or the folder of an OME-Zarr image.

    Raises
    ------
    DataError
        File missing, of another kind, or unreadable.
    """
    path = Path(path)
    if not path.exists():
        raise DataError(f"{path}: no such file")
    suffix = path.suffix.lower()
    if suffix in TIFF_SUFFIXES:
        return _guarded(path, lambda: _open_tiff(path))
    if suffix in PICTURE_SUFFIXES:
        return _guarded(path, lambda: _open_picture(path))
    if path.is_dir() and (suffix == ".zarr" or _zarr_group(path)):
        return _guarded(path, lambda: _open_zarr(path))
    raise DataError(
        f"{path}: {f'files of kind {suffix!r}' if suffix else 'what has no suffix'} is not read; "
        "use TIFF, OME-TIFF, PNG, JPEG or OME-Zarr"
    )


def _guarded(path: Path, read: Callable[[], Result]) -> Result:
    """Turn whatever a reader raises on a broken file into one line that names the file."""
    try:
        return read()
    except ChannelMixError:
        raise
    except MemoryError as error:
        raise DataError(f"{path}: too large to be read into memory") from error
    # The readers raise anything from zlib.error to KeyError on a damaged file.
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        if "imagecodecs" in reason:
            raise DataError(
                f"{path}: its compression needs imagecodecs; "
                "install it with: pip install 'napari-channelmix[io]'"
            ) from error
        raise DataError(f"{path}: cannot be read, is it truncated? ({reason})") from error


def _open_tiff(path: Path) -> ImageFile:
    import tifffile

    with _PagesLost(path), tifffile.TiffFile(path) as tiff:
        if not tiff.series:
            raise DataError(f"{path}: holds no image")
        series = tiff.series[0]
        shape, axes, dtype = tuple(series.shape), series.axes, np.dtype(series.dtype)
        names, size, unit = _tiff_names(tiff), *_tiff_pixel_size(tiff)
    whole = shape
    shape, axes = _without_single_axes(shape, axes)
    known = all(letter in KNOWN_AXES + "S" for letter in axes)

    def read() -> Any:
        if int(np.prod(shape, dtype=np.int64)) * dtype.itemsize <= DECODE_WHOLE_BYTES:
            return tifffile.imread(path, series=0, level=0).reshape(shape)
        return _TiffByRegion(path, shape)

    channels = names if names and "C" in axes and len(names) == shape[axes.index("C")] else None
    named_axes = axes if known else None
    return ImageFile(path, shape, dtype, named_axes, channels, size, unit, read, whole)


class _TiffByRegion:
    """Pixels of a large TIFF; the file is open only while a region is read."""

    def __init__(self, path: Path, shape: tuple[int, ...]) -> None:
        self._path, self._shape = path, shape

    def __getitem__(self, region: Any) -> npt.NDArray[Any]:
        import dask.array as da
        import tifffile
        import zarr

        with tifffile.imread(self._path, aszarr=True, series=0, level=0) as store:
            array = zarr.open_array(store, mode="r")
            if array.shape != self._shape:
                array = da.from_array(array).reshape(self._shape)
            return np.asarray(array[region])


class _PagesLost(logging.Handler):
    """Refuse a TIFF whose chain of pages is cut: tifffile only logs that and leaves pages out."""

    def __init__(self, path: Path) -> None:
        super().__init__(logging.ERROR)
        self._path, self._lost = path, False

    def emit(self, record: logging.LogRecord) -> None:
        self._lost = self._lost or "invalid page offset" in record.getMessage()

    def __enter__(self) -> None:
        logging.getLogger("tifffile").addHandler(self)

    def __exit__(self, *_: object) -> None:
        logging.getLogger("tifffile").removeHandler(self)
        if self._lost:
            raise DataError(f"{self._path}: cannot be read, is it truncated? (pages are missing)")


def _without_single_axes(shape: tuple[int, ...], axes: str) -> tuple[tuple[int, ...], str]:
    kept = [i for i, (n, axis) in enumerate(zip(shape, axes, strict=True)) if n > 1 or axis in "YX"]
    return tuple(shape[i] for i in kept), "".join(axes[i] for i in kept)


def _tiff_names(tiff: Any) -> tuple[str, ...] | None:
    if tiff.is_ome:
        root = ElementTree.fromstring(tiff.ome_metadata)
        pixels = root.find(".//{*}Pixels")
        found = [] if pixels is None else pixels.findall("{*}Channel")
        names = [channel.get("Name") or "" for channel in found]
        return tuple(names) if names and all(names) else None
    if tiff.is_imagej:
        labels = (tiff.imagej_metadata or {}).get("Labels")
        return tuple(str(label) for label in labels) if labels else None
    if tiff.shaped_metadata:
        names = tiff.shaped_metadata[0].get("Channel", {}).get("Name")
        return tuple(str(name) for name in names) if names else None
    return None


def _tiff_pixel_size(tiff: Any) -> tuple[tuple[float, float] | None, str | None]:
    if tiff.is_ome:
        pixels = ElementTree.fromstring(tiff.ome_metadata).find(".//{*}Pixels")
        y, x = (None, None) if pixels is None else (
            pixels.get("PhysicalSizeY"), pixels.get("PhysicalSizeX")
        )  # fmt: skip
        if pixels is not None and y and x:
            return (float(y), float(x)), pixels.get("PhysicalSizeYUnit") or "µm"
        return None, None
    if tiff.is_imagej:
        unit = (tiff.imagej_metadata or {}).get("unit")
        tags = tiff.pages[0].tags
        if unit and unit != "pixel" and "XResolution" in tags and "YResolution" in tags:
            per_unit = [tags[name].value for name in ("YResolution", "XResolution")]
            if all(top and bottom for top, bottom in per_unit):
                y, x = (bottom / top for top, bottom in per_unit)
                # ImageJ writes the letter µ as an escape.
                return (y, x), str(unit).replace("\\u00B5", "µ")
    return None, None


def _open_picture(path: Path) -> ImageFile:
    from PIL import Image

    with Image.open(path) as picture:
        width, height = picture.size
        mode = picture.mode
        if any("16" in str(tile[3]) for tile in picture.tile) and mode.startswith("RGB"):
            raise DataError(
                f"{path}: colours of 16 bits would be cut to 8 in this format; save it as TIFF"
            )
    grey = {"1": "bool", "L": "uint8", "I;16": "uint16", "I;16B": "uint16", "I": "int32",
            "F": "float32"}  # fmt: skip

    def read() -> npt.NDArray[Any]:
        with Image.open(path) as picture:
            if mode in grey:
                return np.asarray(picture).astype(grey[mode], copy=False)
            return np.asarray(picture.convert("L" if mode == "LA" else "RGB"))

    if mode in grey or mode == "LA":
        dtype = np.dtype(grey.get(mode, "uint8"))
        return ImageFile(path, (height, width), dtype, "YX", None, None, None, read)
    dtype = np.dtype("uint8")
    return ImageFile(path, (height, width, 3), dtype, "YXS", None, None, None, read)


def _zarr_group(path: Path) -> bool:
    return any((path / name).exists() for name in (".zattrs", "zarr.json", ".zgroup"))


def _open_zarr(path: Path) -> ImageFile:
    """Full resolution of an OME-Zarr image (versions 0.4 and 0.5)."""
    import zarr

    attributes = _zarr_attributes(path)
    if "multiscales" not in attributes:
        raise DataError(f"{path}: not an OME-Zarr image (no 'multiscales' in its attributes)")
    multiscale = attributes["multiscales"][0]
    level = multiscale["datasets"][0]
    array = zarr.open_array(path / level["path"], mode="r")
    described = multiscale.get("axes") or []
    names = [axis["name"] if isinstance(axis, dict) else str(axis) for axis in described]
    axes = "".join(name[:1].upper() for name in names)
    size = unit = None
    for step in level.get("coordinateTransformations", []):
        if step.get("type") == "scale" and {"y", "x"} <= set(names):
            y, x = names.index("y"), names.index("x")
            size = (float(step["scale"][y]), float(step["scale"][x]))
            unit = described[y].get("unit") if isinstance(described[y], dict) else None
    labels = [channel.get("label") for channel in attributes.get("omero", {}).get("channels", [])]
    full = tuple(array.shape)
    known = len(axes) == len(full) and all(letter in KNOWN_AXES for letter in axes)
    shape, short = _without_single_axes(full, axes) if known else (full, "")
    named = "C" in short and len(labels) == shape[short.index("C")] and all(labels)

    def read() -> Any:
        opened = zarr.open_array(path / level["path"], mode="r")
        if tuple(opened.shape) == shape:
            return opened
        import dask.array as da

        return da.from_array(opened).reshape(shape)

    return ImageFile(
        path,
        shape,
        np.dtype(array.dtype),
        short if known else None,
        tuple(str(label) for label in labels) if named else None,
        size,
        unit,
        read,
        full,
    )


def _zarr_attributes(path: Path) -> dict[str, Any]:
    """Attributes of the group; version 0.5 keeps them under 'ome'."""
    if (path / "zarr.json").exists():
        attributes = json.loads((path / "zarr.json").read_text("utf-8")).get("attributes", {})
        return dict(attributes.get("ome", attributes))
    if (path / ".zattrs").exists():
        return dict(json.loads((path / ".zattrs").read_text("utf-8")))
    return {}
