"""Chunks in this process: all are computed, a bad one is tried again and then listed."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from napari_channelmix.cluster import ChunkReport, chunks_job
from napari_channelmix.errors import DataError, ModelError, SaveError
from napari_channelmix.jobs import Progress, drain
from napari_channelmix.settings import ClusterSettings


def test_every_chunk_is_kept_under_its_index(tasks: ModuleType) -> None:
    kept: dict[int, Any] = {}
    report = drain(chunks_job(tasks.doubled, {}, [3, 5, 7], keep=kept.__setitem__))

    assert report == ChunkReport(total=3, done=3)
    assert {index: twice for index, (twice, _) in kept.items()} == {0: 6, 1: 10, 2: 14}


def test_no_chunks_are_no_work(tasks: ModuleType) -> None:
    assert drain(chunks_job(tasks.doubled, {}, [], keep=print)) == ChunkReport(0, 0)


def test_a_chunk_that_fails_once_is_tried_again(tasks: ModuleType, tmp_path: Path) -> None:
    kept: dict[int, Any] = {}
    report = drain(chunks_job(tasks.failing_once, tmp_path, [1, 2], keep=kept.__setitem__))

    assert (report.done, report.failed, kept) == (2, (), {0: 1, 1: 2})
    # No worker died: nothing counts as done again.
    assert report.again == ()


def test_a_chunk_that_always_fails_is_listed_and_the_rest_is_done(tasks: ModuleType) -> None:
    kept: dict[int, Any] = {}
    job = chunks_job(tasks.doubled, {"bad": [5]}, [3, 5, 7], keep=kept.__setitem__)
    report = drain(job)

    assert (report.done, sorted(kept)) == (2, [0, 2])
    assert report.failed == ((1, "image 5: corrupt chunk"),)
    with pytest.raises(DataError, match=r"1 of 3 chunks could not be computed \(cells of 1: image"):
        report.refuse_missing("cells of {}".format)


def test_where_nothing_can_be_computed_the_first_error_is_raised(tasks: ModuleType) -> None:
    report = drain(chunks_job(tasks.doubled, {"bad": [3]}, [3], keep=print))
    with pytest.raises(DataError, match=r"^image 3: corrupt chunk$"):
        report.refuse_missing()

    # Not after a thousand chunks: eight that fail alike are enough.
    tried = []
    job = chunks_job(tasks.doubled, {"bad": range(1000)}, range(1000), keep=print)
    with pytest.raises(DataError, match=r"^image 0: corrupt chunk$"):
        drain(job, lambda step: tried.append(step.stage))
    assert len(tried) < 6000


def test_a_model_that_does_not_fit_stops_the_job_at_once(tasks: ModuleType) -> None:
    job = chunks_job(tasks.unfit, None, range(9), keep=print)
    with pytest.raises(ModelError, match="NaN at chunk 0"):
        drain(job)


def test_retries_are_counted(tasks: ModuleType, tmp_path: Path) -> None:
    job = chunks_job(
        tasks.failing_once, tmp_path, [1], keep=print, settings=ClusterSettings(retries=0)
    )
    assert drain(job).failed == ((0, "OSError: [Errno 5] Input/output error"),)


def test_what_cannot_be_kept_stops_the_job(tasks: ModuleType) -> None:
    kept: list[int] = []

    def keep(index: int, _: Any) -> None:
        if index == 2:
            raise SaveError("could not save parts/2: No space left on device")
        kept.append(index)

    with pytest.raises(SaveError, match="No space left"):
        drain(chunks_job(tasks.doubled, {}, range(9), keep=keep))
    assert kept == [0, 1]


def test_progress_counts_cells_of_chunks_and_within_them(tasks: ModuleType) -> None:
    steps: list[Progress] = []
    job = chunks_job(
        tasks.doubled, {}, [1, 2], keep=lambda *_: None, stage="reading", sizes=[100, 20]
    )
    drain(job, steps.append)

    assert [step.done for step in steps] == pytest.approx(
        [20, 40, 60, 80, 100, 100, 104, 108, 112, 116, 120, 120]
    )
    assert {step.total for step in steps} == {120}
    assert steps[-1].stage == "reading, 120 of 120"


def test_workers_and_a_scheduler_are_not_given_together(tasks: ModuleType) -> None:
    settings = ClusterSettings(workers=2, scheduler="tcp://host:8786")
    with pytest.raises(ModelError, match="give one of them"):
        drain(chunks_job(tasks.doubled, {}, [1], keep=print, settings=settings))


def test_chunks_that_fail_side_by_side_do_not_stop_those_of_sound_images(
    tasks: ModuleType,
) -> None:
    # As where the first image of many is damaged: neighbouring chunks lie in it.
    kept: dict[int, Any] = {}
    job = chunks_job(tasks.doubled, {"bad": range(20)}, range(30), keep=kept.__setitem__)
    report = drain(job)

    assert sorted(kept) == list(range(20, 30))
    assert [index for index, _ in report.failed] == list(range(20))


def test_a_chunk_that_cannot_be_made_is_listed(tasks: ModuleType) -> None:
    class Made(list[int]):
        def __getitem__(self, index: Any) -> Any:
            if index == 1:
                raise DataError("maps.zarr: damaged")
            return super().__getitem__(index)

    kept: dict[int, Any] = {}
    report = drain(chunks_job(tasks.doubled, {}, Made([3, 5, 7]), keep=kept.__setitem__))

    assert sorted(kept) == [0, 2]
    assert report.failed == ((1, "maps.zarr: damaged"),)
