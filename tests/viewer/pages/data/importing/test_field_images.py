"""Fields of view beside a scan: one scale per channel, and reasons where there is no picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import tifffile

from napari_channelmix.jobs import drain
from napari_channelmix.scan import Role, Scan, ScanSettings
from napari_channelmix.viewer.pages.data.importing.field_images import sample_job

from ....importing import plate_folder, scan_by_hand

if TYPE_CHECKING:
    from pathlib import Path


def test_dim_cells_stay_dim_beside_bright_ones(tmp_path: Path) -> None:
    folder = plate_folder(tmp_path / "plate", rows="A", columns=4)
    sample = drain(sample_job(scan_by_hand(folder)))
    assert sample.channels == ("DNA", "GFP") and sample.names == ("A01", "A02", "A03", "A04")
    gfp = [int(np.max(pictures[1])) for pictures in sample.pictures]
    # 20 grey values above the ground beside 150.
    assert max(gfp[:2]) < 100 and min(gfp[2:]) > 230
    dna = [int(np.max(pictures[0])) for pictures in sample.pictures]
    assert min(dna) > 230


def test_an_image_that_is_gone_leaves_its_reason(tmp_path: Path) -> None:
    folder = plate_folder(tmp_path / "plate", rows="A", columns=2)
    scan = scan_by_hand(folder)
    (folder / "A02_s1_DNA.tif").unlink()
    sample = drain(sample_job(scan))
    assert isinstance(sample.pictures[1][0], str) and "A02_s1_DNA.tif" in sample.pictures[1][0]
    assert not isinstance(sample.pictures[1][1], str)


def test_channels_of_one_file_and_large_images_are_made_small(tmp_path: Path) -> None:
    picture = np.zeros((3, 300, 500), np.uint8)
    picture[2, 100:200, 100:200] = 200
    tifffile.imwrite(
        tmp_path / "one.tif", picture, photometric="minisblack", metadata={"axes": "CYX"}
    )
    entries = pd.DataFrame({"file": ["one.tif"]})
    settings = ScanSettings(channels={"a": "a", "b": "b", "c": "c"})
    scan = Scan.of(
        tmp_path, "test", entries, tmp_path, {"file": Role.IMAGE}, settings, strict=False
    )
    sample = drain(sample_job(scan))
    assert sample.channels == ("a", "b", "c")
    shapes = {np.shape(one) for one in sample.pictures[0]}
    assert shapes == {(75, 125)}
    means = [float(np.mean(one)) for one in sample.pictures[0]]
    assert means[2] > 10 > max(means[:2])
