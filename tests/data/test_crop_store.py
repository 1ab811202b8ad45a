"""Crops written once: the same values, for the same data only, whatever happens meanwhile."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
import zarr

from napari_channelmix.data import Cells, crop_store, open_dataset, pixel_facts
from napari_channelmix.data.crop_shards import ShardFormat
from napari_channelmix.data.stored_crops import shard_path
from napari_channelmix.errors import DataError, InUseError, SaveError
from napari_channelmix.jobs import drain
from napari_channelmix.locks import in_use

CHANNELS = ["DNA", "actin", "ER"]


def plate(folder: Path, fields: int = 3, dtype: str = "uint16", cells: int = 30) -> Path:
    """A data set of points over image files; many of them at the border."""
    rng = np.random.default_rng(0)
    folder.mkdir(parents=True, exist_ok=True)
    lines = ["image,y,x,class"]
    for index in range(fields):
        pixels = rng.integers(0, 200, (len(CHANNELS), 60, 70)).astype(dtype)
        tifffile.imwrite(folder / f"f{index}.tif", pixels, photometric="minisblack")
        for y, x in rng.uniform(0, 59, (cells, 2)):
            lines.append(f"f{index}.tif,{y:.1f},{x:.1f},{'ab'[int(y) % 2]}")
    (folder / "cells.csv").write_text("\n".join(lines) + "\n")
    (folder / "dataset.toml").write_text(
        'name = "plate"\ntable = "cells.csv"\nlabel = "class"\n'
        f'[image]\ncolumn = "image"\naxes = "CYX"\nchannels = {json.dumps(CHANNELS)}\n'
        '[cells]\nfrom = "point"\ncolumns = ["y", "x"]\ncrop = 16\n'
    )
    return folder / "dataset.toml"


@pytest.fixture
def cells(tmp_path: Path) -> Cells:
    return open_dataset(plate(tmp_path / "plate"))


@pytest.fixture(autouse=True)
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several shards, and several crops in a chunk, of a small data set."""
    monkeypatch.setattr("napari_channelmix.data.crop_shards.SHARD_CROPS", 16)
    monkeypatch.setattr("napari_channelmix.data.crop_shards.CHUNK_BYTES", 4 * 3 * 16 * 16 * 2)


def refusing(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on images must not be read."""

    def refused(*_: object) -> None:
        raise AssertionError("an image was read")

    monkeypatch.setattr(Cells, "read_images", refused)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "int32", "float32"])
def test_crops_are_the_same_to_the_bit_in_any_order(tmp_path: Path, dtype: str) -> None:
    cells = open_dataset(plate(tmp_path / "plate", dtype=dtype))
    assert cells.at_border.any() and not cells.at_border.all()
    stored = cells.store(tmp_path / "crops")
    order = np.random.default_rng(1).permutation(len(cells))
    for some in (order, order[:7], [3, 3, 1], slice(None)):
        np.testing.assert_array_equal(stored.read(some), cells.read(some))
    for positions, crops in stored.passes(size=11):
        np.testing.assert_array_equal(crops, cells.read(positions))


def test_small_integers_stay_what_they_are_on_disk(tmp_path: Path, cells: Cells) -> None:
    cells.store(tmp_path / "crops")
    array = zarr.open_array(tmp_path / "crops" / "crops.zarr", mode="r")
    assert (array.dtype, array.shape) == (np.dtype("uint16"), cells.shape)
    inside = ~cells.at_border[cells.reading_order]
    np.testing.assert_array_equal(
        np.asarray(array[:])[inside], cells.read(cells.reading_order)[inside]
    )


def test_images_are_not_read_again(
    tmp_path: Path, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct, stored = cells.read(), cells.store(tmp_path / "crops")
    refusing(monkeypatch)
    np.testing.assert_array_equal(stored.read(), direct)
    chosen = stored.subset([50, 2, 71]).with_channels(["ER", "DNA"])
    np.testing.assert_array_equal(chosen.read(), direct[[50, 2, 71]][:, [2, 0]])
    named = stored.with_labels(np.zeros(len(cells), int), ["one"]).labelled()
    np.testing.assert_array_equal(named.read([5]), direct[[5]])
    inside = stored.without_border()
    np.testing.assert_array_equal(inside.read(), direct[~cells.at_border])


def test_a_store_goes_to_other_processes_without_open_files(tmp_path: Path) -> None:
    plane = np.random.default_rng(0).integers(0, 999, (80, 80)).astype("uint16")
    cells = Cells.from_points([plane], ["DNA"], [(30, 30), (5, 60), (50, 40)], crop=10)
    chosen = cells.store(tmp_path / "crops").subset([2, 0])
    again = pickle.loads(pickle.dumps(chosen))
    assert again.is_stored
    np.testing.assert_array_equal(again.read(), cells.read([2, 0]))


def test_neighbours_that_are_hidden_stay_hidden(tmp_path: Path) -> None:
    labels = np.zeros((40, 40), int)
    labels[2:9, 2:8], labels[2:9, 10:16], labels[20:30, 20:27] = 1, 2, 3
    pixels = np.random.default_rng(0).integers(0, 99, (40, 40)).astype("uint16")
    cells = Cells.from_labels([pixels], ["DNA"], labels, crop=12).without_neighbours()
    stored = cells.store(tmp_path / "crops")
    np.testing.assert_array_equal(stored.read(), cells.read())
    kept = replace(stored, neighbours="keep")
    np.testing.assert_array_equal(kept.read(), replace(cells, neighbours="keep").read())
    assert (kept.read() != stored.read()).any()


def test_resampled_crops_are_stored_as_they_are_read(tmp_path: Path) -> None:
    plane = np.random.default_rng(0).integers(0, 999, (80, 80)).astype("uint16")
    cells = Cells.from_points([plane], ["DNA"], [(30, 30), (5, 60), (50, 40)], crop=10)
    field = replace(cells.fields[0], pixel_size=(0.25, 0.25), unit="µm")
    resampled = replace(cells, fields=(field,)).at_pixel_size(0.4)
    stored = resampled.store(tmp_path / "crops")
    np.testing.assert_array_equal(stored.read(), resampled.read())
    # Boxes of another size are not in the store.
    np.testing.assert_array_equal(replace(stored, table=cells.table).read(), cells.read())


def test_scaled_pixels_are_not_taken_from_the_store_of_the_unscaled(
    tmp_path: Path, cells: Cells
) -> None:
    scaled = cells.store(tmp_path / "crops").normalised_by_group()
    np.testing.assert_array_equal(scaled.read(), cells.normalised_by_group().read())


def test_annotation_leaves_the_store_valid(
    tmp_path: Path, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    cells.store(tmp_path / "crops")
    changed = cells.with_labels(np.arange(len(cells)) % 3, ["x", "y", "z"])
    changed = replace(changed, table=changed.table.assign(group="one", split="test"))
    monkeypatch.setattr(crop_store, "_begin", None)
    np.testing.assert_array_equal(changed.store(tmp_path / "crops").read(), cells.read())


def test_changed_images_are_refused_until_it_is_rebuilt(tmp_path: Path) -> None:
    path = plate(tmp_path / "plate")
    open_dataset(path).store(tmp_path / "crops")
    image = tmp_path / "plate" / "f1.tif"
    tifffile.imwrite(image, tifffile.imread(image)[:, ::-1], photometric="minisblack")
    cells = open_dataset(path)
    with pytest.raises(DataError, match="the images were changed since") as error:
        cells.store(tmp_path / "crops")
    assert "--rebuild-store" in str(error.value)
    rebuilt = cells.store(tmp_path / "crops", rebuild=True)
    np.testing.assert_array_equal(rebuilt.read(), cells.read())


def test_other_data_is_refused(tmp_path: Path, cells: Cells) -> None:
    cells.store(tmp_path / "crops")
    for other, what in (
        (cells.subset(slice(10)), "10 cells|90 cells"),
        (cells.with_channels(["ER"]), "other channels"),
        (cells.subset(np.arange(len(cells))[::-1]), "other cells"),
    ):
        for rebuild in (False, True):
            with pytest.raises(DataError, match=what):
                other.store(tmp_path / "crops", rebuild=rebuild)


def test_a_folder_that_is_no_store_is_refused_and_left_alone(tmp_path: Path, cells: Cells) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    for rebuild in (False, True):
        with pytest.raises(DataError, match="no crop store"):
            cells.store(tmp_path / "notes", rebuild=rebuild)
        with pytest.raises(DataError, match="is a file"):
            cells.store(tmp_path / "notes" / "a.txt", rebuild=rebuild)
    zarr.create_array(tmp_path / "other" / "crops.zarr", shape=(4,), dtype="uint8")
    with pytest.raises(DataError, match="is no crop store"):
        cells.store(tmp_path / "other", rebuild=True)
    assert [entry.name for entry in (tmp_path / "notes").iterdir()] == ["a.txt"]


@pytest.mark.parametrize("harm", ["flip", "cut", "index", "gone"])
def test_a_damaged_shard_is_one_line(tmp_path: Path, cells: Cells, harm: str) -> None:
    stored = cells.store(tmp_path / "crops")
    path = shard_path(tmp_path / "crops", 2)
    content = bytearray(path.read_bytes())
    if harm == "flip":
        content[len(content) // 3] ^= 1
    elif harm == "cut":
        del content[40:]
    elif harm == "index":
        content[-12] ^= 1
    if harm == "gone":
        path.unlink()
    else:
        path.write_bytes(content)
    with pytest.raises(DataError, match=r"damaged .*--rebuild-store") as error:
        stored.read()
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    np.testing.assert_array_equal(
        cells.store(tmp_path / "crops", rebuild=True).read(), cells.read()
    )


def test_an_older_handle_of_a_store_that_was_written_again_is_refused(
    tmp_path: Path, cells: Cells
) -> None:
    old = cells.store(tmp_path / "crops")
    new = cells.store(tmp_path / "crops", rebuild=True)
    np.testing.assert_array_equal(new.read(), cells.read())
    with pytest.raises(DataError, match="written again since"):
        old.read()


def test_cancelled_and_gone_on_with(
    tmp_path: Path, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = cells.store_job(tmp_path / "crops")
    for step in job:
        assert step.total > 0 and "crop store" in step.stage
        if step.fraction > 0.5:
            break
    job.close()
    shards = tmp_path / "crops" / "crops.zarr" / "c"
    done = {path.name: path.stat().st_mtime_ns for path in shards.rglob("0") if path.is_file()}
    assert not list((tmp_path / "crops").rglob("*.part"))
    marked = len(list((tmp_path / "crops" / "parts").iterdir()))
    assert 0 < marked < 6
    written = []
    whole = crop_store.write_shard_job

    def counted(shared: tuple, chunk: tuple) -> object:
        written.append(chunk[0])
        return whole(shared, chunk)

    monkeypatch.setattr(crop_store, "write_shard_job", counted)
    stored = cells.store(tmp_path / "crops")
    assert len(written) == 6 - marked and done
    np.testing.assert_array_equal(stored.read(), cells.read())


def test_a_store_that_was_begun_in_another_order_is_gone_on_with(
    tmp_path: Path, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        other = np.random.default_rng(0).permutation(len(cells))
        patched.setattr(Cells, "reading_order", other)
        job = cells.store_job(tmp_path / "crops")
        for step in job:
            if step.fraction > 0.4:
                break
        job.close()
    np.testing.assert_array_equal(cells.store(tmp_path / "crops").read(), cells.read())


def test_full_disk_is_one_line_and_what_is_done_stays(
    tmp_path: Path, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, count = crop_store.ShardWriter.finish, []

    def full(self: crop_store.ShardWriter) -> None:
        count.append(1)
        if len(count) > 2:
            raise OSError(28, "No space left on device")
        finish(self)

    with monkeypatch.context() as patched:
        patched.setattr(crop_store.ShardWriter, "finish", full)
        with pytest.raises(SaveError, match="No space left on device; what is done stays"):
            cells.store(tmp_path / "crops")
    assert len(list((tmp_path / "crops" / "parts").iterdir())) == 2
    np.testing.assert_array_equal(cells.store(tmp_path / "crops").read(), cells.read())


def test_killed_while_it_began_or_deleted_an_old_store(tmp_path: Path, cells: Cells) -> None:
    store = tmp_path / "store"
    store.mkdir()
    (store / ".cells.npy-0123abcd.part").write_bytes(b"half")
    np.testing.assert_array_equal(cells.store(store).read(), cells.read())
    # What was deleted when it ended is not called a store any more.
    (store / "crops.zarr").rename(store / ".crops.zarr.part")
    (store / ".crops.zarr.part" / "zarr.json").unlink()
    np.testing.assert_array_equal(cells.store(store, rebuild=True).read(), cells.read())
    assert sorted(entry.name for entry in store.iterdir()) == ["cells.npy", "crops.zarr", "parts"]


def test_what_was_half_written_is_deleted(tmp_path: Path, cells: Cells) -> None:
    shard = shard_path(tmp_path / "store", 0)
    job = crop_store.store_job(cells, tmp_path / "store")
    while not shard.parent.exists():
        next(job)
    job.close()
    shard.with_name(".0-0123abcd.part").write_bytes(b"half")
    cells.store(tmp_path / "store")
    assert [file.name for file in shard.parent.iterdir()] == ["0"]


def test_an_old_store_is_deleted_under_another_name(
    tmp_path: Path, cells: Cells, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    cells.store(store)

    def killed(path: Path) -> None:
        (path / "zarr.json").unlink(missing_ok=True)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(crop_store.shutil, "rmtree", killed)
        with pytest.raises(KeyboardInterrupt):
            cells.store(store, rebuild=True)
    np.testing.assert_array_equal(cells.store(store, rebuild=True).read(), cells.read())


def test_a_second_run_is_told(tmp_path: Path, cells: Cells) -> None:
    with in_use(tmp_path / "crops"), pytest.raises(InUseError):
        cells.store(tmp_path / "crops")
    cells.store(tmp_path / "crops")
    # A store that is whole is read by as many as like.
    with in_use(tmp_path / "crops"):
        assert len(cells.store(tmp_path / "crops").read()) == len(cells)


KILLED = """
import sys, time
from napari_channelmix.data import open_dataset, crop_shards
crop_shards.SHARD_CROPS = 16
crop_shards.CHUNK_BYTES = 4 * 3 * 16 * 16 * 2
for step in open_dataset(sys.argv[1]).store_job(sys.argv[2]):
    print(step.fraction, flush=True)
    time.sleep(0.05)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_killed_and_gone_on_with(tmp_path: Path) -> None:
    path, folder = plate(tmp_path / "plate"), tmp_path / "crops"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for line in process.stdout:
        if float(line) > 0.6:
            break
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    process.stdout.close()
    marked = {entry.name: entry.stat().st_mtime_ns for entry in (folder / "parts").iterdir()}
    assert 0 < len(marked) < 6
    cells = open_dataset(path)
    np.testing.assert_array_equal(cells.store(folder).read(), cells.read())
    assert {name: (folder / "parts" / name).stat().st_mtime_ns for name in marked} == marked


def test_workers_write_the_same_store(tmp_path: Path, cells: Cells) -> None:
    alone = cells.store(tmp_path / "alone")
    together = cells.store(tmp_path / "together", workers=1)
    np.testing.assert_array_equal(together.read(), alone.read())
    for shard in range(6):
        paths = [shard_path(tmp_path / name, shard) for name in ("alone", "together")]
        assert paths[0].read_bytes() == paths[1].read_bytes()


def test_cells_that_are_not_in_the_store_are_read_from_their_images(
    tmp_path: Path, cells: Cells
) -> None:
    stored = cells.store(tmp_path / "crops")
    moved = stored.table.copy()
    moved.loc[::3, ["x0", "x1"]] -= 1
    some = replace(stored, table=moved)
    np.testing.assert_array_equal(some.read(), replace(cells, table=moved).read())


def test_values_that_do_not_fit_their_stated_type_are_refused(tmp_path: Path) -> None:
    class Wrong(np.ndarray):
        """A plane that says it holds whole numbers."""

        dtype = np.dtype("uint8")  # type: ignore[assignment]

    plane = np.full((20, 20), 3.5).view(Wrong)
    cells = Cells.from_points([np.zeros((20, 20))], ["DNA"], [(10, 10)], crop=4)
    field = replace(cells.fields[0], planes=(plane,))
    with pytest.raises(DataError, match="no uint8"):
        replace(cells, fields=(field,)).store(tmp_path / "crops")


def test_shards_fit_memory() -> None:
    for shape, dtype in (((5, 64, 64), "uint16"), ((40, 256, 256), "float32"), ((1, 8, 8), "u1")):
        form = ShardFormat.fitting(shape, dtype)
        nbytes = np.prod(form.chunk) * form.dtype.itemsize
        assert form.in_shard % form.in_chunk == 0
        assert nbytes * form.chunks <= max(64 * 2**20, nbytes)


def test_progress_and_cancel_take_no_second(tmp_path: Path, cells: Cells) -> None:
    last, longest = time.perf_counter(), 0.0
    for _ in cells.store_job(tmp_path / "crops"):
        longest, last = max(longest, time.perf_counter() - last), time.perf_counter()
    assert longest < 1
    assert drain(cells.store_job(tmp_path / "crops")).crop_store is not None


def test_labels_and_tables_beside_a_zarr_image_leave_the_store_valid(tmp_path: Path) -> None:
    image = tmp_path / "a.ome.zarr"
    array = zarr.create_array(image / "0", shape=(40, 40), chunks=(20, 20), dtype="uint8")
    array[:] = np.arange(1600).reshape(40, 40) % 251
    before = pixel_facts._folder(image)
    zarr.create_array(image / "labels" / "cells" / "0", shape=(4, 4), dtype="uint8")[:] = 1
    zarr.open_group(image, attributes={"mine": 1})
    assert pixel_facts._folder(image) == before
    array[0, 0] = 77
    assert pixel_facts._folder(image) != before
