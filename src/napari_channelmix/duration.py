"""How long a job takes: an estimate before it starts, and the time left while it is under way.

Definitions (our own)
---------------------
Work is counted in units that grow evenly with time, such as cells x epochs x pixels of a crop
(`Workload`). A run of ``n`` units is expected to take ``start + fixed + pace * n`` seconds:

- ``start``: until the first step of the last run of the kind on this computer, which is mostly
  loading PyTorch; left out where that is loaded;
- ``fixed``, ``pace``: of the line through the last run and the last one before it that was of
  another size (by half at least); where there is none, or the line does not rise from 0 or more,
  in proportion to the last run (``fixed`` 0).

Without such a run, ``n`` times the pace of a fast processor is a lower bound ('at least').

The time left is what was expected less the time that passed, and what is observed:
``(1 - f) * expected + f * observed`` at the fraction ``f`` of progress, where an estimate was there
and is not over. Observed is how the last run went, if that was of about the same size: its
``profile`` says which share of its time had passed at each fraction. Else progress counts as time,
at the pace of the last half of the time worked, and the remaining share ``1 - f`` is weighed:
``(1 - f) * ((1 - f) * pace + f * max(pace, pace_of_stage))`` in a stage that is the first of its
name, since it may be slower than all before it. A job that has stood still for ``s`` seconds is
taken to need ``s`` seconds more at least.
"""

from __future__ import annotations

import math
import re
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
from pydantic import Field, field_validator

from napari_channelmix.atomic_write import write_json
from napari_channelmix.errors import ChannelMixError
from napari_channelmix.stored_files import Stored, read_json

if TYPE_CHECKING:
    from napari_channelmix.jobs import Progress

__all__ = [
    "Estimate",
    "Stopwatch",
    "Workload",
    "duration_text",
    "estimate",
    "past_run",
    "record",
]

# Seconds a unit on a fast processor, by kind of job: a tenth or less of what one busy core at
# 2.5 GHz took for the quickest settings (the network 'tiny', PCIM, cells without classes).
FAST = {"training": 5e-7, "importance": 5e-7, "explain": 2e-5, "latents": 3e-3}
# Steps of a profile: shares of the time at 0, 5, ... 100 % of progress.
STEPS = 20
# Runs that are remembered; bytes of their file.
MOST_RUNS, MOST_BYTES = 100, 200_000
# Seconds after which a guess is shown, and the least share of the work.
SOON, LITTLE = 3.0, 0.01
# A run whose first step is beyond this share goes on from an earlier one.
MIDST = 0.3

Positive = Annotated[float, Field(ge=0, allow_inf_nan=False)]


@dataclass(frozen=True)
class Workload:
    """How much there is to do.

    Attributes
    ----------
    kind : str
        ``training``, ``importance``, ``explain`` or ``latents``.
    like : str
        What else decides how long a unit takes, such as network and device: figures of a run hold
        for runs that are alike.
    units : float
        Grows evenly with time; above 0.
    gpu : bool
        Whether it may run on a graphics card, so that a processor's pace is no bound.
    """

    kind: str
    like: str
    units: float
    gpu: bool = False

    @property
    def key(self) -> str:
        """Name of the runs that are alike."""
        return f"{self.kind}: {self.like}"


class PastRun(Stored):
    """How long a run took.

    Attributes
    ----------
    start : float
        Seconds until its first step.
    units, seconds : float
        How much there was to do, and how long that took after the first step.
    profile : list of float
        Share of the seconds after the first step that had passed at 0, 5, ... 100 % of progress.
    """

    start: Positive
    units: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    seconds: Positive
    profile: list[Annotated[float, Field(ge=0, le=1)]] = Field(default_factory=list)

    @field_validator("profile")
    @classmethod
    def _whole(cls, profile: list[float]) -> list[float]:
        if len(profile) not in (0, STEPS + 1):
            raise ValueError(f"must have {STEPS + 1} shares, or none")
        return profile


class _Runs(Stored):
    #: The last of each kind and, where there is one, the last of another size before it.
    runs: dict[str, Annotated[list[PastRun], Field(min_length=1, max_length=2)]] = Field(
        default_factory=dict
    )


@dataclass(frozen=True)
class Estimate:
    """Seconds that a run takes; a lower bound where no run like it was timed."""

    seconds: float
    known: bool

    @property
    def text(self) -> str:
        """``about 2 min`` or ``at least 2 min``."""
        return f"{'about' if self.known else 'at least'} {duration_text(self.seconds)}"


def duration_text(seconds: float) -> str:
    """A duration in words, rounded up: to 5 seconds, to minutes, to half hours.

    Examples
    --------
    >>> [duration_text(s) for s in (2, 41, 61, 3000, 5000)]
    ['5 s', '45 s', '2 min', '50 min', '1.5 h']
    """
    if seconds <= 55:
        return f"{max(5, 5 * math.ceil(seconds / 5))} s"
    if seconds <= 3600:
        return f"{math.ceil(seconds / 60)} min"
    return f"{math.ceil(seconds / 1800) / 2:g} h"


def estimate(work: Workload) -> Estimate | None:
    """How long a run takes from now on; None where nothing is known of runs like it."""
    past = _read().get(work.key)
    if past is None:
        if work.gpu or work.kind not in FAST:
            return None
        return Estimate(FAST[work.kind] * work.units, known=False)
    start = 0.0 if "torch" in sys.modules else past[0].start
    seconds = start + _seconds(past, work.units)
    # A file that was written by hand may hold figures that are no durations.
    return Estimate(seconds, known=True) if math.isfinite(seconds) else None


def _seconds(past: list[PastRun], units: float) -> float:
    """Seconds after the first step; see the definitions above."""
    last = past[0]
    if len(past) > 1 and _other_size(past[1].units, last.units):
        pace = (last.seconds - past[1].seconds) / (last.units - past[1].units)
        fixed = last.seconds - pace * last.units
        if pace > 0 and fixed >= 0:
            return fixed + pace * units
    return last.seconds / last.units * units


def past_run(work: Workload | None) -> PastRun | None:
    """The last run of this kind on this computer, where there was one of about this size."""
    past = [] if work is None else _read().get(work.key, [])
    same = [run for run in past if work is not None and not _other_size(run.units, work.units)]
    return same[0] if same else None


def record(work: Workload, watch: Stopwatch) -> None:
    """Remember how long a run took that is through; one that went on from another is no measure.

    Nothing is raised where the user's cache cannot be written: estimates are a convenience.
    """
    run = watch.as_past_run(work.units)
    if run is None:
        return
    runs = _read()
    before = runs.pop(work.key, [])
    if before and watch.warm:
        # PyTorch was loaded already: the next one may have to load it.
        run = run.model_copy(update={"start": max(run.start, before[0].start)})
    runs[work.key] = [run, *[other for other in before if _other_size(other.units, run.units)][:1]]
    latest = dict(list(runs.items())[-MOST_RUNS:])
    path = _path()
    with suppress(OSError, ChannelMixError):
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, _Runs(runs=latest).model_dump())


def _other_size(units: float, others: float) -> bool:
    return not 2 / 3 < units / others < 1.5


def _path() -> Path:
    from platformdirs import user_cache_path

    return user_cache_path("napari-channelmix", appauthor=False) / "durations.json"


# What was read last: path and when it was written. Estimates are asked for at every change.
_last: tuple[Path, int, dict[str, list[PastRun]]] | None = None


def _read() -> dict[str, list[PastRun]]:
    global _last
    path = _path()
    try:
        written = path.stat().st_mtime_ns
    except OSError:
        return {}
    if _last is None or _last[:2] != (path, written):
        runs: dict[str, list[PastRun]] = {}
        # A file of another version, or half a file, is no more than one that is missing.
        with suppress(ChannelMixError, OSError):
            runs = read_json(path, _Runs, most=MOST_BYTES).runs
        _last = path, written, runs
    return dict(_last[2])


class Stopwatch:
    """Time left of a job that is under way; see the definitions above.

    Parameters
    ----------
    past : PastRun, optional
        The last run of the kind.
    expected : Estimate, optional
        What was said before the start; shown until the job itself can tell.
    """

    def __init__(self, past: PastRun | None = None, expected: Estimate | None = None) -> None:
        self._start = time.monotonic()
        self._past, self._expected = past, expected
        #: Whether PyTorch was loaded when it started.
        self.warm = "torch" in sys.modules
        # When the first step was done; then (seconds since, fraction) of all steps.
        self._first: float | None = None
        self._steps: list[tuple[float, float]] = []
        # When the fraction grew last, and when anything was noted last.
        self._moved = self._noted = self._start
        self._fraction = 0.0
        # The stage without its numbers: time and fraction at which it began.
        self._stage, self._stage_start, self._stage_fraction = "", self._start, 0.0
        # Stages that came to their end: what is slow in them is in the pace already.
        self._stages: set[str] = set()
        self._reused = False

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._start

    def left(self, progress: Progress) -> float | None:
        """Note a step; seconds left, or None while nothing can be said."""
        self.note(progress)
        return self.left_now()

    def note(self, progress: Progress) -> None:
        """Note a step."""
        now, fraction = time.monotonic(), progress.fraction
        stage = re.sub(r"\d+", "", progress.stage)
        if stage != self._stage:
            self._stages.add(self._stage)
            self._stage, self._stage_fraction = stage, self._fraction
            self._stage_start = self._noted
        self._noted = now
        # What was found earlier took no time.
        self._reused |= "kept" in progress.metrics or stage.startswith("picking up")
        if fraction <= self._fraction:
            return
        if self._first is None:
            self._first = self._moved = now
            self._stage_start, self._stage_fraction = now, fraction
        self._fraction, self._moved = fraction, now
        self._steps.append((now - self._first, fraction))

    def left_now(self) -> float | None:
        """Seconds left at this moment, or None while nothing can be said."""
        now = time.monotonic()
        idle = now - self._moved
        worked = 0.0 if self._first is None else now - self._first
        if worked < SOON or self._fraction < LITTLE:
            if self._expected is None or not self._expected.known:
                return None
            return max(self._expected.seconds - (now - self._start), idle, 1.0)
        observed = self._observed(now, worked)
        if self._expected is not None and self._expected.known:
            # What was expected counts for less and less, and for nothing once it is over.
            still = self._expected.seconds - (now - self._start)
            if still > 0:
                observed = (1 - self._fraction) * still + self._fraction * observed
        return max(observed, idle)

    def _observed(self, now: float, worked: float) -> float:
        """Seconds left by what was seen of this run."""
        if self._past is not None and self._past.profile:
            done = float(np.interp(self._fraction, _ticks(), self._past.profile))
            if done > LITTLE:
                return worked * (1 - done) / done
        left, pace, slower = 1 - self._fraction, self._pace(worked), 0.0
        in_stage = self._fraction - self._stage_fraction
        if in_stage > 0 and self._stage not in self._stages:
            slower = (now - self._stage_start) / in_stage
        return left * (left * pace + self._fraction * max(pace, slower))

    def _pace(self, worked: float) -> float:
        """Seconds for all of the work, at the pace of the last half of the time worked."""
        times, fractions = zip(*self._steps, strict=True)
        done = self._fraction - float(np.interp(worked / 2, times, fractions))
        return worked / 2 / done if done > 0 else worked / self._fraction

    def as_past_run(self, units: float) -> PastRun | None:
        """How long it took, now that it is through; None where that is no measure."""
        if self._reused or self._first is None or len(self._steps) < 2 or units <= 0:
            return None
        if self._steps[0][1] > MIDST:
            return None
        seconds = time.monotonic() - self._first
        times, fractions = zip(*self._steps, strict=True)
        # The last step may have been short of 1.
        shares = np.interp(_ticks(), (*fractions, 1.0), (*times, seconds)) / max(seconds, 1e-9)
        profile = [round(float(share), 4) for share in np.clip(shares, 0, 1)]
        start = round(self._first - self._start, 3)
        return PastRun(start=start, units=units, seconds=round(seconds, 3), profile=profile)


def _ticks() -> np.ndarray:
    return np.linspace(0.0, 1.0, STEPS + 1)
