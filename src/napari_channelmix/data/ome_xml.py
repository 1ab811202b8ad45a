"""OME-XML of a TIFF: its images, their names, and which file and page each plane is in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Any
from xml.etree import ElementTree

from napari_channelmix.data.pixel_size import Size, checked_size
from napari_channelmix.errors import DataError

__all__ = ["OmeImage", "OmeSet", "TiffData", "read_ome"]

# More planes than any set has; a damaged size is refused before a list is made of it.
MOST_PLANES = 10_000_000


@dataclass(frozen=True)
class TiffData:
    """Where a run of planes lies.

    Attributes
    ----------
    file : str or None
        Name of its file; None where the metadata do not name it, which means this one.
    uuid : str or None
    page : int
        First page in the file.
    first : int
        First plane, counted in the order of the image.
    count : int or None
        How many; None takes all pages of the file.
    """

    file: str | None
    uuid: str | None
    page: int
    first: int
    count: int | None


@dataclass(frozen=True)
class OmeImage:
    """An ``Image`` of the metadata.

    Attributes
    ----------
    name : str
    axes, sizes : str, tuple of int
        Axes other than Y and X, slowest first, and their lengths; samples of RGB left out.
    side : tuple of int
        Height and width in pixels.
    samples : int
        Samples per pixel; 3 for RGB.
    channels : tuple of str
        Names, empty where the file gives none.
    pixel_size, unit
        See `checked_size`.
    warnings : tuple of str
        What could not be read.
    data : tuple of TiffData
    """

    name: str
    axes: str
    sizes: tuple[int, ...]
    side: tuple[int, int]
    samples: int
    channels: tuple[str, ...]
    pixel_size: Size | None
    unit: str | None
    warnings: tuple[str, ...]
    data: tuple[TiffData, ...]

    @property
    def planes(self) -> int:
        """Number of planes."""
        return prod(self.sizes)


@dataclass(frozen=True)
class OmeSet:
    """All that the OME-XML of one file describes.

    Attributes
    ----------
    uuid : str or None
        Of the file that carries the metadata.
    images : tuple of OmeImage
    elsewhere : str or None
        The file that holds the metadata, where this one only points to it.
    """

    uuid: str | None
    images: tuple[OmeImage, ...]
    elsewhere: str | None = None

    @property
    def members(self) -> frozenset[str]:
        """Names of the files that are named."""
        return frozenset(d.file for image in self.images for d in image.data if d.file)


def read_ome(text: str) -> OmeSet:
    """What an OME-XML says.

    Raises
    ------
    DataError
        No XML, or sizes that are none. Whatever else is broken is left out with a warning.
    """
    try:
        root = ElementTree.fromstring(text)
        elsewhere = next((e.get("MetadataFile") for e in root if _is(e, "BinaryOnly")), None)
        images = tuple(
            _image(image, pixels)
            for image in root
            if _is(image, "Image")
            for pixels in image
            if _is(pixels, "Pixels")
        )
    except (ElementTree.ParseError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"its OME-XML cannot be read ({str(error)[:80]})") from error
    return OmeSet(root.get("UUID"), images, elsewhere)


def _is(element: Any, name: str) -> bool:
    return str(element.tag).rpartition("}")[2] == name


def _image(image: Any, pixels: Any) -> OmeImage:
    channels = [element for element in pixels if _is(element, "Channel")]
    samples = int(channels[0].get("SamplesPerPixel", 1)) if channels else 1
    axes = pixels.attrib["DimensionOrder"][:1:-1].upper()
    if sorted(axes) != ["C", "T", "Z"]:
        raise ValueError(f"DimensionOrder {pixels.attrib['DimensionOrder']!r:.30}")
    sizes = []
    for axis in axes:
        length = int(pixels.attrib[f"Size{axis}"])
        sizes.append(length // samples if axis == "C" and samples > 1 else length)
    side = int(pixels.attrib["SizeY"]), int(pixels.attrib["SizeX"])
    if min(*sizes, *side, samples) < 1 or prod(sizes) > MOST_PLANES:
        raise ValueError(f"sizes {axes} {sizes}")
    names = tuple((channel.get("Name") or "").strip() for channel in channels)
    size, unit, warning = _pixel_size(pixels)
    return OmeImage(
        (image.get("Name") or "").strip(),
        axes,
        tuple(sizes),
        side,
        samples,
        names if samples == 1 else (),
        size,
        unit,
        (warning,) if warning else (),
        tuple(_tiff_data(pixels, axes, tuple(sizes))),
    )


def _pixel_size(pixels: Any) -> tuple[Size | None, str | None, str | None]:
    y, x = pixels.get("PhysicalSizeY"), pixels.get("PhysicalSizeX")
    if y is None or x is None:
        return None, None, None
    units = [pixels.get(f"PhysicalSize{axis}Unit") or "µm" for axis in "YX"]
    if "pixel" in units or "reference frame" in units:
        return None, None, None
    return checked_size(y, x, units[0], units[1])


def _tiff_data(pixels: Any, axes: str, sizes: tuple[int, ...]) -> Iterator[TiffData]:
    for element in pixels:
        if not _is(element, "TiffData"):
            continue
        attributes = element.attrib
        first = 0
        for axis, size in zip(axes, sizes, strict=True):
            position = int(attributes.get(f"First{axis}", 0))
            if not 0 <= position < size:
                break
            first = first * size + position
        else:
            single = 1 if "IFD" in attributes else 0
            count = int(attributes.get("PlaneCount", attributes.get("NumPlanes", single)))
            uuid = next((child for child in element if _is(child, "UUID")), None)
            name = None if uuid is None else uuid.get("FileName")
            yield TiffData(
                name or None,
                None if uuid is None or uuid.text is None else uuid.text.strip(),
                int(attributes.get("IFD", 0)),
                first,
                min(count, prod(sizes)) if count > 0 else None,
            )
