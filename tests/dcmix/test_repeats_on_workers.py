"""Repeats computed by workers: the same numbers, kept as they are finished, also after a death."""

from __future__ import annotations

import os
import pickle
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix import channel_importance
from napari_channelmix.classify.model_hash import model_hash
from napari_channelmix.classify.pixels import Pixels
from napari_channelmix.data.samples import graded_channels
from napari_channelmix.dcmix.importance import channel_importance_job
from napari_channelmix.dcmix.repeats_on_workers import RepeatTask, repeat_task_job
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Progress, drain

if TYPE_CHECKING:
    from napari_channelmix import Cells, ChannelImportance

BRIEF: dict[str, Any] = {"network": "tiny", "epochs": 1, "device": "cpu", "seeds": 3}
# Sockets and loops of dask that its own threads close a moment later.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def cells() -> Cells:
    return graded_channels((1.2, 0.0), count=90, side=12).cells


@pytest.fixture(scope="module")
def here(cells: Cells, tmp_path_factory: pytest.TempPathFactory) -> tuple[ChannelImportance, Path]:
    """What this process gives, and the folder of its repeats."""
    parts = tmp_path_factory.mktemp("parts")
    return channel_importance(cells, parts=parts, **BRIEF), parts


def numbers(result: ChannelImportance) -> dict[str, Any]:
    """All that a result says, without the time it was made."""
    content = result.to_dict()
    content["provenance"].pop("made", None)
    return content


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


@pytest.mark.skipif(find_spec("distributed") is None, reason="dask.distributed is missing")
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="finds workers under /proc")
def test_two_workers_give_the_same_to_the_bit_also_where_one_is_killed(
    cells: Cells, here: tuple[ChannelImportance, Path], tmp_path: Path
) -> None:
    killed: list[int] = []
    partial: list[int] = []

    def watch(step: Progress) -> None:
        if step.partial is not None:
            partial.append(len(step.partial.seeds))
        if "workers" in step.metrics and not killed:
            killed.append(workers_of_this_process()[0])
            os.kill(killed[0], signal.SIGKILL)

    job = channel_importance_job(cells, parts=tmp_path, **BRIEF, workers=2)
    result = drain(job, watch)

    assert killed
    # The importance so far is shown as repeats are finished, and holds no gap.
    assert partial == sorted(set(partial))
    assert partial[-1] == 3
    wanted, parts = here
    assert numbers(result) == numbers(wanted)
    assert list(map(model_hash, result.classifiers)) == list(map(model_hash, wanted.classifiers))
    assert {path.name for path in tmp_path.iterdir()} == {path.name for path in parts.iterdir()}


def test_repeats_that_are_kept_need_no_worker(
    cells: Cells,
    here: tuple[ChannelImportance, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wanted, parts = here
    monkeypatch.setattr("napari_channelmix.cluster.chunks.ChunkStates.begin", pytest.fail)
    kept: list[str] = []
    job = channel_importance_job(cells, parts=parts, **BRIEF, workers=2)
    result = drain(job, lambda step: kept.append(step.stage) if "kept" in step.metrics else None)
    assert numbers(result) == numbers(wanted)
    assert kept == [f"repeat {n} of 3: kept from an earlier run" for n in (1, 2, 3)]


def test_a_repeat_that_cannot_be_computed_is_named_and_the_others_are_kept(
    cells: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks: list[RepeatTask] = []

    def second_is_damaged(task: RepeatTask, number: int) -> Any:
        # As it comes to a worker.
        tasks.append(pickle.loads(pickle.dumps(task)))
        if number == 1:
            raise DataError("A02.ome.tif: damaged")
        return (yield from repeat_task_job(tasks[-1], number))

    on_workers = "napari_channelmix.dcmix.repeats_on_workers"
    monkeypatch.setattr(f"{on_workers}.repeat_task_job", second_is_damaged)
    # The engine of one process stands for workers.
    monkeypatch.setattr(f"{on_workers}.settings_of", lambda kind, settings: kind(retries=0))
    with pytest.raises(DataError, match=r"1 of 3 chunks .*repeat 2: A02.ome.tif: damaged"):
        channel_importance(cells, parts=tmp_path, **BRIEF, workers=2)
    assert len(list(tmp_path.glob("*.json"))) == 2
    # Pixels are read by each worker, not sent.
    assert len(pickle.dumps(tasks[0].division)) < 2 * cells.read().nbytes


def test_pixels_in_another_process_are_read_anew_and_the_same(cells: Cells) -> None:
    pixels = Pixels(cells)
    drain(pixels.load())
    again = pickle.loads(pickle.dumps(pixels))
    assert again.digests is None
    drain(again.load())
    rows = np.array([5, 2])
    np.testing.assert_array_equal(again.read(rows), pixels.read(rows))
    assert again.cells.signature == cells.signature


def test_a_temporary_store_is_shared_where_it_is_there(
    cells: Cells, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("napari_channelmix.classify.held_crops.MEMORY_BYTES", 1000)
    monkeypatch.setattr(Pixels, "_lies_at_hand", lambda self: False)
    pixels = Pixels(cells)
    drain(pixels.load())
    content, rows = pickle.dumps(pixels), np.array([5, 2])
    again = pickle.loads(content)
    # Nothing is read or written once more.
    np.testing.assert_array_equal(again.digests, pixels.digests)
    assert list(again.load()) == []
    np.testing.assert_array_equal(again.read(rows), cells.read(rows))
    assert pixels._folder is not None
    pixels._folder.delete()
    elsewhere = pickle.loads(content)
    assert elsewhere.digests is None
    drain(elsewhere.load())
    np.testing.assert_array_equal(elsewhere.read(rows), cells.read(rows))
