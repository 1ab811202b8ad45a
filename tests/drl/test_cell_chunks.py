"""Cells drawn and encoded by workers: the same latents; what is done is kept, whoever dies."""

from __future__ import annotations

import os
import signal
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from napari_channelmix.drl import cell_chunks, latents_job
from napari_channelmix.drl import latents as run_latents
from napari_channelmix.errors import DataError
from napari_channelmix.jobs import Progress, drain

if TYPE_CHECKING:
    from collections.abc import Iterator

    from napari_channelmix import Cells, Latents
    from napari_channelmix.drl import Disentangler

# Sockets and loops of dask that its own threads close a moment later.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five chunks for 24 cells."""
    monkeypatch.setattr(cell_chunks, "CHUNK", 5)


@pytest.fixture(scope="module", autouse=True)
def few_pairs(textured: Any) -> Iterator[None]:
    """Few sprites to measure names with, whose outlines are drawn once."""
    from importlib import import_module

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(import_module("napari_channelmix.drl.encode"), "DRIFT_PAIRS", 60)
        for user in ("quality", "sprite_learner"):
            patch.setattr(f"napari_channelmix.drl.{user}.Sprites", lambda of: textured)
        yield


def assert_same(one: Latents, other: Latents) -> None:
    """To the bit."""
    np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(one.spread, other.spread)
    np.testing.assert_array_equal(one.prepared.pictures[:], other.prepared.pictures[:])
    assert one.prepared.features.equals(other.prepared.features)
    contents = one.as_dict(), other.as_dict()
    for content in contents:
        content["provenance"].pop("made", None)
    assert contents[0] == contents[1]


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
@pytest.mark.parametrize("finetune", [0, 1] if os.environ.get("SLOW") else [0])
def test_two_workers_give_the_same_to_the_bit_also_where_one_is_killed(
    finetune: int, ellipses: Cells, shipped: Disentangler, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"separate": False, "finetune": finetune, "device": "cpu"}
    here = run_latents(ellipses, shipped, **asked)
    killed: list[int] = []

    def kill(step: Progress) -> None:
        if "workers" in step.metrics and not killed:
            killed.append(workers_of_this_process()[0])
            os.kill(killed[0], signal.SIGKILL)

    job = latents_job(ellipses, shipped, **asked, workers=2, parts=tmp_path)
    there = drain(job, kill)
    assert killed
    assert_same(there, here)
    # What is kept needs no worker, and is the same.
    again = run_latents(ellipses, shipped, **asked, parts=tmp_path)
    assert_same(again, here)


@pytest.mark.parametrize("finetune", [0, 1])
def test_a_run_that_was_stopped_goes_on_from_what_it_kept(
    finetune: int,
    ellipses: Cells,
    shipped: Disentangler,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: dict[str, Any] = {"separate": False, "finetune": finetune, "device": "cpu"}
    here = run_latents(ellipses, shipped, **asked)
    drawn: list[int] = []
    draw = cell_chunks.drawn_cells

    def counting(cells: Cells, how: Any, **more: Any) -> Any:
        if len(drawn) == 3:
            raise KeyboardInterrupt
        drawn.append(len(cells))
        return draw(cells, how, **more)

    with monkeypatch.context() as patched:
        patched.setattr(cell_chunks, "drawn_cells", counting)
        with pytest.raises(KeyboardInterrupt):
            run_latents(ellipses, shipped, **asked, parts=tmp_path)
    assert drawn == [5, 5, 5]
    # One of them was cut off as it was written, and one is of another run.
    files = sorted((tmp_path / "drawn").iterdir())
    assert len(files) == 3
    files[0].write_bytes(files[0].read_bytes()[:-40])
    other = run_latents(
        ellipses.subset(range(1, 24)), shipped, separate=False, parts=tmp_path / "o"
    )
    assert len(other.values) == 23
    (tmp_path / "o" / "drawn" / files[1].name).replace(files[1])
    drawn.clear()

    def all_counted(cells: Cells, how: Any, **more: Any) -> Any:
        drawn.append(len(cells))
        return draw(cells, how, **more)

    monkeypatch.setattr(cell_chunks, "drawn_cells", all_counted)
    assert_same(run_latents(ellipses, shipped, **asked, parts=tmp_path), here)
    assert drawn == [5, 5, 5, 4]


def test_cells_that_cannot_be_read_are_listed_and_the_others_are_kept(
    ellipses: Cells, shipped: Disentangler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = cell_chunks.drawn_cells

    bad = ellipses.boxes[7].tolist()

    def damaged(cells: Cells, how: Any, **more: Any) -> Any:
        if bad in cells.boxes.tolist():
            raise DataError("A03.ome.tif: chunk (0, 1, 2) is damaged")
        return draw(cells, how, **more)

    monkeypatch.setattr(cell_chunks, "drawn_cells", damaged)
    says = r"1 of 5 chunks .*A03.ome.tif: chunk .* damaged"
    with pytest.raises(DataError, match=says):
        run_latents(ellipses, shipped, separate=False, parts=tmp_path)
    assert len(list((tmp_path / "drawn").iterdir())) == 4
    # Where nothing is kept, it is said at once.
    with pytest.raises(DataError, match=r"^A03\.ome\.tif"):
        run_latents(ellipses, shipped, separate=False)


def test_chunks_of_an_image_that_was_changed_meanwhile_are_drawn_anew(
    ellipses: Cells, shipped: Disentangler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = ["first", "first", "second", "second", "second"]

    def files_job(*_: Any) -> Any:
        yield Progress(0, 1, "looking at the images")
        return list(files)

    monkeypatch.setattr(cell_chunks, "files_of_chunks_job", files_job)
    run_latents(ellipses, shipped, separate=False, parts=tmp_path)
    drawn: list[Any] = []
    draw = cell_chunks.drawn_cells

    def counted(cells: Cells, how: Any, **more: Any) -> Any:
        drawn.append(cells.boxes.tolist())
        return draw(cells, how, **more)

    monkeypatch.setattr(cell_chunks, "drawn_cells", counted)
    files[:2] = ["first, changed", "first, changed"]
    run_latents(ellipses, shipped, separate=False, parts=tmp_path)
    order = ellipses.reading_order
    assert drawn == [ellipses.boxes[order[:5]].tolist(), ellipses.boxes[order[5:10]].tolist()]
