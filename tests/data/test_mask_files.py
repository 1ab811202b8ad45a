"""Mask files: labels as they are stored, whatever picture holds them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.data.mask_files import plane_of_mask
from napari_channelmix.errors import DataError

LABELS = np.zeros((24, 32), np.uint8)
LABELS[2:10, 3:12] = 1
LABELS[14:20, 15:30] = 3


def saved(path: Path, picture: Image.Image) -> np.ndarray:
    picture.save(path)
    return plane_of_mask(open_image(path, mask=True))


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
def test_a_grey_mask_saved_in_colours_is_the_grey_mask(tmp_path: Path, mode: str) -> None:
    read = saved(tmp_path / "m.png", Image.fromarray(LABELS).convert(mode))
    np.testing.assert_array_equal(read, LABELS)


def test_a_grey_mask_in_the_samples_of_a_tiff_is_the_grey_mask(tmp_path: Path) -> None:
    path = tmp_path / "m.tif"
    tifffile.imwrite(path, np.stack([LABELS] * 3, axis=-1), photometric="rgb")
    np.testing.assert_array_equal(plane_of_mask(open_image(path, mask=True)), LABELS)
    tifffile.imwrite(path, np.stack([LABELS] * 3), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(plane_of_mask(open_image(path, mask=True)), LABELS)


def test_a_mask_in_real_colours_is_refused(tmp_path: Path) -> None:
    colours = np.stack([LABELS * 50, LABELS * 20, LABELS], axis=-1)
    with pytest.raises(DataError, match=r"a colour image .* save it as grey PNG or TIFF"):
        saved(tmp_path / "m.png", Image.fromarray(colours))


def test_a_palette_counts_by_its_indices_where_its_background_is_black(tmp_path: Path) -> None:
    picture = Image.fromarray(LABELS)
    picture.putpalette([0, 0, 0, 200, 0, 0, 0, 0, 0, 0, 200, 0])
    np.testing.assert_array_equal(saved(tmp_path / "m.png", picture), LABELS)
    picture.putpalette([255, 255, 255, 200, 0, 0, 0, 0, 0, 0, 200, 0])
    with pytest.raises(DataError, match="its background is not known"):
        saved(tmp_path / "m.png", picture)


def test_labels_of_four_bits_are_not_spread_over_a_byte(
    tmp_path: Path, png: Callable[..., bytes]
) -> None:
    path = tmp_path / "m.png"
    path.write_bytes(png(4, 2, 4, 0, b"\0\x01\x2f\0\x00\x10"))
    read = plane_of_mask(open_image(path, mask=True))
    np.testing.assert_array_equal(read, [[0, 1, 2, 15], [0, 0, 1, 0]])


def test_a_jpeg_mask_is_refused_unless_it_holds_two_values(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="JPEG changes the values of a mask"):
        saved(tmp_path / "m.jpg", Image.fromarray(LABELS * 80))
    halves = np.zeros((32, 32), np.uint8)
    halves[:, 16:] = 255
    read = saved(tmp_path / "m.jpg", Image.fromarray(halves))
    assert len(np.unique(read)) == 2


def test_several_planes_are_no_mask_and_any_byte_order_is(tmp_path: Path) -> None:
    path = tmp_path / "m.tif"
    about = {"axes": "CYX"}
    tifffile.imwrite(path, np.stack([LABELS] * 2), photometric="minisblack", metadata=about)
    with pytest.raises(DataError, match="has 2 channels; a mask is one plane"):
        plane_of_mask(open_image(path, mask=True))
    tifffile.imwrite(path, LABELS.astype(">u4"), byteorder=">")
    np.testing.assert_array_equal(plane_of_mask(open_image(path, mask=True)), LABELS)
