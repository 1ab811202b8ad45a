"""What is said of a folder before anything is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import tifffile

from napari_channelmix.errors import DataError
from napari_channelmix.jobs import drain
from napari_channelmix.scan import scan_folder
from napari_channelmix.viewer.pages.data.importing.jobs import open_saved_job
from napari_channelmix.viewer.pages.data.importing.preview import preview_job

if TYPE_CHECKING:
    from pathlib import Path

PIXELS = np.zeros((8, 8), np.uint16)


def _write(folder: Path, *names: str) -> Path:
    for name in names:
        tifffile.imwrite(folder / name, PIXELS)
    return folder


@pytest.mark.parametrize(
    ("left_out", "said"), [((), "2 fields in each"), (("B02", 2), "1 to 2 fields in each")]
)
def test_fields_are_counted_in_every_well(
    tmp_path: Path, left_out: tuple[object, ...], said: str
) -> None:
    names = [
        f"p_{well}_s{field}_w{wave}.tif"
        for well in ("A01", "A02", "B01", "B02")
        for field in (1, 2)
        for wave in (1, 2)
        if (well, field) != left_out
    ]
    preview = drain(preview_job(scan_folder(_write(tmp_path, *names))))
    assert f"4 wells, {said}, 2 channels" in preview.sentence


def test_a_channel_that_is_left_out_is_not_counted(tmp_path: Path) -> None:
    names = [f"{well}_f1_{name}.tif" for well in ("A01", "A02") for name in ("DAPI", "GFP")]
    scan = scan_folder(_write(tmp_path, *names, "A01_f1_Cy5.tif"))
    assert "3 channels" in drain(preview_job(scan)).sentence
    scan = scan.with_choice("incomplete", "without channel Cy5")
    assert "2 channels: DAPI, GFP" in drain(preview_job(scan)).sentence


def test_images_of_another_style_and_open_questions_are_said(tmp_path: Path) -> None:
    names = [f"p_{well}_s1_w1.tif" for well in ("A01", "A02", "B01", "B02")]
    others = [f"sample {number} DAPI.tif" for number in range(3)]
    preview = drain(preview_job(scan_folder(_write(tmp_path, *names, *others))))
    assert preview.detail.startswith("4 files, 3 other images left out, ")
    assert "which are read? What is a cell?" in preview.problems[0]


def test_where_opening_fails_no_line_of_a_table_is_named_that_is_gone(tmp_path: Path) -> None:
    folder = _write(tmp_path, "a.tif", "b.tif")
    for name in ("a", "b"):
        tifffile.imwrite(folder / f"{name}_mask.tif", np.ones((4, 8), np.uint16))
    scan = scan_folder(folder)
    with pytest.raises(DataError, match=r"^a_mask\.tif has 4 x 8 pixels, its image 8 x 8$"):
        drain(open_saved_job(scan, folder / "dataset.toml"))
    assert not list(folder.glob("dataset.*"))
