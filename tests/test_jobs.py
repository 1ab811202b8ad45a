"""Jobs: draining, nesting, closing, and time left."""

from __future__ import annotations

from dataclasses import replace

import pytest

from napari_channelmix.jobs import Job, Progress, drain, mapped, mapped_results, part


def counting(steps: int, closed: list[str] | None = None) -> Job[str]:
    try:
        for done in range(1, steps + 1):
            yield Progress(done, steps, f"step {done}", {"done": float(done)}, partial=done)
        return "result"
    finally:
        if closed is not None:
            closed.append("closed")


def outer(steps: int, closed: list[str]) -> Job[str]:
    first = yield from part(counting(steps), 0, 30, 100, "first: ")
    second = yield from part(counting(steps, closed), 30, 70, 100)
    return f"{first} {second}"


def test_drain_gives_the_result_and_shows_every_step() -> None:
    seen: list[Progress] = []
    assert drain(counting(3), seen.append) == "result"
    assert [step.done for step in seen] == [1, 2, 3]


def test_an_exception_while_showing_progress_closes_the_job() -> None:
    closed: list[str] = []

    def interrupt(step: Progress) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        drain(counting(3, closed), interrupt)
    assert closed == ["closed"]


def test_parts_share_one_scale_and_keep_metrics_and_partial_results() -> None:
    steps: list[Progress] = []
    assert drain(outer(4, []), steps.append) == "result result"
    done = [step.done for step in steps]
    assert done == sorted(done)
    assert done[3] == 30
    assert done[-1] == 100
    assert {step.total for step in steps} == {100}
    assert steps[0].stage == "first: step 1"
    assert steps[1].metrics == {"done": 2.0}
    assert steps[1].partial == 2


def test_a_mapped_job_passes_on_changed_steps_and_a_changed_result() -> None:
    steps: list[Progress] = []
    job = mapped(counting(2), lambda step: replace(step, stage="same", partial=None), len)
    assert drain(job, steps.append) == len("result")
    assert [(step.done, step.stage, step.partial) for step in steps] == [
        (1, "same", None),
        (2, "same", None),
    ]
    assert drain(mapped(counting(2), lambda step: step)) == "result"


def test_partial_results_are_changed_as_the_result_is() -> None:
    def growing() -> Job[str]:
        yield Progress(0, 2, "nothing yet")
        yield Progress(1, 2, "half", partial="ha")
        return "half"

    steps: list[Progress] = []
    assert drain(mapped_results(growing(), str.upper), steps.append) == "HALF"
    assert [step.partial for step in steps] == [None, "HA"]


def test_closing_a_mapped_job_closes_the_one_inside() -> None:
    closed: list[str] = []
    job = mapped(counting(3, closed), lambda step: step)
    next(job)
    job.close()
    assert closed == ["closed"]


def test_closing_the_outer_job_closes_the_one_inside() -> None:
    closed: list[str] = []
    job = outer(2, closed)
    for _ in range(3):
        next(job)
    job.close()
    assert closed == ["closed"]


@pytest.mark.parametrize(("done", "fraction"), [(-1, 0.0), (0, 0.0), (1, 0.25), (9, 1.0)])
def test_fraction_stays_between_0_and_1(done: float, fraction: float) -> None:
    assert Progress(done, 4, "").fraction == fraction
