"""Scans propose crops in pixels after resampling, where the setting pixel_size asks for it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix.scan import scan_folder
from napari_channelmix.scan.tables import scan_table

from .made_cells import write_tiff

SIDE = 100
OWN = (0.25, 0.25)


def marks():
    """Two objects, 60 and 36 pixels long."""
    labels = np.zeros((SIDE, SIDE), np.uint16)
    labels[2:62, 2:30], labels[60:96, 50:80] = 1, 2
    return labels


@pytest.fixture(params=["stated", "given"])
def images(request, tmp_path):
    """A folder with an image and its label image, and the settings that make its pixels known."""
    stated = request.param == "stated"
    pixels = np.random.default_rng(0).integers(90, 110, (SIDE, SIDE)).astype(np.uint16)
    write_tiff(tmp_path / "a.tif", pixels, OWN if stated else None)
    tifffile.imwrite(tmp_path / "a_cp_masks.tif", marks())
    return tmp_path, {} if stated else {"image_pixel_size": OWN[0]}


def opened(scan):
    content = scan.description()["cells"]
    cells = scan.cells()
    assert cells.shape[-1] == content["crop"]
    return content["crop"], set((cells.boxes[:, 2] - cells.boxes[:, 0]).tolist())


@pytest.mark.parametrize(("size", "crop", "box"), [(None, 64, 64), (0.5, 32, 64), (0.75, 24, 72)])
def test_label_images(images, size, crop, box):
    folder, settings = images
    row = {"path": "a.tif", "mask_path": "a_cp_masks.tif"}
    frame = pd.DataFrame([{**row, "cell_id": 1}, {**row, "cell_id": 2}])
    scan = scan_table(frame, images=folder, pixel_size=size, **settings)
    assert opened(scan) == (crop, {box})
    assert opened(scan_folder(folder, pixel_size=size, **settings)) == (crop, {box})


@pytest.mark.parametrize(("size", "crop"), [(None, 48), (0.5, 24)])
def test_points(images, size, crop):
    folder, settings = images
    frame = pd.DataFrame({"path": ["a.tif"] * 2, "x": [50, 50], "y": [30, 60]})
    scan = scan_table(frame, images=folder, pixel_size=size, **settings)
    assert opened(scan) == (crop, {48})


@pytest.mark.parametrize(("size", "crops"), [(None, (40, 64)), (0.5, (20, 32))])
def test_boxes(images, size, crops):
    folder, settings = images
    for bottom, crop in zip((45, 65), crops, strict=True):
        boxes = {"ymin": [5, 5], "xmin": [5, 45], "ymax": [45, bottom], "xmax": [45, 85]}
        frame = pd.DataFrame({"path": ["a.tif"] * 2, **boxes})
        scan = scan_table(frame, images=folder, pixel_size=size, **settings)
        assert scan.description()["cells"]["crop"] == crop


def test_cells_of_unknown_size_get_no_more_than_the_image(images):
    folder, settings = images
    Path(folder / "a_cp_masks.tif").unlink()
    scan = scan_folder(folder, pixel_size=0.5, **settings)
    choice = next(one for one in scan.choices if one.name == "cells")
    nuclei = next(option for option in choice.options if option.startswith("segment"))
    assert scan.with_choice("cells", nuclei).description()["cells"]["crop"] == 50
