"""Of two jobs on one network, never both are within a step; the short one goes first."""

from __future__ import annotations

import threading
import time

import pytest

from napari_channelmix.jobs import Job, Progress, drain
from napari_channelmix.viewer.tasks.turns import Turns


class Steps:
    """Jobs that note what is within a step, and that fail where another one is."""

    def __init__(self) -> None:
        self.within: list[str] = []
        self.order: list[str] = []

    def job(self, name: str, count: int) -> Job[str]:
        try:
            for step in range(count):
                self.within.append(name)
                assert self.within == [name]
                time.sleep(0.01)
                self.within.remove(name)
                self.order.append(name)
                yield Progress(step, count, name)
            return name
        finally:
            self.order.append(f"{name} ended")


def test_the_long_job_rests_while_the_short_one_is_at_work() -> None:
    steps, turns = Steps(), Turns()
    stages: list[str] = []
    long = threading.Thread(
        target=lambda: drain(turns.long(steps.job("long", 30)), lambda p: stages.append(p.stage))
    )
    long.start()
    while "long" not in steps.order:
        time.sleep(0.001)
    assert drain(turns.short(steps.job("short", 10))) == "short"
    long.join(20)
    first = steps.order.index("short")
    assert steps.order[first : first + 11] == ["short"] * 10 + ["short ended"]
    assert steps.order.count("long") == 30 and steps.order[-1] == "long ended"
    assert "resting while a single cell is explained" in stages


def test_a_long_job_is_closed_only_after_the_short_one() -> None:
    steps, turns = Steps(), Turns()
    job = turns.long(steps.job("long", 30))
    next(job)
    short = turns.short(steps.job("short", 10))
    next(short)
    closing = threading.Thread(target=job.close)
    closing.start()
    drain(short)
    closing.join(20)
    assert steps.order[-2:] == ["short ended", "long ended"]


def test_a_short_job_that_fails_or_is_closed_lets_the_long_one_go_on() -> None:
    turns = Turns()

    def broken() -> Job[None]:
        yield Progress(0, 1, "")
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        drain(turns.short(broken()))
    short = turns.short(broken())
    next(short)
    short.close()
    assert drain(turns.long(Steps().job("long", 2))) == "long"
