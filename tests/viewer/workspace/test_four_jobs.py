"""From files to cells: clicks and decisions of the four jobs do not grow, the answer is right."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).resolve().parents[3] / "benchmarks"
# Actions and decisions that were reached.
REACHED = {
    "A": (11, 1),
    "A-named": (10, 0),
    "B": (7, 0),
    "B-numbered": (9, 1),
    "B-map": (10, 0),
    "C": (17, 0),
    "D": (10, 1),
}

# One way of each job; SLOW=1 goes all of them.
USUAL = ("A-named", "B", "C", "D")


@pytest.fixture
def jobs(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The benchmark as a module; it belongs to no package."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("four_jobs")


def test_every_job_is_compared_with_the_way_before(jobs: Any) -> None:
    kept = jobs.before()["jobs"]
    assert {way.before for way in jobs.WAYS.values()} == set(kept)
    # Counted by hand in the list of steps.
    assert {name: jobs.counts(job["steps"]) for name, job in kept.items()} == {
        "A": (20, 5),
        "A-named": (34, 5),
        "B": (32, 6),
        "C": (49, 3),
        "D": (32, 4),
    }
    # That of real images is no test.
    assert set(REACHED) == {*jobs.WAYS} - {"D-blood"}


@pytest.mark.slow
@pytest.mark.parametrize("name", REACHED if os.environ.get("SLOW") else USUAL)
@pytest.mark.usefixtures("registered", "quick_learners")
def test_a_job_takes_no_more_clicks_and_decisions(
    jobs: Any, viewer: Any, tmp_path: Path, name: str
) -> None:
    # Names a folder to look at what the test saw.
    pictures = os.environ.get("CHANNELMIX_PICTURES")
    hand = jobs.CountingHand(viewer, Path(pictures) if pictures else None, name)
    viewer.window.resize(*jobs.SIZE)
    hand.pause(0.3)
    folder = tmp_path / "files"
    folder.mkdir()
    # The way claims that all cells, channels and classes are there; a claim that fails is an error.
    jobs.WAYS[name].go(hand, folder)
    clicks, decisions = jobs.counts(hand.steps)
    assert (clicks <= REACHED[name][0], decisions <= REACHED[name][1]) == (True, True), "\n".join(
        jobs.listed(hand.steps)
    )
