"""Repeats of channel importance as tasks for workers; the process that began keeps what they give.

A repeat is minutes of training, and its result a small network and some numbers. So the folder of
finished repeats has one writer, and workers need the images alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from napari_channelmix.classify.device import choose_device
from napari_channelmix.cluster import chunks_job
from napari_channelmix.dcmix.repeats import (
    Plan,
    RepeatResult,
    computed_repeat_job,
    keep_repeat,
    kept_repeat,
)
from napari_channelmix.dcmix.side_crops import SideCrops, read_job
from napari_channelmix.jobs import Job, Progress, mapped, part
from napari_channelmix.settings import ClusterSettings, settings_of

if TYPE_CHECKING:
    from napari_channelmix.classify.classifier import Classifier
    from napari_channelmix.dcmix.divisions import Division

__all__ = ["RepeatTask", "repeat_task_job", "repeats_on_workers_job"]

# What reading and normalising take of a repeat, in a worker.
READING = 0.05


@dataclass(frozen=True, eq=False)
class RepeatTask:
    """What all repeats share; it goes to a worker without pixels, which are read there once.

    Attributes
    ----------
    plan : Plan
    division : Division
    seed : int
        Of the first repeat.
    """

    plan: Plan
    division: Division
    seed: int
    crops: SideCrops = field(default_factory=SideCrops)


def repeat_task_job(task: RepeatTask, number: int) -> Job[tuple[RepeatResult, Classifier]]:
    """Compute the repeat of this number, in a worker."""
    # Of this machine; nothing is kept from here.
    device = choose_device(task.plan.settings.device)
    plan = replace(task.plan, device=device, parts=None)
    yield from part(read_job(task.division), 0, READING, 1)
    crops = yield from part(task.crops.crops_job(task.division.sides[number]), READING, 0, 1)
    job = computed_repeat_job(plan, *crops, task.seed + number)
    return (yield from part(job, READING, 1 - READING, 1))


def repeats_on_workers_job(
    task: RepeatTask, done: Callable[[int, RepeatResult, Classifier], object]
) -> Job[None]:
    """Compute all repeats on workers, but for those that an earlier run has kept.

    Parameters
    ----------
    task : RepeatTask
    done : callable
        ``done(number, result, classifier)`` is called here for each repeat, as it is finished.

    Raises
    ------
    DataError
        Repeats that could not be computed, with the reason; the others are kept.
    ClusterError
        As `cluster.chunks_job`.
    """
    plan, missing = task.plan, list[int]()
    keys: dict[int, str] = {}
    repeats = len(task.division.sides)
    for number, sides in enumerate(task.division.sides):
        for side in (sides.train, sides.test):
            yield from part(side.sign(), 0, 0, repeats)
        signatures = sides.train.cells.signature, sides.test.cells.signature
        keys[number] = plan.key(task.seed + number, *signatures)
        held_out = len(sides.test.rows)
        stored = kept_repeat(plan, keys[number], task.seed + number, held_out)
        if stored is None:
            missing.append(number)
            continue
        done(number, *stored)
        stage = f"repeat {number + 1} of {repeats}: kept from an earlier run"
        yield Progress(number + 1 - len(missing), repeats, stage, {"kept": 1.0})

    def keep(position: int, result: tuple[RepeatResult, Classifier]) -> None:
        number, (numbers, classifier) = missing[position], result
        keep_repeat(plan, keys[number], numbers, classifier)
        done(number, numbers, classifier.to(plan.device))

    job = chunks_job(
        repeat_task_job,
        task,
        missing,
        keep=keep,
        settings=settings_of(ClusterSettings, plan.settings),
        stage="repeats",
    )
    # Its pace is of repeats, not of cells.
    report = yield from mapped(
        part(job, repeats - len(missing), len(missing), repeats), _without_pace
    )
    report.refuse_missing(
        lambda position: f"repeat {missing[position] + 1}", repeats - len(missing)
    )


def _without_pace(step: Progress) -> Progress:
    kept = {name: value for name, value in step.metrics.items() if name != "cells per second"}
    return replace(step, metrics=kept)
