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

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.computing import within_cap
from napari_channelmix.drl.cell_chunks import (
    CellTask,
    DrawnChunk,
    cell_chunks,
    drawn_chunk_job,
    kept_chunks_job,
)
from napari_channelmix.drl.cell_drawing import (
    FRAME_SIDE,
    DrawnPictures,
    Preparation,
    cell_cuts,
    diameter,
    outlined,
    seen_through,
)
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Job, Progress, part
from napari_channelmix.settings import ClusterSettings

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from napari_channelmix.data import Cells
    from napari_channelmix.drl.autoencoder import NamedAutoencoder
    from napari_channelmix.drl.channel_view import View

__all__ = [
    "FRAME_SIDE",
    "Preparation",
    "Prepared",
    "fits",
    "preparation_job",
    "prepare_job",
    "prepared_job",
    "some_pictures_job",
    "some_positions",
]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# What the largest and brightest cells become, as the largest and brightest sprites are: longest
# diameter and that of a disc of the same area, in pixels of the frame, and mean grey value.
LONGEST_DIAMETER, DISC_DIAMETER, BRIGHTEST_MEAN = 52.0, 41.0, 0.5
# Cells that are looked at to choose brightness.
SAMPLE = 400
# Pixels of each of them that are looked at, or a few more.
PIXELS = 4096
# Pictures that are kept in memory; those of more cells are drawn when they are asked for.
PICTURES_BYTES = 256 * 2**20
# Pictures that are drawn at a time for fine-tuning.
TOGETHER = 64


@dataclass(frozen=True, eq=False)
class Prepared:
    """Cells ready to be encoded.

    Attributes
    ----------
    pictures : (N, depth, 64, 64) uint8 array, or DrawnPictures
        Black outside the outlines. Those of more cells than memory holds are drawn when they are
        asked for, by position.
    features : pandas.DataFrame
        Hand-crafted features of the same pixels, a row per cell; see `features.hand_crafted`.
    how : Preparation
    outlined : (N,) bool array
        Cells whose outline is known; a disc stands for the others.
    warnings : tuple of str
    """

    pictures: npt.NDArray[np.uint8] | DrawnPictures = field(repr=False)
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
    looked_at = 2 * min(len(cells), SAMPLE)
    total = looked_at + 4 * len(cells)
    how = yield from part(preparation_job(cells, view), 0, looked_at, total)
    return (yield from part(prepared_job(cells, how), looked_at, 4 * len(cells), total))


def preparation_job(cells: Cells, view: View) -> Job[Preparation]:
    """Choose how cells of a data set become pictures, as a job; see `prepare_job`."""
    if not len(cells):
        raise DataError(f"{cells.name}: there are no cells")
    seen = cells.with_channels(view.channels)
    background, spread = yield from part(_brightness_job(seen, view), 0, 1, 2)
    rough = Preparation(view, background, spread, 1.0)
    return (yield from part(_fitted_job(seen, rough), 1, 1, 2))


def prepared_job(
    cells: Cells,
    how: Preparation,
    of: NamedAutoencoder | None = None,
    each: Callable[[DrawnChunk], object] | None = None,
    *,
    cluster: ClusterSettings | None = None,
    parts: Path | None = None,
) -> Job[Prepared]:
    """Make pictures of cells as another data set's cells were made, as a job; see `prepare_job`.

    Parameters
    ----------
    cells : Cells
    how : Preparation
    of : NamedAutoencoder, optional
        Encodes the cells as they are drawn.
    each : callable, optional
        Called with each chunk that is drawn, in any order.
    cluster : ClusterSettings, optional
        Where the chunks are computed.
    parts : path, optional
        Folder in which finished chunks are kept, and found again.
    """
    import pandas as pd

    pictures = DrawnPictures(cells, how)
    kept = np.zeros(pictures.shape, np.uint8) if fits(pictures.shape) else None
    known, cut_off = np.zeros(len(cells), dtype=bool), np.zeros(len(cells), dtype=bool)
    columns: list[str] = []
    features = np.zeros((0, 0))

    def take(chunk: DrawnChunk) -> None:
        nonlocal columns, features
        if not columns:
            columns = chunk.names.tolist()
            features = np.zeros((len(cells), len(columns)))
        features[chunk.positions] = chunk.features
        known[chunk.positions], cut_off[chunk.positions] = chunk.outlined, chunk.cut_off
        if kept is not None:
            kept[chunk.positions] = chunk.pictures
        if each is not None:
            each(chunk)

    positions = cell_chunks(cells)
    yield from kept_chunks_job(
        drawn_chunk_job,
        CellTask(cells, how, of, keeps=kept is not None),
        positions,
        positions,
        take,
        kind=DrawnChunk,
        stage="cutting out the cells",
        cluster=cluster or ClusterSettings(),
        parts=parts,
    )
    return Prepared(
        pictures if kept is None else kept,
        pd.DataFrame(features, columns=columns),
        how,
        known,
        tuple(_warnings(cells, how, known, float(cut_off.mean()) if len(cells) else 0.0)),
    )


def fits(shape: tuple[int, ...]) -> bool:
    """Whether so many pictures, one byte a pixel, are kept in memory."""
    return int(np.prod(shape, dtype=np.int64)) <= within_cap(PICTURES_BYTES)


def some_positions(prepared: Prepared) -> IntArray:
    """Positions of the cells whose pictures `some_pictures_job` gives."""
    count, pictures = len(prepared.pictures), prepared.pictures
    if isinstance(pictures, np.ndarray):
        return np.arange(count)
    each = int(np.prod(pictures.shape[1:]))
    return np.array(_some(count, within_cap(PICTURES_BYTES) // each), np.int64)


def some_pictures_job(prepared: Prepared) -> Job[npt.NDArray[np.uint8]]:
    """Pictures (n, depth, 64, 64) of as many cells as fit into memory, spread evenly, as a job."""
    pictures = prepared.pictures
    if isinstance(pictures, np.ndarray):
        return pictures
    chosen = some_positions(prepared)
    drawn = np.zeros((len(chosen), *pictures.shape[1:]), np.uint8)
    for start in range(0, len(chosen), TOGETHER):
        drawn[start : start + TOGETHER] = pictures[chosen[start : start + TOGETHER]]
        yield Progress(start, len(chosen), "drawing cells to fine-tune on")
    return drawn


def _warnings(
    cells: Cells, how: Preparation, known: npt.NDArray[np.bool_], cut_off: float
) -> Iterator[str]:
    lost = int((~known).sum())
    if lost:
        yield f"{lost} of {len(cells)} cells have no clear outline; a disc stands for it"
    if all(image.labels is None for image in cells.fields):
        yield "the cells have no label image: outlines were found by brightness"
    if how.view.depth == 3 and how.view.grey:
        yield "a grey image: the latent Color is of no use here"
    if min(how.spread) < 0:
        yield "the background is brighter than the cells: images are inverted"
    if cut_off > 0.1:
        yield f"{cut_off:.0%} of the cells are larger than the frame and are cut"


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
    # A sum of channels is brighter than any of them: how much is to be seen before it is dimmed.
    most_light = max(1.0, float(rough.view.matrix[:, 0].sum())) if rough.view.grey else 1.0
    for done, (_, cut) in enumerate(cell_cuts(seen, sampled), start=1):
        mask, known = outlined(cut, rough)
        if known:
            light = seen_through(rough.scaled(cut.pixels), rough.view)
            light = np.clip(light, 0, most_light)[:, mask]
            width = 2 * np.sqrt(mask.sum() / np.pi)
            measurements.append((diameter(mask), width, light.mean(axis=1).max(), light.max()))
        yield Progress(done, len(sampled), "measuring the cells")
    if not measurements:
        raise DataError(
            f"{seen.name}: no cell stands out from its background in "
            f"{', '.join(seen.channels)}; choose other channels, or mark the cells with labels"
        )
    longest, widest, brightest, most = np.percentile(np.array(measurements), 95, axis=0).tolist()
    zoom = min(LONGEST_DIAMETER / max(longest, 4.0), DISC_DIAMETER / max(widest, 4.0))
    dimmed = max(1.0, brightest / BRIGHTEST_MEAN)
    return replace(
        rough,
        zoom=zoom,
        spread=tuple(dimmed * value for value in rough.spread),
        bright=min(max(most / dimmed, 0.05), 1.0),
    )


def _brightness_job(cells: Cells, view: View) -> Job[tuple[tuple[float, ...], tuple[float, ...]]]:
    """Background and spread of each channel, over some cells."""
    around: list[FloatArray] = []
    inside: list[FloatArray] = []
    sampled = _some(len(cells), SAMPLE)
    for done, (_, cut) in enumerate(cell_cuts(cells, sampled), start=1):
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
