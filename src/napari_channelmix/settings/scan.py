"""Settings of a scan: how files that were not made for us are read as a data set."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator

from napari_channelmix.bounds import Bounds, Crop, Name
from napari_channelmix.settings.fields import About, settings
from napari_channelmix.settings.segmentation import SegmentationSettings
from napari_channelmix.wording import quoted

__all__ = ["PixelSize", "ScanSettings"]


def _by_name(value: Any) -> dict[str, str] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError(f'must be a mapping, such as {{"name": "text"}}, not {quoted(value)}')
    # An answer may be the number of a plane.
    plain = {key: str(one) if isinstance(one, int) else one for key, one in value.items()}
    odd = [one for pair in plain.items() for one in pair if not isinstance(one, str)]
    if odd:
        raise ValueError(f"must be texts by their names, not {quoted(odd[0])}")
    return plain


def _path_text(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


Texts = Annotated[Any, BeforeValidator(_by_name)]
PixelSize = Annotated[float, Bounds(0, 1e4, whole=False, between=True, label="the pixel size")]


@settings
class ScanSettings(SegmentationSettings):
    """How a folder or a table is read, and objects are segmented where they are asked for.

    Attributes
    ----------
    pattern : str or None
        How file names are read: the name of a preset, a template, or a regular expression with
        named groups; see `scan.Pattern`. None: the preset that fits.
    crop : int or None
        Side of the square sample in pixels, after resampling. None: proposed.
    pixel_size : float or None
        Micrometres; crops are resampled to it.
    image_pixel_size : float or None
        Micrometres of a pixel of the images, for tables in micrometres whose images do not state
        it.
    channels : mapping of str to str, or None
        Names of channels: as the files have them, and as they are to be called.
    choices : mapping of str to str, or None
        Answers to the questions of the scan, by the name of the question.
    roles : mapping of str to str, or None
        What a column says, where it is not what was understood.
    wells : path or None
        A table with the classes of wells: columns ``well`` and ``class``, or shaped like the plate.
        None: the one beside the images, where there is one.

    Settings of `SegmentationSettings` are taken too.

    Examples
    --------
    >>> settings = ScanSettings(crop=48, choices={"planes": 3}, dark=True)
    >>> settings.choices, settings.dark
    ({'planes': '3'}, True)
    """

    pattern: Annotated[
        Name | None,
        About(
            "Pattern",
            "how file names are read: the name of a preset, a template such as "
            "'{well}_s{field}_w{channel}.tif', or a regular expression with named groups "
            "(default: the preset that fits)",
            metavar="PATTERN",
        ),
    ] = None
    crop: Annotated[
        Crop | None,
        About("Crop", "side of the square sample, in pixels (default: proposed)", metavar="PIXELS"),
    ] = None
    pixel_size: Annotated[
        PixelSize | None,
        About(
            "Pixel size",
            "resample crops to pixels of this side, in micrometres",
            metavar="MICROMETRES",
            advanced=True,
        ),
    ] = None
    image_pixel_size: Annotated[
        PixelSize | None,
        About(
            "Pixel size of the images",
            "micrometres of a pixel, for tables in micrometres whose images do not state it",
            metavar="MICROMETRES",
            advanced=True,
        ),
    ] = None
    wells: Annotated[
        Name | None,
        BeforeValidator(_path_text),
        About(
            "Classes of wells",
            "table with the classes of wells: columns well and class, or shaped like the plate "
            "(default: the one beside the images, where there is one)",
            metavar="FILE",
        ),
    ] = None
    channels: Texts = None
    choices: Texts = None
    roles: Texts = None
