"""What files state is held against what the user states, and against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from napari_channelmix.data.agreement import ChannelNames, FileWarnings, warnings_of_fields
from napari_channelmix.data.dataset import open_dataset
from napari_channelmix.data.fields import Field
from napari_channelmix.data.image_formats import FilePlane, ImageFile
from napari_channelmix.data.pixel_sources import ArraySource
from napari_channelmix.errors import DataError


def file(
    name: str = "a.tif",
    channels: tuple[str, ...] | None = None,
    *,
    dtype: str = "uint8",
    size: float | None = None,
    unit: str = "µm",
    warnings: tuple[str, ...] = (),
) -> ImageFile:
    sizes = None if size is None else (size, size)
    pixels = np.zeros((4, 4), dtype)
    return ImageFile(
        Path(name),
        (4, 4),
        pixels.dtype,
        "YX",
        channels,
        sizes,
        unit,
        ArraySource(pixels),
        warnings=warnings,
    )


def field(*files: ImageFile) -> Field:
    planes = tuple(FilePlane(one, "YX", None) for one in files)
    return Field("f", planes, pixel_size=files[0].pixel_size, unit=files[0].unit)


# ------------------------------------------------------------------ names


@pytest.mark.parametrize("names", [("ER", "DNA", "GFP"), ("er", "x", "y"), ("x", "y", "D N A")])
def test_names_of_the_file_in_another_order_are_refused(names: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match="by its own account"):
        ChannelNames().of_file(names, file(channels=("DNA", "ER", "GFP")))


def test_other_names_are_said_in_pairs_and_made_up_ones_state_nothing() -> None:
    names = ("nuclei", "er")
    assert ChannelNames().of_file(names, file(channels=("DNA", "E_R"))) == (
        "its channels have other names than those of the data-set file ('DNA' is read as 'nuclei')"
    )
    for made_up in (("Channel:0:0", "Channel:0:1"), ("C0", "C1"), ("ch 1", "ch 2"), ("0", "1")):
        assert ChannelNames().of_file(names, file(channels=made_up)) is None
    assert ChannelNames().of_file(names, file(channels=None)) is None


def test_files_that_disagree_among_themselves_are_refused_under_new_names_too() -> None:
    names = ChannelNames()
    names.of_file(("a", "b"), file("1.tif", ("DNA", "ER")))
    with pytest.raises(DataError, match=r"2\.tif: its channels are ER, DNA, those of 1\.tif DNA"):
        names.of_file(("a", "b"), file("2.tif", ("ER", "DNA")))


def test_a_column_is_held_against_the_channel_its_files_state() -> None:
    names = ChannelNames()
    assert names.of_column("DNA", ("DNA", "ER"), file(channels=("dna",))) is None
    assert "('DAPI' is read as 'DNA')" in str(
        names.of_column("DNA", ("DNA", "ER"), file(channels=("DAPI",)))
    )
    with pytest.raises(DataError, match="stands for 'DNA'"):
        names.of_column("DNA", ("DNA", "ER"), file(channels=("ER",)))


def test_columns_whose_files_change_places_are_refused_under_new_names_too() -> None:
    names, channels = ChannelNames(), ("a", "b")
    names.of_column("a", channels, file(channels=("DNA",)))
    names.of_column("b", channels, file(channels=("ER",)))
    with pytest.raises(DataError, match="those of 'b' are 'ER'"):
        names.of_column("a", channels, file(channels=("ER",)))


def test_two_columns_of_one_dye_are_no_contradiction() -> None:
    names, channels = ChannelNames(), ("cycle1", "cycle2")
    for _ in range(2):
        for channel in channels:
            names.of_column(channel, channels, file(channels=("DAPI",)))


# ------------------------------------------------------------------ warnings


def test_the_warning_of_many_files_is_one_line_with_their_number() -> None:
    warnings = FileWarnings()
    for number in range(3):
        warnings.add(file(f"{number}.tif", warnings=(f"its size is left out ({number} µm)",)))
        warnings.add(file(f"{number}.tif", warnings=(f"its size is left out ({number} µm)",)))
    warnings.add(file("m.tif", warnings=("its size is left out (9 µm)",)), mask=True)
    warnings.say(Path("x.tif"), "it is turned (8)")
    assert warnings.lines() == (
        "0.tif (and 2 more files): its size is left out (0 µm)",
        "x.tif: it is turned (8)",
    )


# ------------------------------------------------------------------ fields


def test_pixel_sizes_that_differ_are_said_with_their_numbers_in_one_unit() -> None:
    same = [field(file(size=0.5)), field(file(size=500, unit="nm")), field(file(size=0.502))]
    assert warnings_of_fields(same, ("a",)) == ()
    assert warnings_of_fields([*same, field(file())], ("a",)) == ()
    (line,) = warnings_of_fields([*same, field(file(size=0.25))], ("a",))
    assert "3 of 0.5 µm, 1 of 0.25 µm" in line
    (line,) = warnings_of_fields([field(file(size=0.5), file(size=0.65))], ("a", "b"))
    assert "the channels of 1 images differ in pixel size: 0.5 µm and 0.65 µm" in line


def test_pixel_types_that_differ_are_counted_by_channel() -> None:
    fields = [field(file(), file(dtype="uint16")), field(file(), file(dtype="uint8"))]
    assert warnings_of_fields(fields, ("a", "b")) == (
        "the images of channel 'b' differ in pixel type: 1 of uint16, 1 of uint8; "
        "their values may not compare",
    )
    assert warnings_of_fields([], ("a",)) == ()


def test_a_data_set_carries_the_warnings_of_its_files(tmp_path: Path) -> None:
    pixels = np.zeros((2, 24, 24), np.uint16)
    for name, size, names in (("a", "0,5", ["DNA", "ER"]), ("b", "0,65", ["DNA", "ER"])):
        tifffile.imwrite(
            tmp_path / f"{name}.ome.tif",
            pixels,
            photometric="minisblack",
            metadata={
                "axes": "CYX",
                "PhysicalSizeX": size,
                "PhysicalSizeY": size,
                "Channel": {"Name": names},
            },
        )
    (tmp_path / "t.csv").write_text("p\na.ome.tif\nb.ome.tif\n")
    path = tmp_path / "d.toml"
    head = 'name = "x"\ntable = "t.csv"\n[image]\ncolumn = "p"\n{}\n[cells]\ncrop = 8\n'
    path.write_text(head.format(""))
    assert open_dataset(path).warnings[:1] == (
        "a.ome.tif (and 1 more files): its pixel size cannot be read and is left out (0,5 µm)",
    )
    path.write_text(head.format('channels = ["DNA", "x"]'))
    assert any("('ER' is read as 'x')" in line for line in open_dataset(path).warnings)
    path.write_text(head.format('channels = ["ER", "DNA"]'))
    with pytest.raises(DataError, match=r"line 2, column 'p': .*DNA, ER by its own account"):
        open_dataset(path)
