"""PNG and JPEG files: each value as it is stored, or a word, or a refusal whose advice works."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from napari_channelmix.data.image_formats import open_image
from napari_channelmix.errors import DataError

Png = Callable[..., bytes]

GREY = np.arange(24 * 32).reshape(24, 32).astype(np.uint8)
COLOURS = np.stack([GREY, GREY // 2, 255 - GREY], axis=-1)


def read(path: Path, axes: str | None = None) -> np.ndarray:
    planes = open_image(path).planes(axes)
    return np.stack([plane[0 : plane.shape[0], 0 : plane.shape[1]] for plane in planes])


def test_a_palette_of_greys_is_grey_and_one_of_colours_is_rgb(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    steps = (GREY // 64).astype(np.uint8)
    picture = Image.fromarray(steps)
    picture.putpalette([value for grey in (0, 10, 40, 90) for value in (grey,) * 3])
    picture.save(path)
    np.testing.assert_array_equal(read(path)[0], np.array([0, 10, 40, 90])[steps])
    picture.putpalette([0, 0, 0, 200, 10, 10, 10, 200, 10, 10, 10, 200])
    picture.save(path)
    with pytest.raises(DataError, match='axes = "YXC" and channels'):
        read(path)
    np.testing.assert_array_equal(read(path, "YXC")[0], np.array([0, 200, 10, 10])[steps])


def test_axes_of_a_picture_that_contradict_it_are_refused(tmp_path: Path) -> None:
    Image.fromarray(COLOURS).save(tmp_path / "a.png")
    with pytest.raises(DataError, match=r"axes are YXC \(24, 32, 3\) .*CYX by the data-set file"):
        read(tmp_path / "a.png", "CYX")


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_transparency_is_left_out_with_a_word(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(COLOURS).convert(mode).save(path)
    assert open_image(path).warnings == ("its transparency is left out",)


def test_a_turned_photograph_is_not_turned_but_said(tmp_path: Path) -> None:
    about = Image.Exif()
    about[274] = 6
    Image.fromarray(GREY).save(tmp_path / "a.jpg", exif=about)
    file = open_image(tmp_path / "a.jpg")
    assert file.shape == (24, 32)
    assert "read as they are stored (EXIF orientation 6)" in file.warnings[0]


# Pillow warns too, and goes on.
@pytest.mark.filterwarnings("ignore:Corrupt EXIF data:UserWarning")
def test_broken_exif_costs_no_pixel(tmp_path: Path) -> None:
    about = Image.Exif()
    about[274] = 6
    path = tmp_path / "a.jpg"
    Image.fromarray(GREY).save(path, exif=about)
    content = path.read_bytes()
    start = content.index(b"Exif\0\0") + 10
    path.write_bytes(content[:start] + b"\xff\xff" + content[start + 2 :])
    assert read(path).shape == (1, 24, 32)


def test_cmyk_and_animations_are_refused(tmp_path: Path) -> None:
    Image.fromarray(GREY).convert("CMYK").save(tmp_path / "a.jpg")
    with pytest.raises(DataError, match="its colours are CMYK; save it as grey or RGB"):
        open_image(tmp_path / "a.jpg")
    first, second = Image.fromarray(GREY), Image.fromarray(GREY // 2)
    first.save(tmp_path / "a.png", save_all=True, append_images=[second])
    with pytest.raises(DataError, match="is animated, of 2 frames"):
        open_image(tmp_path / "a.png")


@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_sixteen_bits_are_kept_or_refused_and_the_advice_works(
    tmp_path: Path, png: Png, samples: int
) -> None:
    values = np.arange(4 * 5 * samples, dtype=np.uint16).reshape(4, 5, samples) * 700
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[samples]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    path = tmp_path / "a.png"
    path.write_bytes(png(5, 4, 16, kind, rows))
    if samples == 1:
        np.testing.assert_array_equal(read(path)[0], values[..., 0])
        return
    with pytest.raises(DataError, match=r"of 16 bits would be cut to 8 .* save it as TIFF"):
        open_image(path)
    tiff = tmp_path / "a.tif"
    if samples == 3:
        tifffile.imwrite(tiff, values, photometric="rgb")
        np.testing.assert_array_equal(read(tiff, "YXC"), np.moveaxis(values, -1, 0))


@pytest.mark.parametrize(
    ("width", "says"), [(60_000, "too many for a PNG"), (13_000, "claims 169,000,000 bytes")]
)
def test_a_bomb_is_refused_in_one_line_without_being_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, png: Png, width: int, says: str
) -> None:
    from napari_channelmix.data import file_limits

    monkeypatch.setattr(file_limits, "CLAIM_FLOOR", 100 * 2**20)
    path = tmp_path / "a.png"
    path.write_bytes(png(width, width, 8, 0, bytes(100)))
    with pytest.raises(DataError, match=says):
        open_image(path)


def test_a_picture_is_opened_by_what_it_is_and_no_other_format_is_tried(tmp_path: Path) -> None:
    Image.fromarray(GREY).save(tmp_path / "b.jpg")
    (tmp_path / "a.png").write_bytes((tmp_path / "b.jpg").read_bytes())
    np.testing.assert_array_equal(read(tmp_path / "a.png"), read(tmp_path / "b.jpg"))
    Image.fromarray(GREY).save(tmp_path / "c.gif")
    (tmp_path / "a.png").write_bytes((tmp_path / "c.gif").read_bytes())
    with pytest.raises(DataError, match="neither PNG nor JPEG by its content"):
        open_image(tmp_path / "a.png")
    tifffile.imwrite(tmp_path / "d.tif", GREY)
    (tmp_path / "a.png").write_bytes((tmp_path / "d.tif").read_bytes())
    with pytest.raises(DataError, match=r"is a TIFF by its content; rename it to a\.tif"):
        open_image(tmp_path / "a.png")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_a_truncated_picture_is_never_half_grey(tmp_path: Path, suffix: str, share: float) -> None:
    path = tmp_path / f"a.{suffix}"
    noise: Any = np.random.default_rng(0).integers(0, 255, (60, 70)).astype(np.uint8)
    Image.fromarray(noise).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="truncated"):
        read(path)
