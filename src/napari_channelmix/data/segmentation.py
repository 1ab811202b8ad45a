"""Objects of one channel segmented as the settings say: threshold, split, outline, growth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.data.grown_labels import grown_job
from napari_channelmix.data.object_diameter import object_diameter
from napari_channelmix.data.segmentation_doubts import segmentation_doubts
from napari_channelmix.data.touching_objects import (
    fill_holes,
    labels_of_foreground,
    own_outlines,
    without_small,
)
from napari_channelmix.data.uneven_background import uneven_background
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, drain, part
from napari_channelmix.settings.fields import merged, takes_settings
from napari_channelmix.settings.segmentation import SegmentationSettings
from napari_channelmix.shown_result import ShownResult

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from napari_channelmix.progress_bar import ShowProgress
    from napari_channelmix.result_display import Summary

__all__ = ["Segmentation", "segment", "segment_job"]

FloatImage = npt.NDArray[np.float32]
Window = tuple[slice, slice]

# Foreground begins at this share of the way from the background to the automatic threshold.
LOW = 0.5
# As many of the brightest pixels, and this share of all, do not count for the range: hot pixels.
HOT_PIXELS, HOT_SHARE = 20, 1e-5
# Larger planes are divided piece by piece: side of a piece, in pixels.
PIECE = 1024
BINS = 1024


@dataclass(frozen=True, eq=False, repr=False)
class Segmentation(ShownResult):
    """Objects of one channel.

    Attributes
    ----------
    labels : (Y, X) int32 array
        0 is background, 1..n the objects.
    diameter : float
        In pixels: as given, or as estimated from the image.
    threshold : float
        Between background and objects, in the unit of the channel; above the background where that
        is taken away. NaN where the channel is constant.
    warnings : tuple of str
        Why the result looks wrong, a line each.

    Examples
    --------
    >>> labels = np.zeros((8, 8), np.int32)
    >>> labels[2:6, 2:6] = 1
    >>> result = Segmentation(labels, diameter=4.5, threshold=300.0)
    >>> result.count, round(result.median_diameter, 2)  # of a disc of 16 pixels
    (1, 4.51)
    """

    labels: npt.NDArray[np.int32]
    diameter: float
    threshold: float
    warnings: tuple[str, ...] = ()

    def summary(self) -> Summary:
        """What is shown of it in a notebook."""
        from napari_channelmix.data.result_summaries import segmentation_summary

        return segmentation_summary(self)

    def to_frame(self) -> pd.DataFrame:
        """A row per object: ``object``, ``y``, ``x``, ``area``, ``diameter``, all in pixels.

        ``y`` and ``x`` are its middle (pixel centres are whole numbers), ``diameter`` that of a
        disc of its area.
        """
        import pandas as pd
        from skimage.measure import regionprops_table

        names = ("label", "centroid", "area", "equivalent_diameter_area")
        columns = ("object", "y", "x", "area", "diameter")
        if not self.count:
            return pd.DataFrame(columns=list(columns), dtype=float)
        table = regionprops_table(self.labels, properties=names)
        return pd.DataFrame(dict(zip(columns, table.values(), strict=True)))

    def plot(self, ax: Axes | None = None) -> Figure:
        """The objects, each in a colour of its own.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw; default: a figure of its own.

        Returns
        -------
        matplotlib.figure.Figure
        """
        from napari_channelmix.charts import picture_figure
        from napari_channelmix.crop_pictures import labels_picture

        summary = self.summary()
        picture = labels_picture(self.labels, largest=1500)
        return picture_figure(picture, "; ".join(summary.facts), summary.warnings, ax)

    def save(self, path: str | Path) -> Path:
        """Write the label image as TIFF.

        Raises
        ------
        SaveError
            Disk full, folder read-only and the like.
        """
        from napari_channelmix.data.write_dataset import write_mask

        path = Path(path)
        write_mask(path, self.labels)
        return path

    @property
    def count(self) -> int:
        """Number of objects."""
        return int(self.labels.max(initial=0))

    @cached_property
    def median_diameter(self) -> float:
        """Median of the diameters of discs as large as the objects, in pixels; NaN without any."""
        areas = np.bincount(self.labels.ravel())[1:]
        return float(2 * np.sqrt(np.median(areas) / np.pi)) if areas.size else float("nan")


@dataclass(frozen=True, eq=False)
class _Ground:
    """A smoothed channel and its levels, as shares of its range."""

    pixels: FloatImage
    background: float
    threshold: float

    @property
    def step(self) -> float:
        return max(self.threshold - self.background, 1e-9)


@takes_settings(SegmentationSettings)
def segment(
    plane: Any,
    settings: SegmentationSettings | None = None,
    body: Any = None,
    progress: ShowProgress = None,
    **options: Any,
) -> Segmentation:
    """Segment the objects of one channel.

    Gaussian smoothing; a threshold half way between the background and that of Otsu, times
    ``settings.threshold``; holes smaller than an object filled; touching objects split at a
    watershed of brightness and distance to the ground; each outline drawn at 40 % of its object's
    own height, so that dim objects are found beside bright ones without halos. Our definition, on
    scikit-image and SciPy.

    Parameters
    ----------
    plane : (Y, X) array
        Intensities in any unit.
    settings : SegmentationSettings, optional
    body : (Y, X) array, optional
        The channel ``settings.body_channel``; objects are grown to it.
    progress : bool or callable, optional
        True: a bar, also in a notebook; a function: called with each `Progress`.
    **options
        Settings of `SegmentationSettings` by name, which win.

    Returns
    -------
    Segmentation
        The same for the same input.

    Raises
    ------
    DataError
        NaN or infinite pixels; a plane that is no image; a body channel that is missing, not asked
        for, or of another size.
    ModelError
        A setting outside its bounds.

    Examples
    --------
    >>> rows, columns = np.mgrid[0:120, 0:120] % 40 - 20
    >>> picture = 100 + 900 * (np.hypot(rows, columns) < 9)
    >>> segment(picture).count
    9
    >>> segment(1000 - picture, dark=True, expand=3).count
    9
    """
    return drain(
        segment_job(plane, merged(SegmentationSettings, settings, options), body), progress
    )


def segment_job(
    plane: Any, settings: SegmentationSettings | None = None, body: Any = None
) -> Job[Segmentation]:
    """Segment the objects of one channel; see `segment`.

    Planes of more than 1,536 x 1,536 pixels are divided in pieces that overlap by three diameters;
    an object is that of the piece in which its seed lies.
    """
    settings = settings or SegmentationSettings()
    yield Progress(0, 10, "smoothing")
    pixels = _checked(plane, "the channel")
    second = _checked_body(pixels, settings, body)
    low, high = _range(pixels)
    if high <= low:
        return Segmentation(
            np.zeros(pixels.shape, np.int32),
            float(settings.diameter or np.nan),
            float("nan"),
            ("nothing found: the channel is constant",),
        )
    normal = _normal(pixels, low, high, settings.dark)
    smooth = _smoothed(normal, 1.0)
    yield Progress(1, 10, "estimating the diameter")
    ground = _ground(smooth)
    diameter = settings.diameter or _estimate(ground)
    if diameter > 20:
        smooth = _smoothed(normal, min(diameter / 20, 4.0))
        ground = _ground(smooth)
    if settings.uneven:
        yield Progress(2, 10, "estimating the background")
        ground = _ground(smooth - uneven_background(smooth, diameter))
    labels = yield from part(_divided(ground, settings, diameter), 3, 5, 10)
    least = np.pi * diameter**2 / 32 if settings.min_area is None else settings.min_area
    pieces = int(labels.max(initial=0))
    labels = without_small(labels, least)
    if settings.clear_border:
        from skimage.segmentation import clear_border

        labels = without_small(_dense(clear_border(labels)), 1)
    dropped = pieces - int(labels.max(initial=0))
    doubts = segmentation_doubts(
        labels,
        ground.pixels,
        threshold=_cut(ground, settings),
        diameter=diameter,
        dropped=0 if settings.clear_border else dropped,
        check_diameter=settings.splitting > 0,
        dark=settings.dark,
    )
    if settings.expand or second is not None:
        labels = yield from part(
            grown_job(labels, settings.expand, second, reach=settings.expand or round(diameter)),
            8,
            2,
            10,
        )
    span = float(high) - float(low)
    cut = _cut(ground, settings) * span
    if not settings.uneven:
        cut = high - cut if settings.dark else low + cut
    return Segmentation(labels, float(diameter), float(cut), doubts)


def _checked(plane: Any, name: str) -> FloatImage:
    pixels = np.asarray(plane)
    if pixels.ndim != 2 or 0 in pixels.shape or pixels.dtype.kind not in "buif":
        raise DataError(
            f"{name} must be a plane of numbers (Y, X), not {pixels.dtype} {pixels.shape}"
        )
    if not np.isfinite(pixels).all():
        raise DataError(
            f"NaN or infinite pixels in {name}: nothing can be segmented; replace them first"
        )
    return pixels.astype(np.float32)


def _checked_body(
    pixels: FloatImage, settings: SegmentationSettings, body: Any
) -> FloatImage | None:
    if (body is None) != (settings.body_channel is None):
        raise DataError(
            "a body channel is given without its name (body_channel)"
            if settings.body_channel is None
            else f"the body channel {settings.body_channel!r} is not given"
        )
    if body is None:
        return None
    other = _checked(body, "the body channel")
    if other.shape != pixels.shape:
        raise DataError(f"the body channel is {other.shape} pixels, the channel {pixels.shape}")
    low, high = _range(other)
    if high <= low:
        return np.zeros_like(other)
    ground = _ground(_smoothed(_normal(other, low, high, settings.dark), 1.0))
    # Foreground is what lies above 0.
    return ground.pixels - np.float32(ground.background + LOW * ground.step)


def _range(pixels: FloatImage) -> tuple[float, float]:
    """Darkest and brightest value without the few hottest and coldest pixels."""
    flat = pixels.ravel()
    few = min(max(HOT_PIXELS, int(HOT_SHARE * flat.size)), (flat.size - 1) // 100)
    ordered = np.partition(flat, (few, flat.size - 1 - few))
    return float(ordered[few]), float(ordered[flat.size - 1 - few])


def _normal(pixels: FloatImage, low: float, high: float, dark: bool) -> FloatImage:
    """Pixels as shares of the range, objects bright."""
    normal: FloatImage = np.clip((pixels - np.float32(low)) / np.float32(high - low), 0, 1)
    return np.float32(1) - normal if dark else normal


def _smoothed(pixels: FloatImage, sigma: float) -> FloatImage:
    from scipy import ndimage

    result: FloatImage = ndimage.gaussian_filter(pixels, sigma, mode="nearest", truncate=3)
    return result


def _ground(pixels: FloatImage) -> _Ground:
    """Otsu's threshold, and the median of what lies below it."""
    from skimage.filters import threshold_otsu

    low, high = float(pixels.min()), float(pixels.max())
    if high <= low:
        return _Ground(pixels, low, high)
    bins = ((pixels - low) * np.float32((BINS - 1) / (high - low))).astype(np.int16)
    counts = np.bincount(bins.ravel(), minlength=BINS)
    centres = low + np.arange(BINS) * (high - low) / (BINS - 1)
    threshold = float(threshold_otsu(hist=(counts, centres)))
    below = np.cumsum(counts[centres <= threshold])
    background = float(centres[int(np.searchsorted(below, below[-1] / 2))])
    return _Ground(pixels, background, threshold)


def _cut(ground: _Ground, settings: SegmentationSettings) -> float:
    return ground.background + LOW * settings.threshold * ground.step


def _estimate(ground: _Ground) -> float:
    """Diameter in the part of the plane with most foreground."""
    pixels = ground.pixels
    share = np.clip((pixels - ground.background) / np.float32(ground.step), 0, 1)
    if max(pixels.shape) > 2 * PIECE:
        windows = list(_cores(pixels.shape))
        share = share[max(windows, key=lambda core: float(share[core].sum()))]
    return object_diameter(share)


def _divided(
    ground: _Ground, settings: SegmentationSettings, diameter: float
) -> Job[npt.NDArray[np.int32]]:
    """Labels of all pieces of the plane."""
    height, width = ground.pixels.shape
    margin = int(3 * diameter) + 8
    whole = max(height, width) <= 1.5 * PIECE or settings.splitting == 0 or margin > PIECE
    cores = [(slice(0, height), slice(0, width))] if whole else list(_cores((height, width)))
    result, used = np.zeros((height, width), np.int32), 0
    for number, core in enumerate(cores):
        yield Progress(number, len(cores), "splitting touching objects")
        window = tuple(slice(max(0, side.start - margin), side.stop + margin) for side in core)
        labels, seeds = _objects(ground, settings, diameter, (window[0], window[1]))
        offset = np.array([side.start for side in window])
        start, stop = (
            np.array([getattr(side, end) for side in core]) - offset for end in ("start", "stop")
        )
        own = np.r_[False, ((seeds >= start) & (seeds < stop)).all(axis=1)]
        numbers = np.where(own, np.cumsum(own) + used, 0).astype(np.int32)
        used += int(own.sum())
        place = result[window]
        np.copyto(place, numbers[labels], where=place == 0)
    return _dense(result)


def _objects(
    ground: _Ground, settings: SegmentationSettings, diameter: float, window: Window
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Labels of a part of the plane, and their seeds."""
    height = ground.pixels[window] - np.float32(ground.background)
    bright = height > LOW * settings.threshold * ground.step
    hole = np.pi * diameter**2 / 4
    foreground = fill_holes(bright.astype(np.int32), hole) > 0
    filled = foreground & ~bright
    share = np.clip(height / np.float32(2 * ground.step), 0, 1)
    share[filled] = np.maximum(share[filled], 0.5)
    labels, seeds = labels_of_foreground(foreground, share, diameter, settings.splitting)
    top = max(float(ground.pixels.max()) - ground.background, 1e-9)
    labels = own_outlines(labels, height / np.float32(top), filled)
    return fill_holes(labels, hole / 4), seeds


def _cores(shape: tuple[int, ...]) -> Iterator[Window]:
    for top in range(0, shape[0], PIECE):
        for left in range(0, shape[1], PIECE):
            yield (
                slice(top, min(top + PIECE, shape[0])),
                slice(left, min(left + PIECE, shape[1])),
            )


def _dense(labels: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """The same labels as 1..n, in their order."""
    return without_small(labels, 1)
