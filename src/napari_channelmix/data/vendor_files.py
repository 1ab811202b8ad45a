"""Files of microscope makers (CZI, ND2, LIF), by readers of bioio that are installed as extras."""

from __future__ import annotations

import importlib
from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import guarded
from napari_channelmix.data.image_planes import KNOWN_AXES, ImageFile, without_single_axes
from napari_channelmix.data.open_files import FileStamp, open_files
from napari_channelmix.data.pixel_size import Size, checked_size
from napari_channelmix.data.pixel_sources import PixelSource, Place, chunk_region
from napari_channelmix.data.scenes import Scene, choose_scene
from napari_channelmix.errors import DataError

__all__ = ["CONVERTED", "READERS", "open_vendor", "refuse_unread"]

# Suffix, the extra that brings its reader (which is called like it), and the module.
READERS = {".czi": "bioio_czi", ".nd2": "bioio_nd2", ".lif": "bioio_lif"}
# Files that microscopes write and nothing here reads.
CONVERTED = (
    ".vsi", ".oib", ".oif", ".oir", ".mrxs", ".dv", ".ims", ".lof", ".flex", ".xdce", ".mvd2",
    ".zvi",
)  # fmt: skip
# Scenes whose sizes are looked up, to be listed.
LISTED = 12


def refuse_unread(path: Path) -> None:
    """Refuse a file that another program has to convert first, with what to do.

    Raises
    ------
    DataError
    """
    suffix = path.suffix.lower()
    if suffix in CONVERTED:
        raise DataError(
            f"{path}: files of kind {suffix!r} are not read; save it as OME-TIFF, in its own "
            f"program, in ImageJ (Bio-Formats), or with: bfconvert {path.name} {path.stem}.ome.tif"
        )


def open_vendor(path: Path, scene: int | str | None, mask: bool) -> ImageFile:
    """What a file of a microscope maker says of itself; pixels are read later, plane by plane.

    Parameters
    ----------
    path : path
        Its suffix is one of `READERS`.
    scene : int, str or None
    mask : bool
        See `data.image_formats.open_image`.

    Raises
    ------
    DataError
        The reader is not installed, several scenes of which none was chosen, or a mosaic whose
        tiles are not joined.
    """
    reader = _reader(path)
    names = [str(name) for name in reader.scenes]
    chosen, warning = choose_scene(path, _listed(reader, names), scene, optional=mask)
    reader.set_scene(chosen)
    warnings = [] if warning is None else [warning]
    data = reader.xarray_dask_data
    letters = "".join(str(name) for name in data.dims)
    full = tuple(int(size) for size in data.shape)
    other = [
        (letter, size)
        for letter, size in zip(letters, full, strict=True)
        if letter not in f"{KNOWN_AXES}S" and size > 1
    ]
    if other:
        what = "tiles of a mosaic" if other[0][0] == "M" else f"images along {other[0][0]!r}"
        raise DataError(
            f"{path}: holds {other[0][1]} {what}; join them in the program that made it, and save "
            "as OME-TIFF"
        )
    shape, axes = without_single_axes(full, letters)
    count = shape[axes.index("C")] if "C" in axes else 1
    listed = [str(name) for name in reader.channel_names or ()]
    size, unit, problem = _pixel_size(reader)
    warnings += [] if problem is None else [problem]

    source = VendorSource(path, chosen, shape, axes, np.dtype(data.dtype), FileStamp.of(path))
    return ImageFile(
        path,
        shape,
        np.dtype(data.dtype),
        axes,
        tuple(listed) if len(listed) == count else None,
        size,
        unit,
        source,
        full,
        tuple(warnings),
        chosen,
    )


@dataclass(frozen=True)
class VendorSource:
    """The pixels of one scene, read plane by plane.

    Attributes
    ----------
    path : Path
    scene : int
    shape : tuple of int
    axes : str
    dtype : numpy.dtype
    stamp : FileStamp
    """

    path: Path
    scene: int
    shape: tuple[int, ...]
    axes: str
    dtype: np.dtype[Any]
    stamp: FileStamp
    kept: bool = True

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def grid(self) -> tuple[int, ...]:
        """A plane, with all of its samples."""
        lengths = zip(self.axes, self.shape, strict=True)
        return tuple(length if axis in "YXS" else 1 for axis, length in lengths)

    def key(self) -> Hashable:
        """The file as it was opened, and the scene."""
        self.stamp.check()
        return self.stamp, self.scene

    def decode(self, places: Sequence[Place]) -> Generator[npt.NDArray[Any]]:
        """Planes of the scene."""
        with open_files().using((self.stamp, self.scene), self._open, _let_go) as data:
            for place in places:
                yield self._plane(data, place)

    def let_go(self, nbytes: int) -> None:
        """Nothing is held."""

    def levels(self) -> tuple[PixelSource, ...]:
        """None."""
        return ()

    def _plane(self, data: Any, place: Place) -> npt.NDArray[Any]:
        where = ", ".join(
            f"{axis} {i}" for axis, i in zip(self.axes, place, strict=True) if axis not in "YXS"
        )
        region = chunk_region(self, place)
        return guarded(
            self.path, lambda: np.asarray(data[region]), f"plane {where}" if where else ""
        )

    def _open(self) -> Any:
        def opened() -> Any:
            reader = _reader(self.path)
            reader.set_scene(self.scene)
            return reader.xarray_dask_data.data.reshape(self.shape)

        return guarded(self.path, opened)


def _let_go(data: Any) -> None:
    """Its reader closes the file with the last reference."""


def _reader(path: Path) -> Any:
    suffix = path.suffix.lower()
    try:
        module = importlib.import_module(READERS[suffix])
    except ImportError:
        raise DataError(
            f"{path}: files of kind {suffix!r} need a reader; install it with: "
            f"pip install 'napari-channelmix[{suffix[1:]}]'"
        ) from None
    # Its other reader of CZI refuses files without the metadata of a scene.
    options = {"use_aicspylibczi": True} if suffix == ".czi" else {}
    return module.Reader(str(path), **options)


def _listed(reader: Any, names: list[str]) -> list[Scene]:
    scenes = []
    for place, name in enumerate(names):
        shape: tuple[int, ...] = ()
        if len(names) > 1 and place < LISTED:
            reader.set_scene(place)
            shape = tuple(int(size) for size in reader.shape)
        scenes.append(Scene(name, shape))
    return scenes


def _pixel_size(reader: Any) -> tuple[Size | None, str | None, str | None]:
    """In micrometres, as bioio gives all sizes."""
    sizes = reader.physical_pixel_sizes
    if not sizes.Y or not sizes.X:
        return None, None, None
    return checked_size(sizes.Y, sizes.X, "µm")
