"""A data set explained by workers: the same maps; what is killed or damaged is done again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_channelmix import Cells
from napari_channelmix.classify import Classifier
from napari_channelmix.classify.networks import NetworkSpec
from napari_channelmix.data.samples import synthetic_plate
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Progress, drain
from napari_channelmix.pcim.cell_source import Source
from napari_channelmix.run import explain_run
from napari_channelmix.run.explain_dataset import Explained, ExplainSettings, explain_cells_job

CHUNK = 4
on_workers = pytest.mark.skipif(
    find_spec("distributed") is None, reason="dask.distributed is missing"
)
# Sockets and loops of dask that its own threads close a moment later.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(explain_run, "CHUNK", CHUNK)


@pytest.fixture
def classifier() -> Classifier:
    spec = NetworkSpec("tiny", 2, 2)
    network = spec.build(0).eval()
    return Classifier(network, spec, ("DNA", "GFP"), ("a", "b"), np.zeros(2), np.ones(2), 12)


@pytest.fixture
def cells() -> Cells:
    crops = np.random.default_rng(0).normal(size=(18, 2, 12, 12)).astype(np.float32)
    groups = [f"w{i}" for i in range(18)]
    return Cells.from_array(crops, ["DNA", "GFP"], [0, 1] * 9, ["a", "b"], groups)


def explained(
    model: Classifier, cells: Cells, out: Path, watch: Any = None, **asked: Any
) -> Explained:
    settings = ExplainSettings(**{"check": False, **asked})
    return drain(explain_cells_job(model, cells, out, settings, device="cpu"), watch)


def kept(folder: Path) -> dict[str, Any]:
    """All that a folder holds, without what tells one run, or one machine, from another."""
    files: dict[str, Any] = {}
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = str(path.relative_to(folder))
        if path.suffix == ".json" and path.name != "zarr.json":
            content = json.loads(path.read_text())
            files[name] = _without_times(content)
        elif path.name != "zarr.json" and path.suffix != ".png":
            files[name] = path.read_bytes()
    return files


def _without_times(content: Any) -> Any:
    if isinstance(content, dict):
        left = {"run", "seconds", "seconds_per_cell", "made"}
        return {key: _without_times(of) for key, of in content.items() if key not in left}
    return [_without_times(of) for of in content] if isinstance(content, list) else content


def workers_of_this_process() -> list[int]:
    processes = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            stat, command = (path / "stat").read_text(), (path / "cmdline").read_bytes()
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == os.getpid() and b"local_worker" in command:
            processes.append(int(path.name))
    return processes


@on_workers
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers under /proc")
def test_two_workers_give_the_same_to_the_bit_also_where_they_are_killed(
    classifier: Classifier, cells: Cells, tmp_path: Path
) -> None:
    # A chunk takes long enough for the other chunks not to be through when the first is reported.
    asked = {"channels": "separate", "mode": "blackbox", "forwards": 1000}
    # Each start of workers takes seconds, and scores have workers of their own.
    asked["score"] = bool(os.environ.get("SLOW"))
    explained(classifier, cells, tmp_path / "here", **asked)
    killed: list[int] = []

    def kill(step: Progress) -> None:
        if step.stage.startswith("explaining") and step.done > 0 and not killed:
            # Both: the one that has nothing to do at this moment would cost nothing.
            killed.extend(workers_of_this_process())
            for process in killed:
                os.kill(process, signal.SIGKILL)

    result = explained(classifier, cells, tmp_path / "workers", kill, **asked, workers=2)

    assert killed
    assert result.again >= 1
    here, there = kept(tmp_path / "here"), kept(tmp_path / "workers")
    assert list(here) == list(there)
    assert [name for name in here if here[name] != there[name]] == []
    # Where it was computed is no part of what it was made of.
    again = explained(classifier, cells, tmp_path / "workers", **asked)
    assert not again.worked


def test_a_chunk_that_cannot_be_read_is_listed_and_the_only_one_that_is_done_later(
    classifier: Classifier, cells: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[int] = []
    read = Source.read

    def damaged(source: Source, some: Any) -> Source:
        tried.append(int(some[0]) // CHUNK)
        if 9 in some:
            raise DataError("A03.ome.tif: chunk (0, 1, 2) is damaged")
        return read(source, some)

    monkeypatch.setattr(Source, "read", damaged)
    says = r"1 of 5 chunks .*cells 9 to 12: A03.ome.tif: chunk .* damaged.* again computes only"
    with pytest.raises(DataError, match=says):
        explained(classifier, cells, tmp_path)
    # Tried again after the others, and not for ever.
    assert tried == [0, 1, 2, 3, 4, 2, 2]
    assert not (tmp_path / "explain.json").exists()
    tried.clear()

    def counting(source: Source, some: Any) -> Source:
        tried.append(1)
        return read(source, some)

    monkeypatch.setattr(Source, "read", counting)
    assert explained(classifier, cells, tmp_path).content["n"] == 18
    assert tried == [1]


@on_workers
@pytest.mark.skipif(not os.environ.get("SLOW"), reason="starts the command three times: SLOW=1")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_command_that_is_killed_with_its_workers_goes_on(
    classifier: Classifier, tmp_path: Path
) -> None:
    sample = synthetic_plate(wells=4, cells_per_well=40, side=400)
    dataset, names = sample.save(tmp_path / "plate"), sample.cells.channels
    spec = NetworkSpec("tiny", len(names), 2)
    statistics = sample.cells.statistics()
    scale = statistics.mean, statistics.std
    made = Classifier(
        spec.build(0).eval(), spec, names, sample.cells.classes, *scale, sample.cells.crop
    )
    made.save(tmp_path / "m.cmx")

    def command(out: str, *more: str) -> subprocess.Popen[bytes]:
        asked = ["--model", str(tmp_path / "m.cmx"), "--only", "all", "--no-check", "--quiet"]
        where = ["--out", str(tmp_path / out), "--device", "cpu"]
        run = [sys.executable, "-m", "napari_channelmix.run.cli", "explain", str(dataset)]
        env = {**os.environ, "OMP_NUM_THREADS": "1"}
        return subprocess.Popen([*run, *asked, *where, *more], env=env)

    first = command("workers", "--workers", "2")
    until = time.monotonic() + 120
    while not list((tmp_path / "workers" / "parts").glob("*")) and time.monotonic() < until:
        time.sleep(0.05)
    first.kill()
    first.wait()
    assert not (tmp_path / "workers" / "explain.json").exists()
    assert command("workers", "--workers", "2").wait(timeout=300) == 0
    assert command("here").wait(timeout=300) == 0
    here, there = kept(tmp_path / "here"), kept(tmp_path / "workers")
    assert [name for name in here if here[name] != there[name]] == []


def test_workers_of_a_scheduler_that_is_not_there_are_refused_before_anything_is_written(
    classifier: Classifier, cells: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    from napari_channelmix.cluster import connection

    monkeypatch.setattr(connection, "CONNECT", 0.5)
    with pytest.raises(Exception, match=r"no scheduler answers at tcp://127\.0\.0\.1:9 "):
        explained(classifier, cells, tmp_path / "out", scheduler="tcp://127.0.0.1:9")
    assert not list((tmp_path / "out").glob("*.zarr"))
