"""Maps are kept whole or not at all, and only beside their own kind."""

import errno
import json

import numpy as np
import pytest
import zarr

from napari_channelmix.errors import DataError, SaveError
from napari_channelmix.run.map_store import METHOD_VERSION, MapStore

FACTS = {"model": "m", "cells": "c", "n": 5, "version": "1", "method": "pcim"}
PART = {"target": [0, 1], "seconds": 1.0}


def maps(value, count=2):
    return {"maps": np.full((count, 3, 4), value, np.float32)}


@pytest.fixture
def store(tmp_path):
    one = MapStore.opened(tmp_path / "out", FACTS)
    one.put(0, slice(0, 2), 5, maps(1), PART)
    return one


def test_looking_into_a_folder_makes_nothing(tmp_path):
    store = MapStore.opened(tmp_path / "out", FACTS)
    assert store.part(0) is None
    assert store.paths == ()
    assert not (tmp_path / "out").exists()


def test_what_is_kept_is_found_again(store):
    store.put(2, slice(4, 5), 5, maps(3, 1), PART)
    again = MapStore.opened(store.folder, FACTS)
    assert again.run == store.run
    assert again.part(0) == {"run": store.run, **PART}
    assert again.part(1) is None
    np.testing.assert_array_equal(again.maps(slice(0, 2)), maps(1)["maps"])
    np.testing.assert_array_equal(again.maps(slice(4, 5)), maps(3, 1)["maps"])
    assert np.isnan(again.maps(slice(2, 4))).all()


def test_a_smaller_chunk_that_is_done_first_does_not_decide_how_the_maps_are_stored(tmp_path):
    store = MapStore.opened(tmp_path / "out", FACTS)
    store.put(2, slice(4, 5), 5, maps(3, 1), PART)
    assert zarr.open_array(store.folder / "maps.zarr", mode="r").chunks == (2, 3, 4)
    # Where a chunk of the run is a chunk of the array, no other is deleted with it.
    store.put(1, slice(2, 4), 5, maps(2), PART)
    store.put(0, slice(0, 2), 5, maps(1), PART)
    np.testing.assert_array_equal(
        store.maps(slice(0, 5))[:, 0, 0], np.array([1, 1, 2, 2, 3], np.float32)
    )


def test_scores_stand_beside_their_chunk(store):
    store.put_scores(0, "saliency", {"srg": [0.1, 0.2]})
    store.put_scores(0, "gradcam", {"left_out": "it has no convolution"})
    assert store.part(0, "saliency")["srg"] == [0.1, 0.2]
    assert store.part(0) == {"run": store.run, **PART}
    store.put_scores(2, "saliency", {"left_out": "one cell is odd"})
    assert store.left_out(["saliency", "gradcam", "occlusion"], 3) == {
        "saliency": (2, "one cell is odd"),
        "gradcam": (0, "it has no convolution"),
    }


def test_a_full_disk_is_one_line_and_the_chunk_is_not_done(store, monkeypatch):
    opened = zarr.open_array

    class Full:
        shape, chunks = (5, 3, 4), (2, 3, 4)

        def __setitem__(self, rows, values):
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(
        zarr, "open_array", lambda path, mode: Full() if mode == "r+" else opened(path, mode=mode)
    )
    with pytest.raises(SaveError, match="No space left on device"):
        store.put(1, slice(2, 4), 5, maps(2), PART)
    assert store.part(1) is None
    assert store.part(0) is not None


def test_every_difference_is_named(store):
    with pytest.raises(DataError) as raised:
        MapStore.opened(store.folder, {**FACTS, "model": "x", "n": 7, "method": "saliency"})
    assert "another model, 5 cells instead of 7, method pcim instead of saliency; choose" in str(
        raised.value
    )


def test_arrays_without_their_maps_are_not_overwritten(tmp_path):
    zarr.create_array(tmp_path / "channel_maps.zarr", shape=(2, 2), dtype="float32")
    with pytest.raises(DataError, match=r"channel_maps\.zarr is there without maps\.zarr"):
        MapStore.opened(tmp_path, FACTS)


def test_a_folder_that_was_begun_without_an_array_does_not_go_on_with_it(store, tmp_path):
    again = MapStore.opened(store.folder, FACTS)
    again.refuse_without(["maps"])
    with pytest.raises(DataError, match=r"out is not finished, but has no magnitude\.zarr; choose"):
        again.refuse_without(["maps", "magnitude"])
    MapStore.opened(tmp_path / "new", FACTS).refuse_without(["maps", "magnitude"])


def test_a_damaged_array_is_refused(store):
    (store.folder / "maps.zarr" / "zarr.json").write_text("{", "utf-8")
    with pytest.raises(DataError, match="was not made by this command"):
        MapStore.opened(store.folder, FACTS)


@pytest.mark.parametrize("left", ["folder", "half", "whole", "of another", "maps", "part"])
def test_what_a_run_leaves_that_is_killed_between_two_creations_is_in_nobodys_way(tmp_path, left):
    out = tmp_path / "out"
    if left in ("folder", "half"):
        (out / "magnitude.zarr").mkdir(parents=True)
    if left == "half":
        (out / "magnitude.zarr" / "zarr.json").write_text('{"zarr_format": 3, "node_ty', "utf-8")
    if left in ("whole", "of another", "maps", "part"):
        facts = FACTS if left != "of another" else {**FACTS, "model": "x"}
        name = {"maps": "maps.zarr", "part": ".maps.zarr.part"}.get(left, "magnitude.zarr")
        zarr.create_array(
            out / name, shape=(5, 9), dtype="float32", attributes={"run": "r", "facts": facts}
        )
    store = MapStore.opened(out, FACTS)
    assert store.run is None
    store.refuse_without(["maps", "magnitude"])
    store.put(0, slice(0, 2), 5, {**maps(1), "magnitude": maps(2)["maps"]}, PART)
    again = MapStore.opened(out, FACTS)
    assert again.part(0) == {"run": store.run, **PART}
    assert [path.name for path in again.paths] == ["maps.zarr", "magnitude.zarr"]
    np.testing.assert_array_equal(again.maps(slice(0, 2)), maps(1)["maps"])
    assert not list(out.glob(".*"))


def test_pixels_that_were_half_written_are_written_anew(store):
    inside = store.folder / "maps.zarr" / "c" / "2" / "0"
    inside.mkdir(parents=True)
    (inside / "0").write_bytes(b"half")
    (inside / "0.0123.partial").write_bytes(b"half")
    store.put(2, slice(4, 5), 5, maps(3, 1), PART)
    np.testing.assert_array_equal(store.maps(slice(4, 5)), maps(3, 1)["maps"])
    assert [path.name for path in inside.iterdir()] == ["0"]


@pytest.mark.parametrize("content", ["[]", '{"run": 3}', "{", "[" * 100_000, '{"run": NaN}'])
def test_a_chunk_whose_file_is_damaged_is_not_done(store, content):
    (store.folder / "parts" / "00000.json").write_text(content, "utf-8")
    assert store.part(0) is None


@pytest.mark.parametrize("what", ["shape", "chunks", "pixels", "gone"])
def test_an_array_that_is_damaged_is_refused_before_memory_is_asked_for(store, what):
    path = store.folder / "maps.zarr"
    about = json.loads((path / "zarr.json").read_text("utf-8"))
    if what == "shape":
        about["shape"] = [5, 10**6, 10**6]
    elif what == "chunks":
        about["chunk_grid"]["configuration"]["chunk_shape"] = [10**6, 10**6, 10**6]
    (path / "zarr.json").write_text(json.dumps(about), "utf-8")
    if what == "pixels":
        next((path / "c" / "0").rglob("0")).joinpath("0").write_bytes(b"half")
    if what == "gone":
        (path / "zarr.json").unlink()
    with pytest.raises(DataError, match="damaged") as caught:
        store.maps(slice(0, 2))
    assert "\n" not in str(caught.value)


def test_maps_of_an_earlier_version_of_a_method_are_read_and_not_gone_on_with(tmp_path):
    store = MapStore.opened(tmp_path, FACTS)
    store.put(0, slice(0, 2), 5, maps(1), PART)
    now = {**FACTS, METHOD_VERSION: 2}
    again = MapStore.opened(tmp_path, now)
    assert again.earlier and again.part(0) is not None
    with pytest.raises(DataError, match="earlier version of the method"):
        again.refuse_without(["maps"])
    fresh = MapStore.opened(tmp_path / "new", now)
    fresh.put(0, slice(0, 2), 5, maps(1), PART)
    MapStore.opened(tmp_path / "new", now).refuse_without(["maps"])
    with pytest.raises(DataError, match="method version 2 instead of 3"):
        MapStore.opened(tmp_path / "new", {**FACTS, METHOD_VERSION: 3})
