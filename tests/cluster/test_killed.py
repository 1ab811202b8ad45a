"""kill -9 of the command and of the scheduler: the same command makes the result complete.

They take a minute, so they run with SLOW=1 alone.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from napari_channelmix.data import Cells, save_dataset

pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not os.environ.get("SLOW"), reason="takes a minute: SLOW=1 runs it"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks into /proc"),
]

MODEL = """
import time

import numpy as np

def classes(crops):
    time.sleep(0.5)
    bright = crops.mean(axis=(1, 2, 3))
    share = 1 / (1 + np.exp((bright - bright.min()) / 50))
    return np.stack([share, 1 - share], axis=1)
"""
# In the environment of every process of a test, to find it by.
MARK = "CHANNELMIX_TEST_RUN"

Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Python with arguments; all that was started is ended with the test."""
    started: list[subprocess.Popen[bytes]] = []
    environment = {**os.environ, MARK: str(tmp_path), "OMP_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(entry for entry in sys.path if entry)

    def run(*args: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", *args],
            env=environment,
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE if args[0] != "dask" else subprocess.DEVNULL,
        )
        started.append(process)
        return process

    yield run
    for number in processes(tmp_path):
        os.kill(number, signal.SIGKILL)
    for process in started:
        process.communicate()


def processes(folder: Path) -> list[int]:
    """Processes of a test that live, but for this one."""
    mark, found = f"{MARK}={folder}".encode(), []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (path / "environ").read_bytes().split(b"\0"):
                found.append(int(path.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]


@pytest.fixture
def plate(tmp_path: Path) -> list[str]:
    """A plate of 12 chunks, and a model that takes its time: arguments of the command."""
    rng = np.random.default_rng(0)
    plane = rng.normal(100, 20, (256, 256)).astype(np.float32)
    points = rng.integers(16, 240, (12 * 256, 2))
    save_dataset(Cells.from_points([plane], ["DNA"], points, crop=16), tmp_path / "plate")
    (tmp_path / "model.py").write_text(MODEL)
    return [
        "napari_channelmix.run.cli",
        "predict",
        "plate/dataset.toml",
        "--model",
        "model.py:classes",
        "--allow-code",
        *("--output", "probabilities", "--channel-names", "DNA"),
        *("--class-names", "treated", "untreated"),
        "--out",
        "out",
    ]


def wait_for(what: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def wait_for_a_part(process: subprocess.Popen[bytes], tmp_path: Path) -> None:
    wait_for(lambda: parts(tmp_path) >= 1 or process.poll() is not None)
    assert process.poll() is None, process.stderr and process.stderr.read().decode()


def parts(tmp_path: Path) -> int:
    return len(list((tmp_path / "out" / "parts").glob("*.npz")))


def expected(start: Start, plate: list[str], tmp_path: Path) -> bytes:
    """The table of a run that nobody disturbed."""
    process = start(*plate[:-1], "whole")
    assert process.wait(300) == 0
    return (tmp_path / "whole" / "cells.csv").read_bytes()


def test_the_command_is_killed(start: Start, plate: list[str], tmp_path: Path) -> None:
    workers = ("--workers", "2")
    process = start(*plate, *workers)
    wait_for_a_part(process, tmp_path)
    process.kill()
    process.wait()

    # Nothing is left of it: no worker, and no half result.
    wait_for(lambda: not processes(tmp_path), 10)
    assert not (tmp_path / "out" / "cells.csv").exists()
    left = parts(tmp_path)
    assert left >= 1

    assert start(*plate, *workers).wait(300) == 0
    assert (tmp_path / "out" / "cells.csv").read_bytes() == expected(start, plate, tmp_path)
    assert not (tmp_path / "out" / "parts").exists()
    wait_for(lambda: not processes(tmp_path), 10)


def test_the_scheduler_is_killed(start: Start, plate: list[str], tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    address = f"tcp://127.0.0.1:{port}"

    def cluster() -> subprocess.Popen[bytes]:
        scheduler = start(
            *("dask", "scheduler", "--host", "127.0.0.1", "--port", port, "--no-dashboard")
        )
        start("dask", "worker", address, "--nthreads", "1", "--no-dashboard")
        return scheduler

    scheduler = cluster()
    process = start(*plate, "--scheduler", address)
    wait_for_a_part(process, tmp_path)
    scheduler.kill()
    _, error = process.communicate(timeout=120)

    assert process.returncode == 2
    assert "the connection to tcp://127.0.0.1" in error.decode().splitlines()[-1]
    assert parts(tmp_path) >= 1

    for number in processes(tmp_path):
        os.kill(number, signal.SIGKILL)
    cluster()
    again = start(*plate, "--scheduler", address)
    assert again.wait(300) == 0
    assert (tmp_path / "out" / "cells.csv").read_bytes() == expected(start, plate, tmp_path)
