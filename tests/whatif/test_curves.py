"""Response curves as tables: means of each class, and single cells, worked out by hand."""

import numpy as np
import pytest

from napari_channelmix.whatif.curves import cell_curve_table, curve_table
from napari_channelmix.whatif.responses import AxisResponses, Responses

from .disc_cases import CLASSES, brightness_axis, turn_axis

AMOUNTS = np.array([-1, 0, 1], np.float32)


def responses():
    """Two dim cells, of which one flips at a doubling, and a bright one."""
    bright = np.array([[0.1, 0.2, 0.6], [0.0, 0.1, 0.4], [0.7, 0.9, 1.0]], np.float32)
    turned = np.array([[0.2, 0.3], [0.1, 0.1], [0.9, 0.8]], np.float32)
    inside = np.ones((3, 3), bool)
    inside[0, 2] = False
    axes = (
        AxisResponses("DNA brightness", "cell", AMOUNTS, both(bright), inside),
        AxisResponses("turn", "cell", np.array([0, 1], np.float32), both(turned), inside[:, :2]),
    )
    return Responses(np.array([7, 8, 9]), both(bright[:, 1]), axes)


def both(bright):
    return np.stack([1 - bright, bright], axis=-1)


def test_rows_are_means_of_the_cells_called_alike():
    table = curve_table(responses(), (brightness_axis(), turn_axis()), CLASSES, np.array([0, 1, 1]))
    rows = table[
        (table["axis"] == "DNA brightness")
        & (table["from_class"] == "dim")
        & (table["class_name"] == "bright")
    ]
    assert rows["amount"].tolist() == [-1, 0, 1]
    assert rows["probability"].tolist() == pytest.approx([0.05, 0.15, 0.5])
    assert rows["called"].tolist() == [0, 0, 0.5]
    assert rows["outside"].tolist() == [0, 0, 0.5]
    assert rows["n"].tolist() == [2, 2, 2]
    # Mean over the sham edits: turned, not as they are.
    assert rows["sham"].tolist() == pytest.approx([0.2] * 3)
    assert ((rows["low"] <= rows["probability"]) & (rows["probability"] <= rows["high"])).all()
    single = table[table["from_class"] == "bright"]
    assert (single["n"] == 1).all() and single["low"].isna().all()
    assert single["called_low"].isna().all()


def test_single_cells_have_curves_of_their_own():
    table = cell_curve_table(responses(), (brightness_axis(), turn_axis()), CLASSES)
    rows = table[(table["cell"] == 7) & (table["axis"] == "DNA brightness")]
    bright = rows[rows["class_name"] == "bright"]
    assert bright["probability"].tolist() == pytest.approx([0.1, 0.2, 0.6])
    assert bright["inside"].tolist() == [True, True, False]
    assert len(table) == 3 * (3 + 2) * 2
