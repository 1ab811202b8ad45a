"""Cells as the encoder wants them: cut out, centred, at one scale and brightness for all.

1. Look at some cells: what is background, what is bright, in each channel of the view.
2. Outline each cell: its label, or else what stands out from the background.
3. Choose one zoom and one gain for all cells: the largest become as large, and the brightest no
   brighter, than sprites are.
4. Draw each cell in the middle of a frame, black outside its outline.

All figures are of the whole data set and kept with the result: nothing is stretched cell by cell,
since size and brightness are what the latents are to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.drl.channel_view import View
from napari_channelmix.drl.features import hand_crafted
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part

if TYPE_CHECKING:
    import pandas as pd

    from napari_channelmix.data import Cells

__all__ = ["FRAME_SIDE", "Preparation", "Prepared", "prepare_job", "prepared_job"]

FloatArray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]

#: Side of the frame a cell is drawn in, in pixels: that of the sprites.
FRAME_SIDE = 64
# What the largest and brightest cells become, as the largest and brightest sprites are: longest
# diameter and that of a disc of the same area, in pixels of the frame, and mean grey value.
LONGEST_DIAMETER, DISC_DIAMETER, BRIGHTEST_MEAN = 52.0, 41.0, 0.5
# Cells that are looked at to choose brightness.
SAMPLE = 400
# Pixels of each of them that are looked at, or a few more.
PIXELS = 4096
# An outline found by brightness that is smaller than this is noise.
LEAST_AREA = 9


@dataclass(frozen=True)
class Preparation:
    """How cells of a data set become pictures; the same for all of them.

    Attributes
    ----------
    view : View
    background : (C,) tuple of float
        Grey value around the cells, raw units.
    spread : (C,) tuple of float
        How far above the background, or below it where negative, a pixel lies that becomes 1:
        the 99.8th percentile, or further where whole cells would be brighter than any sprite.
    zoom : float
        Pixels of the frame for a pixel of the image.
    """

    view: View
    background: tuple[float, ...]
    spread: tuple[float, ...]
    zoom: float

    def scaled(self, pixels: FloatArray) -> FloatArray:
        """Raw pixels (C, h, w) to 0 (background) .. 1 (brightest)."""
        low = np.array(self.background, np.float32)[:, None, None]
        scaled: FloatArray = (pixels - low) / np.array(self.spread, np.float32)[:, None, None]
        return scaled

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "view": self.view.as_dict(),
            "background": list(self.background),
            "spread": list(self.spread),
            "zoom": self.zoom,
        }

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> Preparation:
        """From `as_dict`."""
        return cls(
            View.from_dict(record["view"]),
            tuple(record["background"]),
            tuple(record["spread"]),
            float(record["zoom"]),
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """Cells ready to be encoded.

    Attributes
    ----------
    pictures : (N, depth, 64, 64) uint8 array
        Black outside the outlines.
    features : pandas.DataFrame
        Hand-crafted features of the same pixels, a row per cell; see `features.hand_crafted`.
    how : Preparation
    outlined : (N,) bool array
        Cells whose outline is known; a disc stands for the others.
    warnings : tuple of str
    """

    pictures: npt.NDArray[np.uint8] = field(repr=False)
    features: pd.DataFrame = field(repr=False, compare=False)
    how: Preparation
    outlined: npt.NDArray[np.bool_] = field(repr=False)
    warnings: tuple[str, ...] = ()


def prepare_job(cells: Cells, view: View) -> Job[Prepared]:
    """Choose how cells of a data set become pictures, and make them, as a job.

    Raises
    ------
    DataError
        No cells, a channel the data set does not have, NaN, nothing that stands out anywhere.
    """
    if not len(cells):
        raise DataError(f"{cells.name}: there are no cells")
    seen = cells.with_channels(view.channels)
    sampled = len(_some(len(seen), SAMPLE))
    total = 2 * sampled + 4 * len(seen)
    background, spread = yield from part(_brightness_job(seen, view), 0, sampled, total)
    rough = Preparation(view, background, spread, 1.0)
    how = yield from part(_fitted_job(seen, rough), sampled, sampled, total)
    job = prepared_job(cells, how)
    prepared = yield from part(job, 2 * sampled, 4 * len(seen), total)
    return prepared


def prepared_job(cells: Cells, how: Preparation) -> Job[Prepared]:
    """Make pictures of cells as another data set's cells were made, as a job; see `prepare_job`."""
    import pandas as pd

    seen = cells.with_channels(how.view.channels)
    pictures = np.zeros((len(seen), how.view.depth, FRAME_SIDE, FRAME_SIDE), np.uint8)
    outlined = np.zeros(len(seen), dtype=bool)
    rows = []
    for index in range(len(seen)):
        cut = _Cut.of(seen, index)
        mask, outlined[index] = _outline(cut, how)
        scaled = how.scaled(cut.pixels)
        rows.append(hand_crafted(scaled, mask, how.view.channels))
        framed = _framed(_seen(scaled, how.view), mask, how.zoom)
        pictures[index] = np.round(255 * framed).astype(np.uint8)
        yield Progress(index + 1, len(seen), "cutting out the cells")
    return Prepared(
        pictures,
        pd.DataFrame(rows),
        how,
        outlined,
        tuple(_warnings(cells, how, outlined, pictures)),
    )


def _warnings(
    cells: Cells, how: Preparation, outlined: npt.NDArray[np.bool_], pictures: npt.NDArray[np.uint8]
) -> Iterator[str]:
    lost = int((~outlined).sum())
    if lost:
        yield f"{lost} of {len(cells)} cells have no clear outline; a disc stands for it"
    if all(image.labels is None for image in cells.fields):
        yield "the cells have no label image: outlines were found by brightness"
    if how.view.depth == 3 and len(how.view.channels) == 1:
        yield "a grey image: the latent Color is of no use here"
    if min(how.spread) < 0:
        yield "the background is brighter than the cells: images are inverted"
    frame = np.ones((FRAME_SIDE, FRAME_SIDE), dtype=bool)
    frame[1:-1, 1:-1] = False
    cut_off = float((pictures[..., frame] > 0).any(axis=(1, 2)).mean())
    if cut_off > 0.1:
        yield f"{cut_off:.0%} of the cells are larger than the frame and are cut"


# -------------------------------------------------------------------- one cell


@dataclass(frozen=True, eq=False)
class _Cut:
    """One cell at the resolution of its image."""

    #: (C, h, w) raw units.
    pixels: FloatArray
    #: (h, w) pixels of its label, or None.
    label: Mask | None
    #: (h, w) pixels of other labels.
    others: Mask | None

    @classmethod
    def of(cls, cells: Cells, index: int) -> _Cut:
        from napari_channelmix.data.cells import BOX

        row = cells.table.iloc[index]
        image = cells.fields[int(row["field"])]
        # What lies beyond the image is filled, and is no part of the cell.
        height, width = image.shape
        y0, x0 = max(int(row[BOX[0]]), 0), max(int(row[BOX[1]]), 0)
        y1, x1 = min(int(row[BOX[2]]), height), min(int(row[BOX[3]]), width)
        only = int(row["object"]) if cells.neighbours == "hide" else None
        pixels = image.read((y0, x0, y1, x1), cells.planes, only)
        if not np.isfinite(pixels).all():
            channel = int(np.argwhere(~np.isfinite(pixels))[0][0])
            raise DataError(
                f"{image.name}: channel {cells.channels[channel]!r} has NaN or infinite pixels in "
                f"cell {cells.name_of(index)}; replace them or leave the cell out"
            )
        if image.labels is None or not row["object"]:
            return cls(pixels, None, None)
        window = np.asarray(image.labels[y0:y1, x0:x1])
        label = window == row["object"]
        return cls(pixels, label, (window > 0) & ~label)


def _outline(cut: _Cut, how: Preparation) -> tuple[Mask, bool]:
    """Mask (h, w) of the cell, and whether it is more than a disc in the middle."""
    if cut.label is not None and cut.label.any():
        return cut.label, True
    from scipy import ndimage
    from skimage.filters import threshold_otsu
    from skimage.morphology import isotropic_opening

    signal = ndimage.gaussian_filter(how.scaled(cut.pixels).mean(axis=0), 1.0)
    height, width = signal.shape
    y, x = np.ogrid[:height, :width]
    off = np.hypot((y - (height - 1) / 2) / height, (x - (width - 1) / 2) / width)
    disc: Mask = off <= 0.45
    if signal.max() - signal.min() < 1e-6:
        return disc, False
    bright = ndimage.binary_fill_holes(signal > threshold_otsu(signal))
    # Corners of a crop belong to neighbours, and what hangs on a cell by a thread does too.
    thread = max(1.0, 0.05 * min(height, width))
    bright = isotropic_opening(bright & (off <= 0.55), thread)
    blobs, count = ndimage.label(bright)
    if not count:
        return disc, False
    # The blob with most of its light in the middle of the crop.
    light = (signal - signal.min()) * np.exp(-8 * off**2)
    weight = ndimage.sum_labels(light, blobs, np.arange(1, count + 1))
    chosen: Mask = blobs == 1 + int(np.argmax(weight))
    if chosen.sum() < LEAST_AREA or chosen.mean() > 0.98:
        return disc, False
    return chosen, True


def _diameter(mask: Mask) -> float:
    """Longest diameter in pixels, that of the ellipse with the same second moments."""
    from skimage.measure import regionprops

    return float(regionprops(mask.astype(np.uint8))[0].axis_major_length)


def _seen(scaled: FloatArray, view: View) -> FloatArray:
    """Scaled channels (C, h, w) to a picture (depth, h, w)."""
    seen: FloatArray = np.einsum("chw,cd->dhw", scaled, view.matrix).astype(np.float32)
    return seen


def _framed(picture: FloatArray, mask: Mask, zoom: float) -> FloatArray:
    """The cell in the middle of a frame (depth, FRAME_SIDE, FRAME_SIDE), black outside its mask."""
    from scipy import ndimage

    ys, xs = np.nonzero(mask)
    centre = np.array([ys.mean(), xs.mean()])
    middle = (FRAME_SIDE - 1) / 2
    # Frame pixel p shows image pixel centre + (p - middle) / zoom.
    offset, frame = centre - middle / zoom, (FRAME_SIDE, FRAME_SIDE)
    inside = np.where(mask, np.clip(picture, 0, 1), 0).astype(np.float32)
    if zoom < 1:
        # Smoothed first, so that what is too fine for the frame does not alias.
        sigma = 0.5 * (1 / zoom - 1)
        inside = ndimage.gaussian_filter(inside, (0, sigma, sigma))
    return np.stack(
        [
            ndimage.affine_transform(plane, np.full(2, 1 / zoom), offset, frame, order=1)
            for plane in inside
        ]
    )


# -------------------------------------------------------------------- all cells


def _thinned(pixels: FloatArray) -> FloatArray:
    """Pixels (C, n), evenly thinned out to a few thousand where there are more."""
    return pixels[:, :: max(1, pixels.shape[1] // PIXELS)]


def _some(count: int, most: int) -> list[int]:
    chosen: list[int] = np.unique(np.linspace(0, count - 1, min(count, most)).astype(int)).tolist()
    return chosen


def _fitted_job(seen: Cells, rough: Preparation) -> Job[Preparation]:
    """Zoom and gain with which all but the largest and brightest of some cells are like sprites."""
    measurements = []
    sampled = _some(len(seen), SAMPLE)
    for done, index in enumerate(sampled, start=1):
        cut = _Cut.of(seen, index)
        mask, outlined = _outline(cut, rough)
        if outlined:
            light = np.clip(_seen(rough.scaled(cut.pixels), rough.view), 0, 1)[:, mask]
            width = 2 * np.sqrt(mask.sum() / np.pi)
            measurements.append((_diameter(mask), width, light.mean(axis=1).max()))
        yield Progress(done, len(sampled), "measuring the cells")
    if not measurements:
        raise DataError(
            f"{seen.name}: no cell stands out from its background in "
            f"{', '.join(seen.channels)}; choose other channels, or mark the cells with labels"
        )
    longest, widest, brightest = np.percentile(np.array(measurements), 95, axis=0).tolist()
    zoom = min(LONGEST_DIAMETER / max(longest, 4.0), DISC_DIAMETER / max(widest, 4.0))
    dimmed = max(1.0, brightest / BRIGHTEST_MEAN)
    return replace(rough, zoom=zoom, spread=tuple(dimmed * value for value in rough.spread))


def _brightness_job(cells: Cells, view: View) -> Job[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Background and spread of each channel, over some cells."""
    around: list[FloatArray] = []
    inside: list[FloatArray] = []
    sampled = _some(len(cells), SAMPLE)
    for done, index in enumerate(sampled, start=1):
        cut = _Cut.of(cells, index)
        if cut.label is not None and cut.others is not None:
            free = ~(cut.label | cut.others)
        else:
            free = np.ones(cut.pixels.shape[1:], dtype=bool)
            free[2:-2, 2:-2] = False
        around.append(_thinned(cut.pixels[:, free]))
        inside.append(_thinned(cut.pixels.reshape(len(cut.pixels), -1)))
        yield Progress(done, len(sampled), "looking at the background")
    outside, pixels = np.concatenate(around, axis=1), np.concatenate(inside, axis=1)
    if not outside.size:
        # Cells that lie side by side everywhere: the darkest of their pixels stand for it.
        outside = pixels
    middle = np.median(outside, axis=1)
    above = np.percentile(pixels, 99.8, axis=1) - middle
    below = middle - np.percentile(pixels, 0.2, axis=1)
    # Around a cell lie parts of others: the background is the end of the range that is not cell.
    quiet = np.where(above >= below, 10, 90)
    background = np.array([np.percentile(o, q) for o, q in zip(outside, quiet, strict=True)])
    apart = pixels - background[:, None]
    brightest, darkest = np.percentile(apart, 99.8, axis=1), np.percentile(apart, 0.2, axis=1)
    spread = np.where(brightest >= -darkest, brightest, darkest)
    if view.natural:
        # One picture in three parts: stretched alike, so that its colours stay.
        spread = np.full(3, spread[np.argmax(np.abs(spread))])
    flat = np.abs(spread) < 1e-9
    if flat.all():
        raise DataError(f"{cells.name}: {', '.join(view.channels)} is constant over all cells")
    spread = np.where(flat, 1.0, spread)
    return tuple(background.tolist()), tuple(spread.tolist())
