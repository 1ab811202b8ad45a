"""Smaller copies of a picture in its file: offered where they can be used, never needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
import zarr

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.image_planes import with_maximum
from napari_channelmix.data.scaling import ScaledPlane

PIXELS = np.random.default_rng(0).integers(0, 60000, (2, 64, 96)).astype(np.uint16)
LEVELS = [PIXELS, PIXELS[:, ::2, ::2], PIXELS[:, ::4, ::4]]


def tiff(path: Path, levels: list[Any], compression: str | None = "zlib") -> Path:
    options: dict[str, Any] = {
        "tile": (16, 16),
        "photometric": "minisblack",
        "compression": compression,
    }
    with tifffile.TiffWriter(path) as writer:
        writer.write(levels[0], subifds=len(levels) - 1, metadata={"axes": "CYX"}, **options)
        for level in levels[1:]:
            writer.write(level, subfiletype=1, **options)
    return path


def ome_zarr(path: Path, levels: list[Any], version: int = 2) -> Path:
    group = zarr.open_group(path, mode="w", zarr_format=version)
    for number, level in enumerate(levels):
        # An axis of length 1, as of time, is no reason to have no levels.
        group.create_array(str(number), data=level[None], chunks=(1, 1, 16, 16))
    axes = [{"name": name} for name in "tcyx"]
    datasets = [{"path": str(number)} for number in range(len(levels))]
    about: dict[str, Any] = {"multiscales": [{"axes": axes, "datasets": datasets}]}
    group.attrs.update(about if version == 2 else {"ome": {"version": "0.5", **about}})
    return path


@pytest.mark.parametrize("kind", ["compressed", "plain", "zarr 0.4", "zarr 0.5"])
def test_levels_show_the_same_channel_in_larger_pixels(tmp_path: Path, kind: str) -> None:
    if kind.startswith("zarr"):
        path = ome_zarr(tmp_path / "a.zarr", LEVELS, 2 if kind.endswith("4") else 3)
    else:
        path = tiff(tmp_path / "a.ome.tif", LEVELS, "zlib" if kind == "compressed" else None)
    for channel, plane in enumerate(open_image(path).planes(None)):
        assert [level.shape for level in plane.levels] == [(64, 96), (32, 48), (16, 24)]
        for level, pixels in zip(plane.levels, LEVELS, strict=True):
            np.testing.assert_array_equal(level[3:15, 5:23], pixels[channel, 3:15, 5:23])


def test_a_file_without_levels_has_itself(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", PIXELS, photometric="minisblack")
    (plane, _) = open_image(tmp_path / "a.tif").planes("CYX")
    assert [level.shape for level in plane.levels] == [(64, 96)]


def test_levels_that_are_no_copies_are_left_out(tmp_path: Path) -> None:
    # Fewer channels, another type, and a size that does not shrink.
    others = [PIXELS[:1, ::2, ::2], LEVELS[1].astype(np.uint8), PIXELS, LEVELS[2]]
    path = ome_zarr(tmp_path / "a.zarr", [PIXELS, *others])
    assert [level.shape for level in open_image(path).planes(None)[0].levels] == [
        (64, 96),
        (16, 24),
    ]


def test_damaged_levels_are_left_out_and_the_picture_is_read(tmp_path: Path) -> None:
    path = ome_zarr(tmp_path / "a.zarr", LEVELS)
    (path / "1" / ".zarray").write_text("{")
    (plane, _) = open_image(path).planes(None)
    assert [level.shape for level in plane.levels] == [(64, 96), (16, 24)]
    # A level that leads out of the folder is none of the image.
    outside = ome_zarr(tmp_path / "b.zarr", LEVELS)
    text = (outside / ".zattrs").read_text()
    (outside / ".zattrs").write_text(text.replace('"path": "1"', '"path": "../a.zarr/0"'))
    (plane, _) = open_image(outside).planes(None)
    assert [level.shape for level in plane.levels] == [(64, 96), (16, 24)]
    np.testing.assert_array_equal(plane[0:64, 0:96], PIXELS[0])


def test_levels_of_scaled_planes_and_of_maxima_are_scaled_and_maxima(tmp_path: Path) -> None:
    first = open_image(tiff(tmp_path / "a.ome.tif", LEVELS)).planes(None)
    other = open_image(tiff(tmp_path / "b.ome.tif", [level // 2 + 9 for level in LEVELS]))
    level = with_maximum(first, other.planes(None))[1].levels[1]
    np.testing.assert_array_equal(level[:, :], np.maximum(LEVELS[1][1], LEVELS[1][1] // 2 + 9))
    scaled = ScaledPlane(first[0], 2.0, 1.0).levels[2]
    np.testing.assert_array_equal(scaled[:, :], LEVELS[2][0] * np.float32(2) + 1)
