"""The content of a data-set file from the layout of a scan and the answers to its questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from napari_channelmix.data.crop_size import limit
from napari_channelmix.data.values import class_name
from napari_channelmix.scan.asking import IMAGES, MASKS, ONE_CHANNEL, POINTS, SEGMENT
from napari_channelmix.settings.segmentation import segmentation_keys
from napari_channelmix.wording import problem

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.scan.layout import Layout
    from napari_channelmix.scan.pictures import Pictures
    from napari_channelmix.settings.scan import ScanSettings

__all__ = ["NONE", "class_text", "class_texts", "description_of", "refusals"]

# Side of crops in pixels where nothing tells how large cells are, and of whole images.
CROP, LARGEST_IMAGE_CROP = 64, 128
# A class in its own right, and in other tables no class.
NONE = "none"


def description_of(
    name: str,
    layout: Layout,
    channels: Mapping[str, str],
    chosen: Mapping[str, str | None],
    pictures: Pictures,
    settings: ScanSettings,
    *,
    gaps: bool = False,
) -> dict[str, Any]:
    """The keys of the data-set file, as far as they are known.

    Parameters
    ----------
    channels : mapping of str to str
        Channel as files name it, and its name.
    chosen : mapping of str to (str or None)
        Answers, by the name of the question.
    gaps : bool
        As of `class_texts`.
    """
    content: dict[str, Any] = {"name": name, "table": "dataset.csv"}
    if layout.label and class_texts(layout.table[layout.label], gaps=gaps).any():
        content |= {"label": layout.label, **_classes(layout.table[layout.label], gaps=gaps)}
    for key, column in (("group", layout.group), ("split", layout.split)):
        content |= {} if column is None else {key: column}
    if settings.image_pixel_size is not None:
        content["image_pixel_size"] = settings.image_pixel_size
    if layout.files:
        content["channels"] = {channels[name]: column for name, column in layout.files.items()}
    elif layout.image:
        image = _image_keys(channels, chosen, pictures)
        content["image"] = {"column": layout.image, **image}
    content["cells"] = _cells(layout, chosen.get("cells") or IMAGES, pictures, settings)
    body = content["cells"].get("body_channel")
    if body in channels:
        content["cells"]["body_channel"] = channels[body]
    if settings.crop is not None:
        content["cells"]["crop"] = settings.crop
    if settings.pixel_size is not None:
        content["cells"]["pixel_size"] = settings.pixel_size
    return content


def refusals(content: Mapping[str, Any]) -> list[str]:
    """Why no data-set file can say this, in one line or none.

    Such as nuclei in a channel that is left out.
    """
    from napari_channelmix.data.description import Description

    try:
        Description.model_validate(content)
    except ValidationError as error:
        return [problem(error, "the data-set file", sections=True)]
    return []


def class_text(text: str) -> str:
    """The class that a value of a table names, empty for none; ``none`` is a class.

    Examples
    --------
    >>> class_text("1.0"), class_text("NA"), class_text("none")
    ('1', '', 'none')
    """
    own = text.strip()
    return own if own.casefold() == NONE else class_name(own) or ""


def class_texts(labels: pd.Series[str], *, gaps: bool) -> pd.Series[str]:
    """Classes of a column; empty where it has none.

    Parameters
    ----------
    labels : pandas.Series
        Of texts.
    gaps : bool
        Whether ``NA``, ``nan`` and the like stand for no class, as programs write it into tables.
        In names of files and folders they are classes; one called ``none`` is so anywhere.
    """
    texts = labels.astype(str).str.strip()
    if not gaps:
        return texts
    return texts.map({text: text if class_text(text) else "" for text in texts.unique()})


def _classes(labels: pd.Series[str], *, gaps: bool) -> dict[str, Any]:
    texts = class_texts(labels, gaps=gaps)
    odd = [text for text in texts.unique() if text and class_name(text) is None]
    content: dict[str, Any] = {"unlabelled": True} if (texts == "").any() else {}
    # What else would be no class is one where it is named.
    return content | ({"classes": sorted(set(texts) - {""})} if odd else {})


def _image_keys(
    channels: Mapping[str, str], chosen: Mapping[str, str | None], pictures: Pictures
) -> dict[str, Any]:
    """Axes and channels of files that hold several, where the files do not say it all."""
    axes = chosen.get("axes")
    names = {"channels": list(channels.values())}
    if axes:
        return {"axes": axes.split()[0], **names}
    first = pictures.first
    if first is None or not first.axes:
        return {}
    if first.channel_count == 1:
        known = tuple(channels.values()) == (ONE_CHANNEL,)
        return {} if known else names
    return {"axes": first.axes.replace("S", "C"), **names} if "S" in first.axes else names


def _cells(
    layout: Layout, answer: str, pictures: Pictures, settings: ScanSettings
) -> dict[str, Any]:
    known = [(picture.path, picture.sides) for picture in pictures.opened if picture.sides]
    sides = [pair for _, pair in known]
    # A crop larger than an image is refused.
    crop = min([CROP, *(limit(pair, pictures.scale(path, settings)) for path, pair in known)])
    if answer.startswith(SEGMENT):
        channel, keys = answer.removeprefix(SEGMENT), segmentation_keys(settings)
        return {"from": "segment", "channel": channel, **keys, "crop": crop}
    if answer == MASKS and layout.mask:
        named = {"object": layout.object} if layout.object else {}
        return {"from": "mask", "column": layout.mask, **named, "crop": crop}
    if answer == POINTS and layout.y and layout.x:
        return {"from": "point", "columns": [layout.y, layout.x], "crop": crop}
    side = min(max((max(pair) for pair in sides), default=LARGEST_IMAGE_CROP), LARGEST_IMAGE_CROP)
    return {"from": "image", "crop": max(4, side)}
