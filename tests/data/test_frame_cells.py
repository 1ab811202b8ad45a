"""Cells of a DataFrame: which columns say what, and which go along as keys."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two images of 40 x 50 pixels with two channels, and label images of the cells 4 and 9."""
    labels = np.zeros((40, 50), np.uint16)
    labels[5:12, 5:11] = 4
    labels[20:31, 30:39] = 9
    for name in "ab":
        stack = np.arange(4000, dtype=np.uint16).reshape(2, 40, 50)
        tifffile.imwrite(
            tmp_path / f"{name}.ome.tif",
            stack,
            photometric="minisblack",
            metadata={"axes": "CYX", "Channel": {"Name": ["DNA", "GFP"]}},
        )
        for channel, plane in zip(("dna", "gfp"), stack, strict=True):
            tifffile.imwrite(tmp_path / f"{name}_{channel}.tif", plane)
        tifffile.imwrite(tmp_path / f"{name}_mask.tif", labels)
    return tmp_path


@pytest.fixture
def objects(folder: Path) -> pd.DataFrame:
    """A row per object, as CellProfiler writes them."""
    frame = pd.DataFrame(
        {
            "ImageNumber": [1, 1, 2, 2],
            "ObjectNumber": [9, 4, 4, 9],
            "stack": ["a.ome.tif"] * 2 + ["b.ome.tif"] * 2,
            "dna": ["a_dna.tif"] * 2 + ["b_dna.tif"] * 2,
            "gfp": ["a_gfp.tif"] * 2 + ["b_gfp.tif"] * 2,
            "mask": ["a_mask.tif"] * 2 + ["b_mask.tif"] * 2,
            "Location_X": [34.0, 7.5, 7.5, 34.0],
            "Location_Y": [25.0, 8.0, 8.0, 25.0],
            "state": ["live", None, "dead", "live"],
        }
    )
    return frame.set_index(pd.Index(["p", "q", "r", "s"], name="cell_id"))


def test_objects_of_label_images_keep_the_columns_that_name_them(
    folder: Path, objects: pd.DataFrame
) -> None:
    result = Cells.from_frame(
        objects,
        image="stack",
        mask="mask",
        object="ObjectNumber",
        label="state",
        group="ImageNumber",
        crop=12,
        folder=folder,
    )
    assert result.channels == ("DNA", "GFP") and result.classes == ("dead", "live")
    assert result.labels.tolist() == [1, -1, 0, 1]
    # Rows 20 to 30 and columns 30 to 38; rows 5 to 11 and columns 5 to 10.
    assert result.centres.tolist() == [[25, 34], [8, 7.5], [8, 7.5], [25, 34]]
    assert result.keys["cell_id"].tolist() == ["p", "q", "r", "s"]
    assert result.keys["ImageNumber"].tolist() == ["1", "1", "2", "2"]
    assert result.groups.tolist() == ["1", "1", "2", "2"]
    assert result.field_names == ("a", "b")
    joined = result.to_frame().merge(objects.reset_index(), on="cell_id")
    assert joined["ObjectNumber_y"].tolist() == [9, 4, 4, 9]


def test_points_and_a_column_of_files_for_each_channel(folder: Path, objects: pd.DataFrame) -> None:
    result = Cells.from_frame(
        objects,
        channels={"GFP": "gfp", "nuclei": "dna"},
        x="Location_X",
        y="Location_Y",
        crop=8,
        folder=folder,
    )
    assert result.channels == ("GFP", "nuclei")
    # The crop of the first begins at row 25 - 4 and column 34 - 4.
    assert result.read([0])[0, 1, 0, 0] == 21 * 50 + 30
    # An index that is only a number goes along too: rows that are left out leave gaps.
    plain = Cells.from_frame(
        objects.reset_index(drop=True),
        image="stack",
        x="Location_X",
        y="Location_Y",
        crop=8,
        folder=folder,
    )
    assert plain.keys["index"].tolist() == ["0", "1", "2", "3"]
    assert plain.conditions is None


def test_whole_images(folder: Path, objects: pd.DataFrame) -> None:
    images = objects.iloc[[0, 2]]
    result = Cells.from_frame(images, image="stack", label="state", folder=folder, crop=20)
    assert result.shape == (2, 2, 20, 20) and result.class_counts == {"dead": 1, "live": 1}


def test_the_index_is_no_condition_of_groups(folder: Path, objects: pd.DataFrame) -> None:
    images = objects.iloc[[0, 2]]
    result = Cells.from_frame(images, image="stack", group="ImageNumber", folder=folder)
    assert result.conditions is not None and "cell_id" not in result.conditions


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({}, "objects: say where the images are: image="),
        ({"image": "stack", "x": "Location_X"}, "objects: x and y are two columns"),
        ({"image": "stack", "object": "ObjectNumber"}, "objects: object='ObjectNumber' is the id"),
        ({"image": "stack", "channels": {"DNA": "dna"}}, "objects: with image='stack' channels"),
        ({"channels": {"DNA": "dna"}, "axes": "CYX"}, "objects: axes are for image="),
        ({"image": "Stack"}, "objects: no column 'Stack'; it has .* is 'stack' meant?"),
        ({"image": "stack", "crop": 2}, "objects: .*crop.* greater than or equal to 4"),
        (
            {"image": "dna", "channels": ["A", "B"]},
            "objects, cell_id p, column 'dna': .* 1 channel",
        ),
    ],
)
def test_columns_that_do_not_go_together_are_refused(
    folder: Path, objects: pd.DataFrame, columns: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says):
        Cells.from_frame(objects, folder=folder, name="objects", **columns)


def test_rows_of_a_stack_name_their_plane(folder: Path) -> None:
    film = np.arange(3 * 40 * 50, dtype=np.uint16).reshape(3, 40, 50)
    tifffile.imwrite(folder / "film.ome.tif", film, metadata={"axes": "TYX"})
    frame = pd.DataFrame({"f": "film.ome.tif", "frame": [2, 0], "y": [20, 12], "x": [30, 9]})
    planes = {"t": "each", "t_column": "frame"}
    result = Cells.from_frame(
        frame, image="f", x="x", y="y", crop=8, planes=planes, folder=folder, name="film"
    )
    assert result.read()[:, 0, 4, 4].tolist() == [film[2, 20, 30], film[0, 12, 9]]
    with pytest.raises(DataError, match=r'film: .*must be "each", "maximum"'):
        Cells.from_frame(frame, image="f", planes={"t": "all"}, folder=folder, name="film")
