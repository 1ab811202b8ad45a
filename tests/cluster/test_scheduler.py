"""A scheduler that is not there, or has no workers; versions that do not fit."""

from __future__ import annotations

import socket
import time
from types import ModuleType

import pytest

from napari_channelmix.cluster import chunks_job
from napari_channelmix.cluster.worker_task import refuse_other
from napari_channelmix.errors import ClusterError
from napari_channelmix.jobs import drain
from napari_channelmix.settings import ClusterSettings

pytest.importorskip("distributed")
pytestmark = [
    # Sockets and loops of dask that its own threads close a moment later.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
PLACE = "napari_channelmix.cluster.connection"


def test_a_scheduler_that_does_not_answer_is_one_line(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{PLACE}.CONNECT", 0.5)
    settings = ClusterSettings(scheduler="tcp://127.0.0.1:1")
    start = time.monotonic()
    with pytest.raises(
        ClusterError, match=r"no scheduler answers at tcp://127.0.0.1:1 \(.*dask scheduler$"
    ) as raised:
        drain(chunks_job(tasks.doubled, {}, [1], keep=print, settings=settings))
    assert "\n" not in str(raised.value)
    assert time.monotonic() - start < 10


def test_a_port_that_says_nothing_is_one_line(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Open, but silent: the end of a tunnel, or a service that waits for a question.
    monkeypatch.setattr(f"{PLACE}.CONNECT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        settings = ClusterSettings(scheduler=address)
        with pytest.raises(ClusterError, match=r"no scheduler answers at .* \(no answer within"):
            drain(chunks_job(tasks.doubled, {}, [1], keep=print, settings=settings))

        # Nor does a stop wait for it.
        monkeypatch.setattr(f"{PLACE}.CONNECT", 60.0)
        job = chunks_job(tasks.doubled, {}, [1], keep=print, settings=settings)
        next(job)
        start = time.monotonic()
        job.close()
        assert time.monotonic() - start < 10


def test_an_address_that_is_none_is_one_line(tasks: ModuleType) -> None:
    settings = ClusterSettings(scheduler="carrier pigeon://host")
    with pytest.raises(ClusterError, match="no scheduler answers at carrier pigeon://host"):
        drain(chunks_job(tasks.doubled, {}, [1], keep=print, settings=settings))


def test_a_scheduler_without_workers_is_one_line(
    tasks: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from distributed import LocalCluster

    monkeypatch.setattr(f"{PLACE}.WORKERS", 0.3)
    with LocalCluster(
        n_workers=0, processes=False, protocol="tcp://", dashboard_address="127.0.0.1:0"
    ) as cluster:
        settings = ClusterSettings(scheduler=cluster.scheduler_address)
        with pytest.raises(ClusterError, match=r"has no workers after 0 s; start some with: dask"):
            drain(chunks_job(tasks.doubled, {}, [1], keep=print, settings=settings))


def test_versions_are_compared_and_both_named() -> None:
    ours = ("0.1.0", "3.11")
    refuse_other(ours, ours, "a worker")
    with pytest.raises(ClusterError, match=r"runs Python 3\.12, this process 3\.11"):
        refuse_other(("0.1.0", "3.12"), ours, "a worker")
    with pytest.raises(ClusterError, match=r"has no napari-channelmix, this process 0\.1\.0"):
        refuse_other(("", "3.11"), ours, "a worker")
    with pytest.raises(ClusterError, match=r"napari-channelmix 0\.2\.0, this process 0\.1\.0"):
        refuse_other(("0.2.0", "3.11"), ours, "a worker")
