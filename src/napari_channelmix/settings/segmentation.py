"""Settings of segmentation: how objects of a channel are found, split and grown."""

from __future__ import annotations

from typing import Annotated, Any

from napari_channelmix.bounds import Bounds, Flag, Name
from napari_channelmix.settings.fields import About, fields_of, settings

__all__ = ["SegmentationSettings", "segmentation_keys"]

Diameter = Annotated[float, Bounds(2, 5000, whole=False)]
Factor = Annotated[float, Bounds(0.05, 20, whole=False)]
Area = Annotated[int, Bounds(1, 10**9)]
Strength = Annotated[float, Bounds(0, 4, whole=False)]
Pixels = Annotated[int, Bounds(0, 1000)]


@settings
class SegmentationSettings:
    """How the objects of a channel are segmented; the channel itself is given beside them.

    Attributes
    ----------
    diameter : float or None
        Of a typical object, in pixels; of a long one its width. None: estimated from the image.
    threshold : float
        Factor of the automatic threshold, measured from the background: less finds dimmer objects.
    uneven : bool
        Whether the background is estimated and taken away, where illumination varies.
    dark : bool
        Whether objects are darker than the ground.
    min_area : int or None
        Smallest object, in pixels. None: an eighth of a disc of the diameter.
    splitting : float
        How readily touching objects are split; 0: each connected region is one object.
    expand : int
        Pixels by which objects are grown, at most to the next one; with a body channel, how far
        a body may reach, 0 for one diameter.
    body_channel : str or None
        Channel of the cell bodies to which objects are grown.
    clear_border : bool
        Whether objects that touch the border of the image are left out.

    Raises
    ------
    ModelError
        A setting outside its bounds.

    Examples
    --------
    >>> SegmentationSettings(diameter=24, dark=True).splitting
    1.0
    """

    diameter: Annotated[
        Diameter | None,
        About("Diameter", "of a typical object to segment, in pixels; of a long one its width"),
    ] = None
    threshold: Annotated[
        Factor,
        About(
            "Threshold",
            "factor of the automatic threshold of segmentation; less finds dimmer objects",
        ),
    ] = 1.0
    uneven: Annotated[
        Flag,
        About(
            "Uneven background",
            "before segmentation, take away a background where illumination varies",
        ),
    ] = False
    dark: Annotated[
        Flag, About("Dark objects", "objects to segment are darker than the ground")
    ] = False
    min_area: Annotated[
        Area | None,
        About(
            "Smallest object",
            "to segment, in pixels; by default an eighth of a disc of the diameter",
            advanced=True,
        ),
    ] = None
    splitting: Annotated[
        Strength,
        About(
            "Splitting",
            "how readily touching objects are split; 0: each connected region is one object",
            advanced=True,
        ),
    ] = 1.0
    expand: Annotated[
        Pixels,
        About(
            "Grow by",
            "pixels by which objects are grown, at most to the next one",
            advanced=True,
        ),
    ] = 0
    body_channel: Annotated[
        Name | None,
        About(
            "Cell bodies in",
            "channel of the cell bodies to which objects are grown",
            metavar="CHANNEL",
            advanced=True,
        ),
    ] = None
    clear_border: Annotated[
        Flag,
        About(
            "Leave out objects at the border",
            "leave out objects that touch the border of the image",
            advanced=True,
        ),
    ] = False


def segmentation_keys(settings: SegmentationSettings) -> dict[str, Any]:
    """What a data-set file says under ``[cells]`` for these settings.

    Those that differ from the usual ones, and ``threshold`` in any case: a file without any of
    these keys means the nuclei of `data.find_nuclei`.

    Examples
    --------
    >>> segmentation_keys(SegmentationSettings(dark=True))
    {'threshold': 1.0, 'dark': True}
    """
    values = {
        field.name: getattr(settings, field.name)
        for field in fields_of(SegmentationSettings)
        if field.name == "threshold" or getattr(settings, field.name) != field.default
    }
    return {"threshold": values.pop("threshold"), **values}
