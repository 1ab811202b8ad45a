"""What flips a cell, in a sentence."""

import doctest

from napari_channelmix.whatif import cell_changes as module
from napari_channelmix.whatif.cell_changes import CellChanges, Change

CLASSES = ("G1", "G2")


def test_examples_are_true():
    result = doctest.testmod(module)
    assert result.attempted and not result.failed


def test_a_cell_that_nothing_flips():
    text = CellChanges(0, 1, 0.873, ()).sentence(CLASSES)
    assert text == "predicted as G2 (probability .87): nothing on the data's range flips it"


def test_a_change_that_no_real_cell_shows_is_said_to_be_so():
    words = "its DNA brightness were 1.6 times as bright (0.68 doublings)"
    common = (("DNA brightness",), (0.68,), ("doublings",), 1, 0.8, 0.4)
    like, unlike = (Change(*common, share, 20, words) for share in (0.2, 0.0))
    cell = CellChanges(0, 0, 1.0, (like, unlike))
    assert (
        cell.sentence(CLASSES)
        == f"predicted as G1 (probability 1.00); would be predicted as G2 if {words}"
    )
    assert cell.sentence(CLASSES, 1).endswith("; none of 20 such cells lies as far out")
