"""Workers of this machine: the same results, also where one is killed; none is left behind."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from napari_channelmix.cluster import ChunkReport, chunks_job, distributed_chunks
from napari_channelmix.cluster.worker_task import import_there
from napari_channelmix.errors import ClusterError
from napari_channelmix.jobs import Progress, drain
from napari_channelmix.settings import ClusterSettings

pytestmark = [
    pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is missing"),
    # Sockets and loops of dask that its own threads close a moment later.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TWO = ClusterSettings(workers=2)


@pytest.fixture(autouse=True)
def no_worker_is_left() -> Iterator[None]:
    yield
    deadline = time.monotonic() + 2
    while _workers() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _workers()


def _workers() -> list[int]:
    """Processes that this one started as workers."""
    if not sys.platform.startswith("linux"):
        return []
    own = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (path / "stat").read_text(), (path / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == os.getpid() and b"local_worker" in command:
            own.append(int(path.name))
    return own


def test_a_worker_that_is_killed_is_replaced_and_its_chunk_done_again(tasks: ModuleType) -> None:
    kept: dict[int, Any] = {}
    killed: list[int] = []

    def kill(step: Progress) -> None:
        if len(kept) >= 3 and not killed:
            killed.append(_workers()[0])
            os.kill(killed[0], signal.SIGKILL)

    shared = {"seconds": 0.3, "bad": [4]}
    job = chunks_job(tasks.doubled, shared, range(12), keep=kept.__setitem__, settings=TWO)
    report = drain(job, kill)

    assert {index: twice for index, (twice, _) in kept.items()} == {
        index: 2 * index for index in range(12) if index != 4
    }
    assert report.failed == ((4, "image 4: corrupt chunk"),)
    assert len(report.again) >= 1
    assert len({process for _, process in kept.values()}) >= 2


def test_cancelling_takes_no_second(tasks: ModuleType, tmp_path: Path) -> None:
    shared = {"seconds": 3.0, "traces": str(tmp_path)}
    job = chunks_job(tasks.doubled, shared, range(4), keep=print, settings=TWO)
    longest, last = 0.0, time.monotonic()
    for step in job:
        now = time.monotonic()
        longest, last = max(longest, now - last), now
        if step.done > 0:
            break
    start = time.monotonic()
    job.close()

    assert time.monotonic() - start < 1
    assert longest < 1
    assert not _workers()
    assert not list(tmp_path.iterdir())


def test_a_chunk_that_kills_every_worker_is_listed(tasks: ModuleType) -> None:
    kept: dict[int, Any] = {}
    job = chunks_job(
        tasks.doubled,
        {"deadly": 1},
        range(3),
        keep=kept.__setitem__,
        settings=ClusterSettings(workers=1),
    )
    report = drain(job)

    assert sorted(kept) == [0, 2]
    assert [index for index, _ in report.failed] == [1]
    assert "every worker that computed it died" in report.failed[0][1]


def test_without_dask_it_is_said_how_to_install_it(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_channelmix.cluster.connection.find_spec", lambda name: None)
    job = chunks_job(tasks.doubled, {}, [1], keep=print, settings=TWO)
    with pytest.raises(ClusterError, match=r"pip install 'napari-channelmix\[cluster\]'"):
        drain(job)


def test_a_worker_that_cannot_start_says_why(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_channelmix.cluster.connection.MODULE", "no_such_module")
    job = chunks_job(tasks.doubled, {}, [1], keep=print, settings=TWO)
    with pytest.raises(ClusterError, match=r"a worker could not be started \(.*no_such_module"):
        drain(job)


def test_workers_of_another_version_are_refused(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = f"{sys.version_info[0]}.{sys.version_info[1]}"
    monkeypatch.setattr("napari_channelmix.cluster.connection.own_facts", lambda: ("9.9.9", python))
    job = chunks_job(tasks.doubled, {}, [1], keep=print, settings=ClusterSettings(workers=1))
    with pytest.raises(ClusterError, match=r"has napari-channelmix \d.*, this process 9\.9\.9"):
        drain(job)


def test_workers_import_what_is_shared_before_it_is_sent_to_them_one_after_the_other(
    tasks: ModuleType,
) -> None:
    class Holder:
        def __init__(self, report: ChunkReport) -> None:
            self.report = report

    names = distributed_chunks._modules(tasks.doubled, Holder(ChunkReport(total=0, done=0)))
    # What the user wrote is imported by what needs it alone.
    assert names == ["napari_channelmix.cluster.report"]
    import_there([*names, "no_such_module"])
