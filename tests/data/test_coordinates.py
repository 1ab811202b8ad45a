"""One convention: a planted pixel is found again wherever a cell is written down."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import tifffile
import torch
from torch import nn

import napari_channelmix as cm
from napari_channelmix.data import Cells, open_dataset, save_dataset
from napari_channelmix.data.annotations import annotated, earlier_centres, matched_cells
from napari_channelmix.data.fields import middles, outside, square_boxes
from napari_channelmix.drl import Latents
from napari_channelmix.report.cell_table import cell_table

# The pixel, and the object, box and tile around it.
Y, X = 37, 52
KINDS = ("points", "labels", "box", "tile", "array")


def picture() -> npt.NDArray[Any]:
    plane = np.full((90, 110), 10, np.uint16)
    plane[Y, X] = 1000
    return plane


def planted(kind: str, crop: int, folder: Path) -> Cells:
    """One cell around the planted pixel."""
    plane = picture()
    if kind == "points":
        return Cells.from_points([plane], ["A"], [(Y, X)], crop=crop)
    if kind == "labels":
        labels = np.zeros(plane.shape, np.uint32)
        labels[Y - 3 : Y + 4, X - 5 : X + 6] = 2**31 + 7
        return Cells.from_labels([plane], ["A"], labels, crop=crop)
    half = crop // 2
    if kind == "array":
        part = plane[Y - half : Y - half + crop, X - half : X - half + crop]
        return Cells.from_array(part[None, None], ["A"])
    tifffile.imwrite(folder / "i.tif", plane)
    corner = {"y": Y - half, "x": X - half}
    box = {
        "ymin": corner["y"],
        "xmin": corner["x"],
        "ymax": corner["y"] + crop,
        "xmax": corner["x"] + crop,
    }
    row = corner if kind == "tile" else box
    pd.DataFrame([{"p": "i.tif", **row}]).to_csv(folder / "t.csv", index=False)
    lines = [
        'name = "planted"',
        'table = "t.csv"',
        "[channels]",
        'A = "p"',
        "[cells]",
        f'from = "{kind}"',
        f"columns = {[*row]}",
        f"crop = {crop}",
    ]
    lines += [f"size = {crop}"] if kind == "tile" else []
    (folder / "d.toml").write_text("\n".join(lines))
    return open_dataset(folder / "d.toml")


@pytest.mark.parametrize("crop", [24, 25])
@pytest.mark.parametrize("kind", KINDS)
def test_a_planted_pixel_is_found_in_the_middle_of_its_crop(
    kind: str, crop: int, tmp_path: Path
) -> None:
    cells = planted(kind, crop, tmp_path)
    peak = np.unravel_index(cells.read()[0, 0].argmax(), (crop, crop))
    assert peak == (crop // 2, crop // 2)
    corner = (0, 0) if kind == "array" else (Y - crop // 2, X - crop // 2)
    assert cells.table[["y0", "x0"]].to_numpy().tolist() == [list(corner)]
    if kind in ("points", "labels"):
        assert cells.centres.tolist() == [[Y, X]]
    else:
        # Of an even box or tile the middle lies between two pixels.
        assert cells.centres.tolist() == [[at + (crop - 1) / 2 for at in corner]]


@pytest.mark.parametrize("crop", [24, 25])
@pytest.mark.parametrize("kind", KINDS)
def test_every_table_says_the_same_place(kind: str, crop: int, tmp_path: Path) -> None:
    cells = planted(kind, crop, tmp_path)
    row = cell_table(cells)
    encoded: Any = SimpleNamespace(
        cells=cells,
        values=np.zeros((1, 2)),
        names=("a", "b"),
        prepared=SimpleNamespace(features=pd.DataFrame({"area": [1]})),
        drawing=None,
    )
    for table in (row, Latents.to_frame(encoded), annotated(cells, [0]).rows):
        text = io.StringIO(table.to_csv(index=False))
        assert pd.read_csv(text)[["y", "x"]].to_numpy().tolist() == cells.centres.tolist()
    back = open_dataset(save_dataset(cells, tmp_path / "saved"))
    assert back.signature == cells.signature
    assert back.centres.tolist() == cells.centres.tolist()
    assert row["at_border"].tolist() == [False]


@pytest.mark.parametrize("crop", [16, 17])
def test_a_map_of_a_planted_pixel_has_its_peak_on_it(crop: int, tmp_path: Path) -> None:
    cells = planted("points", crop, tmp_path)

    class Sum(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            total = (x[:, 0] - 10).sum((1, 2)) / 500
            return torch.stack([-total, total], 1)

    result = cm.explain(Sum(), cells, target=1)
    peak = np.unravel_index(result.maps[0].argmax(), (crop, crop))
    assert np.abs(np.array(peak) - crop // 2).max() <= 1
    y0, x0 = cells.table[["y0", "x0"]].to_numpy()[0]
    assert abs(y0 + peak[0] - Y) <= 1 and abs(x0 + peak[1] - X) <= 1


def test_the_rule_of_crops_is_one_for_odd_and_even_sides() -> None:
    centres = np.array([10, 10.25, 10.5, 10.75, 11])
    # Even: the four pixels whose middle is nearest, the lower ones where two are equally near.
    assert square_boxes(centres, centres, 4)[:, 0].tolist() == [8, 9, 9, 9, 9]
    # Odd: the pixel that the centre lies on is in the middle.
    assert square_boxes(centres, centres, 5)[:, 0].tolist() == [8, 8, 8, 9, 9]
    for side in (4, 5, 24, 25):
        box = square_boxes([100], [7], side)[0]
        assert (100 - box[0], 7 - box[1]) == (side // 2, side // 2)
        # The middle of a square gives that square again.
        y, x = middles(box)[0]
        assert square_boxes([y], [x], side)[0].tolist() == box.tolist()


def test_an_image_reaches_half_a_pixel_beyond_its_outer_pixel_centres() -> None:
    points = [(-0.5, 0), (9.5, 19.5), (-0.51, 0), (9.51, 0), (0, 19.6), (np.nan, 0)]
    assert outside(points, (10, 20)).tolist() == [False, False, True, True, True, True]


def test_boxes_that_are_not_square_keep_their_centre_when_they_are_saved(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "i.tif", picture())
    (tmp_path / "t.csv").write_text("p,a,b,c,d\ni.tif,30,40,45,50\ni.tif,20,20,31.5,30\n")
    (tmp_path / "d.toml").write_text(
        'name = "x"\ntable = "t.csv"\n[channels]\nA = "p"\n[cells]\nfrom = "box"\n'
        'columns = ["a", "b", "c", "d"]\ncrop = 32\n'
    )
    cells = open_dataset(tmp_path / "d.toml")
    # Rows 30 to 44 and columns 40 to 49; a side of 15 begins at 37.5 - 0.5 and ceil(37).
    assert cells.centres.tolist() == [[37, 44.5], [25.25, 24.5]]
    assert cells.table[["y0", "x0", "y1", "x1"]].to_numpy().tolist() == [
        [30, 37, 45, 52],
        [20, 19, 32, 31],
    ]
    back = open_dataset(save_dataset(cells, tmp_path / "saved"))
    assert back.centres.tolist() == cells.centres.tolist() and back.signature == cells.signature


def test_annotations_written_by_earlier_versions_are_found_again() -> None:
    cells = Cells.from_points([picture()], ["A"], [(20, 30), (Y, X)], crop=24)
    rows = annotated(cells.with_labels([0, 1], ["a", "b"])).rows
    assert matched_cells(cells, rows).tolist() == [0, 1]
    # They wrote the middle of the box, which lies between pixels.
    old = rows.assign(y=rows["y"] - 0.5, x=rows["x"] - 0.5)
    assert matched_cells(cells, old).tolist() == [0, 1]
    assert matched_cells(cells, rows.assign(y=rows["y"] + 5)).tolist() == [-1, -1]
    # Of a centre between pixels the crop began at another one: 8 of 8.3 is now 9.
    between = Cells.from_points([picture()], ["A"], [(20.3, 30)], crop=24)
    assert earlier_centres(between)[0].tolist() == [[19.5, 29.5]]
    assert matched_cells(between, old[:1]).tolist() == [0]
    # Objects of odd sizes: 7 rows from 34 on have their middle at 37.5, and halves became even.
    labels = np.zeros((90, 110), int)
    labels[34:41, 20:30] = 1
    objects = Cells.from_labels([picture()], ["A"], labels, crop=24)
    assert earlier_centres(objects)[1].tolist() == [[37.5, 24.5]]


def test_tables_of_earlier_callers_get_their_centres_from_the_boxes() -> None:
    cells = Cells.from_points([picture()], ["A"], [(Y, X)], crop=24)
    bare = Cells("bare", ("A",), (), 24, cells.fields, cells.table.drop(columns=["y", "x"]))
    assert bare.centres.tolist() == [[36.5, 51.5]]
    assert bare.signature == cells.signature
