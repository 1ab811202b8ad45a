"""What plain classifiers say beside the networks, on the cells and folds of channel importance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from napari_channelmix.dcmix.alone import ChannelsAlone, alone_job
from napari_channelmix.dcmix.numbers import CropNumbers, numbers_job
from napari_channelmix.dcmix.separability import Separability, separability
from napari_channelmix.jobs import Job, part

if TYPE_CHECKING:
    from napari_channelmix.classify.pixels import Pixels
    from napari_channelmix.dcmix.divisions import Division
    from napari_channelmix.dcmix.repeats import RepeatResult
    from napari_channelmix.dcmix.result import ChannelImportance

__all__ = ["Asked", "Questions", "measured_job", "questions_job", "with_answers"]

Floats = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]

# Cells beyond these are left out: reading them would take longer than they teach.
MOST_CELLS = 20_000
BATCH = 256


@dataclass(frozen=True, eq=False)
class Asked:
    """The cells of a division with their numbers.

    Attributes
    ----------
    numbers : CropNumbers
        Of N cells.
    labels, groups : (N,) arrays
    folds : (N,) int array
        Repeat in which a cell was first held out; -1 for one that never was.
    place : (N,) int array
        Position of the cell among those held out in that repeat; -1 likewise.
    """

    numbers: CropNumbers
    labels: Whole
    groups: npt.NDArray[np.str_]
    folds: Whole
    place: Whole


@dataclass(frozen=True)
class Questions:
    """The answers of plain classifiers.

    Attributes
    ----------
    alone : ChannelsAlone
    separability : Separability
    scaled : ChannelsAlone or None
        ``alone`` with each channel scaled group by group; only where the class can be read from
        one number, and groups hold several cells.
    """

    alone: ChannelsAlone
    separability: Separability
    scaled: ChannelsAlone | None = None


def measured_job(division: Division) -> Job[Asked]:
    """Measure the cells of a division, each once, and note when it is held out."""
    labels, groups, folds, place, numbers = [], [], [], [], []
    count = len(division.pixels)
    share = max(1, MOST_CELLS // count)
    for number, pixels in enumerate(division.pixels):
        cells = pixels.cells
        fold = np.full((2, len(cells)), -1, dtype=np.int64)
        for repeat, sides in reversed(list(enumerate(division.sides))):
            if sides.test.pixels is pixels:
                fold[0, sides.test.rows] = repeat
                fold[1, sides.test.rows] = np.arange(len(sides.test.rows))
        rows = np.arange(len(cells))
        if len(rows) > share:
            rows = np.sort(np.random.default_rng(0).choice(len(rows), share, replace=False))
        job = numbers_job(_batches(pixels, rows), len(rows))
        numbers.append((yield from part(job, number, 1, count)))
        labels.append(cells.labels[rows])
        groups.append(cells.groups[rows])
        folds.append(fold[0, rows])
        place.append(fold[1, rows])
    return Asked(
        CropNumbers.together(numbers), np.concatenate(labels), np.concatenate(groups),
        np.concatenate(folds), np.concatenate(place),
    )  # fmt: skip


def _batches(pixels: Pixels, rows: Whole) -> Iterator[Floats]:
    for start in range(0, len(rows), BATCH):
        yield pixels.read(rows[start : start + BATCH])


def questions_job(
    asked: Asked,
    repeats: Sequence[RepeatResult],
    channels: Sequence[str],
    classes: Sequence[str],
) -> Job[Questions]:
    """Read the class from one number, from each channel alone and from all without it."""
    network = np.full(len(asked.labels), -1, dtype=np.int64)
    for number, repeat in enumerate(repeats):
        here = asked.folds == number
        network[here] = np.asarray(repeat.plain_predicted)[asked.place[here]]
    from_one = separability(
        asked.numbers, asked.labels, asked.groups, asked.folds, channels=channels,
        classes=classes, network=network,
    )  # fmt: skip

    def alone(numbers: CropNumbers, network: Whole | None) -> Job[ChannelsAlone]:
        return alone_job(
            numbers, asked.labels, asked.groups, asked.folds, channels=channels, classes=classes,
            network=network,
        )  # fmt: skip

    ask_again = from_one.readable and from_one.scaled is not None
    found = yield from part(alone(asked.numbers, network), 0, 1, 2 if ask_again else 1)
    if not ask_again:
        return Questions(found, from_one)
    scaled = asked.numbers.scaled_by_group(asked.groups)
    again = yield from part(alone(scaled, None), 1, 1, 2)
    return Questions(found, from_one, again)


def with_answers(importance: ChannelImportance, found: Questions) -> ChannelImportance:
    """The result with what the plain classifiers say."""
    return replace(
        importance, alone=found.alone, separability=found.separability, alone_scaled=found.scaled
    )
