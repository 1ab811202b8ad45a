"""How large nuclei are: those of one image of a folder, segmented as they will be."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.nuclear_channel import nuclear_channel
from napari_channelmix.data.segmentation import segment_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    from napari_channelmix.scan.pictures import Picture, Pictures
    from napari_channelmix.settings.scan import ScanSettings

__all__ = ["nuclei_extents_job"]

# The part of the image that is segmented, around its middle, in pixels.
SIDE = 1024
# Of fewer nuclei nothing is concluded.
FEW = 5


def nuclei_extents_job(
    folder: Path, pictures: Pictures, channels: Mapping[str, str], settings: ScanSettings
) -> Job[list[float]]:
    """Longer sides of the nuclei of one image, in pixels.

    Parameters
    ----------
    folder : path
        What the paths of ``pictures`` are relative to.
    pictures : Pictures
        One of them is read.
    channels : mapping of str to str
        Channels as files name them, in their order, and the names that are shown.
    settings : ScanSettings
        How nuclei are segmented.

    Returns
    -------
    list of float
        Empty where no channel is named like a stain of nuclei, where images are stacks, or where
        fewer than 5 nuclei are found.
    """
    place = _nuclear_plane(pictures, channels)
    if place is None or pictures.of_single_cells:
        return []
    picture, index = place
    yield Progress(0, 10, "measuring nuclei")
    try:
        file = open_image(folder / picture.path, alone=bool(picture.of))
        plane = file.planes(None)[index]
        top, left = (max(0, (length - SIDE) // 2) for length in plane.shape)
        alone = replace(settings, body_channel=None)
        result = yield from part(
            segment_job(plane[top : top + SIDE, left : left + SIDE], alone), 1, 9, 10
        )
    except (DataError, IndexError):
        # What is wrong is said where the image is used.
        return []
    from napari_channelmix.data.label_images import Regions

    extents = Regions.of(result.labels).objects().extents.tolist() if result.count >= FEW else []
    return [float(extent) for extent in extents]


def _nuclear_plane(pictures: Pictures, channels: Mapping[str, str]) -> tuple[Picture, int] | None:
    """An image with the channel of nuclei, and the position of the channel in it."""
    nuclei, first = nuclear_channel(list(channels.values())), pictures.first
    if nuclei is None or first is None:
        return None
    index = list(channels.values()).index(nuclei)
    if not first.of:
        return first, index
    own = list(channels)[index]
    return next(((picture, 0) for picture in pictures.opened if picture.of == own), None)
