"""Every way in which pixels lie in a TIFF gives the same pixels, whole and by region."""

from __future__ import annotations

import os
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile

from napari_channelmix.data import Cells, mapped_files, tiff_layouts
from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.tiff_source import TiffSource
from napari_channelmix.errors import DataError

PIXELS = np.random.default_rng(0).integers(0, 60000, (3, 70, 83)).astype(np.uint16)
POINTS = [(35, 40), (9, 9), (60, 70), (33, 15), (69, 82), (0, 0)]

LAYOUTS: dict[str, dict[str, Any]] = {
    "one after the other": {},
    "strips": {"rowsperstrip": 16},
    "tiles": {"tile": (16, 32)},
    "tiles wider than the picture": {"tile": (32, 96)},
    "tiles larger than the picture": {"tile": (80, 96)},
    "samples in pixels": {"planarconfig": "contig", "tile": (16, 16)},
    "samples in wide tiles": {"planarconfig": "contig", "tile": (16, 128)},
    "samples in strips": {"planarconfig": "contig", "rowsperstrip": 9},
    "samples apart": {"planarconfig": "separate", "tile": (32, 16)},
}


def written(path: Path, layout: str, pixels: npt.NDArray[Any], **more: Any) -> str:
    """Write a file; gives its axes."""
    options = {**LAYOUTS[layout], **more}
    if options.get("planarconfig") == "contig":
        stored = np.ascontiguousarray(pixels.transpose(1, 2, 0))
        tifffile.imwrite(path, stored, photometric="rgb", metadata=None, **options)
        return "YXC"
    photometric = "rgb" if layout == "samples apart" else "minisblack"
    tifffile.imwrite(path, pixels, photometric=photometric, metadata=None, **options)
    return "CYX"


@pytest.mark.parametrize(
    ("layout", "compression", "order", "dtype"),
    [
        *product(LAYOUTS, (None, "zlib"), "<>", ("uint16",)),
        ("tiles", None, ">", "float32"),
        ("tiles", "zstd", "<", "uint8"),
        ("strips", "lzw", "<", "int32"),
    ],
)
def test_crops_and_regions_are_those_of_the_array(
    tmp_path: Path, layout: str, compression: str | None, order: Any, dtype: str
) -> None:
    pixels = PIXELS.astype(dtype)
    path = tmp_path / "a.tif"
    axes = written(path, layout, pixels, compression=compression, byteorder=order)
    planes = open_image(path).planes(axes)
    for plane, wanted in zip(planes, pixels, strict=True):
        np.testing.assert_array_equal(plane[:, :], wanted)
        np.testing.assert_array_equal(plane[13:57, 31:66], wanted[13:57, 31:66])
        assert plane[0:1, 0:1].dtype == np.dtype(dtype)
    cells = Cells.from_points(planes, ["a", "b", "c"], POINTS, crop=20)
    arrays = Cells.from_points(list(pixels), ["a", "b", "c"], POINTS, crop=20)
    np.testing.assert_array_equal(cells.read(), arrays.read())
    for positions, crops in cells.with_channels(["c", "a"]).passes(2):
        np.testing.assert_array_equal(crops, arrays.read(positions)[:, [2, 0]])


def test_pages_of_files_of_their_own_are_read_as_one_picture(tmp_path: Path) -> None:
    planes = []
    for name, pixels in zip("abc", PIXELS, strict=True):
        tifffile.imwrite(tmp_path / f"{name}.tif", pixels, compression="zlib", tile=(16, 16))
        planes += open_image(tmp_path / f"{name}.tif").planes(None)
    cells = Cells.from_points(planes, ["a", "b", "c"], POINTS, crop=20)
    arrays = Cells.from_points(list(PIXELS), ["a", "b", "c"], POINTS, crop=20)
    np.testing.assert_array_equal(cells.read(), arrays.read())


def test_a_corrupt_tile_is_named_with_the_cells_that_reach_into_it(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    written(path, "tiles", PIXELS, compression="zlib")
    with tifffile.TiffFile(path) as tiff:
        # The second row and column of tiles of the second page.
        offset = tiff.pages[1].dataoffsets[4]
    content = bytearray(path.read_bytes())
    content[offset : offset + 8] = b"\0" * 8
    path.write_bytes(content)
    cells = Cells.from_points(open_image(path).planes("CYX"), ["a", "b", "c"], POINTS, crop=8)
    np.testing.assert_array_equal(cells.read([1, 2])[0, 1], PIXELS[1, 5:13, 5:13])
    with pytest.raises(DataError, match=r"a\.tif: cannot .*tile 5 of page 2.*cell 0 reach"):
        cells.read()
    # The other channels do not need it.
    assert len(cells.with_channels(["a", "c"]).read()) == len(POINTS)


@pytest.mark.parametrize("layout", ["one after the other", "tiles"])
def test_a_file_that_changes_or_vanishes_while_it_is_read_is_refused(
    tmp_path: Path, layout: str
) -> None:
    path = tmp_path / "a.tif"
    written(path, layout, PIXELS)
    cells = Cells.from_points(open_image(path).planes("CYX"), ["a", "b", "c"], POINTS, crop=8)
    batches = cells.passes(2)
    next(batches)
    written(path, layout, PIXELS + 1)
    with pytest.raises(DataError, match=r"a\.tif: changed while it was read; open the data set"):
        next(batches)
    path.unlink()
    with pytest.raises(DataError, match=r"a\.tif: is no longer there"):
        cells.read([0])


@pytest.mark.parametrize("layout", ["one after the other", "tiles"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_file_that_changes_between_two_tiles_is_refused(
    tmp_path: Path, layout: str, compression: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    written(path, layout, PIXELS, compression=compression)
    cells = Cells.from_points(open_image(path).planes("CYX"), ["a", "b", "c"], POINTS, crop=8)
    decode = TiffSource.decode

    def changed(source: TiffSource, places: Any) -> Any:
        for chunk in decode(source, places):
            os.utime(path, ns=(0, 0))
            yield chunk

    monkeypatch.setattr(TiffSource, "decode", changed)
    with pytest.raises(DataError, match=r"a\.tif: changed while it was read; open the data set"):
        cells.read()


def test_a_file_that_cannot_be_opened_again_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Refused:
        def __init__(self, _: Path) -> None:
            raise PermissionError(13, "Permission denied")

        def close(self) -> None: ...

    opening = {"tiles": (tiff_layouts, "RawFile"), "one after the other": (mapped_files, "_map")}
    for layout, (module, opened) in opening.items():
        path = tmp_path / f"{layout}.tif"
        written(path, layout, PIXELS, compression="zlib" if layout == "tiles" else None)
        cells = Cells.from_points(open_image(path).planes("CYX"), ["a", "b", "c"], POINTS, crop=8)
        with monkeypatch.context() as patch:
            patch.setattr(module, opened, Refused)
            with pytest.raises(DataError, match=r"\.tif: can no longer be read \(Permission"):
                cells.read()
