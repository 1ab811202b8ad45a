"""A few images are looked at; what differs is said with counts."""

import numpy as np
import tifffile

from napari_channelmix.jobs import drain
from napari_channelmix.scan import scan_folder
from napari_channelmix.scan.pictures import SAMPLES, look_job


def write(folder, name, shape=(16, 24), dtype=np.uint16, **options):
    tifffile.imwrite(folder / name, np.zeros(shape, dtype), **options)


def test_pixel_types_and_sizes_that_differ_are_counted(tmp_path):
    for number in range(4):
        write(tmp_path, f"{number}.tif", dtype=np.uint8 if number == 3 else np.uint16)
    write(tmp_path, "4.tif", shape=(20, 24))
    pictures = drain(look_job(tmp_path, {"": [f"{number}.tif" for number in range(5)]}))
    assert pictures.notes() == (
        "pixel types differ (of 5 images looked at: 4 uint16, 1 uint8)",
        "sizes differ (of 5 images looked at: 4 16 x 24, 1 20 x 24 pixels)",
    )


def test_few_images_of_each_channel_are_opened(tmp_path):
    names = {channel: [f"{channel}{number}.tif" for number in range(40)] for channel in "ab"}
    for name in (*names["a"], *names["b"]):
        write(tmp_path, name)
    pictures = drain(look_job(tmp_path, names))
    assert len(pictures.opened) <= 2 * SAMPLES
    assert {picture.path for picture in pictures.opened} >= {"a0.tif", "a39.tif", "b0.tif"}


def test_images_that_cannot_be_read_are_said(tmp_path):
    write(tmp_path, "a.tif")
    (tmp_path / "b.tif").write_bytes(b"no tiff")
    notes = drain(look_job(tmp_path, {"": ["a.tif", "b.tif"]})).notes()
    assert "1 of 2 images looked at cannot be read" in notes[0] and "b.tif" in notes[0]


def test_axes_that_a_file_does_not_name_are_asked_and_never_guessed(tmp_path):
    for number in (1, 2):
        write(tmp_path, f"{number}.tif", shape=(3, 20, 24), metadata=None, photometric="minisblack")
    scan = scan_folder(tmp_path)
    question = next(choice for choice in scan.choices if choice.name == "axes")
    assert question.chosen is None
    assert question.options == ("CYX (3 channels)", "YXC (24 channels)")
    scan = scan.with_choice("axes", "CYX").with_choice("cells", "each image")
    assert list(scan.channels) == ["channel 1", "channel 2", "channel 3"]
    assert scan.cells().channels == ("channel 1", "channel 2", "channel 3")


def test_names_of_channels_come_from_the_file(tmp_path):
    options = {"metadata": {"axes": "CYX", "Channel": {"Name": ["DAPI", "GFP"]}}, "ome": True}
    for name in ("treated", "control"):
        (tmp_path / name).mkdir()
        for number in (1, 2):
            write(tmp_path / name, f"{number}.ome.tif", shape=(2, 20, 24), **options)
    scan = scan_folder(tmp_path).with_choice("cells", "each image")
    cells = scan.cells()
    assert (cells.channels, cells.classes) == (("DAPI", "GFP"), ("control", "treated"))


def test_a_colour_picture_in_the_place_of_one_channel_is_a_problem(tmp_path):
    for well in ("A01", "B02"):
        write(tmp_path, f"{well}_DAPI.tif", shape=(20, 24, 3), dtype=np.uint8, photometric="rgb")
        write(tmp_path, f"{well}_GFP.tif")
    scan = scan_folder(tmp_path, choices={"cells": "image"})
    assert any("should hold one channel and has colours" in line for line in scan.problems)


def test_channels_that_names_only_number_have_the_names_of_their_files(tmp_path):
    for well in ("A01", "B02"):
        for number, name in ((1, "DAPI"), (2, "FITC")):
            about = {"axes": "YX", "Channel": {"Name": [name]}}
            write(tmp_path, f"{well}_w{number}.ome.tif", ome=True, metadata=about)
    scan = scan_folder(tmp_path)
    assert scan.channels == {"w1": "DAPI", "w2": "FITC"}
    assert scan_folder(tmp_path, channels={"w1": "DNA"}).channels["w1"] == "DNA"


def test_a_name_that_two_channels_share_inside_is_no_name(tmp_path):
    for well in ("A01", "B02"):
        for number in (1, 2):
            about = {"axes": "YX", "Channel": {"Name": ["camera"]}}
            write(tmp_path, f"{well}_w{number}.ome.tif", ome=True, metadata=about)
    assert scan_folder(tmp_path).channels == {"w1": "w1", "w2": "w2"}
