"""Chunks of Zarr arrays that are decoded without Zarr are those that Zarr reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest
import zarr

from napari_channelmix.data import Cells
from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.zarr_arrays import PlainChunks, open_array
from napari_channelmix.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 60000, (2, 50, 70)).astype(np.uint16)
POINTS = [(25, 35), (9, 9), (40, 60), (44, 66), (0, 0)]

KINDS: dict[str, dict[str, Any]] = {
    "uncompressed": {"compressors": None},
    "zlib": {"compressors": numcodecs.Zlib()},
    "blosc": {"compressors": numcodecs.Blosc("zstd")},
    "columns first": {"order": "F"},
    "in folders": {"chunk_key_encoding": {"name": "v2", "separator": "/"}},
    "big endian": {"dtype": ">u2"},
    "floats": {"dtype": "float32"},
    "filtered": {"filters": [numcodecs.Delta("<u2")]},
}


def written(path: Path, pixels: Any = PIXELS, version: int = 2, **options: Any) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=version)
    settings = {"shape": pixels.shape, "chunks": (1, 16, 32), "dtype": "uint16", **options}
    array = group.create_array("0", **settings)
    array[:] = pixels
    axes = [{"name": name} for name in "tcyx"[-pixels.ndim :]]
    about: dict[str, Any] = {"multiscales": [{"axes": axes, "datasets": [{"path": "0"}]}]}
    group.attrs.update(about if version == 2 else {"ome": {"version": "0.5", **about}})
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_crops_are_those_of_the_array(tmp_path: Path, kind: str) -> None:
    path = written(tmp_path / "a.zarr", **KINDS[kind])
    plain = PlainChunks.of(open_array(path, path / "0"))
    assert (plain is None) == (kind == "filtered")
    planes = open_image(path).planes(None)
    np.testing.assert_array_equal(np.stack([plane[:, :] for plane in planes]), PIXELS)
    cells = Cells.from_points(planes, ["a", "b"], POINTS, crop=20)
    wanted = Cells.from_points(list(PIXELS), ["a", "b"], POINTS, crop=20).read()
    np.testing.assert_array_equal(cells.read(), wanted)


def test_axes_of_length_one_are_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr", PIXELS[None], chunks=(1, 1, 16, 32))
    planes = open_image(path).planes(None)
    np.testing.assert_array_equal(np.stack([plane[:, :] for plane in planes]), PIXELS)


def test_a_chunk_that_is_left_out_holds_the_fill_value(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr", fill_value=7)
    (path / "0" / "1.0.0").unlink()
    plane = open_image(path).planes(None)[1]
    assert (plane[:16, :32] == 7).all()
    np.testing.assert_array_equal(plane[16:, :], PIXELS[1, 16:])


def test_arrays_of_version_3_are_left_to_zarr(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr", version=3)
    assert PlainChunks.of(open_array(path, path / "0")) is None


@pytest.mark.parametrize("content", [b"", bytes(100), numcodecs.Zlib().encode(bytes(64))])
def test_a_chunk_of_another_size_is_one_line(tmp_path: Path, content: bytes) -> None:
    path = written(tmp_path / "a.zarr", compressors=numcodecs.Zlib())
    (path / "0" / "0.1.1").write_bytes(content)
    plane = open_image(path).planes(None)[0]
    with pytest.raises(DataError, match=r"a\.zarr: cannot be read.*\(chunk 0, 1, 1: .*\)$"):
        plane[16:20, 32:40]


def test_a_link_out_of_the_folder_is_refused_when_a_chunk_is_read(tmp_path: Path) -> None:
    path = written(tmp_path / "a.zarr", compressors=None)
    outside = tmp_path / "secret"
    chunk = path / "0" / "0.0.0"
    outside.write_bytes(chunk.read_bytes())
    planes = open_image(path).planes(None)
    chunk.unlink()
    chunk.symlink_to(outside)
    with pytest.raises(DataError, match="a link in it leads out of its folder"):
        planes[0][0:4, 0:4]
