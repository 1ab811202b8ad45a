"""How long a job takes, before it starts and while it runs; values are worked out by hand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from napari_channelmix.duration import (
    FAST,
    Estimate,
    PastRun,
    Stopwatch,
    Workload,
    duration_text,
    estimate,
    past_run,
    record,
)
from napari_channelmix.jobs import Progress

WORK = Workload("training", "tiny, cpu", 100.0)


class Clock:
    """Time that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("napari_channelmix.duration.time.monotonic", clock)
    return clock


@pytest.fixture
def cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "cache")
    return tmp_path / "cache" / "durations.json"


def run(clock: Clock, seconds: dict[float, float], stage: str = "training") -> Stopwatch:
    """A job that reaches fractions of its work so many seconds after the start."""
    watch, start = Stopwatch(), clock.now
    for fraction, moment in seconds.items():
        clock.now = start + moment
        watch.note(Progress(fraction, 1, stage))
    return watch


@pytest.mark.parametrize(
    ("runs", "seconds"),
    [
        # Two runs of one size give no line: in proportion to the last.
        ([(100.0, 10.0, []), (100.0, 20.0, [])], 10.0),
        ([(1e-300, 1e300, [])], None),
        # A profile of another length is of another version: the file is passed over.
        ([(100.0, 10.0, [0.0, 0.5])], None),
    ],
)
def test_a_file_of_figures_that_do_not_fit_does_no_harm(
    cache: Path, runs: list[tuple[float, float, list[float]]], seconds: float | None
) -> None:
    rows = [
        {"start": 0, "units": size, "seconds": took, "profile": profile}
        for size, took, profile in runs
    ]
    cache.parent.mkdir()
    cache.write_text(json.dumps({"runs": {WORK.key: rows}}))
    expected = estimate(WORK)
    assert (expected.seconds if expected and expected.known else None) == seconds
    Stopwatch(past_run(WORK), expected).left(Progress(1, 2, "training"))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.1, "5 s"),
        (5.1, "10 s"),
        (55, "55 s"),
        (56, "1 min"),
        (61, "2 min"),
        (3600, "60 min"),
        (3601, "1.5 h"),
        (7300, "2.5 h"),
    ],
)
def test_durations_are_rounded_up(seconds: float, text: str) -> None:
    assert duration_text(seconds) == text


def test_a_run_is_foreseen_from_the_last_of_its_kind(
    clock: Clock, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(__import__("sys").modules, "torch", raising=False)
    assert past_run(WORK) is None
    # Ten seconds until the first step, then 20 seconds for 100 units.
    record(WORK, run(clock, {0: 0, 0.01: 10, 0.5: 25, 1.0: 30}))
    past = past_run(WORK)
    assert past is not None and past.start == 10 and past.seconds == 20
    # At half of the work, 15 of the 20 seconds had passed.
    assert past.profile[10] == pytest.approx(0.75) and past.profile[20] == 1
    assert estimate(Workload("training", "tiny, cpu", 500.0)) == Estimate(110.0, known=True)
    # With PyTorch loaded nothing has to be waited for.
    monkeypatch.setitem(__import__("sys").modules, "torch", object())
    found = estimate(Workload("training", "tiny, cpu", 500.0))
    assert found is not None and found.text == "about 2 min" and found.seconds == 100


def test_two_runs_of_different_size_tell_what_is_fixed(
    clock: Clock, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "torch", object())
    # 10 seconds and 0.1 for each unit: 20 seconds for 100 units, 40 for 300.
    record(WORK, run(clock, {0: 0, 0.01: 0.0, 0.5: 12, 1.0: 20}))
    large = Workload("training", "tiny, cpu", 300.0)
    record(large, run(clock, {0: 0, 0.01: 0.0, 0.5: 22, 1.0: 40}))
    found = estimate(Workload("training", "tiny, cpu", 1000.0))
    assert found is not None and found.seconds == pytest.approx(110)
    # Again of the same size: the line still has two ends.
    record(large, run(clock, {0: 0, 0.01: 0.0, 0.5: 25, 1.0: 50}))
    found = estimate(Workload("training", "tiny, cpu", 100.0))
    assert found is not None and found.seconds == pytest.approx(20)


def test_without_a_run_of_the_kind_there_is_a_lower_bound_or_nothing(cache: Path) -> None:
    found = estimate(Workload("training", "small, cpu", 300 / FAST["training"]))
    assert found is not None and found.text == "at least 5 min"
    assert estimate(Workload("training", "small, cuda", 1e9, gpu=True)) is None
    assert estimate(Workload("unheard of", "", 1.0)) is None


def test_what_was_found_earlier_is_no_measure(clock: Clock, cache: Path) -> None:
    watch = run(clock, {0.1: 1, 0.2: 2})
    watch.note(Progress(0.6, 1, "kept from an earlier run", {"kept": 1.0}))
    record(WORK, watch)
    assert past_run(WORK) is None
    # It begins where an earlier run was stopped.
    record(WORK, run(clock, {0: 0, 0.6: 1, 1.0: 2}))
    assert past_run(WORK) is None


@pytest.mark.parametrize("text", ["", "{", '{"runs": 3}', '{"runs": {"a": {"start": -1}}}'])
def test_a_broken_file_is_as_good_as_none(cache: Path, text: str, clock: Clock) -> None:
    cache.parent.mkdir()
    cache.write_text(text)
    assert past_run(WORK) is None
    record(WORK, run(clock, {0: 0, 0.2: 1, 1.0: 2}))
    assert WORK.key in json.loads(cache.read_text())["runs"]


def test_a_cache_that_cannot_be_written_is_no_error(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *_, **__: tmp_path / "file")
    record(WORK, run(clock, {0: 0, 0.2: 1, 1.0: 2}))
    assert past_run(WORK) is None


def test_an_even_job_is_foreseen_to_the_second(clock: Clock) -> None:
    watch = run(clock, {0: 0, 0.001: 0.1, 0.1: 10.0})
    assert watch.left_now() == pytest.approx(90, rel=0.02)
    watch = run(clock, {0.001 * step: 0.1 * step for step in range(1, 901)})
    assert watch.left_now() == pytest.approx(10, rel=0.02)


def test_loading_does_not_count_as_work(clock: Clock) -> None:
    # 20 seconds of loading; the steps themselves take 10 seconds in all.
    watch = run(clock, {0: 0, 0.01: 20, 0.5: 25})
    assert watch.left_now() == pytest.approx(5, rel=0.05)


def test_a_slow_last_stage_is_not_two_seconds_for_a_minute(clock: Clock) -> None:
    watch = run(clock, {0.01 * step: step for step in range(1, 96)})
    # The last 5 % take 60 seconds; what is left is never far below what is true.
    for second in range(1, 60):
        clock.now += 1
        watch.note(Progress(0.95 + 0.05 * second / 60, 1, "measuring"))
        left = watch.left_now()
        assert left is not None and left >= 0.8 * (60 - second)


def test_a_job_that_stands_still_needs_as_long_again(clock: Clock) -> None:
    watch = run(clock, {0.01 * step: step for step in range(1, 99)})
    clock.now += 40
    # It goes on telling where it is, without getting on.
    assert watch.left(Progress(0.98, 1, "measuring")) == pytest.approx(40)


def test_the_last_run_tells_which_stages_are_slow(clock: Clock) -> None:
    # Half of the work takes three quarters of the time.
    past = PastRun(
        start=0,
        units=1,
        seconds=1,
        profile=[min(1, 0.075 * k) for k in range(10)] + [0.75 + 0.025 * k for k in range(11)],
    )
    watch, clock.now = Stopwatch(past), clock.now
    watch.note(Progress(0.001, 1, "slow"))
    clock.now += 75
    assert watch.left(Progress(0.5, 1, "slow")) == pytest.approx(25)


def test_until_the_job_can_tell_the_estimate_is_shown(clock: Clock) -> None:
    watch = Stopwatch(None, Estimate(100, known=True))
    clock.now += 20
    assert watch.left(Progress(0, 1, "loading")) == 80
    assert Stopwatch(None, Estimate(100, known=False)).left_now() is None


def test_what_was_expected_counts_for_less_and_less(clock: Clock) -> None:
    watch = Stopwatch(None, Estimate(200, known=True))
    watch.note(Progress(0.001, 1, "training"))
    for fraction in (0.25, 0.5):
        clock.now += 25
        watch.note(Progress(fraction, 1, "training"))
    # 150 s by the estimate, 50 s by what was seen, at half of the work.
    assert watch.left_now() == pytest.approx(100, rel=0.01)
    # An estimate that is over says nothing.
    clock.now += 160
    assert watch.left(Progress(0.9, 1, "training")) < 60
