"""PNG and JPEG files, each value as it is stored."""

from __future__ import annotations

from collections.abc import Generator, Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.file_limits import guarded, refuse_claim
from napari_channelmix.data.image_planes import ImageFile
from napari_channelmix.data.open_files import FileStamp
from napari_channelmix.errors import DataError

if TYPE_CHECKING:
    from PIL import ImageFile as PilFile

    from napari_channelmix.data.pixel_sources import PixelSource, Place

__all__ = ["open_picture"]

Pixels = npt.NDArray[Any]

GREY = {"1": "bool", "L": "uint8", "LA": "uint8", "I;16": "uint16", "I;16B": "uint16", "I": "int32"}
# Pictures know no regions: all pixels are decoded at once. Pillow has the same bound.
MOST_PIXELS = 178_956_970
# Pillow spreads the values of fewer bits over 0..255.
STEP = {"L;2": 85, "L;4": 17}
ORIENTATION = 274


def _open(path: Path) -> PilFile.ImageFile:
    """Open by what the file is, not by its name; no other format is tried."""
    from PIL import JpegImagePlugin, PngImagePlugin

    with path.open("rb") as file:
        head = file.read(8)
    if head == b"\x89PNG\r\n\x1a\n":
        return PngImagePlugin.PngImageFile(path)
    if head[:3] == b"\xff\xd8\xff":
        return JpegImagePlugin.JpegImageFile(path)
    if len(head) < 8:
        raise DataError(f"{path}: cannot be read, is it truncated? ({len(head)} bytes)")
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        raise DataError(f"{path}: is a TIFF by its content; rename it to {path.stem}.tif")
    raise DataError(f"{path}: is neither PNG nor JPEG by its content; save it as one, or as TIFF")


def open_picture(path: Path) -> ImageFile:
    """What a PNG or JPEG says of itself.

    Palettes of greys are read as greys, palettes of colours as RGB; transparency is left out.

    Raises
    ------
    DataError
        Another format, several frames, colours of 16 bits, CMYK, or more pixels than are decoded
        at once.
    """
    warnings: list[str] = []
    with _open(path) as picture:
        width, height = picture.size
        mode, raw = picture.mode, str(picture.tile[0][3]) if picture.tile else ""
        if width * height > MOST_PIXELS:
            raise DataError(
                f"{path}: {width:,} x {height:,} pixels are too many for a PNG or JPEG, which is "
                "decoded as a whole; save it as tiled TIFF or OME-Zarr"
            )
        if picture.format == "PNG":
            refuse_claim(path, width * height * len(picture.getbands()), path.stat().st_size)
        if mode not in GREY and mode not in ("P", "PA", "RGB", "RGBA"):
            raise DataError(f"{path}: its colours are {mode}; save it as grey or RGB")
        if "16" in raw and mode.startswith("RGB"):
            what = "grey with transparency" if raw.startswith("LA") else "colours"
            raise DataError(
                f"{path}: {what} of 16 bits would be cut to 8 in this format; save it as TIFF"
            )
        frames = getattr(picture, "n_frames", 1)
        if frames > 1:
            raise DataError(
                f"{path}: is animated, of {frames} frames; save the one to be read by itself"
            )
        if mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
            warnings.append("its transparency is left out")
        orientation = _orientation(picture, warnings)
        if orientation not in (None, 0, 1):
            warnings.append(
                "it says it is turned or mirrored: its pixels are read as they are stored "
                f"(EXIF orientation {str(orientation)[:8]})"
            )
        colours = _palette(picture) if mode == "P" else None
        lossy = picture.format == "JPEG"

    grey = mode in GREY or (colours is not None and _is_grey(colours))
    dtype = np.dtype(GREY.get(mode, "uint8"))

    shape = (height, width) if grey else (height, width, 3)
    source = PictureSource(path, shape, dtype, mode, colours, FileStamp.of(path))
    step = STEP.get(raw, 1)
    labels = None
    # As labels the values of a palette count by their indices, and those of few bits are not
    # spread.
    if step > 1 or not (colours is None or _is_grey(colours)):
        labels = replace(source, shape=(height, width), labels=True, step=step)
    return ImageFile(
        path,
        shape,
        dtype,
        "YX" if grey else "YXS",
        None,
        None,
        None,
        source,
        warnings=tuple(warnings),
        lossy=lossy,
        label_source=labels,
    )


@dataclass(frozen=True, eq=False)
class PictureSource:
    """The pixels of a PNG or JPEG, which is decoded whole.

    Attributes
    ----------
    path : Path
    shape : tuple of int
    dtype : numpy.dtype
    mode : str
        As Pillow names it.
    colours : (256, 3) uint8 array or None
        Its palette.
    stamp : FileStamp
    labels : bool
        Whether indices of the palette are wanted, as labels.
    step : int
        By what labels are divided.
    """

    path: Path
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    mode: str
    colours: npt.NDArray[np.uint8] | None
    stamp: FileStamp
    labels: bool = False
    step: int = 1
    kept: bool = True

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    @property
    def grid(self) -> tuple[int, ...]:
        """The whole picture."""
        return self.shape

    def key(self) -> Hashable:
        """The file as it was opened."""
        self.stamp.check()
        return self.stamp, self.labels

    def decode(self, places: Sequence[Place]) -> Generator[Pixels]:
        """The picture."""
        for _ in places:
            yield guarded(self.path, self._decoded)

    def let_go(self, nbytes: int) -> None:
        """Nothing is held."""

    def levels(self) -> tuple[PixelSource, ...]:
        """None."""
        return ()

    def _decoded(self) -> Pixels:
        with _open(self.path) as now:
            height, width = self.shape[:2]
            if now.size != (width, height) or now.mode != self.mode:
                raise DataError(f"{self.path}: changed while it was read; open the data set again")
            if self.labels and self.colours is not None and not _is_grey(self.colours):
                return self._indices(np.asarray(now))
            if self.colours is not None:
                values = self.colours[np.asarray(now)]
                pixels = values[..., 0] if len(self.shape) == 2 else values
            elif len(self.shape) == 2:
                grey = now.convert("L") if self.mode == "LA" else now
                pixels = np.asarray(grey).astype(self.dtype)
            else:
                pixels = np.asarray(now.convert("RGB"))
        return np.asarray(pixels // self.step if self.labels and self.step > 1 else pixels)

    def _indices(self, index: Pixels) -> Pixels:
        assert self.colours is not None
        used = np.unique(index)
        black = ~self.colours[used].any(axis=1)
        if not (black == (used == 0)).all():
            raise DataError(
                f"{self.path}: its palette does not have black, and only black, as colour 0, so "
                "its background is not known; save the labels as grey PNG or TIFF"
            )
        return index


def _orientation(picture: Any, warnings: list[str]) -> Any:
    if "exif" not in picture.info:
        return None
    # Pixels are read whatever stands beside them.
    try:
        return picture.getexif().get(ORIENTATION)
    except Exception as error:
        warnings.append(f"its EXIF data cannot be read ({str(error)[:80]})")
        return None


def _palette(picture: Any) -> npt.NDArray[np.uint8]:
    """Colour (256, 3) of each index; black where the palette names none."""
    listed = np.asarray(picture.getpalette("RGB") or [], np.uint8).reshape(-1, 3)[:256]
    colours = np.zeros((256, 3), np.uint8)
    colours[: len(listed)] = listed
    return colours


def _is_grey(colours: npt.NDArray[np.uint8]) -> bool:
    return bool((colours == colours[:, :1]).all())
