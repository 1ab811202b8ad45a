"""CellProfiler's tables, read again as CellProfiler's own are."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import tifffile

from napari_channelmix.data import Cells
from napari_channelmix.report.cell_results import CellResults, write_cells
from napari_channelmix.scan.tables import scan_table


@pytest.fixture
def results(tmp_path):
    """Points in two images, whose numbers in CellProfiler are 7 and 8."""
    for name in ("a_DNA", "a_GFP", "b_DNA", "b_GFP"):
        tifffile.imwrite(tmp_path / f"{name}.tif", np.zeros((60, 80), np.uint16))
    frame = pd.DataFrame(
        {
            "dna": ["a_DNA.tif"] * 2 + ["b_DNA.tif"] * 3,
            "gfp": ["a_GFP.tif"] * 2 + ["b_GFP.tif"] * 3,
            "y": [12.25, 30, 20, 33, 44],
            "x": [20, 25.5, 30, 35, 50],
            "treatment": [*"uvuvu"],
            "ImageNumber": [7, 7, 8, 8, 8],
            "ObjectNumber": [3, 1, 2, 5, 9],
        }
    )
    cells = Cells.from_frame(
        frame,
        channels={"DNA": "dna", "GFP": "gfp"},
        x="x",
        y="y",
        label="treatment",
        crop=16,
        folder=tmp_path,
    )
    probabilities = np.float32([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4], [1, 0], [0.3, 0.7]])
    return CellResults(cells, probabilities, ("u", "v w"))


def test_the_users_own_numbers_join_with_cellprofiler(results, tmp_path):
    files = write_cells(results, tmp_path / "MyExpt_Nuclei.csv", format="cellprofiler")
    assert [file.name for file in files] == ["MyExpt_Nuclei.csv", "MyExpt_Image.csv"]
    objects, images = (pd.read_csv(file) for file in files)
    assert objects["ImageNumber"].tolist() == [7, 7, 8, 8, 8]
    assert objects["ObjectNumber"].tolist() == [3, 1, 2, 5, 9]
    assert objects["Location_Center_X"].tolist() == [20, 25.5, 30, 35, 50]
    assert objects["Metadata_Prediction"].tolist() == ["u", "v w", "u", "u", "v w"]
    assert objects["ChannelMix_Probability_v_w"].tolist() == pytest.approx([0.1, 0.8, 0.4, 0, 0.7])
    assert objects["Metadata_Class"].tolist() == [*"uvuvu"]
    assert images["ImageNumber"].tolist() == [7, 8]
    assert images["FileName_GFP"].tolist() == ["a_GFP.tif", "b_GFP.tif"]
    assert set(images["PathName_DNA"]) == {str(tmp_path)}
    assert images["Count_Nuclei"].tolist() == [2, 3]


def test_cells_come_back_with_place_and_class(results, tmp_path):
    write_cells(results, tmp_path / "MyExpt_Nuclei.csv", format="cellprofiler")
    roles = {"Metadata_Class": "leave out", "Metadata_Prediction": "class"}
    cells = scan_table(tmp_path / "MyExpt_Nuclei.csv", roles=roles, crop=16).cells()
    np.testing.assert_array_equal(cells.centres, results.cells.centres)
    assert cells.channels == ("DNA", "GFP")
    called = [results.classes[code] for code in results.probabilities.argmax(axis=1)]
    assert [cells.classes[code] for code in cells.labels] == called


def test_without_numbers_fields_and_cells_are_numbered_from_one(results, tmp_path):
    keys = [name for name in results.cells.table if name.startswith("key ")]
    cells = replace(results.cells, table=results.cells.table.drop(columns=keys))
    some = replace(results, cells=cells, chosen=np.array([4, 0, 2]))
    objects, images = (
        pd.read_csv(file)
        for file in write_cells(some, tmp_path / "cells.csv", format="cellprofiler")
    )
    assert objects["ImageNumber"].tolist() == [2, 1, 2]
    assert objects["ObjectNumber"].tolist() == [1, 1, 2]
    assert images["ImageNumber"].tolist() == [1, 2]


def test_numbers_that_are_not_one_for_each_image_are_not_used(results, tmp_path):
    table = results.cells.table.assign(**{"key ImageNumber": [*"11112"]})
    some = replace(results, cells=replace(results.cells, table=table))
    files = write_cells(some, tmp_path / "cells.csv", format="cellprofiler")
    assert pd.read_csv(files[0])["ImageNumber"].tolist() == [1, 1, 2, 2, 2]
