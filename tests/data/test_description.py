"""The data-set file: each wrong key or value is one line that names it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from napari_channelmix.data.description import CellsEntry, read_description
from napari_channelmix.errors import DataError
from napari_channelmix.settings import SegmentationSettings
from napari_channelmix.settings.segmentation import segmentation_keys

GOOD = """
name = "set"
table = "labels.csv"
label = "label"
keep = {label = ["a", "b"], dose = [1, 2]}
[channels]
GFP = "gfp_path"
DNA = "dna_path"
[cells]
from = "segment"
channel = "DNA"
crop = 48
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "dataset.toml"
    path.write_text(text, "utf-8")
    return path


def test_a_good_file_is_read_and_what_is_absent_has_its_default(tmp_path: Path) -> None:
    said = read_description(written(tmp_path, GOOD))
    assert list(said.channels) == ["GFP", "DNA"]
    assert (said.cells.origin, said.cells.crop, said.cells.min_area) == ("segment", 48, 40)
    assert said.keep == {"label": ["a", "b"], "dose": [1, 2]}
    assert said.group is None
    bare = 'name = "s"\ntable = "t.csv"\n[image]\ncolumn = "path"\n'
    assert read_description(written(tmp_path, bare)).cells.origin == "image"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('table = "labels.csv"', "", "table is missing"),
        ('label = "label"', 'lable = "label"', "lable is not a key of the data-set file"),
        ("crop = 48", 'crop = "large"', r"\[cells\] crop .*, not 'large'"),
        ("crop = 48", "crop = 2", r"\[cells\] crop .*greater than or equal to 4, not 2"),
        ("crop = 48", "min_area = 0", r"\[cells\] min_area .*, not 0"),
        ('from = "segment"', 'from = "blobs"', r"\[cells\] from .*'segment'.*, not 'blobs'"),
        ('channel = "DNA"', "", r"cells from = \"segment\" needs channel"),
        ('channel = "DNA"', 'channel = "RNA"', "'RNA' is not among the channels GFP, DNA"),
        ('from = "segment"', 'from = "mask"', "needs column"),
        ('from = "segment"', 'from = "point"', r"needs columns = \[2 names\]"),
        ('from = "segment"', 'from = "box"\ncolumns = ["y", "x"]', r"columns = \[4 names\]"),
        ('from = "segment"', 'from = "tile"\ncolumns = ["y", "x"]', "needs size"),
        ("[cells]", '[image]\ncolumn = "path"\n[cells]', r"either \[channels\].* or \[image\]"),
        ('[channels]\nGFP = "gfp_path"\nDNA = "dna_path"', "", r"either \[channels\]"),
        ('GFP = "gfp_path"', "GFP = 3", r"\[channels\] GFP .*, not 3"),
        ('name = "set"', 'name = "set', r"not a data-set file \(TOML\).*line 2"),
        ("crop = 48", f"crop = {'9' * 5000}", r"not a data-set file \(TOML\)"),
        ("crop = 48", f'crop = "{"x" * 5000}"', r"crop .*, not 'x{37}\.\.\.'$"),
        ("crop = 48", "min_area = 1000000000000", "less than or equal to 1000000000"),
        ("crop = 48", f"{'k' * 5000} = 1", r"k{37}\.\.\. is not a key"),
        ('name = "set"', f"name = {'[' * 5000}{']' * 5000}", "nested too deep|not a data-set file"),
        ("[channels]", '[channels]\n" GFP" = "x"', "channels has two keys that differ only in bl"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(DataError, match=says) as said:
        read_description(path)
    assert str(said.value).startswith(f"{path}: ")
    assert "\n" not in str(said.value)


def test_a_missing_file_a_folder_and_bytes_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.toml: no such file"):
        read_description(tmp_path / "gone.toml")
    with pytest.raises(DataError, match="is a folder; name the data-set file"):
        read_description(tmp_path)
    (tmp_path / "b.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match=r"b\.toml: not a data-set file"):
        read_description(tmp_path / "b.toml")


def test_a_data_set_file_must_be_utf_8_and_no_pipe(tmp_path: Path) -> None:
    for content in (GOOD.replace("set", "fünf").encode("cp1252"), GOOD.encode("utf-16")):
        (tmp_path / "c.toml").write_bytes(content)
        with pytest.raises(DataError, match="its text is not UTF-8; save it as UTF-8"):
            read_description(tmp_path / "c.toml")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / ("a" * 300), Path("a\0b")):
        with pytest.raises(DataError, match=r"a pipe or a device|too long|NUL"):
            read_description(path)


def test_blanks_in_the_file_are_as_little_as_in_the_table(tmp_path: Path) -> None:
    text = GOOD.replace('"label"', '" label "').replace('"gfp_path"', '"gfp_path "')
    description = read_description(written(tmp_path, text))
    assert description.label == "label" and description.channels["GFP"] == "gfp_path"


def test_settings_of_segmentation_stand_under_cells(tmp_path: Path) -> None:
    keys = "diameter = 23.5\nthreshold = 0.6\ndark = true\nexpand = 4\nmin_area = 55"
    path = tmp_path / "dataset.toml"
    path.write_text(segmented(keys))
    expected = SegmentationSettings(diameter=23.5, threshold=0.6, dark=True, expand=4, min_area=55)
    assert read_description(path).cells.segmentation == expected


def test_a_file_without_settings_of_segmentation_has_none(tmp_path: Path) -> None:
    path = tmp_path / "dataset.toml"
    path.write_text(segmented("min_area = 55"))
    assert read_description(path).cells.segmentation is None


def test_what_is_written_for_settings_is_read_as_the_same() -> None:
    for settings in (
        SegmentationSettings(),
        SegmentationSettings(splitting=0, uneven=True, body_channel="GFP", clear_border=True),
    ):
        entry = {"from": "segment", "channel": "DNA", **segmentation_keys(settings)}
        assert CellsEntry.model_validate(entry).segmentation == settings


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ("diameter = 0", r"cells diameter must be 2 or more, not 0"),
        ("dark = 3", "cells dark"),
        ('diameter = "wide"', r"cells diameter must be a number"),
        ('body_channel = "actin"', "'actin' is not among the channels"),
        ("segmentation = {diameter = 5}", r"stand under \[cells\] themselves"),
        ("diametre = 5", "diametre"),
    ],
)
def test_settings_of_segmentation_that_cannot_be_are_refused(
    tmp_path: Path, keys: str, says: str
) -> None:
    path = tmp_path / "dataset.toml"
    path.write_text(segmented(keys))
    with pytest.raises(DataError, match=says):
        read_description(path)


def test_settings_of_segmentation_are_for_cells_that_are_segmented() -> None:
    with pytest.raises(ValueError, match='dark is for from = "segment"'):
        CellsEntry.model_validate({"from": "image", "dark": True})


def segmented(keys: str) -> str:
    """A data-set file whose cells are segmented, with more keys."""
    return (
        'name = "n"\ntable = "t.csv"\n[channels]\nDNA = "d"\nGFP = "g"\n'
        f'[cells]\nfrom = "segment"\nchannel = "DNA"\n{keys}\n'
    )
