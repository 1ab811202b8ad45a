"""Sets of TIFFs, each of which carries the metadata of all."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_channelmix.data.dataset import open_dataset
from napari_channelmix.data.image_formats import open_image
from napari_channelmix.errors import DataError

CHANNELS = ("DNA", "ER", "GFP")
PIXELS = np.arange(30 * 40, dtype=np.uint16).reshape(30, 40)


def planes(path: Path, *, alone: bool = False) -> np.ndarray:
    opened = open_image(path, alone=alone).planes(None)
    return np.stack([plane[0:30, 0:40] for plane in opened])


def write_set_of_files(
    folder: Path, *, uuid: bool = True, positions: int = 1, one_file_each: bool = False
) -> list[Path]:
    """A file for each channel (or each position), the values of channel c of p: + 2000 c + 9000 p.

    Every file has the OME-XML of the whole set, as Micro-Manager, Prairie and Xenium write it.
    """
    each = [(p, c) for p in range(positions) for c in range(3)]
    names = [f"p{p}.ome.tif" if one_file_each else f"p{p}c{c}.ome.tif" for p, c in each]
    files = list(dict.fromkeys(names))
    images = ""
    for p in range(positions):
        data = "".join(
            f'<TiffData FirstC="{c}" IFD="{c if one_file_each else 0}" PlaneCount="1">'
            f'<UUID FileName="{names[3 * p + c]}">urn:uuid:{files.index(names[3 * p + c])}</UUID>'
            "</TiffData>"
            for c in range(3)
        )
        channels = "".join(f'<Channel ID="C:{c}" Name="{CHANNELS[c]}"/>' for c in range(3))
        images += (
            f'<Image ID="I:{p}" Name="position {p}"><Pixels ID="P:{p}" DimensionOrder="XYCZT" '
            'Type="uint16" SizeX="40" SizeY="30" SizeZ="1" SizeC="3" SizeT="1" '
            f'PhysicalSizeX="0.5" PhysicalSizeY="0.5">{channels}{data}</Pixels></Image>'
        )
    schema = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
    for number, name in enumerate(files):
        own = f'UUID="urn:uuid:{number}"' if uuid else ""
        xml = f'<OME xmlns="{schema}" {own}>{images}</OME>'.encode()
        pages = [
            PIXELS + np.uint16(2000 * c + 9000 * p)
            for (p, c), n in zip(each, names, strict=True)
            if n == name
        ]
        with tifffile.TiffWriter(folder / name) as writer:
            for page in pages:
                writer.write(page, description=xml, metadata=None, contiguous=False)
    return [folder / name for name in files]


@pytest.mark.parametrize("uuid", [True, False])
def test_a_file_of_a_set_is_one_channel_where_a_column_names_it(tmp_path: Path, uuid: bool) -> None:
    for channel, file in enumerate(write_set_of_files(tmp_path, uuid=uuid)):
        opened = open_image(file, alone=True)
        assert (opened.axes, opened.channels) == ("YX", (CHANNELS[channel],))
        assert opened.pixel_size == (0.5, 0.5)
        np.testing.assert_array_equal(planes(file, alone=True), [PIXELS + 2000 * channel])


@pytest.mark.parametrize("uuid", [True, False])
@pytest.mark.parametrize("which", [0, 2])
def test_a_whole_set_is_read_from_any_of_its_files(tmp_path: Path, uuid: bool, which: int) -> None:
    files = write_set_of_files(tmp_path, uuid=uuid)
    assert open_image(files[which]).channels == CHANNELS
    np.testing.assert_array_equal(planes(files[which]), [PIXELS + 2000 * c for c in range(3)])


def test_a_missing_file_of_a_set_is_named_but_a_file_by_itself_is_read(tmp_path: Path) -> None:
    files = write_set_of_files(tmp_path)
    files[1].unlink()
    with pytest.raises(DataError, match=r"p0c0\.ome\.tif: the set .* lacks 'p0c1\.ome\.tif'"):
        open_image(files[0])
    np.testing.assert_array_equal(planes(files[2], alone=True), [PIXELS + 4000])


def test_each_file_of_many_positions_is_its_own_position(tmp_path: Path) -> None:
    files = write_set_of_files(tmp_path, positions=3, one_file_each=True)
    files[0].unlink()
    for position in (1, 2):
        wanted = [PIXELS + 2000 * c + 9000 * position for c in range(3)]
        np.testing.assert_array_equal(planes(files[position]), wanted)


def test_a_file_of_a_set_is_read_by_region(tmp_path: Path) -> None:
    files = write_set_of_files(tmp_path)
    plane = open_image(files[0]).planes(None)[2]
    np.testing.assert_array_equal(plane[3:9, 10:40], PIXELS[3:9, 10:40] + 4000)
    (single,) = open_image(files[1], alone=True).planes(None)
    np.testing.assert_array_equal(single[3:9, 10:40], PIXELS[3:9, 10:40] + 2000)


def test_a_renamed_file_is_read_by_itself_with_a_word(tmp_path: Path) -> None:
    files = write_set_of_files(tmp_path, uuid=False)
    renamed = files[1].rename(tmp_path / "other.ome.tif")
    opened = open_image(renamed, alone=True)
    assert any("renamed" in warning for warning in opened.warnings)
    np.testing.assert_array_equal(planes(renamed, alone=True), [PIXELS + 2000])
    with pytest.raises(DataError, match="a set of files of which it is none"):
        open_image(renamed)


def test_a_member_that_is_a_pipe_or_lies_elsewhere_is_not_opened(tmp_path: Path) -> None:
    files = write_set_of_files(tmp_path)
    files[1].unlink()
    os.mkfifo(files[1])
    with pytest.raises(DataError, match=r"p0c1\.ome\.tif: is a pipe"):
        open_image(files[0])
    content = files[0].read_bytes().replace(b"p0c2.ome.tif", b"../x/.om.tif")
    files[0].write_bytes(content)
    with pytest.raises(DataError, match=r"pipe|lacks"):
        open_image(files[0])


@pytest.mark.parametrize("order", [("DNA", "ER"), ("ER", "DNA")])
def test_columns_are_held_against_the_names_in_their_files(
    tmp_path: Path, order: tuple[str, str]
) -> None:
    write_set_of_files(tmp_path)
    (tmp_path / "table.csv").write_text("a,b\np0c0.ome.tif,p0c1.ome.tif\n")
    path = tmp_path / "dataset.toml"
    path.write_text(
        f'name = "set"\ntable = "table.csv"\n[channels]\n{order[0]} = "a"\n{order[1]} = "b"\n'
        '[cells]\nfrom = "image"\ncrop = 8\n'
    )
    if order == ("DNA", "ER"):
        cells = open_dataset(path)
        means = cells.read().mean((0, 2, 3))
        assert means == pytest.approx([PIXELS.mean(), PIXELS.mean() + 2000], rel=0.01)
        assert cells.warnings == ()
    else:
        with pytest.raises(DataError, match="is the channel 'DNA' by its own account"):
            open_dataset(path)


def micromanager_file(path: Path, channel: int, value: int) -> None:
    """One plane of a Micro-Manager stack of three channels, a file each."""
    summary = json.dumps(
        {
            "MicroManagerVersion": "2",
            "Frames": 1,
            "Slices": 1,
            "Channels": 3,
            "Positions": 1,
            "Prefix": "x",
        }
    ).encode()
    about = json.dumps({"Channel": CHANNELS[channel], "ChannelIndex": channel}).encode()
    start = 40 + len(summary)
    start += start % 2
    entries = 10
    data = start + 2 + 12 * entries + 4
    pixels = np.full((8, 8), value, "<u2").tobytes()
    text = data + len(pixels)
    index = text + len(about) + len(about) % 2
    tags = [
        (256, 4, 1, 8),
        (257, 4, 1, 8),
        (258, 3, 1, 16),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, data),
        (277, 3, 1, 1),
        (278, 4, 1, 8),
        (279, 4, 1, len(pixels)),
        (51123, 2, len(about), text),
    ]
    content = struct.pack("<2sHI", b"II", 42, start)
    content += struct.pack("<8I", 54773648, index, 483765892, 0, 99384722, 0, 2355492, len(summary))
    content = (content + summary).ljust(start, b"\0")
    content += struct.pack("<H", entries) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    content += struct.pack("<I", 0) + pixels + about
    content = content.ljust(index, b"\0")
    content += struct.pack("<7I", 3453623, 1, channel, 0, 0, 0, start)
    path.write_bytes(content)


@pytest.mark.parametrize("name", ["x_MMStack_{}.tif", "img_{}.tif"])
def test_a_micro_manager_file_of_a_set_is_one_channel(tmp_path: Path, name: str) -> None:
    for channel in range(3):
        micromanager_file(tmp_path / name.format(channel), channel, 100 + channel)
    for channel in range(3):
        opened = open_image(tmp_path / name.format(channel), alone=True)
        assert opened.channels == (CHANNELS[channel],)
        (plane,) = opened.planes(None)
        assert (plane[0:8, 0:8] == 100 + channel).all()
    if "MMStack" in name:
        pixels = [plane[0:8, 0:8] for plane in open_image(tmp_path / name.format(0)).planes(None)]
        np.testing.assert_array_equal(np.mean(pixels, axis=(1, 2)), [100, 101, 102])
    (tmp_path / name.format(1)).unlink()
    with pytest.raises(DataError, match="missing"):
        open_image(tmp_path / name.format(0))


def test_two_files_of_one_set_are_said_to_be_one_image(tmp_path: Path) -> None:
    write_set_of_files(tmp_path)
    (tmp_path / "table.csv").write_text("a\np0c0.ome.tif\np0c1.ome.tif\n")
    path = tmp_path / "dataset.toml"
    head = 'name = "set"\ntable = "table.csv"\n[image]\ncolumn = "a"\n'
    path.write_text(head + '[cells]\nfrom = "image"\ncrop = 8\n')
    assert open_dataset(path).warnings == (
        "p0c1.ome.tif: it is of the same set as another file and is read as the same image: "
        "name one file of each set (p0c0.ome.tif)",
    )
