"""The compressions that microscopes and slide scanners write; the default install reads them."""

import numpy as np
import pytest
import tifffile

from napari_channelmix.data.image_formats import open_image

pytest.importorskip("imagecodecs", reason="imagecodecs is a part of the extra 'all' (and 'io')")


def smooth(dtype):
    """Pixels that lossy compression hardly changes."""
    y, x = np.mgrid[0:70, 0:90]
    return (100 + 40 * np.sin(y / 11) + 30 * np.cos(x / 13)).astype(dtype)


@pytest.mark.parametrize(
    ("compression", "arguments", "dtype"),
    [
        ("lzw", None, np.uint16),
        ("zstd", None, np.uint16),
        ("zlib", None, np.uint16),
        ("packbits", None, np.uint8),
        ("lzma", None, np.float32),
        ("jpeg2000", {"level": 0}, np.uint16),
        ("jpegxl", {"lossless": True}, np.uint16),
        ("lerc", None, np.float32),
    ],
)
@pytest.mark.parametrize("tile", [None, (32, 48)], ids=["strips", "tiles"])
def test_pixels_come_back_as_they_were_written(tmp_path, compression, arguments, dtype, tile):
    pixels = smooth(dtype)
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        compression=compression,
        compressionargs=arguments,
        tile=tile,
        metadata={"axes": "YX"},
    )
    plane = open_image(tmp_path / "a.tif").planes(None)[0]
    assert np.array_equal(plane[0:70, 0:90], pixels)
    assert np.array_equal(plane[11:50, 20:71], pixels[11:50, 20:71])


def test_lzw_with_a_predictor(tmp_path):
    pixels = smooth(np.uint16)
    tifffile.imwrite(tmp_path / "a.tif", pixels, compression="lzw", predictor=True)
    plane = open_image(tmp_path / "a.tif").planes("YX")[0]
    assert np.array_equal(plane[0:70, 0:90], pixels)


@pytest.mark.parametrize("photometric", ["minisblack", "ycbcr"])
def test_jpeg_is_read_with_the_little_that_it_loses(tmp_path, photometric):
    grey = smooth(np.uint8)
    pixels = grey if photometric == "minisblack" else np.stack([grey] * 3, axis=-1)
    tifffile.imwrite(
        tmp_path / "a.tif",
        pixels,
        compression="jpeg",
        compressionargs={"level": 95},
        photometric="minisblack" if photometric == "minisblack" else "rgb",
        tile=(64, 64),
    )
    axes = "YX" if photometric == "minisblack" else "YXC"
    planes = open_image(tmp_path / "a.tif").planes(axes)
    for plane in planes:
        assert np.abs(plane[0:70, 0:90].astype(int) - grey).max() <= 8
