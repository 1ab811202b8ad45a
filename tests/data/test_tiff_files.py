"""TIFF files: scenes, metadata that nobody asked for, and pixels that are not there."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from napari_channelmix.data.image_formats import ImageFile, open_image
from napari_channelmix.errors import DataError

GREY = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32)
STACK = np.stack([GREY, GREY + 1000])


def read(file: ImageFile, axes: str | None = None) -> np.ndarray:
    planes = file.planes(axes)
    return np.stack([plane[0 : plane.shape[0], 0 : plane.shape[1]] for plane in planes])


def ome(path: Path, **about: Any) -> Path:
    names = {"Channel": {"Name": ["DNA", "ER"]}}
    tifffile.imwrite(
        path, STACK, photometric="minisblack", metadata={"axes": "CYX", **names, **about}
    )
    return path


# ------------------------------------------------------------------ scenes


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    with tifffile.TiffWriter(tmp_path / "scenes.ome.tif") as writer:
        for number in range(3):
            writer.write(
                STACK + np.uint16(number),
                metadata={"axes": "CYX", "Name": f"field {number}"},
                photometric="minisblack",
            )
    return tmp_path / "scenes.ome.tif"


def test_several_scenes_are_listed_and_none_is_taken_unasked(scenes: Path) -> None:
    with pytest.raises(DataError, match=r"3 scenes: 0 'field 0' \(2, 24, 32\), 1 .*scene = 0"):
        open_image(scenes)


@pytest.mark.parametrize("scene", [1, "1", "field 1"])
def test_a_scene_is_chosen_by_position_or_name(scenes: Path, scene: int | str) -> None:
    np.testing.assert_array_equal(read(open_image(scenes, scene=scene)), STACK + 1)


def test_scenes_of_one_file_are_kept_apart_when_decoded(scenes: Path) -> None:
    for scene in (0, 2):
        (first, _) = open_image(scenes, scene=scene).planes(None)
        assert first[0:1, 0:1] == scene


def test_a_marked_thumbnail_is_left_out_with_a_word_and_a_pyramid_without(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "slide.tif") as writer:
        writer.write(GREY, metadata=None)
        writer.write(GREY[:8, :5], subfiletype=1, metadata=None)
    slide = open_image(tmp_path / "slide.tif")
    assert any("thumbnail" in warning for warning in slide.warnings)
    np.testing.assert_array_equal(read(slide), [GREY])
    with tifffile.TiffWriter(tmp_path / "pyramid.ome.tif") as writer:
        options: dict[str, Any] = {"photometric": "minisblack", "tile": (16, 16)}
        writer.write(STACK, subifds=1, metadata={"axes": "CYX"}, **options)
        writer.write(STACK[:, ::2, ::2], subfiletype=1, **options)
    pyramid = open_image(tmp_path / "pyramid.ome.tif")
    assert pyramid.warnings == ()
    np.testing.assert_array_equal(read(pyramid), STACK)


# ------------------------------------------------------------------ metadata nobody asked for


@pytest.mark.parametrize("size", ["0,5", "-1", "0", "nan", "inf", "1e300", "wide"])
def test_a_pixel_size_that_is_none_costs_no_pixel(tmp_path: Path, size: str) -> None:
    file = open_image(ome(tmp_path / "a.ome.tif", PhysicalSizeX=size, PhysicalSizeY=size))
    assert file.pixel_size is None
    assert len(file.warnings) == 1
    assert "pixel size" in file.warnings[0]
    assert size in file.warnings[0]
    assert file.channels == ("DNA", "ER")
    np.testing.assert_array_equal(read(file), STACK)


def test_an_unknown_unit_is_said_and_pixels_as_unit_are_no_size(tmp_path: Path) -> None:
    for unit, warned in (("furlong", 1), ("pixel", 0)):
        about = {f"PhysicalSize{axis}": 0.5 for axis in "XY"}
        about |= {f"PhysicalSize{axis}Unit": unit for axis in "XY"}
        file = open_image(ome(tmp_path / "a.ome.tif", **about))
        assert (file.pixel_size, len(file.warnings)) == (None, warned)


@pytest.mark.parametrize("damage", [(b"</Pixels>", b"</Pixelz>"), (b'SizeC="2"', b'SizeC="x"')])
def test_broken_xml_leaves_a_plain_stack_whose_axes_the_user_names(
    tmp_path: Path, damage: tuple[bytes, bytes]
) -> None:
    path = ome(tmp_path / "a.ome.tif")
    path.write_bytes(path.read_bytes().replace(*damage))
    file = open_image(path)
    assert any("OME-XML" in warning for warning in file.warnings)
    with pytest.raises(DataError, match="does not say what its axes"):
        file.planes(None)
    np.testing.assert_array_equal(read(file, "CYX"), STACK)


def test_turned_white_and_palette_pictures_are_read_as_stored_with_a_word(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, extratags=[(274, 3, 1, 6, True)])
    assert "orientation 6" in open_image(path).warnings[0]
    tifffile.imwrite(path, GREY, photometric="miniswhite", software="other")
    assert "0 is white" in open_image(path).warnings[0]
    tifffile.imwrite(path, GREY > 0)  # so tifffile writes booleans
    assert open_image(path).warnings == ()
    grey = GREY.astype(np.uint8)
    tifffile.imwrite(path, grey, photometric="palette", colormap=np.zeros((3, 256), np.uint16))
    file = open_image(path)
    assert "colour table" in file.warnings[0]
    np.testing.assert_array_equal(read(file), [grey])


# ------------------------------------------------------------------ axes and samples


def test_planar_samples_are_read_as_the_advice_says(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    samples = np.stack([GREY, GREY + 1, GREY + 2, GREY + 3])
    tifffile.imwrite(
        path, samples, photometric="rgb", planarconfig="separate", extrasamples=["unassalpha"]
    )
    file = open_image(path)
    with pytest.raises(DataError, match=r'axes = "CYX" and channels = \[4 names\]'):
        file.planes(None)
    np.testing.assert_array_equal(read(file, "CYX"), samples)
    with pytest.raises(DataError, match=r"its axes are CYX .* YXC by the data-set file"):
        file.planes("YXC")


def test_axes_against_those_of_the_file_are_refused_or_said(tmp_path: Path) -> None:
    file = open_image(ome(tmp_path / "a.ome.tif"))
    with pytest.raises(DataError, match=r"CYX \(2, 24, 32\) by its own account, YXC by"):
        file.planes("YXC")
    with pytest.raises(DataError, match="CXY by the data-set file"):
        file.planes("CXY")
    assert file.reading_of_axes("CYX") is None
    tifffile.imwrite(tmp_path / "z.tif", STACK, imagej=True, metadata={"axes": "ZYX"})
    depth = open_image(tmp_path / "z.tif")
    assert depth.reading_of_axes("CYX") == "its axes are ZYX by its own account, " + (
        "they are read as CYX"
    )
    np.testing.assert_array_equal(read(depth, "CYX"), STACK)


@pytest.mark.parametrize("dtype", ["int64", "uint64", "uint32", "float16", "float64", ">u2", "i1"])
def test_any_number_is_read_and_what_is_rounded_is_said(tmp_path: Path, dtype: str) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, (GREY // 7).astype(dtype))
    file = open_image(path)
    assert file.dtype == np.dtype(dtype).newbyteorder("=")
    assert bool(file.warnings) == (dtype in ("int64", "uint64", "uint32"))
    np.testing.assert_array_equal(read(file)[0], (GREY // 7).astype(dtype))


def test_complex_numbers_and_too_large_floats_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY.astype(np.complex64))
    with pytest.raises(DataError, match="complex numbers are not read"):
        open_image(path)
    large = GREY.astype(np.float64)
    large[3, 3] = 1e300
    tifffile.imwrite(path, large)
    (plane,) = open_image(path).planes(None)
    with pytest.raises(DataError, match=r"beyond 3\.4e38"):
        plane[0:8, 0:8]


# ------------------------------------------------------------------ pixels that are not there


def with_tag(path: Path, **values: int) -> Path:
    """The file with other values in the tags of its first page."""
    with tifffile.TiffFile(path) as tiff:
        tags = {name: tiff.pages.first.tags[name] for name in values}
        places = {name: (tag.valueoffset, 4 if tag.dtype == 4 else 2) for name, tag in tags.items()}
    content = bytearray(path.read_bytes())
    for name, value in values.items():
        start, length = places[name]
        content[start : start + length] = value.to_bytes(length, "little")
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_claim_beyond_what_the_file_holds_is_refused_before_memory_is_asked_for(
    tmp_path: Path, compression: str | None
) -> None:
    path = tmp_path / "a.tif"
    for claim in ({"ImageWidth": 1_000_000, "ImageLength": 1_000_000}, {"ImageLength": 20_000}):
        tifffile.imwrite(path, GREY, compression=compression, metadata=None)
        with pytest.raises(DataError, match=r"claims|truncated"):
            open_image(with_tag(path, **claim))
    tifffile.imwrite(path, GREY, compression=compression, metadata=None)
    with pytest.raises(DataError):
        open_image(with_tag(path, ImageWidth=0))


@pytest.mark.parametrize("silenced", [False, True])
def test_a_broken_chain_of_pages_is_refused_also_where_nothing_is_logged(
    tmp_path: Path, silenced: bool
) -> None:
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as writer:
        for number in range(3):
            writer.write(GREY + np.uint16(number), metadata=None, contiguous=False)
    with tifffile.TiffFile(path) as tiff:
        first, last = tiff.pages[0].offset, tiff.pages[2].offset
    content = path.read_bytes()
    place = content.index(last.to_bytes(4, "little"))
    logger = logging.getLogger("tifffile")
    logging.disable(logging.CRITICAL if silenced else logging.NOTSET)
    try:
        for offset in (10**8, first):
            broken = bytearray(content)
            broken[place : place + 4] = offset.to_bytes(4, "little")
            path.write_bytes(broken)
            with pytest.raises(DataError, match=r"pages are missing|circle|circular"):
                open_image(path)
    finally:
        logging.disable(logging.NOTSET)
    assert not logger.filters


def test_tiles_left_out_on_purpose_are_counted_and_all_of_them_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, tile=(16, 16))
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages.first.tags["TileByteCounts"]
        place, length = tag.valueoffset, 2 if tag.dtype == 3 else 4
    content = bytearray(path.read_bytes())
    content[place : place + length] = bytes(length)
    path.write_bytes(content)
    file = open_image(path)
    assert file.warnings == ("some of its strips or tiles hold no data and are read as 0 (1 of 4)",)
    assert read(file)[0, 0, 5] == 0
    content[place : place + 4 * length] = bytes(4 * length)
    path.write_bytes(content)
    with pytest.raises(DataError, match="none of its 4 strips or tiles hold data"):
        open_image(path)


def test_a_picture_of_another_format_is_told_by_its_content(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(20))
    with pytest.raises(DataError, match=r"is a PNG by its content; rename it to a\.png"):
        open_image(tmp_path / "a.tif")


def test_pages_that_the_metadata_do_not_count_are_said(tmp_path: Path) -> None:
    path = ome(tmp_path / "a.ome.tif")
    assert open_image(path).warnings == ()
    with tifffile.TiffFile(path) as tiff:
        description = tiff.pages.first.description.encode()
    with tifffile.TiffWriter(path) as writer:
        for page in (*STACK, GREY):
            writer.write(page, description=description, metadata=None, contiguous=False)
    file = open_image(path)
    assert file.warnings == ("its metadata do not count all of its pages (1 of 3 left out)",)
    np.testing.assert_array_equal(read(file), STACK)


@pytest.mark.parametrize("channels", [b"channels=9", b"channels=0", b"channels=x"])
def test_broken_imagej_metadata_lose_no_plane(tmp_path: Path, channels: bytes) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.stack([*STACK, GREY]), imagej=True, metadata={"axes": "CYX"})
    content = path.read_bytes().replace(b"channels=3", channels)
    path.write_bytes(content)
    file = open_image(path)
    assert file.axes is None
    np.testing.assert_array_equal(read(file, "CYX"), np.stack([*STACK, GREY]))
    # A single page that stands for all planes, as ImageJ writes large files.
    with tifffile.TiffFile(path) as tiff:
        second = tiff.pages[1].offset
    place = content.index(second.to_bytes(4, "little"))
    path.write_bytes(content[:place] + bytes(4) + content[place + 4 :])
    with pytest.raises(DataError):
        open_image(path)


def test_white_that_is_zero_is_said_unless_the_picture_is_boolean(tmp_path: Path) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(path, np.ones((8, 8), np.uint16), photometric="miniswhite")
    assert any("0 is white" in line for line in open_image(path).warnings)
    tifffile.imwrite(path, np.ones((8, 8), bool))
    assert open_image(path).warnings == ()
