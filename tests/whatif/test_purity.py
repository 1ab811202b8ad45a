"""Whether each edit does what its name says, beside the answers."""

import doctest

import pandas as pd

from napari_channelmix.jobs import drain
from napari_channelmix.whatif import purity as module
from napari_channelmix.whatif.axis_table import axes_of
from napari_channelmix.whatif.crops import cell_crops
from napari_channelmix.whatif.purity import purity_job, with_notes
from napari_channelmix.whatif.stored import TABLES

from .disc_cases import disc_cells


def test_examples_are_true():
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_axes_with_a_feature_have_a_row():
    crops = cell_crops(disc_cells(24))
    axes = axes_of(crops, families=["channel", "sham"], channels=["DNA"])
    table = drain(purity_job(axes, crops))
    assert list(table.columns) == list(TABLES["purity"])
    assert "DNA brightness" in set(table["axis"]) and "turn" not in set(table["axis"])
    assert table.set_index("axis").loc["DNA brightness", "pure"]


def test_rows_of_flips_say_what_else_was_moved():
    flips = pd.DataFrame({"axis": ["size", "blur"], "share": [0.5, 0.1]})
    table = pd.DataFrame({"axis": ["size"], "pure": [False], "other": ["DNA rim"]})
    assert with_notes(flips, table)["note"].tolist() == ["also moves DNA rim", ""]
    assert with_notes(flips, table.iloc[:0])["note"].tolist() == ["", ""]
