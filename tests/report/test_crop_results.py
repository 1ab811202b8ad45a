"""Files of crops, looked at as scPortrait writes them; benchmarks/round_trips.py reads them with
scportrait and anndata."""

from dataclasses import replace

import numpy as np
import pytest

from napari_channelmix.data import Cells
from napari_channelmix.errors import DataError
from napari_channelmix.report.cell_results import CellResults, write_cells
from napari_channelmix.report.crop_results import outline_in_crop

h5py = pytest.importorskip("h5py", reason="files of crops are written by h5py (extra 'anndata')")

IMAGES = "obsm/single_cell_images"


@pytest.fixture
def written(plate, full, tmp_path):
    chosen = np.array([5, 2, 17])
    results = CellResults(plate, full.probabilities, plate.classes, chosen=chosen)
    (path,) = write_cells(results, tmp_path / "cells.h5sc")
    with h5py.File(path) as file:
        yield plate.subset(chosen), file


def texts(data):
    return [text.decode() for text in data[()]]


def test_pixels_come_back_by_the_ranges_that_are_kept(written):
    cells, file = written
    images, about = file[IMAGES], file["uns/single_cell_images"]
    assert images.dtype == np.float16
    assert images.shape == (3, 1 + len(cells.channels), cells.crop, cells.crop)
    assert images.chunks == (1, 1, cells.crop, cells.crop)
    low, high = (
        about[f"normalization_range_{end}"][()][:, None, None] for end in ("lower", "upper")
    )
    pixels = images[:, 1:].astype(np.float64)
    assert (pixels.min(), pixels.max()) == (0, 1)
    crops = cells.read()
    np.testing.assert_array_equal(low[:, 0, 0], crops.min(axis=(0, 2, 3)))
    np.testing.assert_allclose(low + pixels * (high - low), crops, atol=2**-11 * (high - low).max())


def test_the_mask_is_the_outline_of_the_cell(written):
    cells, file = written
    row, of = cells.table.iloc[1], cells.fields[int(cells.table["field"].iloc[1])]
    y0, x0, y1, x1 = (int(row[edge]) for edge in ("y0", "x0", "y1", "x1"))
    expected = of.labels[y0:y1, x0:x1] == row["object"]
    assert expected.any()
    np.testing.assert_array_equal(file[IMAGES][1, 0], expected)


def test_names_and_numbers_are_where_scportrait_looks(written):
    cells, file = written
    about, attributes = file["uns/single_cell_images"], file[IMAGES].attrs
    names = ["segmentation", *cells.channels]
    kinds = ["mask", *["image_channel"] * len(cells.channels)]
    assert texts(about["channel_names"]) == names
    assert texts(about["channel_mapping"]) == kinds
    assert [name.decode() for name in attributes["channel_names"]] == names
    assert (about["n_cells"][()], attributes["n_masks"], attributes["image_size_x"]) == (3, 1, 24)
    var = file["var"]
    shown = [texts(var["channels/categories"])[code] for code in var["channels/codes"][()]]
    assert shown == names
    ids = file["obs/cell_id"][()]
    assert ids.dtype == np.uint64 and len(set(ids.tolist())) == 3
    assert texts(file["obs/cell"]) == ["5", "2", "17"]


def test_cells_without_outlines_have_no_mask(tmp_path):
    plane = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64)
    cells = Cells.from_points([plane], ["DNA"], [(5, 5), (30, 40)], crop=16)
    (path,) = write_cells(CellResults(cells), tmp_path / "cells.h5sc")
    with h5py.File(path) as file:
        assert file[IMAGES].shape == (2, 1, 16, 16)
        assert file["obs/cell_id"][()].tolist() == [1, 2]


def test_outlines_of_crops_beyond_the_border_and_of_other_sizes():
    labels = np.zeros((20, 20), int)
    labels[0:4, 0:4] = 1
    cells = Cells.from_labels([labels * 1.0], ["DNA"], labels, crop=8)
    box = cells.table.assign(y0=-4, x0=-4, y1=4, x1=4)
    beyond = replace(cells, table=box)
    outline = outline_in_crop(beyond, 0)
    assert outline.sum() == 16 and outline[4:, 4:].all()
    half = replace(beyond, crop=4)
    assert outline_in_crop(half, 0).tolist() == outline[1::2, 1::2].tolist()


def test_no_cell_and_a_channel_of_one_value(plate, tmp_path):
    with pytest.raises(DataError, match="no cells"):
        write_cells(CellResults(plate, chosen=np.zeros(0, int)), tmp_path / "cells.h5sc")
    flat = Cells.from_points([np.full((32, 32), 7.0)], ["DNA"], [(9, 9)], crop=8)
    (path,) = write_cells(CellResults(flat), tmp_path / "cells.h5sc")
    with h5py.File(path) as file:
        assert (file[IMAGES][()] == 0).all()
