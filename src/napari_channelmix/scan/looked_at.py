"""The images and label images of a table, opened once: their sizes, and where the objects lie."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_channelmix.data.image_formats import ImageFile, open_image
from napari_channelmix.data.label_images import Objects, Regions, as_label_image
from napari_channelmix.data.mask_files import plane_of_mask, stack_of_mask
from napari_channelmix.data.pixel_size import in_micrometres
from napari_channelmix.data.resampling import resampled_by
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress

if TYPE_CHECKING:
    import numpy.typing as npt

    from napari_channelmix.settings.scan import ScanSettings

__all__ = ["LookedAt", "look_at_job", "sides_of"]

# Images and label images that are opened; of more, the opening of the data set will tell.
MOST = 3_000
# Planes of a stack of label images that are looked at.
PLANES = 6


@dataclass(eq=False)
class LookedAt:
    """What was seen in files, by their paths; grows as more are looked at.

    Attributes
    ----------
    shapes : dict of str to (int, int)
        Height and width of images and label images, in pixels.
    pixel_sizes : dict of str to (float, float) or None
        Of images: micrometres, y and x.
    stacks : dict of str to dict of str to int
        Of images with several planes: how many along Z and T.
    objects : dict of str to Objects
        Of label images of one plane.
    extents : dict of str to list of float
        Of label images: longer sides of their objects in pixels; of stacks in some planes.
    errors : dict of str to str
        Files that cannot be read, and why.
    """

    shapes: dict[str, tuple[int, int]] = field(default_factory=dict)
    pixel_sizes: dict[str, tuple[float, float] | None] = field(default_factory=dict)
    stacks: dict[str, dict[str, int]] = field(default_factory=dict)
    objects: dict[str, Objects] = field(default_factory=dict)
    extents: dict[str, list[float]] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    def has(self, path: str) -> bool:
        """Whether a file was opened, or could not be."""
        return path in self.shapes or path in self.errors

    def scales(self, images: Iterable[str], settings: ScanSettings) -> dict[str, float]:
        """How many pixels of a crop, resampled as the settings say, a pixel of each image is."""
        side = settings.image_pixel_size
        given = None if side is None else (side, side)
        return {
            path: resampled_by(settings.pixel_size, self.pixel_sizes.get(path) or given)
            for path in set(images)
        }

    def add_labels(self, path: str, draw: Callable[[], npt.NDArray[Any]]) -> None:
        """Look at a label image that is drawn, once."""
        if not self.has(path):
            labels = draw()
            self.shapes[path] = (int(labels.shape[0]), int(labels.shape[1]))
            self.objects[path] = objects = Regions.of(labels).objects()
            self.extents[path] = objects.extents.tolist()


def look_at_job(
    looked: LookedAt, folder: Path, images: Iterable[str], masks: Iterable[str]
) -> Job[LookedAt]:
    """Open files that were not opened before: a step for each.

    Parameters
    ----------
    looked : LookedAt
        What is known already; it is added to.
    folder : path
        What the paths are relative to.
    images, masks : iterable of str
    """
    waiting = [(path, False) for path in images] + [(path, True) for path in masks]
    waiting = [(path, mask) for path, mask in dict.fromkeys(waiting) if not looked.has(path)][:MOST]
    for count, (path, mask) in enumerate(waiting):
        yield Progress(count, len(waiting), "looking at the images")
        try:
            file = open_image(folder / path, alone=mask, mask=mask)
            if mask and {"Z", "T"} & set(file.axes or ""):
                # Its objects are found plane by plane, once it is known which planes are used.
                looked.shapes[path] = sides_of(file)
                looked.extents[path] = _extents_of_planes(file, path)
            elif mask:
                looked.add_labels(path, partial(_labels, file, path))
            else:
                looked.shapes[path] = sides_of(file)
                looked.pixel_sizes[path] = in_micrometres(file.pixel_size, file.unit)
                sizes = dict(zip(file.axes or "", file.shape, strict=False))
                looked.stacks[path] = {axis: n for axis, n in sizes.items() if axis in "ZT"}
        except DataError as error:
            looked.errors[path] = str(error)
    return looked


def _extents_of_planes(file: ImageFile, path: str) -> list[float]:
    values, _ = stack_of_mask(file, file.stacked(None))
    planes = values.reshape(-1, *values.shape[-2:])
    some = planes[:: max(1, -(-len(planes) // PLANES))]
    return [
        float(extent)
        for plane in some
        for extent in Regions.of(as_label_image(plane, path)).objects().extents
    ]


def _labels(file: ImageFile, path: str) -> npt.NDArray[Any]:
    return as_label_image(plane_of_mask(file), path)


def sides_of(file: ImageFile) -> tuple[int, int]:
    """Height and width of an image in pixels."""
    if file.axes is None or "Y" not in file.axes or "X" not in file.axes:
        raise DataError(
            f"{file.path}: does not say which of its axes {file.shape} are y and x; save it with "
            "its axes, as ImageJ or OME-TIFF"
        )
    return file.shape[file.axes.index("Y")], file.shape[file.axes.index("X")]
