"""OME-Zarr: paths that stay inside, data that are there, scenes that are chosen."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from napari_channelmix.data.image_formats import ImageFile, open_image
from napari_channelmix.errors import DataError

STACK = np.arange(1, 2 * 24 * 32 + 1, dtype=np.uint16).reshape(2, 24, 32)
both = pytest.mark.parametrize("version", [2, 3])


def level(path: Any = "0", **more: Any) -> dict[str, Any]:
    scale = {"type": "scale", "scale": [1.0, 0.5, 0.25]}
    return {"path": path, "coordinateTransformations": [scale], **more}


def multiscale(**more: Any) -> dict[str, Any]:
    axes = [{"name": name, "unit": "micrometer"} for name in "cyx"]
    return {"version": "0.4", "axes": axes, "datasets": [level()], **more}


def write(folder: Path, version: int, *, pixels: Any = STACK, **about: Any) -> Path:
    """An image in chunks of 16 x 16; ``about`` replaces parts of its attributes."""
    attributes = {
        "multiscales": [multiscale()],
        "omero": {"channels": [{"label": "DNA"}, {"label": "ER"}]},
        **about,
    }
    shutil.rmtree(folder, ignore_errors=True)
    group = zarr.open_group(folder, mode="w", zarr_format=2 if version == 2 else 3)
    group.attrs.update(attributes if version == 2 else {"ome": attributes})
    shape = (1,) * (pixels.ndim - 2) + (16, 16)
    array = group.create_array("0", shape=pixels.shape, dtype=pixels.dtype, chunks=shape)
    array[...] = pixels
    return folder


def chunks(folder: Path) -> list[Path]:
    names = ("zarr.json", ".zarray", ".zattrs", ".zgroup")
    return sorted(p for p in (folder / "0").rglob("*") if p.is_file() and p.name not in names)


def read(file: ImageFile, axes: str | None = None) -> np.ndarray:
    return np.stack([plane[0:24, 0:32] for plane in file.planes(axes)])


# ------------------------------------------------------------------ paths


@both
@pytest.mark.parametrize("name", ["../other.zarr/0", "0/../../other.zarr/0", "/etc", "C:\\x", 7])
def test_a_path_that_leaves_the_folder_is_refused(tmp_path: Path, version: int, name: Any) -> None:
    write(tmp_path / "other.zarr", version)
    path = write(tmp_path / "a.zarr", version, multiscales=[multiscale(datasets=[level(name)])])
    with pytest.raises(DataError, match=r"lies outside its folder|name no array"):
        open_image(path)


@both
def test_links_that_leave_the_folder_are_refused_and_pipes_do_not_block(
    tmp_path: Path, version: int
) -> None:
    other = write(tmp_path / "other.zarr", version)
    path = write(tmp_path / "a.zarr", version)
    shutil.rmtree(path / "0")
    (path / "0").symlink_to(other / "0")
    with pytest.raises(DataError, match="a link that leads out of its folder"):
        open_image(path)
    chunk = chunks(write(path, version))[0]
    chunk.unlink()
    chunk.symlink_to(chunks(other)[0])
    with pytest.raises(DataError, match="leads out of its folder"):
        read(open_image(path))
    chunk.unlink()
    os.mkfifo(chunk)
    with pytest.raises(DataError, match="is a pipe"):
        read(open_image(path))
    metadata = path / (".zattrs" if version == 2 else "zarr.json")
    metadata.unlink()
    os.mkfifo(metadata)
    with pytest.raises(DataError, match="is a pipe"):
        open_image(path)


def test_metadata_nested_without_end_are_one_line(tmp_path: Path) -> None:
    path = write(tmp_path / "a.zarr", 2)
    (path / ".zattrs").write_text("[" * 100_000)
    with pytest.raises(DataError, match="nested too deeply"):
        open_image(path)


# ------------------------------------------------------------------ data


@both
def test_some_chunks_missing_are_counted_and_all_missing_is_refused(
    tmp_path: Path, version: int
) -> None:
    path = write(tmp_path / "a.zarr", version)
    files = chunks(path)
    assert len(files) == 8
    files[0].unlink()
    file = open_image(path)
    assert file.warnings == ("some of its chunks hold no data and are read as 0 (1 of 8)",)
    assert (read(file)[0, :16, :16] == 0).all()
    for chunk in files[1:]:
        chunk.unlink()
    with pytest.raises(DataError, match="none of its 8 chunks are there"):
        open_image(path)
    # A label image of nothing but background is written so.
    assert open_image(path, mask=True).shape == (2, 24, 32)


@both
def test_a_claim_beyond_the_data_is_refused(tmp_path: Path, version: int) -> None:
    path = write(tmp_path / "a.zarr", version)
    metadata = path / "0" / (".zarray" if version == 2 else "zarr.json")
    about = json.loads(metadata.read_text())
    about["shape"] = [2, 10**6, 10**6]
    metadata.write_text(json.dumps(about))
    with pytest.raises(DataError, match="in 3,906,250,000 chunks"):
        open_image(path)
    if version == 2:
        about["chunks"] = [1, 10**5, 10**5]
    else:
        about["chunk_grid"]["configuration"]["chunk_shape"] = [1, 10**5, 10**5]
    metadata.write_text(json.dumps(about))
    with pytest.raises(DataError, match="claims 20,000,000,000 bytes of pixels in one chunk"):
        open_image(path)


@pytest.mark.parametrize("dtype", ["complex64", "M8[s]"])
def test_pixels_that_are_no_numbers_are_refused(tmp_path: Path, dtype: str) -> None:
    path = write(tmp_path / "a.zarr", 2, pixels=STACK.astype(dtype))
    with pytest.raises(DataError, match=r"pixels of type .* are not read"):
        open_image(path)


# ------------------------------------------------------------------ scenes


@both
def test_several_images_are_listed_and_one_is_chosen(tmp_path: Path, version: int) -> None:
    group = tmp_path / "two.zarr"
    write(group, version, multiscales=[multiscale(name="one"), multiscale(name="two")])
    with pytest.raises(DataError, match=r"2 scenes: 0 'one' \(2, 24, 32\), 1 'two'"):
        open_image(group)
    assert read(open_image(group, scene="two")).shape == STACK.shape


@both
def test_the_layout_of_bioformats2raw_is_read_by_its_folders(tmp_path: Path, version: int) -> None:
    path = tmp_path / "a.zarr"
    group = zarr.open_group(path, mode="w", zarr_format=version)  # type: ignore[arg-type]
    about = {"bioformats2raw.layout": 3}
    group.attrs.update(about if version == 2 else {"ome": about})
    write(path / "0", version)
    np.testing.assert_array_equal(read(open_image(path)), STACK)
    write(path / "1", version, pixels=STACK + np.uint16(5))
    with pytest.raises(DataError, match="has 2 scenes"):
        open_image(path)
    np.testing.assert_array_equal(read(open_image(path, scene=1)), STACK + 5)


@both
def test_a_plate_or_a_well_is_no_image_and_a_field_is_named(tmp_path: Path, version: int) -> None:
    plate = {"wells": [{"path": "B/2"}]}
    path = write(tmp_path / "a.zarr", version, multiscales=[], plate=plate)
    with pytest.raises(DataError, match=r"is a plate of many images.* such as .*a\.zarr/B/2/0"):
        open_image(path)


# ------------------------------------------------------------------ metadata nobody asked for


@both
@pytest.mark.parametrize(
    "omero", [None, [], {"channels": 3}, {"channels": [1, 2]}, {"channels": [{"label": "A"}]}, "x"]
)
def test_a_broken_omero_block_costs_no_pixel(tmp_path: Path, version: int, omero: Any) -> None:
    file = open_image(write(tmp_path / "a.zarr", version, omero=omero))
    assert file.channels is None
    assert len(file.warnings) == (omero is not None)
    np.testing.assert_array_equal(read(file), STACK)


@both
@pytest.mark.parametrize("axes", [[{"name": "y"}, {"name": "x"}], 5, None])
def test_axes_of_a_wrong_length_are_left_to_the_user(
    tmp_path: Path, version: int, axes: Any
) -> None:
    file = open_image(write(tmp_path / "a.zarr", version, multiscales=[multiscale(axes=axes)]))
    with pytest.raises(DataError, match="does not say what its axes"):
        file.planes(None)
    np.testing.assert_array_equal(read(file, "CYX"), STACK)


@both
def test_the_scale_of_all_levels_counts_and_a_broken_one_is_left_out(
    tmp_path: Path, version: int
) -> None:
    twice = [{"type": "scale", "scale": [1, 2, 2]}]
    about = multiscale(coordinateTransformations=twice)
    file = open_image(write(tmp_path / "a.zarr", version, multiscales=[about]))
    assert (file.pixel_size, file.unit) == ((1.0, 0.5), "micrometer")
    about = multiscale(coordinateTransformations=[{"type": "scale", "scale": "x"}])
    file = open_image(write(tmp_path / "a.zarr", version, multiscales=[about]))
    assert file.pixel_size is None
    assert file.warnings == ("its scale cannot be read and is left out",)
