"""What plain classifiers say beside the networks, on the cells and folds of channel importance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from napari_channelmix.classify.channel_features import CropNumbers, numbers_job
from napari_channelmix.dcmix.p_values import p_values_job
from napari_channelmix.dcmix.separability import separability
from napari_channelmix.dcmix.single_channels import ChannelsAlone, alone_job
from napari_channelmix.jobs import Job, part

if TYPE_CHECKING:
    from napari_channelmix.classify.pixels import Pixels
    from napari_channelmix.data import Cells
    from napari_channelmix.dcmix.divisions import Division
    from napari_channelmix.dcmix.repeats import RepeatResult
    from napari_channelmix.dcmix.result import ChannelImportance

__all__ = ["MeasuredCells", "answered_job", "measured_job", "questioned"]

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]

# Cells beyond these are left out: reading them would take longer than they teach.
MOST_CELLS = 20_000
BATCH = 256


@dataclass(frozen=True, eq=False)
class MeasuredCells:
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
    labels: IntArray
    groups: npt.NDArray[np.str_]
    folds: IntArray
    place: IntArray


def measured_job(division: Division) -> Job[MeasuredCells]:
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
        groups.append(_apart(cells, number)[rows])
        folds.append(fold[0, rows])
        place.append(fold[1, rows])
    return MeasuredCells(
        CropNumbers.together(numbers),
        np.concatenate(labels),
        np.concatenate(groups),
        np.concatenate(folds),
        np.concatenate(place),
    )


def _apart(cells: Cells, number: int) -> npt.NDArray[np.str_]:
    """Groups of the cells; of cells that are their own, those of no other set (by its number)."""
    groups = cells.groups
    if len(set(groups.tolist())) < len(groups):
        return groups
    return np.array([f"{number}: {name}" for name in groups], dtype=str)


def _batches(pixels: Pixels, rows: IntArray) -> Iterator[FloatArray]:
    for start in range(0, len(rows), BATCH):
        yield pixels.read(rows[start : start + BATCH])


def answered_job(
    importance: ChannelImportance,
    division: Division,
    repeats: Sequence[RepeatResult],
    *,
    uncalibrated: str = "",
) -> Job[ChannelImportance]:
    """Read the class from one number, from each channel alone and from all without it.

    The result gets ``alone`` and ``separability``; and, where the class can be read from one
    number and groups hold several cells, ``alone_scaled``. A gate that is open then asks whether
    that number is a stain or a batch. The channels get their p-values, or the reason why there are
    none; ``uncalibrated`` is such a reason, of these settings.
    """
    measured = yield from part(measured_job(division), 0, 1, 4)
    network = np.full(len(measured.labels), -1, dtype=np.int64)
    for number, repeat in enumerate(repeats):
        in_repeat = measured.folds == number
        network[in_repeat] = np.asarray(repeat.plain_predicted)[measured.place[in_repeat]]
    who = measured.labels, measured.groups, measured.folds
    names: dict[str, Any] = {
        "channels": importance.channels,
        "classes": division.sides[0].test.cells.classes,
    }
    from_one = separability(measured.numbers, *who, **names, network=network)

    def alone(numbers: CropNumbers, network: IntArray | None) -> Job[ChannelsAlone]:
        return alone_job(numbers, *who, **names, network=network)

    channels_alone = yield from part(alone(measured.numbers, network), 1, 1, 4)
    tests = p_values_job(
        importance,
        repeats,
        measured.numbers,
        measured.labels,
        measured.groups,
        uncalibrated=uncalibrated,
    )
    tested = yield from part(tests, 2, 1, 4)
    scaled = None
    if from_one.readable and from_one.scaled is not None:
        numbers = measured.numbers.scaled_by_group(measured.groups)
        scaled = yield from part(alone(numbers, None), 3, 1, 4)
    answered = replace(
        importance,
        alone=channels_alone,
        separability=from_one,
        alone_scaled=scaled,
        p_value=tested.p_value,
        p_decoy=tested.p_decoy,
        p_alone=tested.p_alone,
        p_value_reason=tested.reason,
    )
    return questioned(answered)


def questioned(importance: ChannelImportance) -> ChannelImportance:
    """Make the question of `Separability` the verdict where the shares are readable.

    What they had to be read with before joins the warnings.
    """
    question = importance.question
    if not question or not importance.shares_readable:
        return importance
    before = (importance.caveat,) if importance.caveat else ()
    return replace(
        importance, gate=question, verdict=question, warnings=(*importance.warnings, *before)
    )
