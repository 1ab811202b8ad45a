"""What a TIFF states beside its pixels: channel names, pixel size, what its values mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from napari_channelmix.data.pixel_size import Size, checked_size

if TYPE_CHECKING:
    from napari_channelmix.data.ome_xml import OmeImage, OmeSet

__all__ = ["image_of", "stated"]

Stated = tuple[tuple[str, ...] | None, Size | None, str | None]


def image_of(series: Any, described: OmeSet) -> OmeImage | None:
    """The OME image of a series; tifffile leaves out images without data."""
    fitting = [
        image
        for image in described.images
        if (image.name or None) == (series.name or None)
        or (not image.name and series.name == "Baseline")
    ]
    if len(fitting) != 1:
        same_count = len(described.images) == len(series.parent.series)
        position = next((i for i, s in enumerate(series.parent.series) if s is series), None)
        return described.images[position] if same_count and position is not None else None
    return fitting[0]


def stated(
    tiff: Any,
    image: OmeImage | None,
    series: int | None,
    page: Any,
    channels: int | None,
    warnings: list[str],
) -> Stated:
    """Channel names that fit the picture, and its pixel size (y, x) with its unit.

    Parameters
    ----------
    tiff : tifffile.TiffFile
    image : OmeImage or None
        What the OME-XML says of the picture, where there is any.
    series : int or None
        The series that is read; None where single pages are.
    page : tifffile.TiffPage
        Its first page.
    channels : int or None
        Length of its channel axis; None where it has none.
    warnings : list of str
        What cannot be read is added here; it costs no pixel.
    """
    try:
        _say_meaning(tiff, page, warnings)
        return _stated(tiff, image, series, page, channels, warnings)
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        warnings.append(f"its metadata cannot be read and are left out ({reason[:80]})")
        return None, None, None


def _stated(
    tiff: Any,
    image: OmeImage | None,
    series: int | None,
    page: Any,
    channels: int | None,
    warnings: list[str],
) -> Stated:
    names: Any = None
    size = unit = None
    if tiff.is_ome:
        if image is not None:
            names, size, unit = image.channels, image.pixel_size, image.unit
    elif tiff.is_micromanager and series is None:
        names = _micromanager_name(page)
    elif tiff.is_imagej:
        about = tiff.imagej_metadata or {}
        # Without a channel axis the labels are those of slices.
        names = about.get("Labels") if channels else None
        size, unit, warning = _imagej_size(tiff, about)
        if warning:
            warnings.append(warning)
    elif tiff.shaped_metadata and series is not None:
        channel = tiff.shaped_metadata[series].get("Channel")
        names = channel.get("Name") if isinstance(channel, dict) else None
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, (list, tuple)) or len(names) != (channels or 1) or not all(names):
        return None, size, unit
    return tuple(str(name) for name in names), size, unit


def _micromanager_name(page: Any) -> list[str] | None:
    tag = page.tags.get("MicroManagerMetadata") if hasattr(page, "tags") else None
    about = tag.value if tag is not None and isinstance(tag.value, dict) else {}
    name = about.get("Channel")
    return [name] if isinstance(name, str) else None


def _imagej_size(tiff: Any, about: dict[str, Any]) -> tuple[Size | None, str | None, str | None]:
    unit = about.get("unit")
    tags = tiff.pages[0].tags
    if (
        not unit
        or unit in ("pixel", "pixels")
        or not {"XResolution", "YResolution"} <= {tag.name for tag in tags}
    ):
        return None, None, None
    sides: list[Any] = []
    for name in ("YResolution", "XResolution"):
        value = tags[name].value
        try:
            top, bottom = value
            sides.append(bottom / top)
        except (TypeError, ValueError, ZeroDivisionError):
            sides.append(value)
    # ImageJ writes the letter µ as an escape.
    return checked_size(sides[0], sides[1], str(unit).replace("\\u00B5", "µ"))


def _say_meaning(tiff: Any, page: Any, warnings: list[str]) -> None:
    """What the values mean where they are not plain intensities, stored row by row."""
    photometric = int(page.photometric)
    # tifffile writes this for every boolean picture, whose True is 1 all the same.
    boolean = int(getattr(page, "bitspersample", 0) or 0) == 1
    if photometric == 0 and not (boolean and str(tiff.pages[0].software).startswith("tifffile")):
        warnings.append("0 is white in it (MinIsWhite): its values are read as they are stored")
    elif photometric == 3:
        warnings.append("it has a colour table: its values are read, not its colours")
    elif photometric in (5, 8) or (photometric == 6 and int(page.compression) not in (6, 7)):
        warnings.append(
            f"its samples are {page.photometric.name}, not RGB: they are read as stored"
        )
    tag = page.tags.get("Orientation") if hasattr(page, "tags") else None
    if tag is not None and tag.value not in (0, 1):
        warnings.append(
            "it says it is turned or mirrored: its pixels are read as they are stored "
            f"(orientation {int(tag.value) if isinstance(tag.value, int) else tag.value})"
        )
