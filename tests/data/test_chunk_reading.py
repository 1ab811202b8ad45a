"""Chunks are decoded once in a pass, and what is wrong with one is said in a line."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import dask.array as da
import numpy as np
import pytest
import tifffile
import zarr

from napari_channelmix.data import Cells, cell_boxes, chunk_reading
from napari_channelmix.data.array_planes import PROJECT, ArrayPlane
from napari_channelmix.data.decoded_chunks import DecodedChunks, decoded_chunks
from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.open_files import OpenFiles
from napari_channelmix.data.scaling import ScaledPlane
from napari_channelmix.data.tiff_source import TiffSource
from napari_channelmix.data.zarr_source import ZarrSource
from napari_channelmix.errors import DataError

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 60000, (2, 160, 200)).astype(np.uint16)
POINTS = RNG.integers(0, (160, 200), (300, 2))
NAMES = ["a", "b"]


def tiled(path: Path, tile: tuple[int, int] = (32, 32)) -> Any:
    about = {"axes": "CYX"}
    tifffile.imwrite(path, PIXELS, tile=tile, compression="zlib", metadata=about)
    return open_image(path).planes(None)


def ome_zarr(path: Path, version: int = 2, shards: tuple[int, ...] | None = None) -> Any:
    group = zarr.open_group(path, mode="w", zarr_format=version)
    group.create_array("0", data=PIXELS, chunks=(1, 32, 32), shards=shards)
    axes = [{"name": name} for name in "cyx"]
    about: dict[str, Any] = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    group.attrs.update(about if version == 2 else {"ome": {"version": "0.5", **about}})
    return open_image(path).planes(None)


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> Counter[Any]:
    """How often each chunk of a file is decoded."""
    counts: Counter[Any] = Counter()
    for kind in (TiffSource, ZarrSource):

        def counted(source: Any, places: Any, decode: Any = kind.decode) -> Any:
            counts.update(places)
            return decode(source, places)

        monkeypatch.setattr(kind, "decode", counted)
    return counts


@pytest.mark.parametrize("kind", ["tiff", "zarr"])
def test_a_pass_decodes_every_chunk_once_however_cells_are_ordered(
    tmp_path: Path, kind: str, decodings: Counter[Any]
) -> None:
    planes = tiled(tmp_path / "a.tif") if kind == "tiff" else ome_zarr(tmp_path / "a.zarr")
    cells = Cells.from_points(planes, NAMES, POINTS, crop=24)
    arrays = Cells.from_points(list(PIXELS), NAMES, POINTS, crop=24).read()
    for positions, crops in cells.passes(16):
        np.testing.assert_array_equal(crops, arrays[positions])
    # Crops that reach over the border are read singly, from what is decoded.
    assert set(decodings.values()) == {1}
    assert len(decodings) == 2 * 5 * 7


def test_chunks_too_large_to_be_kept_are_decoded_for_many_cells_at_a_time(
    tmp_path: Path, decodings: Counter[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    planes = tiled(tmp_path / "a.tif", (160, 208))
    inside = POINTS[((POINTS > 12) & (POINTS < (148, 188))).all(axis=1)]
    cells = Cells.from_points(planes, NAMES, inside, crop=24)
    monkeypatch.setattr(cell_boxes, "MOST_BYTES", 1000)
    monkeypatch.setattr(decoded_chunks(), "_limit", 1000)
    sizes = [len(positions) for positions, _ in cells.passes(16)]
    assert max(sizes) == 16
    assert sum(sizes) == len(cells)
    assert set(decodings.values()) == {1}


@pytest.mark.parametrize(("version", "shards"), [(2, None), (3, None), (3, (1, 64, 64))])
def test_crops_of_ome_zarr_are_those_of_the_array(
    tmp_path: Path, version: int, shards: tuple[int, ...] | None
) -> None:
    cells = Cells.from_points(ome_zarr(tmp_path / "a", version, shards), NAMES, POINTS, crop=24)
    arrays = Cells.from_points(list(PIXELS), NAMES, POINTS, crop=24)
    np.testing.assert_array_equal(cells.read(), arrays.read())


@pytest.mark.parametrize("kind", ["dask", "zarr"])
def test_blocks_of_lazy_arrays_are_computed_once_in_a_pass(kind: str) -> None:
    reads: Counter[Any] = Counter()
    stored = zarr.create_array({}, data=PIXELS, chunks=(1, 32, 32))

    def block(pixels: Any, block_info: Any = None) -> Any:
        if block_info:
            reads[tuple(block_info[0]["chunk-location"])] += 1
        return pixels

    data: Any = stored
    if kind == "dask":
        lazy = da.from_array(PIXELS, chunks=(1, 32, 40))
        data = lazy.map_blocks(block, dtype=np.uint16)
        reads.clear()
    planes = [ArrayPlane(data, (channel, None, None)) for channel in range(2)]
    cells = Cells.from_points(planes, NAMES, POINTS, crop=24)
    inside = np.flatnonzero(~cells.at_border)
    wanted = Cells.from_points(list(PIXELS), NAMES, POINTS, crop=24).read()
    for positions, crops in cells.passes(16, inside):
        np.testing.assert_array_equal(crops, wanted[positions])
    assert set(reads.values()) <= {1}
    np.testing.assert_array_equal(cells.read(), wanted)


def test_a_zarr_array_of_a_layer_that_changes_is_read_anew() -> None:
    stored = zarr.create_array({}, data=PIXELS, chunks=(1, 32, 32))
    planes = [ArrayPlane(stored, (channel, None, None)) for channel in range(2)]
    cells = Cells.from_points(planes, NAMES, [(80, 80), (90, 90)], crop=24)
    before = [crops for _ in range(3) for _, crops in cells.passes(1)]
    stored[:] = PIXELS + 1
    after = [crops for _, crops in cells.passes(1)]
    np.testing.assert_array_equal(np.concatenate(after), np.concatenate(before[:2]) + 1)


def test_the_maximum_of_a_stack_is_that_of_its_planes(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    stack = RNG.integers(0, 60000, (3, 64, 64)).astype(np.uint16)
    about = {"axes": "ZYX"}
    options: dict[str, Any] = {"photometric": "minisblack", "compression": "zlib"}
    tifffile.imwrite(path, stack, tile=(16, 16), metadata=about, **options)
    (plane,) = open_image(path).planes(None, {"Z": PROJECT})
    wanted = stack.max(axis=0)
    np.testing.assert_array_equal(plane[10:50, 3:60], wanted[10:50, 3:60])
    cells = Cells.from_points([plane], ["a"], [(30, 30), (20, 40)], crop=16)
    np.testing.assert_array_equal(cells.read()[0, 0], wanted[22:38, 22:38])
    scaled = Cells.from_points([ScaledPlane(plane, 0.5, -3.0)], ["a"], [(30, 30)], crop=16)
    np.testing.assert_array_equal(scaled.read()[0, 0], wanted[22:38, 22:38] * np.float32(0.5) - 3)


def test_a_corrupt_chunk_of_ome_zarr_is_named_with_its_cells(tmp_path: Path) -> None:
    planes = ome_zarr(tmp_path / "a.zarr")
    chunk = tmp_path / "a.zarr" / "0" / "1.2.3"
    assert chunk.is_file()
    chunk.write_bytes(b"no chunk")
    cells = Cells.from_points(planes, NAMES, [(20, 20), (80, 112)], crop=8)
    assert len(cells.read([0])) == 1
    with pytest.raises(DataError, match=r"a\.zarr: cannot .*chunk 1, 2, 3.*cell 1 reach"):
        cells.read()
    # A chunk that is not there is the fill value: that is legal.
    chunk.unlink()
    planes = open_image(tmp_path / "a.zarr").planes(None)
    cells = Cells.from_points(planes, NAMES, [(20, 20), (80, 112)], crop=8)
    assert (cells.read([1])[0, 1] == 0).all()


@pytest.mark.parametrize(("version", "shards"), [(2, None), (3, None), (3, (1, 64, 64))])
def test_a_chunk_of_ome_zarr_that_vanishes_while_it_is_read_is_no_empty_one(
    tmp_path: Path, version: int, shards: tuple[int, ...] | None
) -> None:
    path = tmp_path / "a.zarr"
    planes = ome_zarr(path, version, shards)
    (path / "0" / ".DS_Store").touch()
    cells = Cells.from_points(planes, NAMES, POINTS, crop=24)
    last = path / "0" / ("1.4.6" if version == 2 else "c/1/2/3" if shards else "c/1/4/6")
    last.unlink()
    with pytest.raises(DataError, match=r"a\.zarr: a part of it is no longer there \(.*1.\d.\d\)"):
        cells.read()
    # Of one that is opened without it, it was left out on purpose.
    left_out = Cells.from_points(open_image(path).planes(None), NAMES, POINTS, crop=24)
    assert left_out.read().shape == cells.shape


def test_an_ome_zarr_that_is_written_anew_is_refused_and_read_anew_when_opened(
    tmp_path: Path,
) -> None:
    cells = Cells.from_points(ome_zarr(tmp_path / "a.zarr"), NAMES, [(20, 20)], crop=8)
    before = cells.read()
    array = zarr.open_array(tmp_path / "a.zarr" / "0", mode="r+")
    array[:] = PIXELS + 1
    again = Cells.from_points(
        open_image(tmp_path / "a.zarr").planes(None), NAMES, [(20, 20)], crop=8
    )
    np.testing.assert_array_equal(again.read(), before + 1)
    ome_zarr(tmp_path / "a.zarr")
    with pytest.raises(DataError, match=r"a\.zarr: changed while it was read"):
        cells.read()


def test_what_is_kept_does_not_keep_its_neighbours_in_memory(tmp_path: Path) -> None:
    cells = Cells.from_points(ome_zarr(tmp_path / "a.zarr"), NAMES, POINTS, crop=24)
    decoded_chunks().clear()
    for _ in range(2):
        for _ in cells.passes(16):
            pass
    wholes = {}
    for chunks, _ in decoded_chunks()._values.values():
        for chunk in chunks.values():
            while isinstance(chunk.base, np.ndarray):
                chunk = chunk.base
            wholes[id(chunk)] = chunk.nbytes
    assert 0 < sum(wholes.values()) <= 2 * decoded_chunks().nbytes


def test_a_pass_keeps_what_it_decodes_again_where_there_is_room() -> None:
    cache = DecodedChunks()
    assert not cache.worth_keeping("chunk", 1000)
    assert cache.worth_keeping("chunk", 1000)
    assert not cache.worth_keeping("chunk", 2**40)
    cache.clear()
    assert not cache.worth_keeping("chunk", 1000)


def test_only_so_many_files_stay_open_and_none_is_closed_while_it_is_read() -> None:
    closed: list[str] = []
    files = OpenFiles(2)
    with files.using("a", lambda: "a", closed.append):
        for name in "bcd":
            with files.using(name, lambda name=name: name, closed.append):
                pass
        assert closed == ["b", "c"]
    with files.using("d", lambda: pytest.fail("is open"), closed.append) as handle:
        assert handle == "d"
    assert len(files) == 2


def test_a_mapped_file_is_read_in_parts_that_together_are_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts: list[int] = []
    let_go = TiffSource.let_go

    def counted(source: TiffSource, nbytes: int) -> None:
        parts.append(nbytes)
        let_go(source, nbytes)

    monkeypatch.setattr(TiffSource, "let_go", counted)
    monkeypatch.setattr(chunk_reading, "MAPPED_AT_A_TIME", 200 * 2 * 40)
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, photometric="minisblack", metadata={"axes": "CYX"})
    inside = POINTS[((POINTS > 12) & (POINTS < (148, 188))).all(axis=1)]
    cells = Cells.from_points(open_image(path).planes(None), NAMES, inside, crop=24)
    wanted = Cells.from_points(list(PIXELS), NAMES, inside, crop=24).read()
    np.testing.assert_array_equal(cells.read(), wanted)
    # The boxes share rows: 160 rows of two channels, of which 40 are read at a time.
    assert 4 <= len(parts) <= 9
