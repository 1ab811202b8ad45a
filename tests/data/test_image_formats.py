"""Image files: what they say of themselves, which are refused, and reading by region."""

from __future__ import annotations

import json
import struct
import zlib
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import tifffile
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from napari_channelmix.data.image_formats import ImageFile, open_image
from napari_channelmix.data.pixel_sources import ArraySource
from napari_channelmix.data.tiff_source import TiffSource
from napari_channelmix.errors import DataError

Pixels = npt.NDArray[Any]


@pytest.fixture
def stack() -> Pixels:
    return np.random.default_rng(0).integers(0, 60000, (3, 40, 50)).astype(np.uint16)


def read(path: Path, axes: str | None = None) -> Pixels:
    planes = open_image(path).planes(axes)
    return np.stack([plane[0 : plane.shape[0], 0 : plane.shape[1]] for plane in planes])


def write_zarr(path: Path, pixels: Pixels, version: str, axes: str, names: list[str]) -> Path:
    """Write an OME-Zarr image of one level, as the specification of that version has it."""
    known = {"t": "time", "c": "channel", "z": "space", "y": "space", "x": "space"}
    about: dict[str, Any] = {
        "multiscales": [
            {
                "version": version,
                "axes": [
                    {"name": a, "type": known[a]}
                    | ({"unit": "micrometer"} if known[a] == "space" else {})
                    for a in axes
                ],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {
                                "type": "scale",
                                "scale": [{"y": 0.5, "x": 0.25}.get(a, 1.0) for a in axes],
                            }
                        ],
                    }
                ],
            }
        ],
        "omero": {"channels": [{"label": name, "color": "FFFFFF"} for name in names]},
    }
    new = version == "0.5"
    group = zarr.open_group(path, mode="w", zarr_format=3 if new else 2)
    group.attrs.update({"ome": {**about, "version": "0.5"}} if new else about)
    array = group.create_array(
        "0", shape=pixels.shape, dtype=pixels.dtype, chunks=(*pixels.shape[:-2], 16, 16)
    )
    array[...] = pixels
    return path


# ------------------------------------------------------------------ what a file says of itself


def test_ome_tiff_gives_axes_names_and_pixel_size(tmp_path: Path, stack: Pixels) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path,
        stack,
        photometric="minisblack",
        metadata={
            "axes": "CYX",
            "Channel": {"Name": ["DNA", "CD8a", "µ-tubulin"]},
            "PhysicalSizeY": 0.5,
            "PhysicalSizeX": 0.25,
            "PhysicalSizeYUnit": "nm",
            "PhysicalSizeXUnit": "nm",
        },
    )
    file = open_image(path)
    assert (file.axes, file.shape, file.dtype) == ("CYX", stack.shape, np.uint16)
    assert file.channels == ("DNA", "CD8a", "µ-tubulin")
    assert (file.pixel_size, file.unit) == ((0.5, 0.25), "nm")
    np.testing.assert_array_equal(read(path), stack)


def test_ome_tiff_with_some_names_missing_has_none(tmp_path: Path, stack: Pixels) -> None:
    path = tmp_path / "a.ome.tif"
    about = {"axes": "CYX", "Channel": {"Name": ["DNA", "", "GFP"]}}
    tifffile.imwrite(path, stack, photometric="minisblack", metadata=about)
    assert open_image(path).channels is None


@pytest.mark.parametrize(("written", "unit"), [("um", "um"), ("\\u00B5m", "µm")])
def test_imagej_hyperstack_gives_axes_labels_and_pixel_size(
    tmp_path: Path, stack: Pixels, written: str, unit: str
) -> None:
    path = tmp_path / "a.tif"
    about = {"axes": "CYX", "Labels": ["DNA", "GFP", "RFP"], "unit": written}
    tifffile.imwrite(path, stack, imagej=True, resolution=(4.0, 2.0), metadata=about)
    file = open_image(path)
    assert (file.axes, file.channels) == ("CYX", ("DNA", "GFP", "RFP"))
    assert file.pixel_size == pytest.approx((0.5, 0.25))
    assert file.unit == unit
    np.testing.assert_array_equal(read(path), stack)


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_ome_zarr_gives_axes_labels_and_pixel_size(
    tmp_path: Path, stack: Pixels, version: str
) -> None:
    names = ["DNA", "GFP", "RFP"]
    path = write_zarr(tmp_path / "a.zarr", stack, version, "cyx", names)
    file = open_image(path)
    assert (file.axes, file.shape, file.dtype) == ("CYX", stack.shape, np.uint16)
    assert file.channels == tuple(names)
    assert (file.pixel_size, file.unit) == ((0.5, 0.25), "micrometer")
    np.testing.assert_array_equal(read(path), stack)


def test_axes_of_length_one_are_dropped(tmp_path: Path, stack: Pixels) -> None:
    full = stack[None, :, None]
    path = write_zarr(tmp_path / "a.zarr", full, "0.4", "tczyx", ["a", "b", "c"])
    assert open_image(path).axes == "CYX"
    np.testing.assert_array_equal(read(path), stack)
    np.testing.assert_array_equal(read(path, "TCZYX"), stack)
    np.testing.assert_array_equal(read(path, "CYX"), stack)
    tiff = tmp_path / "a.ome.tif"
    tifffile.imwrite(tiff, full, photometric="minisblack", metadata={"axes": "TCZYX"})
    np.testing.assert_array_equal(read(tiff), stack)


def test_axes_may_name_a_single_z_of_a_file_that_says_nothing(
    tmp_path: Path, stack: Pixels
) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, stack[None], photometric="minisblack", planarconfig=None)
    np.testing.assert_array_equal(read(path, "ZCYX"), stack)
    np.testing.assert_array_equal(read(path, "CYX"), stack)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_grey_files_keep_dtype_and_values(tmp_path: Path, stack: Pixels, dtype: Any) -> None:
    picture = (stack[0] / 300).astype(dtype)
    paths = [tmp_path / "a.tif", tmp_path / "b.tiff"]
    tifffile.imwrite(paths[0], picture)
    tifffile.imwrite(paths[1], picture, compression="zlib", tile=(16, 16))
    if dtype is not np.float32:
        paths.append(tmp_path / "c.png")
        Image.fromarray(picture).save(paths[-1])
    for path in paths:
        file = open_image(path)
        assert (file.axes, file.dtype, file.channels) == ("YX", np.dtype(dtype), None)
        np.testing.assert_array_equal(read(path)[0], picture)


def test_sixteen_bit_png_keeps_its_range(tmp_path: Path) -> None:
    picture = np.array([[0, 255, 256, 65535]] * 4, dtype=np.uint16)
    Image.fromarray(picture).save(tmp_path / "a.png")
    np.testing.assert_array_equal(read(tmp_path / "a.png")[0], picture)


# ------------------------------------------------------------------ never guessed silently


def test_a_plain_stack_is_refused_with_the_remedy_and_read_with_it(
    tmp_path: Path, stack: Pixels
) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", metadata=None)
    with pytest.raises(DataError, match=r'plain\.tif: .*axes .*\(3, 40, 50\).*axes = "CYX" under'):
        read(path)
    np.testing.assert_array_equal(read(path, "CYX"), stack)
    np.testing.assert_array_equal(read(path, "cyx"), stack)


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif"])
def test_rgb_is_refused_unless_its_colours_are_asked_for(tmp_path: Path, name: str) -> None:
    colours = np.full((24, 30, 3), (200, 100, 50), dtype=np.uint8)
    path = tmp_path / name
    if name == "a.tif":
        tifffile.imwrite(path, colours, photometric="rgb")
    else:
        Image.fromarray(colours).save(path)
    with pytest.raises(DataError, match=rf'{name}: this is an RGB image.*axes = "YXC"'):
        read(path)
    planes = read(path, "YXC")
    assert planes.shape == (3, 24, 30)
    np.testing.assert_allclose(planes[:, 5, 5], (200, 100, 50), atol=3)


def test_transparency_is_no_channel(tmp_path: Path) -> None:
    Image.new("RGBA", (20, 20), (1, 2, 3, 4)).save(tmp_path / "a.png")
    assert read(tmp_path / "a.png", "YXC")[:, 0, 0].tolist() == [1, 2, 3]


def test_rgb_of_sixteen_bits_is_refused_because_it_would_be_cut_to_eight(tmp_path: Path) -> None:
    def chunk(kind: bytes, content: bytes) -> bytes:
        check = zlib.crc32(kind + content)
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)

    rows = b"".join(b"\0" + np.full((8, 3), 300, ">u2").tobytes() for _ in range(8))
    head = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    content = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    with pytest.raises(DataError, match=r"a\.png: .*16 bits.*TIFF"):
        read(path, "YXC")


@pytest.mark.parametrize("axes", ["ZCYX", "TCYX"])
def test_stacks_over_time_or_depth_are_refused(tmp_path: Path, stack: Pixels, axes: str) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(
        path, np.stack([stack, stack]), photometric="minisblack", metadata={"axes": axes}
    )
    with pytest.raises(DataError, match=rf"a\.ome\.tif: axes {axes}.*only 2-D.*along {axes[0]}"):
        read(path)


@pytest.mark.parametrize(
    ("axes", "says"),
    [
        ("YX", "name 2 dimensions, the file has 3"),
        ("CCX", "one Y, one X"),
        ("QYX", "only 2-D images"),
        ("TCZYX", "name 5 dimensions"),
    ],
)
def test_axes_that_do_not_fit_are_refused(
    tmp_path: Path, stack: Pixels, axes: str, says: str
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", metadata=None)
    with pytest.raises(DataError, match=says):
        read(path, axes)


@settings(deadline=None)
@given(order=st.sampled_from(["".join(p) for p in permutations("CYX")]), seed=st.integers(0, 99))
def test_any_order_of_axes_gives_the_same_planes(order: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 255, (rng.integers(1, 5), 7, 11), dtype=np.uint8)
    stored = pixels.transpose(["CYX".index(axis) for axis in order])
    file = ImageFile(
        Path("x.tif"), stored.shape, stored.dtype, order, None, None, None, ArraySource(stored)
    )
    y0, x0 = rng.integers(0, 5, 2)
    planes = file.planes(None)
    assert [plane.shape for plane in planes] == [(7, 11)] * len(pixels)
    for plane, wanted in zip(planes, pixels, strict=True):
        np.testing.assert_array_equal(
            plane[y0 : y0 + 3, x0 : x0 + 4], wanted[y0 : y0 + 3, x0 : x0 + 4]
        )


# ------------------------------------------------------------------ broken files


def test_a_missing_file_and_another_kind_of_file_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.tif: no such file"):
        open_image(tmp_path / "gone.tif")
    (tmp_path / "notes.docx").write_text("")
    with pytest.raises(DataError, match=r"notes\.docx: files of kind '\.docx' .*use TIFF"):
        open_image(tmp_path / "notes.docx")
    (tmp_path / "README").write_text("")
    with pytest.raises(DataError, match=r"README: what has no suffix is not read"):
        open_image(tmp_path / "README")
    (tmp_path / "b.zarr").mkdir()
    with pytest.raises(DataError, match=r"b\.zarr: not an OME-Zarr image"):
        open_image(tmp_path / "b.zarr")


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("kind", ["plain", "tiled", "imagej", "png", "jpg"])
def test_a_truncated_picture_is_one_line_and_never_half_read(
    tmp_path: Path, stack: Pixels, kind: str, share: float
) -> None:
    path = tmp_path / f"cut.{kind if kind in ('png', 'jpg') else 'tif'}"
    if kind == "plain":
        tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": "CYX"})
    elif kind == "tiled":
        about = {"axes": "CYX"}
        tifffile.imwrite(
            path, stack, photometric="minisblack", metadata=about, compression="zlib", tile=(16, 16)
        )
    elif kind == "imagej":
        tifffile.imwrite(path, stack, imagej=True, metadata={"axes": "CYX"})
    else:
        Image.fromarray((stack[0] >> 8).astype(np.uint8)).save(path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"cut\.\w+: cannot be read, is it truncated\?") as said:
        read(path)
    assert "\n" not in str(said.value)


def test_a_truncated_zarr_chunk_and_a_truncated_header_are_one_line(
    tmp_path: Path, stack: Pixels
) -> None:
    path = write_zarr(tmp_path / "a.zarr", stack, "0.5", "cyx", [])
    chunk = next(one for one in (path / "0" / "c").rglob("*") if one.is_file())
    chunk.write_bytes(chunk.read_bytes()[:20])
    with pytest.raises(DataError, match=r"a\.zarr: cannot be read"):
        read(path)
    head = path / "zarr.json"
    head.write_text(head.read_text()[:50])
    with pytest.raises(DataError, match=r"a\.zarr: cannot be read"):
        open_image(path)


def test_compression_that_needs_an_extra_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, np.zeros((8, 8), np.uint8), compression="zlib")

    def decode(*_: Any, **__: Any) -> None:
        raise ValueError("<COMPRESSION.LZW: 5> requires the 'imagecodecs' package")

    monkeypatch.setattr(tifffile.TiffPage, "decode", decode)
    with pytest.raises(DataError, match=r"a\.tif: .*pip install 'napari-channelmix\[io\]'"):
        read(path)


# ------------------------------------------------------------------ laziness


def test_opening_reads_no_pixels(
    tmp_path: Path, stack: Pixels, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[object] = []
    monkeypatch.setattr(TiffSource, "decode", lambda *given: reads.append(given))
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, stack, photometric="minisblack", metadata={"axes": "CYX"})
    plane = open_image(path).planes(None)[1]
    assert (plane.shape, plane.dtype) == ((40, 50), np.uint16)
    assert not reads


def test_a_tiled_tiff_is_read_by_region(tmp_path: Path, stack: Pixels) -> None:
    path = tmp_path / "a.tif"
    about = {"axes": "CYX"}
    tifffile.imwrite(
        path, stack, photometric="minisblack", metadata=about, compression="zlib", tile=(16, 16)
    )
    # Damage to the last tile does not touch what lies elsewhere.
    with tifffile.TiffFile(path) as tiff:
        offset = tiff.series[0].pages[2].dataoffsets[-1]
    content = bytearray(path.read_bytes())
    content[offset : offset + 8] = b"\0" * 8
    path.write_bytes(content)
    plane = open_image(path).planes(None)[2]
    np.testing.assert_array_equal(plane[10:30, 20:45], stack[2, 10:30, 20:45])
    with pytest.raises(DataError, match=r"a\.tif: cannot be read.*tile 12 of page 3"):
        plane[35:40, 49:50]


@pytest.mark.parametrize("axes", ["tczyx", "cyx"])
def test_a_zarr_is_read_by_region(tmp_path: Path, stack: Pixels, axes: str) -> None:
    full = stack[None, :, None] if axes == "tczyx" else stack
    path = write_zarr(tmp_path / "a.zarr", full, "0.4", axes, [])
    plane = open_image(path).planes(None)[1]
    np.testing.assert_array_equal(plane[10:30, 20:45], stack[1, 10:30, 20:45])


@pytest.mark.parametrize("region", [(slice(None, None, 3), slice(5, 41, 2)), np.s_[30:2:-1, ::-4]])
def test_a_region_may_have_steps(tmp_path: Path, stack: Pixels, region: Any) -> None:
    path = tmp_path / "a.tif"
    about = {"axes": "CYX"}
    tifffile.imwrite(
        path, stack, photometric="minisblack", metadata=about, compression="zlib", tile=(16, 16)
    )
    plane = open_image(path).planes(None)[2]
    np.testing.assert_array_equal(plane[region], stack[2][region])


def test_zarr_attributes_without_multiscales_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.zarr"
    path.mkdir()
    (path / ".zattrs").write_text(json.dumps({"plate": {}}))
    with pytest.raises(DataError, match="multiscales"):
        open_image(path)
